"""The whole folder as text."""

import json
from importlib.resources import files

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.interfaces import input_payload, summary_payload
from toreq_hw.rtl.package.build_files import (
    constraints,
    core_file,
    gtkwave_view,
    readme,
    surfer_view,
    synth_makefile,
    vivado_script,
)
from toreq_hw.rtl.package.bus_vectors import bus_files
from toreq_hw.rtl.package.devices import Devices
from toreq_hw.rtl.package.harness import harness_verilog
from toreq_hw.rtl.package.vectors import Vectors, hex_files, json_vectors, sizes
from toreq_hw.rtl.prefix import TOREQ, with_prefix


def package_texts(
    vectors: Vectors, bus: Bus, version: str, devices: Devices, prefix: str = TOREQ
) -> dict[str, str]:
    """Contents by path below the folder that holds core.v and the wrappers.

    prefix: of all names that a design sees, as `core_texts` has it.
    """
    return {
        path.replace("@NAME@", prefix): with_prefix(content.replace("@NAME@", prefix), prefix)
        for path, content in _texts(vectors, bus, version, devices).items()
    }


def _texts(vectors: Vectors, bus: Bus, version: str, devices: Devices) -> dict[str, str]:
    """With the names of the prefix `toreq`, and @NAME@ for the prefix alone."""
    parameters = vectors.parameters
    value, summary = input_payload(parameters)["value"], summary_payload(parameters)
    widths = {
        "inputs_value": value.width,
        "commands_command": parameters.command_bits,
        "commands_label": summary["label"].width,
        "states_slice": parameters.slice_bits,
        "states_row": vectors.row_bits,
        "summary_label": summary["label"].width,
        "summary_sweeps": summary["sweeps"].width,
        "answer_at": 32,
        "row_at": 32,
        "failures": 32,
    }
    texts = {
        "README.md": readme(_template("README.md.template"), bus, devices),
        "@NAME@.core": core_file(_template("toreq.core.template"), bus, version, devices),
        "bench/bench.v": _template("bench.v"),
        "bench/Makefile": _template("Makefile.template"),
        "bench/run_cocotb.py": _template("run_cocotb.py.template"),
        "bench/test_core.py": _template("test_core.py.template"),
        "bench/sizes.vh": sizes(vectors),
        "bench/vectors.json": json.dumps(json_vectors(vectors)) + "\n",
        "bench/view.gtkw": gtkwave_view(widths),
        "bench/view.sucl": surfer_view(),
        "synth/harness.v": harness_verilog(parameters),
        "synth/Makefile": synth_makefile(_template("synth.Makefile.template"), devices),
        "vivado/build.tcl": vivado_script(_template("build.tcl.template"), bus),
    }
    texts |= {f"bench/{name}": content for name, content in hex_files(vectors).items()}
    texts |= {f"constraints/{name}": content for name, content in constraints(bus).items()}
    if bus is not Bus.NONE:
        texts |= _bus_texts(vectors, bus)
    if bus is Bus.WISHBONE:
        texts["litex/@NAME@_litex.py"] = _template("toreq_litex.py.template")
    return texts


def _bus_texts(vectors: Vectors, bus: Bus) -> dict[str, str]:
    """The bench of the wrapper, with its targets in the bench's makefile."""
    targets = _template("bus.mk.template").replace("@BUS@", bus.value)
    texts = {f"bench/{name}": content for name, content in bus_files(vectors, bus).items()}
    return texts | {
        "bench/Makefile": _template("Makefile.template") + targets,
        "bench/bus_bench.v": _template("bus_bench.v"),
        "bench/bus_master.vh": _template(f"{bus.value}_master.vh"),
    }


def _template(name: str) -> str:
    return (files("toreq_hw.rtl.package") / "files" / name).read_text(encoding="utf-8")
