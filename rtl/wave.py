"""A waveform of one image, by Amaranth's own simulator: slow, and nothing to compile."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from amaranth.sim import Simulator, SimulatorContext

from toreq_hw.argument_types import named_type_errors
from toreq_hw.files import replacing
from toreq_hw.network import Network
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters


@named_type_errors
def write_wave(
    parameters: CoreParameters,
    network: Network,
    inputs: npt.NDArray[np.int16],
    label: int,
    path: Path,
) -> None:
    """Runs all phases of one image, shape (input.size,), and writes a VCD to `path`."""
    core = Core(parameters, MemoryImages.of(network, parameters))

    async def present(context: SimulatorContext) -> None:
        for index, value in enumerate(inputs.tolist()):
            payload = core.inputs.payload
            context.set(payload.value, value)
            context.set(payload.dense, 1)
            context.set(payload.last, index == len(inputs) - 1)
            context.set(core.inputs.valid, 1)
            await context.tick().until(core.inputs.ready)
        context.set(core.inputs.valid, 0)

    async def ask(context: SimulatorContext) -> None:
        context.set(core.summary.ready, 1)
        context.set(core.states.ready, 1)
        for phase in parameters.phases:
            context.set(core.commands.payload.command, phase.command)
            context.set(core.commands.payload.label, label)
            context.set(core.commands.payload.report, 1)
            context.set(core.commands.valid, 1)
            await context.tick().until(core.commands.ready)
            context.set(core.commands.valid, 0)
            await context.tick().until(core.summary.valid)

    simulator = Simulator(core)
    simulator.add_clock(1e-8)
    simulator.add_testbench(ask)
    simulator.add_testbench(present, background=True)
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the VCD writer warns about names it shortens
        with simulator.write_vcd(str(temporary)):
            simulator.run()
