"""One stored bit at a time: what the single flip of a weight costs, all else left whole."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import check_seed, named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult
from toreq_hw.errors import InputError
from toreq_hw.network import Coupling, Network, WeightFormat, check_labels
from toreq_hw.reading.fields import MAX_INTEGER, integer
from toreq_hw.records.critical import SingleFlip
from toreq_hw.sim.event import EventEngine
from toreq_hw.sim.perturbation.lines import lines_of
from toreq_hw.sim.perturbation.weight_damage import cells, flip_words
from toreq_hw.sim.phases import relax
from toreq_hw.sim.plan import places_of_cells

Inputs = npt.NDArray[np.int16]
Labels = npt.NDArray[np.int64]


@named_type_errors
def single_flips(
    network: Network,
    inputs: Inputs,
    labels: Labels,
    *,
    sample: int | None = None,
    seed: int = 1,
    watch: Callable[[], None] = lambda: None,
) -> list[SingleFlip]:
    """Every bit of every stored word in turn, or of `sample` cells drawn without replacement.

    Bits whose flip reads as the same weight are left out (ternary: bit 1 of a 0). watch: called
    once a cell. Raises InputError.
    """
    check_seed(seed)
    if sample is not None:
        integer(sample, 1, MAX_INTEGER, "sample", InputError)
    places = [(c, cell) for c in network.couplings for cell in cells(c).tolist()]
    if sample is not None and sample < len(places):
        chosen = np.random.default_rng(seed).choice(len(places), sample, replace=False)
        places = [places[k] for k in np.sort(chosen)]
    undamaged = _Undamaged(network, inputs, labels)
    found: list[SingleFlip] = []
    for coupling, cell in places:
        found += undamaged.flips_of(coupling, cell)
        watch()
    return found


class _Undamaged:
    """The equilibria of a network, against which it is measured with one stored word changed."""

    def __init__(self, network: Network, inputs: Inputs, labels: Labels) -> None:
        self._network, self._inputs = network.lowered, inputs
        self._engine = EventEngine(self._network, threads=1)
        clean = relax(self._network, inputs, engine=self._engine)
        self._classes = clean.classes
        self._layout = Layout(network)
        self._states = self._layout.join(clean.states)
        self._labels = check_labels(network.output, labels, len(self._states))
        self._right = int(np.count_nonzero(clean.classes == self._labels))
        self._ranges = np.concatenate(
            [np.full(p.size, p.state_max - p.state_min) for p in network.relaxing]
        )
        self._numbers = {c.name: k for k, c in enumerate(network.couplings)}

    def flips_of(self, coupling: Coupling, cell: int) -> Iterator[SingleFlip]:
        """What the flip of each bit of one stored word costs."""
        lines = lines_of(coupling)
        word = coupling.parameters.ravel()[cell : cell + 1]
        before = int(word[0])
        for bit in range(8 if coupling.weight_format is WeightFormat.INT8 else 2):
            after = int(flip_words(word, np.array([1 << bit], np.uint8), coupling.weight_format)[0])
            if after == before:
                continue
            damaged = self._relaxed_with(coupling, cell, before, after)
            difference = np.abs(self._layout.join(damaged.states) - self._states)
            yield SingleFlip(
                coupling=coupling.name,
                row=int(lines.row[cell]),
                column=int(lines.column[cell]),
                bit=bit,
                before=before,
                after=after,
                distance=float((difference / self._ranges).mean()),
                moved=int(np.count_nonzero(difference.any(axis=1))),
                reclassified=int(np.count_nonzero(damaged.classes != self._classes)),
                correct=int(np.count_nonzero(damaged.classes == self._labels)) - self._right,
            )

    def _relaxed_with(self, coupling: Coupling, cell: int, before: int, after: int) -> PhaseResult:
        """The equilibria with the weight `after` in one cell; `before` is put back."""
        pre, post, parameter = coupling.edges()
        edges = np.flatnonzero(parameter == cell)
        places = (pre[edges] * coupling.shape[1] + post[edges]).astype(np.int64)
        plan = self._engine.plan
        number = self._numbers[coupling.name]
        where = np.concatenate(places_of_cells(self._network, plan, number, places))
        plan.weights[where] = after
        damaged = relax(self._network, self._inputs, engine=self._engine)
        plan.weights[where] = before
        return damaged
