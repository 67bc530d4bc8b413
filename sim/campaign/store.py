"""Finished trials, one JSON line each: a campaign that is interrupted loses none of them."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from toreq_hw.errors import InputError, OutputError
from toreq_hw.sim.campaign.trial import Trial


class Store:
    """Trials by (level, number), kept in a file. Raises OutputError or InputError naming it.

    A line is appended and forced to disk as soon as its trial is done. A last line cut short by
    a crash is dropped; a damaged line elsewhere is refused.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.trials: dict[tuple[float, int], Trial] = {}
        if path.exists():
            self._read()

    def add(self, trial: Trial) -> None:
        """Keeps one finished trial."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(trial)) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{self._path}: must be writable, found: {error.strerror}") from error
        self.trials[trial.level, trial.trial] = trial

    def _read(self) -> None:
        try:
            text = self._path.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"{self._path}: must be readable, found: {error.strerror}") from error
        whole, _, cut = text.rpartition("\n")
        if cut:
            with self._path.open("r+", encoding="utf-8") as file:
                file.truncate(len((whole + "\n").encode()) if whole else 0)
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                record = json.loads(line)
                trial = Trial(**{**record, "sweeps": tuple(record["sweeps"])})
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(
                    f"{self._path}: line {number} must be a finished trial, found: {error}"
                ) from error
            self.trials[trial.level, trial.trial] = trial
