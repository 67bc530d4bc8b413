"""A study is one file: in a folder, it is a command, a make target and a part of the index."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from testbench.command_line import toreq_hw as run
from toreq_hw.cli.study_records import chosen_cases
from toreq_hw.errors import InputError
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.studies.index import index_page
from toreq_hw.studies.study import FOLDERS, Place, find

ROOT = Path(__file__).parents[2]

TOY = '''"""Squares are not negative."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toreq_hw.code_digest import code_digest
from toreq_hw.reports.page import Page
from toreq_hw.studies.ledger import Ledger
from toreq_hw.studies.study import Study, Verdict
from toreq_hw.studies.work import workers


@dataclass(frozen=True)
class Squares:
    squares: tuple[float, ...]


@dataclass(frozen=True)
class Square:
    square: float


def measure(power, run):
    return Square(float(run["number"]) ** power)


def run(options, place):
    shared = {"power": 2, "code": code_digest([Path(__file__)])}
    ledger = Ledger(place.work, "toy", shared, Square)
    runs = [{"number": number} for number in range(-3, 4)]
    with ledger.lock(place.screen.say), workers(place.jobs, place.scheduler):
        rows = ledger.complete(runs, partial(measure, 2))
    return Squares(tuple(row.square for row in rows))


def verdict(record):
    return Verdict(min(record.squares) >= 0, f"the least square is {min(record.squares):g}")


STUDY = Study(
    id="toy",
    claim="Squares are not negative.",
    setup="Seven numbers.",
    control="A number that is negative itself.",
    record=Squares,
    run=run,
    verdict=verdict,
    page=lambda record: Page("Squares", verdict(record).sentence, ()),
)
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the toy study, that commands look into."""
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "toy.py").write_text(TOY)
    monkeypatch.setenv(FOLDERS, str(folder))
    return folder


def test_a_study_is_a_command(toy: Path, tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    listed = run("study", "--help").output
    assert "toy" in listed
    assert "Squares are not negative." in listed
    assert "robustness" in listed
    done = run("study", "toy", "--work", work, "--out", out)
    assert done.status == 0
    assert "the least square is 0" in done.output
    assert json.loads((out / "toy.json").read_text()) == {"squares": [9, 4, 1, 0, 1, 4, 9]}
    assert (out / "toy.md").read_text().startswith("# Squares")
    (ledger,) = work.glob("toy-*.jsonl")
    assert len(ledger.read_text().splitlines()) == 8
    before = ledger.read_bytes()
    assert run("study", "toy", "--work", work, "--out", out).status == 0
    assert ledger.read_bytes() == before, "nothing is measured twice"
    (toy / "toy.py").write_text(TOY.replace(">= 0", "> 0"))
    assert run("study", "toy", "--work", work, "--out", out).status == 1


def test_a_study_with_its_own_command_is_that_command() -> None:
    shown = run("study", "lazy", "--help").output
    assert "--thresholds" in shown
    unknown = run("study", "lasy")
    assert unknown.status == 2
    assert "lazy" in unknown.error


@pytest.mark.usefixtures("toy")
def test_a_study_is_in_the_index(tmp_path: Path) -> None:
    assert run("study", "toy", "--work", tmp_path, "--out", tmp_path).status == 0
    assert run("study", "--index", tmp_path).status == 0
    text = (tmp_path / "studies.md").read_text()
    assert "## toy" in text
    assert "Squares are not negative. Set-up: Seven numbers. Control: A number" in text
    assert "the least square is 0" in text
    assert "no record here" in text
    assert "`toreq-hw study toy`" in text
    assert "`toreq-hw reports`" in text


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_study_is_a_make_target(toy: Path) -> None:
    def make(*arguments: str) -> str:
        done = subprocess.run(
            ["make", *arguments],
            cwd=ROOT,
            env=os.environ | {FOLDERS: str(toy)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    lines = make("help").splitlines()
    assert "study-toy           Squares are not negative." in lines
    assert any(line.startswith("study-robustness ") for line in lines)
    assert "toreq-hw study toy" in make("--dry-run", "--assume-old=.venv/core", "study-toy")


def test_the_published_index_is_that_of_the_published_records(tmp_path: Path) -> None:
    published = ROOT / "reports" / "published"
    write_markdown(index_page(find().values(), published), tmp_path / "studies.md")
    assert (tmp_path / "studies.md").read_text() == (published / "studies.md").read_text()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("other.py", TOY, "STUDY must be a Study called other"),
        ("toy.py", TOY.replace("STUDY = Study(", "STUDY = 5\nx = Study("), None),
        ("toy.py", TOY.replace("Seven numbers", "\\"), "must load, found"),
        ("lazy.py", TOY.replace('"toy"', '"lazy"'), "id must be its own, found 'lazy' twice"),
        ("toy.py", TOY + "1 / 0\n", "must load, found: division by zero"),
    ],
)
def test_a_file_that_holds_no_whole_study_is_one_line(
    toy: Path, name: str, text: str, message: str | None
) -> None:
    (toy / "toy.py").unlink()
    (toy / name).write_text(text)
    if message is None:
        assert "toy" not in find()
        return
    with pytest.raises(InputError, match=message) as caught:
        find()
    assert "\n" not in str(caught.value)
    assert str(toy / name) in str(caught.value)


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_are_the_same_wherever_they_are_made(tmp_path: Path, jobs: int) -> None:
    record = find()["toy"].run(None, Place(tmp_path, jobs))
    assert record.squares == (9, 4, 1, 0, 1, 4, 9)


def test_a_study_that_is_none_is_named(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = toy / "other.py"
    for content, said in (
        ("STUDY = Study(\nraise SystemExit(7)\n", "a study must load"),
        (
            TOY.replace('id="toy"', 'id="other"').replace(
                'claim="Squares are not negative."', "claim=5"
            ),
            "claim of a study must be a text, not 5",
        ),
    ):
        other.write_text(content)
        with pytest.raises(InputError, match=said):
            find()
    other.unlink()
    monkeypatch.setenv(FOLDERS, str(toy / "nothing"))
    with pytest.raises(InputError, match=r"must name folders, found .*nothing, which is none"):
        find()


def test_a_typed_study_is_found_and_an_edit_measures_anew(toy: Path, tmp_path: Path) -> None:
    path = toy / "toy.py"
    path.write_text(TOY.replace("STUDY = Study(", "STUDY = Study[Squares]("))
    first = run("study", "toy", "--work", tmp_path / "w", "--out", tmp_path / "w")
    assert (first.status, "the least square is 0" in first.output) == (0, True)
    path.write_text(TOY.replace("** power)", "** power + 1000)"))
    again = run("study", "toy", "--work", tmp_path / "w", "--out", tmp_path / "w")
    assert "the least square is 1000" in again.output, again


def test_a_whole_name_chooses_one_case() -> None:
    """Where one name is part of another."""
    cases = [SimpleNamespace(name=name) for name in ("mnist 8", "fashion-mnist 8", "mnist 80")]
    assert [case.name for case in chosen_cases(cases, "mnist 8")] == ["mnist 8"]
    assert [case.name for case in chosen_cases(cases, "fashion")] == ["fashion-mnist 8"]
    assert chosen_cases(cases, "mnist") == chosen_cases(cases, None) == cases
    with pytest.raises(InputError, match="--only must be part of one of mnist 8, "):
        chosen_cases(cases, "digits")
