"""Networks in a few words: `described` takes them from Python, `load_description` from TOML.

network.described("28x28x1", ["conv 16 5x5 stride 2", "dense 10"], weight_format=WeightFormat.INT8)
"""

from toreq_hw.network.description.building import Skip, described
from toreq_hw.network.description.toml import load_description

__all__ = ["Skip", "described", "load_description"]
