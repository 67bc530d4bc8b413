"""Learning with stiff synapses: docs/numerics.md, section 6, "Stiff synapses".

What was learned before is kept where synapses of it are stiff: each step of such a latent is
shifted down once more. Integers, local, deterministic.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import whole_numbers
from toreq_hw.errors import InputError
from toreq_hw.network import require_pairs
from toreq_hw.network.generator import Stream, seed_state
from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.learning.generator import advance
from toreq_hw.sim.learning.kernel import learn_samples
from toreq_hw.sim.learning.place_kernel import is_copy, part_of, place_latent
from toreq_hw.sim.learning.trainer import Trainer

STILL = 16
"""Of a synapse that does not learn."""


class Stiffness(NamedTuple):
    """shift: of each latent, 0..`STILL`. before: room for all latents. random_word: uint32 (1,),
    the generator of the rounding.
    """

    shift: npt.NDArray[np.int8]
    before: npt.NDArray[np.int16]
    random_word: npt.NDArray[np.uint32]


@named_type_errors
class ConsolidatedTrainer(Trainer):
    """A trainer some of whose synapses are stiff; biases are not.

    trainer: taken over as it stands (latents, rates, generator); it is not changed itself.
    stiffness: by coupling name integers 0..16 of the parameters' shape, 0 for those that learn as
    ever, 16 for those that stay; 0 for couplings that are not named.

    Raises InputError for other names, shapes and values, and for what `require_pairs` refuses.
    """

    def __init__(self, trainer: Trainer, stiffness: Mapping[str, npt.ArrayLike]) -> None:
        network = trainer.blueprint
        require_pairs(network, "where synapses are stiff", InputError)
        super().__init__(network, trainer.rule, trainer.seed)
        self.take_over(trainer)
        first = seed_state((1 << 32) - 1 - trainer.seed, Stream.ROUNDING)
        stiff = Stiffness(
            shift=self._shifts(stiffness),
            before=np.empty_like(self.synapses.latent),
            random_word=np.array([first], dtype=np.uint32),
        )

        def learn_stiff(**given: Any) -> Any:
            return learn_samples_stiff(stiff=stiff, **given)

        self._learn_samples: Callable[..., Any] = learn_stiff

    def _shifts(self, stiffness: Mapping[str, npt.ArrayLike]) -> npt.NDArray[np.int8]:
        """Of every latent, in the order of `Synapses.latent`."""
        names = [coupling.name for coupling in self.blueprint.couplings]
        for name in stiffness:
            if name not in names:
                raise InputError(
                    f"stiffness must be of couplings ({', '.join(names)}), found {name!r}"
                )
        parts = []
        for coupling in self.blueprint.couplings:
            shape = coupling.parameters.shape
            given = stiffness.get(coupling.name, np.zeros(shape, dtype=np.int8))
            found = whole_numbers(f"stiffness of {coupling.name!r}", given, shape, 0, STILL)
            parts.append(found.astype(np.int8).ravel())
        return np.concatenate(parts)


@compiled
def learn_samples_stiff(  # type: ignore[no-untyped-def]
    stiff,
    plan,
    synapses,
    rates,
    output,
    rules,
    inputs,
    labels,
    order,
    scratch,
    random_state,
    counters,
):
    """`learn_samples` with steps of stiff latents shifted down after every sample.

    stiff: `Stiffness`; the rest as there.
    """
    before = stiff.before
    for k in range(len(order)):
        before[:] = synapses.latent
        random_state = learn_samples(
            plan=plan,
            synapses=synapses,
            rates=rates,
            output=output,
            rules=rules,
            inputs=inputs,
            labels=labels,
            order=order[k : k + 1],
            scratch=scratch,
            random_state=random_state,
            counters=counters,
        )
        stiffen(plan, synapses, stiff)
    return random_state


@compiled
def stiffen(plan, synapses, stiff):  # type: ignore[no-untyped-def]
    """Shifts every step of a stiff latent down, and sets its weights.

    One random word for each such latent that moved, in the order of the latents.
    """
    latent, before, word = synapses.latent, stiff.before, stiff.random_word[0]
    for cell in range(len(latent)):
        step = np.int64(latent[cell]) - np.int64(before[cell])
        shift = np.int64(stiff.shift[cell])
        if step == 0 or shift == 0:
            continue
        part = part_of(synapses, cell)
        if is_copy(plan, synapses, part, cell):
            continue
        word = advance(word)
        dropped = synapses.dropped[part]
        offset = np.int64(word >> np.uint32(16))
        left = np.int64(0)
        if shift < STILL:
            left = (((step >> dropped) << (16 - shift)) + offset) >> 16
        place_latent(plan, synapses, part, cell, np.int16(before[cell] + (left << dropped)))
    stiff.random_word[0] = word
