"""`toreq-hw deploy` to boards that misbehave: simulated, and the same behind a serial port."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testbench.boards.faulty_board import FaultyBoard, Pseudoterminal, Reaction, Rule, faithful
from testbench.boards.line_faults import (
    after,
    corrupt,
    deaf_to_nudges,
    flagless,
    forged,
    garbage_sending,
    in_rows,
    silent,
)
from testbench.command_line import complaints, deploy
from testbench.commands.test_deploy import small_network
from testbench.patience import GENEROUS_S
from toreq_hw import network, targets
from toreq_hw.boards import registry
from toreq_hw.boards.fit.check import check_fit
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.protocol import REPLY, Code, Frame, ImageFlag, Request, State
from toreq_hw.boards.link.simulated import SimulatedTransport, compile_system
from toreq_hw.boards.link.transport import SerialTransport
from toreq_hw.errors import LinkError
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.targets import board as board_target

BOARD = registry.get("icebreaker")
NETWORK = small_network()
PARAMETERS = check_fit(BOARD, NETWORK, BOARD.lanes)
LINES = ("sim", "serial")
FEW = 3
"""Requests of a load that come through before a board goes wrong: BEGIN and some rows."""


@pytest.fixture(scope="module")
def library() -> Path:
    images = MemoryImages.of(NETWORK, PARAMETERS)
    return compile_system(PARAMETERS, images, BOARD.clock_hz)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, FaultyBoard], int]:
    """Deploys over a line of LINES, or a port; the record, if there is one, is in tmp_path."""
    path = tmp_path / "network.safetensors"
    network.save(NETWORK, path)

    def run(line: str, board: FaultyBoard) -> int:
        common = ("--target", BOARD.name, "--network", str(path), "--samples", "3")
        out = ("--json", str(tmp_path / "out.json"))
        if line == "serial":
            with Pseudoterminal(board) as terminal:
                return deploy(*common, *out, "--port", terminal.port)
        if line == "sim":
            monkeypatch.setattr(board_target, "transport_of", lambda *_: board)
        return deploy(*common, *out, "--port", line)

    return run


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return found


def powered(library: Path, rule: Rule) -> FaultyBoard:
    """A board that holds another network, which no broken load may leave running."""
    inner = SimulatedTransport(library, BOARD.clock_hz)
    BoardLink(inner, PARAMETERS).load(small_network(seed=1))
    return FaultyBoard(inner, rule)


def runs_nothing(board: FaultyBoard) -> bool:
    """Whether a host on a clean line finds the board unloaded, by its state and by trying."""
    link = BoardLink(board.inner, PARAMETERS)
    flags = ImageFlag.FIRST | ImageFlag.LAST
    payload = bytes([flags]) + (100).to_bytes(2, "big") + bytes(PARAMETERS.input.size)
    code = link.exchange.send(Request.IMAGE, payload)[0]
    return State.LOADED not in link.status().state and code is Code.UNLOADED


SILENT = "it was silent 5 times"
GARBAGE = "bytes of garbage 5 times"


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    ("rule", "said"),
    [(silent, SILENT), (garbage_sending, GARBAGE), (flagless, GARBAGE)],
    ids=["silent", "sending garbage", "flagless"],
)
def test_a_board_that_says_nothing_sensible(
    library: Path,
    run: Callable[[str, FaultyBoard], int],
    capsys: pytest.CaptureFixture[str],
    line: str,
    rule: Rule,
    said: str,
) -> None:
    board = powered(library, rule)
    assert run(line, board) == 2
    (only,) = complaints(capsys.readouterr().err)
    assert only.startswith("error: board on ")
    assert "must answer IDENTIFY within" in only
    assert said in only
    assert len(board.asked) == 5


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (lambda: after(FEW, silent), f"must answer WORDS within .* {SILENT}"),
        (lambda: after(FEW, garbage_sending), f"must answer WORDS within .* {GARBAGE}"),
        (lambda: in_rows(corrupt, 10**6), f"must answer WORDS within .* {SILENT}"),
        (lambda: in_rows(forged, 10**6), "a load must end with its check right, it failed 5 times"),
    ],
    ids=["silent", "sending garbage", "corrupt", "forged"],
)
def test_a_load_that_cannot_end_leaves_nothing_that_runs(
    library: Path,
    run: Callable[[str, FaultyBoard], int],
    capsys: pytest.CaptureFixture[str],
    line: str,
    rule: Callable[[], Rule],
    said: str,
) -> None:
    board = powered(library, rule())
    assert run(line, board) == 2
    (only,) = complaints(capsys.readouterr().err)
    assert only.startswith("error: board on ")
    assert re.search(said, only), only
    assert runs_nothing(board)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("rule", [silent, corrupt, forged])
def test_one_fault_in_a_load_costs_a_retry(
    library: Path,
    run: Callable[[str, FaultyBoard], int],
    tmp_path: Path,
    line: str,
    rule: Rule,
) -> None:
    board = powered(library, in_rows(rule, 1))
    assert run(line, board) == 0
    found = record(tmp_path)
    assert found["bit_exact"] is True
    assert found["retries"] >= 1
    assert (found["frame_errors"] > 0) == (rule is corrupt)
    begun = [frame.type for frame in board.asked].count(Request.BEGIN)
    assert begun == (2 if rule is forged else 1)


def test_a_load_that_the_board_does_not_hold_is_sent_again(library: Path) -> None:
    denied: list[Frame] = []

    def deny_the_first_load(frame: Frame) -> Reaction:
        if frame.type != Request.COMMIT or denied:
            return faithful(frame)
        denied.append(frame)
        answer = Frame(frame.sequence, frame.type | REPLY, bytes([Code.OK]))  # without LOADED
        return Reaction(to_host=answer.encode())

    board = powered(library, deny_the_first_load)
    link = BoardLink(board, PARAMETERS)
    link.load(NETWORK)
    assert link.retries == 1
    assert [frame.type for frame in board.asked].count(Request.BEGIN) == 2
    assert State.LOADED in link.status().state


def test_a_board_that_falls_silent_in_an_image(library: Path) -> None:
    link = BoardLink(powered(library, deaf_to_nudges), PARAMETERS, run_limit_s=0.001)
    link.load(NETWORK)
    inputs = np.zeros(PARAMETERS.input.size, np.int16)
    with pytest.raises(LinkError, match=f"must answer NUDGE within .* {SILENT}"):
        link.run(inputs, label=0)
    (result,) = link.run(inputs)
    assert result.summary["settled"]


def test_a_board_behind_a_serial_port_that_falls_silent_in_an_image(
    library: Path, run: Callable[[str, FaultyBoard], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("serial", powered(library, deaf_to_nudges)) == 2
    (only,) = complaints(capsys.readouterr().err)
    assert re.search(f"must answer NUDGE within .* {SILENT}", only), only


def test_ctrl_c_in_a_load_ends_it_and_the_next_deployment_works(
    library: Path,
    run: Callable[[str, FaultyBoard], int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def interrupt(_: Frame) -> Reaction:
        raise KeyboardInterrupt

    board = powered(library, after(FEW, interrupt))
    assert run("sim", board) == INTERRUPTED
    assert capsys.readouterr().err.split() == ["interrupted"]
    assert not (tmp_path / "out.json").exists()
    assert runs_nothing(board)
    assert run("sim", FaultyBoard(board.inner, faithful)) == 0
    assert record(tmp_path)["bit_exact"] is True


def test_a_real_ctrl_c_over_a_serial_port_leaves_nothing_that_runs(
    library: Path, tmp_path: Path
) -> None:
    process: subprocess.Popen[str] | None = None

    def interrupt(frame: Frame) -> Reaction:
        assert process is not None
        process.send_signal(signal.SIGINT)
        return faithful(frame)

    path = tmp_path / "network.safetensors"
    network.save(NETWORK, path)
    board = powered(library, after(FEW, interrupt))
    with Pseudoterminal(board) as terminal:
        arguments = ["--target", BOARD.name, "--network", str(path), "--port", terminal.port]
        process = subprocess.Popen(
            [sys.executable, "-c", _DEPLOY, *arguments], stderr=subprocess.PIPE, text=True
        )
        _, said = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == INTERRUPTED
    assert complaints(said) == ["interrupted"]
    assert runs_nothing(board)


INTERRUPTED = 130
_DEPLOY = """\
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the parent ignores
runpy.run_module("toreq_hw.deploy", run_name="__main__")
"""


def test_a_cable_that_is_pulled_in_a_load(
    library: Path, run: Callable[[str, FaultyBoard], int], capsys: pytest.CaptureFixture[str]
) -> None:
    terminals = []

    def pull(frame: Frame) -> Reaction:
        terminals[0].pull()
        return faithful(frame)

    board = powered(library, after(FEW, pull))
    with Pseudoterminal(board) as terminal:
        terminals.append(terminal)
        assert run(terminal.port, board) == 2
    (only,) = complaints(capsys.readouterr().err)
    assert only.startswith(f"error: port {terminal.port}: must stay connected, found: ")
    assert runs_nothing(board)


def test_a_port_that_another_program_holds(
    library: Path, run: Callable[[str, FaultyBoard], int], capsys: pytest.CaptureFixture[str]
) -> None:
    board = powered(library, faithful)
    with Pseudoterminal(board) as terminal:
        other = SerialTransport(terminal.port, BOARD.baud)
        assert run(terminal.port, board) == 2
        other.close()
        assert run(terminal.port, board) == 0
    said = f"error: port {terminal.port}: must be free, found: another program holds it"
    assert complaints(capsys.readouterr().err) == [said]


def test_what_is_done_is_told_as_it_is_done() -> None:
    told: list[tuple[str, int, int]] = []
    options = targets.Options(port="sim", watch=lambda *what: told.append(what))
    inputs = np.zeros((2, PARAMETERS.input.size), np.int16)
    samples = targets.Samples("none", "none", inputs, np.array([0, 1]))
    assert targets.get(BOARD.name).run(NETWORK, samples, options).passed
    compiling, *loads, first, last = told
    said = ("making the model of the board, unless it is kept from before", 0, 0)
    assert compiling == said
    assert (first, last) == (("images run", 1, 2), ("images run", 2, 2))
    done = [count for _, count, _ in loads]
    assert done == sorted(set(done))
    assert len(done) > 1
    assert {(what, total) for what, _, total in loads} == {("bytes loaded", done[-1])}
