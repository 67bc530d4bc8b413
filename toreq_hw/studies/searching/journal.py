"""The store of a search: Optuna's journal, which one process writes, and what it asks for next.

Whatever Optuna draws follows from the seed, the number of the point and what was told before. So a
search that was killed goes on as if it had not been, and equal seeds give equal points.
"""

import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from toreq_hw.errors import InputError, OutputError, ToreqError
from toreq_hw.reading import parse_json, read_bytes, record_from
from toreq_hw.reading.fields import shown
from toreq_hw.records import plain
from toreq_hw.records.search import SearchPoint
from toreq_hw.studies.searching.climb import Candidate
from toreq_hw.studies.searching.front import values_of
from toreq_hw.studies.searching.problem import Problem

if TYPE_CHECKING:
    import optuna

VERSION = 1
"""Of a store."""

_STUDY = "toreq-hw search"
_NEVER = 1e30
"""Told for a figure that a point never reached; only points that miss something have one."""

_MOST_BYTES = 1 << 28


class _NoLock:
    """For Optuna: `opened` holds the store already, with a lock that the dead give back."""

    def acquire(self) -> bool:
        """Held."""
        return True

    def release(self) -> None:
        """Held until the store is closed."""


@contextmanager
def opened(path: Path, problem: Problem) -> Iterator["Journal"]:
    """The store at `path`, made where there is none; no other process has it meanwhile.

    Raises InputError where another process has it, or where it is no store of this very problem;
    OutputError where it cannot be locked.
    """
    place = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise InputError(
            f"{path}: must be the store of one search at a time, found another at work on it; wait "
            "until it ends, or use another --store"
        ) from error
    except (OSError, NotImplementedError) as error:
        raise OutputError(f"{place}: must be a file that can be locked, found: {error}") from error
    try:
        yield Journal(path, problem)
    finally:
        lock.release()


class Journal:
    """Points of one search: those that were told, those that were asked for, and the next ones."""

    def __init__(self, path: Path, problem: Problem) -> None:
        import optuna
        from optuna.storages.journal import JournalFileBackend

        self._problem = problem
        self._directions = ["maximize" if o.maximise else "minimize" for o in problem.objectives]
        _check_store(path)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with _quiet():
            backend = JournalFileBackend(str(path), lock_obj=_NoLock())
            try:
                self._storage = optuna.storages.JournalStorage(backend)
                self._study = self._loaded(path)
            except ToreqError:
                raise
            except Exception as error:  # whatever Optuna makes of lines that it did not write
                raise InputError(
                    f"{path}: must be the store of a search, found another file: {error}"
                ) from error

    def _loaded(self, path: Path) -> "optuna.Study":
        """The study, checked or made."""
        import optuna

        names = [study.study_name for study in self._storage.get_all_studies()]
        if not names:
            study = optuna.create_study(
                storage=self._storage, study_name=_STUDY, directions=self._directions
            )
            study.set_user_attr("settings", self._problem.settings)
            study.set_user_attr("version", VERSION)
            return study
        if names != [_STUDY]:
            raise InputError(
                f"{path}: must be the store of a search, found studies {', '.join(names)}"
            )
        study = optuna.load_study(storage=self._storage, study_name=_STUDY)
        found = study.user_attrs.get("version")
        if found is None:  # made, and killed before it was described
            study.set_user_attr("settings", self._problem.settings)
            study.set_user_attr("version", VERSION)
        elif found != VERSION:
            raise InputError(
                f"{path}: must be a store of version {VERSION}, found {found}; use another --store"
            )
        self._check_settings(path, study.user_attrs.get("settings", {}))
        return study

    def _check_settings(self, path: Path, found: Mapping[str, str]) -> None:
        """Raises InputError, naming the first difference, for the store of another problem."""
        for name, value in self._problem.settings.items():
            if found.get(name) != value:
                before = shown(found.get(name, ""))
                raise InputError(
                    f"{path}: must be of a search with the same {name}, found {before}, not "
                    f"{shown(value)}; use another --store"
                )

    @property
    def told(self) -> list[SearchPoint]:
        """Points that are finished, in order."""
        return [
            record_from(
                parse_json(trial.user_attrs["point"], "store", InputError),
                SearchPoint,
                f"store, point {trial.number}",
                InputError,
            )
            for trial in self._valid()
            if trial.state.is_finished()
        ]

    def batch(self, most: int) -> list[tuple[int, dict[str, str]]]:
        """The points to be tried next, `most` in all: numbers, and choices of free dimensions.

        A batch that was interrupted comes first, whole; its finished points are in it too.
        """
        for trial in self._unfinished():
            self._study.tell(trial.number, state=_state("FAIL"))
        trials = self._valid()
        planned: int = 0
        members: list[Any] = []
        if trials and not trials[-1].state.is_finished():
            last, planned = trials[-1].user_attrs["batch"]
            members = [trial for trial in trials if trial.user_attrs["batch"][0] == last]
        else:
            last = len(trials)
            planned = min(self._problem.batch, most - len(trials))
        while len(members) < planned and not any(t.state.is_finished() for t in members):
            members.append(self._ask(len(self._valid()), last, planned))
        return [(trial.number, dict(trial.params)) for trial in members]

    def _ask(self, count: int, batch: int, planned: int) -> Any:
        """One more point. count: valid ones before it."""
        from optuna.distributions import CategoricalDistribution

        self._study.sampler = self._sampler(count)
        free = self._problem.space.free()
        with _quiet():
            trial = self._study.ask({n: CategoricalDistribution(c) for n, c in free.items()})
            trial.set_user_attr("batch", [batch, planned])
        return self._study.trials[trial.number]

    def _sampler(self, count: int) -> Any:
        """A fresh one for each point, so that nothing is remembered that a crash would take."""
        import optuna

        seed = (self._problem.seed * 1_000_003 + count) % (1 << 32)
        if self._problem.sampler == "tpe":
            return optuna.samplers.TPESampler(seed=seed, n_startup_trials=self._problem.batch)

        class Sampler(optuna.samplers.NSGAIISampler):
            """Parents in the order of their numbers, whether they were just selected or kept."""

            def select_parent(self, study: optuna.Study, generation: int) -> list[Any]:
                """As NSGA-II does; Optuna orders them by rank the first time alone."""
                found = super().select_parent(study, generation)
                return sorted(found, key=lambda trial: trial.number)

        return Sampler(seed=seed, population_size=max(2, self._problem.batch // 2))

    def tell(self, batch: Sequence[Candidate]) -> None:
        """Keeps what became of a batch; what was told before stays."""
        import optuna

        trials = {trial.number: trial for trial in self._valid()}
        study_id = self._storage.get_study_id_from_name(_STUDY)
        for one in batch:
            if trials[one.number].state.is_finished():
                continue
            known = self._storage.get_trial_id_from_study_id_trial_number(study_id, one.number)
            with _quiet():
                trial = optuna.trial.Trial(self._study, known)
                for name in self._names:
                    trial.set_constraint(name, one.missed.get(name, 0.0))
                point = json.dumps(plain(one.point))
                trial.set_user_attr("point", point)
                self._study.tell(one.number, *self._outcome(one))

    @property
    def _names(self) -> list[str]:
        """Of all that a point can miss."""
        from toreq_hw.studies.searching.climb import CLOCK, TOOL, UNFIT

        return [UNFIT, TOOL, CLOCK, *map(str, self._problem.requirements)]

    def _outcome(self, one: Candidate) -> tuple[list[float] | None, Any]:
        """Values and state: points that were only outranked teach nothing."""
        if one.cut and not one.missed:
            return None, _state("PRUNED")
        if not one.cut:
            signs = [-1.0 if o.maximise else 1.0 for o in self._problem.objectives]
            values = values_of(one.point, self._problem.objectives)
            return [s * v for s, v in zip(signs, values, strict=True)], _state("COMPLETE")
        return [-_NEVER if o.maximise else _NEVER for o in self._problem.objectives], _state(
            "COMPLETE"
        )

    def _valid(self) -> list[Any]:
        """Trials in order, without those that a crash cut while they were asked for."""
        return [t for t in self._study.trials if "batch" in t.user_attrs]

    def _unfinished(self) -> list[Any]:
        """Those that were cut, and not put away yet."""
        return [
            t
            for t in self._study.trials
            if "batch" not in t.user_attrs and not t.state.is_finished()
        ]


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's notes on what is experimental, or is told a second time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_store(path: Path) -> None:
    """Cuts off a last line that a crash left without its end. Raises InputError for a file that
    holds other lines than JSON, OutputError where it cannot be written.
    """
    if not path.exists():
        return
    content = read_bytes(path, _MOST_BYTES, InputError)
    whole = content[: content.rfind(b"\n") + 1]
    for number, line in enumerate(whole.splitlines(), start=1):
        found = parse_json(line.decode("utf-8", "replace"), f"{path}: line {number}", InputError)
        if not isinstance(found, dict) or "op_code" not in found:
            raise InputError(f"{path}: line {number} must be of the store of a search")
    if len(whole) < len(content):
        try:
            with path.open("r+b") as file:
                file.truncate(len(whole))
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{path}: must be writable, found: {error.strerror}") from error
