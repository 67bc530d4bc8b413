"""Stiff synapses: the compiled rule against plain Python, one sample at a time."""

import numpy as np
import pytest

from toreq_hw import network
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat, build
from toreq_hw.network.generator import next_word, seed_state
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.consolidation import STILL, ConsolidatedTrainer

SAMPLES = 20


def shapes() -> dict[str, Network]:
    return {
        "int8": network.layered((6, 9, 3), WeightFormat.INT8, (5, 5)),
        "ternary, loop": network.layered(
            (6, 9, 3), WeightFormat.TERNARY, (1, 1), loop_fraction_bits=2
        ),
        "ring": build("6", ["ring 9", "dense 3"], fraction_bits=(5, 5)),
        "convolution": build("1x6x1", ["conv 2 1x3", "dense 3"], fraction_bits=(5, 5)),
    }


def made(shape: Network, bits: int = 16) -> Trainer:
    return Trainer(shape, Rule(shift=3, bias_shift=4, latent_bits=bits), 3)


def samples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    return rng.integers(0, 256, (SAMPLES, 6)).astype(np.int16), rng.integers(0, 3, SAMPLES)


def stiffness_of(shape: Network) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    return {c.name: rng.integers(0, STILL + 1, c.parameters.shape) for c in shape.couplings}


@pytest.mark.parametrize("kind", shapes())
@pytest.mark.parametrize("bits", [16, 12])
def test_steps_are_those_of_plain_python(kind: str, bits: int) -> None:
    shape = shapes()[kind]
    given = stiffness_of(shape)
    found = ConsolidatedTrainer(made(shape, bits), given)
    plain = made(shape, bits)
    word = seed_state((1 << 32) - 1 - 3, network.generator.Stream.ROUNDING)
    inputs, labels = samples()
    moved = 0
    for number in range(SAMPLES):
        before = [plain.latents(k).astype(int) for k in range(len(plain.parts))]
        plain.learn(inputs, labels, [number])
        for part, old in enumerate(before):
            new, loop = plain.latents(part), plain.parts[part].coupling.is_self_coupling
            stiff = given[plain.parts[part].coupling.name]
            for at, c in np.ndenumerate(stiff):
                copy = loop and len(at) == 2 and at[1] <= at[0]
                if c == 0 or int(new[at]) == old[at] or copy:
                    continue
                word = next_word(word)
                step = (int(new[at]) - old[at]) >> (16 - bits)
                left = ((step << (16 - int(c))) + (word >> 16)) >> 16 if c < STILL else 0
                new[at] = old[at] + (left << (16 - bits))
                moved += left != 0
                if loop and len(at) == 2:
                    new[at[1], at[0]] = new[at]
        plain.program()
        found.learn(inputs, labels, [number])
        for part in range(len(before)):
            assert np.array_equal(found.latents(part), plain.latents(part))
        assert found.network().sha256 == plain.network().sha256
    assert moved


def test_no_stiffness_changes_nothing_and_most_stays() -> None:
    shape = shapes()["int8"]
    inputs, labels = samples()
    plain = made(shape)
    soft = ConsolidatedTrainer(plain, {})
    still = ConsolidatedTrainer(plain, {"input-hidden": np.full((6, 9), STILL)})
    for trainer in (plain, soft, still):
        trainer.learn(inputs, labels, range(SAMPLES))
    assert soft.network().sha256 == plain.network().sha256
    assert np.array_equal(still.latents(0), made(shape).latents(0))
    assert not np.array_equal(still.latents(1), made(shape).latents(1))


def test_what_does_not_fit_is_refused() -> None:
    shape = shapes()["int8"]
    for given, message in (
        ({"input-inner": np.zeros((6, 9))}, "stiffness must be of couplings"),
        ({"input-hidden": np.zeros((9, 6), dtype=int)}, "stiffness of 'input-hidden'"),
        ({"input-hidden": np.full((6, 9), 17)}, "stiffness of 'input-hidden'"),
    ):
        with pytest.raises(InputError, match=message):
            ConsolidatedTrainer(made(shape), given)
