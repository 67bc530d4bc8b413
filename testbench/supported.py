"""The table of docs/supported.md, and small networks for its rows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from testbench.toy_couplings import Banded
from toreq_hw.errors import ToreqError
from toreq_hw.network import (
    BudgetRows,
    ClampedReadout,
    Colouring,
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    Network,
    NeuronSet,
    OwnFeedback,
    Population,
    Role,
    Schedule,
    SparseCoupling,
    WeightFormat,
    attention,
    colour_by_terms,
    layered,
)
from toreq_hw.network.couplings import patterns

PAGE = Path(__file__).parents[1] / "docs/supported.md"
HIDDEN = 6


def _rows() -> Iterator[list[str]]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


_HEADER, *_BODY = _rows()
ROWS = [(row[0], row[1]) for row in _BODY]
"""Coupling kind and schedule of each row."""


def stated(row: tuple[str, str], reader: str) -> bool:
    """What the table says of a row and a reader, the name of a column."""
    (found,) = [cells for cells in _BODY if (cells[0], cells[1]) == row]
    return {"yes": True, "no": False}[found[_HEADER.index(reader)]]


def example(row: tuple[str, str], weight_format: WeightFormat) -> Network:
    """A small network of a row: input - hidden - output."""
    kind, schedule = row
    if schedule.endswith("attention"):
        return _attention(weight_format)
    looped = schedule.endswith("a self-coupling")
    network = layered(
        (5, HIDDEN, 3),
        weight_format,
        (2, 2),
        state_bits=4,
        loop_fraction_bits=2 if looped else None,
        schedule=_schedule(schedule),
    )
    if schedule.endswith("a clamped readout"):
        output = replace(network.output, signed=True)
        network = replace(
            network,
            populations=(*network.populations[:-1], output),
            readout=ClampedReadout((4, 1)),
        )
    if schedule.endswith("feedback of its own"):
        first, second = network.couplings
        own = OwnFeedback(np.ones(second.shape, np.int8))
        network = replace(network, couplings=(first, replace(second, own_feedback=own)))
    if schedule.endswith("feedback shifts"):
        first, second = network.couplings
        network = replace(network, couplings=(first, replace(second, feedback_shift=1)))
    if kind != "dense":
        couplings = tuple(_of_kind(kind, c) for c in network.couplings)
        network = replace(network, couplings=couplings)
    return network


def _attention(weight_format: WeightFormat) -> Network:
    """Queries, keys and values of 3 positions and 2 channels by dense couplings, and rows of 3."""
    five = Population("input", 5, Role.INPUT)
    block = attention(
        Population("source", 6, Role.HIDDEN, 4, shape=(3, 2)),
        width=2,
        weight_format=weight_format,
        fraction_bits=2,
        term_bits=2,
        rows=BudgetRows(3, 7, temperature=(2, 1)),
        state_bits=4,
    )
    output = Population("output", 3, Role.OUTPUT, 4)
    read = ("query", "key", "value")
    couplings = [
        *(DenseCoupling("input", n, np.ones((5, 6), np.int8), 2, weight_format) for n in read),
        DenseCoupling("attended", "output", np.ones((6, 3), np.int8), 2, weight_format),
    ]
    updating = (*block.populations, output)
    schedule = colour_by_terms(updating, couplings, block.terms)
    return Network((five, *updating), tuple(couplings), {}, schedule, terms=block.terms)


def _of_kind(kind: str, like: Coupling) -> Coupling:
    """A coupling of a kind between the ends of `like`; its weights are 1."""
    ends, rest = (like.pre, like.post), (like.fraction_bits, like.weight_format)
    rows, columns = like.shape
    if kind == "convolution":
        shape, channels = ((5, 1), 2) if rows == 5 else ((3, 2), 3)
        weight = np.ones((3, shape[1], channels), np.int8)
        return ConvolutionCoupling(*ends, weight, *rest, input_shape=shape)
    if kind == "sparse":
        both = like.is_self_coupling
        pairs = patterns.ring(rows) if both else patterns.random(rows, columns, 0.5, 1)
        return SparseCoupling.of_pairs(
            *ends,
            pairs,
            (rows, columns),
            weight=np.ones(len(pairs[0]), np.int8),
            fraction_bits=rest[0],
            weight_format=rest[1],
        )
    return Banded(*ends, np.ones((3, rows), np.int8), *rest, columns=columns, first=-1)


def _schedule(name: str) -> Schedule | Colouring:
    if not name.startswith("a colouring"):
        return Schedule(name.split(",", maxsplit=1)[0])
    evens, odds = range(0, HIDDEN, 2), range(1, HIDDEN, 2)
    parts = (("hidden", evens), ("hidden", odds), ("output", range(3)))
    return Colouring(tuple((NeuronSet(name, part),) for name, part in parts))


def assert_as_stated(row: tuple[str, str], reader: str, read: Callable[[Network], object]) -> None:
    """Fails where a reader takes what the table denies, or refuses what it states."""
    for weight_format in WeightFormat:
        network = example(row, weight_format)
        try:
            read(network)
            found = "taken"
        except ToreqError as error:
            found = str(error)
        assert (found == "taken") == stated(row, reader), (row, reader, weight_format, found)
