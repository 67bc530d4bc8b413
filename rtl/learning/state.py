"""What a training leaves in a core: latents, bias latents, the generator; and its settings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.contract.learning import BIAS_GUARD_BITS, BIAS_LATENT_LIMIT, LATENT_BITS, LATENT_LIMIT
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.rtl.images import fields_of
from toreq_hw.rtl.learning.sizes import BIAS_LATENT_BITS
from toreq_hw.rtl.learning.tables import HIGHEST_RATE, LOWEST_RATE
from toreq_hw.rtl.load_spaces import LoadWord, Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.storage import INPUT, Walk


@dataclass(frozen=True)
class LearnedState:
    """All that learning changes.

    latents: int16 (n_pre, n_post) by coupling. bias_latents: int32 (neurons,) by population.
    generator: the state of xorshift32, 1 .. 2^32 - 1.
    """

    latents: Mapping[str, npt.NDArray[np.int16]]
    bias_latents: Mapping[str, npt.NDArray[np.int32]]
    generator: int

    def stored(self, parameters: CoreParameters) -> dict[str, npt.NDArray[np.int64]]:
        """The fields of each coupling: latents without their dropped bits.

        Raises InputError for a latent that the core cannot hold.
        """
        fields = {}
        for coupling, bits in kept_bits(parameters).items():
            dropped = LATENT_BITS - bits
            latents = self.latents[coupling].astype(np.int64)
            if np.any(latents & (1 << dropped) - 1) or np.abs(latents).max() > LATENT_LIMIT:
                raise InputError(
                    f"latents of coupling {coupling!r} must be multiples of {1 << dropped} in "
                    f"{-LATENT_LIMIT}..{LATENT_LIMIT} for this core"
                )
            fields[coupling] = latents >> dropped
        return fields

    def biases(self) -> dict[str, npt.NDArray[np.int64]]:
        """The biases that bias latents stand for."""
        latents = {name: values.astype(np.int64) for name, values in self.bias_latents.items()}
        for name, values in latents.items():
            if np.abs(values).max() > BIAS_LATENT_LIMIT:
                raise InputError(
                    f"bias latents of population {name!r} must be in "
                    f"{-BIAS_LATENT_LIMIT}..{BIAS_LATENT_LIMIT}"
                )
        return {name: values >> BIAS_GUARD_BITS for name, values in latents.items()}


@dataclass(frozen=True)
class LearningRates:
    """Settings of the rule as a core takes them. shifts, bias_shifts: k, of docs/numerics.md,
    section 6, by coupling and by population. theta: of ternary weights.
    """

    shifts: Mapping[str, int]
    bias_shifts: Mapping[str, int]
    theta: int


def kept_bits(parameters: CoreParameters) -> dict[str, int]:
    """Latent bits of each coupling by name. parameters: of a core that learns."""
    assert parameters.learning is not None, "only a core that learns has latents"
    return {c.walk.coupling: c.latent_bits for c in parameters.learning.couplings}


def state_of_network(
    network: Network, parameters: CoreParameters, generator: int = 1
) -> LearnedState:
    """From where a core learns on that wakes up with `network`: each latent in the middle of what
    stands for its weight or bias.

    Raises InputError for a bias that no latent stands for.
    """
    bits, limit = kept_bits(parameters), BIAS_LATENT_LIMIT >> BIAS_GUARD_BITS
    latents = {
        name: (fields << LATENT_BITS - bits[name]).astype(np.int16)
        for name, fields in fields_of(network, parameters).items()
    }
    bias_latents = {}
    for name, biases in network.biases.items():
        largest = int(np.abs(biases.astype(np.int64)).max())
        if largest > limit:
            raise InputError(
                f"biases of {name!r} must be in {-limit}..{limit} to be learned, found one of "
                f"magnitude {largest}"
            )
        middle = (biases << BIAS_GUARD_BITS) + rounding_half(BIAS_GUARD_BITS)
        bias_latents[name] = np.minimum(middle, BIAS_LATENT_LIMIT).astype(np.int32)
    return LearnedState(latents, bias_latents, generator)


def rate_words(rates: LearningRates, parameters: CoreParameters) -> Iterator[LoadWord]:
    """The words that set rates and the threshold.

    Raises InputError, before the first word, for a rate that the core cannot do.
    """
    learning = parameters.learning
    assert learning is not None, "only a core that learns has rates"
    numbers = []
    for coupling in learning.couplings:
        name, dropped = coupling.walk.coupling, LATENT_BITS - coupling.latent_bits
        option = "--output-shift" if coupling.walk.target == parameters.output else "--shift"
        numbers.append(_rate(f"coupling {name!r}", rates.shifts[name], dropped, option))
    for placement in parameters.relaxing:
        name = placement.name
        numbers.append(_rate(f"biases of {name!r}", rates.bias_shifts[name], 0, "--bias-shift"))
    words = [LoadWord(Space.RATE, number, rate) for number, rate in enumerate(numbers)]
    return iter([*words, LoadWord(Space.THETA, 0, rates.theta)])


def _rate(where: str, k: int, dropped: int, option: str) -> int:
    """What a core is told of one k. dropped: latent bits that it leaves out. Raises InputError."""
    low, high = max(0, LOWEST_RATE - dropped), HIGHEST_RATE - dropped
    if not low <= k <= high:
        fix = f"{option} {low} or more" if k < low else f"{option} {high} or less"
        raise InputError(
            f"{where}: k must be in {low}..{high} on a core, found {k}; use {fix}, or train in the "
            "simulator alone"
        )
    return k + dropped


def state_words(state: LearnedState, parameters: CoreParameters) -> Iterator[LoadWord]:
    """The words that set bias latents and the generator; latents come with the stores."""
    for placement in parameters.relaxing:
        first = placement.first_group * parameters.lanes
        for k, latent in enumerate(state.bias_latents[placement.name].tolist()):
            yield LoadWord(Space.BIAS_LATENT, first + k, latent & (1 << BIAS_LATENT_BITS) - 1)
    yield LoadWord(Space.GENERATOR, 0, state.generator)


def bias_latent_rows(state: LearnedState, parameters: CoreParameters) -> list[str]:
    """Bias latents as hexadecimal text, a word a line, in the order of addresses."""
    rows = [0] * (parameters.groups * parameters.lanes)
    for word in state_words(state, parameters):
        if word.space == Space.BIAS_LATENT:
            rows[word.address] = word.data
    return [f"{row:07x}" for row in rows]


def state_of(words: Mapping[int, list[int]], parameters: CoreParameters) -> LearnedState:
    """The state that words read back make, `words` by space, in the order of addresses.

    Rows of skewed stores are in lane order, as they are read.
    """
    latents = {}
    assert parameters.learning is not None, "only a core that learns is read back"
    for coupling in parameters.learning.couplings:
        walk, bits = coupling.walk, coupling.latent_bits
        rows = unpack_fields(words[Space.WEIGHTS + walk.store], bits, parameters.lanes)
        matrix = _matrix(rows, walk, parameters)
        latents[walk.coupling] = (matrix << LATENT_BITS - bits).astype(np.int16)
    biases = np.array(words[Space.BIAS_LATENT], dtype=np.int64)
    biases -= (biases >> BIAS_LATENT_BITS - 1 & 1) << BIAS_LATENT_BITS
    bias_latents = {}
    for placement in parameters.relaxing:
        first = placement.first_group * parameters.lanes
        bias_latents[placement.name] = biases[first : first + placement.size].astype(np.int32)
    return LearnedState(latents, bias_latents, words[Space.GENERATOR][0])


def unpack_fields(words: list[int], bits: int, lanes: int) -> npt.NDArray[np.int64]:
    """Words of `lanes` two's complement fields of `bits` bits, as rows: int64 (words, lanes)."""
    size = -(-bits * lanes // 8)
    packed = b"".join(word.to_bytes(size, "little") for word in words)
    rows = np.frombuffer(packed, dtype=np.uint8).reshape(len(words), size)
    flat = np.unpackbits(rows, axis=1, bitorder="little")[:, : bits * lanes]
    weights = 1 << np.arange(bits)
    weights[-1] = -weights[-1]
    fields: npt.NDArray[np.int64] = flat.reshape(len(words), lanes, bits).astype(np.int64) @ weights
    return fields


def _matrix(
    rows: npt.NDArray[np.int64], walk: Walk, parameters: CoreParameters
) -> npt.NDArray[np.int64]:
    """The matrix of a coupling, of all words of its store in lane order, int64 (words, lanes)."""
    sources = parameters.input if walk.source == INPUT else parameters.relaxing[walk.source]
    if not walk.skewed:
        own = rows[walk.first :][: sources.size * walk.beats]
        return own.reshape(sources.size, -1)[:, : walk.neighbours]
    lanes = parameters.lanes
    tiles = rows[walk.first * lanes :][: walk.pre_groups * walk.beats * lanes]
    blocks = tiles.reshape(walk.beats, walk.pre_groups, lanes, lanes).transpose(1, 2, 0, 3)
    matrix = blocks.reshape(walk.pre_groups * lanes, walk.beats * lanes)
    return matrix[: sources.size, : walk.neighbours]
