"""What the memories hold at power-up: weights in their banks, biases in their page.

The same rows travel over the load stream, so an image is also a list of load words.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network, WeightFormat
from toreq_hw.rtl.parameters import CoreParameters, Fan


@dataclass(frozen=True)
class MemoryImages:
    """Unsigned words, two's complement fields.

    banks: per weight store, per bank, one word a weight. rest: one word per group, `lanes`
    accumulators wide, lane 0 lowest. bias_rows: the same biases in `bias_bits` fields.
    """

    banks: list[list[list[int]]]
    rest: list[int]
    bias_rows: list[int]

    @classmethod
    def of(cls, network: Network, parameters: CoreParameters) -> "MemoryImages":
        """The contents that `network` gives a core of `parameters`."""
        biases = _bias_groups(network, parameters)
        return cls(
            banks=_banks(network, parameters),
            rest=[pack(row, parameters.accumulator_bits) for row in biases],
            bias_rows=[pack(row, parameters.bias_bits) for row in biases],
        )

    def load_words(
        self, parameters: CoreParameters
    ) -> Iterator[tuple[WeightFormat | None, int, int]]:
        """(weight format or None for a bias, address, data) of every row, in address order."""
        for store, banks in zip(parameters.stores, self.banks, strict=True):
            for address, row in enumerate(zip(*banks, strict=True)):
                yield store.weight_format, address, pack(list(row), store.width)
        for address, word in enumerate(self.bias_rows):
            yield None, address, word

    def rows(self, parameters: CoreParameters) -> dict[str, list[str]]:
        """The same rows as hexadecimal text by memory, one load word a line."""
        lanes = parameters.lanes
        text = {
            store.weight_format.value: _hexadecimal(
                [pack(list(row), store.width) for row in zip(*banks, strict=True)],
                lanes * store.width,
            )
            for store, banks in zip(parameters.stores, self.banks, strict=True)
        }
        return text | {"bias": _hexadecimal(self.bias_rows, lanes * parameters.bias_bits)}


def _hexadecimal(words: list[int], bits: int) -> list[str]:
    digits = -(-bits // 4)
    return [f"{word:0{digits}x}" for word in words]


def pack(values: list[int], bits: int) -> int:
    """Fields of `bits` bits, two's complement, the first one lowest."""
    mask = (1 << bits) - 1
    return sum((int(value) & mask) << (k * bits) for k, value in enumerate(values))


def _bias_groups(network: Network, parameters: CoreParameters) -> list[list[int]]:
    rows = []
    for slot in parameters.relaxing:
        padded = np.zeros(slot.groups * parameters.lanes, dtype=np.int64)
        padded[: slot.size] = network.biases[slot.name]
        rows += padded.reshape(slot.groups, parameters.lanes).tolist()
    return rows


def _banks(network: Network, parameters: CoreParameters) -> list[list[list[int]]]:
    lanes = parameters.lanes
    stores = [np.zeros((s.tiles, lanes, lanes), dtype=np.int64) for s in parameters.stores]
    weights = {coupling.name: coupling.weight for coupling in network.couplings}
    for fan in parameters.fans:
        if not fan.by_column:
            _place(stores[fan.store], fan, weights[fan.coupling], lanes)
    masks = [(1 << store.width) - 1 for store in parameters.stores]
    return [
        [(store[:, :, bank].ravel() & mask).tolist() for bank in range(lanes)]
        for store, mask in zip(stores, masks, strict=True)
    ]


def _place(
    store: npt.NDArray[np.int64], fan: Fan, weight: npt.NDArray[np.int8], lanes: int
) -> None:
    """Writes one matrix, tile by tile: element (i, j) of a tile to word i of bank i + j."""
    rows, columns = weight.shape
    post_groups = -(-columns // lanes)
    padded = np.zeros((fan.pre_groups * lanes, post_groups * lanes), dtype=np.int64)
    padded[:rows, :columns] = weight
    blocks = padded.reshape(fan.pre_groups, lanes, post_groups, lanes)
    tiles = blocks.transpose(2, 0, 1, 3).reshape(-1, lanes, lanes)
    for row in range(lanes):
        skewed = np.roll(tiles[:, row], row, axis=1)
        store[fan.first_tile : fan.first_tile + len(tiles), row] = skewed
