"""Tracks on clamped outputs, carried states and lattices: verdicts of rows by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from toreq_hw import data, sim, train
from toreq_hw.errors import DataError
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.studies.tracks import cycles, generation, image_sequences, lattice, measuring
from toreq_hw.studies.tracks.rows import row
from toreq_hw.studies.tracks.subsets import few_of_each
from toreq_hw.training.integer import IntegerSettings, begin


def generation_rows(
    right: float, wrong: float = 10, means: float = 100, near: float = 20, judge: float = 95
) -> list[TrackRow]:
    found = [row("digits", generation.OWN, generation.JUDGE, [judge, judge])]
    named = {generation.OWN: right, generation.WRONG: wrong, generation.MEANS: means}
    for arm, share in named.items():
        found.append(row("digits", arm, generation.RIGHT, [share, share]))
        found.append(row("digits", arm, generation.NEAREST, [near, near + 1]))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (generation_rows(100), "holds"),
        (generation_rows(70), "holds within limits"),
        (generation_rows(20), "refuted"),
        (generation_rows(100, near=0), "refuted"),
        (generation_rows(100, judge=10), "not testable here"),
        (generation_rows(100, wrong=60), "not testable here"),
        (generation_rows(100, means=20), "not testable here"),
    ],
)
def test_generation_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert generation.verdict(rows).outcome == outcome


def cycle_rows(
    recalled: float,
    cycling: float,
    of_cycling: float,
    *,
    first: float = 12,
    mixed: float = 9,
    reset: float = 10,
) -> list[TrackRow]:
    """first, mixed: per cent of first images that are named, as shown and in shuffled order."""
    found = []
    for arm in (cycles.PARITY, cycles.AT_ONCE, cycles.RESET):
        control, all_at_once = arm == cycles.RESET, arm == cycles.AT_ONCE
        values = {
            cycles.RECALLED: 10.0 if control else recalled,
            cycles.CYCLING: cycling if all_at_once else 0.0,
            cycles.OF_CYCLING: of_cycling if all_at_once else 0.0,
            cycles.PERIOD: 2,
            cycles.FIRST.format(2): reset if control else first,
            cycles.FIRST.format(3): 10,
            cycles.MIXED: reset if control else mixed,
            cycles.COMMON: 14,
            cycles.LATER.format(8): 10 if control else 55,
            cycles.SHOWN_CYCLING: 3,
            cycles.SHOWN_PERIOD: 4,
        }
        found += [row("digits", arm, k, [v, v], control=control) for k, v in values.items()]
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (cycle_rows(60, 30, 60), "holds"),
        (cycle_rows(60, 1, 60), "holds within limits"),
        (cycle_rows(60, 30, 12), "holds within limits"),
        (cycle_rows(12, 30, 12), "refuted"),
    ],
)
def test_cycles_are_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert cycles.verdict(rows).outcome == outcome


def sequence_rows(first: float, mixed: float, reset: float = 10) -> list[TrackRow]:
    return cycle_rows(60, 1, 60, first=first, mixed=mixed, reset=reset)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (sequence_rows(60, 35), "holds within limits"),
        (sequence_rows(12, 14), "holds within limits"),
        (sequence_rows(60, 59), "not testable here"),
        (sequence_rows(60, 48), "not testable here"),
        (sequence_rows(60, 35, reset=30), "not testable here"),
    ],
)
def test_sequences_of_images_can_fail_their_controls(
    rows: Sequence[TrackRow], outcome: str
) -> None:
    found = cycles.verdict(rows)
    assert (found.outcome, found.controlled) == (outcome, outcome != "not testable here")


def test_delays_and_other_images_are_told() -> None:
    sentence = cycles.verdict(sequence_rows(60, 35)).sentence
    assert "Over another image something carries it." in sentence
    assert "Over another image nothing carries it." in cycles.verdict(sequence_rows(12, 9)).sentence
    assert "After 8 blank frames it differs by at most 5.0 points." in sentence
    assert "Their longest period is 4 sweeps." in sentence


@pytest.fixture(scope="module")
def digits_net() -> Network:
    return train("digits", hidden=(16,), weights="int8", epochs=1, seed=1, verbose=0).network


def test_sequences_are_of_the_samples_and_labels_they_say(digits_net: Network) -> None:
    dataset = data.load("digits")
    part = dataset.test
    states = data.input_states(digits_net, part.images, dataset.pixel_max)
    given = image_sequences.images(digits_net, dataset, part, 3, 1)
    assert given.frames.shape == (3, image_sequences.COUNT, 64)
    for frame, labels in zip(given.frames[:, :50], given.labels[:, :50], strict=True):
        for image, label in zip(frame, labels, strict=True):
            assert label in part.labels[(states == image).all(axis=1)]
    assert np.mean(given.labels[0] == given.labels[1]) < 0.2
    alike = image_sequences.images(digits_net, dataset, part, 3, 1, alike=True)
    assert np.mean(alike.labels[0] == alike.labels[2]) > 0.9
    assert np.mean((alike.frames[0] == alike.frames[1]).all(axis=1)) < 0.1


def test_a_shuffled_order_moves_images_and_leaves_labels(digits_net: Network) -> None:
    dataset = data.load("digits")
    given = image_sequences.images(digits_net, dataset, dataset.test, 2, 1)
    mixed = image_sequences.in_random_order(given, 1)
    assert np.array_equal(mixed.labels, given.labels)
    stayed = (mixed.frames == given.frames).all(axis=(0, 2))
    swapped = (mixed.frames == given.frames[::-1]).all(axis=(0, 2))
    assert (stayed | swapped).all()
    assert 0.4 < stayed.mean() < 0.6


def test_a_reset_network_ends_as_if_it_had_seen_the_last_image_alone(digits_net: Network) -> None:
    dataset = data.load("digits")
    given = image_sequences.images(digits_net, dataset, dataset.test, 2, 1)
    states, _ = image_sequences.ends(digits_net, given, 1000, reset=True)
    alone = sim.relax(digits_net, given.frames[1], max_sweeps=1000).states
    hidden = digits_net.relaxing[0]
    assert np.array_equal(states[:, : hidden.size], alone[hidden.name] / hidden.state_max)


def test_a_readout_names_a_first_image_that_states_keep(
    digits_net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keeps(_: object, given: image_sequences.Images, __: int, *, reset: bool) -> object:
        shown = given.frames[1] if reset else np.concatenate(list(given.frames), axis=1)
        return shown.astype(float), np.zeros(len(shown), dtype=np.bool_)

    monkeypatch.setattr(image_sequences, "ends", keeps)
    told = image_sequences.kept(digits_net, data.load("digits"), 2, 1, max_sweeps=1)
    assert told.first > 85
    assert 40 < told.shuffled < 60
    reset = image_sequences.kept(digits_net, data.load("digits"), 2, 1, max_sweeps=1, reset=True)
    assert reset.first < 20
    alike = image_sequences.kept(digits_net, data.load("digits"), 2, 1, max_sweeps=1, alike=True)
    assert alike.shuffled > 0.9 * alike.first


def test_a_forgetful_network_recalls_what_it_says_of_a_blank_frame(digits_net: Network) -> None:
    tests = measuring.Tests(data.load("digits"), digits_net)
    found = cycles._recall(digits_net, tests, forgets=True)
    blank = sim.relax(digits_net, np.zeros_like(tests.inputs)).classes
    for quantity in (cycles.RECALLED, *map(cycles.LATER.format, cycles.BLANKS)):
        assert found[quantity] == tests.accuracy(blank)


def lattice_rows(
    flat: float, equal: float, grown: float = 1.0, larger: bool = False, synapses: float = 100
) -> list[TrackRow]:
    """By how much the cube is ahead of flat nets, and growth of random growth; its synapses, where
    as many flat neurons have 1,000.
    """
    behind = {lattice.SMALL: 0.0, lattice.PLAIN: flat, lattice.AS_MANY: equal}
    behind |= {lattice.FROZEN: 0.2, lattice.GROWN: 0.0, lattice.AT_RANDOM: grown}
    if larger:
        behind |= {lattice.CUBE.format(8): 0, lattice.FLAT.format(8): 3, lattice.EQUAL.format(8): 4}
    found = []
    for arm, less in behind.items():
        found.append(row("digits", arm, lattice.ACCURACY, [97 - less, 97.1 - less]))
        found.append(row("digits", arm, lattice.SWEEPS, [5, 6]))
        found.append(row("digits", arm, lattice.LATERAL, [2, 2]))
        count = 1000 if arm == lattice.PLAIN else synapses
        found.append(row("digits", arm, lattice.SYNAPSES, [count, count]))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (lattice_rows(2, 1), "holds"),
        (lattice_rows(2, 1, grown=-1), "holds within limits"),
        (lattice_rows(2, -1), "holds within limits"),
        (lattice_rows(-0.2, -2), "holds within limits"),
        (lattice_rows(2, 1, synapses=500), "holds within limits"),
        (lattice_rows(2, 1, synapses=1100), "holds within limits"),
        (lattice_rows(2, -1, synapses=1100), "refuted"),
        (lattice_rows(-2, 1), "refuted"),
    ],
)
def test_lattice_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert lattice.verdict(rows).outcome == outcome


def test_larger_cubes_are_told_where_they_were_measured() -> None:
    sentence = lattice.verdict(lattice_rows(2, 1, larger=True)).sentence
    assert "The cube of 8^3 reaches 97.05" in sentence
    assert "It is ahead of as many flat neurons by 3.00 ± 0.00" in sentence
    assert "8^3" not in lattice.verdict(lattice_rows(2, 1)).sentence


def test_lattices_grow_where_credit_is_or_anywhere() -> None:
    shape = lattice.shape_of(lattice.SMALL)
    dataset = few_of_each(data.load("digits"), 4, 1)
    nets = {
        arm: lattice._changed(arm, shape, dataset, 1)
        for arm in (lattice.FROZEN, lattice.GROWN, lattice.AT_RANDOM)
    }
    inside = {arm: net.couplings[1] for arm, net in nets.items()}
    first = Trainer(shape, begin(dataset, IntegerSettings(), 1, blank=shape).trainer.rule, 1)
    still = first.network().couplings[1].parameters
    assert np.array_equal(inside[lattice.FROZEN].parameters, still)
    pairs = {arm: set(zip(*one.edges()[:2], strict=True)) for arm, one in inside.items()}
    assert {len(own) for own in pairs.values()} == {len(pairs[lattice.FROZEN])}
    assert len(set(map(frozenset, pairs.values()))) == 3


@pytest.mark.parametrize("side", [6, 8])
def test_flat_nets_have_as_many_neurons_or_synapses(side: int) -> None:
    cube, flat, equal = (
        lattice.shape_of(arm.format(side)) for arm in (lattice.CUBE, lattice.FLAT, lattice.EQUAL)
    )
    assert flat.relaxing[0].size == cube.relaxing[0].size == side**3
    assert abs(equal.synapses - cube.synapses) <= 37


def test_nets_on_larger_images_have_their_inputs_and_the_bits_of_the_recipe() -> None:
    try:
        whole = data.load("mnist")
    except DataError as error:
        pytest.skip(f"mnist IS ABSENT: {error}")
    for arm in (lattice.SMALL, lattice.PLAIN, lattice.AS_MANY, lattice.GROWN):
        shape = lattice.shape_of(arm, "mnist")
        assert shape.input.size == whole.pixels
        ends = [shape.couplings[0], shape.couplings[-1]]
        bits = recipe(WeightFormat.INT8, whole.pixels).fraction_bits
        assert tuple(one.fraction_bits for one in ends) == bits
