"""An argument of another type than its annotation says is named in one line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pytest

from toreq_hw.argument_types import ArgumentTypeError, named_type_errors
from toreq_hw.errors import InputError


class Speaker(Protocol):
    def speak(self) -> str: ...


class Dog:
    def speak(self) -> str:
        return "bark"


CASES: list[tuple[Any, list[Any], list[Any]]] = [
    (int, [3, np.int64(3)], [None, 2.5, True, "3"]),
    (float, [3, 2.5, np.float32(2)], [None, "2.5", True]),
    (str, ["x"], [None, b"x", 3]),
    (str | None, ["x", None], [3, ["x"]]),
    (dict[str, int], [{}, {"a": 1}], [None, [1], {1: 1}, {"a": None}]),
    (Mapping[str, Any], [{"a": object()}], [None, "a"]),
    (tuple[int, ...], [(), (1, 2), [1]], [3, "12", (1, None)]),
    (tuple[int, str], [(1, "a")], [(1,), ("a", 1), 1]),
    (Sequence[str], [["a"], ("a",)], ["a", [1], None, {"a": 1}]),
    (Sequence[int], [[1]], ["", {1: 1}, np.float32(1)]),
    (Literal["a", "b"], ["a"], ["c", None]),
    (Speaker, [Dog()], [5, None]),
    (Callable[[], None], [print], [5]),
    (npt.NDArray[np.int16], [np.zeros(1)], [[0], None]),
    (npt.ArrayLike, [5, [5], np.zeros(1)], []),
    (Any, [None, 5], []),
]


@pytest.mark.parametrize(("hint", "fit", "others"), CASES)
def test_what_fits_an_annotation_is_never_blamed(
    hint: Any, fit: list[Any], others: list[Any]
) -> None:
    def fails(argument: Any) -> None:
        raise ValueError("from within", argument)

    fails.__annotations__["argument"] = hint
    decorated = named_type_errors(fails)
    for value in fit:
        with pytest.raises(ValueError, match="from within"):
            decorated(value)
    for value in others:
        with pytest.raises(ArgumentTypeError, match=r"fails: argument must be .*, not ") as caught:
            decorated(value)
        assert isinstance(caught.value.__cause__, ValueError)
        assert "\n" not in str(caught.value)


@named_type_errors
class Counter:
    def __init__(self, start: int) -> None:
        self.count = start + 0

    @classmethod
    def of(cls, text: str) -> "Counter":
        return cls(int(text.strip()))

    def add(self, other: "Counter") -> int:
        return self.count + other.count

    def refuse(self, value: int) -> None:
        raise InputError(f"value must be even, not {value}")


def test_constructors_and_methods_of_a_class_are_named() -> None:
    with pytest.raises(ArgumentTypeError, match=r"^Counter: start must be int, not None$"):
        Counter(None)  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match=r"^Counter.add: other must be Counter, not 5$"):
        Counter(1).add(5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match=r"^Counter.of: text must be str, not 5$"):
        Counter.of(5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match=r"Counter.add: missing a required argument"):
        Counter(1).add()  # type: ignore[call-arg]
    assert Counter.of(" 3 ").add(Counter(4)) == 7


def test_own_words_and_errors_of_files_stay() -> None:
    with pytest.raises(InputError, match=r"^value must be even, not None$") as caught:
        Counter(1).refuse(None)  # type: ignore[arg-type]
    assert not isinstance(caught.value, ArgumentTypeError)

    @named_type_errors
    def opened(path: str) -> None:
        raise FileNotFoundError(path)

    with pytest.raises(FileNotFoundError):
        opened(5)  # type: ignore[arg-type]


def test_the_outermost_call_names_its_own_argument() -> None:
    @named_type_errors
    def outer(first: Counter) -> int:
        return Counter(1).add(first)

    with pytest.raises(ArgumentTypeError, match=r"outer: first must be Counter, not 5$"):
        outer(5)  # type: ignore[arg-type]


def test_a_wrong_call_inside_is_no_fault_of_the_caller() -> None:
    """A TypeError of a function's own making reaches its caller as it is, however deep it was."""

    @named_type_errors
    def faulty(first: Counter) -> int:
        return first.add(5)  # type: ignore[arg-type]

    @named_type_errors
    def forgetful(first: Counter) -> int:
        return first.add()  # type: ignore[call-arg]

    with pytest.raises(AttributeError, match="'int' object has no attribute 'count'"):
        faulty(Counter(1))
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'other'"):
        forgetful(Counter(1))


def test_interrupts_pass() -> None:
    @named_type_errors
    def interrupted(_: int) -> Iterator[None]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(None)  # type: ignore[arg-type]
