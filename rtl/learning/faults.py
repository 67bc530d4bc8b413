"""A compiled core that learns and has a fault port: it goes on under a fault map.

docs/robustness.md, "Learning under a fault map".
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.compiled import CompiledLearner
from toreq_hw.rtl.learning.state import kept_bits
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.replay import Rows, lasting_levels


class StuckWord(NamedTuple):
    """Masks of a word of one store, as `stuck_signature` takes them."""

    store: int
    address: int
    at_zero: int
    at_one: int


def stuck_words(rows: Rows, network: Network, parameters: CoreParameters) -> Iterator[StuckWord]:
    """The words that have stuck bits under the entry `latents` of a fault map of `network`.

    Raises InputError for bits that the core's latents drop.
    """
    places = [(name, row, column) for name, row, column, *_ in rows["latents"]]
    stores = [
        MemoryImages.of_fields(
            _masks(places, [row[side] for row in rows["latents"]], network, parameters),
            {name: np.zeros_like(bias) for name, bias in network.biases.items()},
            parameters,
        ).stores
        for side in (3, 4)
    ]
    for number, (zeros, ones) in enumerate(zip(*stores, strict=True)):
        for address, (at_zero, at_one) in enumerate(zip(zeros, ones, strict=True)):
            if at_zero or at_one:
                yield StuckWord(number, address, at_zero, at_one)


def _masks(
    places: list[tuple[str, int, int]],
    masks: list[int],
    network: Network,
    parameters: CoreParameters,
) -> dict[str, npt.NDArray[np.int64]]:
    """Masks of each coupling's fields, int64 (n_pre, n_post)."""
    bits = kept_bits(parameters)
    fields = {c.name: np.zeros(c.weight.shape, np.int64) for c in network.dense_couplings}
    mirrored = {c.name for c in network.dense_couplings if c.is_self_coupling}
    for (name, row, column), mask in zip(places, masks, strict=True):
        dropped = LATENT_BITS - bits[name]
        if mask & (1 << dropped) - 1:
            raise InputError(
                f"latents of coupling {name!r} must be stuck in bits {dropped}..{LATENT_BITS - 1}, "
                f"which this core has, found mask {mask}"
            )
        fields[name][row, column] = mask >> dropped
        if name in mirrored:
            fields[name][column, row] = mask >> dropped
    return fields


class FaultyLearner(CompiledLearner):
    """A `CompiledLearner` with a fault port."""

    upsets: ClassVar[bool] = True

    def __init__(self, parameters: CoreParameters, images: MemoryImages, folder: Path) -> None:
        super().__init__(parameters, images, folder)
        self._stuck: list[StuckWord] = []

    @named_type_errors
    def inject(self, rows: Rows, network: Network) -> None:
        """The faults of a map act from now on, in place of those that acted before.

        rows: entries of a map of `network`, checked; `latents`, `inverted`, and `stuck` at 0.
        Raises InputError for neurons stuck at another state, which the port does not know.
        """
        for name, neuron, state in rows["stuck"]:
            if state:
                raise InputError(
                    f"a neuron of a core that learns must be stuck at 0, found neuron {neuron} of "
                    f"{name!r} at {state}"
                )
        wanted = list(stuck_words(rows, network, self._parameters))
        for word in [*(w._replace(at_zero=0, at_one=0) for w in self._stuck), *wanted]:
            self._put("stuck_stores", 1 << word.store)
            self._put("stuck_address", word.address)
            self._put("stuck_at_zero", word.at_zero)
            self._put("stuck_at_one", word.at_one)
            self._model.cycle()
        self._put("stuck_stores", 0)
        self._stuck = wanted
        for name, level in lasting_levels(rows, self._parameters).items():
            self._put(name, level)

    def _put(self, name: str, level: int) -> None:
        self._model.put(f"upsets__{name}", level)
