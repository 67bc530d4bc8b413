"""The kinds of couplings, one file each; a new kind is a file here and an entry of `KINDS`."""

from toreq_hw.network.couplings.coupling import Coupling, Edges
from toreq_hw.network.couplings.dense import DenseCoupling
from toreq_hw.network.couplings.lowering import lowered
from toreq_hw.network.couplings.weights import MAX_FRACTION_BITS, WeightFormat

KINDS: dict[str, type[Coupling]] = {kind.kind: kind for kind in (DenseCoupling,)}
"""Every kind by its name in a network file."""

__all__ = [
    "KINDS",
    "MAX_FRACTION_BITS",
    "Coupling",
    "DenseCoupling",
    "Edges",
    "WeightFormat",
    "lowered",
]
