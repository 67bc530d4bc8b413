"""JSON objects that are no records: what they hold depends on something else that they state."""

from collections.abc import Sequence
from typing import Any

JsonObject = dict[str, Any]
"""Any, such as what a file of somebody else holds before it is checked."""

FilePart = dict[str, bool | int | str | Sequence[int | str]]
"""A part of an entry of a network file, such as the rows of a population."""

FileEntry = dict[str, bool | int | str | Sequence[int | float | str] | FilePart]
"""An entry of a network file. A coupling's has the fields of its kind."""
