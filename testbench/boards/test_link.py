"""The host against a simulated board: what works, and what is said where it does not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.boards.faulty_board import FaultyBoard, Reaction, Rule, faithful
from testbench.boards.simulated_board import CLOCK_HZ, Example, differences, example
from testbench.fuzz.board import Script
from testbench.networks import random_case
from testbench.rtl.model import Model
from toreq_hw.boards.link import requests
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.identity import Identity
from toreq_hw.boards.link.protocol import REPLY, Code, Frame, Request, State
from toreq_hw.boards.link.transport import SerialTransport
from toreq_hw.errors import InputError, LinkError, NetworkError
from toreq_hw.network import Schedule
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import TimingModel, most_cycles


@pytest.fixture(scope="module")
def board() -> Example:
    return example()


def answering(answers: dict[int, bytes]) -> Rule:
    """Payloads in the board's place, by type of request."""

    def rule(frame: Frame) -> Reaction:
        if frame.type not in answers:
            return faithful(frame)
        answer = Frame(frame.sequence, frame.type | REPLY, answers[frame.type])
        return Reaction(to_host=answer.encode())

    return rule


def check_all(board: Example, link: BoardLink) -> None:
    for image, phases in enumerate(board.expected(board.network)):
        results = link.run(board.inputs[image], int(board.labels[image]))
        assert len(results) == 3
        assert differences(results, phases) == []


@pytest.mark.parametrize(("seed", "lanes"), [(6, 8), (11, 2)])
def test_a_loaded_board_says_what_the_simulator_says(seed: int, lanes: int) -> None:
    case = example(seed, lanes)
    with case.link() as link:
        link.load(case.network)
        check_all(case, link)
        assert link.retries == 0
        status = link.status()
        assert (status.faults, status.frame_errors, status.state) == (0, 0, State.LOADED)


@pytest.mark.parametrize("off", [0.98, 1.02])
def test_a_host_whose_clock_is_two_percent_off_is_understood(board: Example, off: float) -> None:
    with board.link(board.transport(sender_cycles=4 * off)) as link:
        link.load(board.network)
        check_all(board, link)
        assert link.retries == 0


def test_another_network_can_be_loaded_and_the_first_again(board: Example) -> None:
    with board.link() as link:
        for network in (board.network, board.other, board.network):
            link.load(network)
            results = link.run(board.inputs[0], int(board.labels[0]))
            assert differences(results, board.expected(network)[0]) == []


def test_inputs_in_several_frames_sparse_or_dense_without_states(board: Example) -> None:
    with board.link() as link:
        link.load(board.network)
        link.identity = Identity(**{**vars(link.identity), "request_bytes": 9})
        sparse = np.zeros_like(board.inputs[0])
        sparse[-1] = board.parameters.input.state_max
        for inputs in (board.inputs[0], sparse, np.zeros_like(sparse)):
            case = Example(**{**vars(board), "inputs": inputs[None], "labels": board.labels[:1]})
            expected = case.expected(board.network)[0]
            (result,) = link.run(inputs, report=False)
            assert result.states is None
            assert differences((result,), expected) == []
            assert differences(link.run(inputs), expected) == []


def test_a_board_that_was_switched_off_runs_nothing(board: Example) -> None:
    with board.link() as link:
        with pytest.raises(LinkError, match="a network must be loaded before an image is run"):
            link.run(board.inputs[0])
        link._is_loaded = True  # as if the power had failed after a load
        with pytest.raises(LinkError, match="must do IMAGE, it answered UNLOADED"):
            link.run(board.inputs[0])


def test_an_image_that_was_broken_off_is_forgotten(board: Example) -> None:
    with board.link() as link:
        link.load(board.network)
        room = link.identity.request_bytes
        first = requests.image(board.inputs[0], board.parameters, room, report=True)[0]
        link.exchange.ask(Request.IMAGE, bytes([first[0] & ~2]) + first[1:], 0)
        assert State.OPEN in link.status().state
        check_all(board, link)


def test_a_nudge_without_a_free_phase_or_with_a_wrong_label_is_refused(board: Example) -> None:
    with board.link() as link:
        link.load(board.network)

        def nudge(command: int, label: int) -> Code:
            payload = bytes([command, *label.to_bytes(2, "big")])
            return link.exchange.send(Request.NUDGE, payload)[0]

        assert nudge(Command.NUDGE_POSITIVE.value, 0) is Code.REFUSED
        link.run(board.inputs[0])
        assert nudge(Command.NUDGE_POSITIVE.value, board.parameters.classes) is Code.REFUSED
        assert nudge(Command.NUDGE_NEGATIVE.value, 0) is Code.REFUSED
        assert link.status().faults == 1 << Fault.COMMAND | 1 << Fault.LABEL
        assert State.FAULTS in link.status().state
        link.reset()
        assert link.status().faults == 0
        check_all(board, link)


def test_requests_that_make_no_sense_are_answered(board: Example) -> None:
    with board.link() as link:
        link.load(board.network)

        def ask(kind: int, payload: bytes = b"") -> Code:
            return link.exchange.send(kind, payload)[0]

        assert ask(8) is Code.UNKNOWN
        assert ask(Request.WORDS, bytes(5)) is Code.UNLOADED
        assert ask(Request.COMMIT, bytes(4)) is Code.UNLOADED
        assert ask(Request.IMAGE, b"\0") is Code.ORDER
        assert ask(Request.NUDGE, b"\1") is Code.LENGTH
        assert ask(Request.IMAGE, b"\1\0") is Code.LENGTH
        assert ask(Request.IMAGE, b"\3\0\1") is Code.LENGTH
        check_all(board, link)
        assert ask(Request.BEGIN) is Code.OK
        assert ask(Request.WORDS, bytes(3)) is Code.LENGTH
        assert ask(Request.WORDS, bytes(4)) is Code.ORDER
        assert ask(Request.BEGIN) is Code.OK
        assert ask(Request.WORDS, bytes(4)) is Code.LENGTH
        assert ask(Request.IMAGE, bytes(20)) is Code.UNLOADED


def test_an_image_ends_at_the_limit_on_sweeps() -> None:
    case = example(11, 2)
    limited = CoreParameters.of(case.network, 2, max_sweeps=1)
    with BoardLink(case.transport(), limited) as link:
        link.load(case.network)
        results = link.run(case.inputs[0], int(case.labels[0]))
        expected = Example(**{**vars(case), "parameters": limited}).expected(case.network)[0]
        assert differences(results, expected) == []
        assert results[0].summary["settled"] == 0


def test_bad_inputs_are_refused_before_anything_is_sent(board: Example) -> None:
    transport = FaultyBoard(board.transport(), faithful)
    with board.link(transport) as link:
        link.load(board.network)
        sent = len(transport.asked)
        size, placement = board.parameters.input.size, board.parameters.input
        high = np.full(size, placement.state_max + 1, np.int16)
        with pytest.raises(InputError, match=r"inputs: must have shape \(\d+,\), not"):
            link.run(np.zeros(size + 1, np.int16))
        for wrong in (high, high.astype(np.int32) + (1 << 16)):
            with pytest.raises(InputError, match="inputs: must be in"):
                link.run(wrong)
        for dtype in (np.float64, np.bool_):
            with pytest.raises(InputError, match="inputs: must be integers, not"):
                link.run(np.zeros(size, dtype))
        for label in (board.parameters.classes, -1, 1.0, True):
            with pytest.raises(InputError, match="label must be in"):
                link.run(board.inputs[0], label)  # type: ignore[arg-type]
        with pytest.raises(NetworkError, match="for this core"):
            link.load(random_case(12, schedule=Schedule.PARITY).network)
        assert len(transport.asked) == sent


def test_the_wrong_core_and_the_wrong_version_are_named(board: Example) -> None:
    with pytest.raises(LinkError, match=r"must hold the core of a .* with 2 lanes, found that"):
        BoardLink(board.transport(), CoreParameters.of(board.network, 2))
    with pytest.raises(LinkError, match="in other formats or with another threshold"):
        BoardLink(board.transport(), CoreParameters.of(board.network, 8, threshold=1))
    known = Identity.of(board.parameters, CLOCK_HZ)
    identity = known.encode()
    other = answering({Request.IDENTIFY: b"\0\1" + identity[1:]})
    cut = answering({Request.IDENTIFY: b"\0" + identity[:-1]})
    stopped = answering({Request.IDENTIFY: b"\0" + replace(known, clock_hz=9).encode()})
    with pytest.raises(LinkError, match="must name a clock of 1 MHz or more, found 9 Hz"):
        board.link(FaultyBoard(board.transport(), stopped))
    with pytest.raises(LinkError, match="must speak protocol version 2, found 1"):
        board.link(FaultyBoard(board.transport(), other))
    with pytest.raises(LinkError, match="identity must have its own length, found"):
        board.link(FaultyBoard(board.transport(), cut))


@pytest.mark.parametrize("threshold", [None, 1])
def test_no_phase_takes_longer_than_a_host_waits(threshold: int | None) -> None:
    nearest = 0.0
    for seed in range(12):
        schedule = Schedule.SEQUENTIAL if seed % 3 else Schedule.PARITY
        case = random_case(seed, schedule=schedule)
        parameters = CoreParameters.of(case.network, 4, max_sweeps=3, threshold=threshold)
        timing, limit = TimingModel(parameters), most_cycles(parameters)
        model = Model(case.network, parameters, 3, threshold or 0)
        for phases in model.phases(case.inputs, case.labels):
            for phase in phases:
                cycles = timing.cost(phase.for_timing(), report=True).cycles
                nearest = max(nearest, cycles / limit)
    assert 0.6 < nearest <= 1


def test_ctrl_c_in_a_load_leaves_an_unloaded_board(board: Example) -> None:
    def interrupt(done: int, total: int) -> None:
        assert 0 < done <= total
        raise KeyboardInterrupt

    inner = board.transport()
    link = board.link(inner)
    link.load(board.network)
    with pytest.raises(KeyboardInterrupt):
        link.load(board.network, interrupt)
    with pytest.raises(LinkError, match="a network must be loaded"):
        link.run(board.inputs[0])
    assert State.LOADED not in board.link(inner).status().state
    link.load(board.network)
    check_all(board, link)
    inner.close()


def test_ports_that_cannot_be_had(tmp_path: Path) -> None:
    import os

    with pytest.raises(LinkError, match="must be present, found: no such port"):
        SerialTransport(str(tmp_path / "ttyUSB7"), 115200)
    with pytest.raises(LinkError, match="must be a serial port, found"):
        SerialTransport(os.devnull, 115200)


def test_a_real_port_carries_the_same_bytes_and_is_held_alone() -> None:
    import os
    import pty

    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    port = SerialTransport(name, 115200)
    with pytest.raises(LinkError, match="must be free, found: another program holds it"):
        SerialTransport(name, 115200)
    port.write(b"\x7e\x00\xff")
    assert os.read(ours, 10) == b"\x7e\x00\xff"
    os.write(ours, bytes(range(256)))
    got = b""
    while len(got) < 256 and (part := port.read(1.0)):
        got += part
    assert got == bytes(range(256))
    assert port.read(0.01) == b""
    port.close()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("code", [Code.ORDER, Code.CHECK, Code.UNLOADED])
def test_a_board_that_lost_its_own_name_is_one_line(code: Code) -> None:
    """Nothing longer has begun that could begin again."""
    case = random_case(3, schedule=Schedule.PARITY, max_size=6)
    answer = Frame(1, Request.IDENTIFY | REPLY, bytes([code]))
    with pytest.raises(LinkError, match=f"must do IDENTIFY, it answered {code.name}"):
        BoardLink(Script(answer.encode()), CoreParameters.of(case.network, 2))
