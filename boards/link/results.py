"""What a phase came to, out of the bytes of its reply."""

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.link.protocol import SAMPLE_BYTES, summary_bytes, summary_fields
from toreq_hw.boards.link.wire_format import states_bytes
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.reply import CoreReply


def result_bytes(parameters: CoreParameters, *, report: bool) -> int:
    """Bytes of a result, with or without states."""
    rows = parameters.slices * states_bytes(parameters) if report else 0
    return rows + summary_bytes(learns=parameters.learning is not None)


def result(data: bytes, parameters: CoreParameters) -> CoreReply:
    """The reply in `data`, which has states if it is longer than a summary.

    summary: the counters that the link brings, `settled` and `ticks`.
    """
    rows = len(data) - result_bytes(parameters, report=False)
    summary = _summary(data[rows:], parameters)
    return CoreReply(_states(data[:rows], parameters) if rows else None, summary)


def results(data: bytes, parameters: CoreParameters) -> tuple[CoreReply, ...]:
    """The replies of all commands of a sample, without states: nudges have no label, LEARN has
    cycles only.
    """
    replies, at = [], 0
    for length in SAMPLE_BYTES:
        replies.append(CoreReply(None, _summary(data[at : at + length], parameters)))
        at += length
    return tuple(replies)


def _summary(data: bytes, parameters: CoreParameters) -> dict[str, int]:
    """What `data`, the end of a result, says of a phase."""
    summary, end = {}, len(data)
    for name, bits in reversed(summary_fields(learns=parameters.learning is not None)):
        if end:
            summary[name] = int.from_bytes(data[end - bits // 8 : end], "big")
            end -= bits // 8
    if "sweeps" in summary:
        summary["ticks"] = summary["sweeps"] * parameters.sweep_ticks
    return summary


def _states(data: bytes, parameters: CoreParameters) -> npt.NDArray[np.int16]:
    """Unpacks slices of `update_lanes` fields, and drops the lanes that hold no neuron."""
    width = parameters.state_bits
    rows = np.frombuffer(data, np.uint8).reshape(-1, states_bytes(parameters))[:, ::-1]
    bits = np.unpackbits(rows, axis=1, bitorder="little")
    fields = bits[:, : parameters.update_lanes * width].reshape(-1, width)
    weights = 1 << np.arange(width)
    if parameters.has_signed_states:
        weights[-1] = -weights[-1]
    values = (fields @ weights).astype(np.int16)
    spans = [(s.first_group * parameters.lanes, s.size) for s in parameters.relaxing]
    return np.concatenate([values[first : first + size] for first, size in spans])
