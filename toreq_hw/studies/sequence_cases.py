"""Attention on tasks of sequences: cases of the study `structured`.

Settings of reversal-8 were chosen on other seeds. Those of the others are the same but for what is
said here, chosen on few of the seeds that are reported; so were 20 epochs of copy-8. With 9
fraction bits in its terms reversal-16 locks in two of five seeds; with 10 the gains are half as
large. Sums want rows that stay even, so that what is attended is a mean: temperature 32, a budget
that 8 divides, terms of 7 bits, which use all of a state. First weights are small, so that values
add up unclipped, and biases of thresholds learn fast. They were chosen on 500 held-out sequences
and two seeds.
"""

from dataclasses import replace

from toreq_hw.network import WeightFormat
from toreq_hw.studies.structured_case import Case

_REVERSAL = Case(
    name="reversal-8 attention ternary",
    data="reversal-8",
    image="8x18",
    layers=("attention 16", "conv 10 1"),
    weights=WeightFormat.TERNARY,
    fraction_bits=(0, 1),
    feedback_shifts=(0, 0),
    temperature=(1, 1),
    shift=4,
    output_shift=4,
    bias_shift=12,
    channel_bias_shift=14,
    epochs=5,
    initial_reach=16384,
    input_bits=7,
    rows=8,
    theta=8192,
    beta_shift=1,
    at_least=0.999,
)

_SOFTMAX = "attention 16 rows softmax temperature 2/1 bits 8"

SEQUENCES = (
    _REVERSAL,
    replace(
        _REVERSAL,
        name="reversal-16 attention ternary",
        data="reversal-16",
        image="16x26",
        layers=("attention 16 bits 10", "conv 10 1"),
        rows=16,
        epochs=3,
        at_least=0.99,
    ),
    replace(
        _REVERSAL,
        name="recall-4 attention ternary",
        data="recall-4",
        image="5x21",
        layers=("attention 16", "dense 8"),
        rows=1,
        epochs=12,
        at_least=None,
    ),
    replace(
        _REVERSAL,
        name="copy-8 attention int8",
        data="copy-8",
        layers=(_SOFTMAX, "conv 10 1"),
        weights=WeightFormat.INT8,
        fraction_bits=(5, 4),
        output_shift=5,
        epochs=20,
        at_least=0.99,
    ),
    replace(
        _REVERSAL,
        name="recall-4 attention int8",
        data="recall-4",
        image="5x21",
        layers=(_SOFTMAX, "dense 8"),
        weights=WeightFormat.INT8,
        fraction_bits=(5, 4),
        output_shift=5,
        rows=1,
        epochs=12,
        at_least=0.99,
    ),
    replace(
        _REVERSAL,
        name="sums-8 attention int8",
        data="sums-8",
        image="8x12",
        layers=(
            "attention 16 rows softmax temperature 32/1 bits 7 budget 128",
            "dense 48",
        ),
        weights=WeightFormat.INT8,
        fraction_bits=(5, 4),
        output_shift=5,
        bias_shift=7,
        initial_reach=4000,
        rows=24,
        epochs=25,
        at_least=0.99,
    ),
    replace(
        _REVERSAL,
        name="copy-8 attention ternary",
        data="copy-8",
        layers=("attention 32 bits 10", "conv 10 1"),
        at_least=None,
    ),
)
"""Rows of a readout that names several classes are right together or not at all."""
