"""Whole searches on digits: real training, cycles and Yosys; repeated, and rebuilt."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import toreq_hw as run
from toreq_hw import data, network
from toreq_hw.data import Dataset, sources
from toreq_hw.errors import InputError
from toreq_hw.reading import read_record
from toreq_hw.records.search import Search, Searches
from toreq_hw.studies.search import Budget, Options
from toreq_hw.studies.search import run as search
from toreq_hw.studies.searching import samples
from toreq_hw.studies.searching.asked import Asked, problem_of
from toreq_hw.studies.searching.metrics import objective
from toreq_hw.studies.searching.problem import Problem
from toreq_hw.studies.study import Place

QUICK = {"short_epochs": 1, "epochs": 2, "timed": 50, "place": False}
CHOICES = {"hidden": ["12", "16"], "lanes": ["2", "4"], "state_bits": ["8"]}


def quick(*requirements: str, seed: int = 1, yosys: bool = False) -> Problem:
    """Without Yosys unless it is asked for: seconds."""
    first = objective("cells", maximise=False) if yosys else objective("p95_us", maximise=False)
    return problem_of(
        Asked(
            data="digits",
            boards=("icebreaker",),
            objectives=(first, objective("accuracy", maximise=True)),
            requirements=requirements,
            choices=CHOICES,
            rungs=QUICK,
            batch=4,
            seed=seed,
        )
    )


def found(given: Problem, work: Path, points: int = 8, jobs: int = 1) -> Search:
    record = search(Options((given,), Budget(points=points)), Place(work, jobs))
    return record.searches[0]


def without_seconds(one: Search) -> Search:
    return replace(one, rungs=tuple(replace(rung, seconds=0.0) for rung in one.rungs))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished trainings that searches of this module share."""
    folder = tmp_path_factory.mktemp("work")
    found(quick(), folder)
    return folder


@pytest.fixture(autouse=True)
def _fresh_images() -> None:
    samples.training_images.cache_clear()
    samples.held_out.cache_clear()


def test_equal_seeds_give_equal_fronts(tmp_path: Path, work: Path) -> None:
    one, two = found(quick(), tmp_path / "one"), found(quick(), tmp_path / "two")
    assert without_seconds(one) == without_seconds(two) == without_seconds(found(quick(), work))
    assert one.front
    assert found(quick(seed=2), tmp_path / "one").points != one.points


def test_two_workers_give_the_same_front_as_one(tmp_path: Path, work: Path) -> None:
    assert without_seconds(found(quick(), tmp_path, jobs=2)) == without_seconds(
        found(quick(), work)
    )


def test_nothing_is_done_twice(work: Path) -> None:
    before = {path: path.read_bytes() for path in work.glob("*.jsonl")}
    one = found(quick(), work)
    assert before == {path: path.read_bytes() for path in work.glob("*.jsonl")}
    assert len(before) == 3
    trainings = next(rung for rung in one.rungs if rung.rung == "short").works
    assert 0 < trainings < len(one.points), "points that differ in the core alone share them"


def test_a_network_that_is_gone_is_trained_again(work: Path) -> None:
    before = {path: path.read_bytes() for path in work.glob("networks/*")}
    (work / "networks").rename(work / "away")
    for store in work.glob("*.journal"):
        store.unlink()
    found(quick(), work)
    again = {path: path.read_bytes() for path in work.glob("networks/*")}
    assert again == before


def test_the_test_set_chooses_nothing(
    tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With noise in place of the test images everything but the last figures is the same."""
    whole = sources.load_digits()
    assert found(quick(), work).front[0].test_accuracy > 0.5
    random = np.random.default_rng(1)
    noise = data.Split(
        random.integers(0, 17, whole.test.images.shape).astype(np.uint8),
        random.integers(0, 10, whole.test.labels.shape),
    )
    monkeypatch.setitem(sources._LOADERS, "digits", lambda: replace(whole, test=noise))
    one = found(quick(), tmp_path)
    kept = [replace(point, test_accuracy=None) for point in found(quick(), work).front]
    assert [replace(point, test_accuracy=None) for point in one.front] == kept
    assert one.points == found(quick(), work).points
    assert one.front[0].test_accuracy < 0.3


def test_the_test_set_is_loaded_once_when_the_front_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toreq_hw.studies.searching.climb import Climb
    from toreq_hw.studies.searching.kept import Kept

    said: list[str] = []
    load, climb, rows = samples.test_images, Climb.__call__, Kept.rows

    def loaded(name: str) -> Dataset:
        said.append("test images")
        return load(name)

    monkeypatch.setattr(samples, "test_images", loaded)
    monkeypatch.setattr(Climb, "__call__", lambda *given: (said.append("batch"), climb(*given))[1])
    monkeypatch.setattr(
        Kept, "rows", lambda *given, **more: (said.append(given[1]), rows(*given, **more))[1]
    )
    found(quick(), tmp_path)
    first = said.index("test images")
    assert said[:first].count("batch") == 2
    assert said[first - 1] == "test"
    assert set(said[first:]) == {"test images"}, "no other work follows"


def test_training_images_are_loaded_without_the_files_of_test_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if sources.find(sources.MNIST) is None:
        pytest.skip("MNIST is not at hand")
    read = sources._read_checked

    def refuses_tests(path: Path, source: sources.IdxSource, stem: str) -> object:
        assert not stem.startswith("t10k"), "test images are read"
        return read(path, source, stem)

    monkeypatch.setattr(sources, "_read_checked", refuses_tests)
    dataset = samples.held_out("mnist", 5000)
    assert (len(dataset.train), len(dataset.test)) == (55_000, 5_000)
    with pytest.raises(AssertionError, match="test images are read"):
        data.load("mnist")


def test_held_out_images_are_those_of_train() -> None:
    ours, known = samples.held_out("digits", 287), data.load("digits").holding_out(287)
    assert np.array_equal(ours.train.images, known.train.images)
    assert np.array_equal(ours.test.images, known.test.images)


def test_the_commands_of_a_point_make_its_network(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = found(quick(), work)
    front = one.front[0]
    point = one.points[front.number]
    monkeypatch.chdir(tmp_path)
    for line in front.commands[:2]:
        done = run(*line.split()[1:])
        assert done.status == 0, done
    made = network.load(Path(f"build/search/point-{front.number}.safetensors"))
    assert made.sha256 == point.network_sha256
    assert Path(f"build/search/point-{front.number}-core/core.v").exists()


def test_a_whole_search_with_yosys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    line = "search --data digits --board icebreaker --minimise cells --maximise accuracy --budget 4"
    line += " --no-place --choose hidden=12 --choose lanes=2 --choose state_bits=8"
    line += " --choose weights=ternary --file quick.toml --out out"
    (tmp_path / "quick.toml").write_text(
        'batch = 4\nrequire = ["accuracy>=0.2", "block_ram<=30"]\n'
        "[rungs]\nshort_epochs = 1\nepochs = 2\nkeep = [1, 0.2, 1]\n"
    )
    done = run(*line.split())
    assert done.status == 0, done
    record = read_record(tmp_path / "out/search.json", Searches, InputError)
    (one,) = record.searches
    assert "recommended: point" in done.output
    assert "toreq-hw synth" in done.output
    counts = {rung.rung: rung.points for rung in one.rungs}
    assert counts == {"fit": 4, "short": 4, "cycles": 4, "full": 4, "synthesis": 1}
    cells = one.points[one.front[0].number].figures.cells
    assert 1000 < cells < 4000
    page = (tmp_path / "out/search.html").read_text()
    assert page.count("<title>point ") >= 5, "points say what they are under the pointer"
    assert "others of its batch were better" in page
    text = (tmp_path / "out/search.md").read_text()
    assert "what was not tried" in text
    assert "threshold" in text
    again = run(*line.split())
    assert again.status == 0
    assert "4 points are kept" in again.error


def test_without_a_front_the_status_says_so(work: Path, tmp_path: Path) -> None:
    line = f"search --board icebreaker --minimise p95_us --require accuracy>=0.999 --work {work}"
    line += f" --budget 4 --no-place --out {tmp_path} --file {tmp_path / 'x.toml'}"
    (tmp_path / "x.toml").write_text("batch = 4\n[rungs]\nshort_epochs = 1\nepochs = 1\n")
    done = run(*line.split())
    assert done.status == 1
    assert "no point is recommended" in done.output
    assert json.loads((tmp_path / "search.json").read_text())["searches"][0]["pick"] is None
