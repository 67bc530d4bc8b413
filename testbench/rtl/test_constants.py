"""Constants that rtl takes from the contract, written a second time for what checks the core."""

import pytest

from testbench.networks import random_case
from toreq_hw.network import Schedule
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command, phase_table


@pytest.mark.parametrize("seed", range(4))
def test_every_bias_is_kept_with_half_a_state(seed: int) -> None:
    network = random_case(seed, schedule=Schedule.SEQUENTIAL).network
    parameters = CoreParameters.of(network, 4)
    rest, bits = MemoryImages.of(network, parameters).rest, parameters.accumulator_bits
    for population, place in zip(network.relaxing, parameters.relaxing, strict=True):
        deepest = max(
            c.fraction_bits for c in network.couplings if population.name in (c.pre, c.post)
        )
        assert place.half == int(2.0**deepest / 2)
        expected = network.biases[population.name] + int(2.0**deepest / 2)
        for neuron, wanted in enumerate(expected.tolist()):
            group, lane = divmod(neuron, parameters.lanes)
            field = rest[place.first_group + group] >> lane * bits
            assert field % 2**bits == wanted % 2**bits


def test_phases_and_limits() -> None:
    table = [(phase.command, phase.sign) for phase in phase_table(lossy=False)]
    assert table == [(Command(0), 0), (Command(1), 1), (Command(2), -1)]
    network = random_case(0, schedule=Schedule.SEQUENTIAL).network
    assert CoreParameters.of(network, 4).max_sweeps == 10_000
