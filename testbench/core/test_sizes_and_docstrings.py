"""Functions and files stay short; docstrings say shapes and errors."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MOST_LINES_OF_A_FUNCTION = 50
MOST_LINES_OF_A_FILE = 300
LEAST_WITH_SHAPES = 0.9
LEAST_WITH_ERRORS = 0.95

_ALIASES = (
    "Array Floats Indices Inputs Integers Ints Labels Lines Matrix Neurons Observations Parts "
    "Range Real Reals Sequences Sites States Tensors Weights Wide"
)
"""Names that the package gives to types of arrays."""

_ARRAY = re.compile(rf"NDArray|ArrayLike|Tensor\b|\b(?:{'|'.join(_ALIASES.split())})\b")
_SHAPE = re.compile(r"\([\w.+*/ -]+,[\w.+*/, -]*\)|\(batch\)|\bshapes?\b|\bscalar\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Function:
    """A function of the package: where it stands, and what is said of it and of its class."""

    where: str
    node: ast.FunctionDef | ast.AsyncFunctionDef
    about: str
    public: bool

    @property
    def lines(self) -> int:
        assert self.node.end_lineno is not None
        return self.node.end_lineno - self.node.lineno + 1

    @property
    def has_arrays(self) -> bool:
        arguments = self.node.args.posonlyargs + self.node.args.args + self.node.args.kwonlyargs
        types = [a.annotation for a in arguments] + [self.node.returns]
        return any(_ARRAY.search(ast.unparse(t)) for t in types if t is not None)

    @property
    def raises(self) -> bool:
        own = [n for n in ast.walk(self.node) if isinstance(n, ast.Raise) and n.exc is not None]
        return bool(own) and not self.is_command

    @property
    def is_command(self) -> bool:
        """Its docstring is the help of a command; all errors of commands end with status 2."""
        return any("command" in ast.unparse(d) for d in self.node.decorator_list)

    @property
    def says_shapes(self) -> bool:
        return _SHAPE.search(self.about) is not None

    @property
    def says_errors(self) -> bool:
        return "raise" in self.about.lower()


def _sources() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _functions(path: Path, text: str) -> Iterator[_Function]:
    def visit(node: ast.AST, name: str, about: str, public: bool) -> Iterator[_Function]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                own = ast.get_docstring(child) or ""
                inside = public and not child.name.startswith("_")
                yield from visit(child, f"{name}{child.name}.", own, inside)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                said = f"{ast.get_docstring(child) or ''}\n{about}"
                seen = public and not child.name.startswith("_")
                yield _Function(f"{name}{child.name}", child, said, seen)
            elif isinstance(child, ast.If | ast.Try | ast.With):
                yield from visit(child, name, about, public)

    yield from visit(ast.parse(text), f"{path.relative_to(ROOT)}: ", "", True)


@pytest.fixture(scope="module")
def functions() -> list[_Function]:
    return [f for path in _sources() for f in _functions(path, path.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def public(functions: list[_Function]) -> list[_Function]:
    return [f for f in functions if f.public and not f.where.startswith("testbench")]


def test_no_function_is_long(functions: list[_Function]) -> None:
    long = [f.where for f in functions if f.lines > MOST_LINES_OF_A_FUNCTION]
    assert not long


def test_no_file_is_long() -> None:
    long = {
        str(path.relative_to(ROOT))
        for path in _sources()
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES_OF_A_FILE
    }
    assert not long


def test_functions_with_arrays_state_shapes(public: list[_Function]) -> None:
    arrays = [f for f in public if f.has_arrays]
    silent = [f.where for f in arrays if not f.says_shapes]
    assert len(silent) <= (1 - LEAST_WITH_SHAPES) * len(arrays), "\n".join(silent)


def test_functions_that_raise_state_errors(public: list[_Function]) -> None:
    raising = [f for f in public if f.raises]
    silent = [f.where for f in raising if not f.says_errors]
    assert len(silent) <= (1 - LEAST_WITH_ERRORS) * len(raising), "\n".join(silent)


@pytest.mark.parametrize(
    ("source", "raises", "says_errors", "has_arrays", "says_shapes"),
    [
        ('def f(a: int) -> int:\n    """Twice."""\n    return 2 * a', 0, 0, 0, 0),
        ('def f(a: int) -> int:\n    """Raises ValueError."""\n    raise ValueError', 1, 1, 0, 0),
        ('def f(a: int) -> int:\n    """One."""\n    raise ValueError(a)', 1, 0, 0, 0),
        ('def f(a: npt.NDArray[np.int8]) -> int:\n    """a: (batch, size)."""', 0, 0, 1, 1),
        ('def f() -> npt.NDArray[np.int8]:\n    """All of them (so far)."""', 0, 0, 1, 0),
    ],
)
def test_docstrings_are_read(
    source: str, raises: int, says_errors: int, has_arrays: int, says_shapes: int
) -> None:
    (found,) = _functions(ROOT / "x.py", source)
    assert [found.raises, found.says_errors] == [raises, says_errors]
    assert [found.has_arrays, found.says_shapes] == [has_arrays, says_shapes]
