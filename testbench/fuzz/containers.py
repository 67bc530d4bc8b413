"""Changes inside of containers: safetensors headers, lines of JSON, gzip, frames, ONNX."""

import gzip
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from safetensors.numpy import save

from testbench.fuzz.mutations import mutated
from testbench.fuzz.trees import dumped, mutated_json, mutated_tree


def in_safetensors(rng: Random, content: bytes) -> bytes:
    """A header that still has its length: its entries, or the JSON in its metadata, changed."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    data = content[8 + length :]
    entries = header.get("__metadata__") or {}
    if entries and rng.random() < 0.6:
        name = rng.choice(sorted(entries))
        entries[name] = mutated_json(rng, entries[name])
    elif rng.random() < 0.3:
        data = mutated(rng, data, [data])
        data = (data + bytes(length + len(content)))[: len(content) - 8 - length]
    else:
        mutated_tree(rng, header)
    text = dumped(header).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text)) + text + data


def in_checkpoint(rng: Random, content: bytes) -> bytes:
    """As in any safetensors file; mostly with the hash that belongs to the changed content."""
    from toreq_hw.errors import ToreqError
    from toreq_hw.reading import parse_json, parse_tensors
    from toreq_hw.sim.learning.checkpoint import _content_hash

    changed = in_safetensors(rng, content)
    if rng.random() < 0.1:
        return changed
    try:
        found = parse_tensors(changed, "", ToreqError)
        record = parse_json(found.metadata["training"], "", ToreqError)
        record.pop("sha256")
        record["sha256"] = _content_hash(record, found.arrays)
    except (ToreqError, LookupError, TypeError, AttributeError, ValueError):
        return changed
    return bytes(save(found.arrays, metadata={"training": json.dumps(record)}))


def in_json(rng: Random, content: bytes) -> bytes:
    """JSON that is still JSON."""
    mark = b"\xef\xbb\xbf" if rng.random() < 0.02 else b""
    return mark + mutated_json(rng, content).encode()


def in_lines(rng: Random, content: bytes) -> bytes:
    """One line of JSON changed, or lines in another order, twice, or cut."""
    lines = content.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    if rng.random() < 0.7:
        lines[at] = mutated_json(rng, lines[at]).encode() + b"\n"
    else:
        lines.insert(rng.randrange(len(lines) + 1), lines[at][: rng.choice((5, 1000))])
    return b"".join(lines)


def in_gzip(rng: Random, content: bytes) -> bytes:
    """What is packed is changed, and packed again."""
    inner = gzip.decompress(content)
    return gzip.compress(mutated(rng, inner, [inner]), compresslevel=1, mtime=0)


def in_frames(rng: Random, content: bytes) -> bytes:
    """One frame with other fields, its check right again."""
    from toreq_hw.boards.link.protocol import FLAG, Frame

    frames = [Frame.decode(part) for part in content.split(bytes([FLAG])) if part]
    at = rng.randrange(len(frames))
    old = frames[at]
    payload = old.payload
    if rng.random() < 0.7:
        payload = mutated(rng, payload, [frame.payload for frame in frames])[:60_000]
    if rng.random() < 0.2:
        payload = bytes([rng.randrange(256)]) + payload[1:]
    sequence = old.sequence if rng.random() < 0.9 else rng.randrange(256)
    kind = old.type if rng.random() < 0.9 else rng.randrange(256)
    frames[at] = Frame(sequence, kind, payload)
    if rng.random() < 0.2:
        frames.insert(rng.randrange(len(frames)), rng.choice(frames))
    return b"".join(frame.encode() for frame in frames)


def in_onnx(rng: Random, content: bytes) -> bytes:
    """A model with one to three fields of its messages changed."""
    import onnx

    model = onnx.ModelProto()
    model.ParseFromString(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        found = list(_fields(model))
        message, field, value = rng.choice(found)
        _change_field(rng, message, field, value)
    return bytes(model.SerializeToString())


def _fields(model: Any) -> list[tuple[Any, Any, Any]]:
    found = []
    waiting = [model]
    while waiting:
        message = waiting.pop()
        for field, value in message.ListFields():
            found.append((message, field, value))
            if field.type == field.TYPE_MESSAGE:
                waiting.extend([value] if hasattr(value, "ListFields") else value)
    return found


def _change_field(rng: Random, message: Any, field: Any, value: Any) -> None:
    kind = rng.random()
    repeated = hasattr(value, "__len__") and not isinstance(value, str | bytes)
    if kind < 0.2:
        message.ClearField(field.name)
    elif repeated and kind < 0.45:
        at = rng.randrange(len(value))
        items = [*value[:at], *value[at + 1 :]] if kind < 0.35 else [*value, value[at]]
        message.ClearField(field.name)
        getattr(message, field.name).extend(items)
    elif repeated and field.type != field.TYPE_MESSAGE:
        with suppress(ValueError):
            value[rng.randrange(len(value))] = _scalar(rng, value[0])
    elif not repeated and field.type != field.TYPE_MESSAGE:
        with suppress(ValueError):  # no such number in an enumeration
            setattr(message, field.name, _scalar(rng, value))


def _scalar(rng: Random, value: Any) -> Any:
    if isinstance(value, bytes):
        return mutated(rng, value, [value])
    if isinstance(value, str):
        return rng.choice(("", value + "x", value[:-1], "Relu", "weight", "x" * 300))
    if isinstance(value, float):
        return rng.choice((0.0, -value, float("nan"), float("inf"), 1e-38, 1e38))
    return rng.choice((0, 1, 2, 3, 7, 16, 21, value + 1, max(value - 1, 0), (1 << 31) - 1))


Inside = Callable[[Random, bytes], bytes]
