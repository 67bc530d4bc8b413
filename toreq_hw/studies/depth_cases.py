"""The networks of the study `depth`: deep ones beside one hidden layer of as many synapses.

Every setting was found on held-out training samples of one or a few seeds; the study chooses
among these by held-out samples again.
"""

from dataclasses import dataclass, replace

from toreq_hw.network import WeightFormat
from toreq_hw.studies.structured_case import Case

EQUAL = 1.06
"""A shallow candidate has as many synapses as the deep ones, up to so many times as many."""


@dataclass(frozen=True)
class Pair:
    """deep, shallow: candidates of each side. held_out: training samples that the choice is made
    by. choice_seeds: trainings of a candidate for it.
    """

    name: str
    data: str
    deep: tuple[Case, ...]
    shallow: tuple[Case, ...]
    held_out: int
    choice_seeds: int


def _between(
    layers: int, read: tuple[int, ...], fraction_bits: tuple[int, int]
) -> tuple[tuple[int, int, int], ...]:
    """Skips from the input to hidden layers 2 .. `layers`, then from the layers `read` to the
    output. fraction_bits: of both.
    """
    first = tuple((0, layer, fraction_bits[0]) for layer in range(2, layers + 1))
    return (*first, *((layer, layers + 1, fraction_bits[1]) for layer in read))


_SHALLOW = Case(
    name="digits 108, k 5 7",
    data="digits",
    image="64",
    layers=("dense 108", "dense 10"),
    weights=WeightFormat.INT8,
    fraction_bits=(7, 6),
    feedback_shifts=(0, 0),
    temperature=(1, 8),
    shift=5,
    output_shift=7,
    bias_shift=7,
    channel_bias_shift=7,
    epochs=30,
    initial_reach=3000,
)
_DEEP = replace(
    _SHALLOW,
    name="digits 4 x 22, skips, s 1",
    layers=("dense 22",) * 4 + ("dense 10",),
    fraction_bits=(7, 7, 7, 7, 6),
    feedback_shifts=(0, 1, 1, 1, 0),
    skips=_between(4, (1, 2, 3), (7, 6)),
    layer_shifts=(5, 5, 5, 5, 7, 5, 5, 5, 7, 7, 7),
)
DIGITS = Pair(
    "digits, dense",
    "digits",
    (
        _DEEP,
        replace(_DEEP, name="digits 4 x 22, skips, s 2").with_feedback(2, 0),
        replace(
            _DEEP, name="digits 4 x 22, skips, s 3", layer_shifts=(4, *_DEEP.layer_shifts[1:])
        ).with_feedback(3, 0),
        replace(
            _DEEP,
            name="digits 4 x 40, s 1, beta 1/2",
            layers=("dense 40",) * 4 + ("dense 10",),
            skips=(),
            layer_shifts=(3, 4, 4, 4, 6),
            bias_shift=6,
            beta_shift=1,
        ),
    ),
    (
        _SHALLOW,
        replace(_SHALLOW, name="digits 108, k 5 6", output_shift=6),
        replace(_SHALLOW, name="digits 108, k 6 8", shift=6, output_shift=8, bias_shift=8),
        replace(
            _SHALLOW,
            name="digits 108, k 6 8, T 1/4",
            shift=6,
            output_shift=8,
            bias_shift=8,
            temperature=(1, 4),
        ),
    ),
    held_out=300,
    choice_seeds=3,
)

_WIDE = replace(
    _SHALLOW,
    name="mnist 132, k 7 9",
    data="mnist",
    image="784",
    layers=("dense 132", "dense 10"),
    fraction_bits=(7, 7),
    shift=7,
    output_shift=9,
    bias_shift=8,
    channel_bias_shift=8,
    epochs=12,
    augment=1,
    initial_reach=2000,
    images=10_000,
)
_SKIPPING = replace(
    _WIDE,
    name="mnist 4 x 32, skips, s 1, k 6",
    layers=("dense 32",) * 4 + ("dense 10",),
    fraction_bits=(7, 7, 7, 7, 7),
    feedback_shifts=(0, 1, 1, 1, 0),
    skips=_between(4, (1, 2, 3), (7, 7)),
    layer_shifts=(6, 5, 5, 5, 8, 6, 6, 6, 8, 8, 8),
    bias_shift=7,
)
MNIST = Pair(
    "mnist, dense",
    "mnist",
    (
        _SKIPPING,
        replace(_SKIPPING, name="mnist 4 x 32, skips, s 2, k 6").with_feedback(2, 0),
        replace(
            _SKIPPING,
            name="mnist 4 x 32, skips, s 2, k 7",
            layer_shifts=(7, 6, 6, 6, 9, 7, 7, 7, 9, 9, 9),
            bias_shift=8,
        ).with_feedback(2, 0),
    ),
    (
        _WIDE,
        replace(_WIDE, name="mnist 132, k 6 8", shift=6, output_shift=8, bias_shift=7),
        replace(_WIDE, name="mnist 132, k 7 9, T 1/4", temperature=(1, 4)),
    ),
    held_out=5000,
    choice_seeds=1,
)

PAIRS = (DIGITS, MNIST)
