"""The live page of a memory, for benches: rows of words, or one number a neuron."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import wrap
from toreq_hw.rtl.parameters import CoreParameters

Wide = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LivePage:
    """Rows of `fields` fields of `bits` bits, the first field lowest. memory: its name in the core.

    The page is the memory's first, LIVE; all pages have `rows` rows. Field by field it is in the
    order of addresses, whether a row is a group (of accumulators) or a slice (of states).
    """

    memory: str
    rows: int
    fields: int
    bits: int
    signed: bool
    addresses: tuple[int, ...]

    @classmethod
    def of_states(cls, parameters: CoreParameters) -> "LivePage":
        """The states of a core."""
        return cls(
            "states",
            parameters.slices,
            parameters.update_lanes,
            parameters.state_bits,
            parameters.has_signed_states,
            _addresses(parameters),
        )

    @classmethod
    def of_accumulators(cls, parameters: CoreParameters) -> "LivePage":
        """The accumulators of a core, each with its rounding half."""
        bits = parameters.accumulator_bits
        return cls(
            "accumulators", parameters.groups, parameters.lanes, bits, True, _addresses(parameters)
        )

    def neurons(self, words: Sequence[int]) -> Wide:
        """int64 (neurons,), in file order, out of the page's rows."""
        found = []
        for address in self.addresses:
            row, field = divmod(address, self.fields)
            value = words[row] >> self.bits * field & (1 << self.bits) - 1
            found.append(wrap(value, 1 << self.bits - 1) if self.signed else value)
        return np.array(found, dtype=np.int64)

    def changed_rows(self, words: Sequence[int], neurons: Wide) -> dict[int, int]:
        """Rows whose words differ once they hold `neurons`, by number."""
        after = list(words)
        for address, value in zip(self.addresses, neurons.tolist(), strict=True):
            row, field = divmod(address, self.fields)
            mask = (1 << self.bits) - 1
            after[row] &= ~(mask << self.bits * field)
            after[row] |= (value & mask) << self.bits * field
        return {row: word for row, word in enumerate(after) if word != words[row]}


def _addresses(parameters: CoreParameters) -> tuple[int, ...]:
    """The address of every neuron, in file order."""
    return tuple(
        placement.first_group * parameters.lanes + k
        for placement in parameters.relaxing
        for k in range(placement.size)
    )
