"""`toreq-hw search` refuses in one line, with status 2, and leaves nothing behind."""

from pathlib import Path

import pytest

from testbench.command_line import complaints
from testbench.command_line import toreq_hw as run
from toreq_hw.commands.search import _USUAL_POINTS, budget_of
from toreq_hw.errors import InputError
from toreq_hw.studies.search import MOST_POINTS, PUBLISHED_POINTS

GIVEN = "search --board icebreaker --minimise cells"

LINES = {
    "search --minimise cells": "--board must be given, here or in --file",
    "search --board icebreaker": "must have something to minimise or maximise, found nothing",
    "search --board icebraker --minimise cells": "did you mean 'icebreaker'?",
    "search --board icebreaker --minimise cels": "did you mean 'cells'?",
    f"{GIVEN} --maximise cells": "must be of different metrics, found cells twice",
    f"{GIVEN} --require acuracy>=0.9": "did you mean 'accuracy'?",
    f"{GIVEN} --require accuracy>=98": "must be a number, 0..1, not '98'",
    f"{GIVEN} --require cells<=9 --require cells>=10": "found cells>=10 and cells<=9",
    f"{GIVEN} --require p95_us<=0.5": "p95_us<=0.5 must be within a bound, found",
    f"{GIVEN} --require damaged_accuracy>=0.5": "must go with --damage LAYER:LEVEL",
    f"{GIVEN} --damage dead_neuron:0.1": "did you mean 'dead_neurons'?",
    f"{GIVEN} --budget 1s": "budget must be at least",
    f"{GIVEN} --budget 0": "--budget must be a time such as 90s, 30m or 2h, or a number of points",
    f"{GIVEN} --budget 2d": "--budget must be a time",
    f"{GIVEN} --choose lanes": "--choose must be NAME=VALUE[,VALUE..], found 'lanes'",
    f"{GIVEN} --choose lanes=3": "lanes must be one of 2, 4, 8",
    f"{GIVEN} --choose lane=4": "did you mean 'lanes'?",
    f"{GIVEN} --choose lanes=4 --choose lanes=8": "each dimension once, found 'lanes' twice",
    f"{GIVEN} --choose hidden=60000": "a point of the space must fit, found none",
    f"{GIVEN} --scheduler nowhere": "must answer, found|must have dask installed",
    f"{GIVEN} --store old.journal": "must be a store of version 1, found 0; use another --store",
    f"{GIVEN} --store text": "text: line 1: must be JSON",
    f"{GIVEN} --file absent.toml": "absent.toml: must be readable",
    f"{GIVEN} --file text": "text: must be TOML",
    f"{GIVEN} --file unknown.toml": "unknown.toml: fields must be board, require, minimise",
    f"{GIVEN} --file rungs.toml": "rungs.toml: field rungs.epochs must be a whole number in 1..",
    f"{GIVEN} --file keep.toml": "field rungs.keep must be three parts above 0, at most 1",
    f"{GIVEN} --file sampler.toml": "sampler must be one of nsga2, tpe, found 'grid'",
    f"{GIVEN} --only mnist": "--only must go with --published",
    "search --published --minimise cells": "--minimise must be left out with --published",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("some text\n")
    Path("unknown.toml").write_text("boards = 3\n")
    Path("rungs.toml").write_text("[rungs]\nepochs = 0\n")
    Path("keep.toml").write_text("[rungs]\nkeep = [0.5, 0.5]\n")
    Path("sampler.toml").write_text('sampler = "grid"\n')


def old_store() -> None:
    """A store as another version would have made it."""
    from toreq_hw.records.search import Objective
    from toreq_hw.studies.searching import journal
    from toreq_hw.studies.searching.asked import Asked, problem_of

    cells = (Objective("cells", maximise=False),)
    given = problem_of(Asked(data="digits", boards=("icebreaker",), objectives=cells))
    with journal.opened(Path("old.journal"), given):
        pass
    text = Path("old.journal").read_text()
    Path("old.journal").write_text(text.replace('"version":1', '"version":0'))


@pytest.mark.parametrize("line", LINES)
def test_the_line_says_what_must_hold(line: str) -> None:
    if "old.journal" in line:
        old_store()
    before = {path for path in Path().iterdir() if not path.name.startswith(".")}
    done = run(*line.split())
    assert (done.status, done.output) == (2, ""), done
    errors = complaints(done.error)
    assert len(errors) == 1, done.error
    assert any(text in errors[0] for text in LINES[line].split("|")), errors
    after = {path for path in Path().iterdir() if not path.name.startswith(".")}
    assert after - before <= {Path("build")}


def test_budgets_by_hand() -> None:
    shown = run("search", "--help").output
    assert f"{_USUAL_POINTS}, --published {PUBLISHED_POINTS}]" in " ".join(shown.split())
    assert f"{MOST_POINTS:,} points" in " ".join(shown.split())
    assert budget_of("2h").seconds == 7200
    assert budget_of("1.5m").seconds == 90
    assert budget_of("30 min").seconds == 1800
    assert (budget_of("40").points, budget_of("40 trials").points) == (40, 40)
    assert budget_of("40").seconds is None
    for text in ("", "h", "1e3", "-2h", "2.5", "100001", "9" * 50):
        with pytest.raises(InputError, match="--budget must be a time"):
            budget_of(text)
