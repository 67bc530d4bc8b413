"""What a beat can do, as a table: which addresses, what a lane does, what is written back.

Every beat reads a row of accumulators and a slice of states, and writes them back, changed or not,
to the same page or another. A new kind of walk is one more entry here. Where no lane can do its
work yet, it is one more `Operand` (rtl/datapath.py) or `NewState` (rtl/updater.py) too.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum


class Page(IntEnum):
    """Pages of the accumulator and state memories (address bits above the row).

    FREE_EQUILIBRIUM is s* and its accumulators. BIAS_AND_POSITIVE holds the biases (each with its
    rounding half) as accumulators of an undriven network, and the states s+ of the positive phase.
    """

    LIVE = 0
    FREE_EQUILIBRIUM = 1
    BIAS_AND_POSITIVE = 2


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
    states: tuple[Page, Page | None] = (Page.LIVE, None)


def _pass(
    op: Op,
    sums: tuple[Page, Page | None],
    states: tuple[Page, Page],
    state: NewState = NewState.OLD,
) -> Operation:
    return Operation(op, Addresses.PASS, Operand.NONE, sums, state=state, states=states)


_L, _F, _B = Page.LIVE, Page.FREE_EQUILIBRIUM, Page.BIAS_AND_POSITIVE

OPERATIONS = (
    Operation(Op.WALK, Addresses.EVENT, Operand.PRODUCT, (_L, _L)),
    Operation(Op.NUDGE, Addresses.NEURON, Operand.VALUE, (_L, _L)),
    _pass(Op.UPDATE, (_L, None), (_L, _L), NewState.ROUNDED),
    _pass(Op.CLEAR, (_B, _L), (_L, _L), NewState.ZERO),
    _pass(Op.SAVE, (_L, _F), (_L, _F)),
    _pass(Op.KEEP, (_L, None), (_L, _B)),
    Operation(Op.BIAS, Addresses.NEURON, Operand.NEW_VALUE, (_B, _B)),
    _pass(Op.RESTORE, (_F, _L), (_F, _L)),
)
"""All that the beats of a core do."""


def having(operations: tuple[Operation, ...], *operands: Operand) -> tuple[int, ...]:
    """The operations whose lanes add one of `operands`."""
    return tuple(entry.op for entry in operations if entry.operand in operands)


def having_state(operations: tuple[Operation, ...], state: NewState) -> tuple[int, ...]:
    """The operations that write `state`."""
    return tuple(entry.op for entry in operations if entry.state is state)
