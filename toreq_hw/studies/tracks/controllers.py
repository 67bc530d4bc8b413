"""Integer controllers of track 8: scales by a probe or by activity, thresholds by activity.

Each keeps weights as latents V of docs/numerics.md, section 6, where W = (V + 128) >> 8. A step is
one shift and one add of each latent or bias.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.arithmetic import round_shift
from toreq_hw.network import Network
from toreq_hw.sim.learning.synapses import latents_of, weights_of

STEPS = 64
"""Steps at most. 32 steps of 1/32 halve a scale more than once."""

STEP_SHIFT = 5
"""A step changes a scale by 1/32."""

DEAD_SHIFT = 6
"""Activity that is 1/64 off its set point or less is left alone."""

PROBE_STEPS = 32
PROBE_MAX = 127

Latents = dict[str, npt.NDArray[np.int16]]
Activity = Mapping[str, npt.NDArray[np.int64]]


def activity(net: Network, inputs: npt.NDArray[np.int16]) -> Activity:
    """Sums of settled states over inputs, int64 (size,) of each population that updates."""
    states = sim.relax(net, inputs).states
    return {p.name: states[p.name].astype(np.int64).sum(axis=0) for p in net.updating}


def probe(net: Network, seed: int) -> tuple[int, int]:
    """Squares of what the loop sends back, and of what was sent into it, as one integer LSB.

    Power iteration in integers: states of -127 to 127 go through every coupling of the loop, and
    the accumulators become the next states by one shift. The ratio of both numbers tends to L^2.
    """
    rng = np.random.default_rng(seed)
    sent = {p.name: rng.integers(-PROBE_MAX, PROBE_MAX + 1, p.size) for p in net.updating}
    inner = [p for p in net.projections if p.source.name in sent and p.target.name in sent]
    bits = {name: net.accumulator_fraction_bits(name) for name in sent}
    most = max(bits.values())
    back, power = 0, 0
    for _ in range(PROBE_STEPS):
        sums = {name: np.zeros(len(states), dtype=np.int64) for name, states in sent.items()}
        for one in inner:
            sums[one.target.name] += one.apply(sent[one.source.name])
        sums = {name: values << (most - bits[name]) for name, values in sums.items()}
        power = sum(int(states @ states) for states in sent.values()) << (2 * most)
        back = sum(int(values @ values) for values in sums.values())
        largest = max(int(np.abs(values).max()) for values in sums.values())
        shift = max(0, largest.bit_length() - PROBE_MAX.bit_length())
        sent = {name: round_shift(values, shift) for name, values in sums.items()}
        sent = {name: states.clip(-PROBE_MAX, PROBE_MAX) for name, states in sent.items()}
    return back, power


def by_probe(net: Network, seed: int, *, sign: int = 1) -> Network:
    """All couplings shrink by steps of 1/32 until the probe says that L is at most 15/16.

    sign: -1 lets them grow, as a controller with a wrong sign does.
    """
    latents = _latents(net)
    for _ in range(STEPS):
        back, power = probe(net, seed)
        if back << 8 <= power * 225:
            break
        net = _scaled(net, latents, dict.fromkeys(latents, -sign))
    return net


def by_activity(
    net: Network, inputs: npt.NDArray[np.int16], goal: Activity, *, sign: int = 1
) -> Network:
    """Couplings into a population shrink or grow by 1/32 as its summed activity asks for.

    inputs: int16 (samples, input.size), without labels. goal: `activity` before the stress.
    """
    latents = _latents(net)
    for _ in range(STEPS):
        moves = _directions(activity(net, inputs), goal)
        wanted = {
            coupling.name: sign * moves[coupling.post]
            for coupling in net.couplings
            if moves[coupling.post]
        }
        if not wanted:
            break
        net = _scaled(net, latents, wanted)
    return net


def thresholds_by_activity(
    net: Network, inputs: npt.NDArray[np.int16], goal: Activity, *, sign: int = 1
) -> Network:
    """Each bias moves by half a state step where its neuron's activity is off its set point."""
    for _ in range(STEPS):
        found = activity(net, inputs)
        biases, moved = {}, False
        for population in net.updating:
            name = population.name
            off = goal[name] - found[name]
            wrong = np.abs(off) > goal[name] >> DEAD_SHIFT
            step = np.sign(off) * wrong * sign << max(0, net.accumulator_fraction_bits(name) - 1)
            moved |= bool(wrong.any())
            biases[name] = (net.biases[name] + step).astype(np.int32)
        if not moved:
            break
        net = replace(net, biases=biases)
    return net


def _directions(found: Activity, goal: Activity) -> dict[str, int]:
    """1 of a population that is too quiet, -1 of one that is too active, else 0."""
    moves = {}
    for name, wanted in goal.items():
        off, total = int(wanted.sum() - found[name].sum()), int(wanted.sum())
        moves[name] = 0 if abs(off) <= total >> DEAD_SHIFT else (1 if off > 0 else -1)
    return moves


def _latents(net: Network) -> Latents:
    return {one.name: latents_of(one.parameters, 0) for one in net.couplings}


def _scaled(net: Network, latents: Latents, moves: Mapping[str, int]) -> Network:
    """Latents move by 1/32 of themselves, in place; the network of what they stand for."""
    couplings = []
    for coupling in net.couplings:
        move = moves.get(coupling.name, 0)
        wide = latents[coupling.name].astype(np.int32)
        wide += move * round_shift(wide, STEP_SHIFT)
        latents[coupling.name] = wide.clip(-32767, 32767).astype(np.int16)
        parameters = weights_of(latents[coupling.name], 0)
        couplings.append(coupling.with_parameters(parameters) if move else coupling)
    return replace(net, couplings=tuple(couplings))
