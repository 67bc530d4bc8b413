"""toreq_hw: a hardware co-design toolkit for equilibrium propagation.

One network file, one integer arithmetic (docs/numerics.md), many machines.
"""

__version__ = "0.1.0"
