"""Latent weights of fewer than 16 bits: the low bits stay 0, all else is the rule as written."""

from pathlib import Path

import numpy as np
import pytest

from testbench.networks import Case
from testbench.sim.test_learning import latents_of, learn_by_reference
from testbench.sim.test_runs import looped, samples
from testbench.structured import convolutional
from toreq_hw.errors import InputError, NetworkFileError
from toreq_hw.network import Network, WeightFormat, layered
from toreq_hw.records import plain
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.learning.synapses import weights_of

INT8, TERNARY = WeightFormat.INT8, WeightFormat.TERNARY


def networks() -> list[Network]:
    dense = layered((30, 40, 4), TERNARY, (3, 3), state_bits=5, input_bits=4)
    return [dense, convolutional(1, (16, 3), TERNARY), looped(2, INT8)]


@pytest.mark.parametrize("network", networks(), ids=["dense", "convolution", "loop"])
@pytest.mark.parametrize("bits", [8, 11, 15])
def test_learning_is_that_of_the_reference(network: Network, bits: int) -> None:
    own = {network.couplings[-1].name: 16}
    rule = Rule(shift=2, bias_shift=2, theta=900, latent_bits=bits, own_latent_bits=own)
    trainer = Trainer(network, rule, seed=3)
    expected = latents_of(trainer)
    expected.bias = {p.name: np.zeros(p.biases, np.int64) for p in network.relaxing}
    expected.dropped = {c.name: 16 - rule.latent_bits_of(c.name) for c in network.couplings}
    inputs = samples(network, 8, 4)
    inputs = np.minimum(inputs, network.input.state_max).astype(np.int16)
    labels = np.arange(8) % network.output.size
    case = Case(network, inputs, labels)
    shifts = {c.name: 2 for c in network.couplings}
    before = expected.weight[network.couplings[0].name].copy()
    for sample in range(8):
        learn_by_reference(trainer.network(), expected, case, sample, shifts)
        trainer.learn(inputs, labels, np.array([sample]))
        for index, coupling in enumerate(network.couplings):
            found = trainer.latents(index)
            assert np.array_equal(found, expected.weight[coupling.name])
            step = 1 << 16 - rule.latent_bits_of(coupling.name)
            assert not np.any(found % step)
    assert np.any(before != expected.weight[network.couplings[0].name])


def test_first_weights_are_multiples_up_to_the_largest() -> None:
    network = layered((20, 30, 10), INT8, (6, 6))
    trainer = Trainer(network, Rule(latent_bits=10, initial_reach=3000), seed=1)
    latents = trainer.latents(0)
    assert not np.any(latents & 63)
    assert (int(latents.max()), int(latents.min())) == (2944, -2944)


def test_latents_stop_at_the_largest_multiple() -> None:
    # f = 15, so that y stays near 0 and the nudges take it to 255 and 0: G = 255 255 = 65025.
    network = layered((1, 1), INT8, (15,), state_bits=8, beta_shift=0)
    rule = Rule(shift=0, latent_bits=8, initial_reach=0)
    trainer = Trainer(network, rule, seed=1)
    for start in (0, 127 << 8):
        trainer.latents(0)[...] = start
        trainer.program()
        trainer.learn(np.array([[255]]), np.array([0]), np.array([0]))
        assert trainer.latents(0).tolist() == [[127 << 8]]
    trainer.latents(0)[...] = 32767
    with pytest.raises(InputError, match=r"must be in -32512..32512"):
        trainer.program()
    trainer.latents(0)[...] = 100
    with pytest.raises(InputError, match=r"must be multiples of 256, as they have 8 bits"):
        trainer.program()


def test_weights_survive_fewer_bits() -> None:
    for kind in WeightFormat:
        network = convolutional(3, (4, 5), kind)
        rule = Rule(latent_bits=8, theta=901)
        again = Trainer.from_network(network, rule, seed=1)
        assert again.network().sha256 == network.sha256
        theta = 901 if kind is TERNARY else 0
        assert np.array_equal(weights_of(again.latents(1), theta), network.couplings[1].parameters)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"latent_bits": 7}, "latent_bits must be an integer in 8..16, not 7"),
        ({"latent_bits": 17}, "latent_bits must be an integer in 8..16, not 17"),
        ({"own_latent_bits": {"a-b": 5}}, "latent_bits of coupling 'a-b' must be an integer"),
        (
            {"shift": 9, "latent_bits": 8},
            r"^shift \(k\) must be at most 8, its latent bits, not 9; use shift 8 or less, or late",
        ),
        (
            {"shifts": {"a-b": 12}, "latent_bits": 10},
            r"^coupling 'a-b': shift \(k\) must be at most 10, its latent bits, not 12; use",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused(wrong: dict[str, object], error: str) -> None:
    with pytest.raises(InputError, match=error):
        Rule(**wrong)


def test_rates_decay_to_the_latent_bits_and_no_further() -> None:
    rule = Rule(shift=8, latent_bits=9, decay_epochs=(1, 2, 3))
    assert [rule.shift_of("any", epoch) for epoch in range(4)] == [8, 9, 9, 9]


def test_own_latent_bits_name_couplings() -> None:
    with pytest.raises(InputError, match=r"own_latent_bits must name couplings .*, not 'no-no'"):
        Trainer(layered((2, 2), INT8, (3,)), Rule(own_latent_bits={"no-no": 9}), seed=1)


def test_a_checkpoint_keeps_them(tmp_path: Path) -> None:
    network = layered((6, 5, 4), INT8, (5, 5))
    for rule in (Rule(), Rule(latent_bits=12, own_latent_bits={"hidden-output": 10})):
        trainer = Trainer(network, rule, seed=1)
        checkpoint.save(trainer, tmp_path / "one.ckpt", {})
        again, _ = checkpoint.load(tmp_path / "one.ckpt")
        assert again.rule == rule
        assert np.array_equal(again.latents(1), trainer.latents(1))
    assert "latent_bits" not in plain(Rule().describe())
    with pytest.raises(NetworkFileError):
        checkpoint.load(tmp_path / "none.ckpt")
