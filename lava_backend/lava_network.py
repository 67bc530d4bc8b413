"""Builds the Lava processes of a network and connects them. Imported in the worker only.

Every coupling between relaxing populations becomes a pair of `Dense`, one with the matrix and
one with its transpose. `Dense` cuts mixed-sign weights to even numbers, so it is given 2 W and
an exponent one lower: exact for W in -127..127.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lava.proc.dense.process import Dense
from lava.utils.weightutils import SignMode

from toreq_hw.lava_backend.connection.process import BatchedDense
from toreq_hw.lava_backend.external_step.process import ExternalStepController
from toreq_hw.lava_backend.phase_controller.process import PhaseController
from toreq_hw.lava_backend.population.process import OutputPopulation, Population
from toreq_hw.lava_backend.probe.process import Probe
from toreq_hw.network import Network

MESSAGE_BITS = 24
"""Of a graded event as Lava's fixed-point models declare it."""

COUNTERS = "counters.npy"


def changes_file(population: str) -> str:
    """Name of the file that a population's probe writes."""
    return f"{population}.changes"


def build(
    network: Network,
    inputs: npt.NDArray[np.int32],
    targets: npt.NDArray[np.int32],
    folder: Path,
) -> PhaseController:
    """All processes of `network`, connected; running the controller runs them all.

    inputs: (rounds, n_input) one sample at a time, or (rounds, n_input, batch); targets alike.
    Records are written into `folder`.
    """
    batch = inputs.shape[2] if inputs.ndim == 3 else None
    controller = PhaseController(
        inputs=inputs,
        targets=targets,
        colours=len(network.colours),
        record=str(folder / COUNTERS),
    )
    connect(network, controller, batch, folder)
    return controller


@dataclass(frozen=True)
class DenseConnection:
    """One direction of a coupling. weights: int32 (n_target, n_source); dense: the process."""

    source: str
    target: str
    weights: npt.NDArray[np.int32]
    shift: int
    dense: Any


def connect(
    network: Network,
    controller: "PhaseController | ExternalStepController",
    batch: int | None,
    folder: Path | None,
) -> tuple[dict[str, Population], list[DenseConnection]]:
    """Populations and connections around a controller; with a folder, probes that record there."""
    populations = {p.name: _population(network, p.name, batch) for p in network.relaxing}
    for name, population in populations.items():
        controller.command_out.connect(population.command_in)
        if folder is not None:
            probe = Probe(shape=population.state_out.shape, record=str(folder / changes_file(name)))
            controller.command_out.connect(probe.command_in)
            population.state_out.connect(probe.state_in)
        population.activity_out.connect(controller.activity_in)
    output = populations[network.output.name]
    assert isinstance(output, OutputPopulation)
    controller.target_out.connect(output.target_in)
    outlets = {network.input.name: controller.input_out}
    outlets |= {name: population.s_out for name, population in populations.items()}
    connections = []
    for projection in network.projections:
        weights = np.ascontiguousarray(projection.matrix.T.astype(np.int32))
        dense = _dense(weights, projection.shift, batch)
        source, target = projection.source.name, projection.target.name
        outlets[source].connect(dense.s_in)
        dense.a_out.connect(populations[target].a_in)
        connections.append(DenseConnection(source, target, weights, projection.shift, dense))
    return populations, connections


def _dense(weights: npt.NDArray[np.int32], shift: int, batch: int | None) -> Any:
    settings = {
        "weights": 2 * weights,
        "weight_exp": shift - 1,
        "num_message_bits": MESSAGE_BITS,
        "sign_mode": SignMode.MIXED,
    }
    return Dense(**settings) if batch is None else BatchedDense(batch=batch, **settings)


def _population(network: Network, name: str, batch: int | None) -> Population:
    population = network.population(name)
    shape = (population.size,) if batch is None else (population.size, batch)
    settings: dict[str, Any] = {
        "shape": shape,
        "bias": _spread(network.biases[name], shape),
        "colour": _spread(network.sweep.colour_of(name), shape),
        "fraction_bits": network.accumulator_fraction_bits(name),
        "state_min": population.state_min,
        "state_max": population.state_max,
    }
    if name == network.output.name:
        return OutputPopulation(beta_shift=network.beta_shift, **settings)
    return Population(**settings)


def _spread(values: npt.NDArray[np.int32], shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """(size,) as it is, or repeated for every sample of a batch."""
    return values.copy() if len(shape) == 1 else np.repeat(values[:, None], shape[1], axis=1)
