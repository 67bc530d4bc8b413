"""Words for members of enumerations and texts for paths, in every public function."""

import inspect
from collections.abc import Iterator
from enum import Enum, IntEnum
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

import toreq_hw
from toreq_hw import network, train
from toreq_hw.argument_types import ArgumentTypeError, named_type_errors, of_fitting_types
from toreq_hw.argument_words import _is_spoken, _leaves
from toreq_hw.errors import InputError, MissingDependencyError, ToreqError
from toreq_hw.network import Population, Role
from toreq_hw.training import IntegerSettings

PARTS = ("boards", "data", "estimators", "models", "network", "plot", "quant", "rtl", "sim")
PARTS += ("targets", "training", "reports")

OF_OURS = {"Target", "Board", "Model", "Sweep", "Start", "require"}
"""What a person has no reason to make from words: parts of what is registered here."""


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Number(IntEnum):
    ONE = 1


@named_type_errors
def _painted(
    first: Colour | list[Colour],
    path: Path | None = None,
    *,
    second: Colour = Colour.RED,
    number: Number = Number.ONE,
) -> tuple[Any, ...]:
    return first, path, second, number


painted: Any = _painted


def test_words_become_members_and_texts_paths() -> None:
    assert painted("blue") == (Colour.BLUE, None, Colour.RED, 1)
    assert painted(Colour.RED, "x", second="blue") == (Colour.RED, Path("x"), Colour.BLUE, 1)
    assert painted(["red", Colour.BLUE])[0] == [Colour.RED, Colour.BLUE]
    assert painted(first="red", path=Path("y"))[:2] == (Colour.RED, Path("y"))


def test_other_words_are_refused_before_the_call() -> None:
    with pytest.raises(InputError, match="_painted: second must be one of red, blue, not 'blu'"):
        painted("red", second="blu")
    with pytest.raises(InputError, match="_painted: first must be one of red, blue, not 'x'"):
        painted(["red", "x"])


def test_constructors_take_words() -> None:
    assert Population("a", 3, "hidden").role is Role.HIDDEN  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Population: role must be one of input, hidden, output"):
        Population("a", 3, "middle")  # type: ignore[arg-type]


def _public() -> Iterator[tuple[str, Any]]:
    yield "train", train
    for part in PARTS:
        module = import_module(f"toreq_hw.{part}")
        for name in module.__all__:
            try:
                found = getattr(module, name)
            except MissingDependencyError:
                continue
            if inspect.isfunction(found):
                yield f"{part}.{name}", found
            elif inspect.isclass(found) and not issubclass(found, Enum):
                for member, value in vars(found).items():
                    function = getattr(value, "__func__", value)
                    public = not member.startswith("_") or member == "__init__"
                    if public and inspect.isfunction(function):
                        yield f"{part}.{name}.{member}", function


def test_every_public_function_takes_words_and_paths_as_texts() -> None:
    seen = 0
    for name, function in _public():
        if OF_OURS & set(name.split(".")):
            continue
        try:
            hints = get_type_hints(function)
        except NameError:
            continue
        for argument, hint in hints.items():
            kinds = _leaves(hint)
            if argument == "return" or not any(map(_is_spoken, kinds)):
                continue
            if Path in kinds and str in kinds:
                continue
            assert hasattr(function, "__wrapped__"), f"{name} must take words for {argument}"
            seen += 1
    assert seen > 20, seen
    assert Path(toreq_hw.__file__).is_file()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weights": "int4"}, "weights must be one of ternary, int8, not 'int4'"),
        ({"feedback": "loose"}, "feedback must be one of symmetric, fixed, learned, not 'loose'"),
        ({"readout": "clam"}, "readout must be one of relaxing, clamped, not 'clam'"),
        ({"hidden": "8"}, "hidden must be tuple"),
        ({"epochs": "3"}, "epochs must be int | None"),
        ({"weights": 3}, "weights must be WeightFormat"),
    ],
)
def test_settings_of_train_are_refused_in_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ToreqError, match=said.replace("|", r"\|")) as caught:
        train("digits", verbose=0, **given)
    assert len(str(caught.value).splitlines()) == 1


def test_train_takes_words() -> None:
    words = train(
        "digits",
        verbose=0,
        epochs=1,
        hidden=[4],
        weights="int8",
        schedule="sequential",
        readout="relaxing",
    )
    assert words.network.sweep.name == "sequential"
    assert np.isfinite(words.accuracy)


def test_types_are_looked_at_where_a_constructor_does_not() -> None:
    assert of_fitting_types(IntegerSettings, weights="int8").weights.value == "int8"
    with pytest.raises(ArgumentTypeError, match=r"IntegerSettings: hidden must be tuple"):
        of_fitting_types(IntegerSettings, hidden=5)


def test_layered_takes_words() -> None:
    made = network.layered((4, 3, 2), "int8", (7, 7), schedule="sequential", readout="clamped")
    assert made.readout is not None
    assert made.sweep.name == "sequential"
