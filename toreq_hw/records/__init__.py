"""Records: what a study found, as frozen dataclasses that its producer makes and its page reads.

A record's JSON has the same names, in the order of the fields. `toreq_hw.reading.read_record`
builds a record from a file and refuses every name, type or length that its dataclass does not
state. A field that some files lack is `X | UnsetType`, and `UNSET` there.
"""

from typing import Any

import numpy as np
from msgspec import to_builtins

from toreq_hw.json_values import JsonObject


def plain(record: object) -> Any:
    """A record as dicts, tuples, text and numbers, for `json`; what is UNSET is left out.

    Raises TypeError for what is neither a record nor one of these.
    """
    return to_builtins(record, enc_hook=_number)


def side_by_side(*records: object) -> JsonObject:
    """The fields of several records as one JSON object.

    Raises TypeError for what is no record, and where two have a field of the same name.
    """
    found: JsonObject = {}
    for record in records:
        fields = plain(record)
        if not isinstance(fields, dict) or found.keys() & fields:
            raise TypeError("records side by side must have fields of their own")
        found |= fields
    return found


def _number(value: Any) -> int | float | bool:
    """A numpy number as Python's own. Raises TypeError for anything else."""
    if not isinstance(value, np.generic):
        raise TypeError(f"a record must hold plain values, found {type(value).__name__}")
    found: int | float | bool = value.item()
    return found
