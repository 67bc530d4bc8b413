"""Random choices of layers: exact Bernoulli picks, and integer noise from a counter.

`noise_int` is integer arithmetic throughout, so that any machine can give the same bits.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.sim.compiled import compiled

_DENSE = 0.02
"""Above this rate one random number a place is cheaper than one a gap."""


def pick(rng: np.random.Generator, count: int, rate: float) -> npt.NDArray[np.int64]:
    """The places among 0 .. count - 1 that are hit, each independently with probability `rate`.

    Small rates draw the geometric gaps between hits instead of every place: the same law, in time
    proportional to the hits. Returns int64 (hits,), ascending.
    """
    if rate <= 0 or count == 0:
        return np.zeros(0, dtype=np.int64)
    if rate >= _DENSE:
        return np.flatnonzero(rng.random(count) < rate)
    places: list[npt.NDArray[np.int64]] = []
    last = -1
    while last < count:
        expected = (count - last) * rate
        gaps = rng.geometric(rate, int(expected + 6 * expected**0.5) + 16)
        found = last + np.cumsum(gaps)
        places.append(found)
        last = int(found[-1])
    every = np.concatenate(places)
    hits: npt.NDArray[np.int64] = every[every < count]
    return hits


def exactly(rng: np.random.Generator, count: int, fraction: float) -> npt.NDArray[np.int64]:
    """round(fraction * count) different places among 0 .. count - 1.

    The places of a smaller fraction are among those of a larger one with the same generator.
    Returns int64 (places,).
    """
    return rng.permutation(count)[: round(fraction * count)]


@compiled
def mix(word, other):  # type: ignore[no-untyped-def]
    """Stirs `other` into `word`: a step of Murmur3's finaliser over their sum; uint32."""
    x = np.uint32(np.uint32(word) + np.uint32(other) * np.uint32(0x9E3779B9) + np.uint32(1))
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    x = np.uint32((x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(x ^ (x >> np.uint32(16)))


@compiled
def noise_int(scale, octaves, seed, sample, tick, neuron):  # type: ignore[no-untyped-def]
    """One random number, in accumulator LSBs, of mean 0 and standard deviation scale / 256.

    Each octave k is a sum of twelve 16-bit words (Irwin-Hall, sd 2^16) of the counter
    (seed, sample, neuron, k, tick >> k): held for 2^k ticks, which over K octaves makes the
    spectrum fall as 1/f (Voss and McCartney; Gardner 1978). The variance is shared by octaves.
    """
    total = np.int64(0)
    for octave in range(octaves):
        word = mix(mix(mix(np.uint32(seed), sample), neuron), octave)
        word = mix(word, tick >> octave)
        for _ in range(6):
            word = mix(word, np.uint32(0x51ED270B))
            total += np.int64(word & np.uint32(0xFFFF)) + np.int64(word >> np.uint32(16)) - 65535
    if octaves > 1:
        total = np.int64(total / np.sqrt(octaves))
    return (np.int64(scale) * total + (np.int64(1) << np.int64(23))) >> np.int64(24)


@compiled
def noise_block(values, scale, octaves, seed, tick, first_neuron):  # type: ignore[no-untyped-def]
    """Fills int64 `values` (batch, neurons from first_neuron on) with the noise of one tick."""
    for sample in range(values.shape[0]):
        for k in range(values.shape[1]):
            neuron = first_neuron + k
            values[sample, k] = noise_int(scale[neuron], octaves, seed, sample, tick, neuron)


@compiled
def read_errors(values, deviation, seed, tick, first_neuron):  # type: ignore[no-untyped-def]
    """Fills int64 `values` (batch, neurons) with errors of sd deviation[sample] / 256."""
    for sample in range(values.shape[0]):
        for k in range(values.shape[1]):
            neuron = first_neuron + k
            values[sample, k] = noise_int(deviation[sample], 1, seed, sample, tick, neuron)
