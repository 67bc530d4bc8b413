"""What the tests of learning must have made happen, by name: read off states, latents and rates."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.learning import BIAS_LATENT_LIMIT, LATENT_BITS, LATENT_LIMIT
from toreq_hw.network import Network, WeightFormat
from toreq_hw.rtl.learning.state import LearnedState, LearningRates
from toreq_hw.rtl.learning.tables import HIGHEST_RATE, LOWEST_RATE, LearnedCoupling
from toreq_hw.rtl.learning.timing import single_port_beats
from toreq_hw.rtl.parameters import CoreParameters

Wide = npt.NDArray[np.int64]

_NAMES = (
    "latent clipped at the top",
    "latent clipped at the bottom",
    "bias latent clipped at the top",
    "bias latent clipped at the bottom",
    "ternary weight appears",
    "ternary weight disappears",
    "ternary weight changes sign",
    "INT8 weight moves",
    "negative product",
    "zero product beside others",
    "both products of a row that moved",
    "column stood, row moved",
    "column moved, row stood",
    "row of zeros skipped",
    "input of zero skipped",
    "chunk skipped that no row can reach",
    "chunk walked past that stood",
    "coupling skipped, nothing moved at its ends",
    "coupling walked though only pre moved",
    "coupling walked with an empty list",
    "sample in which nothing moved",
    "empty input",
    "last chunk in part",
    "last chunk whole",
    "rounding word wraps",
    "biases of a population that stood",
    "lowest rate",
    "highest rate",
    "lowest rate of biases",
    "highest rate of biases",
    "8 latent bits",
    "9 to 15 latent bits",
    "16 latent bits",
    "one learn lane",
    "as many learn lanes as lanes",
    "learn lanes between",
    "single port",
    "two ports",
    "signed states",
    "unsigned states",
    "skip",
    "self-coupling",
    "a beat that waits for a write",
    "one layer",
    "two layers",
    "three layers",
    "four layers",
)

BINS = tuple(f"LEARN: {name}" for name in _NAMES)


@dataclass(frozen=True)
class Learned:
    """A sample that was learned. inputs: (input.size,); plus, minus: states by population."""

    before: LearnedState
    after: LearnedState
    rates: LearningRates
    inputs: npt.NDArray[np.int16]
    plus: dict[str, npt.NDArray[np.int16]]
    minus: dict[str, npt.NDArray[np.int16]]


class LearningCoverage:
    """Counts hits of `BINS`, named without their prefix; an unknown name is an error."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()

    def hit(self, name: str, happened: "bool | int | np.bool_" = True) -> None:
        """Counts a hit of a bin, if it happened."""
        if name not in _NAMES:
            raise KeyError(name)
        self.hits[f"LEARN: {name}"] += int(bool(happened))

    def of_core(self, network: Network, parameters: CoreParameters) -> None:
        """What the shape of a core shows."""
        learning = parameters.learning
        assert learning is not None
        lanes = learning.lanes
        self.hit("one learn lane", lanes == 1)
        self.hit("as many learn lanes as lanes", lanes == parameters.lanes)
        self.hit("learn lanes between", 1 < lanes < parameters.lanes)
        self.hit("single port", any(c.single_port for c in learning.couplings))
        self.hit("two ports", any(not c.single_port for c in learning.couplings))
        for bits in (c.latent_bits for c in learning.couplings):
            self.hit("8 latent bits", bits == 8)
            self.hit("9 to 15 latent bits", 8 < bits < 16)
            self.hit("16 latent bits", bits == 16)
        for population in network.relaxing:
            self.hit("signed states" if population.signed else "unsigned states")
            self.hit("last chunk in part", population.size % lanes)
            self.hit("last chunk whole", population.size % lanes == 0)
        self.hit("self-coupling", any(c.is_self_coupling for c in network.couplings))
        self.hit("skip", len(network.couplings) > len(network.relaxing))
        layers = ("one layer", "two layers", "three layers", "four layers")
        self.hit(layers[len(network.relaxing) - 1])

    def of_sample(self, network: Network, parameters: CoreParameters, learned: Learned) -> None:
        """What one sample showed."""
        assert parameters.learning is not None
        moved = {n: bool(np.any(learned.plus[n] != learned.minus[n])) for n in learned.plus}
        self.hit("sample in which nothing moved", not any(moved.values()))
        self.hit("empty input", not learned.inputs.any())
        if not any(moved.values()):
            return
        for coupling in parameters.learning.couplings:
            self._coupling(network, parameters, coupling, learned, moved)
        for population in network.relaxing:
            self._bias(population.name, population.state_max, learned, moved[population.name])

    def _coupling(
        self,
        network: Network,
        parameters: CoreParameters,
        coupling: LearnedCoupling,
        learned: Learned,
        moved: dict[str, bool],
    ) -> None:
        name = coupling.walk.coupling
        pre, post = name.split("-")
        if not (moved[post] or moved.get(pre, False)):
            self.hit("coupling skipped, nothing moved at its ends")
            return
        plus_pre, minus_pre = (s.get(pre, learned.inputs) for s in (learned.plus, learned.minus))
        plus_post, minus_post = learned.plus[post], learned.minus[post]
        rows = (plus_pre != 0) | (minus_pre != 0)
        self._rows(coupling, rows, plus_pre != minus_pre, plus_post, minus_post)
        self.hit("coupling walked though only pre moved", not moved[post])
        self.hit("rounding word wraps", rows.any() and len(plus_post) > 2)
        first, second = (
            np.outer(a.astype(np.int64), b.astype(np.int64))
            for a, b in ((plus_pre, plus_post), (minus_pre, minus_post))
        )
        self._products(first, second)
        self._chunks(parameters, coupling, plus_post, minus_post)
        if coupling.single_port:
            self._waits(parameters, int(rows.sum()), plus_post != minus_post)
        self._latents(coupling, learned, first - second)
        kind = next(c.weight_format for c in network.couplings if c.name == name)
        self._weights(kind, learned.rates.theta, *(_latents(s, name) for s in _both(learned)))

    def _waits(self, parameters: CoreParameters, rows: int, moved: npt.NDArray[np.bool_]) -> None:
        """rows: of a coupling from the input; moved: (post,)."""
        assert parameters.learning is not None
        chunks = sorted(set((np.flatnonzero(moved) // parameters.learning.lanes).tolist()))
        beats = single_port_beats(parameters, chunks, rows)
        self.hit("a beat that waits for a write", beats > rows * len(chunks))

    def _rows(
        self,
        coupling: LearnedCoupling,
        rows: npt.NDArray[np.bool_],
        moved: npt.NDArray[np.bool_],
        plus: npt.NDArray[np.int16],
        minus: npt.NDArray[np.int16],
    ) -> None:
        """rows, moved: (pre,); plus, minus: (post,)."""
        self.hit(
            "input of zero skipped" if coupling.from_input else "row of zeros skipped",
            (~rows).any(),
        )
        stood_row, stood_column = (rows & ~moved).any(), (plus == minus).any()
        self.hit("column stood, row moved", moved.any() and (stood_column & (plus != 0).any()))
        self.hit("column moved, row stood", stood_row and (plus != minus).any())

    def _products(self, first: Wide, second: Wide) -> None:
        """(pre, post), of each phase."""
        total = first - second
        self.hit("negative product", (total < 0).any())
        self.hit("zero product beside others", (total == 0).any() and (total != 0).any())
        self.hit(
            "both products of a row that moved", ((first != 0) & (second != 0) & (total != 0)).any()
        )

    def _chunks(
        self,
        parameters: CoreParameters,
        coupling: LearnedCoupling,
        plus: npt.NDArray[np.int16],
        minus: npt.NDArray[np.int16],
    ) -> None:
        """plus, minus: (post,)."""
        assert parameters.learning is not None
        lanes = parameters.learning.lanes
        starts = range(0, len(plus), lanes)
        stood = [bool(np.array_equal(plus[k : k + lanes], minus[k : k + lanes])) for k in starts]
        empty = [not (plus[k : k + lanes].any() or minus[k : k + lanes].any()) for k in starts]
        if coupling.from_input:
            self.hit("chunk skipped that no row can reach", any(stood))
            return
        self.hit("chunk skipped that no row can reach", any(empty))
        self.hit(
            "chunk walked past that stood",
            any(s and not e for s, e in zip(stood, empty, strict=True)),
        )
        self.hit("coupling walked with an empty list", all(empty))

    def _latents(self, coupling: LearnedCoupling, learned: Learned, total: Wide) -> None:
        """total: (pre, post), the contrast."""
        dropped = LATENT_BITS - coupling.latent_bits
        rate = learned.rates.shifts[coupling.walk.coupling] + dropped
        self.hit("lowest rate", rate == LOWEST_RATE)
        self.hit("highest rate", rate == HIGHEST_RATE)
        latents = _latents(learned.before, coupling.walk.coupling)
        limit = LATENT_LIMIT >> dropped << dropped
        least, most = _steps(total, rate, dropped)
        self.hit("latent clipped at the top", (latents + least > limit).any())
        self.hit("latent clipped at the bottom", (latents + most < -limit).any())

    def _weights(self, kind: WeightFormat, theta: int, before: Wide, after: Wide) -> None:
        """before, after: latents (pre, post)."""
        if kind is WeightFormat.INT8:
            self.hit("INT8 weight moves", ((before + 128 >> 8) != (after + 128 >> 8)).any())
            return
        old, new = (np.sign(v) * (np.abs(v) >= theta) for v in (before, after))
        self.hit("ternary weight appears", ((old == 0) & (new != 0)).any())
        self.hit("ternary weight disappears", ((old != 0) & (new == 0)).any())
        self.hit("ternary weight changes sign", (old * new < 0).any())

    def _bias(self, name: str, s_max: int, learned: Learned, moved: bool) -> None:
        self.hit("biases of a population that stood", not moved)
        if not moved:
            return
        rate = learned.rates.bias_shifts[name]
        self.hit("lowest rate of biases", rate == LOWEST_RATE)
        self.hit("highest rate of biases", rate == HIGHEST_RATE)
        latents = learned.before.bias_latents[name].astype(np.int64)
        total = s_max * (learned.plus[name].astype(np.int64) - learned.minus[name])
        least, most = _steps(total, rate, 0)
        self.hit("bias latent clipped at the top", (latents + least > BIAS_LATENT_LIMIT).any())
        self.hit("bias latent clipped at the bottom", (latents + most < -BIAS_LATENT_LIMIT).any())


def _steps(total: Wide, rate: int, dropped: int) -> tuple[Wide, Wide]:
    """The least and the most that rounding can make of products, each of their shape."""
    most = total + (1 << rate) - 1
    return total >> rate << dropped, most >> rate << dropped


def _both(learned: Learned) -> tuple[LearnedState, LearnedState]:
    return learned.before, learned.after


def _latents(state: LearnedState, coupling: str) -> Wide:
    latents: Wide = state.latents[coupling].astype(np.int64)
    return latents
