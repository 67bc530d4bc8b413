"""The mapper: what a network takes on a neuromorphic chip that a file describes.

chip = load_chip("loihi2")
mapping = map_network(network, chip)
mapping.cores_used, mapping.violations

It reads descriptions and counts; nothing here ran on silicon.
"""

from toreq_hw.lava_backend.mapper.chip import CHIPS, load_chip
from toreq_hw.lava_backend.mapper.estimate import Activity, estimate
from toreq_hw.lava_backend.mapper.mapping import Mapping, Violation, map_network
from toreq_hw.records.chip import Chip, Core, Figure

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
