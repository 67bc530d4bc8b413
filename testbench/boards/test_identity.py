"""What a board says of its hardware stays what hosts and bitstreams in use expect."""

import numpy as np
import pytest

from testbench.networks import random_case
from toreq_hw.boards.link.identity import Identity, hardware_hash
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat
from toreq_hw.rtl.parameters import CoreParameters


def small_network() -> Network:
    populations = (Population("input", 9, Role.INPUT), Population("output", 5, Role.OUTPUT))
    weight = np.zeros((9, 5), dtype=np.int8)
    coupling = DenseCoupling("input", "output", weight, 3, WeightFormat.TERNARY)
    return Network(populations, (coupling,), {})


@pytest.mark.parametrize(
    ("threshold", "expected"), [(None, "cfff7e2af025952d"), (3, "cc68f2ea41e00e08")]
)
def test_the_hash_of_hardware_stays(threshold: int | None, expected: str) -> None:
    """Otherwise boards that are programmed already would have to be programmed again."""
    parameters = CoreParameters.of(small_network(), 4, update_lanes=2, threshold=threshold)
    assert hardware_hash(parameters).hex() == expected


def test_an_accumulator_register_is_other_hardware() -> None:
    plain, held = (
        CoreParameters.of(small_network(), 4, update_lanes=2, accumulator_register=register)
        for register in (False, True)
    )
    assert hardware_hash(plain) != hardware_hash(held)


def test_the_hash_of_a_deep_core_stays() -> None:
    network = random_case(3, schedule=Schedule.SEQUENTIAL).network
    parameters = CoreParameters.of(network, 4, large_coupling=0)
    assert hardware_hash(parameters).hex() == "e6d80c8309e789f8"


def test_a_core_of_256_lanes_is_named() -> None:
    """A byte of 0 stands for 256 lanes (docs/link.md)."""
    wide = CoreParameters.of(small_network(), 256, learn_lanes=256, latent_bits=12)
    found = Identity.of(wide, 25_000_000)
    assert found.encode()[15] == 0
    assert (found.lanes, found.learn_lanes) == (256, 256)
    assert Identity.decode(found.encode()) == found
