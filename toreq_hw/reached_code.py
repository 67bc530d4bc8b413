"""Names the code that a function reaches, so that work which it did is kept when others change.

In the function's own folder single definitions count: functions, classes and constants that it
names, directly or not. What it names of other folders counts with all that its module imports.
"""

import ast
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from toreq_hw.code_digest import digest_of_imports, file_of, without_docstrings

_ALWAYS = ""
"""Stands for the statements of a module that define no name."""

Definition = tuple[str, str]
"""A module and a name in it."""


def digest_of_reached(*functions: Callable[..., Any]) -> str:
    """SHA-256 (hexadecimal) of functions of modules of this package and of what they reach."""
    return _digest(*((one.__module__, one.__name__) for one in functions))


@dataclass
class _Module:
    """What a source defines and imports. Statements by the name that they give a value."""

    name: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)


@cache
def _digest(*starts: Definition) -> str:
    folders = {module.rpartition(".")[0] for module, _ in starts}
    found: dict[Definition, str] = {}
    whole: set[str] = set()
    waiting = list(starts)
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        module = _read(one[0])
        statements = module.definitions.get(one[1], [])
        found[one] = "\n".join(ast.unparse(statement) for statement in statements)
        waiting.append((module.name, _ALWAYS))
        for target in _targets(module, statements):
            holder, _, name = target.rpartition(".")
            inside = holder if file_of(target) is None else target
            if inside.rpartition(".")[0] not in folders:
                whole.add(inside)
            elif inside == target:
                waiting += [(target, name) for name in _read(target).definitions]
            else:
                waiting.append((holder, name))
    digest = hashlib.sha256(digest_of_imports(*sorted(whole)).encode())
    for (holder, name), code in sorted(found.items()):
        digest.update(f"{holder}.{name}:{len(code)}:{code}".encode())
    return digest.hexdigest()


def _targets(module: _Module, statements: list[ast.stmt]) -> Iterator[str]:
    """What statements name of this package: `module`, or `module.name`."""
    imports = dict(module.imports)
    for statement in statements:
        imports |= _imported(statement)
    for statement in statements:
        for name, attribute in _names(statement):
            if name in module.definitions:
                yield f"{module.name}.{name}"
            elif name in imports and _is_ours(imports[name]):
                target = imports[name]
                yield f"{target}.{attribute}" if attribute and file_of(target) else target


def _is_ours(target: str) -> bool:
    return target.partition(".")[0] == __package__


def _names(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Each name that is used, and the attribute that is taken of it, or ""."""
    owners = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owners.add(node.value)
            yield node.value.id, node.attr
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node not in owners:
            yield node.id, ""


@cache
def _read(name: str) -> _Module:
    path = file_of(name)
    module = _Module(name)
    if path is None:
        return module
    for statement in without_docstrings(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            module.imports |= _imported(statement)
        for defined in _defined(statement):
            module.definitions.setdefault(defined, []).append(statement)
    return module


def _imported(statement: ast.stmt) -> dict[str, str]:
    """Names that imports in a statement give, and what each stands for."""
    found = {}
    for node in ast.walk(statement):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return found


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a statement of a module gives a value."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return []
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        nodes = [node for target in targets for node in ast.walk(target)]
        return [node.id for node in nodes if isinstance(node, ast.Name)]
    return [_ALWAYS]
