"""Settings of each layer of a description, and what of it an error is about."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import FeedbackKind, WeightFormat

DEFAULT_FRACTION_BITS = {WeightFormat.INT8: 7, WeightFormat.TERNARY: 4}
"""Of every layer, where none are given."""

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class LayerSettings:
    """Of one layer, pooling left out. fraction_bits, feedback_shift, feedback: of its coupling."""

    weights: WeightFormat
    fraction_bits: int
    feedback_shift: int
    feedback: FeedbackKind
    state_bits: int
    signed: bool


def layer_settings(
    layers: int,
    weights: Sequence[WeightFormat],
    *,
    fraction_bits: Sequence[int] | None,
    feedback_shifts: Sequence[int] | None,
    **more: Any,
) -> list[LayerSettings]:
    """One a layer. more: feedback, state_bits and signed, of all layers or one a layer.

    Raises NetworkError for another number of them.
    """
    default = [DEFAULT_FRACTION_BITS[kind] for kind in weights]
    columns: dict[str, Sequence[Any]] = {
        "weights": weights,
        "fraction_bits": one_a_layer("fraction_bits", _or(fraction_bits, default), layers),
        "feedback_shift": one_a_layer("feedback_shifts", _or(feedback_shifts, 0), layers),
    }
    columns |= {name: one_a_layer(name, given, layers) for name, given in more.items()}
    rows = zip(*columns.values(), strict=True)
    return [LayerSettings(**dict(zip(columns, row, strict=True))) for row in rows]


def _or(given: Any, default: Any) -> Any:
    return default if given is None else given


def one_a_layer(name: str, given: _Value | Sequence[_Value], layers: int) -> list[_Value]:
    """A list as it is, or one value for every layer. Raises NetworkError for another length."""
    found: list[Any] = list(given) if isinstance(given, list | tuple) else [given] * layers
    if len(found) != layers:
        with about(name):
            raise NetworkError(f"{name} must be {layers} values, one a layer, not {len(found)}")
    return found


@contextmanager
def about(what: str) -> Iterator[None]:
    """Marks an error that leaves it as one about `what`, such as `layers[2]`, unless it is marked.

    Raises the same error.
    """
    try:
        yield
    except NetworkError as error:
        error.where = error.where or what
        raise
