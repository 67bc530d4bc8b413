"""The mapper: what a network takes on a neuromorphic chip that a file describes.

chip = load_chip("loihi2")
mapping = map_network(network, chip)
mapping.cores_used, mapping.violations

It reads descriptions and counts; nothing here ran on silicon.
"""

from toreq_hw.lava_backend.mapper.chip import CHIPS, Chip, Figure, load_chip
from toreq_hw.lava_backend.mapper.estimate import Activity, estimate
from toreq_hw.lava_backend.mapper.mapping import Core, Mapping, Violation, map_network

__all__ = [
    "CHIPS",
    "Activity",
    "Chip",
    "Core",
    "Figure",
    "Mapping",
    "Violation",
    "estimate",
    "load_chip",
    "map_network",
]
