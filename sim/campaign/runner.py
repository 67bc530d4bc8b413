"""Runs a campaign: a pilot of every level, then as many trials as the plan asks for."""

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.backend import resource_tracker as loky_tracker

from toreq_hw.argument_types import named_type_errors
from toreq_hw.children import end_with_parent, interrupts_blocked
from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.sim.campaign.planning import PILOT, trials_needed
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.store import Store
from toreq_hw.sim.campaign.trial import Trial, run_trial

Task = tuple[float, int]

CONNECT_S = 30
"""Seconds that a scheduler may take to answer: one that is there answers in milliseconds, and an
address without one is refused at once where the network says so."""


@named_type_errors
@dataclass(frozen=True)
class Plan:
    """levels: without the controls. trials: a number, or None to plan it from the pilot.

    confidence 0..1 and margin 0..1 (half-width of an accuracy); most: never more trials a level.
    Raises InputError for anything outside.
    """

    levels: tuple[float, ...]
    trials: int | None = None
    confidence: float = 0.99
    margin: float = 0.005
    most: int = 200

    def __post_init__(self) -> None:
        if not self.levels:
            raise InputError("levels must be at least one number, found none")
        if not 0 < self.confidence < 1:
            raise InputError(f"confidence must be between 0 and 1, not {self.confidence!r}")
        if not 0 < self.margin < 1:
            raise InputError(f"margin must be between 0 and 100 %, not {100 * self.margin:g} %")


@named_type_errors
def run(
    setting: Setting,
    plan: Plan,
    store: Store,
    *,
    jobs: int = -1,
    scheduler: str | None = None,
    watch: Callable[[int, int], None] = lambda _done, _total: None,
    tell: Callable[[str], None] = lambda _message: None,
) -> dict[float, list[Trial]]:
    """Trials of every level, the controls (level 0, full damage) included, by level.

    What `store` holds already is not run again; while another process works on it, this one waits.
    jobs: processes (-1: one a core). scheduler: a Dask scheduler's address instead. watch: told of
    trials done and planned so far. tell: gets a line of text where one is to be read.
    """
    controls = {0.0: 1} | ({setting.ruin: PILOT + 3} if setting.ruin is not None else {})
    first = plan.trials or min(PILOT, plan.most)
    wanted = dict.fromkeys(plan.levels, first) | {
        level: max(count, first if level in plan.levels and level else 0)
        for level, count in controls.items()
    }
    with store.held(tell), _workers(jobs, scheduler), _kept_on_loss(scheduler):
        _complete(setting, wanted, store, watch)
        if plan.trials is None:
            for level in plan.levels:
                if level not in controls:
                    values = [store.trials[level, k].accuracy for k in range(first)]
                    wanted[level] = trials_needed(values, plan.confidence, plan.margin, plan.most)
            _complete(setting, wanted, store, watch)
    return {
        level: [store.trials[level, k] for k in range(count)]
        for level, count in sorted(wanted.items())
    }


def _complete(
    setting: Setting, wanted: dict[float, int], store: Store, watch: Callable[[int, int], None]
) -> None:
    """Runs what is missing; every trial is kept as soon as it is done."""
    every = [(level, k) for level, count in wanted.items() for k in range(count)]
    missing: list[Task] = [task for task in every if task not in store.trials]
    watch(len(every) - len(missing), len(every))
    work = (delayed(run_trial)(setting, level, trial) for level, trial in missing)
    resource_tracker.ensure_running()  # it begins with the first worker, and unblocks signals
    loky_tracker.ensure_running()
    with interrupts_blocked():  # the workers begin here
        done: Iterable[Trial] = Parallel(return_as="generator_unordered")(work) if missing else ()
    for count, trial in enumerate(done, start=1):
        store.add(trial)
        watch(len(every) - len(missing) + count, len(every))


@contextmanager
def _kept_on_loss(scheduler: str | None) -> Iterator[None]:
    """A cluster that goes away is a user's error: what was finished is in the store."""
    try:
        yield
    except (OSError, CancelledError) as error:  # Dask cancels what it can no longer hear of
        if scheduler is None:
            raise
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"scheduler {scheduler!r} must stay reachable, found: {cause}; finished trials are "
            "kept, start the same campaign again to go on"
        ) from error


def _workers(jobs: int, scheduler: str | None) -> AbstractContextManager[object]:
    """Where trials run: here for one job, in processes, or on a cluster."""
    if scheduler is None:
        here: AbstractContextManager[object] = nullcontext()
        return here if jobs == 1 else _in_processes(jobs)
    try:
        from distributed import Client
    except ImportError as error:
        raise missing("a Dask scheduler", "dask", "cluster") from error
    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"scheduler {scheduler!r} must answer, found: {error}") from error
    return _on_cluster(client)


@contextmanager
def _in_processes(jobs: int) -> Iterator[None]:
    """Joblib's work goes to processes that end with this one; joblib ends them at an interrupt."""
    warnings.filterwarnings("ignore", r"\d+ tasks which", UserWarning)  # those of an interrupt
    with parallel_config("loky", n_jobs=jobs, initializer=end_with_parent, initargs=(os.getpid(),)):
        yield


@contextmanager
def _on_cluster(client: Any) -> Iterator[None]:
    """Joblib's work goes to the cluster; the connection is closed behind it.

    Dask's own log is silent meanwhile: a cluster that goes away is said once, in one line.
    """
    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with parallel_config("dask", client=client):
            yield
    finally:
        client.close(timeout=CONNECT_S)
        log.setLevel(level)
