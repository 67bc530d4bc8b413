"""Corners of docs/numerics.md that a second implementation asked about, each by hand."""

import numpy as np
import pytest

from toreq_hw import sim
from toreq_hw.contract.learning import BIAS_LATENT_LIMIT
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.contract.operations import dense_synops, fan_outs
from toreq_hw.network import (
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    layered,
)
from toreq_hw.network.generator import Stream, seed_state
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.augmentation import mirror_images, shift_images
from toreq_hw.sim.learning.generator import epoch_seed
from toreq_hw.sim.learning.reference import Latents, next_random_state, update


def test_the_parity_graph_leaves_the_input_out() -> None:
    # Input to hidden, to output and hidden to output: an odd cycle only through the input.
    net = Network(
        (
            Population("input", 1, Role.INPUT, 8),
            Population("hidden", 1, Role.HIDDEN, 8),
            Population("output", 1, Role.OUTPUT, 8),
        ),
        tuple(
            DenseCoupling(pre, post, np.ones((1, 1), np.int8), 0, WeightFormat.TERNARY)
            for pre, post in (("input", "hidden"), ("input", "output"), ("hidden", "output"))
        ),
        {},
    )
    assert [[b.population for b in colour] for colour in net.colours] == [["hidden"], ["output"]]


@pytest.mark.parametrize("engine", sim.EngineName)
def test_a_colour_without_populations_is_no_tick(engine: sim.EngineName) -> None:
    net = Network(
        (Population("input", 1, Role.INPUT, 8), Population("output", 1, Role.OUTPUT, 8)),
        (DenseCoupling("input", "output", np.ones((1, 1), np.int8), 0, WeightFormat.TERNARY),),
        {},
    )
    relaxation = sim.relax(net, np.array([[5]], np.int16), engine=engine, trace=True)
    assert len(net.colours) == 1
    assert relaxation.sweeps.tolist() == [2]
    assert relaxation.trace is not None
    # The start, then one tick a sweep.
    assert relaxation.trace.states(0)["output"].ravel().tolist() == [0, 5, 5]


def self_coupled() -> Network:
    return layered(
        (2, 3, 2),
        WeightFormat.TERNARY,
        (2, 2),
        loop_fraction_bits=2,
        schedule=Schedule.SEQUENTIAL,
    )


def test_a_self_coupling_is_counted_whole() -> None:
    net = self_coupled()
    assert fan_outs(net, "hidden").tolist() == 3 * [3 + 2]
    # A sweep reads hidden-hidden once (9) and hidden-output both ways (12); the drive is 2 x 3.
    assert dense_synops(net, np.array([4], np.int32), continued=False).tolist() == [6 + 4 * 21]


def test_a_self_couplings_last_row_takes_a_random_word_though_it_has_no_column() -> None:
    net = self_coupled()
    latents = Latents(
        {c.name: np.zeros(c.parameters.shape, np.int64) for c in net.couplings},
        {p.name: np.zeros(p.size, np.int64) for p in net.relaxing},
        random_state=1,
    )
    hidden, still = np.array([0, 0, 3]), np.zeros(2, np.int64)
    states = {"hidden": hidden, "output": still}
    moved = {"hidden": np.array([0, 0, 4]), "output": still}
    rates = {c.name: 4 for c in net.couplings}
    update(net, latents, np.zeros(2, np.int64), moved, states, rates, dict.fromkeys(moved, 4))
    # Row 2 of hidden-hidden, row 2 of hidden-output, the hidden biases: three draws.
    expected = 1
    for _ in range(3):
        expected = next_random_state(expected)
    assert latents.random_state == expected


def test_rates_decay_to_sixteen_and_no_further() -> None:
    rule = Rule(shift=15, bias_shift=16, decay_epochs=(1, 2, 3))
    assert [rule.shift_of("any", epoch) for epoch in range(5)] == [15, 16, 16, 16, 16]
    assert [rule.bias_shift_of("any", epoch) for epoch in range(5)] == [16] * 5


@pytest.mark.parametrize(("theta", "latent"), [(21844, 32766), (21845, 32767), (32767, 32767)])
def test_going_on_from_ternary_weights_stays_within_the_latents(theta: int, latent: int) -> None:
    net = Network(
        (Population("input", 1, Role.INPUT, 8), Population("output", 2, Role.OUTPUT, 8)),
        (DenseCoupling("input", "output", np.array([[1, -1]], np.int8), 2, WeightFormat.TERNARY),),
        {},
    )
    trainer = Trainer.from_network(net, Rule(theta=theta), seed=1)
    assert trainer.latents(0).tolist() == [[latent, -latent]]
    assert trainer.network().couplings[0].parameters.tolist() == [[1, -1]]


def test_moved_images_by_the_formula() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 12), dtype=np.int16)
    most_pixels, seed, epoch = 2, 9, 3
    moved = shift_images(images, (3, 4), most_pixels, seed, epoch).reshape(7, 3, 4)
    state = seed_state(epoch_seed(seed, epoch), Stream.AUGMENTATION)
    for image, found in zip(images.reshape(7, 3, 4), moved, strict=True):
        state = next_random_state(state)
        down = ((state >> 16) * (2 * most_pixels + 1)) >> 16
        right = ((state % (1 << 16)) * (2 * most_pixels + 1)) >> 16
        for y in range(3):
            for x in range(4):
                row, column = y - down + most_pixels, x - right + most_pixels
                inside = 0 <= row < 3 and 0 <= column < 4
                assert found[y, x] == (image[row, column] if inside else 0)


def test_images_are_mirrored_as_the_page_says() -> None:
    seed, epoch = 3, 2
    images = np.arange(1, 1 + 40 * 2 * 3 * 2, dtype=np.int16).reshape(40, 12)
    found = mirror_images(images, (2, 3), seed, epoch).reshape(40, 2, 3, 2)
    state, turned = seed_state(epoch_seed(seed, epoch), Stream.AUGMENTATION), 0
    for image, mirrored in zip(images.reshape(40, 2, 3, 2), found, strict=True):
        state = next_random_state(state)
        turned += state % 2
        for y in range(2):
            for x in range(3):
                column = 2 - x if state % 2 else x
                assert mirrored[y, x].tolist() == image[y, column].tolist()
    assert 10 < turned < 30


def test_defaults_and_limits_are_those_of_the_page() -> None:
    rule = Rule()
    assert (rule.theta, rule.initial_reach, rule.shift, rule.bias_shift) == (4096, 6000, 5, 7)
    assert rule.decay_epochs == ()
    assert MAX_SWEEPS == 10_000
    assert BIAS_LATENT_LIMIT == 2**26 - 1
    assert Stream.AUGMENTATION == 3
