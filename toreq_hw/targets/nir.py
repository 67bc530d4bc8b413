"""Target `nir`: the network as a NIR graph for other neuromorphic tools."""

from pathlib import Path

import numpy as np

from toreq_hw.errors import DeploymentError
from toreq_hw.network import Network
from toreq_hw.records.deployment import NirExport
from toreq_hw.targets.target import Options, Outcome, Samples, Standing, Target

DEFAULT_FOLDER = Path("build/nir")


def run(network: Network, samples: Samples, options: Options) -> Outcome:
    """Exports, reads the file back, and compares every weight. No sample is run.

    Raises DeploymentError for a file that NIR cannot read back.
    """
    import nir

    from toreq_hw.lava_backend.nir_export import NOT_EXPRESSED, export
    from toreq_hw.lava_backend.nir_nodes import weights_of

    path = (options.report or DEFAULT_FOLDER) / "network.nir"
    written = weights_of(export(network, path).nodes)
    try:
        found = nir.read(path)
    except (OSError, ValueError, KeyError) as error:
        raise DeploymentError(f"{path}: must be readable by NIR, found: {error}") from error
    differing = sum(
        int(np.count_nonzero(found.nodes[name].weight != weight))
        for name, weight in written.items()
    )
    record = NirExport(
        file=str(path),
        nodes=len(found.nodes),
        edges=len(found.edges),
        weights_differing_after_reading_back=differing,
        not_expressed=tuple(NOT_EXPRESSED),
    )
    notes = ("NIR carries topology and weights. It does not express:",)
    return Outcome(differing == 0, record, notes + tuple(f"- {line}" for line in NOT_EXPRESSED))


target = Target(
    name="nir",
    description="a NIR graph file: topology and weights for other tools; runs nothing",
    run=run,
    standing=Standing.FILE,
    modules=("nir",),
    tried=("nir 1.0.8",),
    extra="nengo",
    samples=1,
)
