"""The layer that every reader of a file goes through: what it bounds, and in which words."""

import gzip
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import save

from toreq_hw import reading
from toreq_hw.errors import InputError, NetworkFileError

LIMIT = 1 << 16


def refused(read: Callable[[], Any]) -> str:
    with pytest.raises(InputError) as caught:
        read()
    line = str(caught.value)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 600
    return line


def test_a_file_larger_than_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole: nothing of it lies on the disk
    message = refused(lambda: reading.read_bytes(path, LIMIT, InputError))
    assert message == f"{path}: file must be at most {LIMIT} bytes, not {1 << 40}"


def test_only_regular_files_are_read_and_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "a pipe"), (Path("/dev/zero"), "a device")):
        message = refused(lambda path=path: reading.read_bytes(path, LIMIT, InputError))
        assert message == f"{path}: must be a regular file, found {kind}"
    assert "must be readable, found: Is a directory" in refused(
        lambda: reading.read_bytes(tmp_path, LIMIT, InputError)
    )
    assert "must be readable, found: No such file" in refused(
        lambda: reading.read_bytes(tmp_path / "none", LIMIT, InputError)
    )
    assert "must be the name of a file" in refused(
        lambda: reading.read_bytes(Path("a\0b"), LIMIT, InputError)
    )


def test_a_byte_order_mark_is_dropped_and_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert reading.read_json(path, LIMIT, InputError) == {}
    path.write_bytes('{"a": 1}'.encode("utf-16"))
    assert "must be UTF-8 text, found byte 0xff at offset 0" in refused(
        lambda: reading.read_json(path, LIMIT, InputError)
    )


def test_what_gzip_unpacks_to_is_bounded() -> None:
    bomb = gzip.compress(gzip.compress(bytes(1 << 25)))  # twice packed
    inner = reading.unpack(bomb, 1 << 20, "bomb", InputError)
    message = refused(lambda: reading.unpack(inner, 1 << 20, "bomb", InputError))
    assert message == "bomb: must unpack to at most 1048576 bytes, found more"
    whole = gzip.compress(b"12") + gzip.compress(b"34")
    assert reading.unpack(whole, 4, "file", InputError) == b"1234"
    assert reading.unpack(b"1234", 4, "file", InputError) == b"1234"
    for damaged in (whole[:-1], whole[:12], whole + b"x", whole[:-5] + b"\0" + whole[-4:]):
        message = refused(lambda damaged=damaged: reading.unpack(damaged, 4, "f", InputError))
        assert message.startswith("f: must be a whole gzip file, found: ")


@pytest.mark.parametrize("depth", [33, 5_000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"]]]]":'])
def test_json_nested_too_deep_is_refused(opening: str, depth: int) -> None:
    closing = (
        opening.replace('"]]]]":', "")
        .replace('"a":', "")[::-1]
        .translate(str.maketrans("[{", "]}"))
    )
    times = depth // len(closing) + 1
    for text in (opening * times, opening * times + "1" + closing * times):
        message = refused(lambda text=text: reading.parse_json(text, "f", InputError))
        assert message.startswith("f: must nest at most 32 deep, found ")


def test_json_as_deep_as_allowed_and_brackets_in_strings_are_read() -> None:
    deep = "[" * 32 + "]" * 32
    reading.parse_json(deep, "f", InputError)
    text = json.dumps({"a": ["[" * 100 + '"\\' + "{" * 100] * 40})
    assert reading.parse_json(text, "f", InputError) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "the name 'a' twice in one object"),
        ("[NaN]", "the number NaN"),
        ("[-Infinity]", "the number -Infinity"),
        ("1" * 5000, "Exceeds the limit"),
        ("{", "Expecting property name"),
        ("", "Expecting value"),
    ],
)
def test_what_is_no_plain_json_is_refused(text: str, found: str) -> None:
    message = refused(lambda: reading.parse_json(text, "f", InputError))
    assert message.startswith(f"f: must be JSON, found: {found}")


def test_toml_nested_too_deep_is_refused() -> None:
    for text in (
        "a = " + "[" * 5000,
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "[" * 40 + "]" * 40,
        "a = " + "{b = " * 5000 + "1" + "}" * 5000,
        ".".join("a" * 20_000) + " = 1",
        "[" + " . ".join(["'a'"] * 5000) + "]",
    ):
        message = refused(lambda text=text: reading.parse_toml(text, "f", InputError))
        assert message.startswith("f: must nest at most 32 deep, found ")
    message = refused(lambda: reading.parse_toml("a = \n", "f", InputError))
    assert message.startswith("f: must be TOML, found: Invalid value")


def test_numbers_are_checked_for_type_and_range() -> None:
    for value in (True, 1.0, "1", None, 10**30, -1, np.int64(1), 6):
        message = refused(lambda value=value: reading.integer(value, 0, 5, "bit", InputError))
        assert message.startswith("bit must be a whole number in 0..5, found ")
    assert reading.integer(5, 0, 5, "bit", InputError) == 5
    for value in (True, "1", None, float("nan"), float("inf"), 10**400):
        message = refused(lambda value=value: reading.number(value, 0, 5, "level", InputError))
        assert message.startswith("level must be a finite number, found ")
    assert "level must be in 0..5, found 6" in refused(
        lambda: reading.number(6, 0, 5, "level", InputError)
    )
    assert reading.number(3, 0, 5, "level", InputError) == 3.0


def test_text_that_utf8_cannot_hold_is_no_text() -> None:
    for value in ("\ud800", 1, None, b"a"):
        message = refused(lambda value=value: reading.text(value, "name", InputError))
        assert message.startswith("name must be text, found ")


def test_what_an_error_shows_is_short_whatever_was_found() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    wide = ["x" * 1000] * 1000
    values = [deep, wide, "a\nb\x1b[31m" * 100, 10**100_000, {"k": deep}, "\ud800", b"\xff" * 999]
    for value in values:
        said = reading.shown(value)
        assert len(said) <= 60
        assert said.isascii()
        assert said.isprintable()


def test_fields_name_file_place_rule_and_finding() -> None:
    content = {"a": {"b": [{"c": 1}, {"c": True}]}, "rows": [[1, 2], [3]], "t": 2**70}
    fields = reading.Fields(content, "file.json", InputError)
    parts = fields.part("a").parts("b")
    assert parts[0].count("c") == 1
    for read, message in (
        (lambda: parts[1].count("c"), "field a.b[1].c must be a count, found True"),
        (lambda: fields.rows("rows", 2), "field rows[1] must be a list of 2, found [3]"),
        (lambda: fields.count("t"), f"field t must be a count, found {2**70}"),
        (lambda: fields.text("u"), "field u must be there, found a, rows, t"),
        (lambda: fields.only(["a", "t"]), "fields must be a, t, found 'rows'"),
        (lambda: fields.part("t"), f"field t must be an object, found {2**70}"),
        (lambda: reading.Fields([], "file.json", InputError), "must hold an object, found []"),
    ):
        assert refused(read) == f"file.json: {message}"


def test_tensors_of_every_kind_are_read_or_named() -> None:
    arrays: dict[str, npt.NDArray[Any]] = {
        "a": np.arange(6, dtype=np.int8).reshape(2, 3),
        "b": np.ones((0, 2), np.float64),
    }
    content = save(arrays, metadata={"k": "v"})
    found = reading.parse_tensors(content, "f", InputError)
    assert found.metadata == {"k": "v"}
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].flags.writeable

    half = header({"h": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}})
    values = reading.parse_tensors(half + bytes.fromhex("803f00c0"), "f", InputError).arrays["h"]
    assert values.dtype == np.float32
    assert values.tolist() == [1.0, -2.0]

    eighth = header({"h": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}) + b"\0"
    assert "tensor 'h' must have an element type of" in refused(
        lambda: reading.parse_tensors(eighth, "f", InputError)
    )
    for damaged in (b"", content[:20], content[:-1], struct.pack("<Q", 1 << 60), content[1:]):
        assert "f: must be a whole safetensors file" in refused(
            lambda damaged=damaged: reading.parse_tensors(damaged, "f", InputError)
        )
    with pytest.raises(NetworkFileError, match=r"tensor 'a' must be int8 of shape \(any, 2\)"):
        reading.checked_array(arrays, "a", np.int8, (None, 2), "f", NetworkFileError)


@pytest.mark.parametrize("shape", [[1] * 65, [0, 1 << 40, 1 << 40]])
@pytest.mark.parametrize(("kind", "size"), [("F32", 4), ("BF16", 2)])
def test_a_shape_that_no_array_has_is_refused(shape: list[int], kind: str, size: int) -> None:
    stated = size * int(0 not in shape)
    entry = {"dtype": kind, "shape": shape, "data_offsets": [0, stated]}
    content = header({"a": entry}) + bytes(stated)
    assert refused(lambda: reading.parse_tensors(content, "f", InputError)).startswith("f: ")


@pytest.mark.parametrize("order", ["True", "False"])
def test_an_npy_file_of_no_elements_with_huge_dimensions_is_refused(order: str) -> None:
    text = f"{{'descr': '<f8', 'fortran_order': {order}, 'shape': (0, {10**14}, {10**14}), }}\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
    message = refused(lambda: reading.parse_npy(content, "f", InputError))
    assert (
        message
        == f"f: must have a shape that NumPy holds, found 3 dimensions, the largest {10**14}"
    )


def header(entries: dict[str, Any]) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


def test_npy_files_hold_exactly_what_their_header_states(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    for array in (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3))):
        np.save(path, array)
        np.testing.assert_array_equal(reading.read_npy(path, LIMIT, InputError), array)
        whole = path.read_bytes()
        lie = whole.replace(b"(2, 3)", b"(9, 9)")
        for damaged in (
            whole[:-1],
            whole[:20],
            b"",
            lie,
            whole.replace(b"8'", b"9'"),
            whole.replace(b"2, 3", b"2 3 "),
        ):
            assert "f: must" in refused(
                lambda damaged=damaged: reading.parse_npy(damaged, "f", InputError)
            )
    np.save(path, np.array([{}]), allow_pickle=True)
    assert "must be a whole .npy file of numbers" in refused(
        lambda: reading.read_npy(path, LIMIT, InputError)
    )
