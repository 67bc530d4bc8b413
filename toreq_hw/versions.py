"""Which software made a result; every JSON record carries it."""

import platform
from importlib.metadata import PackageNotFoundError, version


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, toreq-hw, numpy, numba and `packages` (those that are installed)."""
    found = {"python": platform.python_version()}
    for package in ("toreq-hw", "numpy", "numba", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
