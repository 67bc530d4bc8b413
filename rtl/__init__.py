"""The core: a network file becomes a synthesizable event-driven relaxation core (docs/rtl.md).

from toreq_hw import rtl
files = rtl.write_core(net, rtl.CoreParameters.of(net, lanes=16), folder)
free, positive, negative = rtl.simulate_core(net, inputs, labels)
"""

from typing import TYPE_CHECKING

from toreq_hw.lazy_names import lazy_names

if TYPE_CHECKING:
    from toreq_hw.rtl.core import Core
    from toreq_hw.rtl.cxxrtl import CompiledCore
    from toreq_hw.rtl.images import MemoryImages, load_words
    from toreq_hw.rtl.parameters import CoreParameters
    from toreq_hw.rtl.simulation import simulate_core
    from toreq_hw.rtl.verilog import core_verilog
    from toreq_hw.rtl.wave import write_wave
    from toreq_hw.rtl.writing import write_core

__all__ = [
    "CompiledCore",
    "Core",
    "CoreParameters",
    "MemoryImages",
    "core_verilog",
    "load_words",
    "simulate_core",
    "write_core",
    "write_wave",
]

__getattr__ = lazy_names(
    __name__,
    {
        "core": ("Core",),
        "cxxrtl": ("CompiledCore",),
        "images": ("MemoryImages", "load_words"),
        "parameters": ("CoreParameters",),
        "simulation": ("simulate_core",),
        "verilog": ("core_verilog",),
        "wave": ("write_wave",),
        "writing": ("write_core",),
    },
    extra="rtl",
)
