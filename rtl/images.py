"""What the memories hold: weights in their stores, biases in their page.

The same words are contents at power-up and load words: `load_words` is the one list that turns
a core into another network of its shape.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.learning import DEFAULT_THETA, LATENT_BITS
from toreq_hw.errors import NetworkError
from toreq_hw.network import Network, WeightFormat
from toreq_hw.rtl.load_spaces import LoadWord, Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.storage import Walk
from toreq_hw.rtl.threshold import check_threshold

Matrix = npt.NDArray[np.int64]
IntArray = npt.NDArray[np.integer]

Fields = Mapping[str, Matrix]
"""What a core holds of each coupling by name, (n_pre, n_post)."""


@named_type_errors
@dataclass(frozen=True)
class MemoryImages:
    """Unsigned words, two's complement fields, the first field lowest.

    stores: per store its words, `lanes` weights each (of a skewed store in bank order). rest:
    one word per group, `lanes` accumulators: biases with their rounding halves.
    """

    stores: list[list[int]]
    rest: list[int]

    @classmethod
    def of(cls, network: Network, parameters: CoreParameters) -> "MemoryImages":
        """The contents that `network` gives a core of `parameters`.

        A core that learns gets latents that stand for the weights, ternary ones at the threshold
        where nothing is said.
        """
        return cls.of_fields(fields_of(network, parameters), network.biases, parameters)

    @classmethod
    def of_fields(
        cls, fields: Fields, biases: Mapping[str, IntArray], parameters: CoreParameters
    ) -> "MemoryImages":
        """The contents of matrices of fields by coupling, and biases by population."""
        return cls(
            stores=[
                pack(words, store.width)
                for words, store in zip(_stores(fields, parameters), parameters.stores, strict=True)
            ],
            rest=pack(_biases(biases, parameters), parameters.accumulator_bits),
        )

    def text(self, parameters: CoreParameters) -> dict[str, list[str]]:
        """The same words as hexadecimal text by memory, one word a line."""
        lanes = parameters.lanes
        text = {
            store_name(parameters, number): _hexadecimal(words, lanes * store.width)
            for number, (store, words) in enumerate(
                zip(parameters.stores, self.stores, strict=True)
            )
        }
        return text | {"bias": _hexadecimal(self.rest, lanes * parameters.accumulator_bits)}


def store_name(parameters: CoreParameters, number: int) -> str:
    """What files and tables call a store."""
    store = parameters.stores[number]
    return f"{store.weight_format.value}-{'skewed' if store.skewed else 'rows'}"


@named_type_errors
def load_words(
    network: Network, parameters: CoreParameters, *, threshold: int | None = None
) -> Iterator[LoadWord]:
    """Every word that makes a core of `parameters` hold `network`, in the order to send them.

    threshold: of unsent deltas, for a lossy core from now on; None leaves it as it is.

    Raises NetworkError, before the first word, if the network has not the core's shape or has a
    bias that is too wide. The same if the core cannot take the threshold.
    """
    _check(network, parameters)
    words = words_of(fields_of(network, parameters), network.biases, parameters)
    return words if threshold is None else chain(words, [threshold_word(parameters, threshold)])


@named_type_errors
def threshold_word(parameters: CoreParameters, threshold: int) -> LoadWord:
    """The word that makes a lossy core take a threshold; it means another FREE comes first.

    Raises NetworkError if the core is not lossy or no state can move that far.
    """
    if not parameters.lossy:
        raise NetworkError(
            f"threshold {threshold} must go to a core made with one, this core has none"
        )
    check_threshold(threshold, parameters.relaxing)
    return LoadWord(Space.THRESHOLD, 0, threshold)


def words_of(
    fields: Fields, biases: Mapping[str, IntArray], parameters: CoreParameters
) -> Iterator[LoadWord]:
    """The words of all stores and biases; arguments as `MemoryImages.of_fields` takes them."""
    for number, words in enumerate(MemoryImages.of_fields(fields, biases, parameters).stores):
        for address, word in enumerate(words):
            yield LoadWord(Space.WEIGHTS + number, address, word)
    mask = (1 << parameters.bias_bits) - 1
    for address, bias in enumerate(_biases(biases, parameters).ravel().tolist()):
        yield LoadWord(Space.BIAS, address, bias & mask)


def _check(network: Network, parameters: CoreParameters) -> None:
    matrices = {coupling.name: coupling for coupling in network.dense_couplings}
    wanted = {walk.coupling for walk in parameters.walks}
    if set(matrices) != wanted:
        raise NetworkError(
            f"couplings must be {', '.join(sorted(wanted))} for this core, found "
            f"{', '.join(sorted(matrices))}"
        )
    for walk in parameters.walks:
        coupling = matrices[walk.coupling]
        store = parameters.stores[walk.store]
        groups, neighbours = coupling.weight.shape[0], coupling.weight.shape[not walk.by_column]
        shape = (coupling.weight_format, -(-groups // parameters.lanes), neighbours)
        if shape != (store.weight_format, walk.pre_groups, walk.neighbours):
            raise NetworkError(
                f"coupling {walk.coupling!r} must have this core's format and shape, found "
                f"{coupling.weight_format.value} {' x '.join(map(str, coupling.weight.shape))}"
            )
    biases = _biases(network.biases, parameters)
    limit = 1 << (parameters.bias_bits - 1)
    if biases.min() < -limit or biases.max() >= limit:
        raise NetworkError(
            f"biases with their rounding halves must be in {-limit}..{limit - 1} for this core, "
            f"found {biases.min()}..{biases.max()}; build the core from this network"
        )


def pack(rows: Matrix, bits: int) -> list[int]:
    """Each row of fields, (rows, fields), as one word: two's complement, the first field lowest."""
    fields = rows[:, :, None] >> np.arange(bits) & 1
    packed_bytes = np.packbits(
        fields.reshape(len(rows), -1).astype(np.uint8), axis=1, bitorder="little"
    )
    return [int.from_bytes(row.tobytes(), "little") for row in packed_bytes]


def _hexadecimal(words: list[int], bits: int) -> list[str]:
    digits = -(-bits // 4)
    return [f"{word:0{digits}x}" for word in words]


def fields_of(network: Network, parameters: CoreParameters) -> Fields:
    """What a core holds for each coupling: weights, or latents that stand for them."""
    weights = {c.name: c.weight.astype(np.int64) for c in network.dense_couplings}
    if parameters.learning is None:
        return weights
    for coupling in parameters.learning.couplings:
        name, bits = coupling.walk.coupling, coupling.latent_bits
        ternary = parameters.stores[coupling.walk.store].weight_format is WeightFormat.TERNARY
        step = DEFAULT_THETA + DEFAULT_THETA // 2 if ternary else 1 << LATENT_BITS - 8
        weights[name] = weights[name] * (step >> LATENT_BITS - bits)
    return weights


def _biases(biases_of: Mapping[str, IntArray], parameters: CoreParameters) -> Matrix:
    """Shape (groups, lanes): each bias with its rounding half; lanes without a neuron hold 0."""
    biases = np.zeros(parameters.groups * parameters.lanes, dtype=np.int64)
    for placement in parameters.relaxing:
        first = placement.first_group * parameters.lanes
        biases[first : first + placement.size] = (
            biases_of[placement.name].astype(np.int64) + placement.half
        )
    return biases.reshape(parameters.groups, parameters.lanes)


def _stores(weights: Fields, parameters: CoreParameters) -> list[Matrix]:
    """Per store its fields, shape (words, lanes)."""
    lanes = parameters.lanes
    stores = [np.zeros((s.words, lanes), dtype=np.int64) for s in parameters.stores]
    for walk in parameters.walks:
        if not walk.skewed:
            _place_rows(stores[walk.store], walk, weights[walk.coupling], lanes)
        elif not walk.by_column:
            _place_tiles(stores[walk.store], walk, weights[walk.coupling], lanes)
    return stores


def _place_rows(store: Matrix, walk: Walk, weight: Matrix, lanes: int) -> None:
    """Writes a matrix, or its transpose, row by row."""
    rows = weight.T if walk.by_column else weight
    padded = np.zeros((len(rows), walk.beats * lanes), dtype=np.int64)
    padded[:, : walk.neighbours] = rows
    words = padded.reshape(-1, lanes)
    store[walk.first : walk.first + len(words)] = words


def _place_tiles(store: Matrix, walk: Walk, weight: Matrix, lanes: int) -> None:
    """Writes a matrix, tile by tile: element (i, j) of a tile to word i of bank i + j."""
    rows, columns = weight.shape
    post_groups = -(-columns // lanes)
    padded = np.zeros((walk.pre_groups * lanes, post_groups * lanes), dtype=np.int64)
    padded[:rows, :columns] = weight
    blocks = padded.reshape(walk.pre_groups, lanes, post_groups, lanes)
    tiles = blocks.transpose(2, 0, 1, 3).reshape(-1, lanes, lanes)
    words = store[walk.first * lanes :][: len(tiles) * lanes].reshape(-1, lanes, lanes)
    for row in range(lanes):
        words[:, row] = np.roll(tiles[:, row], row, axis=1)
