"""Signals that must wait do, and come when the work that must not be cut is done."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from numba.core import event

from toreq_hw import compilation  # noqa: F401  registers what listens to the compiler
from toreq_hw.cli.termination import STATUS, ending_in_order
from toreq_hw.interrupts import Hold, hold_interrupts


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A background job inherits an ignored SIGINT; a person's terminal does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(reached: list[str], depth: int, number: signal.Signals) -> None:
    """A compilation, with others inside, in the midst of which a signal comes."""
    with event.trigger_event("numba:compile"):
        if depth:
            interrupted(reached, depth - 1, number)
        else:
            os.kill(os.getpid(), number)
        reached.append(f"after {depth}")


def test_a_termination_waits_for_the_compiler() -> None:
    reached: list[str] = []
    with pytest.raises(SystemExit) as end, ending_in_order():
        interrupted(reached, 2, signal.SIGTERM)
    assert end.value.code == STATUS
    assert reached == ["after 0", "after 1", "after 2"]


def test_ctrl_c_waits_for_the_compiler() -> None:
    reached: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(reached, 1, signal.SIGINT)
    assert reached == ["after 0", "after 1"]
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)  # afterwards it no longer waits


def test_several_signals_are_one_that_comes_at_the_end() -> None:
    def interrupted_thrice() -> None:
        with hold_interrupts():
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
            reached.append("end")

    reached: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted_thrice()
    assert reached == ["end"]


def test_other_threads_leave_signals_alone() -> None:
    def begin_and_end() -> None:
        hold = Hold()
        hold.begin()
        handlers.append(signal.getsignal(signal.SIGINT))
        hold.end()

    handlers: list[object] = []
    thread = threading.Thread(target=begin_and_end)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
