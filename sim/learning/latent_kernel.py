"""Compiled arithmetic of one latent weight: its step, and the weight that it stands for."""

import numpy as np

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.learning.synapses import LATENT_LIMIT


@compiled
def step_latent(latent, product, random_word, weyl, shift):  # type: ignore[no-untyped-def]
    """One latent after its step: clip(V + ((product + r) >> k))."""
    step = np.int32(np.int32(product + rounding_offset(random_word, weyl, shift)) >> shift)
    v = np.int32(np.int32(latent) + step)
    return np.int16(min(max(v, np.int32(-LATENT_LIMIT)), np.int32(LATENT_LIMIT)))


@compiled
def ternary_weight(latent, theta):  # type: ignore[no-untyped-def]
    """sign(V) where |V| >= theta, else 0."""
    return np.int8(np.int8(latent >= theta) - np.int8(latent <= -theta))


@compiled
def int8_weight(latent):  # type: ignore[no-untyped-def]
    """clip((V + 128) >> 8, -127, 127)."""
    rounded = np.int32(np.int32(np.int32(latent) + np.int32(128)) >> np.int32(8))
    return np.int8(min(max(rounded, np.int32(-127)), np.int32(127)))


@compiled
def rounding_offset(random_word, weyl, shift):  # type: ignore[no-untyped-def]
    """A column's r in 0 .. 2^k - 1: the top k bits of the row's word plus the column's step."""
    word = np.int32(np.int32(random_word + weyl) & np.int32(0xFFFF))
    return np.int32(word >> np.int32(np.int32(16) - shift))
