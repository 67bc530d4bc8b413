"""Which sources a compiled function is made from, so that its cache follows them and no others.

Compiled code holds the functions and constants that its module imports, and theirs. It also knows
the fields of its arguments by their positions; so every file that defines a `NamedTuple` counts.
Sources are those of the simulator, of the contract, and of the arithmetic below it.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from toreq_hw import contract
from toreq_hw.network import fixed_point

_IMPORT = re.compile(rb"^from (toreq_hw[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_NAME = re.compile(rb"\w+")
_CONTRACT = Path(contract.__file__).parent


@cache
def digest_of(module: str) -> str:
    """Names the sources that functions of `module` are compiled from, as they stand."""
    texts = _texts()
    digest = hashlib.sha256()
    for name in sorted(sources_of(module, texts)):
        digest.update(f"{name}:{len(texts[name])}:".encode() + texts[name])
    return digest.hexdigest()[:16]


def sources_of(module: str, texts: Mapping[str, bytes]) -> set[str]:
    """The modules of `texts` that the compiled functions of one rest on, itself among them.

    texts: sources by the names of their modules; a package is named as its folder.
    """
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in texts and name not in found:
            found.add(name)
            waiting += _imports(texts[name])
    return found | {name for name, text in texts.items() if b"(NamedTuple)" in text}


def _imports(text: bytes) -> list[str]:
    """Modules that a source names at its top level, and names in them that may be modules."""
    found = []
    for package, names in _IMPORT.findall(text):
        found.append(package.decode())
        found += [f"{package.decode()}.{name.decode()}" for name in _NAME.findall(names)]
    return found


@cache
def _texts() -> dict[str, bytes]:
    """Every source, by the name of its module."""
    found = {fixed_point.__name__: Path(fixed_point.__file__).read_bytes()}
    for folder, package in (
        (Path(__file__).parent, "toreq_hw.sim"),
        (_CONTRACT, contract.__name__),
    ):
        for path in sorted(folder.glob("**/*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            found[name] = path.read_bytes()
    return found
