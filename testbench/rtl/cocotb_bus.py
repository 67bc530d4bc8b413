"""Runs inside the simulator: a wrapped core carries out a plan, over the bus."""

import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles

from testbench.rtl.bus_bench import CONTROLS, EVENTS, BusBench, recorded, start_image
from testbench.rtl.bus_checks import (
    check_faults,
    check_identity,
    check_interrupts,
    check_queued_command,
    check_rejected,
    check_together,
)
from testbench.rtl.bus_waits import (
    check_packets,
    check_reset,
    check_responses,
    check_result_stands,
    check_silence,
    check_waiting,
)
from testbench.rtl.model import Model
from testbench.rtl.plan import Images, Load, Plan, ResetMidRun
from toreq_hw.network import Network
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.images import load_words
from toreq_hw.rtl.phases import Command


async def carry_out(bench: BusBench, plan: Plan) -> None:
    """All steps, with what must be refused and what a reset leaves between them."""
    await bench.master.reset()
    await check_identity(bench)
    await check_together(bench)
    await check_responses(bench)
    await bench.registers.write("INTERRUPT_ENABLE", EVENTS["RESULT"])
    network, image = plan.network, None
    for step in plan.steps:
        match step:
            case Images():
                image = step.inputs[1]
                await _run_images(bench, network, step)
            case Load():
                await bench.load(load_words(step.network, plan.parameters))
                network = step.network
            case ResetMidRun():
                await _reset_mid_run(bench, step)
                await check_waiting(bench, step.inputs)
                await check_reset(bench, step.inputs)
    assert image is not None
    await check_rejected(bench)
    await check_packets(bench, image)
    await check_queued_command(bench, image)
    await check_silence(bench, image)
    await check_result_stands(bench, image)
    await check_interrupts(bench, image)
    await check_faults(bench, image)


async def _run_images(bench: BusBench, network: Network, step: Images) -> None:
    """With states in packets where the traffic reports, else by registers alone."""
    bench.master.idle = step.traffic.idle
    await bench.set_control(sparse=step.traffic.sparse, report=step.traffic.report)
    model = Model(network, bench.parameters, bench.parameters.max_sweeps)
    for image, phases in enumerate(model.phases(step.inputs, step.labels)):
        words = bench.words(step.inputs[image], sparse=step.traffic.sparse)
        label = 0 if step.labels is None else int(step.labels[image])
        for phase in phases:
            await bench.command(phase.command, label)
            if phase.command is Command.FREE:
                await bench.master.send(words)
            await bench.result(image, phase)


async def _reset_mid_run(bench: BusBench, step: ResetMidRun) -> None:
    """An image is left in the middle; the reset ends it, and the next one runs."""
    await bench.set_control()
    half = bench.words(step.inputs)
    await start_image(bench, half[: max(1, len(half) // 2)])
    await ClockCycles(bench.clock, step.after)
    await bench.refuse("CONTROL", CONTROLS["SPARSE"])
    await bench.reset_core()


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def carry_out_plan(dut: Any) -> None:
    """The plan that the environment names."""
    path = Path(os.environ["TOREQ_HW_PLAN"])
    plan = Plan.load(path)
    bench = BusBench(dut, plan.parameters, Bus(os.environ["TOREQ_HW_BUS"]), plan.seed)
    await recorded(bench, path, lambda: carry_out(bench, plan))
