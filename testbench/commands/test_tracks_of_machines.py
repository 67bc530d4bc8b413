"""Tracks on engines, convolutions and text: verdicts of rows by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from toreq_hw import sim
from toreq_hw.errors import DataError
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.tracks import attention, convolution, engines, text
from toreq_hw.studies.tracks.measuring import Case
from toreq_hw.studies.tracks.rows import row

BASE = np.array([95.0, 95.1, 95.2])


def engine_rows(different: float, noticed: float) -> list[TrackRow]:
    return [
        row("digits", "torch, dense", engines.DIFFERENT, [0, different]),
        row("digits", "torch, dense", engines.COMPARED, [100, 100]),
        row("digits", "changed", engines.DIFFERENT, [50, noticed], control=True),
        row("digits", "changed", engines.FIRST, [1, 1], control=True),
    ]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (engine_rows(0, 50), "holds"),
        (engine_rows(1, 50), "refuted"),
        (engine_rows(0, 0), "not testable here"),
    ],
)
def test_engines_are_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert engines.verdict(rows).outcome == outcome


def text_rows(bits: float, right: float) -> list[TrackRow]:
    return [
        row("text", text.ORDER.format(3), text.BITS, [3.0], control=True),
        row("text", text.ORDER.format(5), text.BITS, [2.5], control=True),
        row("text", "net", text.BITS, [bits, bits + 0.01]),
        row("text", "net", text.RIGHT, [right, right]),
    ]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (text_rows(0.01, 99.9), "holds"),
        (text_rows(2.2, 50), "holds within limits"),
        (text_rows(2.8, 45), "refuted"),
    ],
)
def test_text_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert text.verdict(rows).outcome == outcome


def convolution_rows(behind: float, ahead: float, colours: float | None = None) -> list[TrackRow]:
    """colours: accuracy on CIFAR-10, if measured."""
    coloured = [
        row(convolution.CIFAR, arm, what, [found, found])
        for arm in (convolution.CONVOLUTION, convolution.BACKPROP, convolution.DENSE)
        for what, found in ((convolution.ACCURACY, colours), (convolution.COPY, 100.0))
        if colours is not None and found is not None
    ]
    less = {convolution.CONVOLUTION: 0.0, convolution.MIXED: 5.0}
    less |= {convolution.BACKPROP: -behind, convolution.DENSE: ahead}
    small = [row("digits", arm, convolution.ACCURACY, BASE - by) for arm, by in less.items()]
    return [*small, *coloured]


@pytest.mark.parametrize(
    ("rows", "outcome", "side"),
    [
        (convolution_rows(0, 2), "holds", "neither"),
        (convolution_rows(-3, 2), "holds", "EqProp"),
        (convolution_rows(5, 2), "holds within limits", "backpropagation"),
        (convolution_rows(5, -2), "refuted", "backpropagation"),
        (convolution_rows(0, 2, colours=40), "holds", "neither"),
        (convolution_rows(0, 2, colours=15), "holds within limits", "neither"),
    ],
)
def test_convolution_is_judged_either_way(
    rows: Sequence[TrackRow], outcome: str, side: str
) -> None:
    found = convolution.verdict(rows)
    assert (found.outcome, found.favours) == (outcome, side)


def test_colour_images_are_told_or_said_to_be_missing() -> None:
    told = convolution.verdict(convolution_rows(0, 2, colours=40)).sentence
    assert "CIFAR-10, JPEG copy, it reaches 40.00" in told
    missing = convolution.verdict(convolution_rows(0, 2)).sentence
    assert "CIFAR-10 was not measured here" in missing


def test_colour_images_are_left_out_where_they_are_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_: str) -> None:
        raise DataError("not there")

    monkeypatch.setattr("toreq_hw.studies.tracks.measuring.load", missing)
    assert not convolution._installed()


def attention_rows(
    live: float, dense: float, sums: float, even: float = 1, backprop: float = 100
) -> list[TrackRow]:
    controls = {attention.DENSE: dense, attention.UNIFORM: even, attention.BACKPROP: backprop}
    return [
        row("reversal-8", attention.REVERSAL, attention.ACCURACY, [99.99, 99.98]),
        row("sums-8", "sums-8 attention int8", attention.ACCURACY, [sums, sums]),
        row(attention.DATA, attention.ATTENTION, attention.ACCURACY, [live, live]),
        *(
            row(attention.DATA, arm, attention.ACCURACY, [found, found], control=True)
            for arm, found in controls.items()
        ),
    ]


@pytest.mark.parametrize(
    ("rows", "outcome", "side"),
    [
        (attention_rows(100, 2, 99), "holds", "neither"),
        (attention_rows(100, 2, 99, backprop=1), "holds", "EqProp"),
        (attention_rows(100, 2, 60), "holds within limits", "neither"),
        (attention_rows(90, 2, 99), "holds within limits", "backpropagation"),
        (attention_rows(100, 100, 99), "refuted", "neither"),
        (attention_rows(100, 2, 99, even=100), "refuted", "neither"),
    ],
)
def test_attention_is_judged_either_way(rows: Sequence[TrackRow], outcome: str, side: str) -> None:
    found = attention.verdict(rows)
    assert (found.outcome, found.favours) == (outcome, side)


@pytest.mark.parametrize(("even", "outcome"), [(50, "holds"), (99, "holds within limits")])
def test_attention_has_no_merit_in_sums_that_even_rows_get_right(even: float, outcome: str) -> None:
    uniform = row(attention.SUMS, attention.UNIFORM, attention.ACCURACY, [even, even], control=True)
    assert attention.verdict([*attention_rows(100, 2, 99), uniform]).outcome == outcome


@pytest.mark.parametrize("name", [attention.DATA, attention.SUMS])
def test_uniform_attention_shares_rows_out_evenly(name: str) -> None:
    case = attention.case_of(Case(name, attention.UNIFORM))
    shape, rng = case.network(), np.random.default_rng(1)
    couplings = [
        c.with_parameters(rng.integers(-1, 2, c.parameters.shape).astype(np.int8))
        for c in shape.couplings
    ]
    net = replace(shape, couplings=tuple(couplings))
    inputs = rng.integers(0, net.input.state_max + 1, (20, net.input.size))
    scores = sim.relax(net, inputs).states["scores"].reshape(20, -1, 8)
    assert scores.sum(axis=2).min() == net.population("scores").rows.budget  # type: ignore[union-attr] # has rows
    assert np.ptp(scores, axis=2).max() <= 1
    if name == attention.SUMS:
        return  # whose own rows are nearly even: a sum needs no more
    plain = attention.case_of(Case(name, attention.ATTENTION)).network()
    found = sim.relax(replace(plain, couplings=tuple(couplings)), inputs).states["scores"]
    assert np.ptp(found.reshape(20, -1, 8), axis=2).max() > 1
