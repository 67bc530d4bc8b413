"""Compiled arithmetic of latent weights: their steps, and the weights that they stand for."""

import numpy as np

from toreq_hw.contract.learning import LATENT_LIMIT
from toreq_hw.sim.compiled import compiled_uncounted


@compiled_uncounted
def step_latent(latent, product, random_word, weyl, rate):  # type: ignore[no-untyped-def]
    """One latent after its step: clip(V + (((product + r) >> (k + d)) << d)).

    rate: k + d and d, both int32; d low bits of every latent are dropped.
    """
    shift, dropped = rate
    step = np.int32(np.int32(product + rounding_offset(random_word, weyl, shift)) >> shift)
    v = np.int32(np.int32(latent) + np.int32(step << dropped))
    limit = np.int32(np.int32(np.int32(LATENT_LIMIT) >> dropped) << dropped)
    return np.int16(min(max(v, np.int32(-limit)), limit))


@compiled_uncounted
def ternary_weight(latent, theta):  # type: ignore[no-untyped-def]
    """sign(V) where |V| >= theta, else 0."""
    return np.int8(np.int8(latent >= theta) - np.int8(latent <= -theta))


@compiled_uncounted
def int8_weight(latent):  # type: ignore[no-untyped-def]
    """clip((V + 128) >> 8, -127, 127)."""
    rounded = np.int32(np.int32(np.int32(latent) + np.int32(128)) >> np.int32(8))
    return np.int8(min(max(rounded, np.int32(-127)), np.int32(127)))


@compiled_uncounted
def rounding_offset(random_word, weyl, shift):  # type: ignore[no-untyped-def]
    """A column's r in 0 .. 2^k - 1: the top k bits of the row's word plus the column's step."""
    word = np.int32(np.int32(random_word + weyl) & np.int32(0xFFFF))
    return np.int32(word >> np.int32(np.int32(16) - shift))


@compiled_uncounted
def learn_row(latent, positive, negative, s_positive, s_negative, random_word, weyl, rate):  # type: ignore[no-untyped-def]
    """Moves the latents of a row, all columns; written so that LLVM makes vectors of it.

    Every intermediate is cast to 32 bits: numba's 64 would halve the vectors' width.
    """
    for j in range(len(latent)):
        product = np.int32(s_positive * np.int32(positive[j])) - np.int32(
            s_negative * np.int32(negative[j])
        )
        latent[j] = step_latent(latent[j], np.int32(product), random_word, weyl[j], rate)


@compiled_uncounted
def program_row(latent, weight, theta):  # type: ignore[no-untyped-def]
    """Sets the weights of a row from its latents; returns whether any changed."""
    changed = np.int8(0)
    if theta > 0:
        for j in range(len(latent)):
            w = ternary_weight(latent[j], theta)
            changed |= np.int8(w ^ weight[j])
            weight[j] = w
    else:
        for j in range(len(latent)):
            w = int8_weight(latent[j])
            changed |= np.int8(w ^ weight[j])
            weight[j] = w
    return changed != 0


@compiled_uncounted
def differs(latent, weight, theta):  # type: ignore[no-untyped-def]
    """Whether the latents of a row stand for other weights than `weight`."""
    changed = np.int8(0)
    if theta > 0:
        for j in range(len(latent)):
            changed |= np.int8(ternary_weight(latent[j], theta) ^ weight[j])
    else:
        for j in range(len(latent)):
            changed |= np.int8(int8_weight(latent[j]) ^ weight[j])
    return changed != 0


@compiled_uncounted
def learn_gradients(latent, gradient, random_word, weyl, rate):  # type: ignore[no-untyped-def]
    """Moves the latents of a row, all columns, each by its gradient (int32)."""
    for j in range(len(latent)):
        latent[j] = step_latent(latent[j], gradient[j], random_word, weyl[j], rate)
