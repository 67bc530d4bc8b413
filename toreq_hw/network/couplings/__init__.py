"""The kinds of couplings, one file each; a new kind is a file here and an entry of `KINDS`."""

from toreq_hw.network.couplings.convolution import ConvolutionCoupling
from toreq_hw.network.couplings.coupling import Coupling, Edges
from toreq_hw.network.couplings.dense import DenseCoupling
from toreq_hw.network.couplings.lowering import lowered
from toreq_hw.network.couplings.own_feedback import FeedbackKind, OwnFeedback
from toreq_hw.network.couplings.sparse import SparseCoupling
from toreq_hw.network.couplings.weights import MAX_FRACTION_BITS, WeightFormat

_KINDS: tuple[type[Coupling], ...] = (DenseCoupling, ConvolutionCoupling, SparseCoupling)

KINDS: dict[str, type[Coupling]] = {kind.kind: kind for kind in _KINDS}
"""Every kind by its name in a network file."""

__all__ = [
    "KINDS",
    "MAX_FRACTION_BITS",
    "ConvolutionCoupling",
    "Coupling",
    "DenseCoupling",
    "Edges",
    "FeedbackKind",
    "OwnFeedback",
    "SparseCoupling",
    "WeightFormat",
    "lowered",
]
