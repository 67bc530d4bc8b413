"""A core as files: Verilog, memory images and a datasheet, and the record that lists them."""

from pathlib import Path

from msgspec import UNSET

from toreq_hw.argument_types import named_type_errors
from toreq_hw.files import together, write_text
from toreq_hw.network import Network
from toreq_hw.records.core_files import CoreFiles
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.datasheet import datasheet, memory_bits
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.state import bias_latent_rows, kept_bits, state_of_network
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.verilog import core_verilog
from toreq_hw.versions import versions


@named_type_errors
def write_core(network: Network, parameters: CoreParameters, folder: Path) -> CoreFiles:
    """Writes core.v, datasheet.md and a .hex file a memory into `folder`, all or none.

    parameters: of the core that shall hold `network`, such as `CoreParameters.of(network, 16)`.
    Raises OutputError where the folder cannot be written.
    """
    images = MemoryImages.of(network, parameters)
    texts = images.text(parameters)
    if parameters.learning:
        state = state_of_network(network, parameters)
        texts["bias-latents"] = bias_latent_rows(state, parameters)
    files = {"verilog": folder / "core.v", "datasheet": folder / "datasheet.md"}
    core = Core(parameters, images)
    verilog = core_verilog(core)  # takes long
    with together():
        write_text(files["datasheet"], datasheet(core))
        write_text(files["verilog"], verilog)
        for name, rows in texts.items():
            files[f"{name} image"] = folder / f"{name}.hex"
            write_text(files[f"{name} image"], "".join(f"{row}\n" for row in rows))
    learning = parameters.learning
    return CoreFiles(
        network=network.sha256,
        lanes=parameters.lanes,
        threshold=parameters.threshold,
        accumulator_bits=parameters.accumulator_bits,
        memory_bits=memory_bits(parameters),
        files={name: str(file) for name, file in files.items()},
        versions=versions("amaranth"),
        learn_lanes=learning.lanes if learning else UNSET,
        latent_bits=kept_bits(parameters) if learning else UNSET,
    )
