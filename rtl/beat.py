"""What moves through the datapath: one row of `lanes` accumulators a beat."""

from functools import reduce
from operator import or_

from amaranth import Value, signed, unsigned
from amaranth.lib import data

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.parameters import CoreParameters


def is_one_of(op: Value, operations: tuple[int, ...]) -> Value:
    """Whether the operation of a beat is one of these."""
    return reduce(or_, [op == known for known in operations])


def population_bits(parameters: CoreParameters) -> int:
    """Bits of a population's number, the input's (the highest) included."""
    return len(parameters.relaxing).bit_length()


def beat_layout(parameters: CoreParameters) -> data.StructLayout:
    """A beat without its operand. op: one of `CoreParameters.operations`.

    slice: of states; its upper bits are the group of accumulators. A pass visits every slice,
    and so a group once for each of its slices: copying it again changes nothing. first_lane
    masks the lanes of a slice below it in an UPDATE.
    """
    return data.StructLayout(
        {
            "op": unsigned(parameters.op_bits),
            "slice": unsigned(parameters.slice_bits),
            "population": unsigned(population_bits(parameters)),
            "first_lane": unsigned(parameters.update_lane_bits + 1),
        }
    )


def single_layout(parameters: CoreParameters) -> data.StructLayout:
    """The operand of a NUDGE or BIAS: `value` for one neuron, by its address."""
    return data.StructLayout(
        {"neuron": unsigned(parameters.neuron_address_bits), "value": signed(parameters.value_bits)}
    )


def shifts(parameters: CoreParameters) -> list[int]:
    """The distinct product shifts of all walks."""
    return sorted({walk.shift for walk in parameters.walks}) or [0]


def address_bits(parameters: CoreParameters) -> int:
    """Bits of a word of any store of rows, and of a tile of any skewed one."""
    sizes = [s.words // (parameters.lanes if s.skewed else 1) for s in parameters.stores]
    return max((index_bits(size) for size in sizes), default=1)


def walk_layout(parameters: CoreParameters) -> data.StructLayout:
    """Where a WALK beat finds its weights and what multiplies them.

    address: word of a store of rows, or tile of a skewed one, and there `lane` is the row (or
    column) in the tile. shift: index into `shifts`.
    """
    return data.StructLayout(
        {
            "store": unsigned(max(1, (len(parameters.stores) - 1).bit_length())),
            "by_column": unsigned(1),
            "address": unsigned(address_bits(parameters)),
            "lane": unsigned(parameters.lane_bits),
            "shift": unsigned(max(1, (len(shifts(parameters)) - 1).bit_length())),
            "delta": signed(parameters.delta_bits),
        }
    )
