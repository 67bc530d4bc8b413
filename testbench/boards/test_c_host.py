"""The host in C: built with sanitizers, held against the simulator over the simulated board."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from testbench.boards.simulated_board import example
from testbench.patience import GENEROUS_S
from toreq_hw import data, sim
from toreq_hw.boards import icebreaker
from toreq_hw.boards.link import protocol
from toreq_hw.boards.link.c_files import c_files
from toreq_hw.boards.link.description import (
    REQUESTS,
    codes_sentence,
    flags_sentence,
    requests_table,
    result_sentence,
)
from toreq_hw.boards.link.protocol import FLAG, Code, ImageFlag, Request, State
from toreq_hw.commands.host import command
from toreq_hw.errors import InputError
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat, save

ROOT = Path(__file__).parents[2]
SANITIZED = "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
QUIET_CYCLES = 60_000
"""No phase of these networks takes as long."""

READ_PACKET = """
  static size_t left;
  unsigned char length[2];
  (void)timeout_ms;
  if (!left) {
    if (read(l->in, length, 1) != 1 || read(l->in, length + 1, 1) != 1) return -1;
    left = (size_t)length[0] << 8 | length[1];
    if (!left) return 0;
  }
  ssize_t count = read(l->in, data, left < size ? left : size);
  if (count <= 0) return -1;
  left -= (size_t)count;
  return (int)count;
"""
"""In place of a wait by the clock: what comes is behind its length, and length 0 is silence, which
follows an answer that is not whole. So no verdict depends on how busy the machine is."""

Line = Callable[[bytes], bytes]
"""What becomes of bytes on their way to the host."""


def built(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """The example's host. changes: texts of the files that are replaced."""
    texts = c_files(example().network, example().parameters, icebreaker.BOARD)
    start = texts["main.c"].index("  struct pollfd wait")
    end = texts["main.c"].index("}", texts["main.c"].index("ssize_t count"))
    texts["main.c"] = texts["main.c"][:start] + READ_PACKET + texts["main.c"][end:]
    for old, new in (changes or {}).items():
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    for name, text in texts.items():
        (folder / name).write_text(text)
    arguments = ["make", f"CFLAGS={SANITIZED}"]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "host"


def ran(host: Path, line: Line = lambda data: data) -> tuple[int, list[str]]:
    """Its exit status and what it said, with the board behind its standard input and output."""
    case, board = example(), example().transport()
    images = host.parent / "images.txt"
    images.write_text(
        "".join(
            f"{label} {' '.join(map(str, values))}\n"
            for label, values in zip(case.labels.tolist(), case.inputs.tolist(), strict=True)
        )
    )
    running = subprocess.Popen(
        [host, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"TOREQ_IMAGES": str(images)},
    )
    assert running.stdin is not None
    assert running.stdout is not None
    patience = threading.Timer(GENEROUS_S, running.kill)
    patience.start()
    while data := os.read(running.stdout.fileno(), 4096):
        board.write(data)
        if data[-1] != FLAG:
            continue
        answer = b""
        while byte := board.read(QUIET_CYCLES / board.clock_hz):
            answer += byte
        received = line(answer)
        whole = bool(answer) and received.endswith(answer)
        parts = [received] if whole else [received, b""] if received else [b""]
        running.stdin.write(b"".join(len(p).to_bytes(2, "big") + p for p in parts))
        running.stdin.flush()
    board.close()
    _, said = running.communicate()
    patience.cancel()
    return running.returncode, said.decode().splitlines()


def expected() -> list[str]:
    """What the host must say of every phase."""
    case = example()
    lines = []
    for phases in case.expected(case.network):
        for name, phase in zip(("free", "positive", "negative"), phases, strict=True):
            figures = [int(phase.settled), phase.label, phase.sweeps, len(phase.events)]
            figures += [len(phase.input_events), *np.asarray(phase.states).tolist()]
            lines.append(f"{name} {' '.join(map(str, figures))}")
    return lines


def test_the_c_host_gets_what_the_simulator_computes(tmp_path: Path) -> None:
    status, said = ran(built(tmp_path))
    assert status == 0, said
    assert said == [*expected(), "faults 0, wrong frames 0, retries 0"]


def test_broken_bytes_are_asked_for_again(tmp_path: Path) -> None:
    """Every fifth answer is broken: a byte flipped, cut short, or behind garbage."""
    count = 0

    def line(answer: bytes) -> bytes:
        nonlocal count
        count += 1
        if count % 5 or not answer:
            return answer
        middle = len(answer) // 2
        flipped = answer[:middle] + bytes([answer[middle] ^ 4]) + answer[middle + 1 :]
        return (flipped, answer[:middle], b"\x7d\x7e" * 9 + answer)[count // 5 % 3]

    status, said = ran(built(tmp_path), line)
    assert status == 0, said
    found = [text for text in said if text.startswith(("free", "positive", "negative"))]
    assert found == expected()
    assert not said[-1].endswith("retries 0")


@pytest.mark.parametrize(
    ("changes", "line", "error"),
    [
        ({}, lambda _: b"", "error -2: the board does not answer"),
        (
            {"toreq_hardware[8] = {0x": "toreq_hardware[8] = {1^0x"},
            lambda data: data,
            "error -5: the board holds another core",
        ),
        ({"0x1021u": "0x1023u"}, lambda data: data, "error -2: the board does not answer"),
    ],
    ids=["silent", "another core", "a wrong CRC"],
)
def test_what_cannot_work_is_told(
    tmp_path: Path, changes: dict[str, str], line: Line, error: str
) -> None:
    status, said = ran(built(tmp_path, changes), line)
    assert (status, len(said)) == (2, 1)
    assert said[0].startswith(error)


@pytest.mark.parametrize("size", [23, 24], ids=["any identity", "this identity"])
def test_a_buffer_too_small_is_told(tmp_path: Path, size: int) -> None:
    changes = {"static uint8_t buffer[TOREQ_BUFFER_BYTES]": f"static uint8_t buffer[{size}]"}
    status, said = ran(built(tmp_path, changes))
    assert (status, said[0][:33]) == (2, "error -6: the buffer is too small")


def test_page_header_and_python_agree() -> None:
    """One description: docs/link.md, the C header, and what gateware and Python host use."""
    page = (ROOT / "docs" / "link.md").read_text(encoding="utf-8")
    flat = " ".join(page.split())
    assert requests_table() in page
    assert [row.request for row in REQUESTS] == list(Request)
    for sentence in (codes_sentence(), flags_sentence(), result_sentence()):
        assert sentence in flat
    texts = c_files(example().network, example().parameters, icebreaker.BOARD)
    header = dict(re.findall(r"#define TOREQ_LINK_(\w+) +(0x\w+)u", texts["toreq_link_protocol.h"]))
    numbers = {name: int(value, 16) for name, value in header.items()}
    learning = (Request.TRAIN, Request.READ, Request.SET)
    wanted = {r.name: r.value for r in Request if r not in learning}
    wanted |= {f"CODE_{code.name}": code.value for code in Code}
    wanted |= {f"STATE_{state.name}": state.value for state in State}
    wanted |= {f"IMAGE_{f.name}": f.value for f in ImageFlag if f is not ImageFlag.PACKED}
    wanted |= {"FLAG": 0x7E, "ESCAPE": 0x7D, "FLIP": 0x20, "VERSION": protocol.VERSION}
    assert wanted.items() <= numbers.items()
    assert numbers["SUMMARY_BYTES"] == protocol.summary_bytes(learns=False)


def test_the_command_writes_a_host_that_compiles(tmp_path: Path) -> None:
    save(example().network, tmp_path / "network.safetensors")
    out = tmp_path / "host"
    arguments = [str(tmp_path / "network.safetensors"), "--out", str(out)]
    refused = CliRunner().invoke(command, arguments).exception
    assert isinstance(refused, InputError)
    assert not out.exists()
    done = CliRunner().invoke(command, [*arguments, "--board", "icebreaker"])
    assert done.exit_code == 0, done.output
    assert subprocess.run(["make"], cwd=out, check=False, capture_output=True).returncode == 0
    assert (out / "host").exists()
    again = [*arguments, "--board", "icebreaker"]
    assert CliRunner().invoke(command, again).exit_code == 0  # nobody has changed a file
    (out / "main.c").write_text("/* mine */")
    kept = CliRunner().invoke(command, again).exception
    assert "main.c: must be a new file or one that an export wrote, found a changed" in str(kept)
    assert (out / "main.c").read_text() == "/* mine */"
    assert CliRunner().invoke(command, [*again, "--overwrite"]).exit_code == 0
    assert (out / "main.c").read_text() != "/* mine */"


def test_main_runs_unchanged_against_a_board_that_the_command_serves(tmp_path: Path) -> None:
    """Behind a pseudoterminal, as behind a serial port; twice, as the port stays."""
    path, out = tmp_path / "network.safetensors", tmp_path / "host"
    net = digits_network()
    save(net, path)
    words = ["host", str(path), "--board", "icebreaker", "--lanes", "2", "--serve"]
    serving = subprocess.Popen(
        [sys.executable, "-m", "toreq_hw", *words, "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    patience = threading.Timer(GENEROUS_S, serving.kill)
    patience.start()
    assert serving.stdout is not None
    lines = iter(serving.stdout.readline, "")
    port = next(line.split()[2].rstrip(";") for line in lines if line.startswith("serving at"))
    assert subprocess.run(["make"], cwd=out, check=False, capture_output=True).returncode == 0
    images = {"TOREQ_IMAGES": str(out / "images.txt")}
    for _ in range(2):
        done = subprocess.run(
            [out / "host", port],
            env=os.environ | images,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr.count("\n")) == (0, 31), done.stderr
        found = [line.split() for line in done.stderr.splitlines() if line.startswith("free")]
        digits = data.load("digits", net.encoding)
        inputs = data.input_states(net, digits.test.images[:10], digits.pixel_max)
        wanted = sim.relax(net, inputs)
        assert [int(words[2]) for words in found] == wanted.classes.tolist()
        states = wanted.states["output"].tolist()
        assert [[int(word) for word in words[-10:]] for words in found] == states
    serving.send_signal(signal.SIGINT)
    assert serving.wait() == 130
    serving.stdout.close()
    patience.cancel()


def digits_network() -> Network:
    rng = np.random.default_rng(1)
    populations = (Population("input", 64, Role.INPUT), Population("output", 10, Role.OUTPUT, 4))
    weight = rng.integers(-1, 2, (64, 10)).astype(np.int8)
    coupling = DenseCoupling("input", "output", weight, 3, WeightFormat.TERNARY)
    return Network(populations, (coupling,), {})
