"""Which software made a result; every JSON record carries it."""

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from threadpoolctl import threadpool_info


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, toreq-hw, numpy, numba and `packages` (those that are installed).

    blas: every BLAS of this process with its version and the kernels that it chose for this
    processor. No figure of this project rests on them; where one differs all the same, here is
    the first place to look.
    """
    found = {"python": platform.python_version()}
    for package in ("toreq-hw", "numpy", "numba", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | {"blas": blas()}


def blas() -> str:
    """Name, version and kernels of each BLAS that is loaded, such as `openblas 0.3.30 Haswell`."""
    loaded = {
        " ".join(
            str(library[part])
            for part in ("internal_api", "version", "architecture")
            if library.get(part)
        )
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    if loaded:
        return ", ".join(sorted(loaded))
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # Accelerate says no more
    return f"{built['name']} {built['version']}"
