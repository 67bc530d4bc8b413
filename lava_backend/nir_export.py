"""Writes a network as a NIR graph (.nir, HDF5): topology and integer weights.

A population becomes an integrator (`nir.I`), which is what its accumulator is; a coupling
becomes a `nir.Linear` in each direction, or `Conv1d` and `Conv2d` (see `nir_nodes`). Biases and
everything that NIR has no node for are in the metadata, and `NOT_EXPRESSED` says which rules a
reader must bring along.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import MissingDependencyError
from toreq_hw.extras import install_command
from toreq_hw.files import replacing
from toreq_hw.lava_backend.nir_nodes import chain_edges, chain_of, shapes_of
from toreq_hw.network import Network, require_plain

NOT_EXPRESSED = (
    "rounding and clipping of the accumulator into an integer state (NIR has no clip or shift)",
    "events that carry the change of a state (NIR has no sigma-delta node)",
    "fraction bits: weights are the stored integers, to be scaled by 2^-fraction_bits",
    "biases: initial values of the accumulators, in the metadata of each population",
    "the schedule: which population is updated in which tick, and stopping at silence",
    "that both directions of a coupling share one matrix",
    "transposed convolutions: the way back of a stride or of pooling is a whole matrix",
    "nudged phases",
)
"""What the graph alone does not say; docs/numerics.md does."""


@named_type_errors
def export(network: Network, path: Path) -> Any:
    """Writes `network` to `path` and returns the `nir.NIRGraph`.

    Raises MissingDependencyError without NIR, OutputError where the folder is not writable.
    """
    try:
        import nir
    except ImportError as error:
        raise MissingDependencyError(
            f"nir must be installed, found: {error}; run: {install_command('nengo')}"
        ) from error
    graph = to_graph(network, nir)
    with replacing(path) as temporary:
        nir.write(temporary, graph)
    return graph


@named_type_errors
def to_graph(network: Network, nir: Any) -> Any:
    """The graph: input -> linear -> integrator <-> linear ... -> output.

    nir: the module. Weights are int8 in NIR's order, (n_out, n_in) or (c_out, c_in, y, x); so are
    the neurons of populations that a convolution touches. Raises NetworkError for a
    clamped readout.
    """
    require_plain(network, "for NIR")
    shapes = shapes_of(network)
    nodes = {
        network.input.name: nir.Input({"input": np.array(shapes.by_name[network.input.name])}),
        "readout": nir.Output({"output": np.array(shapes.by_name[network.output.name])}),
    }
    for population in network.relaxing:
        shape = shapes.by_name[population.name]
        limits = {
            "state_min": population.state_min,
            "state_max": population.state_max,
            "fraction_bits": network.accumulator_fraction_bits(population.name),
        }
        bias = network.biases[population.name][shapes.order(population)]
        nodes[population.name] = nir.I(
            r=np.ones(shape, dtype=np.float32),
            metadata={"toreq_hw": json.dumps(limits), "bias": bias.reshape(shape)},
        )
    edges = [(network.output.name, "readout")]
    for p in network.projections:
        scale = {
            "fraction_bits": p.fraction_bits,
            "weight_format": p.weight_format.value,
        }
        chain = chain_of(nir, p, shapes, {"toreq_hw": json.dumps(scale)})
        nodes |= dict(chain)
        edges += chain_edges(p.source.name, [name for name, _ in chain], p.target.name)
    metadata = {
        "toreq_hw": json.dumps({**network.describe(), "sha256": network.sha256}),
        "not_expressed": json.dumps(NOT_EXPRESSED),
    }
    return nir.NIRGraph(nodes=nodes, edges=edges, metadata=metadata)
