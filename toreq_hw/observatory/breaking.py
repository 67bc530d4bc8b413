"""What is broken in a network that is shown: layers of the project, and painted neurons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.sim.perturbation import Layer, ThermalNoise, make_layer, program
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.mapped_faults import MappedFaults

KINDS = (
    "dead_neurons",
    "missing_synapses",
    "stuck_weights",
    "weight_bit_flip",
    "state_bit_flip",
    "stuck_state_bits",
    "thermal_noise",
    "flicker_noise",
    "read_noise",
)
"""Layers that the page offers."""

NOISE_TICKS = 60
"""Noise ends after so many ticks, so that a phase can settle."""

PAINTS = ("dead", "stuck", "flipped")
"""dead: the state 0 for good. stuck: the largest state. flipped: the highest state bit is inverted
whenever the neuron is updated."""


@dataclass(frozen=True)
class Painted:
    """Neurons of a population that somebody broke. what: one of `PAINTS`."""

    population: str
    neurons: tuple[int, ...]
    what: str


Break = Layer | Painted


def layer(kind: str, level: float, place: str, seed: int) -> Layer:
    """A layer that the page asks for. Raises InputError."""
    if kind not in KINDS:
        raise InputError(f"damage must be one of {', '.join(KINDS)}, not {kind!r}")
    made = make_layer(kind, level=level, place=place, seed=seed)
    return replace(made, last_tick=NOISE_TICKS) if isinstance(made, ThermalNoise) else made


def check_painted(network: Network, painted: Painted) -> None:
    """Raises InputError for neurons that are not there, or cannot break so."""
    population = next((p for p in network.updating if p.name == painted.population), None)
    if population is None:
        names = ", ".join(p.name for p in network.updating)
        raise InputError(f"neurons must be of {names}, found {painted.population!r}")
    if painted.what not in PAINTS:
        raise InputError(f"neurons must be {', '.join(PAINTS)}, not {painted.what!r}")
    if max(painted.neurons) >= population.size:
        raise InputError(
            f"neurons of {population.name} must be in 0..{population.size - 1}, "
            f"found {max(painted.neurons)}"
        )


def layers_of(network: Network, breaks: Sequence[Break]) -> list[Layer]:
    """All breaks as layers: those of weights first, so that the map of neurons fits their result.

    network: before any of them. Raises InputError.
    """
    made = [one for one in breaks if isinstance(one, Layer)]
    stuck: dict[tuple[str, int], int] = {}
    inverted: dict[tuple[str, int], int] = {}
    for one in breaks:
        if isinstance(one, Painted):
            population = network.population(one.population)
            for neuron in one.neurons:
                key = (one.population, neuron)
                if one.what == "flipped":
                    stuck.pop(key, None)
                    inverted[key] = 1 << (population.state_bits - 1)
                else:
                    inverted.pop(key, None)
                    stuck[key] = 0 if one.what == "dead" else population.state_max
    if not stuck and not inverted:
        return made
    faults = FaultMap(
        network_sha256=program(network, made).sha256,
        samples=1,
        stuck=tuple((*key, state) for key, state in stuck.items()),
        inverted=tuple((*key, mask) for key, mask in inverted.items()),
    )
    return [*made, MappedFaults(faults=faults)]


def painted(breaks: Sequence[Break]) -> dict[str, list[int]]:
    """The neurons that the brush has broken, by population."""
    found: dict[str, set[int]] = {}
    for one in breaks:
        if isinstance(one, Painted):
            found.setdefault(one.population, set()).update(one.neurons)
    return {population: sorted(neurons) for population, neurons in found.items()}


def described(one: Break) -> str:
    """A break in words."""
    if isinstance(one, Painted):
        count = len(one.neurons)
        return f"{count} neuron{'s' if count > 1 else ''} of {one.population} {one.what}"
    return f"{one.kind} {one.level:g}{f' in {one.place}' if one.place else ''}"
