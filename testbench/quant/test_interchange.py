"""Other people's tools: QONNX runs our graphs."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from testbench.networks import random_case
from testbench.shifted_networks import narrow_case
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.quant.onnx_file import write_model
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
    seeds = [s for s in range(20) if carriable(s)][:6]
    drawn = [random_case(seed, schedule=Schedule.PARITY, batch=3) for seed in seeds]
    for number, case in enumerate([*drawn, narrow_case(2)]):
        file = tmp_path / f"{number}.onnx"
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
