"""Other people's tools: QONNX runs our graphs, we read what Brevitas writes."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from testbench.networks import random_case
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.quant.onnx_file import write_model
from toreq_hw.quant.onnx_import import read_onnx
from toreq_hw.quant.qonnx_export import to_qonnx

SWEEPS = 12


def carriable(seed: int) -> bool:
    network = random_case(seed, schedule=Schedule.PARITY).network
    try:
        to_qonnx(network, SWEEPS)
    except InputError:
        return False
    return True


def test_qonnx_computes_the_equilibrium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    # QONNX wraps each node in a model of the newest IR that onnx knows, which the installed
    # onnxruntime may not read yet.
    monkeypatch.setattr(onnx, "IR_VERSION", 10)
    settled = 0
    for seed in [s for s in range(20) if carriable(s)][:6]:
        case = random_case(seed, schedule=Schedule.PARITY, batch=3)
        file = tmp_path / f"{seed}.onnx"
        write_model(to_qonnx(case.network, SWEEPS), file)
        model = ModelWrapper(str(file)).transform(InferShapes())
        expected = sim.free_phase(case.network, case.inputs)
        for sample in range(len(case.inputs)):
            one = case.inputs[sample : sample + 1].astype(np.float32)
            found = execute_onnx(model, {"inputs": one})
            assert (found["moved"] == 0) == (expected.sweeps[sample] <= SWEEPS)
            if found["moved"] == 0:
                settled += 1
                assert found["class"][0] == expected.classes[sample]
                for name, states in expected.states.items():
                    assert np.array_equal(found[f"states.{name}"][0], states[sample])
    assert settled > 10


@pytest.mark.parametrize(
    ("schedule", "said"),
    [(Schedule.SYNCHRONOUS, "schedule must be"), (Schedule.SEQUENTIAL, "'hidden1-hidden1'")],
)
def test_qonnx_cannot_carry(schedule: Schedule, said: str) -> None:
    network = next(
        case.network
        for case in (random_case(s, schedule=schedule) for s in range(20))
        if "hidden1" in [p.name for p in case.network.populations]
    )
    with pytest.raises(InputError, match=said):
        to_qonnx(network, SWEEPS)


def brevitas_mlp() -> torch.nn.Module:
    from brevitas import nn
    from brevitas.quant import Int8WeightPerTensorFloat, Uint8ActPerTensorFloat

    torch.manual_seed(0)
    model = torch.nn.Sequential(
        nn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, bit_width=8),
        nn.QuantLinear(16, 12, bias=True, weight_quant=Int8WeightPerTensorFloat),
        torch.nn.BatchNorm1d(12),
        nn.QuantReLU(bit_width=4),
        nn.QuantLinear(12, 10, bias=True, weight_quant=Int8WeightPerTensorFloat),
    )
    model.train()(torch.rand(50, 16))
    return model.eval()


def test_both_of_brevitas_exports_give_the_same_starting_network(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's and brevitas' own exporters
        from brevitas.export import export_onnx_qcdq, export_qonnx

        model, example = brevitas_mlp(), torch.rand(1, 16)
        export_qonnx(model, example, str(tmp_path / "qonnx.onnx"), dynamo=False)
        export_onnx_qcdq(model, example, str(tmp_path / "qcdq.onnx"), dynamo=False)
    network, carried = read_onnx(tmp_path / "qonnx.onnx")
    other, _ = read_onnx(tmp_path / "qcdq.onnx")
    assert network.sha256 == other.sha256
    assert [(p.size, p.state_bits) for p in network.populations] == [(16, 8), (12, 4), (10, 4)]
    assert [c.exact for c in carried] == [False, False], "its scales are no powers of two"
    assert all(c.sqnr_db is not None and c.sqnr_db > 35 for c in carried)
