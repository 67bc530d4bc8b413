"""The optional SHA-1 of a file beside an ONNX file: read once, and only where not too large."""

import hashlib
import os
from pathlib import Path

import onnx
import pytest

from testbench.quant.test_onnx_files import DATA, beside, file, refusal, tensor
from toreq_hw.quant.onnx_file import MAX_FILE_BYTES
from toreq_hw.quant.onnx_import import read_onnx

__all__ = ["file"]


def summed(file: Path) -> onnx.ModelProto:
    """A model whose every tensor beside it has the right checksum."""
    found = beside(file)
    right = hashlib.sha1((file.parent / DATA).read_bytes()).hexdigest()
    for one in found.graph.initializer:
        if one.external_data:
            one.external_data.add(key="checksum", value=right.upper())
    file.write_bytes(found.SerializeToString())
    return found


def test_a_file_is_summed_once_for_all_its_tensors(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = summed(file)
    assert sum(bool(one.external_data) for one in found.graph.initializer) > 1
    honest, count = hashlib.file_digest, []
    monkeypatch.setattr(hashlib, "file_digest", lambda *a: count.append(a) or honest(*a))
    read_onnx(file)
    assert len(count) == 1


def test_a_file_that_is_too_large_is_not_summed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = summed(file)
    os.truncate(file.parent / DATA, MAX_FILE_BYTES + 1)  # a hole: it takes no room on the disk
    monkeypatch.setattr(hashlib, "file_digest", None)
    said = f"must lie in a file of at most {MAX_FILE_BYTES} bytes, found {MAX_FILE_BYTES + 1}"
    assert said in refusal(file, found)
    assert "with a checksum" in refusal(file, found)


def test_a_large_file_without_a_checksum_is_read(file: Path) -> None:
    beside(file)
    os.truncate(file.parent / DATA, MAX_FILE_BYTES + 1)
    read_onnx(file)


def test_the_sum_is_of_the_whole_file(file: Path) -> None:
    found = summed(file)
    data = file.parent / DATA
    data.write_bytes(data.read_bytes() + b"\0")
    assert "must have the SHA-1" in refusal(file, found)
    assert tensor(found, "W").external_data
