"""All files of a core as text: Verilog, wrappers, memory images, datasheet, registers for C."""

from dataclasses import dataclass, replace

from toreq_hw.network import Network
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.named_ports import named_ports_verilog
from toreq_hw.rtl.bus.registers import check_core
from toreq_hw.rtl.bus.sheet import module_sections
from toreq_hw.rtl.bus.texts import c_header
from toreq_hw.rtl.bus.wrapper import wrapper_verilog
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.datasheet import datasheet
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.state import bias_latent_rows, state_of_network
from toreq_hw.rtl.prefix import TOREQ, with_prefix
from toreq_hw.rtl.verilog import core_verilog


@dataclass(frozen=True)
class CoreText:
    """A file of a core: what people call it, its name, and what is in it."""

    title: str
    file: str
    content: str


def core_texts(
    core: Core, network: Network, bus: Bus = Bus.NONE, prefix: str = TOREQ
) -> list[CoreText]:
    """What `toreq-hw rtl` writes of `core`, which holds `network`, in that order.

    prefix: of all names of modules and macros. Raises NetworkError where the core is too large
    for the registers of the bus.
    """
    parameters = core.parameters
    check_core(parameters, bus)
    texts = [
        CoreText("verilog", "core.v", core_verilog(core)),
        CoreText("named ports", "ports.v", named_ports_verilog(parameters)),
    ]
    wrapper = "" if bus is Bus.NONE else wrapper_verilog(parameters, bus)
    if bus is not Bus.NONE:
        texts += [
            CoreText(f"{bus.value} wrapper", f"{bus.value}.v", wrapper),
            CoreText("registers for C", "registers.h", c_header(parameters, bus)),
        ]
    sheet = datasheet(core) + module_sections(parameters, bus, wrapper)
    texts.append(CoreText("datasheet", "datasheet.md", sheet))
    texts = [replace(text, content=with_prefix(text.content, prefix)) for text in texts]
    images = MemoryImages.of(network, parameters).text(parameters)
    if parameters.learning:
        latents = bias_latent_rows(state_of_network(network, parameters), parameters)
        images["bias-latents"] = latents
    for name, rows in images.items():
        content = "".join(f"{row}\n" for row in rows)
        texts.append(CoreText(f"{name} image", f"{name}.hex", content))
    return texts
