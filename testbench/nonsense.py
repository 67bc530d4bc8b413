"""Calls a function with one argument after another replaced by values that make no sense."""

from collections.abc import Callable, Mapping
from typing import Any

from toreq_hw.errors import ToreqError


class Stranger:
    """Of a type that no function knows."""


NONSENSE: tuple[object, ...] = (
    None,
    2.5,
    -3,
    10**30,
    float("nan"),
    True,
    "nonsense",
    "",
    b"bytes",
    [1, "x"],
    [None],
    {},
    {"x": None},
    {1: 2},
    Stranger(),
    Stranger,
)


def tracebacks(function: Callable[..., Any], right: Mapping[str, Any]) -> list[str]:
    """The calls that end in an exception of Python's own, or in more than one line.

    right: arguments by name with which the function works; it is called with them first.
    """
    function(**right)
    found = []
    for name in right:
        for wrong in NONSENSE:
            try:
                function(**{**right, name: wrong})
            except ToreqError as error:
                if "\n" in str(error):
                    found.append(f"{name}={wrong!r}: {error}")
            except Exception as error:
                found.append(f"{name}={wrong!r}: {type(error).__name__}: {error}")
    return found
