"""`toreq-hw verify`: its list, what it refuses, what it keeps, and that it survives kill -9."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from testbench.command_line import toreq_hw as run
from toreq_hw.errors import InputError
from toreq_hw.reading import read_record
from toreq_hw.records.verification import Verification
from toreq_hw.reports.page import page_html
from toreq_hw.reports.verification import QUICK_TITLE, verification_page
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks.claims import CLAIMS
from toreq_hw.studies.tracks.track import QUICK, Measured, Settings, chosen, find
from toreq_hw.studies.verification import STUDY, Options, kept

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "reports" / "published"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the work and the record of one quick track."""
    folder = tmp_path_factory.mktemp("verify")
    done = run("verify", "--track", "29", "--quick", "--work", folder / "work", "--out", folder)
    assert done.status == 0, done.error
    return folder


def test_every_track_is_listed(tmp_path: Path) -> None:
    done = run("verify", "--list", "--out", tmp_path)
    assert done.status == 0
    for claim in CLAIMS.values():
        assert claim in done.output
    assert done.output.count("not run") == len(find())


def test_a_quick_run_says_so_everywhere(quick: Path) -> None:
    record = read_record(quick / "verification.json", Verification, InputError)
    assert record.quick
    (result,) = record.results
    assert result.ids == ("29",)
    assert result.outcome == "holds"
    assert len(record.not_run) == len(CLAIMS) - 1
    page = (quick / "verification.md").read_text()
    assert page.startswith(f"# {QUICK_TITLE}")
    assert page.count(QUICK_TITLE) >= 4
    assert "Tracks that were not run say nothing: 1, 2, 25, 3" in " ".join(page.split())
    assert "`toreq-hw verify --track 29 --quick`" in page
    assert "<svg" in (quick / "verification.html").read_text()
    listed = run("verify", "--list", "--out", quick).output
    assert "holds (quick), 1 seeds" in listed


def test_other_tracks_are_kept_and_nothing_is_measured_twice(quick: Path, tmp_path: Path) -> None:
    (tmp_path / "verification.json").write_bytes((quick / "verification.json").read_bytes())
    work = quick / "work"
    ledgers = {path: path.read_bytes() for path in work.glob("verification-*.jsonl")}
    assert ledgers
    done = run("verify", "--track", "6", "29", "--quick", "--work", work, "--out", tmp_path)
    assert done.status == 0, done.error
    record = read_record(tmp_path / "verification.json", Verification, InputError)
    assert [result.ids[0] for result in record.results] == ["6", "29"]
    assert all(path.read_bytes() == before for path, before in ledgers.items())
    assert run("verify", "--track", "29", "--quick", "--work", work, "--out", tmp_path).status == 0
    assert read_record(tmp_path / "verification.json", Verification, InputError) == record
    assert chosen(["24"]) == chosen(["12"])


def test_results_are_judged_again(quick: Path, tmp_path: Path) -> None:
    content = json.loads((quick / "verification.json").read_text())
    content["results"][0] |= {"outcome": "refuted", "sentence": "Of an older rule."}
    (tmp_path / "verification.json").write_text(json.dumps(content))
    work = tmp_path / "work"
    done = run("verify", "--judge-only", "--work", work, "--out", tmp_path)
    assert done.status == 0, done.error
    for name in ("verification.json", "verification.md"):
        assert (tmp_path / name).read_text() == (quick / name).read_text()
    assert not work.exists()


def test_a_result_with_rows_of_an_older_track_is_left_out(quick: Path, tmp_path: Path) -> None:
    content = json.loads((quick / "verification.json").read_text())
    content["results"][0]["ids"] = ["5"]
    (tmp_path / "verification.json").write_text(json.dumps(content))
    done = run("verify", "--judge-only", "--out", tmp_path)
    assert done.status == 0
    assert "track 5 has other rows today: its result is left out" in done.error + done.output
    record = read_record(tmp_path / "verification.json", Verification, InputError)
    assert not record.results


def test_a_track_that_fails_keeps_its_result_and_the_others_are_written(quick: Path) -> None:
    earlier = read_record(quick / "verification.json", Verification, InputError)
    energy, events = chosen(["29"])[0], chosen(["12"])[0]

    def fails(_: Settings, __: Place) -> Measured:
        raise InputError("neurons must be fewer")

    broken = replace(events, measure=fails)
    place = Place(quick / "work")
    options = replace(kept(earlier, (broken, energy), quick=True), settings=QUICK)
    record = STUDY.run(options, place)
    assert [result.ids for result in record.results] == [("29",)]
    assert record.failed == ("track 12, 24: neurons must be fewer",)
    verdict = STUDY.verdict(record)
    assert not verdict.passed
    assert "Not measured: track 12, 24: neurons must be fewer." in verification_page(record).lead
    with pytest.raises(InputError, match="neurons must be fewer"):
        STUDY.run(Options((broken,), QUICK, earlier.results), place)
    again = replace(energy, measure=fails)
    record = STUDY.run(Options((again, energy), QUICK, earlier.results), place)
    assert record.results == earlier.results


def test_the_answer_names_what_each_side_does_better() -> None:
    record = read_record(PUBLISHED / "verification.json", Verification, InputError)
    page = verification_page(record).sections[1].text
    for result in record.results:
        if result.favours != "neither":
            assert result.better
            assert f"{result.better} (track {', '.join(result.ids)})" in page


def test_every_track_is_folded_and_linked() -> None:
    record = read_record(PUBLISHED / "verification.json", Verification, InputError)
    text = page_html(verification_page(record))
    parts = text.split("<details>")[1:]
    assert len(parts) == len(record.results)
    for result, part in zip(record.results, parts, strict=True):
        number = ", ".join(result.ids)
        assert part.lstrip().startswith(f"<summary>Track {number} ({result.outcome}): ")
        (anchor, *_) = re.findall(r'<h2 id="([^"]+)"', part)
        assert f'<a href="#{anchor}">{number}</a></td>' in text
    for suffix in ("html", "json"):
        assert (PUBLISHED / f"verification.{suffix}").stat().st_size < 1_000_000


def full(quick: Path, folder: Path) -> Path:
    """A record that claims to be of a full run."""
    content = json.loads((quick / "verification.json").read_text()) | {"quick": False}
    (folder / "verification.json").write_text(json.dumps(content))
    return folder


def test_a_quick_run_never_replaces_a_full_one(quick: Path, tmp_path: Path) -> None:
    full(quick, tmp_path)
    before = (tmp_path / "verification.json").read_bytes()
    done = run("verify", "--track", "29", "--quick", "--work", quick / "work", "--out", tmp_path)
    assert done.status == 2
    assert "--quick" in done.error
    assert (tmp_path / "verification.json").read_bytes() == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "tracks must be named"),
        ("29", "must follow --track"),
        ("--track 99", "track must be one of"),
        ("--track 29 --all", "without --all"),
        ("--list --all", "--list must be given without"),
        ("--list --quick", "--list must be given without"),
        ("--list --judge-only", "--list must be given without"),
        ("--judge-only --seeds 2", "--judge-only must be given without"),
        ("--judge-only --all", "--judge-only must be given without"),
        ("--judge-only", "must be there for --judge-only"),
        ("--track 29 --seeds 0", "must be a whole number"),
        ("--track 29 --jobs 0", "must be a whole number"),
        (f"--quick --out {PUBLISHED}", "no folder of published records"),
        ("--track 29 --quick --scheduler tcp://127.0.0.1:1", "scheduler"),
    ],
)
def test_bad_input_is_one_line(line: str, said: str, tmp_path: Path) -> None:
    out = [] if "--out" in line else ["--out", tmp_path / "out"]
    done = run("verify", *line.split(), "--work", tmp_path / "work", *out)
    assert done.status == 2
    assert said in done.error
    assert len(done.error.strip().splitlines()) == 1
    assert not list((tmp_path / "out").glob("*"))


KILLED = """
import os, signal, sys
from pathlib import Path
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import energy, measuring
from toreq_hw.studies.tracks.track import QUICK

whole, done = measuring._one, []

def killed(*arguments):
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(1)
    return whole(*arguments)

measuring._one = killed
energy.TRACK.measure(QUICK, Place(Path(sys.argv[1])))
"""


def test_a_killed_run_goes_on_where_it_was(quick: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    command = [sys.executable, "-c", KILLED, str(work)]
    ended = subprocess.run(command, capture_output=True, cwd=ROOT, env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    (ledger,) = work.glob("verification-*.jsonl")
    kept = ledger.read_bytes()
    assert len(kept.splitlines()) == 3
    done = run("verify", "--track", "29", "--quick", "--work", work, "--out", tmp_path)
    assert done.status == 0, done.error
    assert ledger.read_bytes().startswith(kept)
    found, expected = (
        read_record(folder / "verification.json", Verification, InputError).results[0].rows
        for folder in (tmp_path, quick)
    )
    assert found == expected


def test_a_failed_control_fails_the_study(quick: Path) -> None:
    content = json.loads((quick / "verification.json").read_text())
    assert STUDY.verdict(read_record(quick / "verification.json", Verification, InputError)).passed
    content["results"][0]["controlled"] = False
    (quick / "failed.json").write_text(json.dumps(content))
    record = read_record(quick / "failed.json", Verification, InputError)
    verdict = STUDY.verdict(record)
    assert not verdict.passed
    assert "Controls failed in 29." in verdict.sentence
    assert "The control did not behave as it must." in page_html(verification_page(record))


def test_published_sentences_are_short() -> None:
    record = read_record(PUBLISHED / "verification.json", Verification, InputError)
    long = [
        (result.name, sentence)
        for result in record.results
        for sentence in re.split(r"(?<=[.;:]) ", result.sentence)
        if len(re.findall(r"[A-Za-z]{2,}", re.sub(r"\([^)]*\)", "", sentence))) > 25
    ]
    assert not long, long


@pytest.mark.skipif(not (PUBLISHED / "verification.json").exists(), reason="nothing is published")
def test_published_verdicts_follow_from_their_rows() -> None:
    record = read_record(PUBLISHED / "verification.json", Verification, InputError)
    assert not record.quick
    tracks = {track.ids: track for track in find()}
    for result in record.results:
        judged = tracks[result.ids].judge(result.rows)
        assert (result.outcome, result.sentence) == (judged.outcome, judged.sentence)
        assert result.favours == judged.favours
        assert result.claim == tracks[result.ids].claim
