"""Tracks 12 and 24: how many operations do lossless events leave out, and what does that buy?"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from toreq_hw import sim
from toreq_hw.contract.operations import fan_outs
from toreq_hw.contract.results import PhaseResult
from toreq_hw.extras import missing
from toreq_hw.network import Network, WeightFormat, build
from toreq_hw.records.verification import Side, TrackRow
from toreq_hw.studies.screen import NO_SCREEN
from toreq_hw.studies.sequence_cases import SEQUENCES
from toreq_hw.studies.structured import train_case
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import extent, of, the
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

SKIPPED = "skipped of a dense machine that stops early, %"
STOPPING = "skipped by stopping early alone, %"
ACCURACY, EQUAL = "accuracy, %", "samples equal to the dense engine, %"
OPERATIONS, DENSE = "operations an image", "dense operations an image"
FORWARD = "operations of one forward pass, zeros left out"
RATIO = "dense time over event time"
CYCLES, EARLY_CYCLES = "core cycles an image", "cycles of a core that merely stops as early"

TERNARY, INT8, CONVOLUTION = "dense ternary", "dense INT8", "convolution INT8"
ATTENTION = "attention ternary"
REVERSAL = SEQUENCES[0]
LOSSY = "dense ternary, lossy {}"
LOSSY_THRESHOLDS = (4, 16, 64)

PUBLISHED, HALF = 97.0, 50.0
"""Per cent: what was published; and the half, below which events are not worth their queue."""

COUNT_ALL, LOSE = "count all", "lose"

_TIMED = 200
"""Samples whose phases are timed, one thread each."""

LANES = 64
"""Of the core whose cycles are counted."""

_COUNTED = 500
"""Samples whose cycles are counted, exactly."""


def measure(settings: Settings, place: Place) -> Measured:
    """Every kind on every data set that it takes; the lossy mode of one."""
    cases = [Case(name, arm) for name in settings.data for arm in (TERNARY, INT8)]
    cases += [Case("digits", CONVOLUTION), Case(REVERSAL.data, ATTENTION)]
    cases += [
        Case(name, LOSSY.format(threshold), control=True)
        for name in settings.data
        for threshold in LOSSY_THRESHOLDS
    ]
    return measuring.measure(_count, cases, settings, place)


def _count(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """The free phases of all test samples, by events and densely."""
    net = _network(case, seed, context)
    tests = Tests(context.dataset(case.data), net)
    threshold = int(case.arm.split()[-1]) if case.control else 0
    if context.settings.broken == LOSE and case.arm != ATTENTION:  # budget rows take no threshold
        threshold = LOSSY_THRESHOLDS[-1]
    found = sim.relax(net, tests.inputs, threshold=threshold)
    dense = sim.relax(net, tests.inputs, engine="dense")
    made = found.dense_synops if context.settings.broken == COUNT_ALL else found.synops
    longest = _dense_at(dense, int(dense.sweeps.max()))
    operations, early = float(made.mean()), float(dense.dense_synops.mean())
    of_layers = {}
    if case.arm in (TERNARY, INT8):
        of_layers = {FORWARD: _forward(net, tests), **_cycles(net, tests)}
    return {
        SKIPPED: 100 * (1 - operations / early),
        STOPPING: 100 * (1 - early / longest),
        ACCURACY: tests.accuracy(found.classes),
        EQUAL: 100 * _equal(found, dense),
        OPERATIONS: operations,
        DENSE: early,
        RATIO: _ratio(net, tests, threshold),
        **of_layers,
    }


def _network(case: Case, seed: int, context: Context) -> Network:
    if case.arm == ATTENTION:
        return train_case(REVERSAL, context.dataset(case.data), seed, NO_SCREEN)[0]
    if case.arm != CONVOLUTION:
        weights = WeightFormat.INT8 if case.arm == INT8 else WeightFormat.TERNARY
        return context.trained(case.data, seed, weights=weights)
    blank = build(
        "8x8x1",
        ("conv 6 3x3 stride 2 pad 1", "dense 10"),
        weight_format=WeightFormat.INT8,
        fraction_bits=(6, 7),
    )
    return context.trained(case.data, seed, shape=blank)


def _cycles(net: Network, tests: Tests) -> dict[str, float]:
    """Of a core on the first samples, and of one that skips nothing and stops at the same sweep."""
    try:
        from toreq_hw.rtl.many_phases import dense_cycles
        from toreq_hw.rtl.parameters import CoreParameters
        from toreq_hw.rtl.phases import Command
        from toreq_hw.targets.workload import workload
    except ImportError as error:
        raise missing("the timing of a core", error.name, "rtl") from error

    parameters = CoreParameters.of(net, lanes=LANES)
    first = tests.dataset.test.take(slice(0, _COUNTED))
    found = workload(net, parameters, replace(tests.dataset, test=first))
    free = parameters.phase(Command.FREE)
    early = dense_cycles(parameters, (free,), found.sweeps)
    return {CYCLES: found.cycles_mean, EARLY_CYCLES: early}


def _dense_at(dense: PhaseResult, sweeps: int) -> float:
    """Operations an image of a dense machine that always runs so many sweeps."""
    ran = dense.sweeps.astype(np.float64)
    per_sweep = np.polyfit(ran, dense.dense_synops, 1)[0] if ran.std() else 0.0
    return float((dense.dense_synops + per_sweep * (sweeps - ran)).mean())


def _forward(net: Network, tests: Tests) -> float:
    """Operations an image of a feed-forward pass of the same shape that leaves out zeros.

    In the first sweep from states of 0 the hidden layer sees the input alone.
    """
    hidden = sim.relax(net, tests.inputs, max_sweeps=1).states["hidden"]
    walked = (tests.inputs != 0) @ fan_outs(net, net.input.name)
    return float((walked + (hidden != 0) @ fan_outs(net, "hidden")).mean())


def _equal(found: PhaseResult, dense: PhaseResult) -> float:
    """Share of samples with every final state equal."""
    same = np.ones(len(found.sweeps), dtype=np.bool_)
    for name, states in dense.states.items():
        same &= (found.states[name] == states).all(axis=1)
    return float(same.mean())


def _ratio(net: Network, tests: Tests, threshold: int) -> float:
    """Wall-clock of the dense engine (BLAS) over that of events, the best of three, one thread."""
    inputs = tests.inputs[:_TIMED]
    with threadpool_limits(1, "blas"):
        taken = [
            min(_seconds(net, inputs, engine, limit) for _ in range(3))
            for engine, limit in ((sim.make_engine(net, "dense"), 0), (_events(net), threshold))
        ]
    return taken[0] / taken[1]


def _events(net: Network) -> sim.Engine:
    return sim.make_engine(net, "event", 1)


def _seconds(net: Network, inputs: np.ndarray, engine: sim.Engine, threshold: int) -> float:
    began = time.perf_counter()
    sim.relax(net, inputs, engine=engine, threshold=threshold)
    return time.perf_counter() - began


def _of_cores(rows: Sequence[TrackRow]) -> str:
    faster = _over(rows, EARLY_CYCLES, CYCLES)
    if not faster:
        return ""
    return (
        f"A core of {LANES} lanes takes {extent(faster, 2)} times fewer cycles than one that "
        "merely stops as early. "
    )


def _over(rows: Sequence[TrackRow], quantity: str, other: str) -> list[float]:
    """One quantity as a multiple of another, of every lossless case that has both."""
    cases = [(one.data, one.arm) for one in of(rows, other, control=False)]
    return [the(rows, *case, quantity).mean / the(rows, *case, other).mean for case in cases]


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    own = of(rows, SKIPPED, control=False)
    skipped = [row.mean for row in own]
    least = min(skipped)
    equal = min(min(row.values) for row in of(rows, EQUAL, control=False))
    ratios = [row.mean for row in of(rows, RATIO, control=False)]
    early = [row.mean for row in of(rows, STOPPING, control=False)]
    lossy = the(rows, own[0].data, LOSSY.format(LOSSY_THRESHOLDS[-1]), ACCURACY).mean
    kept = the(rows, own[0].data, TERNARY, ACCURACY).mean
    more = _over(rows, OPERATIONS, FORWARD)
    sentence = (
        f"Events leave out {extent(skipped, 1)} % of what a dense machine that stops as early "
        f"does. Every state is equal in {equal:.0f} % of samples. Stopping early alone saves "
        f"{extent(early)} %. Beside BLAS one thread is {extent(ratios, 2)} times as fast. A "
        f"forward pass leaves out zeros too: events take {extent(more, 2)} times its operations. "
        f"{_of_cores(rows)}"
        f"Lossy at {LOSSY_THRESHOLDS[-1]} accuracy on {own[0].data} goes from "
        f"{kept:.1f} to {lossy:.1f} %."
    )
    side: Side = "backpropagation" if min(more) > 1 else "EqProp"
    if equal < 100 or least < HALF:
        return Judged("refuted", sentence, side)
    holds = least >= PUBLISHED - 1 and min(ratios) >= 1
    return Judged("holds" if holds else "holds within limits", sentence, side)


TRACK = Track(
    ids=("12", "24"),
    name="events",
    setup=(
        "Operations and wall-clock of the free phase of every test image by events, beside a dense "
        "machine that computes the input once and stops at the same sweep."
    ),
    control=(
        "A dense machine, and a core, that merely stop early; the dense engine on BLAS, equal in "
        "every state; the lossy mode, which leaves out more; a feed-forward pass that leaves out "
        "zeros."
    ),
    thresholds=(
        f"Lossless means every final state equal. Holds: {PUBLISHED - 1:g} % or more left out on "
        "every network (published 97, one point of tolerance), and no slower than BLAS. Within "
        f"limits: at least {HALF:g} %, because an event costs about one more access for its queue. "
        "Else refuted."
    ),
    sources=(
        "Integer simulator, event and dense engines; docs/numerics.md, section 4. Cycles of the "
        "core are exact: its timing model equals its counter."
    ),
    measure=measure,
    verdict=verdict,
    broken={
        COUNT_ALL: "every weight is counted, whether an event reached it or not",
        LOSE: "events below a threshold are left out where lossless ones are claimed",
    },
    picture=SKIPPED,
    learned={ACCURACY: (TERNARY,)},
    better="needs fewer operations an image",
)
