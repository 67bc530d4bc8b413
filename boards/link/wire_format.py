"""How the core's words look on the line: rows that are loaded, slices of states, the summary."""

from typing import Any

from amaranth import Cat, Const, Value

from toreq_hw.boards.link.protocol import summary_fields
from toreq_hw.boards.link.spaces import SETTINGS, loaded_spaces
from toreq_hw.rtl.parameters import CoreParameters


def row_bytes(parameters: CoreParameters) -> dict[int, int]:
    """Bytes of a word of each space (`LoadSpace.code`) in WORDS."""
    return {s.code: -(-s.bits // 8) for s in loaded_spaces(parameters)}


def row_counts(parameters: CoreParameters) -> dict[int, int]:
    """Rows of each space in a load, in the order in which they must come."""
    return {s.code: s.rows for s in loaded_spaces(parameters)}


def setting_bytes(parameters: CoreParameters) -> dict[int, int]:
    """Bytes of a word of each space that SET takes: what no load of a network brings."""
    return {s.code: -(-s.bits // 8) for s in parameters.load_spaces if s.code in SETTINGS}


def readable_rows(parameters: CoreParameters) -> dict[int, int]:
    """Rows of each space that READ takes; none of a board that does not learn."""
    if parameters.learning is None:
        return {}
    return {s.code: s.rows for s in parameters.load_spaces if s.is_read_back}


def states_bytes(parameters: CoreParameters) -> int:
    """Bytes of a slice of states in a reply."""
    return -(-parameters.update_lanes * parameters.state_bits // 8)


def length_of_words(parameters: CoreParameters) -> dict[int, int]:
    """Bytes of a word of each space that goes over the line, whichever way."""
    return row_bytes(parameters) | setting_bytes(parameters)


def summary_word(payload: Any, *, learns: bool) -> Value:
    """The core's summary in the fixed widths of the protocol, the last field lowest."""
    fields = [(payload[name], bits) for name, bits in summary_fields(learns=learns)]
    return Cat(*(_fit(value, bits) for value, bits in reversed(fields)))


def _fit(value: Value, bits: int) -> Value:
    return Cat(value, Const(0, bits - len(value))) if len(value) < bits else value[:bits]
