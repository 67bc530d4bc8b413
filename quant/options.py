"""What a training run is told: one frozen record, checked on construction, kept with its result."""

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.network import MAX_FRACTION_BITS, Population, Role, WeightFormat


class Rule(StrEnum):
    """How weights learn: from two nudged equilibria, or by backpropagation (the baseline)."""

    EQPROP = "eqprop"
    BACKPROP = "backprop"


@named_type_errors
@dataclass(frozen=True)
class TrainingOptions:
    """Settings of one run of `train`.

    hidden: sizes of the hidden populations, in order from the input.
    state_bits: of hidden and output populations; input_bits: of the input. All unsigned.
    fraction_bits: one per coupling, or None for `default_fraction_bits`.
    learning_rate: step of Adam where activations run over 0..1, falling to 0 along a half
        cosine; each coupling's step is scaled to its own LSB.
    ternary_threshold: a latent weight at least this large, in LSBs, is not zero.
    beta_shift: the nudge is beta = 2^-beta_shift.
    augment: images are moved by up to this many pixels each time they are shown. mirror: about half
        of them are turned left to right.
    spectral_limit: largest spectral norm of a coupling, activations over 0..1; None for no
        limit.
    device: a torch device, "cpu" or "cuda".
    update_noise: standard deviation of Gaussian noise on every accumulator of the forward pass,
        over the range of states; backpropagation alone has it.

    Raises InputError naming the option.
    """

    hidden: tuple[int, ...] = (512,)
    weight_format: WeightFormat = WeightFormat.INT8
    rule: Rule = Rule.EQPROP
    state_bits: int = 8
    input_bits: int = 8
    fraction_bits: tuple[int, ...] | None = None
    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3
    ternary_threshold: float = 0.5
    beta_shift: int = 0
    augment: int = 0
    spectral_limit: float | None = None
    seed: int = 0
    device: str = "cpu"
    mirror: bool = False
    update_noise: float = 0.0

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1:
            raise InputError(f"hidden must be sizes of at least 1, not {self.hidden}")
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise InputError(f"learning_rate must be above 0, not {self.learning_rate}")
        if not 0 < self.ternary_threshold < 1:
            raise InputError(f"ternary_threshold must be in 0..1, not {self.ternary_threshold}")
        self._check_noise()
        if self.spectral_limit is not None and not self.spectral_limit > 0:
            raise InputError(f"spectral_limit must be above 0, not {self.spectral_limit}")
        if self.fraction_bits is not None and len(self.fraction_bits) != len(self.hidden) + 1:
            raise InputError(
                f"fraction_bits must be {len(self.hidden) + 1} numbers, one per coupling, "
                f"not {len(self.fraction_bits)}"
            )
        for bits in self.fraction_bits or ():
            if type(bits) is not int or not 0 <= bits <= MAX_FRACTION_BITS:
                raise InputError(
                    f"fraction_bits must be integers in 0..{MAX_FRACTION_BITS}, not {bits!r:.40}"
                )

    def _check_noise(self) -> None:
        if not (self.update_noise >= 0 and math.isfinite(self.update_noise)):
            raise InputError(f"update_noise must be at least 0, not {self.update_noise}")
        if self.update_noise and self.rule is not Rule.BACKPROP:
            raise InputError(f"update_noise must be 0 with rule eqprop, not {self.update_noise}")


@named_type_errors
def populations(options: TrainingOptions, pixels: int, classes: int) -> tuple[Population, ...]:
    """The populations of a layered network, from input to output."""
    names = (
        ("hidden",)
        if len(options.hidden) == 1
        else tuple(f"hidden{k + 1}" for k in range(len(options.hidden)))
    )
    return (
        Population("input", pixels, Role.INPUT, options.input_bits),
        *(
            Population(name, size, Role.HIDDEN, options.state_bits)
            for name, size in zip(names, options.hidden, strict=True)
        ),
        Population("output", classes, Role.OUTPUT, options.state_bits),
    )


def default_fraction_bits(
    weight_format: WeightFormat, layers: tuple[Population, ...]
) -> tuple[int, ...]:
    """Fraction bits that put a weight's range where layered networks need it.

    INT8 weights reach +-1 (f = 7) between equal state ranges. A ternary weight is about
    1 / sqrt(n_pre), so that a sum over inputs of which few are active spans the state range.
    Where the ranges differ, log2 of their ratio is added.
    """
    chosen = []
    for pre, post in pairwise(layers):
        ratio = math.log2(pre.state_max / post.state_max)
        base = 7.0 if weight_format is WeightFormat.INT8 else math.log2(pre.size) / 2
        chosen.append(min(max(round(base + ratio), 0), MAX_FRACTION_BITS))
    return tuple(chosen)
