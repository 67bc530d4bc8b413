"""How differences between two copies of a network spread: integer tools of track 19."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.layout import Layout
from toreq_hw.network import Network

States = npt.NDArray[np.int16]
Sweep = Callable[[States], States]

STEPS = 8
"""Largest move of a neuron, in state steps, of the small difference that is followed."""

LEAST = 0.5
"""Length that a difference which has died out counts as: half a state step."""

WARM, FOLLOWED = 8, 16
"""Sweeps before the exponent is taken, and those that it is the mean of."""


def sweep_of(net: Network, inputs: npt.NDArray[np.int16]) -> Sweep:
    """One sweep of all samples: states int16 (samples, neurons) to those after it."""
    layout, engine = Layout(net), sim.make_engine(net, "event")

    def sweep(states: States) -> States:
        found = sim.relax(
            net, inputs, states=layout.split(states.copy()), engine=engine, max_sweeps=1
        )
        return layout.join(found.states)

    return sweep


def standing(net: Network, inputs: npt.NDArray[np.int16], sweeps: int) -> States:
    """States after at most so many sweeps from rest, int16 (samples, neurons)."""
    return Layout(net).join(sim.relax(net, inputs, max_sweeps=sweeps).states)


def exponent(net: Network, sweep: Sweep, start: States, seed: int, *, stale: bool = False) -> float:
    """The finite-size Lyapunov exponent, in bits a sweep: log2 of the growth of a small difference.

    A copy differs by at most `STEPS` steps in each neuron. After each sweep of both the difference
    is brought back to its first length and rounded (Benettin et al., Meccanica 15, 1980). One that
    dies out is drawn anew. stale: the difference is taken before the sweep, which is a mistake.
    """
    rng = np.random.default_rng(seed)
    low, high = _ends(net)
    own = start
    length = STEPS * (own.shape[1] / 3) ** 0.5  # of uniform moves of up to STEPS
    moved = _moved(own, rng.integers(-STEPS, STEPS + 1, own.shape), low, high)
    grown = []
    for number in range(WARM + FOLLOWED):
        before = _length(moved, own)
        after_own, after = sweep(own), sweep(moved)
        ended = before if stale else _length(after, after_own)
        if number >= WARM:
            known = before > 0
            grown.append(float(np.log2(np.maximum(ended, LEAST)[known] / before[known]).mean()))
        own, difference = after_own, after.astype(np.float64) - after_own
        size = np.maximum(_length(after, after_own), LEAST)[:, None]
        scaled = np.rint(difference * length / size).astype(np.int64)
        dead = ~scaled.any(axis=1)
        scaled[dead] = rng.integers(-STEPS, STEPS + 1, (int(dead.sum()), own.shape[1]))
        moved = _moved(own, scaled, low, high)
    return float(np.mean(grown))


def _ends(net: Network) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Least and largest state of each neuron that updates, int64 (neurons,)."""
    sizes = [p.size for p in net.updating]
    low = np.repeat([p.state_min for p in net.updating], sizes)
    return low, np.repeat([p.state_max for p in net.updating], sizes)


def _moved(
    states: States,
    moves: npt.NDArray[np.int64],
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
) -> States:
    return np.clip(states + moves, low, high).astype(np.int16)


def _length(one: States, other: States) -> npt.NDArray[np.float64]:
    """Euclidean, in state steps, float64 (samples,)."""
    length: npt.NDArray[np.float64] = np.linalg.norm(one.astype(np.float64) - other, axis=1)
    return length


def damage(
    net: Network, sweep: Sweep, start: States, seed: int, after: tuple[int, ...]
) -> dict[int, float]:
    """Per cent of neurons that differ so many sweeps after one neuron has been flipped.

    One neuron of each sample, drawn by the seed, goes to the end of its range that is farther away.
    """
    rng = np.random.default_rng(seed)
    low, high = _ends(net)
    samples, chosen = np.arange(len(start)), rng.integers(0, start.shape[1], len(start))
    moved, own = start.copy(), start
    upper = 2 * start[samples, chosen] < (low + high)[chosen]
    moved[samples, chosen] = np.where(upper, high[chosen], low[chosen])
    found = {}
    for number in range(1, max(after) + 1):
        own, moved = sweep(own), sweep(moved)
        if number in after:
            found[number] = 100 * float((own != moved).mean())
    return found
