"""A wait ends where nothing works any more, and lasts as long as something does."""

import subprocess
import sys
import time
from threading import Event, Thread
from types import SimpleNamespace

import psutil
import pytest

from testbench import patience

SPEED = 600
"""So many times faster than the clock; the processor's time is scaled as well."""


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that runs fast, so that three minutes are a third of a second."""
    clock = SimpleNamespace(
        monotonic=lambda: time.monotonic() * SPEED,
        process_time=lambda: time.process_time() * SPEED,
        thread_time=lambda: time.thread_time() * SPEED,
        sleep=lambda _: time.sleep(0.001),
    )
    monkeypatch.setattr(patience, "time", clock)


def never() -> bool:
    return False


@pytest.mark.usefixtures("fast")
def test_a_wait_without_work_ends_soon() -> None:
    begin = time.monotonic()
    with pytest.raises(AssertionError, match="before all work has ended"):
        patience.until(never, lambda: "what was found")
    assert time.monotonic() - begin >= patience.HUNG_S / SPEED
    with pytest.raises(AssertionError, match="what was found"):
        patience.until(never, lambda: "what was found")


@pytest.mark.usefixtures("fast")
def test_a_wait_lasts_while_another_thread_works_and_ends_after_much() -> None:
    ended = Event()

    def work() -> None:
        while not ended.is_set():
            pass

    worker = Thread(target=work)
    worker.start()
    try:
        with pytest.raises(AssertionError, match="must hold after much work"):
            patience.until(never)
    finally:
        ended.set()
        worker.join()


def test_work_of_started_processes_counts() -> None:
    before = patience._work_of_others()
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        try:
            while sum(psutil.Process(child.pid).cpu_times()[:2]) < 1:
                assert child.poll() is None
            assert patience._work_of_others() >= before + 0.9
        finally:
            child.kill()


def test_what_holds_is_not_waited_for() -> None:
    patience.until(lambda: True)
