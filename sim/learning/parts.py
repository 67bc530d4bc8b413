"""What has latent weights: every coupling, and every way back that has weights of its own."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Coupling, DenseCoupling, Network, OwnFeedback


class Part(NamedTuple):
    """Stored weights with latents.

    number: of the coupling in file order. coupling: whose parameters have the latents; of a
    dense feedback the coupling from post to pre, whose matrix is the transpose.
    feedback: the weights are those of a way back. learns: whether they move.
    """

    number: int
    coupling: Coupling
    feedback: bool
    learns: bool


def parts_of(network: Network) -> tuple[Part, ...]:
    """All couplings in file order, then in file order what has feedback of its own."""
    found = [Part(k, c, feedback=False, learns=True) for k, c in enumerate(network.couplings)]
    for index, coupling in enumerate(network.couplings):
        own = coupling.own_feedback
        if own is not None:
            back = _turned(coupling.way_back)
            found.append(Part(index, back, feedback=True, learns=own.learned))
    return tuple(found)


def _turned(way_back: Coupling) -> Coupling:
    if not isinstance(way_back, DenseCoupling):
        return way_back
    return DenseCoupling(
        way_back.post,
        way_back.pre,
        way_back.weight.T,
        way_back.fraction_bits,
        way_back.weight_format,
    )


def own_feedback_of(part: Part, weights: npt.NDArray[np.int8], *, learned: bool) -> OwnFeedback:
    """The feedback that int8 weights of a part's shape stand for."""
    return OwnFeedback(weights.T if isinstance(part.coupling, DenseCoupling) else weights, learned)
