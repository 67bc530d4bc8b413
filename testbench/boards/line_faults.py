"""What goes wrong with requests on their way to a board: rules for `FaultyBoard`."""

import random

from testbench.boards.faulty_board import Reaction, Rule, faithful
from toreq_hw.boards.link.protocol import FLAG, Frame, Request


def silent(_: Frame) -> Reaction:
    return Reaction()


def garbage_sending(_: Frame) -> Reaction:
    """Bytes as at a wrong baud rate; now and then they look like a frame."""
    return Reaction(to_host=bytes([FLAG, *random.Random(5).randbytes(40), FLAG]))


def flagless(_: Frame) -> Reaction:
    return Reaction(to_host=bytes(range(40)))


def corrupt(frame: Frame) -> Reaction:
    """One bit flips on the line, and the CRC notices."""
    sent = bytearray(frame.encode())
    sent[len(sent) // 2] ^= 1
    return Reaction(bytes(sent))


def forged(frame: Frame) -> Reaction:
    """A weight is another one, and the frame's CRC is that of the wrong frame."""
    payload = bytearray(frame.payload)
    payload[-1] ^= 1
    return Reaction(Frame(frame.sequence, frame.type, bytes(payload)).encode())


def after(count: int, then: Rule) -> Rule:
    """Faithful for the first `count` requests of a load."""
    seen = 0

    def rule(frame: Frame) -> Reaction:
        nonlocal seen
        seen += frame.type in (Request.BEGIN, Request.WORDS)
        return then(frame) if seen > count else faithful(frame)

    return rule


def in_rows(then: Rule, times: int) -> Rule:
    """`then` happens to the first `times` requests that carry rows."""
    left = times

    def rule(frame: Frame) -> Reaction:
        nonlocal left
        if frame.type != Request.WORDS or not left:
            return faithful(frame)
        left -= 1
        return then(frame)

    return rule


def deaf_to_nudges(frame: Frame) -> Reaction:
    return silent(frame) if frame.type == Request.NUDGE else faithful(frame)
