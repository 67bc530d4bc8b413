"""Runs an exported network on onnxruntime, on the CPU."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from toreq_hw.argument_types import named_type_errors
from toreq_hw.network import Network, check_states


@dataclass(frozen=True, eq=False)
class OnnxRun:
    """What a runtime computed. classes: int64 (batch,); states: int16 (batch, size) each;
    sweeps: int32 (batch,); status: uint8 (batch,).
    """

    classes: npt.NDArray[np.int64]
    states: dict[str, npt.NDArray[np.int16]]
    sweeps: npt.NDArray[np.int32]
    status: npt.NDArray[np.uint8]


@named_type_errors
class OnnxRunner:
    """A session with one exported network. threads: 0 leaves the choice to onnxruntime."""

    def __init__(self, model: onnx.ModelProto, network: Network, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._network = network
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, inputs: npt.ArrayLike) -> OnnxRun:
        """Free phase of inputs (batch, n_input), integers in the input's range.

        Raises InputError.
        """
        checked = check_states(self._network.input, inputs)
        names = [output.name for output in self._session.get_outputs()]
        found = dict(zip(names, self._session.run(names, {"inputs": checked}), strict=True))
        states = {p.name: found[f"states.{p.name}"] for p in self._network.relaxing}
        return OnnxRun(found["class"], states, found["sweeps"], found["status"])
