"""How long a test waits for something that must happen, before it says that it never will.

No verdict may depend on how busy the machine is. A wait only ends a test that would hang: what is
waited for takes seconds on an idle machine. Whether something happens *soon* is asked of events and
of processor time instead.
"""

import time
from collections.abc import Callable

GENEROUS_S = 1200.0
"""More than a hundred times what the longest of these waits takes on an idle machine."""

HUNG_S = 180.0
"""Without work by those who are waited for, a wait in a browser ends."""

WORK_S = 0.5
"""Processor time that counts as work: a hundredth of what a busy machine leaves in that time."""

_LOOK_S = 1.0


def until(holds: Callable[[], object], found: Callable[[], object] = lambda: "") -> None:
    """Waits until something holds. found: what is said where it never does.

    Ends after `GENEROUS_S`, or after `HUNG_S` in which neither the other threads of this process
    nor processes that they started have worked. So work that goes on is waited for, and what hangs
    is soon seen.
    """
    begin = looked = moved = time.monotonic()
    done = _work_of_others()
    while not holds():
        now = time.monotonic()
        if now - looked > _LOOK_S:
            looked, work = now, _work_of_others()
            if abs(work - done) > WORK_S:  # less where a process that worked has ended
                moved, done = now, work
        assert now - begin < GENEROUS_S, ("it must hold in time", found())
        assert now - moved < HUNG_S, ("it must hold before all work has ended", found())
        time.sleep(0.01)


def _work_of_others() -> float:
    """Processor seconds of all other threads and of their processes, without those of a browser."""
    import psutil

    total = time.process_time() - time.thread_time()
    for child in psutil.Process().children(recursive=True):
        try:
            if child.name().startswith(("node", "chrom")):
                continue
            total += sum(child.cpu_times()[:2])
        except psutil.Error:  # it has ended
            continue
    return total
