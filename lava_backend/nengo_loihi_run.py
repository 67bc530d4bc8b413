"""A spiking, rate-coded approximation of a network on nengo-loihi's emulator of Loihi 1.

A state is a rate: clip(p, low, high) = low + relu(p - low) - relu(p - high). So each state takes
two non-leaky integrate-and-fire neurons. Their rates are subtracted wherever the state is read. All
populations run at once, in continuous time, through low-pass synapses: no schedule, no exact sum.
It follows weak couplings roughly and strong ones not at all; `coupling_strength` says which this
is.
"""

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.lava_backend.nengo_loihi_shim import nengo, nengo_loihi
from toreq_hw.network import Network, Population, Projection, check_states, require_plain

FULL_SCALE_HZ = 25.0
"""Rate of a state's whole range. Low, because a spike interval is a whole number of steps, and
far from saturation at 1000 Hz, because a preactivation may lie far beyond the range."""

SYNAPSE_S = 0.1
"""Low-pass of every synapse; long against the intervals of single spikes."""

SEED = 0
"""Of what Nengo draws."""

SETTLE_S, COUNT_S = 1.0, 1.5
"""Time to relax after a sample is shown, and time over which spikes are then counted."""

FOLLOWED_STRENGTH = 1.0
"""Above this coupling strength, a change can come back larger than it left: the continuous
dynamics may land elsewhere than the ticks do. Flagged."""

REFUSED_STRENGTH = 3.0
"""Refused above this: at 1.4 (trained on digits) the mean error was 1 of 255 and every class
agreed, at 3.1 (random weights) it was 22 of 255 and no class did."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpikingRecord:
    """states: float64 (samples, neurons), mean over the counting time, in state LSBs.

    spikes: (samples,), of relaxing neurons while shown. seconds: wall clock.
    """

    network: Network
    states: Floats
    spikes: npt.NDArray[np.int64]
    seconds: float

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Largest mean output state, (samples,)."""
        start = Layout(self.network).starts[self.network.output.name]
        outputs = self.states[:, start : start + self.network.output.size]
        classes: npt.NDArray[np.int64] = outputs.argmax(axis=1)
        return classes


def coupling_strength(network: Network) -> float:
    """Largest factor by which a small change grows once around through the couplings.

    The spectral radius of the couplings between relaxing populations in units of states, by
    power iteration on its square, which is positive.
    """
    rng = np.random.default_rng(0)
    change = {p.name: rng.normal(size=p.size) for p in network.relaxing}
    growth = 0.0
    for _ in range(60):
        size = np.sqrt(sum(float(part @ part) for part in change.values()))
        if size == 0.0:
            return 0.0
        change = _around(network, _around(network, {k: v / size for k, v in change.items()}))
        growth = float(np.sqrt(sum(float(part @ part) for part in change.values())))
    return float(np.sqrt(growth))


def _around(network: Network, change: dict[str, Floats]) -> dict[str, Floats]:
    """What the change of all states does to all preactivations."""
    arrives = {name: np.zeros_like(part) for name, part in change.items()}
    for p in network.projections:
        if not p.from_input:
            arrives[p.target.name] += change[p.source.name] @ _real_weights(p)
    return arrives


def _real_weights(projection: Projection) -> Floats:
    """Stored weights over 2^f, float64 (source.size, target.size)."""
    return np.ldexp(projection.matrix.astype(np.float64), -projection.fraction_bits)


@named_type_errors
def check(network: Network) -> float:
    """The coupling strength; raises NetworkError where it is hopeless, or the output clamped."""
    require_plain(network, "on nengo-loihi")
    strength = coupling_strength(network)
    if strength > REFUSED_STRENGTH:
        raise NetworkError(
            f"coupling strength must be at most {REFUSED_STRENGTH:g} on nengo-loihi, found "
            f"{strength:.2f}; weaken the couplings between hidden and output populations, or "
            "use loihi or nengo"
        )
    return strength


@named_type_errors
def run(network: Network, inputs: npt.NDArray[np.int16]) -> SpikingRecord:
    """Shows every sample to the emulator for SETTLE_S + COUNT_S; free phase only.

    inputs: int16 (samples, input.size). Raises NetworkError for couplings beyond
    hope, InputError for inputs that are no states.
    """
    check(network)
    inputs = check_states(network.input, inputs)
    if not len(inputs):
        raise InputError("samples must be at least 1, found 0")
    begin = time.perf_counter()
    shown = SETTLE_S + COUNT_S
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's deprecations inside nengo-loihi
        model, probes = _build(network, inputs, shown)
        with nengo_loihi.Simulator(
            model, dt=0.001, target="sim", precompute=True, progress_bar=False
        ) as sim:
            sim.run(len(inputs) * shown)
    states, spikes = [], np.zeros(len(inputs), dtype=np.int64)
    for population in network.relaxing:
        fired = (np.asarray(sim.data[probes[population.name]]) > 0).reshape(
            len(inputs), -1, 2 * population.size
        )
        spikes += fired.sum(axis=(1, 2))
        rates = fired[:, -round(COUNT_S / 0.001) :].mean(axis=1) / 0.001
        above, beyond = rates[:, : population.size], rates[:, population.size :]
        states.append(population.state_min + (above - beyond) / _hz_per_lsb(population))
    return SpikingRecord(
        network, np.concatenate(states, axis=1), spikes, time.perf_counter() - begin
    )


def _hz_per_lsb(population: Population) -> float:
    return FULL_SCALE_HZ / (population.state_max - population.state_min)


def _build(
    network: Network, inputs: npt.NDArray[np.int16], shown: float
) -> tuple[Any, dict[str, Any]]:
    """The model and, by population, a probe of its spikes: (steps, 2 * size)."""
    relu = nengo.SpikingRectifiedLinear()
    with nengo.Network(seed=SEED) as model:
        nengo_loihi.add_params(model)
        scale = _hz_per_lsb(network.input)
        rates = inputs.astype(np.float64) * scale
        source = nengo.Node(lambda t: rates[min(int((t - 1e-9) / shown), len(rates) - 1)])
        senses = _neurons(network.input.size, np.zeros(network.input.size), relu)
        model.config[senses].on_chip = False
        nengo.Connection(source, senses.neurons, synapse=None)
        ensembles = {p.name: _pair(network, p, relu) for p in network.relaxing}
        for p in network.projections:
            _connect(p, senses if p.from_input else ensembles[p.source.name], ensembles)
        probes = {name: nengo.Probe(e.neurons) for name, e in ensembles.items()}
    return model, probes


def _pair(network: Network, population: Population, relu: Any) -> Any:
    """Neurons 0..n-1 fire above the lowest state, n..2n-1 above the highest."""
    name, scale = population.name, _hz_per_lsb(population)
    offset = network.biases[name] / float(1 << network.accumulator_fraction_bits(name))
    for p in network.into(name):  # a source without spikes stays at its lowest state
        lowest = 0 if p.from_input else p.source.state_min  # the input's spikes count from 0
        offset = offset + _real_weights(p).sum(axis=0) * lowest
    low, high = offset - population.state_min, offset - population.state_max
    return _neurons(2 * population.size, scale * np.concatenate([low, high]), relu)


def _neurons(size: int, bias: Floats, relu: Any) -> Any:
    return nengo.Ensemble(
        size,
        dimensions=1,
        neuron_type=relu,
        gain=np.ones(size),
        bias=bias,
        encoders=np.ones((size, 1)),
    )


def _connect(projection: Projection, source: Any, ensembles: dict[str, Any]) -> None:
    """Spikes of `source` into both neurons of every state of the target."""
    ratio = _hz_per_lsb(projection.target) / _hz_per_lsb(projection.source)
    weight = _real_weights(projection)
    rows = weight if projection.from_input else np.concatenate([weight, -weight])
    transform = ratio * np.concatenate([rows, rows], axis=1).T
    target = ensembles[projection.target.name].neurons
    nengo.Connection(source.neurons, target, transform=transform, synapse=SYNAPSE_S)
