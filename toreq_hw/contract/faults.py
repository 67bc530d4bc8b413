"""What a digital fault is, for every machine that replays one; docs/robustness.md, "Fault maps"."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from toreq_hw.contract.operations import message_bits
from toreq_hw.network import Population

NEVER = np.iinfo(np.int32).max
"""A tick that no phase reaches."""

FREE = np.iinfo(np.int16).min
"""In `stuck`: the neuron is not stuck (no state format has this value)."""

ACCUMULATOR_BITS = 32
"""Bits of the accumulator that docs/numerics.md bounds."""

FIRST_TICK, LAST_TICK = 1, NEVER - 1
"""Ticks count from 1 (docs/robustness.md): a fault before the first one never happens."""


class Fault(IntEnum):
    """What one line of a fault list does at the start of its tick, before any update."""

    STATE_FLIP = 0
    """A state bit flips and the neighbours feel the new state."""
    SILENT_FLIP = 1
    """A state bit flips in its register only; no event is sent, accumulators do not follow."""
    ACCUMULATOR_FLIP = 2
    """A bit of the 32-bit accumulator flips and stays so."""
    EVENT_DROP = 3
    """If the neuron sends an event in this tick, nobody receives it."""
    EVENT_DUPLICATE = 4
    """If the neuron sends an event in this tick, everybody receives it twice."""
    EVENT_FLIP = 5
    """If the neuron sends an event in this tick, a bit of its message arrives inverted."""


FAULTS = {fault.name.lower(): fault for fault in Fault}
"""Faults by the name that rows have."""


def fault_bits(fault: Fault, population: Population) -> int:
    """How many bits of a neuron this fault can name; 1 (bit 0) where it has none."""
    if fault in (Fault.STATE_FLIP, Fault.SILENT_FLIP):
        return population.state_bits
    if fault is Fault.ACCUMULATOR_FLIP:
        return ACCUMULATOR_BITS
    return message_bits(population) if fault is Fault.EVENT_FLIP else 1


def faults_by_tick(
    rows: Iterable[Sequence[Any]], sample: int, first: Mapping[str, int]
) -> dict[int, list[tuple[int, Fault, int]]]:
    """Per tick the faults of one sample as (neuron, fault, bit), in the order of the rows.

    rows: the entry `faults` of a fault map, checked. first: the number of each relaxing
    population's first neuron. A tick without faults gives an empty list.
    """
    found: dict[int, list[tuple[int, Fault, int]]] = defaultdict(list)
    for of_sample, tick, name, neuron, fault, bit in rows:
        if of_sample == sample:
            found[tick].append((int(first[name]) + neuron, FAULTS[fault], bit))
    return found
