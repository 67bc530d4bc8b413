"""Learning on with damage, and learning with damage on purpose.

`DamagedTrainer` keeps broken cells broken while everything else learns. `HardenedTrainer` meets a
fresh draw of a weight layer every few samples, so that what it learns survives such damage.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.headroom import check_headroom
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Role, require_pairs
from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.sim.learning.kernel import learn_samples
from toreq_hw.sim.perturbation.layer import WeightLayer
from toreq_hw.sim.perturbation.neuron_damage import DeadNeurons
from toreq_hw.sim.perturbation.random_values import exactly
from toreq_hw.sim.perturbation.uneven import ONE, AsymmetricUpdate, weaken
from toreq_hw.sim.perturbation.weight_damage import StuckWeights, put
from toreq_hw.sim.plan import Ints, places_of_cells

Weights = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Broken:
    """Cells that read the same for ever: by coupling name, flat indices and words (int8)."""

    cells: dict[str, tuple[npt.NDArray[np.int64], Weights]]

    @classmethod
    def stuck(cls, layer: StuckWeights, network: Network) -> "Broken":
        """The cells of a stuck-weights layer: all in which one of its stuck parameters lies."""
        found = {}
        for coupling, where, words in layer.stuck_cells(network):
            pre, post, parameter = coupling.edges()
            read = np.zeros(coupling.parameters.size, dtype=np.int8)
            read[where] = words
            hit = np.isin(parameter, where)
            cells = pre[hit] * coupling.shape[1] + post[hit]
            found[coupling.name] = (cells.astype(np.int64), read[parameter[hit]])
        return cls(found)

    @classmethod
    def silenced(cls, layer: DeadNeurons, network: Network) -> "Broken":
        """Dead hidden neurons, for a rule that only knows weights: every cell on their lines is 0.

        Its latents may move; its cells never read anything but 0, and nobody hears it.
        """
        rng = layer.generator()
        dead = {
            p.name: exactly(rng, p.size, layer.level)
            for p in layer.populations(network, output=False)
            if p.role is Role.HIDDEN
        }
        cells = {}
        for coupling in network.dense_couplings:
            mask = np.zeros(coupling.weight.shape, dtype=bool)
            mask[dead.get(coupling.pre, [])] = True
            mask[:, dead.get(coupling.post, [])] = True
            where = np.flatnonzero(mask)
            cells[coupling.name] = (where, np.zeros(len(where), dtype=np.int8))
        return cls(cells)

    def apply(self, network: Network) -> Network:
        """The network with these cells, its biases as they are."""
        couplings = tuple(
            replace(c, weight=put(c, *self.cells[c.name])) if c.name in self.cells else c
            for c in network.dense_couplings
        )
        return replace(network.lowered, couplings=couplings)


class Impairment(NamedTuple):
    """What keeps a trainer's cells broken. where: cells' indices into the plan's weights; words:
    what each reads. kept: what is left of a step up. before: room for all latents. draw: uint32
    (1,), the generator of the cuts.
    """

    where: Ints
    words: Weights
    kept: int
    before: npt.NDArray[np.int16]
    random_word: npt.NDArray[np.uint32]


@named_type_errors
class DamagedTrainer(Trainer):
    """A trainer some of whose cells are broken: they read what they read, whatever is learned.

    Cells are those of the default lowering's matrices. asymmetry: of the updates of all others.

    trainer: taken over as it stands (latents, rates, generator); it is not changed itself.
    """

    runs_lowered = True

    def __init__(
        self,
        trainer: Trainer,
        broken: Broken,
        asymmetry: AsymmetricUpdate = AsymmetricUpdate(0.0),  # noqa: B008 (frozen, no effect)
    ) -> None:
        require_pairs(trainer.blueprint, "where cells are broken", InputError)
        super().__init__(trainer.blueprint, trainer.rule, trainer.seed)
        self.take_over(trainer)
        check_headroom(self.blueprint.lowered)
        where, words = self._places(broken)
        self._plan.weights[where] = words

        impairment = Impairment(
            where=where,
            words=words,
            kept=asymmetry.kept,
            before=np.empty_like(self.synapses.latent),
            random_word=np.array([asymmetry.generator().integers(1, 1 << 32)], dtype=np.uint32),
        )

        def learn_impaired(**given: Any) -> Any:
            return learn_samples_impaired(impairment=impairment, **given)

        self._learn_samples: Callable[..., Any] = learn_impaired

    def network(self) -> Network:
        """The network as it stands, broken cells included; by its default lowering."""
        dense = self.blueprint.dense_couplings
        return self._with_couplings(
            coupling.with_parameters(self._matrix(index)) for index, coupling in enumerate(dense)
        ).lowered

    def _places(self, broken: Broken) -> tuple[Ints, Weights]:
        """Indices into the plan's weights, of both directions, and what they read."""
        where = [np.zeros(0, dtype=np.int64)]
        words = [np.zeros(0, dtype=np.int8)]
        for index, coupling in enumerate(self.blueprint.dense_couplings):
            if coupling.name not in broken.cells:
                continue
            cells, values = broken.cells[coupling.name]
            for places in places_of_cells(self.blueprint, self._plan, index, cells):
                where.append(places)
                words.append(values)
        return np.concatenate(where), np.concatenate(words)


@compiled
def learn_samples_impaired(  # type: ignore[no-untyped-def]
    impairment,
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
    """`learn_samples` with steps up cut, and broken cells put back, after every sample.

    impairment: `Impairment`; the rest as there.
    """
    where, words, kept = impairment.where, impairment.words, impairment.kept
    before, random_word = impairment.before, impairment.random_word
    for k in range(len(order)):
        if kept < ONE:
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
        if kept < ONE:
            random_word[0] = weaken(plan, synapses, before, kept, random_word[0])
        for cell in range(len(where)):
            plan.weights[where[cell]] = words[cell]
    return random_state


@named_type_errors
class HardenedTrainer(Trainer):
    """A trainer whose weights are damaged afresh every `period` samples while it learns.

    damage: gives the layer of the n-th draw, one that keeps the weight formats (bit flips, stuck
    or missing cells, dead lines). Latents are never damaged: a weight that learns within a period
    is programmed from its latent again.
    """

    runs_lowered = True

    def __init__(
        self,
        trainer: Trainer,
        damage: Callable[[int], WeightLayer],
        period: int,
    ) -> None:
        require_pairs(trainer.blueprint, "where weights are damaged", InputError)
        super().__init__(trainer.blueprint, trainer.rule, trainer.seed)
        check_headroom(self.blueprint.lowered)
        self._damage, self._period, self._damages_so_far = damage, period, 0

    def learn(self, inputs: npt.ArrayLike, labels: npt.ArrayLike, order: npt.ArrayLike) -> Progress:
        """As `Trainer.learn`; ends with undamaged weights."""
        total = Progress(0, 0, 0, 0, 0)
        learned = np.asarray(order)
        for first in range(0, len(learned), self._period):
            self._impair(self._damage(self._damages_so_far).program(self.network()))
            self._damages_so_far += 1
            total += super().learn(inputs, labels, learned[first : first + self._period])
            self.program()
        return total

    def _impair(self, damaged: Network) -> None:
        """Puts another network's weights in place, both ways, and leaves the latents."""
        for index, coupling in enumerate(damaged.dense_couplings):
            self._program(index, coupling.weight)
