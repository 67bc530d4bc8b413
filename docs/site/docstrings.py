"""Docstrings of this project for Sphinx: `name: what it is` becomes a list, public names get links.

A class is documented where it is public, and annotations name the module that defines it.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

_ITEM = re.compile(r"(\w+(?:, \w+)*): (?=\S)")
_BORDER = re.compile(r"(?<=[.)]) (?=\w+(?:, \w+)*: \S|Raises |Returns )")
_MARKS = re.compile(r"([*|]|(?<=\w)_(?![\w`]))")
"""What reStructuredText would read as a mark of its own."""

_public: dict[str, str] = {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects what follows to Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", listed)
    app.connect("autodoc-skip-member", skipped)
    app.connect("missing-reference", resolved)
    return {"parallel_read_safe": False}


def listed(
    _app: Sphinx, what: str, name: str, found: Any, _options: object, lines: list[str]
) -> None:
    """Rewrites the lines of a docstring; of a module only the first stays, examples are not."""
    if (module := getattr(found, "__module__", None)) and hasattr(found, "__qualname__"):
        _public.setdefault(f"{module}.{found.__qualname__}", name)
    if what == "module":
        del lines[1:]
    written: list[str] = []
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        for piece in _BORDER.split(" ".join(paragraph.split())):
            parts = piece.split("`")
            parts[::2] = [_MARKS.sub(r"\\\1", part) for part in parts[::2]]
            text = "`".join(parts)
            match = _ITEM.match(text)
            written += [f"- `{match[1]}`: {text[match.end() :]}" if match else text, ""]
    lines[:] = written


def skipped(
    _app: Sphinx, _what: str, name: str, _found: Any, _skip: bool, _options: object
) -> bool | None:
    """Leaves methods out that scikit-learn writes into its estimators."""
    return name.endswith(("_request", "_routing")) or None


def resolved(app: Sphinx, env: Any, node: Any, content: nodes.Node) -> nodes.Node | None:
    """The link to a public name for an annotation that names its defining module."""
    public = _public.get(node.get("reftarget", ""))
    if node.get("refdomain") != "py" or public is None:
        return None
    domain = env.domains["py"]
    found: nodes.Node | None = domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", public, node, content
    )
    return found
