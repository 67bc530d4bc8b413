"""The networks of the study `structured`, and the settings of their trainings.

Settings for 28 x 28 images were chosen on 5,000 held-out training images, never on a test set; of
convolutions by short trials on one seed, and the ternary rates of two of them by scaling others.
Those for digits were not searched. Those for sequences: `sequence_cases.py`.
"""

from dataclasses import replace

from toreq_hw.network import FeedbackKind, WeightFormat
from toreq_hw.studies.sequence_cases import SEQUENCES
from toreq_hw.studies.structured_case import Case

NITRO_MLP = "NITRO-D, MLP 3 x 1024: "


INT8, TERNARY = WeightFormat.INT8, WeightFormat.TERNARY

_MNIST = Case(
    name="mnist dense ternary",
    data="mnist",
    image="28x28x1",
    layers=("dense 512", "dense 10"),
    weights=TERNARY,
    fraction_bits=(4, 4),
    feedback_shifts=(0, 0),
    temperature=(1, 8),
    shift=5,
    output_shift=7,
    bias_shift=7,
    channel_bias_shift=16,
    epochs=25,
    augment=1,
    published=f"{NITRO_MLP}98.28 %",
    at_least=0.987,
)
_FASHION = replace(
    _MNIST,
    name="fashion-mnist dense ternary",
    data="fashion-mnist",
    temperature=(1, 4),
    shift=6,
    output_shift=8,
    bias_shift=8,
    epochs=30,
    augment=0,
    published=f"{NITRO_MLP}89.13 %",
    at_least=0.888,
)
_MNIST_CONVOLUTION = replace(
    _MNIST,
    name="mnist convolution int8",
    image="28x28x1",
    layers=("conv 32 5x5 stride 2 pad 1", "conv 64 3x3 stride 2", "dense 10"),
    weights=INT8,
    fraction_bits=(6, 8, 8),
    feedback_shifts=(0, 4, -2),
    temperature=(1, 4),
    layer_shifts=(5, 8, 8),
    shift=8,
    output_shift=8,
    bias_shift=8,
    channel_bias_shift=10,
    initial_reach=2000,
    epochs=20,
    published="",
    at_least=0.991,
)
_FASHION_CONVOLUTION = replace(
    _MNIST_CONVOLUTION,
    name="fashion-mnist convolution int8",
    data="fashion-mnist",
    layers=("conv 24 5x5 stride 2 pad 1", "conv 48 3x3 stride 2", "dense 10"),
    feedback_shifts=(0, 3, -2),
    temperature=(1, 2),
    layer_shifts=(6, 9, 10),
    shift=9,
    output_shift=10,
    bias_shift=10,
    channel_bias_shift=12,
    epochs=10,
    augment=0,
    at_least=0.905,
)

FULL = (
    _MNIST,
    replace(
        _MNIST,
        name="mnist dense int8",
        weights=INT8,
        fraction_bits=(7, 7),
        shift=7,
        output_shift=9,
        bias_shift=8,
        initial_reach=2000,
        at_least=0.988,
    ),
    _FASHION,
    replace(
        _FASHION,
        name="fashion-mnist dense int8",
        weights=INT8,
        fraction_bits=(7, 7),
        shift=8,
        output_shift=10,
        bias_shift=9,
        initial_reach=2000,
        epochs=20,
        at_least=0.893,
    ),
    _MNIST_CONVOLUTION,
    replace(
        _MNIST_CONVOLUTION,
        name="mnist convolution ternary",
        weights=TERNARY,
        fraction_bits=(2, 4, 4),
        layer_shifts=(3, 6, 6),
        shift=6,
        output_shift=6,
        bias_shift=7,
        channel_bias_shift=9,
        initial_reach=6000,
        epochs=16,
        at_least=0.989,
    ),
    _FASHION_CONVOLUTION,
    replace(
        _FASHION_CONVOLUTION,
        name="fashion-mnist convolution ternary",
        weights=TERNARY,
        fraction_bits=(2, 4, 4),
        layer_shifts=(4, 7, 8),
        shift=7,
        output_shift=8,
        bias_shift=9,
        channel_bias_shift=11,
        initial_reach=6000,
        at_least=0.895,
    ),
    *SEQUENCES,
)

_DIGITS = Case(
    name="digits dense int8, symmetric feedback",
    data="digits",
    image="64",
    layers=("dense 64", "dense 10"),
    weights=INT8,
    fraction_bits=(7, 6),
    feedback_shifts=(0, 0),
    temperature=(1, 8),
    shift=5,
    output_shift=7,
    bias_shift=7,
    channel_bias_shift=7,
    epochs=12,
    initial_reach=3000,
)

QUICK = (
    replace(
        _DIGITS,
        name="digits convolution int8",
        image="8x8x1",
        layers=("conv 8 3x3 pad 1", "dense 10"),
        fraction_bits=(6, 8),
        feedback_shifts=(0, -2),
        temperature=(1, 4),
        shift=6,
        output_shift=8,
        channel_bias_shift=9,
    ),
    replace(
        _DIGITS,
        name="digits lattice ternary",
        layers=("lattice 4x4x4", "dense 10"),
        weights=TERNARY,
        fraction_bits=(3, 3),
        temperature=None,
        shift=4,
        output_shift=6,
        bias_shift=6,
        channel_bias_shift=6,
        initial_reach=6000,
    ),
    replace(
        _DIGITS,
        name="digits random sparse int8",
        layers=("random 128 density 0.25", "dense 10"),
        fraction_bits=(6, 6),
    ),
    *(
        replace(_DIGITS, name=f"digits dense int8, {feedback.value} feedback", feedback=feedback)
        for feedback in FeedbackKind
    ),
)
