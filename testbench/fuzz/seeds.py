"""Valid files of every kind, small, the same in every run."""

import gzip
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from testbench.networks import random_case
from testbench.robustness.random_maps import random_rows
from testbench.structured import structured_case
from toreq_hw import network
from toreq_hw.lava_backend.mapper import chip
from toreq_hw.network import Schedule, WeightFormat
from toreq_hw.sim.campaign.trial import MAX_BIN, Trial
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.perturbation.fault_map import FaultMap

CASE = random_case(3, schedule=Schedule.PARITY, max_size=6, batch=2)
"""The network of fault maps, frames and chips: file readers need one to read for."""

SMALL = network.layered((3, 2), WeightFormat.TERNARY, (2,))
"""Chips are read to map a network onto them: a small one, because placing takes time."""

SCHEDULES = tuple(Schedule)


def _write(folder: Path, write: Callable[[Path], Any]) -> bytes:
    path = folder / "seed"
    write(path)
    return path.read_bytes()


def networks(folder: Path) -> list[bytes]:
    """Files of every schedule, with and without hash."""
    found = []
    for seed, schedule in enumerate(SCHEDULES * 2):
        net = random_case(seed, schedule=schedule, max_size=6, skips=True).network
        found.append(_write(folder, lambda path, net=net: network.save(net, path)))
    for seed in range(6):
        net = structured_case(seed).network
        found.append(_write(folder, lambda path, net=net: network.save(net, path)))
    return [*found, *map(without_hash, found)]


def descriptions(_: Path) -> list[bytes]:
    """Networks in a few words, with every word and every setting."""
    return [text.encode() for text in _DESCRIPTIONS]


_DESCRIPTIONS = (
    """input = "6x6x1"
layers = ["conv 2 3x3 stride 2 pad 1", "average 2", "conv 3 1x1", "sum 1", "dense 3"]
weights = "ternary"
fraction_bits = [1, 1, 2]
biases = "neuron"
seed = 3
""",
    """input = "8"
layers = ["random 6 density .5", "block 4 blocks 2", "ring 5 reach 2", "dense 2"]
skips = [{from = 0, to = 2, fraction_bits = 5}]
feedback_shifts = [0, 0, 1, 0]
""",
    """input = "9"
layers = ["lattice 2x2x2", "dense 2"]
state_bits = 4
input_bits = 3
signed = true
schedule = "sequential"
beta_shift = 2
readout = {kind = "clamped", temperature = [4, 1], normalisation = "softmax"}
""",
)


def without_hash(content: bytes) -> bytes:
    """A network file without its hash: changes get past it to the checks behind."""
    from safetensors.numpy import load, save

    length = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["network"])
    header.pop("sha256", None)
    return bytes(save(load(content), metadata={"network": json.dumps(header)}))


def checkpoints(folder: Path) -> list[bytes]:
    """A training at its beginning, on a chain and on a loop."""
    found = []
    for schedule in (Schedule.PARITY, Schedule.SEQUENTIAL):
        net = random_case(5, schedule=schedule, max_size=5).network
        net = network.Network(net.populations, net.couplings, {}, net.schedule, net.beta_shift)
        trainer = Trainer(net, Rule(), 1)
        found.append(
            _write(folder, lambda path, t=trainer: checkpoint.save(t, path, {"epochs": 3}))
        )
    return found


def float_models(_: Path) -> list[bytes]:
    """Our own, and a state_dict."""
    from safetensors.numpy import save

    rng = np.random.default_rng(1)
    own = {
        "input-hidden.weight": rng.normal(size=(4, 3)).astype(np.float32),
        "hidden-output.weight": rng.normal(size=(3, 2)).astype(np.float32),
        "hidden.bias": np.zeros(3, np.float32),
    }
    torch_like = {
        "0.weight": rng.normal(size=(3, 4)).astype(np.float32),
        "0.bias": np.zeros(3, np.float32),
        "2.weight": rng.normal(size=(2, 3)).astype(np.float16),
        "2.bias": np.zeros(2, np.float64),
    }
    return [bytes(save(own)), bytes(save(torch_like))]


def float_graphs(_: Path) -> list[bytes]:
    """MLPs of Gemm and of MatMul, with what may stand between."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(2)
    first, second = (rng.normal(size=s).astype(np.float32) for s in ((4, 3), (3, 2)))
    constants = [
        numpy_helper.from_array(first, "w0"),
        numpy_helper.from_array(np.zeros(3, np.float32), "b0"),
        numpy_helper.from_array(second, "w1"),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n])
        for name, n in (("x", 4), ("y", 2))
    ]
    gemm = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["h"], "first"),
        helper.make_node("Relu", ["h"], ["r"], "relu"),
        helper.make_node("MatMul", ["r", "w1"], ["z"], "second"),
        helper.make_node("Softmax", ["z"], ["y"], "softmax"),
    ]
    added = [
        helper.make_node("MatMul", ["x", "w0"], ["m"], "first"),
        helper.make_node("Add", ["m", "b0"], ["h"], "bias"),
        *gemm[1:2],
        helper.make_node("MatMul", ["r", "w1"], ["y"], "second"),
    ]
    return [
        helper.make_model(
            helper.make_graph(nodes, "mlp", ends[:1], ends[1:], constants),
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=8,
        ).SerializeToString()
        for nodes in (gemm, added)
    ]


def quantised_graphs(_: Path) -> list[bytes]:
    """Exports of a network, for onnxruntime and for QONNX's executor; quantised MLPs of others."""
    from testbench.quant.random_graphs import random_graph
    from toreq_hw.quant.onnx_loop import to_onnx
    from toreq_hw.quant.qonnx_export import to_qonnx

    return [
        to_onnx(CASE.network).SerializeToString(),
        to_qonnx(CASE.network, 5).SerializeToString(),
        *(random_graph(seed).model.SerializeToString() for seed in range(12)),
    ]


def chips(_: Path) -> list[bytes]:
    """The two that come with the project."""
    return [(chip._FOLDER / f"{name}.toml").read_bytes() for name in chip.CHIPS]


def fault_maps(folder: Path) -> list[bytes]:
    """Maps of `CASE`, with every kind of row."""
    samples = len(CASE.inputs)
    found = []
    for seed in range(12):
        rows: dict[str, Any] = random_rows(seed, CASE.network, samples)
        one = FaultMap(CASE.network.sha256, samples, **rows)
        found.append(_write(folder, one.save))
    return found


def idx_arrays(_: Path) -> list[bytes]:
    """Images and labels."""
    images = np.arange(48, dtype=np.uint8)
    header = bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4])
    return [header + images.tobytes(), bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 1, 9])]


def tables(_: Path) -> list[bytes]:
    """With names of columns and without."""
    named = "age;class;pay\n" + "".join(
        f"{20 + n};{'no' if n % 2 else 'yes'};{n / 4}\n" for n in range(12)
    )
    return [named.encode(), b"column1,y\n" + b"3,0\n4,1\n" * 6]


def archives(folder: Path) -> list[bytes]:
    """Arrays by their names, with test samples and without; packed and not."""
    path = folder / "x.npz"
    np.savez(path, x=np.arange(24.0).reshape(12, 2), y=np.arange(12) % 3)
    plain = path.read_bytes()
    images = np.arange(72, dtype=np.uint8).reshape(6, 3, 4)
    labels = np.array(["cat", "dog"] * 3)
    np.savez_compressed(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return [plain, path.read_bytes()]


def packed_arrays(folder: Path) -> list[bytes]:
    """The same, packed; one in two parts."""
    plain = idx_arrays(folder)
    return [
        *(gzip.compress(content, mtime=0) for content in plain),
        gzip.compress(plain[0][:9], mtime=0) + gzip.compress(plain[0][9:], mtime=0),
    ]


FUZZED_LEDGER = {"ledger": 2, "study": "fuzz", "shared": {}}
"""The first line of a ledger that nothing is shared in."""


def ledgers(_: Path) -> list[bytes]:
    """Finished trials, a line each."""
    sweeps = (*(0,) * (MAX_BIN - 2), 3, 1)
    trials = [
        Trial(0.1 * k, k, 4, 0.75, 3, 2, 0.125, sweeps, 2.5, 0, 11.5, None if k else 0.5)
        for k in range(3)
    ]
    runs = [{"run": {"trial": t.trial}, "row": asdict(t)} for t in trials]
    return ["".join(json.dumps(line) + "\n" for line in (FUZZED_LEDGER, *runs)).encode()]


def frames(_: Path) -> list[bytes]:
    """What a board says to a host that identifies, asks, resets, loads and runs an image."""
    from testbench.fuzz.board import script

    return [script(CASE)]
