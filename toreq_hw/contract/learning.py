"""Sizes of what learning keeps, for the simulator and for cores: docs/numerics.md, section 6."""

LATENT_BITS, FEWEST_LATENT_BITS = 16, 8
"""Of a latent weight where nothing is said, which are the most; and the fewest: an INT8 weight is
its high byte."""

LATENT_LIMIT = 32767
"""Latent weights are int16 and stay in -32767..32767."""

DEFAULT_THETA = 4096
"""Threshold of ternary weights where nothing is said."""

BIAS_GUARD_BITS = 4
"""Bits of a bias latent below the accumulator's LSB."""

BIAS_LATENT_LIMIT = (1 << 26) - 1
"""Bias latents stay in +-(2^26 - 1): biases in -2^22 .. 2^22 - 1 accumulator LSBs."""

WEYL_STEP = 0x9E37
"""Added per column to a row's 16-bit random word: 2^16 over the golden ratio, made odd, so that the
offsets of neighbouring lanes are spread evenly and no two of 65,536 columns share one."""
