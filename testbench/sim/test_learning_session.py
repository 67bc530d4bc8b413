"""A sample that is learned tick by tick: the phases shown are those that the update is made of."""

import numpy as np
import pytest
from hypothesis import given, settings

from testbench.networks import Case, cases, random_case
from testbench.watching import Registers
from toreq_hw import sim
from toreq_hw.contract.phases import PHASES, Phase
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.reference import Latents, biases_of, update
from toreq_hw.sim.learning.session import LearningSession

RULE = Rule(shift=3, bias_shift=4)


def latents_of(trainer: Trainer) -> Latents:
    """A trainer's state in the terms of the written rule."""
    network = trainer.blueprint
    layout = sim.Layout(network)
    return Latents(
        {c.name: trainer.latents(k).astype(np.int64) for k, c in enumerate(network.couplings)},
        {
            p.name: trainer.synapses.bias_latent[layout.of(p)].astype(np.int64)
            for p in network.relaxing
        },
        int(trainer.random_state),
    )


@settings(max_examples=15, deadline=None)
@given(case=cases(skips=True))
def test_what_is_shown_is_what_is_learned(case: Case) -> None:
    try:
        trainer, plain = (Trainer(case.network, RULE, seed=3) for _ in range(2))
    except InputError:
        return  # accumulators of some drawn networks could leave 32 bits under other weights
    watched = Registers()
    session = LearningSession(trainer, observers=[watched])
    for sample in range(2):
        written = latents_of(trainer)
        before = session.network
        session.present(case.inputs[sample], int(case.labels[sample]))
        while not session.finished:
            session.step()
        assert list(session.results) == list(PHASES)
        free = sim.free_phase(before, case.inputs[sample : sample + 1])
        assert sim.first_difference(free, session.results[Phase.FREE]) is None
        positive, negative = (
            {name: states[0] for name, states in session.results[phase].states.items()}
            for phase in (Phase.POSITIVE, Phase.NEGATIVE)
        )
        shifts = {c.name: RULE.shift for c in case.network.couplings}
        progress = session.learn()
        update(
            case.network,
            written,
            case.inputs[sample],
            positive,
            negative,
            shifts=shifts,
            bias_shifts=dict.fromkeys(positive, RULE.bias_shift),
        )
        learned = latents_of(trainer)
        for name, latent in written.weight.items():
            assert np.array_equal(latent, learned.weight[name])
        for name, bias in biases_of(written).items():
            assert np.array_equal(bias, session.network.biases[name])
        assert written.random_state == learned.random_state
        assert progress.sweeps == sum(int(r.sweeps[0]) for r in session.results.values())
        plain.learn(case.inputs, case.labels, [sample])
    assert plain.network().sha256 == session.network.sha256
    assert [start.phase for start, _ in watched.ticks.phases] == 2 * list(PHASES)


def test_learning_runs_what_is_left() -> None:
    case = random_case(7, schedule=Schedule.PARITY)
    stepped, plain = (Trainer(case.network, RULE, seed=3) for _ in range(2))
    session = LearningSession(stepped, engine="dense")
    session.present(case.inputs[0], int(case.labels[0]))
    assert session.phase is Phase.FREE
    session.step()
    session.learn()
    plain.learn(case.inputs, case.labels, [0])
    assert plain.network().sha256 == session.network.sha256


def test_what_a_learning_session_refuses() -> None:
    case = random_case(7, schedule=Schedule.PARITY)
    session = LearningSession(Trainer(case.network, RULE, seed=3))
    with pytest.raises(InputError, match="a sample must be presented before it is learned"):
        session.learn()
    session.present(case.inputs[0], int(case.labels[0]))
    while not session.finished:
        session.step()
    with pytest.raises(InputError, match="all three phases have ended"):
        session.step()
