"""One line for a caller who gives an argument of another type than the function's annotation says.

Types are looked at only after a call has failed: a call that works costs nothing, and what a
function refuses by itself keeps its own words.
"""

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import wraps
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from toreq_hw.argument_words import Spoken, spoken_arguments, with_members
from toreq_hw.errors import InputError, ToreqError
from toreq_hw.reading.fields import integer, shown


class ArgumentTypeError(InputError):
    """An argument is of another type than the annotation of its function says."""


_Target = TypeVar("_Target", bound=Callable[..., Any])


_Made = TypeVar("_Made")

_MAX_SEED = (1 << 63) - 1
_MAX_EPOCHS = 1 << 31
"""Far above what any training takes."""


def check_seed(seed: int) -> int:
    """`seed` where it is a whole number in 0..2^63 - 1. Raises InputError."""
    return integer(seed, 0, _MAX_SEED, "seed", InputError)


def check_epochs(epochs: int) -> int:
    """`epochs` where it is a whole number in 0..2^31. Raises InputError."""
    return integer(epochs, 0, _MAX_EPOCHS, "epochs", InputError)


def named_type_errors(target: _Target) -> _Target:
    """Decorates a function, or a class: its constructor and its public methods.

    Words stand for members of enumerations, and texts for paths, as `argument_words` says.

    An exception other than ToreqError and OSError becomes an ArgumentTypeError where an argument
    does not fit its annotation; it names that argument. All other exceptions pass.
    """
    if not isinstance(target, type):
        return _wrap(target)  # type: ignore[return-value]
    for name, member in list(vars(target).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if inspect.isfunction(member):
            setattr(target, name, _wrap(member))
        elif isinstance(member, classmethod | staticmethod):
            setattr(target, name, type(member)(_wrap(member.__func__)))
    return target


def of_fitting_types(target: Callable[..., _Made], **named: Any) -> _Made:
    """What `target`, a class, makes of these arguments, words among them.

    Its constructor need not look at types. Raises ArgumentTypeError for one that does not fit.
    """
    function: Callable[..., Any] = vars(target)["__init__"]
    found = with_members(spoken_arguments(function), target.__qualname__, (), named)[1]
    reason = _misfit(function, (None,), found)
    if reason is not None:
        raise ArgumentTypeError(reason)
    return target(**found)


def _wrap(function: Callable[..., Any]) -> Callable[..., Any]:
    spoken: tuple[Spoken, ...] | None = None

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        nonlocal spoken
        if spoken is None:
            spoken = spoken_arguments(function)
        if spoken:
            arguments, found = with_members(spoken, _name_of(function), arguments, named)
            named = dict(found)
        try:
            return function(*arguments, **named)
        except Exception as error:
            from_within = isinstance(error, ArgumentTypeError)  # of a call that this one made
            if isinstance(error, ToreqError | OSError) and not from_within:
                raise
            reason = _misfit(function, arguments, named)
            if reason is not None:
                raise ArgumentTypeError(reason) from error
            if from_within and error.__cause__ is not None:
                cause = error.__cause__  # the fault is this function's, not its caller's
                raise cause from cause.__cause__
            raise

    return call


def _name_of(function: Callable[..., Any]) -> str:
    return function.__qualname__.removesuffix(".__init__")


def _misfit(
    function: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]
) -> str | None:
    """What the first argument that does not fit must be; None where all fit."""
    name = _name_of(function)
    try:
        given = inspect.signature(function).bind(*arguments, **named).arguments
    except TypeError as error:
        return f"{name}: {error}"
    try:
        hints = get_type_hints(function)
    except (NameError, TypeError):  # names that only a type checker imports
        return None
    for argument, value in given.items():
        hint = hints.get(argument, Any)
        if not _fits(value, hint):
            return f"{name}: {argument} must be {_text_of(hint)}, not {shown(value)}"
    return None


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is what an annotation says; True for an annotation not known here."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is None:
        return _is_of(value, NoneType if hint is None else hint)
    return not isinstance(origin, type) or (
        _is_of(value, origin) and _items_fit(value, origin, inner)
    )


def _items_fit(value: object, origin: type, inner: tuple[Any, ...]) -> bool:
    if isinstance(value, Mapping) and len(inner) == 2:
        return all(_fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items())
    if origin is tuple and inner[-1:] != (...,) and isinstance(value, list | tuple):
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if isinstance(value, Collection) and not isinstance(value, np.ndarray) and inner:
        return all(_fits(item, inner[0]) for item in value)
    return True


def _is_of(value: object, hint: Any) -> bool:
    """Of a class: NumPy's numbers are numbers, a whole number is a real one, truth values none."""
    if not isinstance(hint, type):
        return True
    if getattr(hint, "_is_protocol", False):
        return all(hasattr(value, name) for name in vars(hint) if not name.startswith("_"))
    if hint in (int, float):
        kinds = (int, np.integer) if hint is int else (int, float, np.integer, np.floating)
        return isinstance(value, kinds) and not isinstance(value, bool)
    if isinstance(value, str) and hint is not str and issubclass(hint, Iterable):
        return isinstance(value, hint) and issubclass(hint, str)
    return isinstance(value, (hint, list) if hint is tuple else hint)


def _text_of(hint: Any) -> str:
    """An annotation in one line, without the modules of its names."""
    text = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", inspect.formatannotation(hint))
    text = re.sub(r"ndarray\[(?:[^\[\]]|\[[^\]]*\])*?dtype\[([^\]]*)\]\]", r"array of \1", text)
    return " ".join(text.split())[:120]
