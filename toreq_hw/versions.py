"""Which software made a result; every JSON record carries it."""

import platform
import re
from importlib.metadata import PackageNotFoundError, version


def installed() -> str:
    """The version of toreq-hw that is installed, such as `0.1.0.post1.dev12+g1a2b3c4`.

    It comes from git's tags when the package is installed. `unknown` where that was not done.
    """
    try:
        return version("toreq-hw")
    except PackageNotFoundError:
        return "unknown"


def release() -> str:
    """The part of `installed()` that a commit does not change: `0.1.0`, then `0.1.0.post1`.

    Records and exported files hold this one, so that equal work gives equal bytes.
    """
    return re.split(r"\.dev|\+", installed())[0]


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, toreq-hw, numpy, numba and `packages` (those that are installed).

    blas: every BLAS of this process with its version and the kernels that it chose for this
    processor. No figure of this project rests on them; where one differs all the same, here is
    the first place to look.
    """
    found = {"python": platform.python_version(), "toreq-hw": release()}
    for package in ("numpy", "numba", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | {"blas": blas()}


def blas() -> str:
    """Name, version and kernels of each BLAS that is loaded, such as `openblas 0.3.30 Haswell`."""
    import numpy as np  # which loads the BLAS that is asked for here
    from threadpoolctl import threadpool_info

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
