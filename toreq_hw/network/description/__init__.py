"""Networks in a few words: `build` takes them from Python, `load_description` from TOML.

network.build("28x28x1", ["conv 16 5x5 stride 2", "dense 10"], weight_format=WeightFormat.INT8)
"""

from toreq_hw.network.description.building import build
from toreq_hw.network.description.joins import Loop, Skip
from toreq_hw.network.description.toml import load_description

__all__ = ["Loop", "Skip", "build", "load_description"]
