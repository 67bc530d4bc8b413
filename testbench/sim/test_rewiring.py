"""Growth and pruning of sparse couplings."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import Case
from testbench.structured import structured_cases
from toreq_hw import sim
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network import (
    Network,
    OwnFeedback,
    Population,
    Role,
    SparseCoupling,
    WeightFormat,
    build,
)
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.rewiring import contrasts, rewire


def small() -> Network:
    """Three inputs and two outputs, joined at (0, 0), (1, 0), (1, 1), (2, 1)."""
    populations = (Population("x", 3, Role.INPUT, 4), Population("y", 2, Role.OUTPUT, 4))
    pairs = (np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]))
    coupling = SparseCoupling.of_pairs(
        "x", "y", pairs, (3, 2), fraction_bits=2, weight_format=WeightFormat.INT8
    )
    return Network(populations, (coupling,), {}, beta_shift=0)


def test_one_exchange_by_hand() -> None:
    # All weights 0: y = 0, label 0, so that e = (15, 0): y+ = (15, 0), y- = 0 (clipped).
    # Contrasts x_i (y+_j - y-_j): 15 x_i for j = 0, else 0. Absent sites (0, 1), (2, 0): 0 and 45.
    trainer = Trainer(small(), Rule(initial_reach=0), seed=1)
    trainer.latents(0)[:] = [40, -7, 7, 90]
    trainer.program()
    found = contrasts(trainer.network(), 0, [[1, 2, 3]], [0])
    assert found.tolist() == [[15, 0], [30, 0], [45, 0]]
    # (2, 0) grows; of -7 at (1, 0) and 7 at (1, 1) the first goes. (0, 1) has no contrast.
    made = rewire(trainer, "x-y", [[1, 2, 3]], [0], count=2)
    pre, post, _ = made.blueprint.couplings[0].edges()
    assert list(zip(pre.tolist(), post.tolist(), strict=True)) == [(0, 0), (1, 1), (2, 0), (2, 1)]
    assert made.latents(0).tolist() == [40, 7, 0, 90]
    assert trainer.latents(0).tolist() == [40, -7, 7, 90]
    assert made.random_state == trainer.random_state
    same = rewire(trainer, "x-y", [[1, 2, 3]], [0], count=2, candidates=([0], [1]))
    assert np.array_equal(same.latents(0), trainer.latents(0))


@settings(max_examples=25, deadline=None)
@given(case=structured_cases(), count=st.integers(0, 6))
def test_what_is_not_touched_stays(case: Case, count: int) -> None:
    sparse = [k for k, c in enumerate(case.network.couplings) if isinstance(c, SparseCoupling)]
    trainer = Trainer(case.network, Rule(shift=2, theta=300, initial_reach=900), seed=3)
    for index in sparse:
        old = case.network.couplings[index]
        wanted = min(count, old.parameters.size)
        try:
            made = rewire(trainer, old.name, case.inputs, case.labels, wanted)
        except NetworkError:
            assert old.is_self_coupling  # a grown pair of one colour
            continue
        new = made.blueprint.couplings[index]
        assert new.parameters.size == old.parameters.size
        sites = [
            {(i, j): v for i, j, v in zip(*c.edges()[:2], t.latents(index), strict=True)}
            for c, t in ((old, trainer), (new, made))
        ]
        both = sites[0].keys() & sites[1].keys()
        assert len(both) >= old.parameters.size - wanted
        assert all(sites[0][site] == sites[1][site] for site in both)
        assert all(sites[1][site] == 0 for site in sites[1].keys() - both)
        gone = [abs(int(sites[0][site])) for site in sites[0].keys() - both]
        assert max(gone, default=0) <= min((abs(int(sites[0][s])) for s in both), default=1 << 15)
        runs = [sim.free_phase(made.network(), case.inputs, engine=e) for e in sim.EngineName]
        assert all(sim.first_difference(runs[0], one) is None for one in runs[1:])
        made.learn(case.inputs, case.labels, np.arange(len(case.inputs)))


def test_digits_learn_on_after_an_exchange() -> None:
    from toreq_hw import data
    from toreq_hw.sim.learning.generator import sample_order

    digits = data.load("digits")
    words = ["random 64 density 0.2", "dense 10"]
    shape = build("64", words, fraction_bits=(6, 6), seed=2)
    trainer = Trainer(shape, Rule(shift=5, bias_shift=7, initial_reach=3000), 1)
    inputs = data.encode(digits.train.images, digits.pixel_max, shape.input)
    found = []
    for epoch in range(4):
        trainer.epoch = epoch
        progress = trainer.learn(inputs, digits.train.labels, sample_order(len(inputs), 1, epoch))
        found.append(progress.correct / progress.samples)
        trainer = rewire(trainer, "input-hidden", inputs[:300], digits.train.labels[:300], 40)
    assert found[-1] > 0.85
    assert found[-1] > found[0]


def test_what_cannot_grow_is_refused() -> None:
    trainer = Trainer(small(), Rule(), seed=1)
    with pytest.raises(InputError, match=r"count must be a whole number in 0..4, not 5"):
        rewire(trainer, "x-y", [[1, 2, 3]], [0], 5)
    with pytest.raises(InputError, match="coupling must be one of x-y, not 'x-z'"):
        rewire(trainer, "x-z", [[1, 2, 3]], [0], 1)
    with pytest.raises(InputError, match="candidates"):
        rewire(trainer, "x-y", [[1, 2, 3]], [0], 1, candidates=([3], [0]))
    dense = build("3", ["dense 4", "dense 2"])
    with pytest.raises(InputError, match="must be sparse, with symmetric feedback, to grow"):
        rewire(Trainer(dense, Rule(), 1), "input-hidden", [[1, 2, 3]], [0], 1)
    own = build("3", ["dense 4", "random 4 density 0.5", "dense 2"])
    second = own.couplings[1]
    feedback = OwnFeedback(np.zeros_like(second.parameters))
    couplings = (own.couplings[0], replace(second, own_feedback=feedback), own.couplings[2])
    with pytest.raises(InputError, match="with symmetric feedback"):
        rewire(
            Trainer(replace(own, couplings=couplings), Rule(), 1), second.name, [[1, 2, 3]], [0], 1
        )
