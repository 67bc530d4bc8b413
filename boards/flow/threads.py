"""Work in threads that ends when it is told to: no thread outlives an interrupt."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    work: Callable[[Item], Result], items: Iterable[Item], jobs: int, stop: Callable[[], None]
) -> list[Result]:
    """`work` of each item, `jobs` at once, in order.

    At the first error, or an interrupt of this thread, `stop` is called, which must end what
    still runs; the error is raised when all threads have come to an end.
    """
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop()
            raise
