"""Tensors are written as the values they are, whatever their memory looks like."""

import ast
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from toreq_hw.tensor_file import tensor_bytes

ROOT = Path(__file__).parents[2]

TABLE = np.arange(24, dtype=np.float32).reshape(4, 6)

LAYOUTS = {
    "C order": TABLE,
    "Fortran order": np.asfortranarray(TABLE),
    "transposed": TABLE.T,
    "every other row": TABLE[::2],
    "every other column": TABLE[:, ::2],
    "columns reversed": TABLE[:, ::-1],
    "rows reversed": TABLE[::-1],
    "one row repeated": np.broadcast_to(TABLE[0], (3, 6)),
    "axes exchanged": TABLE.reshape(2, 3, 4).transpose(2, 0, 1),
    "big-endian": TABLE.astype(">f4"),
    "big-endian, Fortran order": np.asfortranarray(TABLE.astype(">i4")),
    "read-only": np.frombuffer(TABLE.tobytes(), np.float32),
    "a scalar": np.array(1.5),
    "empty": TABLE[:0].T,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_comes_back_as_the_same_values(layout: str) -> None:
    array = LAYOUTS[layout]
    back = load(tensor_bytes({"a": array}, {"said": "once"}))["a"]
    assert back.shape == array.shape
    assert back.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(back, array)


def test_nothing_else_writes_safetensors() -> None:
    """Any other call could be handed an array that safetensors 0.8 writes as garbage."""
    folders = ("toreq_hw", "sim", "quant", "rtl", "boards", "lava_backend", "reports", "examples")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 200
    found = [str(path.relative_to(ROOT)) for path in sources if _can_write(path)]
    assert found == ["toreq_hw/tensor_file.py"]


def _can_write(path: Path) -> bool:
    """Whether a source imports a writer of safetensors, or all of it under one name."""
    writers = {"save", "save_file", "serialize", "serialize_file", "numpy", "torch"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        names = (
            {a.name for a in node.names} if isinstance(node, ast.Import | ast.ImportFrom) else set()
        )
        if any(name.startswith("safetensors") for name in names):
            return True
        if module.startswith("safetensors") and names & writers:
            return True
    return False
