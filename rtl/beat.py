"""What moves through the datapath: one row of `lanes` accumulators a beat."""

from amaranth import signed, unsigned
from amaranth.lib import data, enum

from toreq_hw.rtl.parameters import CoreParameters


class Op(enum.Enum, shape=3):  # type: ignore[call-arg]  # Amaranth takes the width here
    """What a beat does to its row. Accumulators are A, states S; pages are those of `Page`.

    WALK:    A[WORK] += weight * delta
    UPDATE:  S[WORK] = round(A[WORK]); changes go to the event queue
    CLEAR:   A[WORK] = A[REST]; S[WORK] = 0
    SAVE:    A[FREE] = A[WORK]; S[FREE] = S[WORK]
    KEEP:    S[REST] = S[WORK]
    RESTORE: A[WORK] = A[FREE]; S[WORK] = S[FREE]
    NUDGE:   A[WORK] += or -= n, from S[FREE] and the label
    """

    WALK = 0
    UPDATE = 1
    CLEAR = 2
    SAVE = 3
    KEEP = 4
    RESTORE = 5
    NUDGE = 6


def population_bits(parameters: CoreParameters) -> int:
    """Bits of a population's number, the input's (the highest) included."""
    return len(parameters.relaxing).bit_length()


def pass_layout(parameters: CoreParameters) -> data.StructLayout:
    """A beat without weights; `first_lane` masks the lanes below it in an UPDATE."""
    return data.StructLayout(
        {
            "op": Op,
            "group": unsigned(parameters.group_bits),
            "population": unsigned(population_bits(parameters)),
            "first_lane": unsigned(parameters.lane_bits + 1),
        }
    )


def shifts(parameters: CoreParameters) -> list[int]:
    """The distinct product shifts of all fans."""
    return sorted({fan.shift for fan in parameters.fans}) or [0]


def walk_layout(parameters: CoreParameters) -> data.StructLayout:
    """Where a WALK beat finds its weights and what multiplies them.

    tile, lane: the tile and the row (or column) in it; see `WeightStore`. shift: index into
    `shifts`.
    """
    tiles = max((store.tiles for store in parameters.stores), default=1)
    return data.StructLayout(
        {
            "store": unsigned(1),
            "by_column": unsigned(1),
            "tile": unsigned(max(1, (tiles - 1).bit_length())),
            "lane": unsigned(parameters.lane_bits),
            "shift": unsigned(max(1, (len(shifts(parameters)) - 1).bit_length())),
            "delta": signed(parameters.delta_bits),
        }
    )
