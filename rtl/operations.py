"""What a beat can do, as a table: which addresses, what a lane does, what is written back.

Every beat reads a row of accumulators and a slice of states, and writes them back, changed or not,
to the same page or another. A new kind of walk is one more entry here and, where no lane can do its
work yet, one more `Operand` (rtl/datapath.py) or `NewState` (rtl/updater.py).
"""

from dataclasses import dataclass
from enum import Enum, IntEnum


class Page(IntEnum):
    """Pages of the accumulator and state memories (address bits above the row).

    WORK is live; FREE is s* and its accumulators; REST holds the biases (each with its rounding
    half) as accumulators of an undriven network, and the states s+ of the positive nudged phase.
    """

    WORK = 0
    FREE = 1
    REST = 2


class Op(IntEnum):
    """The numbers of the operations in a beat."""

    WALK = 0
    NUDGE = 1
    BIAS = 2
    UPDATE = 3
    CLEAR = 4
    SAVE = 5
    KEEP = 6
    RESTORE = 7


class Addresses(Enum):
    """Which part says where the beats of an operation go."""

    EVENT = "the groups that an event reaches (rtl/walker.py)"
    NEURON = "one neuron, from the readout or the load port"
    PASS = "every slice, one after another (rtl/passes.py)"


class Operand(Enum):
    """What each lane adds to its accumulator."""

    PRODUCT = "weight * delta"
    VALUE = "the value, in the neuron's lane"
    NEW_VALUE = "the value, in the neuron's lane, in place of what was there"
    NONE = "nothing"


class NewState(Enum):
    """What each lane writes as state."""

    OLD = "the state that was read"
    ROUNDED = "what the accumulator rounds to; changes go to the event queue"
    ZERO = "0"


@dataclass(frozen=True)
class Operation:
    """One kind of beat.

    sums, states: the page that is read and the page that is written, None for no write.
    """

    op: int
    addresses: Addresses
    operand: Operand
    sums: tuple[Page, Page | None]
    state: NewState = NewState.OLD
    states: tuple[Page, Page | None] = (Page.WORK, None)


def _pass(
    op: Op,
    sums: tuple[Page, Page | None],
    states: tuple[Page, Page],
    state: NewState = NewState.OLD,
) -> Operation:
    return Operation(op, Addresses.PASS, Operand.NONE, sums, state=state, states=states)


_W, _F, _R = Page.WORK, Page.FREE, Page.REST

OPERATIONS = (
    Operation(Op.WALK, Addresses.EVENT, Operand.PRODUCT, (_W, _W)),
    Operation(Op.NUDGE, Addresses.NEURON, Operand.VALUE, (_W, _W)),
    _pass(Op.UPDATE, (_W, None), (_W, _W), NewState.ROUNDED),
    _pass(Op.CLEAR, (_R, _W), (_W, _W), NewState.ZERO),
    _pass(Op.SAVE, (_W, _F), (_W, _F)),
    _pass(Op.KEEP, (_W, None), (_W, _R)),
    Operation(Op.BIAS, Addresses.NEURON, Operand.NEW_VALUE, (_R, _R)),
    _pass(Op.RESTORE, (_F, _W), (_F, _W)),
)
"""All that the beats of a core do."""


def having(operations: tuple[Operation, ...], *operands: Operand) -> tuple[int, ...]:
    """The operations whose lanes add one of `operands`."""
    return tuple(entry.op for entry in operations if entry.operand in operands)


def having_state(operations: tuple[Operation, ...], state: NewState) -> tuple[int, ...]:
    """The operations that write `state`."""
    return tuple(entry.op for entry in operations if entry.state is state)
