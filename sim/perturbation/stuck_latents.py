"""Bits of stored latents that are stuck, in a machine that learns: docs/robustness.md."""

from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

from toreq_hw.contract.learning import FEWEST_LATENT_BITS, LATENT_BITS
from toreq_hw.errors import InputError
from toreq_hw.network import DenseCoupling, Network
from toreq_hw.sim.perturbation.layer import LearningLayer
from toreq_hw.sim.perturbation.random_values import exactly


@dataclass(frozen=True)
class StuckLatentBits(LearningLayer):
    """A fraction `level` of the bits of all stored latents is stuck, each at 0 or 1 by a fair coin.

    bits: of a latent, 8..16; those that it drops have no cells. One cell holds both mirrors of a
    self-coupling. Of dense couplings; others have no such faults.
    """

    bits: int = LATENT_BITS

    kind: ClassVar[str] = "stuck_latent_bits"
    unit: ClassVar[str] = "fraction of latent bits"
    full_damage: ClassVar[float | None] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not FEWEST_LATENT_BITS <= self.bits <= LATENT_BITS:
            raise InputError(
                f"bits of {self.kind} must be in {FEWEST_LATENT_BITS}..{LATENT_BITS}, "
                f"not {self.bits}"
            )

    def rows(self, network: Network) -> list[tuple[str, int, int, int, int]]:
        """Rows `latents` of a fault map, couplings in file order.

        Raises InputError for a place that is no dense coupling.
        """
        rng = self.generator()
        found: list[tuple[str, int, int, int, int]] = []
        for coupling in self.couplings(network):
            if not isinstance(coupling, DenseCoupling):
                raise InputError(
                    f"layer {self.kind} must act on dense couplings, found {coupling.name!r}"
                )
            cells = coupling.free_parameters()
            count = self.bits * len(cells)
            broken = exactly(rng, count, self.level)
            value = rng.integers(0, 2, count)[: len(broken)]
            masks: dict[int, list[int]] = defaultdict(lambda: [0, 0])
            for place, at in zip(broken.tolist(), value.tolist(), strict=True):
                cell, bit = divmod(place, self.bits)
                masks[int(cells[cell])][at] |= 1 << LATENT_BITS - self.bits + bit
            columns = coupling.shape[1]
            for cell, (at_zero, at_one) in sorted(masks.items()):
                row, column = divmod(cell, columns)
                found.append((coupling.name, row, column, at_zero, at_one))
        return found
