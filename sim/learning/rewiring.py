"""Growth and pruning of sparse couplings: a fixed number of synapses moves to where credit is.

docs/numerics.md, section 7. Integers, local, deterministic.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import whole_numbers
from toreq_hw.errors import InputError
from toreq_hw.network import Network, SparseCoupling
from toreq_hw.sim.learning.trainer import Trainer
from toreq_hw.sim.phases import free_phase, nudged_phase

Sites = npt.NDArray[np.int64]

BATCH = 1024
"""Samples whose phases are kept at a time."""


@named_type_errors
def rewire(
    trainer: Trainer,
    coupling: str,
    inputs: npt.ArrayLike,
    labels: npt.ArrayLike,
    count: int,
    candidates: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> Trainer:
    """A trainer in which up to `count` synapses of a sparse coupling were pruned, as many grown.

    inputs: integers (samples, input.size), labels (samples,): over these the contrasts are summed.
    candidates: pre and post neurons, integers (n,), of the pairs that may grow; None for all pairs
    (of a population with itself: each once). The trainer that is given is not changed. Raises
    InputError, and NetworkError where a grown synapse breaks the schedule.
    """
    network = trainer.blueprint
    names = [c.name for c in network.couplings]
    if coupling not in names:
        raise InputError(f"coupling must be one of {', '.join(names)}, not {coupling!r}")
    index = names.index(coupling)
    old = network.couplings[index]
    if not isinstance(old, SparseCoupling) or old.own_feedback is not None:
        raise InputError(
            f"coupling {coupling!r}: must be sparse, with symmetric feedback, to grow, found "
            f"{old.kind}"
        )
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= old.weight.size:
        raise InputError(f"count must be a whole number in 0..{old.weight.size}, not {count!r}")
    present = _sites_of(old)
    absent = np.setdiff1d(_candidate_sites(old, candidates), present)
    contrast = np.abs(contrasts(trainer.network(), index, inputs, labels).ravel()[absent])
    chosen = np.lexsort((absent, -contrast))[:count]
    grown = absent[chosen[contrast[chosen] > 0]]
    latents = trainer.latents(index).astype(np.int64)
    order = np.lexsort((np.arange(len(present)), np.abs(latents)))
    kept = np.sort(order[len(grown) :])
    return _with_sites(trainer, index, np.concatenate([present[kept], grown]), latents[kept])


def contrasts(
    network: Network, index: int, inputs: npt.ArrayLike, labels: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """Sum over samples of s+_pre s+_post - s-_pre s-_post of every pair, int64 (n_pre, n_post).

    index: of the coupling. inputs, labels: as for `rewire`. Raises InputError.
    """
    shown = whole_numbers("inputs", inputs, ("samples", network.input.size), -(1 << 15), 1 << 15)
    classes = whole_numbers("labels", labels, (len(shown),), 0, network.output.size - 1)
    projection = network.forward_projections[index]
    ends = projection.source, projection.target
    total = np.zeros([p.size for p in ends], dtype=np.int64)
    for first in range(0, len(shown), BATCH):
        part, wanted = shown[first : first + BATCH], classes[first : first + BATCH]
        free = free_phase(network, part)
        for sign in (1, -1):
            found = nudged_phase(network, part, free, wanted, sign)
            states = {**found.states, network.input.name: part}
            pre, post = (states[p.name].astype(np.int64) for p in ends)
            total += sign * (pre.T @ post)
    return total


def _sites_of(coupling: SparseCoupling) -> Sites:
    """I n_post + j of each synapse, rising: int64 (synapses,)."""
    pre, post, _ = coupling.edges()
    return (pre * coupling.shape[1] + post).astype(np.int64)


def _candidate_sites(
    coupling: SparseCoupling, candidates: tuple[npt.ArrayLike, npt.ArrayLike] | None
) -> Sites:
    rows, columns = coupling.shape
    if candidates is None:
        sites = np.arange(rows * columns, dtype=np.int64)
        return sites[sites // columns < sites % columns] if coupling.is_self_coupling else sites
    pre = whole_numbers("candidates", candidates[0], ("pairs",), 0, rows - 1)
    post = whole_numbers("candidates", candidates[1], (len(pre),), 0, columns - 1)
    if coupling.is_self_coupling and np.any(pre >= post):
        raise InputError("candidates of a self-coupling must have pre below post")
    return pre.astype(np.int64) * columns + post


def _with_sites(trainer: Trainer, index: int, sites: Sites, kept: npt.NDArray[np.int64]) -> Trainer:
    """The same training with synapses at `sites`. kept: latents of the first ones; others are 0."""
    old = trainer.blueprint.couplings[index]
    pre, post = np.divmod(sites, old.shape[1])
    coupling = SparseCoupling.of_pairs(
        old.pre,
        old.post,
        (pre, post),
        old.shape,
        fraction_bits=old.fraction_bits,
        weight_format=old.weight_format,
    )
    couplings = list(trainer.blueprint.couplings)
    couplings[index] = replace(coupling, feedback_shift=old.feedback_shift)
    network = replace(trainer.blueprint, couplings=tuple(couplings))
    made = Trainer(network, trainer.rule, trainer.seed)
    for part in range(len(made.parts)):
        if part != index:
            made.latents(part)[...] = trainer.latents(part)
    latents = np.zeros(len(sites), dtype=np.int64)
    latents[: len(kept)] = kept
    made.latents(index)[...] = latents[np.argsort(sites)]
    made.synapses.bias_latent[:] = trainer.synapses.bias_latent
    made.epoch, made.random_state = trainer.epoch, trainer.random_state
    made.program()
    return made
