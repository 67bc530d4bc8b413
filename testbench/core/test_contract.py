"""The small parts of the contract: phases, and what a message holds."""

import json

import pytest

from toreq_hw.contract.operations import message_bits
from toreq_hw.contract.phases import NUDGED_PHASES, PHASES, Phase
from toreq_hw.network import Population, Role


def test_phases_run_in_this_order() -> None:
    assert PHASES == ("free", "positive", "negative")
    assert [phase.sign for phase in PHASES] == [0, 1, -1]
    assert PHASES[1:] == NUDGED_PHASES
    assert json.loads(json.dumps({Phase.FREE: Phase.POSITIVE})) == {"free": "positive"}


@pytest.mark.parametrize("signed", [False, True])
def test_a_message_holds_every_change_of_a_state_and_its_sign(signed: bool) -> None:
    for state_bits in range(1 + signed, 9):
        population = Population("hidden", 1, Role.HIDDEN, state_bits, signed)
        largest = population.state_max - population.state_min
        assert message_bits(population) == largest.bit_length() + 1
