"""What has latent weights: every coupling, and every way back that has weights of its own."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Coupling, Network, OwnFeedback


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
            found.append(Part(index, coupling.way_back.turned, feedback=True, learns=own.learned))
    return tuple(found)


def own_feedback_of(part: Part, weights: npt.NDArray[np.int8], *, learned: bool) -> OwnFeedback:
    """The feedback that int8 weights of a part's shape stand for."""
    return OwnFeedback(part.coupling.with_parameters(weights).turned.parameters, learned)
