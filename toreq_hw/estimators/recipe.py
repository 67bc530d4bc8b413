"""Settings for tables: chosen by weight format, features and samples, printed with verbose.

They were compared on inner validation splits, a quarter of the training rows; docs/estimators.md
says of which tables.
"""

from dataclasses import dataclass, replace
from math import log2

from toreq_hw.network import ClampedReadout, Network, WeightFormat
from toreq_hw.sim.learning import Rule
from toreq_hw.sim.learning.recipes import DECAY, decay_epochs

PRESENTATIONS = 50_000
"""Samples that are learned in all, where epochs follow from it."""

FEW_PRESENTATIONS = 5_000
"""The same of real targets with a relaxing readout, which soon learns single samples by heart."""

FEWEST_EPOCHS, MOST_EPOCHS = 20, 200


@dataclass(frozen=True)
class TableRecipe:
    """fraction_bits: of all couplings but the last, and of the last. shift, output_shift,
    bias_shift: k of all couplings but the last, of the last, of biases. temperature: of a clamped
    readout, None of a relaxing one.
    """

    fraction_bits: tuple[int, int]
    shift: int
    output_shift: int
    bias_shift: int
    initial_reach: int
    temperature: tuple[int, int] | None
    epochs: int

    def rule(self, network: Network, epochs: int) -> Rule:
        """The rule for one network and one length of training."""
        last = [p.coupling.name for p in network.into(network.output.name) if not p.backward]
        return Rule(
            shift=self.shift,
            bias_shift=self.bias_shift,
            initial_reach=self.initial_reach,
            shifts=dict.fromkeys(last, self.output_shift),
            decay_epochs=decay_epochs(DECAY, epochs),
        )

    def readout(self, rows: int) -> ClampedReadout | None:
        """Of so many classes a sample; None is a relaxing one, of one class."""
        return None if self.temperature is None else ClampedReadout(self.temperature, rows=rows)

    def __str__(self) -> str:
        kind = "relaxing readout"
        if self.temperature is not None:
            kind = f"temperature {self.temperature[0]}/{self.temperature[1]}"
        return (
            f"fraction bits {self.fraction_bits[0]} and {self.fraction_bits[1]}, k "
            f"{self.shift}, {self.output_shift} and {self.bias_shift} of biases, {kind}, "
            f"{self.epochs} epochs"
        )


def table_recipe(
    weights: WeightFormat, features: int, samples: int, *, relaxing: bool = False, few: bool = False
) -> TableRecipe:
    """For a weight format, and the numbers of features and of training samples.

    few: whether `FEW_PRESENTATIONS` are learned.
    """
    learned = FEW_PRESENTATIONS if few else PRESENTATIONS
    epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(learned / max(1, samples))))
    chosen = (_RELAXING if relaxing else _CLAMPED)[weights]
    if weights is WeightFormat.TERNARY:
        first = min(5, max(2, round(log2(max(1, features)) / 2) - 1))
        chosen = replace(chosen, fraction_bits=(first, first))
    return replace(chosen, epochs=epochs)


_CLAMPED = {
    WeightFormat.INT8: TableRecipe(
        fraction_bits=(7, 7),
        shift=5,
        output_shift=6,
        bias_shift=8,
        initial_reach=3000,
        temperature=(1, 8),
        epochs=0,
    ),
    WeightFormat.TERNARY: TableRecipe(
        fraction_bits=(0, 0),
        shift=5,
        output_shift=7,
        bias_shift=7,
        initial_reach=6000,
        temperature=(1, 8),
        epochs=0,
    ),
}
_RELAXING = {
    WeightFormat.INT8: TableRecipe(
        fraction_bits=(7, 7),
        shift=5,
        output_shift=7,
        bias_shift=7,
        initial_reach=3000,
        temperature=None,
        epochs=0,
    ),
    WeightFormat.TERNARY: TableRecipe(
        fraction_bits=(0, 0),
        shift=4,
        output_shift=6,
        bias_shift=6,
        initial_reach=6000,
        temperature=None,
        epochs=0,
    ),
}
"""Fraction bits of ternary weights follow from the number of features, epochs from samples."""
