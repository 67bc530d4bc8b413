"""Whether a board can learn what a trainer learns; asked before anything is said or sent."""

from typing import TYPE_CHECKING

from toreq_hw.boards.fit.check import check_learning_fit
from toreq_hw.rtl.learning.state import rate_words
from toreq_hw.sim.learning import Trainer
from toreq_hw.targets.learned import rates_of_trainer

if TYPE_CHECKING:
    from toreq_hw.boards.board import Board
    from toreq_hw.rtl.parameters import CoreParameters


def learnable_core(
    board: "Board",
    trainer: Trainer,
    lanes: int,
    learn_lanes: int,
    epochs: int,
    *,
    accumulator_register: bool = False,
) -> "CoreParameters":
    """The core on `board` that learns what `trainer` does until it has learned `epochs`.

    Raises NetworkError for a network that does not fit or cannot learn there. Raises InputError
    where an epoch to come has a rate that no core can do.
    """
    rule = trainer.rule
    bits = {c.name: rule.latent_bits_of(c.name) for c in trainer.blueprint.couplings}
    parameters = check_learning_fit(
        board,
        trainer.blueprint,
        lanes,
        learn_lanes,
        bits,
        accumulator_register=accumulator_register,
    )
    now = trainer.epoch
    try:
        later = range(now + 1, epochs)
        for epoch in sorted({now, *(e for e in rule.decay_epochs if e in later)}):
            trainer.epoch = epoch
            rate_words(rates_of_trainer(trainer), parameters)
    finally:
        trainer.epoch = now
    return parameters
