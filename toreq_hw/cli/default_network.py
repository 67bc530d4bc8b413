"""The network that is deployed when none is named: the one that `make sim` trains."""

from pathlib import Path

from toreq_hw import data, network
from toreq_hw.network import Network
from toreq_hw.studies.kept_work import run_name

DEFAULT_PATH = Path("build/sim/network.safetensors")

SEED = 1
"""The default of `toreq-hw demo`, so that both make the same network."""


def load_or_make(path: Path) -> Network:
    """The network at `path`; the default one is trained first where it is absent."""
    if path == DEFAULT_PATH and not path.exists():
        from toreq_hw.studies.demonstration import make_network  # takes the training engine along

        made, _ = make_network(data.load("digits"), SEED)
        network.save(made, path, run=run_name("demo", {}))  # as the command's own
    return network.load(path)
