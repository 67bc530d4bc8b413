"""docs/supported.md says which networks torch trains, and which leave as ONNX and QONNX."""

import pytest

from testbench.supported import ROWS, assert_as_stated
from toreq_hw.quant.onnx_loop import to_onnx
from toreq_hw.quant.qonnx_export import to_qonnx
from toreq_hw.quant.starting import layers_of


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_torch_and_onnx_take_what_the_table_says(row: tuple[str, str]) -> None:
    assert_as_stated(row, "torch training", layers_of)
    assert_as_stated(row, "ONNX", to_onnx)
    assert_as_stated(row, "QONNX", lambda network: to_qonnx(network, 3))
