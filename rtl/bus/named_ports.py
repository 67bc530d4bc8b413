"""A wrapper of plain wires: every field of every stream of a core is a port with a name."""

from collections.abc import Iterator
from dataclasses import dataclass

from amaranth import Shape
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from toreq_hw.rtl.core_ports import core_ports
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.verilog import TOP

NAMED_TOP = "toreq_ports"
"""Name of the module."""


@dataclass(frozen=True)
class NamedPort:
    """One port. core: the port of the core that it is a part of."""

    name: str
    core: str
    shape: Shape
    is_input: bool

    @property
    def declaration(self) -> str:
        """As a Verilog module declares it."""
        direction = "input " if self.is_input else "output"
        sign = " signed" if self.shape.signed else ""
        span = f" [{self.shape.width - 1}:0]" if self.shape.width > 1 else ""
        return f"{direction} wire{sign}{span} {self.name}"


def named_ports(parameters: CoreParameters) -> tuple[NamedPort, ...]:
    """All but clock and reset, in the order of the core's ports; of a payload the lowest first."""
    return tuple(_named(wiring.Signature(core_ports(parameters)), ()))


def _named(signature: wiring.Signature, path: tuple[str, ...]) -> Iterator[NamedPort]:
    for name, member in signature.members.items():
        inward = member.flow is In
        if member.is_signature:
            yield from _named(member.signature, (*path, name))
            continue
        core = "__".join((*path, name))
        if not isinstance(member.shape, data.StructLayout):
            yield NamedPort("_".join((*path, name)), core, Shape.cast(member.shape), inward)
            continue
        for field_name, field in member.shape:
            label = "row" if isinstance(field.shape, data.ArrayLayout) else field_name
            yield NamedPort("_".join((*path, label)), core, Shape.cast(field.shape), inward)


def named_ports_verilog(parameters: CoreParameters) -> str:
    """Module `toreq_ports`: clk, rst and the named ports, around one `toreq_core`."""
    ports = named_ports(parameters)
    declarations = ["input  wire clk", "input  wire rst", *(port.declaration for port in ports)]
    parts: dict[str, list[str]] = {}
    for port in ports:
        parts.setdefault(port.core, []).insert(0, port.name)
    connections = [".clk(clk)", ".rst(rst)"] + [
        f".{core}({names[0]})" if len(names) == 1 else f".{core}({{{', '.join(names)}}})"
        for core, names in parts.items()
    ]
    return (
        "// Written by toreq-hw: the ports of toreq_core, a name for each field.\n"
        f"module {NAMED_TOP} (\n  "
        + ",\n  ".join(declarations)
        + f"\n);\n  {TOP} core (\n    "
        + ",\n    ".join(connections)
        + "\n  );\nendmodule\n"
    )
