"""How the core's words look on the line: rows that are loaded, slices of states, the summary."""

from typing import Any

from amaranth import Cat, Const, Value

from toreq_hw.boards.link.protocol import SUMMARY_FIELDS
from toreq_hw.rtl.interfaces import Space
from toreq_hw.rtl.parameters import CoreParameters


def row_bytes(parameters: CoreParameters) -> dict[int, int]:
    """Bytes of a word of each `Space` in WORDS."""
    bits = {Space.WEIGHTS + k: parameters.lanes * s.width for k, s in enumerate(parameters.stores)}
    return {space: -(-n // 8) for space, n in (bits | {Space.BIAS: parameters.bias_bits}).items()}


def row_counts(parameters: CoreParameters) -> dict[int, int]:
    """Rows of each `Space` in a load, in the order in which they must come."""
    counts = {Space.WEIGHTS + k: store.words for k, store in enumerate(parameters.stores)}
    return counts | {Space.BIAS: parameters.groups * parameters.lanes}


def states_bytes(parameters: CoreParameters) -> int:
    """Bytes of a slice of states in a reply."""
    return -(-parameters.update_lanes * parameters.state_bits // 8)


def summary_word(payload: Any) -> Value:
    """The core's summary in the fixed widths of the protocol, the last field lowest."""
    flags = Cat(payload.settled, Const(0, 7))
    fields = [(flags, 8), *((payload[name], bits) for name, bits in SUMMARY_FIELDS)]
    return Cat(*(_widened(value, bits) for value, bits in reversed(fields)))


def _widened(value: Value, bits: int) -> Value:
    return Cat(value, Const(0, bits - len(value))) if len(value) < bits else value
