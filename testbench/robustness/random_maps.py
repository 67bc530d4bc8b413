"""Random rows of fault maps for a network: every kind of row, at the ends of its ranges."""

from typing import Any

import numpy as np

from toreq_hw.contract.faults import FAULTS
from toreq_hw.network import Network


def random_rows(seed: int, network: Network, samples: int) -> dict[str, list[list[Any]]]:
    """Rows by entry, all of which fit; ticks are few, so that faults meet in one tick."""
    return _Rows(np.random.default_rng(seed), network, samples).entries()


class _Rows:
    def __init__(self, rng: np.random.Generator, network: Network, samples: int) -> None:
        self.rng, self.network, self.samples = rng, network, samples

    def entries(self) -> dict[str, list[list[Any]]]:
        return {
            "weights": self._weights(),
            "stuck": self._once("state", 2),
            "inverted": self._once("mask", 1),
            "messages": self._once("message mask", 1),
            "frozen": self._frozen(),
            "states": [
                [sample, *row] for sample in range(self.samples) for row in self._once("state", 1)
            ],
            "faults": [self._fault() for _ in range(self._below(24))],
        }

    def _below(self, count: int) -> int:
        return int(self.rng.integers(count))

    def _end(self, low: int, high: int) -> int:
        """An end of the range as often as something within it."""
        return int(self.rng.choice([low, high, self.rng.integers(low, high + 1)]))

    def _neuron(self) -> list[Any]:
        population = self.network.relaxing[self._below(len(self.network.relaxing))]
        return [population.name, self._end(0, population.size - 1)]

    def _once(self, what: str, most: int) -> list[list[Any]]:
        """Up to `most` rows, no neuron twice."""
        found = {}
        for _ in range(self._below(most + 1)):
            name, neuron = self._neuron()
            population = self.network.population(name)
            bits = population.state_bits + (what == "message mask")
            low, high = population.state_min, population.state_max
            found[name, neuron] = (
                self._end(low, high) if what == "state" else self._end(0, (1 << bits) - 1)
            )
        return [[*place, value] for place, value in found.items()]

    def _weights(self) -> list[list[Any]]:
        found = {}
        for _ in range(self._below(4)):
            coupling = self.network.couplings[self._below(len(self.network.couplings))]
            row, column = (self._end(0, size - 1) for size in coupling.parameters.shape)
            word = self._end(-coupling.weight_format.limit, coupling.weight_format.limit)
            if coupling.is_self_coupling and row == column:
                continue
            found[coupling.name, row, column] = word
            if coupling.is_self_coupling:
                found[coupling.name, column, row] = word
        return [[*place, word] for place, word in found.items()]

    def _frozen(self) -> list[list[int]]:
        if self._below(4):
            return []
        return [[self._below(len(self.network.colours)), self._end(1, 12)]]

    def _fault(self) -> list[Any]:
        name, neuron = self._neuron()
        fault = str(self.rng.choice(list(FAULTS)))
        bits = self.network.population(name).state_bits
        most = {"accumulator_flip": 31, "event_flip": bits, "event_drop": 0, "event_duplicate": 0}
        bit = self._end(0, most.get(fault, bits - 1))
        return [self._below(self.samples), self._end(1, 12), name, neuron, fault, bit]
