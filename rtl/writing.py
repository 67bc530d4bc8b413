"""A core as files: Verilog, memory images and a datasheet, and the record that lists them."""

from pathlib import Path

from msgspec import UNSET

from toreq_hw.argument_types import named_type_errors
from toreq_hw.files import together, write_text
from toreq_hw.network import Network
from toreq_hw.records.core_files import CoreFiles
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.core_texts import core_texts
from toreq_hw.rtl.datasheet import memory_bits
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.state import kept_bits
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.prefix import TOREQ
from toreq_hw.versions import versions


@named_type_errors
def write_core(
    network: Network,
    parameters: CoreParameters,
    folder: Path,
    bus: Bus = Bus.NONE,
    prefix: str = TOREQ,
) -> CoreFiles:
    """Writes core.v, ports.v, datasheet.md and a .hex file a memory into `folder`, all or none.

    parameters: of the core that shall hold `network`, such as `CoreParameters.of(network, 16)`.
    bus: what it is also wrapped for. prefix: of all names of modules and macros.
    Raises OutputError where the folder cannot be written, NetworkError where the core is too
    large for the registers of the bus.
    """
    core = Core(parameters, MemoryImages.of(network, parameters))
    texts = core_texts(core, network, bus, prefix)
    with together():
        for text in texts:
            write_text(folder / text.file, text.content)
    learning = parameters.learning
    return CoreFiles(
        network=network.sha256,
        lanes=parameters.lanes,
        threshold=parameters.threshold,
        accumulator_bits=parameters.accumulator_bits,
        memory_bits=memory_bits(parameters),
        files={text.title: str(folder / text.file) for text in texts},
        versions=versions("amaranth"),
        learn_lanes=learning.lanes if learning else UNSET,
        latent_bits=kept_bits(parameters) if learning else UNSET,
        accumulator_register=parameters.accumulator_register or UNSET,
    )
