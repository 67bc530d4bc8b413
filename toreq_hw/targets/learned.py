"""A training handed over: what the simulator's trainer has, as a core holds it, and back."""

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.rtl.learning.state import LearnedState, LearningRates
from toreq_hw.sim.learning import Trainer


@named_type_errors
def state_of_trainer(trainer: Trainer) -> LearnedState:
    """The state of a training, an independent copy."""
    network = trainer.blueprint
    layout = Layout(network)
    return LearnedState(
        latents={c.name: trainer.latents(k).copy() for k, c in enumerate(network.couplings)},
        bias_latents={
            p.name: trainer.synapses.bias_latent[layout.of(p)].copy() for p in network.relaxing
        },
        generator=int(trainer.random_state),
    )


@named_type_errors
def rates_of_trainer(trainer: Trainer) -> LearningRates:
    """The rates of the epoch that the trainer is in."""
    network, rule, epoch = trainer.blueprint, trainer.rule, trainer.epoch
    return LearningRates(
        shifts={c.name: rule.shift_of(c.name, epoch) for c in network.couplings},
        bias_shifts={p.name: rule.bias_shift_of(p.name, epoch) for p in network.relaxing},
        theta=rule.theta,
    )


@named_type_errors
def give_to_trainer(trainer: Trainer, state: LearnedState) -> None:
    """Makes the trainer go on from `state`; its epoch and rates stay.

    Raises InputError, and changes nothing, for a state that is not one of this training.
    """
    before = state_of_trainer(trainer)
    _set(trainer, state)
    try:
        trainer.program()
    except InputError:
        _set(trainer, before)
        raise


def _set(trainer: Trainer, state: LearnedState) -> None:
    network = trainer.blueprint
    layout = Layout(network)
    for number, coupling in enumerate(network.couplings):
        trainer.latents(number)[...] = state.latents[coupling.name]
    for population in network.relaxing:
        trainer.synapses.bias_latent[layout.of(population)] = state.bias_latents[population.name]
    trainer.random_state = type(trainer.random_state)(state.generator)
