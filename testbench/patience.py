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

WORK_S = 4.0
"""Processor time that counts as work: more than a server takes that waits, a fiftieth of a core."""

MOST_WORK_S = 300.0
"""Processor time after which what is waited for does not come: a core compiles in a third of it."""

_LOOK_S = 1.0


def until(holds: Callable[[], object], found: Callable[[], object] = lambda: "") -> None:
    """Waits until something holds. found: what is said where it never does.

    Ends where other threads of this process and processes that they started have used
    `MOST_WORK_S`, or less than `WORK_S` in `HUNG_S`. So what hangs is soon seen, and work is waited
    for on a busy machine as well.
    """
    looked = moved = time.monotonic()
    before, worked, spent = _work_of_others(), 0.0, 0.0
    while not holds():
        now = time.monotonic()
        if now - looked > _LOOK_S:
            looked, work = now, _work_of_others()
            spent += max(0.0, work - before)  # less where a process that worked has ended
            before = work
            if spent - worked > WORK_S:
                moved, worked = now, spent
        assert spent < MOST_WORK_S, ("it must hold after much work", found())
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
