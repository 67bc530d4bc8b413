"""Only toreq_hw/network knows which end of a coupling is which, and what flows where."""

import re
from pathlib import Path

import pytest

from testbench.source_mutants import ROOT

FOLDERS = ("toreq_hw", "sim", "rtl", "quant", "lava_backend", "boards", "reports")

DIRECTION_LOGIC = {
    "which end a population is": (
        r"\.(pre|post)\)* *(==|!=)|(==|!=|\bin|\bis|\bnot) \(*\w+\.(pre|post)\b"
    ),
    "a transposed matrix": r"\bweights?(\[[^\]]*\])*\.T\b|\bweights?\.transpose\(",
    "how far a sum is shifted": r"fraction_bits(\([^)]*\)|\[[^]]*\])* - [\w.\[\]]*fraction_bits\b",
    "whether a population is the clamped input": (
        r"(==|!=|\bis|\bnot) (Role\.INPUT|(\w+\.)*(network|net|shape|blueprint)\.input(\.name)?\b)"
        r"|\.input(\.name)? *(==|!=)"
    ),
}

ALLOWED = {
    ("quant/onnx_layers.py", "* front.weight.T"): "ONNX layers are (in, out)",
    ("quant/onnx_layers.py", "weight = weight.T"): "an ONNX file says itself what is transposed",
    ("quant/state_dict.py", "weights[name].T"): "torch stores layers as (out, in)",
    ("quant/rules.py", "fraction_bits - layers.fraction_bits[index]"): "chains of tensors",
    ("rtl/images.py", "weight.T if walk.by_column"): "a memory's rows are as a walk asks",
    ("sim/baselines/feed_forward_training.py", "weights[index].T"): "backpropagation",
    ("sim/baselines/real_network.py", "@ weights.T"): "the adjoint goes against each direction",
    ("sim/baselines/real_network.py", "weights.T if projection.backward"): "real weights",
    ("sim/baselines/real_network.py", "- projection.fraction_bits"): "a scale of real sums",
    ("sim/learning/update_kernel.py", "self_coupling = synapses.pre"): "compiled: numbers only",
    ("sim/learning/update_kernel.py", "first = row + 1 if synapses"): "compiled: numbers only",
    ("sim/perturbation/reprogram.py", "<< (fraction_bits[p.name]"): "biases follow the finer LSB",
    ("toreq_hw/commands/export.py", "dataset.pixels != network.input.size"): "counts pixels",
}
"""File and piece of the only line of it -> why that line may."""


def sources() -> list[Path]:
    found = {
        path.resolve().relative_to(ROOT.resolve())
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    return sorted(path for path in found if not path.is_relative_to("toreq_hw/network"))


def is_allowed(path: Path, line: str) -> bool:
    return any(str(path) == file and piece in line for file, piece in ALLOWED)


@pytest.mark.parametrize("logic", DIRECTION_LOGIC)
def test_direction_logic_stands_in_the_network_alone(logic: str) -> None:
    pattern = re.compile(DIRECTION_LOGIC[logic])
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1)
        if pattern.search(line) and not is_allowed(path, line)
    ]
    assert not found, f"{logic}: use Network.projections\n" + "\n".join(found)


@pytest.mark.parametrize(("file", "piece"), ALLOWED)
def test_every_exception_is_one_line(file: str, piece: str) -> None:
    lines = [line for line in (ROOT / file).read_text("utf-8").splitlines() if piece in line]
    assert len(lines) == 1
    assert any(re.search(pattern, lines[0]) for pattern in DIRECTION_LOGIC.values())


@pytest.mark.parametrize(
    ("logic", "line"),
    [
        ("which end a population is", "if coupling.pre == name:"),
        ("which end a population is", "if name in (c.pre, c.post):"),
        ("which end a population is", "elif name != c.post:"),
        ("a transposed matrix", "rows = coupling.weight.T"),
        ("a transposed matrix", "self.weights[c.name][start:stop].T"),
        ("how far a sum is shifted", "total << (fraction_bits - coupling.fraction_bits)"),
        (
            "how far a sum is shifted",
            "x << network.accumulator_fraction_bits(name) - coupling.fraction_bits",
        ),
        ("whether a population is the clamped input", "if population.role is Role.INPUT:"),
        ("whether a population is the clamped input", "if c.pre == self.shape.input.name:"),
        ("whether a population is the clamped input", "if source is not network.input:"),
    ],
)
def test_what_the_patterns_find(logic: str, line: str) -> None:
    assert re.search(DIRECTION_LOGIC[logic], line)
