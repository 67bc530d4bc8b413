"""Event delivery is exact at the corners of its 16-bit sums, and along all of its routes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import random_case
from toreq_hw import sim
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.sim.delivery_kernel import MIN_SHARED_ROWS, NARROW, deliver
from toreq_hw.sim.plan import SUM_LIMIT, Plan, compile_plan, shared_rows
from toreq_hw.sim.scratch import new_scratch

WIDE = NARROW + 3
TERNARY, INT8 = WeightFormat.TERNARY, WeightFormat.INT8


@dataclass(frozen=True)
class Corner:
    """All weights at the format's limit, all source neurons making their largest move.

    The source is the hidden population, which sends to an output of WIDE neurons.
    """

    kind: WeightFormat
    state_bits: int
    signed: bool
    sign: int

    @property
    def rows(self) -> int:
        """How many events the proved bound allows in one 16-bit sum."""
        return shared_rows(self._coupling(self._source(1)), self._source(1))

    def network(self, size: int) -> Network:
        """One input neuron, `size` hidden ones, WIDE outputs."""
        source = self._source(size)
        pixel = Population("input", 1, Role.INPUT, 1, signed=False)
        onward = DenseCoupling("input", "hidden", np.ones((1, size), dtype=np.int8), 0, TERNARY)
        output = Population("output", WIDE, Role.OUTPUT, 4, signed=False)
        return Network((pixel, source, output), (onward, self._coupling(source)), {})

    def _source(self, size: int) -> Population:
        return Population("hidden", size, Role.HIDDEN, self.state_bits, signed=self.signed)

    def _coupling(self, source: Population) -> DenseCoupling:
        weight = np.full((source.size, WIDE), self.sign * self.kind.limit, dtype=np.int8)
        return DenseCoupling("hidden", "output", weight, 0, self.kind)


CORNERS = [
    Corner(TERNARY, 8, signed=False, sign=1),
    Corner(TERNARY, 8, signed=True, sign=1),
    Corner(TERNARY, 8, signed=True, sign=-1),
    Corner(INT8, 4, signed=False, sign=-1),
    Corner(INT8, 5, signed=True, sign=1),
]


def delivered(plan: Plan, deltas: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    """What the output's accumulators become when the hidden population sends `deltas`."""
    accumulator = np.zeros(len(plan.bias), dtype=np.int32)
    events = int(np.count_nonzero(deltas))
    deliver(plan, 0, 0, deltas, events, accumulator, new_scratch(plan, 1))
    return accumulator[-WIDE:]


def largest_moves(network: Network) -> npt.NDArray[np.int16]:
    """From one end of the hidden population's range to the other, all neurons alike."""
    hidden = network.population("hidden")
    return np.full(hidden.size, hidden.state_max - hidden.state_min, dtype=np.int16)


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("direction", [1, -1])
def test_the_worst_corner_fits_its_sums_exactly(corner: Corner, direction: int) -> None:
    assert corner.rows >= MIN_SHARED_ROWS, "the 16-bit route must be the one taken"
    network = corner.network(3 * corner.rows + 2)
    deltas = np.int16(direction) * largest_moves(network)
    weight = network.couplings[1].parameters.astype(np.int64)
    assert np.array_equal(delivered(compile_plan(network), deltas), deltas @ weight)


@pytest.mark.parametrize("corner", CORNERS)
def test_one_row_more_than_the_bound_wraps(corner: Corner) -> None:
    network = corner.network(corner.rows + 1)
    plan, deltas = compile_plan(network), largest_moves(network)
    weight = network.couplings[1].parameters.astype(np.int64)
    assert np.abs(deltas @ weight).max() > SUM_LIMIT
    wider = plan._replace(projection_shared_rows=plan.projection_shared_rows + 1)
    assert not np.array_equal(delivered(wider, deltas), deltas @ weight)


def test_full_range_int8_is_summed_in_32_bits() -> None:
    corner = Corner(INT8, 8, signed=False, sign=-1)
    assert corner.rows < MIN_SHARED_ROWS
    network = corner.network(201)
    deltas = largest_moves(network)
    weight = network.couplings[1].parameters.astype(np.int64)
    assert np.array_equal(delivered(compile_plan(network), deltas), deltas @ weight)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), threshold=st.sampled_from([0, 3]))
def test_engines_agree_on_networks_wider_than_a_vector(seed: int, threshold: int) -> None:
    case = random_case(seed, max_size=3 * NARROW, batch=3)

    def run(engine: str) -> sim.PhaseResult:
        return sim.relax(
            case.network,
            case.inputs,
            engine=engine,
            threshold=threshold,
            max_sweeps=30,
            trace=True,
        )

    assert sim.first_difference(run("dense"), run("event")) is None
