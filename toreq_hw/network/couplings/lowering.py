"""The default lowering: any coupling as a dense one that computes the same sums, bit for bit.

A machine that takes it stores the whole matrix, with zeros where the kind has no edge: its costs,
and what damage can hit, are those of the dense matrix.
"""

from dataclasses import replace
from weakref import WeakKeyDictionary

from toreq_hw.network.couplings.coupling import Coupling
from toreq_hw.network.couplings.dense import DenseCoupling

_LOWERED: WeakKeyDictionary[Coupling, DenseCoupling] = WeakKeyDictionary()


def lowered(coupling: Coupling) -> DenseCoupling:
    """`coupling` itself if it is dense, else the dense coupling of the same name and format.

    Made once, and kept as long as `coupling` is.
    """
    if isinstance(coupling, DenseCoupling):
        return coupling
    made = _LOWERED.get(coupling)
    if made is None:
        own = coupling.own_feedback
        if own is not None:
            own = replace(own, weight=coupling.matrix_of(own.weight))
        made = _LOWERED[coupling] = DenseCoupling(
            coupling.pre,
            coupling.post,
            coupling.matrix_of(coupling.parameters),
            coupling.fraction_bits,
            coupling.weight_format,
            feedback_shift=coupling.feedback_shift,
            own_feedback=own,
        )
    return made
