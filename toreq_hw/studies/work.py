"""Where the runs of a study are done: here, in processes of this machine, or on a Dask cluster."""

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.backend import resource_tracker as loky_tracker

from toreq_hw.children import end_with_parent, interrupts_blocked
from toreq_hw.errors import InputError
from toreq_hw.extras import missing

Item = TypeVar("Item")
Result = TypeVar("Result")

CONNECT_S = 30
"""Seconds that a scheduler may take to answer: one that is there answers in milliseconds, and an
address without one is refused at once where the network says so."""


@contextmanager
def workers(jobs: int = 1, scheduler: str | None = None) -> Iterator[None]:
    """While it lasts `do_each` works in `jobs` processes, or on the cluster of `scheduler`.

    jobs: 1 is this process, -1 one a core. scheduler: the address of a Dask scheduler. Raises
    MissingDependencyError without Dask, InputError for another number of jobs, and where no
    scheduler answers or where it is lost.
    """
    if isinstance(jobs, bool) or not isinstance(jobs, int) or (jobs < 1 and jobs != -1):
        raise InputError(
            f"jobs must be a whole number from 1 on, or -1 for one a core, not {jobs!r}"
        )
    with _workers(jobs, scheduler), _kept_on_loss(scheduler):
        yield


def do_each(do: Callable[[Item], Result], items: Sequence[Item]) -> Iterable[tuple[int, Result]]:
    """(place in `items`, result) of each item, as they are done, in any order."""
    if not items:
        return ()
    work = (delayed(_with_place)(do, place, item) for place, item in enumerate(items))
    resource_tracker.ensure_running()  # it begins with the first worker, and unblocks signals
    loky_tracker.ensure_running()
    with interrupts_blocked():  # the workers begin here
        done: Iterable[tuple[int, Result]] = Parallel(return_as="generator_unordered")(work)
    return done


def _with_place(do: Callable[[Item], Result], place: int, item: Item) -> tuple[int, Result]:
    return place, do(item)


def check_scheduler(scheduler: str | None) -> None:
    """Raises MissingDependencyError where a scheduler is asked for and Dask is not installed."""
    if scheduler is None:
        return
    try:
        import distributed  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise missing("a Dask scheduler", "dask", "cluster") from error


@contextmanager
def _kept_on_loss(scheduler: str | None) -> Iterator[None]:
    """A cluster that goes away is a user's error: what was finished is in the ledger."""
    try:
        yield
    except (OSError, CancelledError) as error:  # Dask cancels what it can no longer hear of
        if scheduler is None:
            raise
        cause = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"scheduler {scheduler!r} must stay reachable, found: {cause}; finished runs are "
            "kept, start the same study again to go on"
        ) from error


def _workers(jobs: int, scheduler: str | None) -> AbstractContextManager[object]:
    """Where runs are done: here for one job, in processes, or on a cluster."""
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
