"""Stencils are the edges of a convolution, and what walks them is exact whatever the sizes."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numba import njit

from testbench.structured import matrix_by_hand, random_convolution
from toreq_hw.network import (
    ConvolutionCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
)
from toreq_hw.network.projection import Projection
from toreq_hw.sim import pair_kernel
from toreq_hw.sim.delivery_kernel import deliver
from toreq_hw.sim.learning.shared import window_of
from toreq_hw.sim.learning.stencil_gradient_kernel import add_convolution_gradients
from toreq_hw.sim.plan import Plan, compile_plan
from toreq_hw.sim.scratch import new_scratch
from toreq_hw.sim.stencil_plan import NO_CELL, Stencil, has_stencil, stencil_of

SIZES = [(2, 128), (3, 7), (32, 72), (33, 24), (40, 9), (1, 16), (67, 211)]
"""Channels of both ends: every number of lanes that there is a function for, and rests."""


def joining(channels: tuple[int, int], seed: int, axes: int = 2, stride: int = 2) -> Network:
    """Two populations joined by a convolution at the ends of its format, and an input."""
    rng = np.random.default_rng(seed)
    places = (6, 5)[:axes]
    kernel = (3, 3)[:axes]
    weight = rng.choice([-127, -126, 1, 126, 127], (*kernel, *channels)).astype(np.int8)
    coupling = ConvolutionCoupling(
        "one",
        "output",
        weight,
        7,
        WeightFormat.INT8,
        input_shape=(*places, channels[0]),
        stride=stride,
        padding=1,
    )
    populations = (
        Population("input", 1, Role.INPUT, 1),
        Population("one", coupling.shape[0], Role.HIDDEN, 8, signed=True),
        Population("output", coupling.shape[1], Role.OUTPUT, 8, signed=True),
    )
    return Network(populations, (coupling,), {}, Schedule.PARITY)


def changes(rng: np.random.Generator, size: int, share: float) -> npt.NDArray[np.int16]:
    """Up to the largest change between two states, either way."""
    drawn = rng.choice([-255, -254, -1, 1, 254, 255], size) * (rng.random(size) < share)
    return drawn.astype(np.int16)


@pytest.mark.parametrize("seed", range(40))
def test_spans_are_the_edges_both_ways(seed: int) -> None:
    coupling = random_convolution(np.random.default_rng(seed), pre="one", post="two")
    if not has_stencil(coupling):
        assert coupling.pool > 1
        return
    pre, post, parameter = (part.tolist() for part in coupling.edges())
    ends = (
        Population("one", coupling.shape[0], Role.HIDDEN),
        Population("two", coupling.shape[1], Role.OUTPUT),
    )
    forward = stencil_of(Projection(coupling, 0, *ends, backward=False, shift=0))
    assert edges_of(forward) == set(zip(pre, post, parameter, strict=True))
    back = stencil_of(Projection(coupling, 0, *reversed(ends), backward=True, shift=0))
    assert edges_of(back) == set(zip(post, pre, parameter, strict=True))


def edges_of(stencil: Stencil) -> set[tuple[int, int, int]]:
    """Source, target and parameter of every edge that spans hold."""
    found = set()
    for position in range(len(stencil.first) - 1):
        for span in range(stencil.first[position], stencil.first[position + 1]):
            for channel in range(stencil.channels):
                place = stencil.place[span] + channel // 2 * stencil.stride[span] + channel % 2
                for k in range(stencil.lanes[span]):
                    cell = int(stencil.layout[place + 2 * k])
                    assert cell != NO_CELL
                    source = position * stencil.channels + channel
                    edge = source, int(stencil.target[span]) + k, cell
                    assert edge not in found
                    found.add(edge)
    return found


@pytest.mark.parametrize("share", [0.02, 0.3, 1])
@pytest.mark.parametrize("channels", SIZES)
def test_delivery_is_the_matrix_product(channels: tuple[int, int], share: float) -> None:
    for axes, stride in ((1, 1), (2, 2), (2, 3)):
        net = joining(channels, 1, axes, stride)
        matrix = matrix_by_hand(net.couplings[0]).astype(np.int64)
        plan = compile_plan(net)
        rng = np.random.default_rng(2)
        for source, weights in ((0, matrix), (1, matrix.T)):
            deltas = changes(rng, len(weights), share)
            for first, stop in ((0, len(weights)), (3, len(weights) - 2)):
                check_delivery(plan, source, first, deltas[first:stop], weights)


def check_delivery(
    plan: Plan,
    source: int,
    first: int,
    deltas: npt.NDArray[np.int16],
    weights: npt.NDArray[np.int64],
) -> None:
    """Of neurons from `first` on, of one population to the other."""
    sums = np.arange(len(plan.bias), dtype=np.int32)
    events = np.count_nonzero(deltas)
    walked = deliver(plan, source, first, deltas, events, sums, new_scratch(plan, 1))
    target = 1 - source
    start, size = plan.population_start[target], plan.population_size[target]
    expected = np.arange(len(plan.bias))
    shift = plan.projection_shift[plan.projection_first[source]]
    rows = slice(first, first + len(deltas))
    expected[start : start + size] += (deltas.astype(np.int64) @ weights[rows]) << shift
    assert np.array_equal(sums, expected)
    edges = (weights[rows] != 0).sum(axis=1)
    assert walked == edges[deltas != 0].sum()


@pytest.mark.parametrize("channels", SIZES)
def test_gradients_are_those_of_the_edges(channels: tuple[int, int]) -> None:
    for axes, stride in ((1, 1), (2, 2), (2, 3)):
        (coupling,) = joining(channels, 3, axes, stride).couplings
        rng = np.random.default_rng(4)
        plus, minus, post_plus, post_minus = (
            rng.choice([-127, 0, 127, 255], size).astype(np.int16)
            for size in np.repeat(coupling.shape, 2)
        )
        plus[:: channels[0]] = minus[:: channels[0]] = 0
        size, rows = coupling.parameters.size, coupling.parameters.size // channels[1]
        gradient, draws = np.ones(size, dtype=np.int32), np.zeros(rows, dtype=np.bool_)
        words = [np.empty(n, dtype=np.int32) for n in coupling.shape]
        window = np.array(window_of(coupling))
        states = (plus, minus, post_plus, post_minus)
        add_convolution_gradients(window, states, gradient, draws, *words)
        pre, post, parameter = coupling.edges()
        p, m, q, n = (part.astype(np.int64) for part in states)
        expected, drawing = np.ones(size, dtype=np.int64), np.zeros(rows, dtype=np.bool_)
        np.add.at(expected, parameter, p[pre] * q[post] - m[pre] * n[post])
        drawing[parameter[(p[pre] != 0) | (m[pre] != 0)] // channels[1]] = True
        assert np.array_equal(gradient, expected)
        assert np.array_equal(draws, drawing)
        assert not draws.all()


@pytest.mark.parametrize("instructions", [pair_kernel._INSTRUCTIONS[1:], ()])
def test_processors_without_the_instruction_add_the_same(
    instructions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_kernel, "_INSTRUCTIONS", instructions)
    add = pair_kernel._add_pairs(16)

    @njit
    def added(sums, weights, pairs, words):  # type: ignore[no-untyped-def]
        add(sums, 1, weights, 2, 40, pairs, words, len(words), np.int32(3))

    rng = np.random.default_rng(5)
    weights = rng.choice([-127, 3, 127], 200).astype(np.int8)
    deltas = changes(rng, 6, 1).reshape(3, 2)
    pairs, sums = np.array([0, 2, 3], dtype=np.int32), np.zeros(20, dtype=np.int32)
    added(sums, weights, pairs, deltas.view(np.int32).ravel())
    expected = np.zeros(20, dtype=np.int64)
    for pair, both in zip(pairs, deltas.astype(np.int64), strict=True):
        expected[1:17] += weights[2 + 40 * pair :][:32].reshape(16, 2) @ both << 3
    assert np.array_equal(sums, expected)
