"""A value of many parts is made by their names: a swap of two cannot pass unseen."""

import ast
from pathlib import Path

import toreq_hw

FOLDER = Path(toreq_hw.__file__).parent
FIELDS = 5
"""A class of this project may be made of as many values by position."""

ARGUMENTS = 6
"""Any call outside of compiled code may have as many."""

FOREIGN = {
    ("console.py", "WorkBar"),  # rich's columns, as many as are wanted
}


def test_many_values_are_passed_by_name() -> None:
    trees = {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for folder in sorted(path for path in FOLDER.iterdir() if path.is_dir())
        for path in sorted(folder.resolve().glob("**/*.py"))
    }
    assert len(trees) > 200
    ours = {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = [
        f"{path}:{call.lineno}: {name}, {len(call.args)} by position"
        for path, tree in trees.items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for name in [getattr(call.func, "id", getattr(call.func, "attr", ""))]
        if len(call.args) > (FIELDS if name in ours else ARGUMENTS)
        and (path.name, name) not in FOREIGN
        and not path.stem.endswith("kernel")
    ]
    assert not found, "\n".join(found)
