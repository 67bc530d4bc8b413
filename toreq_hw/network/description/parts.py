"""What has been built of a described network so far."""

from dataclasses import dataclass, field

from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import Coupling, WeightFormat
from toreq_hw.network.description.words import LayerWords
from toreq_hw.network.population import Population
from toreq_hw.network.trilinear import Trilinear

MAX_SYNAPSES = 1 << 27
"""Stored weights of a described network: a few words must not ask for much memory."""


@dataclass
class Parts:
    """What has been built so far, and what the next layer is joined to.

    seed: of `random` layers. layers: the last population of each layer, the input first.
    """

    weight_format: WeightFormat
    populations: list[Population]
    seed: int
    couplings: list[Coupling] = field(default_factory=list)
    terms: list[Trilinear] = field(default_factory=list)
    synapses: int = 0
    pooling: LayerWords | None = None

    layers: list[Population] = field(default_factory=list)

    @property
    def last(self) -> Population:
        """What the next layer is joined to."""
        return self.populations[-1]

    def grow(self, synapses: int) -> None:
        """Counts stored weights that are about to be made. Raises NetworkError for too many."""
        self.synapses += synapses
        if self.synapses > MAX_SYNAPSES:
            raise NetworkError(
                f"layers must have at most {MAX_SYNAPSES} synapses in all, found {self.synapses}"
            )
