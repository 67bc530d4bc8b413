"""Tracks that take in published records, and those on weights and inputs: verdicts of rows."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import damage, gradients, inputs, measuring, memory, parity, ternary
from toreq_hw.studies.tracks.measuring import Case
from toreq_hw.studies.tracks.rows import row
from toreq_hw.studies.tracks.track import QUICK, Measured, Settings


def parity_rows(gaps: Sequence[float]) -> list[TrackRow]:
    found = []
    for number, gap in enumerate(gaps):
        for weights in ("int8", "ternary"):
            base = [95.0, 95.1, 95.2]
            less = [value - gap for value in base]
            task = f"task {number}"
            found.append(row(task, parity.BACKPROP.format(weights), parity.ACCURACY, base))
            found.append(row(task, parity.EQPROP.format(weights), parity.ACCURACY, less))
    return found


@pytest.mark.parametrize(
    ("gaps", "outcome", "side"),
    [
        ([0.0] * 5, "holds", "neither"),
        ([0.5] * 5, "holds", "backpropagation"),
        ([-2.0] * 5, "holds", "EqProp"),
        ([0.5, 0.5, 0.5, 3, 3], "holds within limits", "backpropagation"),
        ([0.5, 0.5, 3, 3, 3], "refuted", "backpropagation"),
    ],
)
def test_parity_is_judged_either_way(gaps: list[float], outcome: str, side: str) -> None:
    found = parity.verdict(parity_rows(gaps))
    assert (found.outcome, found.favours) == (outcome, side)


def damage_rows(kept: Sequence[float], left: float = 10, other: float = 50) -> list[TrackRow]:
    found = []
    for number, share in enumerate(kept):
        arm = f"layer {number}"
        own = [share - 1, share, share + 1]
        its = [other - 1, other, other + 1]
        found += [
            row("digits", arm, damage.KEPT, [share]),
            row("digits", arm, damage.OWN, own),
            row("digits", arm, damage.OTHER, its, control=True),
            row("digits", arm, damage.FULL, [left], control=True),
        ]
    return found


@pytest.mark.parametrize(
    ("rows", "outcome", "side"),
    [
        (damage_rows([99.5, 99.5]), "holds", "EqProp"),
        (damage_rows([99.5, 70]), "holds within limits", "EqProp"),
        (damage_rows([80, 70]), "refuted", "EqProp"),
        (damage_rows([30, 20]), "refuted", "backpropagation"),
        (damage_rows([99.5, 99.5], left=97), "not testable here", "neither"),
    ],
)
def test_damage_is_judged_either_way(rows: Sequence[TrackRow], outcome: str, side: str) -> None:
    found = damage.verdict(rows)
    assert (found.outcome, found.favours) == (outcome, side)


def memory_rows(sweeps: float, layers: float, through: float = 5.0) -> list[TrackRow]:
    found = []
    for rule, deep, steps, peak in (
        (memory.EQPROP, 2, 7, 10.0),
        (memory.EQPROP, 2, 30, 10.0 * sweeps),
        (memory.EQPROP, 8, 7, 10.0 * layers),
        (memory.BACKPROP, 2, 1, 7.0),
        (memory.THROUGH, 2, 4, 20.0),
        (memory.THROUGH, 2, 32, 20.0 * through),
    ):
        values = {
            memory.PEAK: peak,
            memory.COPIES: peak,
            memory.SWEEPS: steps,
            memory.LAYERS: deep,
        }
        arm = f"{rule}, {deep} hidden, {steps}"
        found += [row("random", arm, name, [value]) for name, value in values.items()]
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (memory_rows(1.0, 1.0), "holds"),
        (memory_rows(1.0, 3.0), "holds within limits"),
        (memory_rows(2.0, 1.0), "refuted"),
        (memory_rows(1.0, 1.0, through=1.1), "not testable here"),
    ],
)
def test_memory_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert memory.verdict(rows).outcome == outcome


def test_memory_of_widths_and_cores_is_said() -> None:
    rows = memory_rows(1.0, 1.0)
    for width, peak in ((128, 5.0), (512, 20.0)):
        arm = f"{memory.EQPROP} of {width}"
        rows.append(row("random", arm, memory.PEAK, [peak]))
        rows.append(row("random", arm, memory.WIDTH, [width]))
    rows.append(row("core", "core that infers, ternary", memory.BYTES, [0.27]))
    sentence = memory.verdict(rows).sentence
    assert "With 4 times the width it takes 4.0 times." in sentence
    assert "On-chip bytes a synapse are 0.27 in a core that infers, ternary." in sentence


def gradient_rows(
    best: float, worst: float, wrong: float, ratio: float, real: float = -1.0, both: float = 0.0
) -> list[TrackRow]:
    return [
        row("digits", "net, s 0, g 0, beta 2^-0", gradients.LEAST, [best]),
        row("digits", "net, s 1, g 0, beta 2^-0", gradients.LEAST, [worst]),
        row("digits", gradients.WRONG, gradients.MEAN, [wrong], control=True),
        row("digits", gradients.SLOPES, gradients.RATIO, [ratio, 1.0], control=True),
        row("digits", gradients.WRONG, gradients.REAL, [-1.0, real], control=True),
        row("digits", gradients.WRONG, gradients.SUM, [0.0, both], control=True),
    ]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (gradient_rows(0.9, 0.8, -0.9, 1.001), "holds"),
        (gradient_rows(0.9, -0.6, -0.9, 1.001), "holds within limits"),
        (gradient_rows(0.5, -0.6, -0.9, 1.001), "refuted"),
        (gradient_rows(0.9, 0.8, 0.9, 1.001), "refuted"),
        (gradient_rows(0.9, 0.8, -0.9, 0.8), "not testable here"),
    ],
)
def test_gradients_are_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert gradients.verdict(rows).outcome == outcome


def used_rows(
    plain: Sequence[float], convolution: float, real: float = -1.0, both: float = 0.0
) -> list[TrackRow]:
    """With the settings that trainings use, and the wrong sign in real numbers."""
    live, here = gradients.LIVE.format(0), gradients.NARROW.format(2)
    return [
        *gradient_rows(0.9, 0.8, -0.6, 1.001, real, both),
        row("digits", "two convolutions, s 0, g 0, beta 2^-0", gradients.LEAST, [0.1]),
        row("digits", "two convolutions, s 3, g 3, beta 2^-0", gradients.LEAST, [convolution]),
        row("digits", live, gradients.LEAST, plain),
        row("digits", here, gradients.LEAST, [0.2, 0.2]),
    ]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (used_rows([0.75, 0.9], 0.8), "holds within limits"),
        (used_rows([0.65, 0.9], 0.8), "refuted"),
        (used_rows([0.75, 0.9], 0.6), "refuted"),
        (used_rows([0.75, 0.9], 0.8, real=-0.6), "not testable here"),
        (used_rows([0.75, 0.9], 0.8, both=0.01), "not testable here"),
    ],
)
def test_gradients_are_judged_by_the_settings_in_use(
    rows: Sequence[TrackRow], outcome: str
) -> None:
    found = gradients.verdict(rows)
    assert found.outcome == outcome
    assert found.sentence.startswith("At the settings that trainings use")
    assert "By bits of state the least cosine is 0.20 ± 0.00 with 2." in found.sentence


def ternary_rows(losses: Sequence[float], zeros: float) -> list[TrackRow]:
    found = []
    for number, loss in enumerate(losses):
        data = f"data {number}"
        base = [97.0, 97.1, 97.2]
        for arm in (ternary.INT8, ternary.PRUNED, *map(ternary.TERNARY.format, ternary.THETAS)):
            less = 0.0 if arm in (ternary.INT8, ternary.PRUNED) else loss
            found.append(row(data, arm, ternary.ACCURACY, [value - less for value in base]))
            found.append(row(data, arm, ternary.ZEROS, [zeros] * 3))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (ternary_rows([0.1, -0.2], 47), "holds"),
        (ternary_rows([0.1, -0.2], 20), "holds within limits"),
        (ternary_rows([0.1, 2.0], 47), "holds within limits"),
        (ternary_rows([2.0, 2.0], 47), "refuted"),
    ],
)
def test_ternary_is_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert ternary.verdict(rows).outcome == outcome


@pytest.mark.parametrize(
    ("settings", "tasks"),
    [
        (Settings(), ("digits", "cartpole", "acrobot", "mnist", "fashion-mnist")),
        (Settings(data=("mnist",)), ("mnist",)),
        (QUICK, ("digits",)),
    ],
)
def test_ternary_is_measured_on_five_tasks(
    settings: Settings,
    tasks: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Case] = []

    def keeps(_: object, cases: Sequence[Case], *__: object) -> Measured:
        asked.extend(cases)
        return Measured((), 0)

    monkeypatch.setattr(measuring, "measure", keeps)
    ternary.TRACK.measure(settings, Place(tmp_path))
    arms = (*map(ternary.TERNARY.format, ternary.THETAS), ternary.INT8, ternary.PRUNED)
    expected = [(task, arm) for task in tasks for arm in arms]
    assert [(case.data, case.arm) for case in asked] == expected
    assert {case.arm for case in asked if case.control} == {ternary.INT8, ternary.PRUNED}


def input_rows(gains: Sequence[float], clean: float = 0.0, fall: float = 30) -> list[TrackRow]:
    found = []
    for number, disturbance in enumerate((inputs.CLEAN, *inputs.DISTURBED)):
        gain = gains[number % len(gains)] if number else clean
        base = [95.0 - (fall if number else 0)] * 3
        name = inputs.quantity(disturbance)
        found.append(row("digits", inputs.FORWARD, name, base, control=True))
        found.append(row("digits", inputs.EQPROP, name, [value + gain for value in base]))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome", "side"),
    [
        (input_rows([5]), "holds", "EqProp"),
        (input_rows([5, 0]), "holds within limits", "EqProp"),
        (input_rows([-5]), "refuted", "backpropagation"),
        (input_rows([0]), "refuted", "neither"),
        (input_rows([5], clean=6), "not testable here", "neither"),
        (input_rows([5], fall=0), "not testable here", "neither"),
    ],
)
def test_inputs_are_judged_either_way(rows: Sequence[TrackRow], outcome: str, side: str) -> None:
    found = inputs.verdict(rows)
    assert (found.outcome, found.favours) == (outcome, side)
