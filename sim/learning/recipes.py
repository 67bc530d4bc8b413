"""Settings that work, measured: what `toreq-hw train` uses unless told otherwise.

Chosen on held-out training images (`toreq-hw train --holdout`), never on a test set; all but
INT8 on small images, whose settings are scaled from the others and were not searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from toreq_hw.network import Network, WeightFormat, layered
from toreq_hw.sim.learning import Rule
from toreq_hw.sim.learning.rule import MAX_SHIFT

SHARED_BIAS = 2
"""How much larger k is of biases that channels share: their gradients add up over positions."""

DECAY = (0.4, 0.64, 0.84)
"""When every k becomes one larger, as parts of all epochs."""


def decay_epochs(parts: Sequence[float], epochs: int) -> tuple[int, ...]:
    """The epochs from which on every k is one larger: these parts of all, but never the first.

    So one epoch alone has the k that was asked for.
    """
    return tuple(max(1, round(part * epochs)) for part in parts)


@dataclass(frozen=True)
class Recipe:
    """fraction_bits: of the first .. last coupling, (all but the last, the last).

    shift, output_shift, bias_shift: k of all couplings but the last, of the last, of biases.
    decay: when every k becomes one larger, as fractions of all epochs. augment: pixels by
    which training images are moved about (8 x 8 images have none to spare).
    """

    fraction_bits: tuple[int, int]
    shift: int
    output_shift: int
    bias_shift: int
    initial_reach: int
    beta_shift: int = 0
    theta: int = 4096
    decay: tuple[float, ...] = DECAY
    epochs: int = 40
    augment: int = 0

    def dense(self, sizes: Sequence[int], weights: WeightFormat, input_bits: int = 8) -> Network:
        """The blank network of these sizes, input first, that the recipe trains."""
        first, last = self.fraction_bits
        bits = (*[first] * (len(sizes) - 2), last)
        return layered(sizes, weights, bits, input_bits=input_bits, beta_shift=self.beta_shift)

    def rule(self, network: Network, epochs: int) -> Rule:
        """The rule for one network and one length of training."""
        into_output = [p.coupling.name for p in network.into(network.output.name) if not p.backward]
        return Rule(
            shift=self.shift,
            bias_shift=self.bias_shift,
            bias_shifts={
                p.name: min(self.bias_shift + SHARED_BIAS, MAX_SHIFT)
                for p in network.relaxing
                if p.bias_per_channel
            },
            theta=self.theta,
            initial_reach=self.initial_reach,
            shifts=dict.fromkeys(into_output, self.output_shift),
            decay_epochs=decay_epochs(self.decay, epochs),
        )

    def __str__(self) -> str:
        """The settings in words, but the number of epochs, which may be another."""
        first, last = self.fraction_bits
        return f"fraction bits {first} and {last}, {self.rates}"

    @property
    def rates(self) -> str:
        """The settings of the rule in words, without the network's."""
        moved = f", images moved by up to {self.augment}" if self.augment else ""
        return (
            f"k {self.shift}, {self.output_shift} and "
            f"{self.bias_shift} of biases, theta {self.theta}, nudge 2^-{self.beta_shift}{moved}"
        )


_SMALL = {
    WeightFormat.TERNARY: Recipe((3, 3), 4, 6, 6, 6000),
    WeightFormat.INT8: Recipe((7, 6), 5, 7, 7, 3000),
}
_LARGE = {
    WeightFormat.TERNARY: Recipe((4, 4), 4, 7, 6, 6000, epochs=25, augment=1),
    WeightFormat.INT8: Recipe((7, 7), 6, 9, 8, 2000, epochs=25, augment=1),
}


_LARGE_CLAMPED = {
    WeightFormat.TERNARY: replace(_LARGE[WeightFormat.TERNARY], shift=5, bias_shift=7),
    WeightFormat.INT8: replace(_LARGE[WeightFormat.INT8], shift=7),
}


_ATTENDING = {
    WeightFormat.TERNARY: Recipe(
        (0, 1), 4, 4, 12, 16384, theta=8192, decay=(0.4, 0.6, 0.8), epochs=5
    ),
    WeightFormat.INT8: Recipe((5, 4), 4, 5, 12, 16384, decay=(0.4, 0.6, 0.8), epochs=5),
}
"""Chosen on sequences of other seeds than those of the data sets."""


def recipe(
    weight_format: WeightFormat, inputs: int, *, clamped: bool = False, attends: bool = False
) -> Recipe:
    """For a weight format and a number of inputs (digits have 64, MNIST 784).

    clamped: for a clamped readout of temperature 1/8. attends: for networks with attention, on
    sequences.
    """
    if attends:
        return _ATTENDING[weight_format]
    large = _LARGE_CLAMPED if clamped else _LARGE
    return (_SMALL if inputs < 256 else large)[weight_format]
