"""Energy and time by a third party: SANA-FE's model of Loihi, given the events that we counted.

SANA-FE (Boyle et al. 2025, IEEE TCAD 44(8), doi 10.1109/TCAD.2025.3537971) simulates a chip time
step by time step. Its figures of Loihi 1 come with the package and are taken as they are. Every
neuron sends in the steps in which it sent in the simulator, over the same synapses, from the core
that the mapper chose. So nothing but the model of energy and time is SANA-FE's.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult
from toreq_hw.errors import InputError
from toreq_hw.lava_backend.mapper.mapping import Mapping
from toreq_hw.lava_backend.mapper.walks import Walk, walks
from toreq_hw.network import Network
from toreq_hw.records.chip import ThirdPartyEstimate

TILES_HIGH, TILE_SIDE, NEURONS = 4, 2, 1024
"""Of SANA-FE's Loihi: 8 x 4 tiles of four cores, each with so many neurons."""

CORES = 128

DIFFERENCES = (
    "SANA-FE reads every neuron in every step and updates those that send; our estimate updates "
    "every neuron of a chip in every step. It charges each message leaving and entering a core, "
    "and the input's, whose neurons it puts on cores of their own. Its time waits for the slowest "
    "core and for messages that queue; ours takes the mean. Its spikes are those of Loihi 1, "
    "which carry no numbers; events of ours do."
)
"""Why its figures are not ours."""

PARTS = ("synapse", "dendrite", "soma", "network")
"""Of a chip, whose energies SANA-FE tells apart."""

Steps = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Found:
    """What SANA-FE says of a whole run; energies by part, and in all."""

    energy_j: dict[str, float]
    seconds: float
    messages: int
    synops: int


@dataclass(frozen=True, eq=False)
class _Events:
    """What every neuron sends: `of` gives bool (neurons, steps) by population, samples in a row."""

    of: dict[str, Steps]
    steps: int

    @property
    def sent(self) -> int:
        """All of them."""
        return sum(int(np.count_nonzero(sent)) for sent in self.of.values())


def third_party_estimate(
    network: Network, inputs: npt.NDArray[np.int16], free: PhaseResult, mapping: Mapping
) -> ThirdPartyEstimate:
    """Replays the free phases of `inputs`, int16 (samples, input.size), on SANA-FE's Loihi.

    free: their result with its trace, threshold 0. Raises InputError for a map that needs more than
    the one chip, and AssertionError where
    SANA-FE counts other synapses walked than the map stores.
    """
    places = _places(network, mapping)
    events = _events(inputs, free)
    stored = walks(network, mapping)
    found = _simulate(network, events, places, stored)
    walked = _walked(events, stored)
    assert free.trace is not None
    assert events.sent == len(free.trace.neuron) + int(free.input_events.sum())
    assert found.synops == walked, (found.synops, walked)
    samples = len(inputs)
    return ThirdPartyEstimate(
        tool=f"SANA-FE {version('sanafe')}, its model of Loihi",
        samples=samples,
        energy_per_sample_uj=1e6 * found.energy_j["total"] / samples,
        energy_parts_uj={part: 1e6 * found.energy_j[part] / samples for part in PARTS},
        time_per_sample_us=1e6 * found.seconds / samples,
        messages_per_sample=found.messages / samples,
        synops_per_sample=found.synops / samples,
        steps_per_sample=events.steps / samples,
        differences=DIFFERENCES,
    )


def _places(network: Network, mapping: Mapping) -> dict[str, npt.NDArray[np.int64]]:
    """The core of every neuron, int64 (size,) by population: tile times four and core in the tile.

    The input lies on the last cores that are free.
    """
    wanted = len(mapping.cores) + -(-network.input.size // NEURONS)
    if mapping.chips_used > 1 or wanted > CORES or mapping.chip.cores != CORES:
        raise InputError(
            f"SANA-FE's model must hold the network on one chip of {CORES} cores, the input's "
            f"among them, needs {wanted} of {mapping.chip.cores} a chip"
        )
    places = {p.name: np.zeros(p.size, np.int64) for p in network.populations}
    taken = set()
    for core in mapping.cores:
        tile = core.column // TILE_SIDE * TILES_HIGH + core.row // TILE_SIDE
        place = tile * TILE_SIDE**2 + core.row % TILE_SIDE * TILE_SIDE + core.column % TILE_SIDE
        places[core.population][core.first : core.last] = place
        taken.add(place)
    free = [place for place in reversed(range(CORES)) if place not in taken]
    places[network.input.name] = np.array(free)[np.arange(network.input.size) // NEURONS]
    return places


def _events(inputs: npt.NDArray[np.int16], free: PhaseResult) -> _Events:
    """Sample after sample: a step in which the input sends, then those of the ticks."""
    assert free.trace is not None
    network, layout, trace = free.network, Layout(free.network), free.trace
    first = np.concatenate([[0], np.cumsum(free.ticks + 1)]).astype(np.int64)
    steps = int(first[-1])
    sent = np.zeros((layout.neurons, steps), np.bool_)
    sent[trace.neuron, first[trace.sample] + trace.tick] = True
    presented = np.zeros((network.input.size, steps), np.bool_)
    presented[:, first[:-1]] = (inputs != 0).T
    relaxing = {p.name: sent[layout.of(p)] for p in network.relaxing}
    return _Events({network.input.name: presented, **relaxing}, steps)


def _simulate(
    network: Network,
    events: _Events,
    places: dict[str, npt.NDArray[np.int64]],
    stored: list[Walk],
) -> _Found:
    """Builds the chip and the network, and runs all steps."""
    import sanafe

    chip_file = _architecture()
    try:
        architecture = sanafe.load_arch(str(chip_file))
    finally:
        chip_file.unlink()
    cores = [core for tile in architecture.tiles for core in tile.cores]
    described = sanafe.Network()
    groups = {p.name: described.create_neuron_group(p.name, p.size) for p in network.populations}
    used = np.zeros(CORES, np.int64)
    somas = dict.fromkeys(groups, "replayed") | {network.input.name: "loihi_inputs"}
    for name, group in groups.items():
        for neuron, place in enumerate(places[name].tolist()):
            group[neuron].set_attributes(
                soma_hw_name=f"{somas[name]}[{used[place]}]",
                model_attributes={"spikes": events.of[name][neuron].astype(int).tolist()},
            )
            group[neuron].map_to_core(cores[place])
            used[place] += 1
    for walk in stored:
        pairs = list(_pairs(walk))
        groups[walk.source].connect_neurons_sparse(
            groups[walk.target], {"weight": [0.0] * len(pairs)}, pairs
        )
    chip = sanafe.SpikingChip(architecture)
    chip.load(described)
    with _printing_to_standard_error():
        found = chip.sim(events.steps)
    return _Found(
        energy_j={part: found["energy"][part] for part in ("total", *PARTS)},
        seconds=found["sim_time"],
        messages=found["packets_sent"],
        synops=found["spikes"],
    )


@contextmanager
def _printing_to_standard_error() -> Iterator[None]:
    """SANA-FE prints its progress to standard output, where a record may go."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _pairs(walk: Walk) -> Iterator[tuple[int, int]]:
    """Source and target of every synapse that an event walks, zeros of dense lists included."""
    for source in range(len(walk.synapses)):
        for target in walk.reached(source):
            yield source, target


def _walked(events: _Events, stored: list[Walk]) -> int:
    """Synapses that all events walk in the lists that the map stores."""
    return sum(int((events.of[walk.source].sum(axis=1) @ walk.synapses).sum()) for walk in stored)


def _architecture() -> Path:
    """A file with SANA-FE's Loihi, and somas at its prices that send when they are told.

    Weights are 0 there, because such a soma takes no current; a synapse's price knows no weight.
    """
    import yaml

    text = files("sanafe.examples").joinpath("loihi.yaml").read_text(encoding="utf-8")
    described = yaml.safe_load(text)
    for tile in described["architecture"]["tile"]:
        for core in tile["core"]:
            (soma,) = (unit for unit in core["soma"] if unit["name"] == "loihi_lif")
            attributes = {**soma["attributes"], "model": "input"}
            core["soma"].append({"name": f"replayed[0..{NEURONS - 1}]", "attributes": attributes})
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".yaml", delete=False) as file:
        yaml.safe_dump(described, file)
    return Path(file.name)
