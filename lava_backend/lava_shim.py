"""Makes Lava 0.10 importable on the Pythons it was not released for; the only such place.

Two facts stand in the way. `lava/magma/compiler/var_model.py` has dataclass defaults that are
mutable, which Python refuses since 3.11: a patched copy of that one module is put in its
place before Lava asks for it; the installed files stay as they are. And on NumPy 2.4 or later
a Lava child process raises and its parent waits for ever, so those are refused here.
"""

import importlib.util
import os
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from toreq_hw.errors import MissingDependencyError
from toreq_hw.extras import LAVA, install_command

TESTED_VERSION = "0.10.0"
"""The only version of lava-nc that the shim and the models were run with."""

_MODULE = "lava.magma.compiler.var_model"
_MUTABLE_DEFAULT = re.compile(r"= (\w+Encoder)\(\)")


def prepare() -> None:
    """Lets `import lava...` work from here on; call it before the first such import.

    Raises MissingDependencyError where Lava or a version it works with is absent.
    """
    check_versions()
    if _MODULE not in sys.modules:
        sys.modules[_MODULE] = _patch()


def check_versions() -> None:
    """Raises MissingDependencyError unless the tested Lava and a NumPy before 2.4 are here."""
    if not hasattr(os, "fork"):
        raise MissingDependencyError("Lava must run on Linux or macOS: it starts processes by fork")
    try:
        found = version("lava-nc")
    except PackageNotFoundError:
        raise MissingDependencyError(
            f"lava-nc must be installed, found none; run: {install_command(LAVA)}"
        ) from None
    if found != TESTED_VERSION:
        raise MissingDependencyError(
            f"lava-nc must be {TESTED_VERSION}, not {found}; run: {install_command(LAVA)}"
        )
    numpy = tuple(int(part) for part in version("numpy").split(".")[:2])
    if numpy >= (2, 4):
        raise MissingDependencyError(
            f"numpy must be older than 2.4 for Lava, not {version('numpy')}; "
            f"run: {install_command(LAVA)}"
        )


def _patch() -> ModuleType:
    """`var_model` with `= XEncoder()` turned into a default factory."""
    spec = importlib.util.find_spec(_MODULE)
    assert spec is not None
    assert spec.origin is not None
    with open(spec.origin, encoding="utf-8") as file:
        source = file.read()
    source = source.replace(
        "from dataclasses import dataclass, InitVar",
        "from dataclasses import dataclass, field, InitVar",
    )
    source = _MUTABLE_DEFAULT.sub(r"= field(default_factory=\1)", source)
    module = ModuleType(_MODULE)
    module.__file__ = spec.origin
    module.__package__ = spec.parent
    sys.modules[_MODULE] = module  # dataclasses look their module up while it runs
    exec(compile(source, spec.origin, "exec"), module.__dict__)
    return module
