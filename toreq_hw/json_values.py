"""JSON objects that are no records: what they hold depends on something else that they state."""

from typing import Any

JsonObject = dict[str, Any]
"""Any, such as what a file of somebody else holds before it is checked."""

FileEntry = dict[str, bool | int | str | list[int] | list[str] | JsonObject]
"""An entry of a network file. A coupling's has the fields of its kind."""
