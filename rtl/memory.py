"""Builds a memory as `CoreParameters.memories` lists it."""

from collections.abc import Iterable

from amaranth import Const, Module, Shape, Signal, Value, unsigned
from amaranth.hdl import ShapeLike
from amaranth.lib.memory import Memory

from toreq_hw.rtl.memory_spec import MemorySpec


def make_memory(spec: MemorySpec, init: Iterable[int] = (), *, width: int | None = None) -> Memory:
    """One copy of `spec`, or with `width` one of its columns, with `init` at power-up."""
    bits = spec.width if width is None else width
    attributes: dict[str, object] = {}
    if spec.block:
        attributes["ram_style"] = "block"  # else tools may spend LUTs on it
    if not spec.collides:
        attributes["no_rw_check"] = 1  # else tools spend LUTs on what is read while it is written
    return Memory(shape=unsigned(bits), depth=spec.depth, init=init, attrs=attributes)


def was_read(m: Module, stores: int, read: Value) -> Value:
    """Whether a store was read a cycle ago. One of several gives 0 where it was not, so that what
    they give is joined without a choice; a single one need not.

    stores: how many there are.
    """
    if stores == 1:
        return Const(1)
    found = Signal(name="was_read")
    m.d.sync += found.eq(read)
    return found


def check_width(spec: MemorySpec, layout: ShapeLike) -> None:
    """Stops the generator where the words of `layout` are not those of `spec`."""
    width = Shape.cast(layout).width
    assert width == spec.width, f"{spec.name} must have words of {spec.width} bits, found {width}"
