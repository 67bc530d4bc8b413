"""A search in a TOML file: what `toreq-hw search` is asked, and more than fits a command line.

data = "mnist"
board = ["icebreaker", "ulx3s_85f"]
require = ["accuracy>=0.98", "p95_us<=200"]
minimise = ["cells"]
[space]
hidden = [64, "128-64"]          # sizes; of several layers with a dash between
lanes = [8, 16]
[rungs]
short_epochs = 2
place_seeds = 5
"""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from toreq_hw.errors import InputError
from toreq_hw.reading import Fields, read_toml
from toreq_hw.studies.searching.problem import SAMPLERS, Rungs

_MOST_BYTES = 100_000
_MOST = 1_000_000
_LISTS = ("board", "require", "minimise", "maximise")
_TEXTS = ("data", "damage", "sampler")
_NUMBERS = {"batch": (2, 1000), "seed": (0, (1 << 32) - 1), "train_seed": (0, (1 << 32) - 1)}
_PARTS = {"accuracy_slack": (0.0, 1.0), "cycle_slack": (0.0, 10.0)}

Found = dict[str, object]
"""What a file says, by the names of the fields of `Asked`; lists of texts, texts and numbers."""


def read_search(path: Path) -> Found:
    """What the file asks for. Raises InputError, naming the file and the field."""
    file = read_toml(path, _MOST_BYTES, InputError)
    file.only((*_LISTS, *_TEXTS, *_NUMBERS, "space", "rungs"))
    found: Found = {name: _texts(file, name) for name in _LISTS if name in file}
    found |= {name: file.text(name) for name in _TEXTS if name in file}
    found |= {name: file.integer(name, *_NUMBERS[name]) for name in _NUMBERS if name in file}
    if found.get("sampler", SAMPLERS[0]) not in SAMPLERS:
        raise file.error("sampler", f"be one of {', '.join(SAMPLERS)}", found["sampler"])
    if "space" in file:
        space = file.part("space")
        found["choices"] = {name: _texts(space, name) for name in space.names()}
    if "rungs" in file:
        found["rungs"] = _rungs(file.part("rungs"))
    return found


def _texts(file: Fields, name: str) -> tuple[str, ...]:
    """A list, or one value, as texts."""
    value = file.value(name)
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise file.error(name, "be texts or numbers", item)
    return tuple(f"{item:g}" if isinstance(item, float) else str(item) for item in items)


def _rungs(file: Fields) -> Found:
    file.only(field.name for field in fields(Rungs))
    found: Found = {}
    for name in file.names():
        found[name] = _READERS.get(name, _whole)(file, name)
    return found


def _whole(file: Fields, name: str) -> object:
    return file.integer(name, 1, _MOST)


def _part(file: Fields, name: str) -> object:
    return file.number(name, *_PARTS[name])


def _keep(file: Fields, name: str) -> object:
    parts = file.items(name)
    if len(parts) != 3 or not all(type(p) in (int, float) and 0 < p <= 1 for p in parts):
        raise file.error(name, "be three parts above 0, at most 1", parts)
    return tuple(map(float, parts))


_READERS: dict[str, Callable[[Fields, str], object]] = {
    "keep": _keep,
    "place": lambda file, name: file.flag(name),
    "accuracy_slack": _part,
    "cycle_slack": _part,
}
