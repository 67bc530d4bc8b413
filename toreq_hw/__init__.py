"""toreq_hw: a hardware co-design toolkit for equilibrium propagation.

One network file, one integer arithmetic (docs/numerics.md), many machines.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toreq_hw.estimators import EqPropClassifier, EqPropRegressor
    from toreq_hw.training import Trained, train

    __version__: str

__all__ = ["EqPropClassifier", "EqPropRegressor", "Trained", "train"]

_MODULE_OF = {
    "EqPropClassifier": "toreq_hw.estimators",
    "EqPropRegressor": "toreq_hw.estimators",
    "Trained": "toreq_hw.training",
    "train": "toreq_hw.training",
}
"""Names that are imported where they are asked for: scikit-learn takes a second."""

_PACKAGES = ("contract", "data", "models", "network", "records", "targets")
"""With the parts: what `import toreq_hw` has as attributes, imported where they are asked for."""


def __getattr__(name: str) -> object:
    """The names above, and the parts; or why a part is not there, in a checkout without links."""
    from importlib import import_module
    from pathlib import Path

    from toreq_hw.errors import CheckoutError
    from toreq_hw.links import PARTS, check_links

    if name == "__version__":
        return import_module("toreq_hw.versions").installed()
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    if name in PARTS:
        try:
            check_links(Path(__file__).parent)
        except CheckoutError as error:
            raise ImportError(str(error)) from error
    if name in PARTS or name in _PACKAGES:
        return import_module(f"toreq_hw.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
