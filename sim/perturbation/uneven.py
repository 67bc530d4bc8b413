"""Learning on devices whose steps up and down are not alike."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.learning.generator import advance
from toreq_hw.sim.learning.place_kernel import is_copy, part_of, place_latent
from toreq_hw.sim.perturbation.layer import LearningLayer

ONE = 1 << 16
"""A whole step, in the units of `AsymmetricUpdate.kept`."""


@dataclass(frozen=True)
class AsymmetricUpdate(LearningLayer):
    """dV' = (1 - level) dV where dV > 0, dV' = dV where dV < 0; of every synapse, biases are exact.

    Potentiation that is weaker than depression: the asymmetry of resistive devices (Gokmen and
    Vlasov, Frontiers in Neuroscience 10, 333, 2016) without its dependence on the state. Rounded
    stochastically, with 16 bits of a generator of its own: exact in the mean.
    """

    kind: ClassVar[str] = "asymmetric_update"
    unit: ClassVar[str] = "fraction by which steps up are weaker than steps down"

    @property
    def kept(self) -> int:
        """What is left of a step up, in 1/2^16."""
        return round(ONE * (1 - self.level))


@compiled
def weaken(plan, synapses, before, kept, random_word):  # type: ignore[no-untyped-def]
    """Cuts every step up to kept / 2^16 of itself and programs its weight; returns the random word.

    Most latents stood still: four at a time are looked at.
    """
    latent = synapses.latent
    fours = len(latent) // 4 * 4
    now, then = latent[:fours].view(np.int64), before[:fours].view(np.int64)
    for word in range(len(now)):
        if now[word] != then[word]:
            for cell in range(4 * word, 4 * word + 4):
                random_word = weaken_latent(plan, synapses, before, kept, random_word, cell)
    for cell in range(fours, len(latent)):
        random_word = weaken_latent(plan, synapses, before, kept, random_word, cell)
    return random_word


@compiled
def weaken_latent(plan, synapses, before, kept, random_word, cell):  # type: ignore[no-untyped-def]
    """Cuts the step of one latent, if it is one up; returns the random word."""
    step = np.int64(synapses.latent[cell]) - np.int64(before[cell])
    if step <= 0:
        return random_word
    part = part_of(synapses, cell)
    if is_copy(plan, synapses, part, cell):
        return random_word
    random_word = advance(random_word)
    dropped = synapses.dropped[part]
    left = ((step >> dropped) * kept + np.int64(random_word >> np.uint32(16))) >> 16
    place_latent(plan, synapses, part, cell, np.int16(before[cell] + (left << dropped)))
    return random_word
