"""A machine's process ends with the task that asked for it, whenever that is cancelled."""

import asyncio
import multiprocessing
from contextlib import suppress
from pathlib import Path

import pytest

from testbench.observatory.cases import digit, digits_network
from testbench.patience import until
from toreq_hw.observatory.apart import run_apart
from toreq_hw.observatory.machines import Request
from toreq_hw.targets import Samples


@pytest.mark.parametrize("seconds", [0.0, 0.005, 0.3])
def test_a_cancelled_machine_leaves_no_process(seconds: float, tmp_path: Path) -> None:
    samples = Samples("digits", "test", *digit(3))
    request = Request("rtl", "compiled core", digits_network(), samples, 0)

    async def cancelled() -> None:
        task = asyncio.create_task(run_apart(request, tmp_path))
        await asyncio.sleep(seconds)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    until(lambda: not multiprocessing.active_children())
