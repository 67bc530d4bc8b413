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
    "quant/onnx_layers.py": "a layer of an ONNX file is transposed as the file says",
    "quant/state_dict.py": "torch stores layers as (out, in)",
    "quant/rules.py": "training on tensors has a chain of layers of its own",
    "rtl/images.py": "a memory of the core holds the rows of one direction, as its walk asks",
    "sim/baselines/feed_forward_training.py": "backpropagation through a chain of layers",
    "sim/learning/update_kernel.py": "compiled code knows populations by their numbers",
    "sim/perturbation/weight_damage.py": "bit lines of a damaged array are its columns",
    "sim/perturbation/reprogram.py": "biases follow the finer LSB of a converted network",
    "toreq_hw/commands/export.py": "the number of pixels is compared with the number of inputs",
}
"""File -> why it may."""


def sources() -> list[Path]:
    found = {
        path.resolve().relative_to(ROOT.resolve())
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    return sorted(path for path in found if not path.is_relative_to("toreq_hw/network"))


@pytest.mark.parametrize("logic", DIRECTION_LOGIC)
def test_direction_logic_stands_in_the_network_alone(logic: str) -> None:
    pattern = re.compile(DIRECTION_LOGIC[logic])
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1)
        if pattern.search(line) and str(path) not in ALLOWED
    ]
    assert not found, f"{logic}: use Network.projections\n" + "\n".join(found)


def test_every_exception_is_one() -> None:
    for path in ALLOWED:
        text = (ROOT / path).read_text("utf-8")
        assert any(re.search(pattern, text) for pattern in DIRECTION_LOGIC.values()), path


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
