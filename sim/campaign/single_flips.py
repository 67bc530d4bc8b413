"""One stored bit at a time: what the single flip of a weight costs, all else left whole."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import check_seed, named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat, check_labels
from toreq_hw.reading.fields import MAX_INTEGER, integer
from toreq_hw.records.critical import SingleFlip
from toreq_hw.sim.event import EventEngine
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
    network = network.lowered
    engine = EventEngine(network, threads=1)
    clean = relax(network, inputs, engine=engine)
    places = [(c, cell) for c in network.dense_couplings for cell in cells(c).tolist()]
    if sample is not None and sample < len(places):
        chosen = np.random.default_rng(seed).choice(len(places), sample, replace=False)
        places = [places[k] for k in np.sort(chosen)]
    layout = Layout(network)
    ranges = np.concatenate([np.full(p.size, p.state_max - p.state_min) for p in network.relaxing])
    standing = layout.join(clean.states)
    labels = check_labels(network.output, labels, len(standing))
    right = int(np.count_nonzero(clean.classes == labels))
    index = {c.name: k for k, c in enumerate(network.couplings)}
    found = []
    for coupling, cell in places:
        row, column = divmod(cell, coupling.weight.shape[1])
        before = int(coupling.weight[row, column])
        for bit in range(8 if coupling.weight_format is WeightFormat.INT8 else 2):
            word = coupling.weight[row : row + 1, column]
            after = int(flip_words(word, np.array([1 << bit], np.uint8), coupling.weight_format)[0])
            if after == before:
                continue
            where = np.concatenate(
                places_of_cells(network, engine.plan, index[coupling.name], np.array([cell]))
            )
            engine.plan.weights[where] = after
            damaged = relax(network, inputs, engine=engine)
            engine.plan.weights[where] = before
            difference = np.abs(layout.join(damaged.states) - standing)
            found.append(
                SingleFlip(
                    coupling=coupling.name,
                    row=row,
                    column=column,
                    bit=bit,
                    before=before,
                    after=after,
                    distance=float((difference / ranges).mean()),
                    moved=int(np.count_nonzero(difference.any(axis=1))),
                    reclassified=int(np.count_nonzero(damaged.classes != clean.classes)),
                    correct=int(np.count_nonzero(damaged.classes == labels)) - right,
                )
            )
        watch()
    return found
