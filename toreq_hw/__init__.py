"""toreq_hw: a hardware co-design toolkit for equilibrium propagation.

One network file, one integer arithmetic (docs/numerics.md), many machines.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from toreq_hw.estimators import EqPropClassifier, EqPropRegressor

__all__ = ["EqPropClassifier", "EqPropRegressor"]

_ESTIMATORS = frozenset(__all__)
"""Imported where they are asked for: scikit-learn takes a second."""


def __getattr__(name: str) -> object:
    """The estimators; and why a part is not there, to `from toreq_hw import sim` in a checkout
    without links.
    """
    from pathlib import Path

    from toreq_hw.errors import CheckoutError
    from toreq_hw.links import PARTS, check_links

    if name in _ESTIMATORS:
        from toreq_hw import estimators

        return getattr(estimators, name)
    if name in PARTS:
        try:
            check_links(Path(__file__).parent)
        except CheckoutError as error:
            raise ImportError(str(error)) from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
