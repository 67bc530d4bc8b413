"""The C host of one network on one board: constants, what the board must hold, the driver."""

from importlib.resources import files

from toreq_hw.boards.board import Board
from toreq_hw.boards.link.description import c_constants
from toreq_hw.boards.link.identity import Identity
from toreq_hw.boards.link.protocol import CRC_BYTES, HEADER_BYTES, VERSION
from toreq_hw.boards.link.requests import words
from toreq_hw.boards.link.results import result_bytes
from toreq_hw.boards.link.wire_format import states_bytes
from toreq_hw.network import Network
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import most_cycles

SOURCES = ("toreq_link.h", "toreq_link.c", "main.c", "Makefile")
"""Files that are the same for every network."""

_IDENTITY_BYTES = 17
"""Of an identity before the sizes of populations."""

_MOST_POPULATIONS = 255
_SLACK_MS = 1000
_SIMULATED_MS = 60_000
_COLUMNS = 16


def c_files(
    network: Network, parameters: CoreParameters, board: Board, *, simulated: bool = False
) -> dict[str, str]:
    """Texts by file name. simulated: the host waits as long as a simulated board may take.

    Raises NetworkError where `network` does not fit the core.
    """
    folder = files("toreq_hw.boards.link") / "c_host"
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in SOURCES}
    return texts | {
        "toreq_link_protocol.h": _protocol_header(),
        "toreq_network.h": _network_header(
            network, parameters, board, _SIMULATED_MS if simulated else _SLACK_MS
        ),
    }


def _protocol_header() -> str:
    lines = [f"/* Written by toreq-hw: constants of the link (docs/link.md), version {VERSION}. */"]
    lines += ["#ifndef TOREQ_LINK_PROTOCOL_H", "#define TOREQ_LINK_PROTOCOL_H", ""]
    constants = c_constants() | {"IDENTITY_BYTES": _IDENTITY_BYTES}
    lines += [f"#define TOREQ_LINK_{name:24} 0x{value:02x}u" for name, value in constants.items()]
    return "\n".join([*lines, "", "#endif"]) + "\n"


def _network_header(
    network: Network, parameters: CoreParameters, board: Board, slack_ms: int
) -> str:
    identity = Identity.of(parameters, board.clock_hz)
    answer = max(result_bytes(parameters, report=True), _IDENTITY_BYTES + 2 * _MOST_POPULATIONS)
    slices = parameters.slices * states_bytes(parameters)
    constants = {
        "INPUTS": parameters.input.size,
        "MAX_SWEEPS": parameters.max_sweeps,
        "BUFFER_BYTES": answer + 1 + HEADER_BYTES + CRC_BYTES,
        "SLICE_BYTES": states_bytes(parameters),
        "STATES_BYTES": slices,
        "UPDATE_LANES": parameters.update_lanes,
        "STATE_BITS": parameters.state_bits,
        "STATES_SIGNED": int(parameters.has_signed_states),
        "POPULATIONS": len(parameters.relaxing),
        "TIMEOUT_MS": slack_ms + most_cycles(parameters) * 1000 // board.clock_hz,
    }
    load = b"".join(
        len(part).to_bytes(2, "big") + part
        for part in words(network, parameters, identity.request_bytes)
    )
    populations = "\n".join(
        f"    {{{place.first_group * parameters.lanes}u, {place.size}u}},"
        for place in parameters.relaxing
    )
    return (
        f"/* Written by toreq-hw: network {network.sha256[:16]} on {board.name}. */\n"
        "#ifndef TOREQ_NETWORK_H\n#define TOREQ_NETWORK_H\n\n#include <stddef.h>\n"
        "#include <stdint.h>\n\n"
        + "".join(f"#define TOREQ_{name:16} {value}\n" for name, value in constants.items())
        + "\n/* What a board must say that it holds. */\n"
        f"static const uint8_t toreq_hardware[8] = {{{_bytes(identity.hardware)}}};\n\n"
        "/* Where each population begins among the neurons of all slices, in file order. */\n"
        "static const struct {\n  size_t first, neurons;\n"
        "} toreq_populations[TOREQ_POPULATIONS] = {\n"
        f"{populations}\n}};\n\n"
        "/* Payloads of WORDS, each behind its length. */\n"
        f"static const uint8_t toreq_load_image[{len(load)}] = {{\n{_rows(load)}\n}};\n\n#endif\n"
    )


def _rows(data: bytes) -> str:
    parts = (data[k : k + _COLUMNS] for k in range(0, len(data), _COLUMNS))
    return "\n".join(f"    {_bytes(part)}," for part in parts)


def _bytes(data: bytes) -> str:
    return ", ".join(f"0x{byte:02x}" for byte in data)
