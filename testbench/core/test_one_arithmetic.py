"""Rounding halves, wraps, flips, shifts and phases are written once, in the contract and network.

Each rule looks at the syntax of every source of the package. It is shown by an example that it
finds, and finds nothing elsewhere. What the bench computes by itself (testbench/) is no part of it.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbench.source_mutants import ROOT

HOMES = ("toreq_hw/contract/", "toreq_hw/network/")
FOLDERS = ("toreq_hw", "sim", "rtl", "quant", "lava_backend", "boards", "reports")


def is_one(node: ast.AST) -> bool:
    """1, or 1 in a type such as np.int64(1)."""
    if isinstance(node, ast.Call) and len(node.args) == 1:
        return is_one(node.args[0])
    return isinstance(node, ast.Constant) and node.value == 1


def binary(node: ast.AST, operator: type[ast.operator]) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, operator):
        return node.left, node.right
    return None


def is_half(node: ast.AST) -> bool:
    """(1 << bits) >> 1, (1 << bits) // 2, 2 ** (bits - 1)."""
    for operator in (ast.RShift, ast.FloorDiv):
        halved = binary(node, operator)
        power = binary(halved[0], ast.LShift) if halved else None
        if power and is_one(power[0]):
            return True
    raised = binary(node, ast.Pow)
    less = binary(raised[1], ast.Sub) if raised else None
    return less is not None and is_one(less[1])


def is_wrap(node: ast.AST) -> bool:
    """(x + half range) & mask or % range, both minus half the range; int32 read as int64; or
    `word - range if word >= sign else word`.
    """
    less = binary(node, ast.Sub)
    for operator in (ast.BitAnd, ast.Mod):
        masked = binary(less[0], operator) if less else None
        if masked and binary(masked[0], ast.Add):
            return True
    if isinstance(node, ast.IfExp) and isinstance(node.orelse, ast.Name):
        folded = binary(node.body, ast.Sub)
        return folded is not None and ast.dump(folded[0]) == ast.dump(node.orelse)
    return _cast(node, "int64") and _cast(node.func.value, "int32")  # type: ignore[attr-defined]


def _cast(node: ast.AST, name: str) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr == "astype" and any(ast.unparse(a) == f"np.{name}" for a in node.args)


def is_flip(node: ast.AST) -> bool:
    """(word ^ mask) & whole word."""
    masked = binary(node, ast.BitAnd)
    return masked is not None and binary(masked[0], ast.BitXor) is not None


def is_shift(node: ast.AST) -> bool:
    """<< (F - coupling.fraction_bits), or that difference called a shift."""
    shifted = binary(node, ast.LShift)
    wanted = shifted[1] if shifted else None
    if isinstance(node, ast.Assign) and "shift" in ast.unparse(node.targets[0]):
        wanted = node.value
    less = binary(wanted, ast.Sub) if wanted else None
    return less is not None and ast.unparse(less[1]).endswith(".fraction_bits")


def is_phases(node: ast.AST) -> bool:
    """The three phases listed."""
    if not isinstance(node, ast.Tuple | ast.List):
        return False
    names = [ast.unparse(part).strip("'").lower() for part in node.elts]
    bare = [name.split(".")[-1] for name in names if not name.startswith("self.")]
    return bare == ["free", "positive", "negative"]


RULES: dict[str, tuple[Callable[[ast.AST], bool], tuple[str, ...]]] = {
    "rounding half": (
        is_half,
        ("half = (1 << bits) >> 1", "half = (np.int64(1) << bits) >> 1", "half = 2 ** (bits - 1)"),
    ),
    "wrap": (
        is_wrap,
        (
            "x = (value + (1 << 31)) % (1 << 32) - (1 << 31)",
            "x = ((value + sign) & (2 * sign - 1)) - sign",
            "x = values.astype(np.int32).astype(np.int64)",
            "x = word - (1 << bits) if word >> (bits - 1) else word",
        ),
    ),
    "flip": (is_flip, ("word = (state ^ mask) & ((1 << bits) - 1)", "w = (a ^ b) & high")),
    "shift": (
        is_shift,
        (
            "total += product << (bits - coupling.fraction_bits)",
            "shift = network.accumulator_fraction_bits(name) - coupling.fraction_bits",
        ),
    ),
    "phases": (
        is_phases,
        ("P = ('free', 'positive', 'negative')", "P = (C.FREE, C.POSITIVE, C.NEGATIVE)"),
    ),
}


def sources() -> Iterator[Path]:
    """Every source of the package once, the homes of the arithmetic left out."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            linked = any(parent.is_symlink() for parent in path.parents)
            if not linked and not name.startswith(HOMES):
                yield path


@pytest.mark.parametrize("name", RULES)
def test_a_second_one_is_found(name: str) -> None:
    rule, examples = RULES[name]
    for example in examples:
        assert any(rule(node) for node in ast.walk(ast.parse(example))), example


def test_there_is_no_second_one() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}: {ast.unparse(node)}"  # type: ignore[attr-defined]
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name, (rule, _) in RULES.items()
        if rule(node)
    ]
    assert not found, "\n".join(found)


def test_the_bench_takes_no_arithmetic_from_what_it_checks() -> None:
    """What the core is held against writes its own; see the package `toreq_hw.contract`."""
    benches = [
        p for f in ("rtl", "boards", "replay") for p in (ROOT / "testbench" / f).glob("*.py")
    ]
    assert len(benches) > 30
    taken = [
        path.name
        for path in benches
        if re.search(
            r"contract\.arithmetic|from toreq_hw\.contract import .*arithmetic",
            path.read_text(encoding="utf-8"),
        )
    ]
    assert not taken
