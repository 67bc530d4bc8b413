"""The words of a layer, such as `conv 16 5x5 stride 2 pad 1`, read and checked."""

import re
from dataclasses import dataclass

from toreq_hw.errors import NetworkError
from toreq_hw.network.population import MAX_NEURONS
from toreq_hw.reading import shown

MAX_LAYERS = 1024
"""Layers of a description, pooling included."""

FORMS = {
    "dense": "dense NEURONS",
    "conv": "conv CHANNELS KERNEL [stride N] [pad N]",
    "average": "average N",
    "sum": "sum N",
    "lattice": "lattice ZxYxX",
    "ring": "ring NEURONS [reach N]",
    "random": "random NEURONS density P",
    "block": "block NEURONS blocks N",
    "rows": "rows NEURONS length N [budget N] [normalisation NAME] [temperature N/N] [at-most yes]",
    "attention": "attention WIDTH [heads N] [bits N] [rows NAME] [temperature N/N] [budget N] "
    "[mask causal]",
}
"""First word of a layer -> how it is written."""

_OPTIONS: dict[str, dict[str, str | None]] = {
    "conv": {"stride": "1", "pad": "0"},
    "ring": {"reach": "1"},
    "random": {"density": None},
    "block": {"blocks": None},
    "rows": {
        "length": None,
        "budget": "127",
        "normalisation": "sparsemax",
        "temperature": "1/1",
        "at-most": "no",
    },
    "attention": {
        "heads": "1",
        "bits": "9",
        "rows": "sparsemax",
        "temperature": "1/1",
        "budget": "127",
        "mask": "none",
    },
}
"""Named settings and what they are where left out; None: they must be given."""

_JOINS = {
    "dense": "dense",
    "conv": "conv KERNEL [stride N] [pad N]",
    "lattice": "lattice",
    "ring": "ring [reach N]",
    "random": "random density P",
    "block": "block blocks N",
}
"""First word of a skip or a loop -> how it is written."""


@dataclass(frozen=True)
class LayerWords:
    """One layer as it was written. kind: its first word. text: all of it.

    sizes: the number or numbers behind the first word. kernel: of a convolution, else empty.
    settings: the named ones, as texts.
    """

    kind: str
    text: str
    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    settings: dict[str, str]

    @property
    def is_pooling(self) -> bool:
        """Whether it is folded into the next layer and has no neurons of its own."""
        return self.kind in ("average", "sum")

    def whole(self, name: str) -> int:
        """A setting as a whole number. Raises NetworkError."""
        return _whole(self.settings[name], self.text)

    def choice(self, name: str, known: tuple[str, ...]) -> str:
        """A setting that is one of some words. Raises NetworkError."""
        if self.settings[name] not in known:
            raise _error(self.text, f"have {name} {' or '.join(known)}", self.settings[name])
        return self.settings[name]

    def ratio(self, name: str) -> tuple[int, int]:
        """A setting that is two whole numbers with a stroke between. Raises NetworkError."""
        top, _, bottom = self.settings[name].partition("/")
        return _whole(top, self.text), _whole(bottom or "1", self.text)

    @property
    def density(self) -> float:
        """The share of pairs of a `random` layer, 0 .. 1. Raises NetworkError."""
        found = self.settings["density"]
        if not re.fullmatch(r"[01]|[01]?\.[0-9]{1,9}", found) or float(found) > 1:
            raise _error(self.text, "have a density in 0..1", found)
        return float(found)


def sizes_of(text: object, what: str, most: int) -> tuple[int, ...]:
    """Whole numbers from 1 on, joined by x, at most `most` of them. Raises NetworkError."""
    parts = text.split("x") if isinstance(text, str) else []
    if not 1 <= len(parts) <= most or not all(re.fullmatch("[0-9]{1,9}", p) for p in parts):
        raise NetworkError(
            f"{what} must be 1 to {most} whole numbers joined by x, such as 28x28x1, "
            f"found {shown(text)}"
        )
    found = tuple(int(part) for part in parts)
    if min(found) < 1 or max(found) > MAX_NEURONS:
        raise NetworkError(f"{what} must be numbers in 1..{MAX_NEURONS}, found {shown(text)}")
    return found


def layer_words(text: object) -> LayerWords:
    """The words of one layer. Raises NetworkError that quotes it and says how it is written."""
    words = text.split() if isinstance(text, str) else []
    if words and words[0] == "max":
        raise _error(
            str(text),
            "be average or sum pooling (under max pooling a network with signed states does not "
            "settle, so there is none)",
            "max",
        )
    if not words or words[0] not in FORMS:
        raise NetworkError(
            f"layer must be one of: {'; '.join(FORMS.values())}; found {shown(text)}"
        )
    kind, said = words[0], str(text)
    numbers = 2 if kind == "conv" else 1
    if len(words) <= numbers:
        raise _error(said, f"be written as: {FORMS[kind]}", "too few words")
    most = 3 if kind == "lattice" else 1
    sizes = sizes_of(words[1], f"layer {shown(said)}: size", most)
    kernel = sizes_of(words[2], f"layer {shown(said)}: kernel", 2) if kind == "conv" else ()
    return LayerWords(kind, said, sizes, kernel, _settings(kind, said, words[numbers + 1 :]))


def join_words(text: object, kinds: tuple[str, ...], what: str) -> LayerWords:
    """The words of a skip or a loop, of one of `kinds`; it has no size of its own.

    what: `skip` or `loop`. Raises NetworkError that quotes it and says how it is written.
    """
    words = text.split() if isinstance(text, str) else []
    forms = "; ".join(_JOINS[kind] for kind in kinds)
    if not words or words[0] not in kinds:
        raise NetworkError(f"kind of a {what} must be one of: {forms}; found {shown(text)}")
    kind, said = words[0], str(text)
    kernel: tuple[int, ...] = ()
    rest = words[1:]
    if kind == "conv":
        if not rest:
            raise _error(said, f"be written as: {_JOINS[kind]}", "too few words")
        kernel, rest = sizes_of(rest[0], f"{what} {shown(said)}: kernel", 2), rest[1:]
    return LayerWords(kind, said, (), kernel, _settings(kind, said, rest))


def _settings(kind: str, said: str, words: list[str]) -> dict[str, str]:
    """Pairs of a name and a value; every setting of the kind has one."""
    known = _OPTIONS.get(kind, {})
    given = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or len(given) < len(words) // 2 or not set(given) <= set(known):
        raise _error(said, f"be written as: {FORMS[kind]}", " ".join(words))
    found = {name: given.get(name, default) for name, default in known.items()}
    missing = [name for name, value in found.items() if value is None]
    if missing:
        raise _error(said, f"be written as: {FORMS[kind]}", f"no {missing[0]}")
    return {name: value for name, value in found.items() if value is not None}


def _whole(value: str, said: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", value):
        raise _error(said, "have whole numbers", value)
    return int(value)


def _error(said: str, must: str, found: str) -> NetworkError:
    return NetworkError(f"layer {shown(said)} must {must}, found {shown(found)}")
