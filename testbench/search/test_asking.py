"""What may be asked for: metrics, requirements, choices; a refusal is one line before any work."""

from math import inf

import pytest

from testbench.search.problems import CELLS, problem
from toreq_hw.errors import InputError
from toreq_hw.records.search import Figures, Objective
from toreq_hw.rtl.placement import LANES
from toreq_hw.studies.searching import asked
from toreq_hw.studies.searching.asked import Asked, check_seconds, damage_of, problem_of
from toreq_hw.studies.searching.metrics import (
    METRICS,
    check_objectives,
    check_together,
    figure,
    requirement,
)
from toreq_hw.studies.searching.space import NAMES, space_of


def test_every_metric_is_a_figure() -> None:
    assert all(figure(Figures(), name) is None for name in METRICS)
    assert len(METRICS) == len(vars(Figures()))


def test_a_requirement_by_hand() -> None:
    found = requirement(" p95_us <= 200 ")
    assert (found.metric, found.at_least, found.value) == ("p95_us", False, 200.0)
    assert str(found) == "p95_us<=200"
    assert found.violation(Figures(p95_us=250.0)) == pytest.approx(0.25)
    assert found.violation(Figures(p95_us=150.0)) == pytest.approx(-0.25)
    assert found.violation(Figures()) == 0
    assert found.eased(0.5).violation(Figures(p95_us=290.0)) < 0
    assert requirement("images_per_second>=100").eased(0.25).value == pytest.approx(75)
    assert requirement("accuracy>=0.5").violation(Figures(accuracy=0.25)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy", "must be METRIC>=VALUE or METRIC<=VALUE, found 'accuracy'"),
        ("accuracy>0.9", "must be METRIC>=VALUE"),
        ("acuracy>=0.9", "metric must be one of .*; did you mean 'accuracy'"),
        ("accuracy>=98", "accuracy of a requirement must be a number, 0..1, not '98'"),
        ("cells<=-1", "cells of a requirement must be a number, 0 or more, not '-1'"),
        ("cells<=nan", "must be a number, 0 or more, not 'nan'"),
        ("cells<=1e400", "must be a number, 0 or more, not '1e400'"),
    ],
)
def test_what_is_no_requirement_is_one_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        requirement(text)


def test_requirements_that_contradict_each_other_are_refused() -> None:
    check_together([requirement("cells>=10"), requirement("cells<=10")])
    with pytest.raises(InputError, match="found cells>=11 and cells<=10"):
        check_together(
            [requirement("cells<=10"), requirement("p95_us<=1"), requirement("cells>=11")]
        )


def test_objectives_are_one_or_more_and_differ() -> None:
    check_objectives([CELLS])
    with pytest.raises(InputError, match="must have something to minimise or maximise"):
        check_objectives([])
    with pytest.raises(InputError, match="different metrics, found cells twice"):
        check_objectives([CELLS, Objective("cells", maximise=True)])


def test_a_space_by_hand() -> None:
    space = space_of(["icebreaker"], 64, {"hidden": ["16", "32-8"], "clock_mhz": ["own", "12"]})
    assert set(space.free()) == {
        *("hidden", "weights", "state_bits", "fraction_offset", "feedback_shift", "lanes"),
        "clock_mhz",
    }
    assert space.size == 2 * 2 * 3 * 3 * 2 * len(LANES) * 2
    point = space.point({"hidden": "32-8", "clock_mhz": "12", "lanes": "4"})
    assert (point.hidden, point.clock_mhz, point.lanes) == ((32, 8), 12.0, 4)
    assert (point.board, point.learn_lanes, point.accumulator_register) == ("icebreaker", 0, False)
    assert len(set(space.all())) == space.size
    assert tuple(one.name for one in space.dimensions) == NAMES


@pytest.mark.parametrize(
    ("name", "texts", "said"),
    [
        ("hiden", ["3"], "dimension must be one of .*; did you mean 'hidden'"),
        ("hidden", ["3", "3"], "hidden must have 1 to 64 different choices, found 2"),
        ("hidden", ["3x"], "hidden must be a whole number in 1..65536, not '3x'"),
        ("hidden", ["0"], "hidden must be a whole number in 1..65536, not '0'"),
        ("hidden", ["-".join("8" * 9)], "hidden must be at most 8 layers, found 9"),
        ("lanes", ["3"], "lanes must be one of 2, 4, 8"),
        ("weights", ["int4"], "weights must be one of .*; did you mean 'int8'"),
        ("state_bits", ["9"], "state_bits must be a whole number in 1..8, not '9'"),
        ("clock_mhz", ["fast"], "clock_mhz must be 'own' or a number above 0"),
        ("board", ["icebraker"], "did you mean 'icebreaker'"),
        ("accumulator_register", ["on"], "accumulator_register must be one of no, yes"),
    ],
)
def test_what_is_no_choice_is_one_line(name: str, texts: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        space_of(["icebreaker"], 64, {name: texts})


def ask(**more: object) -> Asked:
    given: dict[str, object] = {"data": "digits", "boards": ("icebreaker",), "objectives": (CELLS,)}
    return Asked(**given | more)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"requirements": ["p95_us<=0.5"]}, "p95_us<=0.5 must be within a bound, found"),
        ({"requirements": ["cycles_p50<=10"]}, "must be within a bound, found"),
        ({"requirements": ["images_per_second>=1e7"]}, "within a bound, found"),
        ({"requirements": ["block_ram<=2"]}, "block_ram<=2 must be within a bound, found"),
        ({"requirements": ["cells<=20"]}, "cells<=20 must be within a bound, found"),
        ({"requirements": ["damaged_accuracy>=0.5"]}, "must go with --damage LAYER:LEVEL"),
        ({"requirements": ["training_us<=5"]}, "must be of cores that learn, found learn_lanes 0"),
        (
            {"boards": ["tang_nano_9k"], "requirements": ["energy_uj<=5"]},
            "energy_uj must be known for tang_nano_9k, found: no source",
        ),
        ({"choices": {"hidden": ["9000"]}}, "a point of the space must fit, found none"),
        (
            {"choices": {"readout": ["clamped"], "state_bits": ["8"], "fraction_offset": ["0"]}},
            "found none; the first: .*readout must be relaxing",
        ),
        ({"choices": {"clock_mhz": ["0.001"]}}, "a point of the space must fit, found none"),
        ({"rungs": {"epochs": 1}}, "short_epochs must be at most epochs, found 5 and 1"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_any_training(
    more: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("nothing is trained")

    monkeypatch.setattr("toreq_hw.studies.searching.stages.train", never)
    with pytest.raises(InputError, match=said):
        problem_of(ask(**more))


def test_what_can_be_kept_is_a_problem() -> None:
    found = problem_of(ask(requirements=["p95_us<=50", "block_ram<=20"], damage="dead_neurons:0.1"))
    assert found.rungs.holdout == 287
    assert (found.rungs.short_epochs, found.rungs.epochs) == (5, 40)
    assert found.path == ("fit", "short", "cycles", "full", "synthesis", "place")


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({}, ("synthesis",)),
        ({"objectives": (Objective("fmax_mhz", maximise=True),)}, ("synthesis", "place")),
        ({"objectives": (Objective("p95_us", maximise=False),)}, ()),
        ({"objectives": (Objective("damaged_accuracy", maximise=True),)}, ("damage",)),
    ],
)
def test_only_rungs_that_are_needed_are_climbed(
    more: dict[str, object], path: tuple[str, ...]
) -> None:
    assert problem(**more).path == ("fit", "short", "cycles", "full", *path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dead_neurons", "damage must be LAYER:LEVEL, such as dead_neurons:0.1"),
        ("dead_neurons:x", "damage must be LAYER:LEVEL"),
        ("dead_neuron:0.1", "did you mean 'dead_neurons'"),
        ("dead_neurons:2", "level of dead_neurons must be in"),
    ],
)
def test_what_is_no_damage_is_one_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        damage_of(text)


def test_a_time_too_short_for_one_point_is_refused() -> None:
    given = problem_of(ask())
    check_seconds(given, 60.0)
    check_seconds(given, None)
    with pytest.raises(InputError, match="budget must be at least 4 s, which one point takes on"):
        check_seconds(given, 3.0)
    assert inf > asked._S_PER_SAMPLE > 0
