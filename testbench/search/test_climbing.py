"""Points on the rungs: who goes on, who does not, and with which figures, the work written down."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from testbench.search.problems import CELLS, RUNGS, SPEED, problem
from toreq_hw.boards import registry
from toreq_hw.boards.fit.check import check_fit
from toreq_hw.errors import NetworkError
from toreq_hw.records.search import Measured, Objective, Placed, Synthesised, Timed, Trained
from toreq_hw.studies.ledger import Run
from toreq_hw.studies.searching.bounds import fit
from toreq_hw.studies.searching.climb import CLOCK, OUTRANKED, TOOL, UNFIT, Candidate, Climb
from toreq_hw.studies.searching.problem import Damage, Problem, Rungs
from toreq_hw.studies.searching.shapes import blank, from_text, network_choices


class Written:
    """Stands for `Kept`: rows by a formula. asked: every stage with how many runs it got."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.failing: set[int] = set()

    def check_time(self) -> None:
        """Never over."""

    def rows(self, name: str, runs: Sequence[Run]) -> list[Any]:
        """One a run."""
        self.asked.append((name, len(runs)))
        return [self._row(name, run) for run in runs]

    def _row(self, name: str, run: Run) -> Any:
        choices, epochs = from_text(str(run["choices"])), int(run["epochs"] or 0)
        neurons = sum(choices.hidden)
        error = "broken" if choices.lanes in self.failing else ""
        match name:
            case "training":
                return Trained(min(1.0, neurons / 100 + epochs / 20), 1.0, 0, "0" * 64, 1.0)
            case "cycles":
                cycles = 100 + 10 * neurons // choices.lanes
                return Timed(0.0, cycles, cycles, 2 * cycles, 1.0)
            case "synthesis":
                return Synthesised(100 * choices.lanes, 50, 7, "d", 1.0, error)
            case "place":
                met = choices.lanes < 16
                fmax = (20.0, 30.0 if met else 22.0)
                return Placed(120 * choices.lanes, 8, fmax, met, "d", 1.0)
            case _:
                return Measured(neurons / 200, 1.0)


def climbed(
    given: Problem, texts: Sequence[dict[str, str]], kept: Written | None = None
) -> list[Candidate]:
    points = [(n, given.space.point(chosen)) for n, chosen in enumerate(texts)]
    return Climb(given, kept or Written())(points)  # type: ignore[arg-type]


EVERY = Rungs(holdout=287, timed=100, short_epochs=1, epochs=2, keep=(1, 1, 1), place=True)
ALL = {"hidden": ["16", "64", "96"], "lanes": ["2", "8", "16"], "state_bits": ["8"]}
GRID = [{"hidden": h, "lanes": lanes} for h in ALL["hidden"] for lanes in ALL["lanes"]]


def test_every_figure_by_hand() -> None:
    (one,) = climbed(problem(rungs=EVERY), [{"hidden": "64", "lanes": "8"}])
    found = one.figures
    assert (one.rung, one.cut) == ("place", "")
    assert found.accuracy == pytest.approx(0.74)
    assert (found.cycles_p50, found.cycles_p95) == (180, 360)
    assert found.p95_us == pytest.approx(15.0), "at the iCEBreaker's 24 MHz"
    assert found.images_per_second == pytest.approx(24e6 / 180)
    assert (found.cells, found.block_ram, found.fmax_mhz) == (960, 8, 30)
    assert found.training_us is found.energy_uj is found.damaged_accuracy is None


def test_a_missed_clock_ends_a_point() -> None:
    done = climbed(problem(rungs=EVERY), [{"lanes": "8"}, {"lanes": "16"}])
    assert [one.cut for one in done] == ["", "clock missed: 22.0 of 24.0 MHz"]
    assert done[1].missed[CLOCK] == pytest.approx(2 / 24)


def test_requirements_end_points_as_soon_as_they_are_known() -> None:
    asked = ["accuracy>=0.5", "p95_us<=30", "cells<=1000", "block_ram<=30"]
    kept = Written()
    done = climbed(problem(asked, ALL, rungs=EVERY), GRID, kept)
    assert {(one.choices.hidden, one.choices.lanes): (one.rung, one.cut) for one in done} == {
        ((16,), 2): ("short", "accuracy>=0.5"),
        ((16,), 8): ("short", "accuracy>=0.5"),
        ((16,), 16): ("short", "accuracy>=0.5"),
        ((64,), 2): ("full", "p95_us<=30"),
        ((64,), 8): ("place", ""),
        ((64,), 16): ("synthesis", "cells<=1000"),
        ((96,), 2): ("cycles", "p95_us<=30"),
        ((96,), 8): ("place", ""),
        ((96,), 16): ("synthesis", "cells<=1000"),
    }
    assert [name for name, _ in kept.asked].count("training") == 2
    assert dict(kept.asked)["place"] == 2, "only those that are left are placed"
    assert done[4].missed == {}
    assert done[5].missed["cells<=1000"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("slack", "least", "end"),
    [
        (0.05, 0.73, ("place", "")),
        (0.05, 0.76, ("short", "accuracy>=0.76")),
        (0.1, 0.76, ("full", "accuracy>=0.76")),
    ],
)
def test_a_short_training_is_given_slack_and_a_whole_one_is_not(
    slack: float, least: float, end: tuple[str, str]
) -> None:
    """Accuracy is 0.69 after the short training, 0.74 after the whole one."""
    given = problem([f"accuracy>={least}"], rungs=replace(EVERY, accuracy_slack=slack))
    (one,) = climbed(given, [{"hidden": "64"}])
    assert (one.rung, one.cut) == end


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_each_dear_rung_takes_the_best_part_of_those_before(count: int) -> None:
    rungs = Rungs(holdout=287, timed=9, short_epochs=1, epochs=2, keep=(0.5, 0.5, 0.5), place=True)
    kept = Written()
    done = climbed(problem(choices=ALL, rungs=rungs), GRID[:count], kept)
    full = -(-count // 2)
    synthesised = -(-full // 2)
    asked = [number for name, number in kept.asked if name == "training"]
    assert asked == [count, full]
    assert dict(kept.asked)["synthesis"] == synthesised
    assert dict(kept.asked)["place"] == -(-synthesised // 2)
    outranked = [one for one in done if one.cut == OUTRANKED]
    assert all(not one.missed for one in outranked), "it misses nothing: others were better"
    assert len(outranked) >= count - full


def test_what_goes_on_is_not_beaten_by_what_stays() -> None:
    rungs = Rungs(holdout=287, timed=9, short_epochs=1, epochs=2, keep=(0.5, 1, 1), place=False)
    one = Objective("block_ram", maximise=False), Objective("cycles_p50", maximise=False)
    done = climbed(problem(choices=ALL, rungs=rungs, objectives=one), GRID)
    pairs = [((c.figures.block_ram or 0, c.figures.cycles_p50 or 0), c.cut) for c in done]
    on = [values for values, cut in pairs if cut != OUTRANKED]
    off = [values for values, cut in pairs if cut == OUTRANKED]
    assert on
    assert off
    worst = [v for v in off if all(v[0] <= o[0] and v[1] <= o[1] and v != o for o in on)]
    assert not worst


def test_what_is_to_be_large_goes_on_where_it_is_large() -> None:
    rungs = Rungs(holdout=287, timed=9, short_epochs=1, epochs=2, keep=(0.3, 1, 1), place=False)
    for maximise, kept in ((True, (96,)), (False, (16,))):
        one = (Objective("accuracy", maximise=maximise),)
        done = climbed(
            problem(choices=ALL, rungs=rungs, objectives=one),
            [{"hidden": size} for size in ALL["hidden"]],
        )
        assert [c.choices.hidden for c in done if not c.cut] == [kept]


def test_a_tool_that_fails_ends_the_point_with_its_words() -> None:
    kept = Written()
    kept.failing = {8}
    done = climbed(problem(rungs=EVERY), [{"lanes": "8"}, {"lanes": "2"}], kept)
    assert [(one.rung, one.cut) for one in done] == [("full", "broken"), ("place", "")]
    assert done[0].missed == {TOOL: 1.0}


def test_what_does_not_fit_is_cut_before_any_work() -> None:
    kept = Written()
    given = problem(choices={"hidden": ["16", "9000"], "weights": ["int8"]}, rungs=EVERY)
    done = climbed(given, [{"hidden": "9000"}], kept)
    assert (done[0].rung, kept.asked) == ("", [])
    assert done[0].cut.startswith("memories must fit onto icebreaker: ")
    assert done[0].missed == {UNFIT: 1.0}


def test_damage_and_training_are_measured_where_they_are_asked_for() -> None:
    one = Objective("damaged_accuracy", maximise=True), Objective("training_us", maximise=False)
    given = problem(
        choices={"learn_lanes": ["1"], "lanes": ["4"]},
        objectives=one,
        rungs=EVERY,
        damage=Damage("dead_neurons", 0.1),
    )
    (found,) = climbed(given, [{"hidden": "64"}])
    assert found.rung == "damage"
    assert found.figures.damaged_accuracy == pytest.approx(0.32)
    assert found.figures.training_us == pytest.approx(0.32 / 24)


def test_fit_says_what_the_check_of_boards_says() -> None:
    board = registry.get("icebreaker")
    space = problem(choices={"hidden": ["16", "512", "4096"], "state_bits": ["8"]}).space
    refused = 0
    for choices in space.all():
        found = fit("digits", choices)
        network = blank("digits", network_choices(choices))
        if found.refused:
            refused += 1
            said = re.escape(found.refused.partition(": ")[2])
            with pytest.raises(NetworkError, match=said):
                check_fit(board, network, choices.lanes)
        else:
            check_fit(board, network, choices.lanes)
    assert 0 < refused < space.size


def test_objectives_without_cells_need_no_tool() -> None:
    kept = Written()
    one = (Objective("p95_us", maximise=False),)
    climbed(problem(objectives=one, rungs=RUNGS), [{}], kept)
    assert {name for name, _ in kept.asked} == {"training", "cycles"}
    climbed(problem(objectives=(CELLS, SPEED), rungs=RUNGS), [{}], kept)
    assert "synthesis" in {name for name, _ in kept.asked}
