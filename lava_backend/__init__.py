"""Neuromorphic deployment: Lava's model of Loihi 2, Nengo, nengo-loihi, NIR, and the mapper.

Nothing here ran on silicon. These are software models of neuromorphic chips, checked bit for bit
against the simulator. The mapper says what a chip would have to hold. `toreq_hw.targets.deploy`
runs a network on each of them.
"""

from typing import TYPE_CHECKING

from toreq_hw.lazy_names import lazy_names

if TYPE_CHECKING:
    from toreq_hw.lava_backend.mapper import Chip, Mapping, load_chip, map_network
    from toreq_hw.lava_backend.nengo_network import Presentation
    from toreq_hw.lava_backend.nir_export import to_graph

__all__ = ["Chip", "Mapping", "Presentation", "load_chip", "map_network", "to_graph"]

__getattr__ = lazy_names(
    __name__,
    {
        "mapper": ("Chip", "Mapping", "load_chip", "map_network"),
        "nengo_network": ("Presentation",),
        "nir_export": ("to_graph",),
    },
    extra="nengo",
)
