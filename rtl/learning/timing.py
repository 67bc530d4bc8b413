"""How long LEARN takes, exactly, from the inputs and the states that the nudged phases ended with.

    LEARN    1                             if no neuron moved in a nudged phase; else
             1 + scan + couplings + biases + 8
    scan     sum over populations (3 slices + chunks + chunks that its second list looks at)
    couplings  1 + sum over couplings (1 + rows, if a neuron at either end moved)
    rows     input: 1 + sum over its events (2 + beats)
             else:  4 slices of pre + neurons of pre + sum over rows (beats)
    beats    a beat for each chunk of the list; two where the row moved, or in a self-coupling. With
             memory of one port, a beat waits a cycle where the one issued 3 cycles before it writes
             the same lanes
    biases   1 + sum over populations (1 + (1 + learn lanes * chunks that moved), if any moved)

A chunk is `learn_lanes` neurons, a slice `update_lanes`. A row is a neuron that is not 0 in both
phases. The list of a coupling from the input has the chunks of post that moved; that of another
coupling those that are not 0 in both phases. A population that another relaxing one couples into
has this second list. Cycles in which the summary waits to be taken are not counted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.rtl.learning.tables import (
    DRAIN,
    INPUT_ROW_CYCLES,
    READ_CYCLES,
    LearnedCoupling,
    Learning,
    chunks_of,
)
from toreq_hw.rtl.parameters import CoreParameters

WRITE_AHEAD = 3
"""A beat reads in the cycle in which one that was issued so many cycles before it writes."""

States = npt.NDArray[np.integer]


@named_type_errors
@dataclass(frozen=True)
class LearnedSample:
    """What LEARN finds. inputs: (input.size,). plus, minus: (neurons,), states of the relaxing
    populations in file order as both nudged phases left them. stirred: any neuron moved in these.
    """

    inputs: States
    plus: States
    minus: States
    stirred: bool


@named_type_errors
def learn_cycles(parameters: CoreParameters, sample: LearnedSample) -> int:
    """The cycles that the summary of LEARN counts."""
    if not sample.stirred:
        return 1
    learning = _learning(parameters)
    found = _Chunks(parameters, sample)
    couplings = 1 + sum(
        1 + (_rows(parameters, coupling, sample, found) if found.moves(coupling) else 0)
        for coupling in learning.couplings
    )
    biases = 1 + sum(
        1 + (1 + learning.lanes * len(moved) if moved else 0) for moved in found.moved.values()
    )
    return 1 + scan_cycles(parameters) + couplings + biases + DRAIN


@named_type_errors
def most_learn_cycles(parameters: CoreParameters) -> int:
    """What no LEARN exceeds: every neuron moved, and every input is an event."""
    neurons = sum(placement.size for placement in parameters.relaxing)
    ones = np.ones(neurons, dtype=np.int16)
    inputs = np.ones(parameters.input.size, dtype=np.int16)
    return learn_cycles(parameters, LearnedSample(inputs, ones, 0 * ones, stirred=True))


class _Chunks:
    """The lists. moved, reached: chunks by population. plus, minus: states by population."""

    def __init__(self, parameters: CoreParameters, sample: LearnedSample) -> None:
        ends = np.cumsum([placement.size for placement in parameters.relaxing])[:-1]
        self.plus, self.minus = np.split(sample.plus, ends), np.split(sample.minus, ends)
        lanes = _learning(parameters).lanes
        self.moved: dict[int, list[int]] = {}
        self.reached: dict[int, list[int]] = {}
        for number, (plus, minus) in enumerate(zip(self.plus, self.minus, strict=True)):
            self.moved[number] = _chunks_with(plus != minus, lanes)
            self.reached[number] = _chunks_with((plus != 0) | (minus != 0), lanes)

    def moves(self, coupling: LearnedCoupling) -> bool:
        """Whether a neuron at either end of a coupling moved."""
        ends = [coupling.walk.target] + [coupling.walk.source] * (not coupling.from_input)
        return any(self.moved[end] for end in ends)


def _chunks_with(wanted: npt.NDArray[np.bool_], lanes: int) -> list[int]:
    """Chunks of `lanes` neurons of which any is wanted, in order. wanted: (neurons,)."""
    return sorted(set((np.flatnonzero(wanted) // lanes).tolist()))


@named_type_errors
def scan_cycles(parameters: CoreParameters) -> int:
    """Cycles in which the lists are made."""
    learning = _learning(parameters)
    twice = {region.population for region in learning.reached}
    return sum(
        READ_CYCLES * parameters.slices_of(number)
        + chunks_of(placement, learning.lanes) * (1 + (number in twice))
        for number, placement in enumerate(parameters.relaxing)
    )


def _rows(
    parameters: CoreParameters, coupling: LearnedCoupling, sample: LearnedSample, found: _Chunks
) -> int:
    """Cycles of the rows of a coupling that moved."""
    walk = coupling.walk
    if coupling.from_input:
        rows, chunks = int(np.count_nonzero(sample.inputs)), found.moved[walk.target]
        if not coupling.single_port:
            return 1 + rows * (INPUT_ROW_CYCLES + len(chunks))
        return 1 + INPUT_ROW_CYCLES * rows + single_port_beats(parameters, chunks, rows)
    plus, minus = found.plus[walk.source], found.minus[walk.source]
    moved = int(np.count_nonzero(plus != minus))
    stood = int(np.count_nonzero((plus == minus) & (plus != 0)))
    beats = (2 * moved + (1 + coupling.is_self) * stood) * len(found.reached[walk.target])
    return (READ_CYCLES + 1) * parameters.slices_of(walk.source) + len(plus) + beats


def single_port_beats(parameters: CoreParameters, chunks: list[int], rows: int) -> int:
    """Cycles of the beats of `rows` rows along one list, and of those that wait."""
    if not chunks or not rows:
        return 0
    parts = [chunk % (parameters.lanes // _learning(parameters).lanes) for chunk in chunks]
    issued: dict[int, int] = {}
    cycle = 0
    for part in parts:
        while issued.get(cycle - WRITE_AHEAD) == part:
            cycle += 1
        issued[cycle] = part
        cycle += 1
    # The last beat of a row is as far ahead of the first one of the next.
    return rows * cycle + (rows - 1) * (parts[0] == parts[-1])


def _learning(parameters: CoreParameters) -> Learning:
    assert parameters.learning is not None, "only a core that learns has cycles of LEARN"
    return parameters.learning
