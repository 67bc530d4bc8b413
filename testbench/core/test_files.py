"""A written file is whole or was never there; what is no regular file is written through."""

import os
import signal
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from toreq_hw import destinations
from toreq_hw.destinations import check_destination, destination, release_held
from toreq_hw.errors import OutputError
from toreq_hw.files import INCOMPLETE, draft_of, replacing, together, write_json, write_text


def interrupted(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def test_interrupted_writing_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result.json"
    write_json(path, {"a": 1})
    with pytest.raises(KeyboardInterrupt):
        interrupted(path)
    assert path.read_text() == '{\n  "a": 1\n}\n'
    assert list(path.parent.iterdir()) == [path]


def test_nan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def _folder(path: Path) -> None:
    path.mkdir()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _link_to_nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "absent" / "file")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_folder, "must be a file, found a folder"),
        (_socket, "must be a file, found a socket"),
        (_loop, "must be writable, found: Too many levels"),
        (_link_to_nowhere, "must be a link into a folder that exists"),
    ],
)
def test_what_cannot_be_a_result_is_one_line(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "out"
    make(path)
    before = os.lstat(path)
    with pytest.raises(OutputError, match=message):
        check_destination(path)
    with pytest.raises(OutputError, match=message):
        write_text(path, "x")
    assert (os.lstat(path).st_ino, os.lstat(path).st_mode) == (before.st_ino, before.st_mode)


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    target, link, second = tmp_path / "target", tmp_path / "link", tmp_path / "second"
    target.write_text("old")
    second.symlink_to(target)
    link.symlink_to(second)
    write_text(link, "new")
    assert link.is_symlink()
    assert second.is_symlink()
    assert not target.is_symlink()
    assert target.read_text() == "new"


def test_a_link_to_an_absent_file_makes_that_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    write_text(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_device_is_written_through(tmp_path: Path) -> None:
    path = Path(os.devnull)
    if os.geteuid() == 0:  # the harm was done to root, whose folders hold devices
        path = tmp_path / "null"
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    assert check_destination(path).shareable
    write_text(path, "x" * 100_000)
    assert stat.S_ISCHR(os.lstat(path).st_mode)


def test_the_reader_of_a_fifo_gets_the_whole_result(tmp_path: Path) -> None:
    fifo, found = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: found.append(fifo.read_text()))
    reader.start()
    check_destination(fifo)  # opens it, so that the reader waits
    write_text(fifo, "x" * 200_000)
    reader.join(60)
    assert found == ["x" * 200_000]
    assert stat.S_ISFIFO(os.lstat(fifo).st_mode)


def test_a_fifo_without_a_reader_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "FIFO_WAIT_S", 0.1)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(OutputError, match="a FIFO that nobody reads"):
        check_destination(fifo)


def test_a_held_fifo_ends_its_reader(tmp_path: Path) -> None:
    fifo, found = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: found.append(fifo.read_text()))
    reader.start()
    check_destination(fifo)
    release_held()
    reader.join(60)
    assert found == [""]


def test_the_mode_of_a_replaced_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o600)
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_checking_makes_nothing(tmp_path: Path) -> None:
    check_destination(tmp_path / "deep" / "deeper" / "file")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="must be a writable folder"):
        check_destination(tmp_path / "file" / "below")


def test_one_file_has_one_identity_whatever_leads_to_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    (tmp_path / "link").symlink_to(path.parent)
    roundabout = [tmp_path / "link" / "file", tmp_path / "folder" / ".." / "folder" / "file"]
    for content in (None, "x"):
        if content:
            path.write_text(content)
            (tmp_path / "hard").hardlink_to(path)
            (tmp_path / "soft").symlink_to("hard")
            roundabout += [tmp_path / "hard", tmp_path / "soft"]
        for other in roundabout:
            assert destination(other).identity == destination(path).identity, other
    assert destination(tmp_path / "folder" / "other").identity != destination(path).identity


def test_files_written_together_appear_together(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with together():
        write_text(one, "1")
        assert draft_of(one).read_text() == "1"
        write_text(two, "2")
        assert not one.exists()
    assert (one.read_text(), two.read_text()) == ("1", "2")
    assert sorted(tmp_path.iterdir()) == [one, two]


def _write_and_fail(folder: Path, failure: type[BaseException]) -> None:
    with together():
        write_text(folder / "one", "new")
        write_text(folder / "two", "new")
        raise failure


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError, SystemExit])
def test_files_written_together_are_all_kept_back(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    (tmp_path / "one").write_text("old")
    with pytest.raises(failure):
        _write_and_fail(tmp_path, failure)
    assert (tmp_path / "one").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_folders_made_for_results_that_never_came_are_gone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError), together():  # noqa: PT011, PT012
        write_text(tmp_path / "empty" / "one", "new")
        write_text(tmp_path / "made" / "two", "new")
        write_text(tmp_path / "made" / "deep" / "three", "new")
        raise OSError
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "alone" / "four"):
        raise KeyboardInterrupt
    assert sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*")) == [Path("empty")]
    with together():
        write_text(tmp_path / "made" / "deep" / "three", "new")
    assert (tmp_path / "made" / "deep" / "three").read_text() == "new"


def test_an_interrupt_waits_until_all_files_are_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, seen = Path.replace, []

    def slow(self: Path, target: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        seen.append((tmp_path / INCOMPLETE).read_text().split())
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", slow)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), together():  # noqa: PT012
            write_text(tmp_path / "one", "1")
            write_text(tmp_path / "two", "2")
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [["one", "two"]] * 2  # a kill in between would leave the marker behind
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two"]
