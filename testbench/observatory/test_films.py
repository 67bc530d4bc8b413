"""Films hold the arrays that `frame` gives; recordings come back as they went."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image, ImageSequence

from testbench.command_line import toreq_hw as run
from testbench.observatory.cases import digit, digits_network, random_recording, recorded
from toreq_hw import network
from toreq_hw.cli.default_network import DEFAULT_PATH
from toreq_hw.commands import observe
from toreq_hw.errors import InputError
from toreq_hw.observatory import Recording, film, frame, recording_file
from toreq_hw.observatory.poster import Poster

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "observatory.md"


@pytest.fixture(scope="module")
def watched() -> Recording:
    """A digit and its nudged phases."""
    inputs, _ = digit(3)
    return recorded(digits_network(), inputs, np.array([5]))


@pytest.mark.parametrize("palette", ["safe", "classic"])
def test_a_gif_holds_the_frames(watched: Recording, tmp_path: Path, palette: str) -> None:
    path = tmp_path / "a.gif"
    count = film.write_gif(watched, path, palette)
    poster = Poster.of(watched)
    with Image.open(path) as found:
        assert len(list(ImageSequence.Iterator(found))) == count == len(film.views(watched))
        for number, view in enumerate(film.views(watched)):
            found.seek(number)
            got = np.array(found.convert("RGB"))
            assert np.array_equal(got, poster.pixels(view, film.GIF_LEVELS, palette))
            wanted = frame(
                watched, view.tick, phase=view.phase, palette=palette, levels=film.GIF_LEVELS
            )
            picture = got[poster.picture]
            assert np.array_equal(picture[:: poster.times, :: poster.times], wanted)


def test_a_recording_comes_back_whole(watched: Recording, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    recording_file.save(watched, path)
    again = recording_file.load(path)
    assert again.source == watched.source
    for number, (one, other) in enumerate(zip(watched.phases, again.phases, strict=True)):
        assert (one.status, one.sweeps, one.dense) == (other.status, other.sweeps, other.dense)
        for tick in range(one.first, one.last + 1):
            mine, theirs = (frame(r, tick, phase=number) for r in (watched, again))
            assert np.array_equal(mine, theirs)
            a, b = one.step(tick), other.step(tick)
            assert (a.energy, a.events, a.synops) == (b.energy, b.events, b.synops)
            assert np.array_equal(a.scores, b.scores)


@pytest.mark.parametrize("seed", range(5))
def test_recordings_of_any_network_come_back(seed: int, tmp_path: Path) -> None:
    _, found = random_recording(seed)
    recording_file.save(found, tmp_path / "a.npz")
    again = recording_file.load(tmp_path / "a.npz")
    for number, phase in enumerate(found.phases):
        for tick in range(phase.last + 1):
            mine, theirs = (frame(r, tick, phase=number) for r in (found, again))
            assert np.array_equal(mine, theirs)


def test_the_film_of_the_readme_is_what_its_command_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # trains the network of `make sim`
    assert run("observe", "--sample", 3, "--nudge", 5, "--gif", tmp_path / "a.gif").status == 0
    with Image.open(tmp_path / "a.gif") as made, Image.open(ROOT / "docs/observatory.gif") as kept:
        frames = [
            [np.array(one.convert("RGB")) for one in ImageSequence.Iterator(film)]
            for film in (made, kept)
        ]
    assert len(frames[0]) == len(frames[1])
    assert all(np.array_equal(one, other) for one, other in zip(*frames, strict=True))
    if f"pillow=={PIL.__version__}\n" in (ROOT / "constraints.txt").read_text(encoding="utf-8"):
        kept_bytes = (ROOT / "docs/observatory.gif").read_bytes()
        assert (tmp_path / "a.gif").read_bytes() == kept_bytes, "other versions pack otherwise"


def _tampered(path: Path, arrays: dict[str, Any], **changes: Any) -> str:
    """What `load` says of a recording with other arrays, or another entry of `about`."""
    about = json.loads(arrays["about"].tobytes())
    about |= changes.pop("about", {})
    changed = {**arrays, "about": np.frombuffer(json.dumps(about).encode(), np.uint8), **changes}
    np.savez(path, **{name: value for name, value in changed.items() if value is not None})
    with pytest.raises(InputError) as caught:
        recording_file.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_recording_that_does_not_fit_is_refused(watched: Recording, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    recording_file.save(watched, path)
    with np.load(path) as found:
        arrays = {name: found[name] for name in found.files}

    def said(**changes: Any) -> str:
        return _tampered(tmp_path / "b.npz", arrays, **changes)

    assert said(about={"version": 2}) == "must be a recording of version 1, found another file"
    assert "phases must be 1 to 8, found 0" in said(about={"phases": []})
    populations = json.loads(arrays["about"].tobytes())["populations"]
    assert "a network must have one input" in said(about={"populations": populations[1:]})
    assert said(**{"0_after": None}) == "array after must be there, found none"
    assert "array neuron must hold" in said(**{"0_neuron": arrays["0_neuron"] + 30})
    assert "array after must hold states" in said(**{"0_after": arrays["0_after"] - 256})
    assert "array changes must be int64" in said(**{"0_changes": arrays["0_changes"][None]})
    assert "array changes must be of at most" in said(**{"0_changes": -arrays["0_changes"]})
    assert "array energy must have" in said(**{"0_energy": arrays["0_energy"][:-1]})
    assert "array scores must be int64" in said(**{"0_scores": arrays["0_scores"][:, :4]})
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"must be an \.npz file of arrays"):
        recording_file.load(path)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A network file."""
    path = tmp_path / "net.safetensors"
    network.save(digits_network(), path)
    return path


def test_the_command_writes_films_and_recordings(saved: Path, tmp_path: Path) -> None:
    one, other, kept = tmp_path / "a.gif", tmp_path / "b.gif", tmp_path / "run.npz"
    done = run("observe", saved, "--sample", 3, "--nudge", 5, "--gif", one, "--record", kept)
    assert done.status == 0, done.error
    assert all(word in done.output for word in ("free", "positive", "negative", "settled"))
    assert run("observe", "--replay", kept, "--gif", other).status == 0
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sample", 360, "--gif", "a.gif"], "--sample must be an image in 0..358, not 360"),
        (["--nudge", 10, "--gif", "a.gif"], "--nudge must be a class in 0..9, not 10"),
        (["--replay", "x.npz", "--sample", 3, "--gif", "a.gif"], "--sample must be left out"),
        (["--sample", 3], "--sample must come with --gif, --mp4 or --record"),
        (["--palette", "classic"], "--palette must come with --gif, --mp4 or --record"),
        (["--port", 8000, "--gif", "a.gif"], "--port must be left out where no page is opened"),
        (["--bench", "--gif", "a.gif"], "must be left out with --bench"),
        (["--gif", "a.gif", "--record", "a.gif"], "--gif and --record must be different files"),
        (["--gif", "."], ".: must be a file, found a folder"),
        (["--replay", "x.npz", "--gif", "a.gif"], "x.npz: must be a file, found none"),
        (["--replay", "x.npz", "--gif", "x.npz"], "--gif must be another file than --replay"),
        (["--data", "mnist", "--gif", "a.gif"], "must have 784 inputs and 10 outputs for mnist"),
    ],
)
def test_bad_input_is_one_line(
    saved: Path, tmp_path: Path, arguments: list[Any], message: str, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    if "mnist" in arguments and not os.environ.get("TOREQ_HW_DATA"):
        pytest.skip("MNIST IS NOT HERE: set TOREQ_HW_DATA to a folder holding mnist/")
    first = [] if "--replay" in arguments else [saved]
    monkeypatch.setattr(observe, "serve", lambda *_, **__: pytest.fail("no page must be opened"))
    done = run("observe", *first, *arguments)
    assert done.status == 2
    assert message in done.error
    assert len(done.error.splitlines()) == 1
    assert not (tmp_path / "a.gif").exists()


def _fake_ffmpeg(folder: Path, script: str) -> None:
    (folder / "ffmpeg").write_text(f"#!{sys.executable}\nimport sys\n{script}")
    (folder / "ffmpeg").chmod(0o755)


def test_an_mp4_needs_ffmpeg(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.mp4"
    done = run("observe", saved, "--mp4", path)
    assert (done.status, path.exists()) == (2, False)
    assert done.error == "error: --mp4 must have ffmpeg installed; --gif needs no tool\n"
    _fake_ffmpeg(tmp_path, "sys.stdin.buffer.read(); sys.exit('bad codec')")
    done = run("observe", saved, "--mp4", path)
    assert (done.status, path.exists()) == (2, False)
    assert "ffmpeg must write it, found: bad codec" in done.error
    _fake_ffmpeg(tmp_path, "open(sys.argv[-1], 'wb').write(sys.stdin.buffer.read())")
    assert run("observe", saved, "--mp4", path).status == 0
    watched = recorded(digits_network(), digit(0)[0])
    poster = Poster.of(watched)
    frames = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, poster.height, poster.width, 3)
    first = film.views(watched)[0]
    assert np.array_equal(frames[0], poster.pixels(first, None, "safe"))
    assert len(frames) == len(film.views(watched)) + film.LAST_MS // film.TICK_MS - 1


def test_a_film_has_bounds(watched: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "MOST_FRAMES", 3)
    with pytest.raises(InputError, match="a film must have at most 3 ticks"):
        film.views(watched)


def test_the_page_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network.save(digits_network(), tmp_path / DEFAULT_PATH)  # that of `make sim` takes longer
    page = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"^```sh files\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            done = run(*shlex.split(line)[1:])
            assert done.status == 0, (line, done.error)
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    python = [sys.executable, "-c", code]
    ended = subprocess.run(python, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "(10, 29, 3)\n"
