"""On-chip learning: the compiled rule is the written rule, and resuming gives the same bits."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import Case, cases
from testbench.shifted_networks import shifted_case
from toreq_hw import sim
from toreq_hw.contract.learning import WEYL_STEP
from toreq_hw.errors import InputError, NetworkFileError
from toreq_hw.network import Network, WeightFormat, layered
from toreq_hw.network.generator import Stream, seed_state
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.learning import training_samples as samples_module
from toreq_hw.sim.learning.augmentation import shift_images
from toreq_hw.sim.learning.generator import random_words, sample_order
from toreq_hw.sim.learning.reference import (
    Latents,
    biases_of,
    next_random_state,
    rounding_offset,
    update,
)
from toreq_hw.sim.learning.synapses import weights_of
from toreq_hw.sim.learning.training_samples import TrainingSamples, learn_epoch
from toreq_hw.tensor_file import tensor_bytes


def test_generator_by_hand() -> None:
    # Marsaglia 2003, 32 bits, shifts 13, 17, 5, from 1: the published first value.
    assert next_random_state(1) == 270369
    assert next_random_state(270369) == 67634689
    assert random_words(2, 1).tolist() == [270369, 67634689]


def test_seeds_and_streams_differ() -> None:
    states = [seed_state(seed, stream) for seed in range(1000) for stream in Stream]
    assert len(set(states)) == len(states)
    assert 0 not in states


def test_rounding_offsets_are_uniform_over_a_row_and_over_rows() -> None:
    # 65,536 columns take every 16-bit word once, whatever the row's draw.
    over_columns = Counter(rounding_offset(0xDEADBEEF, j, 4) for j in range(1 << 16))
    assert set(over_columns.values()) == {1 << 12}
    assert WEYL_STEP % 2 == 1
    over_rows = np.bincount([rounding_offset(int(d), 3, 2) for d in random_words(40_000, 5)])
    assert np.all(np.abs(over_rows / 40_000 - 0.25) < 0.01)


def test_columns_step_as_documented() -> None:
    # docs/numerics.md, section 6: column j adds 0x9E37 j mod 2^16; by hand for j = 0 .. 3.
    net, _ = training_samples()
    weyl = Trainer(net, Rule(), seed=1).synapses.weyl
    assert weyl[:4].tolist() == [0, 0x9E37, 0x3C6E, 0xDAA5]
    assert [rounding_offset(0, j, 16) for j in range(4)] == [0, 0x9E37, 0x3C6E, 0xDAA5]


def test_stochastic_rounding_is_unbiased() -> None:
    # A product of 5 at k = 4 moves V by 5/16 on average.
    moves = [(5 + rounding_offset(int(d), 0, 4)) >> 4 for d in random_words(40_000, 9)]
    assert abs(np.mean(moves) - 5 / 16) < 0.01


@pytest.mark.parametrize(
    ("latent", "ternary", "int8"),
    [
        (0, 0, 0),
        (127, 0, 0),
        (128, 0, 1),
        (-128, 0, 0),
        (-129, 0, -1),
        (4095, 0, 16),
        (4096, 1, 16),
        (-4095, 0, -16),
        (-4096, -1, -16),
        (32767, 1, 127),
        (-32767, -1, -127),
    ],
)
def test_weights_of_latents_by_hand(latent: int, ternary: int, int8: int) -> None:
    latents = np.array([latent], np.int16)
    assert weights_of(latents, 4096).tolist() == [ternary]
    assert weights_of(latents, 0).tolist() == [int8]


@settings(max_examples=60, deadline=None)
@given(case=st.one_of(cases(skips=True), st.integers(0, 2**32 - 1).map(shifted_case)))
def test_kernel_is_the_written_rule(case: Case) -> None:
    shifts = {c.name: 3 + k for k, c in enumerate(case.network.couplings)}
    rule = Rule(shift=0, bias_shift=2, theta=300, initial_reach=900, shifts=shifts)
    trainer = Trainer(case.network, rule, seed=11)
    biases = [case.network.biases[p.name] for p in case.network.relaxing]
    trainer.synapses.bias_latent[:] = np.concatenate(biases) << 4
    trainer.program()
    expected = latents_of(trainer)
    for sample in range(len(case.inputs)):
        learn_by_reference(trainer.network(), expected, case, sample, shifts)
        progress = trainer.learn(case.inputs, case.labels, np.array([sample]))
        assert progress.samples == 1
        found = latents_of(trainer)
        for name, latents in expected.weight.items():
            assert np.array_equal(found.weight[name], latents), name
        for name, latents in expected.bias.items():
            assert np.array_equal(found.bias[name], latents), name
        assert found.random_state == expected.random_state
        trained = trainer.network()
        for c, k in zip(trained.couplings, range(100), strict=False):
            theta = int(trainer.synapses.theta[k])
            assert np.array_equal(c.parameters, weights_of(trainer.latents(k), theta))
        for name, bias in biases_of(expected).items():
            assert np.array_equal(trained.biases[name], bias)


def latents_of(trainer: Trainer) -> Latents:
    net = trainer.blueprint
    layout = sim.Layout(net)
    return Latents(
        {c.name: trainer.latents(k).astype(np.int64) for k, c in enumerate(net.couplings)},
        {
            p.name: trainer.synapses.bias_latent[layout.of(p)][: p.biases].astype(np.int64)
            for p in net.relaxing
        },
        int(trainer.random_state),
    )


def learn_by_reference(
    net: Network,
    latents: Latents,
    case: Case,
    sample: int,
    shifts: dict[str, int],
    bias_shift: int = 2,
) -> None:
    x, y = case.inputs[sample : sample + 1], case.labels[sample : sample + 1]
    free = sim.free_phase(net, x, engine="reference")
    phases = [sim.nudged_phase(net, x, free, y, s, engine="reference") for s in (1, -1)]
    positive, negative = ({n: s[0] for n, s in p.states.items()} for p in phases)
    update(net, latents, x[0], positive, negative, shifts, dict.fromkeys(positive, bias_shift))


def training_samples(augment: int = 0) -> tuple[Network, TrainingSamples]:
    net = layered((16, 12, 4), WeightFormat.TERNARY, (2, 2))
    rng = np.random.default_rng(2)
    inputs = rng.integers(0, 256, (1200, 16)).astype(np.int16)
    labels = inputs.reshape(-1, 4, 4).sum(axis=2).argmax(axis=1)
    return net, TrainingSamples(inputs, labels, (4, 4), augment)


def test_a_large_network_is_watched_as_often_and_learns_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, training = training_samples()
    seen: dict[int, list[int]] = {}
    found = []
    synapses = 16 * 12 + 12 * 4
    for most in (1 << 28, 7 * synapses, 1):
        monkeypatch.setattr(samples_module, "_RUN_SYNAPSES", most)
        trainer = Trainer(net, Rule(), seed=4)
        counts = seen.setdefault(most, [])
        learn_epoch(trainer, training, lambda part, counts=counts: counts.append(part.samples))
        found.append((trainer.network().sha256, trainer.random_state))
    assert [seen[most][0] for most in seen] == [500, 7, 1]
    assert len(set(found)) == 1


def test_resuming_gives_the_same_bits(tmp_path: Path) -> None:
    net, training = training_samples(augment=1)
    rule = Rule(decay_epochs=(2,))
    straight = Trainer(net, rule, seed=4)
    for _ in range(4):
        learn_epoch(straight, training)
    broken = Trainer(net, rule, seed=4)
    learn_epoch(broken, training)
    path = tmp_path / "t.checkpoint"
    checkpoint.save(broken, path, {"note": [1]})
    resumed, notes = checkpoint.load(path)
    assert notes == {"note": [1]}
    for _ in range(3):
        learn_epoch(resumed, training)
    assert resumed.network().sha256 == straight.network().sha256
    assert np.array_equal(resumed.synapses.latent, straight.synapses.latent)
    assert resumed.random_state == straight.random_state


def test_learning_learns_and_seeds_matter() -> None:
    net, training = training_samples()
    trainers = [Trainer(net, Rule(), seed) for seed in (1, 1, 2)]
    last = [[learn_epoch(t, training) for _ in range(15)][-1] for t in trainers]
    assert last[0].correct / last[0].samples > 0.8  # chance is 0.25
    assert last[0].unsettled == 0
    hashes = [t.network().sha256 for t in trainers]
    assert hashes[0] == hashes[1] != hashes[2]


def test_sample_order_is_a_fresh_permutation_each_epoch() -> None:
    first, second = sample_order(100, 3, 0), sample_order(100, 3, 1)
    assert sorted(first) == sorted(second) == list(range(100))
    assert first.tolist() != second.tolist()
    assert first.tolist() == sample_order(100, 3, 0).tolist()


def test_augmentation_moves_images_and_nothing_else() -> None:
    image = np.arange(1, 10, dtype=np.int16).reshape(1, 9)
    moved = shift_images(np.repeat(image, 500, axis=0), (3, 3), 1, seed=1, epoch=0)
    kinds = Counter(tuple(row) for row in moved.tolist())
    assert len(kinds) == 9  # eight directions and staying
    assert kinds[tuple(range(1, 10))] > 20
    assert kinds[(0, 0, 0, 0, 1, 2, 0, 4, 5)] > 20  # down and right
    assert np.array_equal(shift_images(image, (3, 3), 0, 1, 0), image)


def test_an_epoch_mirrors_what_it_moved() -> None:
    net, training = training_samples(augment=1)
    mirrored = replace(training, mirror=True)
    trainer = Trainer(net, Rule(), 1)
    moved, order = samples_module.epoch_samples(trainer, training)
    turned, again = samples_module.epoch_samples(trainer, mirrored)
    assert np.array_equal(order, again)
    pairs = zip(moved.reshape(-1, 4, 4), turned.reshape(-1, 4, 4), strict=True)
    kinds = {(np.array_equal(a, b), np.array_equal(a[:, ::-1], b)) for a, b in pairs}
    assert {(True, False), (False, True)} <= kinds <= {(True, False), (False, True), (True, True)}


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"shift": 17}, "shift must be an integer in 0..16, not 17"),
        ({"bias_shift": -1}, "bias_shift must be an integer in 0..16, not -1"),
        ({"theta": 0}, "theta must be an integer in 1..32767, not 0"),
        ({"initial_reach": 40000}, "initial_reach must be an integer in 0..32767, not 40000"),
        ({"shifts": {"a-b": 1.5}}, "shift of coupling 'a-b' must be an integer in 0..16, not 1.5"),
    ],
)
def test_bad_rules_are_refused(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Rule(**settings_)
    assert str(caught.value) == message


def test_bad_arguments_of_trainers_are_refused() -> None:
    net, training = training_samples()
    with pytest.raises(InputError, match="shifts must name couplings"):
        Trainer(net, Rule(shifts={"a-b": 3}), 1)
    with pytest.raises(InputError, match=r"seed must be an integer in 0\.\.4294967295, not -1"):
        Trainer(net, Rule(), -1)
    with pytest.raises(InputError, match="accumulators must stay within"):
        Trainer(layered((70_000, 1, 1), WeightFormat.INT8, (0, 0)), Rule(), 1)
    trainer = Trainer(net, Rule(), 1)
    with pytest.raises(InputError, match="labels: must be one per input"):
        trainer.learn(training.inputs, training.labels[:5], np.arange(5))


def test_bad_checkpoints_are_refused(tmp_path: Path) -> None:
    net, _ = training_samples()
    path = tmp_path / "t.checkpoint"
    checkpoint.save(Trainer(net, Rule(), 1), path, {})
    change = path.read_bytes().replace(b'version\\": 2', b'version\\": 7')
    path.write_bytes(change)
    with pytest.raises(NetworkFileError, match="format and version must be"):
        checkpoint.load(path)
    path.write_bytes(tensor_bytes({}, {"training": "[]"}))
    with pytest.raises(NetworkFileError, match="must hold an object"):
        checkpoint.load(path)
    with pytest.raises(NetworkFileError, match="must be readable"):
        checkpoint.load(tmp_path / "none")
