"""What goes over the link, as tables: docs/link.md, the C host and its header are made of these.

Numbers are those of boards/link/protocol.py, which gateware and Python host use.
"""

from dataclasses import dataclass

from toreq_hw.boards.link import protocol
from toreq_hw.boards.link.protocol import Code, ImageFlag, Request, State, requests_of


@dataclass(frozen=True)
class RequestRow:
    """One request. payload, answer: as docs/link.md says them; answers behind their status byte."""

    request: Request
    payload: str
    answer: str


REQUESTS = (
    RequestRow(Request.IDENTIFY, "-", "identity, below"),
    RequestRow(
        Request.STATUS,
        "-",
        "faults (1, below), wrong frames (1, stops at 255); *learns*: samples learned since COMMIT "
        "(1, modulo 256)",
    ),
    RequestRow(
        Request.RESET, "-", "-; ends an image, clears what STATUS counts, keeps what is loaded"
    ),
    RequestRow(Request.BEGIN, "-", "-; nothing is loaded from here on"),
    RequestRow(Request.WORDS, "space (1), address (3), then the rows of a load from there on", "-"),
    RequestRow(Request.COMMIT, f"check ({protocol.LOAD_CHECK_BYTES})", "-"),
    RequestRow(
        Request.IMAGE,
        "flags (1), limit on sweeps (2), then values",
        "with LAST: the result of the free phase",
    ),
    RequestRow(
        Request.NUDGE,
        "1 NUDGE_POSITIVE or 2 NUDGE_NEGATIVE, with REPORT (1), label (2)",
        "the result of that phase",
    ),
    RequestRow(
        Request.TRAIN,
        "flags (1), number of the sample (1), label (2), limit on sweeps (2), then values",
        "what its four commands came to",
    ),
    RequestRow(
        Request.READ,
        "length of the answer's payload (2), space (1), address (3)",
        "bytes of rows from there on",
    ),
    RequestRow(Request.SET, "space (1), address (3), then words of that space from there on", "-"),
)
"""In the order of their numbers."""

_SAID = {"settled": "flags (1: settled)", "input_events": "input events (2)"}
"""Fields of a result that docs/link.md does not call by their names."""


def requests_table() -> str:
    """The table of docs/link.md."""
    lines = ["| type | name | payload | answer after the status byte |", "|---|---|---|---|"]
    known = requests_of(learns=False)
    for row in REQUESTS:
        learns = "" if row.request in known else ", *learns*"
        lines.append(
            f"| {row.request.value} | {row.request.name}{learns} | {row.payload} | {row.answer} |"
        )
    return "\n".join(lines)


def codes_sentence() -> str:
    """The codes of the status byte, as docs/link.md lists them."""
    return ", ".join(f"{code.value} {code.name}" for code in Code)


def flags_sentence() -> str:
    """The flags of an image that a board which does not learn takes."""
    taken = (f for f in ImageFlag if f is not ImageFlag.PACKED)
    return ", ".join(f"{flag.value} {flag.name}" for flag in taken)


def result_sentence() -> str:
    """The fields of a result of a board that does not learn, with their bytes."""
    fields = protocol.SUMMARY_FIELDS
    return ", ".join(_SAID.get(name, f"{name} ({bits // 8})") for name, bits in fields)


def c_constants() -> dict[str, int]:
    """What the C host knows of the protocol, by the names of toreq_link_protocol.h."""
    offsets, offset = {}, 0
    for name, bits in protocol.SUMMARY_FIELDS:
        offsets[f"SUMMARY_{name.upper()}"] = offset
        offset += bits // 8
    return {
        "VERSION": protocol.VERSION,
        "FLAG": protocol.FLAG,
        "ESCAPE": protocol.ESCAPE,
        "FLIP": protocol.FLIP,
        "REPLY": protocol.REPLY,
        "HEADER_BYTES": protocol.HEADER_BYTES,
        "CRC_BYTES": protocol.CRC_BYTES,
        **{request.name: request.value for request in requests_of(learns=False)},
        **{f"CODE_{code.name}": code.value for code in Code},
        **{f"STATE_{state.name}": state.value for state in State},
        **{f"IMAGE_{flag.name}": flag.value for flag in ImageFlag if flag != ImageFlag.PACKED},
        "IMAGE_HEADER": protocol.IMAGE_HEADER,
        "NUDGE_HEADER": protocol.NUDGE_HEADER,
        "STATUS_BYTES": protocol.STATUS_BYTES,
        **offsets,
        "SUMMARY_BYTES": offset,
    }
