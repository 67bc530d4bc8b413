"""toreq_hw: a hardware co-design toolkit for equilibrium propagation.

One network file, one integer arithmetic (docs/numerics.md), many machines.
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Says why a part is not there, to `from toreq_hw import sim` in a checkout without links."""
    from pathlib import Path

    from toreq_hw.errors import CheckoutError
    from toreq_hw.links import PARTS, check_links

    if name in PARTS:
        try:
            check_links(Path(__file__).parent)
        except CheckoutError as error:
            raise ImportError(str(error)) from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
