"""The feed-forward baseline: the same file format, walked once from input to output.

What a network trained by backprop computes in the same integers: each layer's accumulators from
the layer before alone, one rounding, no way back. It is what the damage of an equilibrium network
is compared with, under the same layers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import round_to_multiple, to_state
from toreq_hw.contract.faults import FREE
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Population, Schedule, check_states
from toreq_hw.sim.exact_product import ExactProduct
from toreq_hw.sim.perturbation import layer as layers_
from toreq_hw.sim.perturbation.disturbance import Disturbance, Noise
from toreq_hw.sim.perturbation.layer import Layer, StartLayer
from toreq_hw.sim.perturbation.neuron_damage import FrozenColour, StuckMessageBits
from toreq_hw.sim.perturbation.random_values import noise_block, read_errors
from toreq_hw.sim.perturbation.state_damage import flip_states
from toreq_hw.sim.perturbation.tick_damage import TickFaults

Accumulators = npt.NDArray[np.int64]


@named_type_errors
def has_counterpart(layer: Layer) -> bool:
    """Whether a layer means anything without events and time: faults per tick do not."""
    return not isinstance(layer, TickFaults | FrozenColour | StuckMessageBits)


@named_type_errors
def feed_forward(
    network: Network, inputs: npt.ArrayLike, layers: Sequence[Layer] = ()
) -> npt.NDArray[np.int64]:
    """Class of each input, int64 (batch,): the largest output accumulator, ties to the lowest.

    Weight layers act on the weights; phase layers on each neuron's one update (tick k for the
    k-th layer of neurons); start layers on the hidden states, once, before the output reads them.
    Accumulators of the output are not clipped to a state, so nothing is lost to saturation.
    Raises InputError for a network that is no chain, or a layer without a counterpart.
    """
    for one in layers:
        if not has_counterpart(one):
            raise InputError(f"layer {one.kind} must have events and ticks to act on")
    damaged = layers_.program(network, layers)
    states = check_states(damaged.input, inputs)
    given = layers_.disturbance(damaged, len(states), layers)
    layout = Layout(damaged)
    hidden: dict[str, npt.NDArray[np.int16]] = {}
    chain = check_chain(damaged)
    for tick, population in enumerate(chain, start=1):
        total = _accumulators(damaged, population, states)
        if given.reads:
            total += _apply_read_noise(given, layout, population, states, tick)
        total = _read(total, given, layout, population, tick)
        if population is damaged.output:
            classes: npt.NDArray[np.int64] = total.argmax(axis=1)
            return classes
        states = _update(total, given, layout, population, damaged)
        hidden[population.name] = states
        if tick == len(chain) - 1:
            hidden = _apply_start_layers(damaged, hidden, layers)
            states = hidden[population.name]
    raise AssertionError("a chain ends with the output")


def check_chain(network: Network) -> tuple[Population, ...]:
    """The layers after the input, in order. Raises InputError for a network that is no chain."""
    if network.schedule is not Schedule.PARITY or not network.is_chain:
        raise InputError("a feed-forward baseline must be a chain of layers, found other couplings")
    return network.relaxing


def _accumulators(
    network: Network, population: Population, states: npt.NDArray[np.int16]
) -> Accumulators:
    """Bias plus drive from the layer before, at the population's LSB 2^-F."""
    forward = next(p for p in network.into(population.name) if not p.backward)
    largest = max(forward.source.state_max, -forward.source.state_min)
    product = ExactProduct(forward.matrix, largest)
    total: Accumulators = product(states).astype(np.int64) << forward.shift
    return total + network.biases[population.name]


def _apply_read_noise(
    given: Disturbance,
    layout: Layout,
    population: Population,
    states: npt.NDArray[np.int16],
    tick: int,
) -> Accumulators:
    """What reading each weight of a layer once leaves in its accumulators, int64 (batch, size)."""
    span = layout.of(population)
    total = np.zeros((len(states), span.stop - span.start), dtype=np.int64)
    delta_square_sum = (states.astype(np.int64) ** 2).sum(axis=1)
    for read in given.reads:
        if (read.source, read.target) == (tick - 2, tick - 1):  # a chain's layers, in order
            errors = np.empty_like(total)
            read_errors(errors, read.deviation(delta_square_sum), read.seed, 0, span.start)
            total += errors
    return total


def _read(
    total: Accumulators, given: Disturbance, layout: Layout, population: Population, tick: int
) -> Accumulators:
    """Accumulators as a broken register and a noisy converter show them."""
    span = layout.of(population)
    at_zero, at_one = given.stuck_bits[span].T.astype(np.int64)
    total = total & ~at_zero | at_one
    for noise in given.noise:
        if tick <= noise.last_tick:
            total = total + _noise(noise, len(total), span, tick)
    if given.sound[span].all():
        return total
    shift, low, high = given.converter[span, :3].T
    converted: Accumulators = np.clip(round_to_multiple(total, shift), low, high)
    return converted


def _noise(noise: Noise, batch: int, span: slice, tick: int) -> Accumulators:
    values = np.empty((batch, span.stop - span.start), dtype=np.int64)
    noise_block(values, noise.scale, noise.octaves, noise.seed, tick, span.start)
    return values


def _update(
    total: Accumulators,
    given: Disturbance,
    layout: Layout,
    population: Population,
    network: Network,
) -> npt.NDArray[np.int16]:
    span = layout.of(population)
    low, high = population.state_min, population.state_max
    state = to_state(total, network.accumulator_fraction_bits(population.name), low, high)
    if not given.sound[span].all():
        state = np.clip(round_to_multiple(state, given.converter[span, 3]), low, high).astype(
            np.int16
        )
        state = flip_states(state, given.state_xor_mask[span], population)
    stuck = given.stuck[span]
    return np.where(stuck != FREE, stuck, state)


def _apply_start_layers(
    network: Network, hidden: dict[str, npt.NDArray[np.int16]], layers: Sequence[Layer]
) -> dict[str, npt.NDArray[np.int16]]:
    """Hidden states after the start layers; the output has no standing state."""
    if not any(isinstance(one, StartLayer) for one in layers):
        return hidden
    batch = len(next(iter(hidden.values())))
    output = np.zeros((batch, network.output.size), dtype=np.int16)
    return layers_.disturb(network, {**hidden, network.output.name: output}, layers)
