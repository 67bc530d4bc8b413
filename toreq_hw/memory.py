"""Refusing what cannot fit into memory before anything is allocated."""

import psutil

from toreq_hw.errors import InputError


def check_memory(needed_bytes: int, what: str) -> None:
    """Raises InputError if `what` needs more than the memory that is available now."""
    available = psutil.virtual_memory().available
    if needed_bytes > available:
        raise InputError(
            f"{what}: needs about {needed_bytes / 1e9:.1f} GB, must fit into the "
            f"{available / 1e9:.1f} GB of memory that are free"
        )
