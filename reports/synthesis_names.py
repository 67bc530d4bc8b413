"""What a design on a board is called wherever it is shown."""

from collections.abc import Mapping
from typing import Any


def name_of(row: Mapping[str, Any]) -> str:
    """The design in a few words."""
    synthesis = row["synthesis"]
    return f"{row['network']['name']} on {synthesis['board']}, {synthesis['lanes']} lanes"
