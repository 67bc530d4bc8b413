"""Runs an exported network on onnxruntime, on the CPU."""

import numpy.typing as npt
import onnx
import onnxruntime

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.phases import Phase
from toreq_hw.contract.results import NOT_COUNTED, PhaseResult
from toreq_hw.network import Network, check_states


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

    def __call__(self, inputs: npt.ArrayLike) -> PhaseResult:
        """Free phase of inputs (batch, n_input), integers in the input's range.

        Raises InputError.
        """
        checked = check_states(self._network.input, inputs)
        names = [output.name for output in self._session.get_outputs()]
        found = dict(zip(names, self._session.run(names, {"inputs": checked}), strict=True))
        states = {p.name: found[f"states.{p.name}"] for p in self._network.relaxing}
        return PhaseResult(
            network=self._network,
            phase=Phase.FREE,
            states=states,
            sweeps=found["sweeps"],
            status=found["status"],
            own_classes=found["class"],
            readout=found.get("readout", NOT_COUNTED),
        )
