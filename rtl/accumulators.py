"""Rows of accumulators: read, added to and written back, one a beat.

A beat holds its row from cycle 3 to 4 (rtl/datapath.py), and writes its sum in cycle 4. What beats
ahead have not written yet when it reads reaches it past memory:

    register | address | memory gives | from 1 ahead | from 2 ahead | from 3 ahead
    no       | 2       | 3            | in 3         | by memory    | none
    yes      | 1       | 2, held to 3 | in 3         | in 2         | in 2, kept from 1

With the register nothing but flip-flops stands behind the block, and no beat takes a cycle more.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_
from typing import NamedTuple

from amaranth import Array, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.memory import ReadPort, WritePort

from toreq_hw.rtl.memory import check_width, make_memory
from toreq_hw.rtl.operations import Page
from toreq_hw.rtl.parameters import CoreParameters


class Stages(NamedTuple):
    """beat, valid: of each cycle, by its number."""

    beat: Sequence[Value]
    valid: Sequence[Value]


class Added(NamedTuple):
    """What beats add in cycle 4. replaced: lanes that start from zero, in cycle 3."""

    operands: Sequence[Value]
    replaced: Sequence[Value]


class _Ports(NamedTuple):
    write: WritePort
    read: ReadPort
    rows: data.ArrayLayout


def accumulate(
    m: Module, parameters: CoreParameters, contents: list[int], stages: Stages, added: Added
) -> Value:
    """Adds the memory and what is around it. contents: of all pages. Returns the row in cycle 4."""
    spec = parameters.memory("accumulators")
    rows = data.ArrayLayout(signed(parameters.accumulator_bits), parameters.lanes)
    check_width(spec, rows)
    m.submodules.accumulators = accumulators = make_memory(spec, contents)
    write = accumulators.write_port()
    passed_on = () if parameters.accumulator_register else (write,)
    read = accumulators.read_port(transparent_for=passed_on)
    held = _registered if parameters.accumulator_register else _direct
    row = Signal(rows, reset_less=True)
    m.d.sync += row.eq(held(m, parameters, stages, _Ports(write, read, rows)))
    for lane, operand in enumerate(added.operands):
        with m.If(added.replaced[lane]):
            m.d.sync += row[lane].eq(0)
        m.d.comb += rows(write.data)[lane].eq(row[lane] + operand)
    return row


def _direct(m: Module, parameters: CoreParameters, stages: Stages, ports: _Ports) -> Value:
    """Cycles 2 and 3. In the cycle after its address, a row is what memory holds, or the sum that
    the beat ahead is writing there; memory itself passes on what the beat before that one writes.
    """
    write, read, _ = ports
    target, writes, follows = _addresses(m, parameters, stages, ports, 2)
    m.d.comb += [
        write.addr.eq(register(m, target)),
        write.en.eq(stages.valid[4] & register(m, writes)),
    ]
    m.d.sync += follows.eq(writes & (read.addr == target))
    return Mux(follows, write.data, read.data)


def _registered(m: Module, parameters: CoreParameters, stages: Stages, ports: _Ports) -> Value:
    """Cycles 1 to 3. A row leaves memory in cycle 2 and is held to cycle 3. So is the sum that the
    beat two or three ahead wrote there. One of the two is zero. In cycle 3 the beat ahead writes.
    """
    write, read, rows = ports
    target, writes, follows = _addresses(m, parameters, stages, ports, 1)
    target_two, writes_two = register(m, target), register(m, writes)
    follows_two, follows_three = Signal(), Signal()
    m.d.comb += [
        write.addr.eq(register(m, target_two)),
        write.en.eq(stages.valid[4] & register(m, writes_two)),
        follows_two.eq(writes_two & (read.addr == target_two)),
        follows_three.eq(write.en & (read.addr == write.addr)),
    ]
    of_two, passes = register(m, follows_two), Signal()
    written, passed, fetched = (
        Signal(rows, name=name, reset_less=True) for name in ("written", "passed", "fetched")
    )
    m.d.sync += [
        follows.eq(writes & (read.addr == target)),
        passes.eq(follows_two | follows_three),
        written.eq(write.data),
        passed.eq(Mux(passes, Mux(of_two, write.data, written), 0)),
        fetched.eq(Mux(passes, 0, read.data)),
    ]
    return Mux(register(m, follows), write.data, fetched.as_value() | passed.as_value())


def _addresses(
    m: Module, parameters: CoreParameters, stages: Stages, ports: _Ports, cycle: int
) -> tuple[Signal, Signal, Signal]:
    """Addresses the row of the beat in `cycle`. Returns the address that the beat one ahead writes,
    whether it writes, and a place to say, a cycle later, that it is the row.
    """
    beat, ahead = stages.beat[cycle], stages.beat[cycle + 1]
    read_page, write_page = Signal(Page), Signal(Page)
    operations, groups = parameters.operations, parameters.groups
    choose_page(m, read_page, beat.op, {entry.op: entry.sums[0] for entry in operations})
    choose_page(m, write_page, ahead.op, {entry.op: entry.sums[1] for entry in operations})
    unwritten = [ahead.op != entry.op for entry in operations if entry.sums[1] is None]
    write, read, _ = ports
    target, writes, follows = Signal.like(write.addr), Signal(), Signal()
    m.d.comb += [
        read.addr.eq(page_address(read_page, beat.slice >> parameters.part_bits, groups)),
        target.eq(page_address(write_page, ahead.slice >> parameters.part_bits, groups)),
        writes.eq(reduce(and_, unwritten, stages.valid[cycle + 1])),
    ]
    return target, writes, follows


def register(m: Module, value: Signal) -> Signal:
    """The value, a cycle later."""
    later = Signal.like(value, reset_less=True)
    m.d.sync += later.eq(value)
    return later


def choose_page(m: Module, page: Signal, op: Value, pages: Mapping[int, Page | None]) -> None:
    """Sets `page` to that of the operation; it is 0, LIVE, where nothing else is said."""
    with m.Switch(op):
        for number in dict.fromkeys(pages.values()):
            if number:
                with m.Case(*(known for known, wanted in pages.items() if wanted == number)):
                    m.d.comb += page.eq(number)


def page_address(page: Value, row: Value, rows: int) -> Value:
    """The address of a row in a memory of pages of `rows` rows each."""
    return row + Array([0, rows, 2 * rows])[page]
