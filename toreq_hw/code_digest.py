"""Names the code behind a result: two digests are equal where the code does the same.

Finished work is kept under such a digest. Comments, docstrings and formatting do not count;
any other change of a source does, so that work of other code is never taken for this code's.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_PACKAGE = __package__
_FOLDER = Path(__file__).parent


def code_digest(sources: Iterable[Path]) -> str:
    """SHA-256 (hexadecimal) of the names and the code of Python files, in order of their names."""
    digest = hashlib.sha256()
    for name, source in sorted((path.name, path) for path in sources):
        code = normalise(source.read_text(encoding="utf-8"))
        digest.update(f"{name}:{len(code)}:{code}".encode())
    return digest.hexdigest()


@cache
def digest_of_imports(*modules: str) -> str:
    """The digest of modules of this package and of all that they import of it, directly or not."""
    digest = hashlib.sha256()
    for name, path in sorted(_imported_files(modules).items()):
        digest.update(f"{name}:{code_digest([path])}".encode())
    return digest.hexdigest()


@cache
def normalise(source: str) -> str:
    """The code of a Python source without comments, docstrings and formatting, to be compared.

    A string that stands alone as a statement is a docstring, wherever it stands. The result need
    not be code that runs: bodies may be empty.
    """
    return ast.unparse(without_docstrings(source))


def without_docstrings(source: str) -> ast.Module:
    """The tree of a Python source without docstrings. Bodies may be empty."""
    tree = _WithoutDocstrings().visit(ast.parse(source))
    whole: ast.Module = ast.fix_missing_locations(tree)
    return whole


class _WithoutDocstrings(ast.NodeTransformer):
    """Takes out strings that are statements, and the `pass` that may stand in for one."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """A string alone does nothing; any other expression stays."""
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else node

    def visit_Pass(self, _: ast.Pass) -> None:
        """Does nothing either."""


def _imported_files(modules: Iterable[str]) -> dict[str, Path]:
    """Name -> file of modules, of what they import, and of the packages that these lie in."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = file_of(name)
        if path is None or name in found:
            continue
        found[name] = path
        text = path.read_text(encoding="utf-8")
        waiting += [name.rpartition(".")[0], *_imports(text)]
    return found


def file_of(module: str) -> Path | None:
    """The file of a module of this package; None for other packages, and for no module."""
    package, _, rest = module.partition(".")
    if package != _PACKAGE:
        return None
    place = _FOLDER.joinpath(*rest.split(".")) if rest else _FOLDER
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _imports(source: str) -> list[str]:
    """What a source imports, wherever in it: modules, and names that may be modules."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
