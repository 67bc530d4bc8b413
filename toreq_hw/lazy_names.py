"""Public names of a part that are imported where they are asked for: torch takes seconds."""

from collections.abc import Callable, Mapping
from importlib import import_module

from toreq_hw.errors import MissingDependencyError


def lazy_names(
    package: str, homes: Mapping[str, tuple[str, ...]], extra: str = ""
) -> Callable[[str], object]:
    """The `__getattr__` of a package whose names are imported on first use.

    homes: module inside of `package` -> names that it has. extra: installs what they need. The
    function raises AttributeError for other names. Where a package is absent it raises
    MissingDependencyError, which names the command to install with.
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def attribute(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return getattr(import_module(f"{package}.{home_of[name]}"), name)
        except ModuleNotFoundError as error:
            if not extra or (error.name or "").startswith("toreq_hw"):
                raise
            raise _missing(f"{package}.{name}", error.name, extra) from error

    return attribute


def _missing(what: str, package: str | None, extra: str) -> MissingDependencyError:
    from toreq_hw.extras import missing

    return missing(what, package, extra)
