"""What moves through the datapath: one row of `lanes` accumulators a beat."""

from amaranth import signed, unsigned
from amaranth.lib import data, enum

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.parameters import CoreParameters


class Op(enum.Enum, shape=3):  # type: ignore[call-arg]  # Amaranth takes the width here
    """What a beat does. Accumulators are A, states S; pages are those of `Page`.

    WALK:    A[WORK] += weight * delta
    NUDGE:   A[WORK] += value, in one lane
    BIAS:    A[REST] = value, in one lane
    UPDATE:  S[WORK] = round(A[WORK]); changes go to the event queue
    CLEAR:   A[WORK] = A[REST]; S[WORK] = 0
    SAVE:    A[FREE] = A[WORK]; S[FREE] = S[WORK]
    KEEP:    S[REST] = S[WORK]
    RESTORE: A[WORK] = A[FREE]; S[WORK] = S[FREE]
    """

    WALK = 0
    NUDGE = 1
    BIAS = 2
    UPDATE = 3
    CLEAR = 4
    SAVE = 5
    KEEP = 6
    RESTORE = 7


def population_bits(parameters: CoreParameters) -> int:
    """Bits of a population's number, the input's (the highest) included."""
    return len(parameters.relaxing).bit_length()


def beat_layout(parameters: CoreParameters) -> data.StructLayout:
    """A beat without its operand.

    slice: of states; its upper bits are the group of accumulators. A pass visits every slice,
    and so a group once for each of its slices: copying it again changes nothing. first_lane
    masks the lanes of a slice below it in an UPDATE.
    """
    return data.StructLayout(
        {
            "op": Op,
            "slice": unsigned(parameters.slice_bits),
            "population": unsigned(population_bits(parameters)),
            "first_lane": unsigned(parameters.update_lane_bits + 1),
        }
    )


def single_layout(parameters: CoreParameters) -> data.StructLayout:
    """The operand of a NUDGE or BIAS: `value` for one neuron, by its slot."""
    return data.StructLayout(
        {"slot": unsigned(parameters.slot_bits), "value": signed(parameters.value_bits)}
    )


def shifts(parameters: CoreParameters) -> list[int]:
    """The distinct product shifts of all fans."""
    return sorted({fan.shift for fan in parameters.fans}) or [0]


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
