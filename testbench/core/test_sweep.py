"""Colours as sets of neurons, and what a sweep answers to its readers."""

from dataclasses import replace
from pathlib import Path

import pytest

from testbench.colourings import chequered_case, coloured_case
from testbench.networks import random_case
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network import (
    Block,
    Colouring,
    Need,
    Network,
    NeuronSet,
    Pass,
    Schedule,
    load,
    require,
    save,
    split_by_colour,
)
from toreq_hw.network.file import header

HIDDEN = NeuronSet("hidden", range(16))
OUTPUT = NeuronSet("output", range(3))


def lattice(*colours: tuple[NeuronSet, ...]) -> Network:
    """The chequered lattice under other colours."""
    return replace(chequered_case().network, schedule=Colouring(colours))


def test_sets_are_ranges_where_they_can_be() -> None:
    assert NeuronSet("hidden", (2, 3, 4)) == NeuronSet("hidden", range(2, 5))
    assert NeuronSet("hidden", range(0, 5, 2)) == NeuronSet("hidden", (0, 2, 4))
    assert NeuronSet("hidden", (1, 2, 5)).blocks == (Block("hidden", 1, 3), Block("hidden", 5, 6))
    assert len(HIDDEN) == 16
    assert HIDDEN.blocks == (Block("hidden", 0, 16),)


@pytest.mark.parametrize("neurons", [(), (1, 1), (3, 2), (-1, 0), range(0), (0.5,), (True,)])
def test_other_sets_are_refused(neurons: tuple[int, ...]) -> None:
    with pytest.raises(NetworkError, match="neurons of 'hidden': must be "):
        NeuronSet("hidden", neurons)


REFUSED = {
    "nothing in a colour": (((), (HIDDEN,)), "colour 0 must have one set"),
    "a population twice": (((HIDDEN, NeuronSet("hidden", (3,))),), "colour 0 must have one set"),
    "no set": (((range(3),),), "colour 0 must hold NeuronSets"),
    "a neuron too many": (
        ((NeuronSet("hidden", range(17)),), (OUTPUT,)),
        r"colours must hold neurons of hidden, output, found 'hidden' \[16\]",
    ),
    "the input": (
        ((HIDDEN,), (OUTPUT,), (NeuronSet("input", range(6)),)),
        r"found 'input' \[5\]",
    ),
    "a neuron too few": (
        ((NeuronSet("hidden", range(15)),), (OUTPUT,)),
        r"colours must hold every relaxing neuron, found none with 'hidden' \[15\]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_colourings_are_refused(name: str) -> None:
    colours, words = REFUSED[name]
    with pytest.raises(NetworkError, match=words):
        lattice(*colours)  # type: ignore[arg-type]  # what is refused


def test_a_chequered_lattice_answers() -> None:
    sweep = chequered_case().network.sweep
    assert sweep.always_settles
    assert sweep.visits_each_neuron_once
    assert not sweep.whole_populations
    assert sweep.colour_of("hidden")[:6].tolist() == [0, 1, 0, 1, 1, 0]
    assert [len(blocks) for blocks in sweep.blocks] == [7, 6, 1]


def test_stored_schedules_answer() -> None:
    looped = random_case(5, schedule=Schedule.SEQUENTIAL).network
    size = looped.relaxing[0].size
    passes = looped.sweep.passes
    assert passes[0] == Pass((looped.relaxing[0].name,), neuron_by_neuron=size > 1)
    assert [part.neuron_by_neuron for part in passes[1:]] == [False] * (len(looped.relaxing) - 1)
    assert looped.sweep.visits_each_neuron_once
    layered = random_case(5, schedule=Schedule.PARITY).network
    names = [p.name for p in layered.relaxing]
    sides = [tuple(names[side::2]) for side in (0, 1) if names[side::2]]
    assert layered.sweep.passes == tuple(Pass(side, neuron_by_neuron=False) for side in sides)
    together = replace(looped, schedule=Schedule.SYNCHRONOUS)
    assert not together.sweep.always_settles
    assert together.sweep.whole_populations


NEEDS = {
    "together": (
        replace(chequered_case().network, schedule=Schedule.SYNCHRONOUS),
        Need.ALWAYS_SETTLES,
        "schedule must be parity or sequential on a toy, not synchronous: a two-cycle would never "
        "end; choose another schedule",
    ),
    "joined": (
        lattice((HIDDEN,), (OUTPUT,)),
        Need.ALWAYS_SETTLES,
        "schedule must have no coupling inside a colour on a toy, found a colouring that does not",
    ),
    "twice": (
        lattice((OUTPUT,), (HIDDEN,), (OUTPUT,)),
        Need.VISITS_EACH_NEURON_ONCE,
        "schedule must update no neuron twice in a sweep on a toy, found a colouring that does",
    ),
    "in part": (
        chequered_case().network,
        Need.WHOLE_POPULATIONS,
        "schedule must hold whole populations in each colour on a toy, found a colouring that does "
        "not; use split_by_colour",
    ),
    "stored": (
        lattice((OUTPUT,), (HIDDEN,), (OUTPUT,)),
        Need.STORED,
        "schedule must update no neuron twice in a sweep on a toy, found a colouring that does not",
    ),
}


@pytest.mark.parametrize("name", NEEDS)
def test_a_need_that_is_not_met_is_refused_in_one_line(name: str) -> None:
    network, need, words = NEEDS[name]
    with pytest.raises(InputError) as refused:
        require(network.sweep, "on a toy", need, error=InputError)
    assert str(refused.value).startswith(words)


def test_a_colouring_that_updates_a_neuron_twice_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    with pytest.raises(NetworkError, match="in a network file, found a colouring"):
        save(lattice((OUTPUT,), (HIDDEN,), (OUTPUT,)), path)
    assert not path.exists()


def test_a_file_holds_a_colouring(tmp_path: Path) -> None:
    for network in (chequered_case().network, coloured_case(3).network):
        save(network, tmp_path / "network.safetensors")
        found = load(tmp_path / "network.safetensors")
        assert found.colours == network.colours
        assert found.sha256 == network.sha256
        assert header(found)["version"] == 2
        assert header(found)["schedule"] == "colouring"


def test_colours_are_part_of_what_a_network_is() -> None:
    network = chequered_case().network
    other = replace(network, schedule=Colouring(network.colours[::-1]))
    assert network.sha256 != other.sha256


def test_a_split_keeps_every_sum() -> None:
    split = split_by_colour(chequered_case().network)
    names = [c.name for c in split.network.couplings]
    assert names == [
        "input-hidden_0",
        "input-hidden_1",
        "hidden_0-hidden_1",
        "hidden_0-output",
        "hidden_1-output",
    ]
    fraction_bits = {
        p.name: split.network.accumulator_fraction_bits(p.name) for p in split.network.relaxing
    }
    assert fraction_bits == {"hidden_0": 9, "hidden_1": 9, "output": 6}


def test_an_output_of_two_colours_and_names_that_are_taken_are_refused() -> None:
    output = (NeuronSet("output", (0,)), NeuronSet("output", (1, 2)))
    with pytest.raises(NetworkError, match="output 'output' must have one colour to be split"):
        split_by_colour(lattice((HIDDEN,), (output[0],), (output[1],)))
    with pytest.raises(NetworkError, match="to be split by colour, found a colouring"):
        split_by_colour(lattice((OUTPUT,), (HIDDEN,), (OUTPUT,)))


def test_weights_of_a_colour_follow_the_network() -> None:
    network = chequered_case().network
    lateral = network.couplings[1].parameters.copy()
    lateral[0, 2] = lateral[2, 0] = 1
    joined = replace(
        network,
        couplings=tuple(
            c.with_parameters(lateral) if c.is_self_coupling else c for c in network.couplings
        ),
    )
    assert not joined.sweep.always_settles
