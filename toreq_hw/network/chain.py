"""Blank networks of the usual shapes, to be trained or filled."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import Coupling, DenseCoupling, FeedbackKind, WeightFormat
from toreq_hw.network.encoding import Encoding
from toreq_hw.network.feedback import blank_feedback
from toreq_hw.network.network import Network
from toreq_hw.network.population import Population, Role
from toreq_hw.network.readout import Readout, readout_named
from toreq_hw.network.schedule import Colouring, Schedule

MAX_SYNAPSES = 1 << 31
"""Largest network built here; more would not fit the memory of the machines it is meant for."""


@named_type_errors
def layered(
    sizes: Sequence[int],
    weight_format: WeightFormat | str,
    fraction_bits: Sequence[int],
    *,
    state_bits: int = 8,
    input_bits: int = 8,
    signed: bool = False,
    loop_fraction_bits: int | None = None,
    schedule: Schedule | Colouring | str | None = None,
    beta_shift: int = 1,
    feedback_shifts: Sequence[int] | None = None,
    feedback: FeedbackKind | str = FeedbackKind.SYMMETRIC,
    readout: Readout = None,
    encoding: Encoding | None = None,
) -> Network:
    """A chain input - hidden - .. - output with all weights and biases zero.

    sizes: at least two. fraction_bits: one per coupling of the chain. signed: of hidden and output
    populations. loop_fraction_bits: couples the first hidden population to itself (LoopedMLP).
    schedule: sequential with a loop, else parity, unless given. feedback_shifts: one per coupling
    but the first. feedback: of the same. readout: "clamped", or a `ClampedReadout`, makes the
    output one of 8 signed bits. encoding: of features; inputs are signed if it is centred.
    Words such as "int8" stand for members.
    """
    readout, kind = readout_named(readout), WeightFormat(weight_format)
    _check_sizes(sizes, fraction_bits)
    populations = _populations(sizes, state_bits, input_bits, signed)
    if encoding is not None and encoding.centred:
        populations[0] = replace(populations[0], signed=True)
    if readout is not None:
        populations[-1] = readout.format_of(populations[-1])
    couplings: list[Coupling] = _chain(populations, kind, fraction_bits, feedback_shifts)
    if loop_fraction_bits is not None:
        if len(sizes) < 3:
            raise NetworkError("a looped network must have a hidden layer, found none")
        looped = populations[1]
        couplings.append(_blank(looped, looped, kind, loop_fraction_bits))
    couplings = blank_feedback(couplings, populations[0].name, FeedbackKind(feedback))
    if schedule is None:
        schedule = Schedule.PARITY if loop_fraction_bits is None else Schedule.SEQUENTIAL
    return Network(
        tuple(populations),
        tuple(couplings),
        {},
        Schedule(schedule) if isinstance(schedule, str) else schedule,
        beta_shift,
        readout=readout,
        encoding=encoding,
    )


def _check_sizes(sizes: Sequence[int], fraction_bits: Sequence[int]) -> None:
    """Raises NetworkError for too few layers or too many synapses."""
    if len(sizes) < 2:
        raise NetworkError(f"a network must have at least 2 layers, not {len(sizes)}")
    if len(fraction_bits) != len(sizes) - 1:
        raise NetworkError(
            f"fraction_bits must be {len(sizes) - 1} numbers, one per coupling, "
            f"not {len(fraction_bits)}"
        )
    synapses = sum(a * b for a, b in pairwise(sizes))
    if min(sizes) > 0 and synapses > MAX_SYNAPSES:
        raise NetworkError(f"a network must have at most {MAX_SYNAPSES} synapses, not {synapses}")


def _chain(
    populations: Sequence[Population],
    weight_format: WeightFormat,
    fraction_bits: Sequence[int],
    feedback_shifts: Sequence[int] | None,
) -> list[Coupling]:
    """Each population to the next. feedback_shifts: of all couplings but the first, or None."""
    inner = len(populations) - 2
    shifts = [0, *([0] * inner if feedback_shifts is None else feedback_shifts)]
    if len(shifts) != inner + 1:
        raise NetworkError(
            f"feedback_shifts must be {inner} numbers, one per coupling but the first, "
            f"not {len(shifts) - 1}"
        )
    ends = zip(populations[:-1], populations[1:], fraction_bits, shifts, strict=True)
    return [
        replace(_blank(pre, post, weight_format, f), feedback_shift=shift)
        for pre, post, f, shift in ends
    ]


def _populations(
    sizes: Sequence[int], state_bits: int, input_bits: int, signed: bool
) -> list[Population]:
    hidden = len(sizes) - 2
    names = ["hidden"] if hidden == 1 else [f"hidden{k + 1}" for k in range(hidden)]
    populations = [Population("input", sizes[0], Role.INPUT, input_bits)]
    for name, size in zip(names, sizes[1:-1], strict=True):
        populations.append(Population(name, size, Role.HIDDEN, state_bits, signed))
    populations.append(Population("output", sizes[-1], Role.OUTPUT, state_bits, signed))
    return populations


def _blank(
    pre: Population, post: Population, kind: WeightFormat, fraction_bits: int
) -> DenseCoupling:
    weight = np.zeros((pre.size, post.size), dtype=np.int8)
    return DenseCoupling(pre.name, post.name, weight, fraction_bits, kind)
