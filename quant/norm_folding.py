"""Where a BatchNorm1d of a state_dict stands, and how it is folded into a Linear layer.

It is taken to stand between its Linear and the ReLU behind that. In a `Sequential`, whose numbers
are places, it can also stand behind the ReLU, or before the first layer; then it is folded into the
layer that it stands before. Negative means cannot be those of what a ReLU gives. Means without a
negative one are refused where a name alone puts the norm before the ReLU.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.layer_order import numbers, weight_of
from toreq_hw.reading import shown


@dataclass
class Linear:
    """weight: float64 (n_in, n_out); bias: float64 (n_out,)."""

    name: str
    weight: Reals
    bias: Reals


@dataclass(frozen=True, eq=False)
class Norm:
    """x becomes x * scale + shift, float64 (n,) each. means: the running ones."""

    name: str
    scale: Reals
    shift: Reals
    means: Reals

    def error(self, must: str) -> NetworkFileError:
        """The error that names one of its tensors."""
        return NetworkFileError(f"tensor {shown(f'{self.name}.running_mean')}: must {must}")


@dataclass(frozen=True)
class _Place:
    """Of which layer, and whether it takes what that layer gives or gives what it takes."""

    layer: int
    follows: bool


def fold(norms: Sequence[Norm], layers: list[Linear]) -> None:
    """Folds each norm into one layer, in place. Raises NetworkFileError naming a tensor."""
    taken: dict[_Place, Norm] = {}
    for norm in norms:
        place = _place(norm, layers)
        if place in taken:
            raise norm.error(f"have a place of its own, found that of {shown(taken[place].name)}")
        taken[place] = norm
        layer = layers[place.layer]
        width = layer.weight.shape[place.follows]
        if len(norm.means) != width:
            raise norm.error(
                f"have shape ({width},), to go with {shown(weight_of(layer.name))}, not "
                f"({len(norm.means)},)"
            )
        if place.follows:
            layer.weight = layer.weight * norm.scale
            layer.bias = layer.bias * norm.scale + norm.shift
        else:
            layer.bias = layer.bias + norm.shift @ layer.weight
            layer.weight = layer.weight * norm.scale[:, None]


def _place(norm: Norm, layers: Sequence[Linear]) -> _Place:
    parent, _, own = norm.name.rpartition(".")
    siblings = {
        int(last): index
        for index, layer in enumerate(layers)
        for above, _, last in (layer.name.rpartition("."),)
        if above == parent and last.isdecimal()
    }
    if own.isdecimal() and siblings:
        return _place_by_number(norm, int(own), siblings)
    place = _place_by_name(norm, layers)
    if place.follows and place.layer < len(layers) - 1 and norm.means.any():
        _check_before_relu(norm)
    return place


def _check_before_relu(norm: Norm) -> None:
    """Means of a name alone: those of sums have both signs, those of what a ReLU gives have not."""
    if (norm.means >= 0).all():
        raise norm.error(
            "have negative means, as sums before a ReLU have, found none; tell by numbers of one "
            "Sequential where it stands: 0 Linear, 1 norm, 3 Linear, or behind the ReLU 0, 2, 3"
        )


def _place_by_name(norm: Norm, layers: Sequence[Linear]) -> _Place:
    same = [k for k, layer in enumerate(layers) if numbers(layer.name) == numbers(norm.name)]
    if numbers(norm.name) and len(same) == 1:
        return _Place(same[0], follows=True)
    size = len(norm.means)
    wide = [k for k, layer in enumerate(layers) if len(layer.bias) == size]
    takes_inputs = len(layers[0].weight) == size
    if len(wide) == 1 and not takes_inputs:
        return _Place(wide[0], follows=True)
    if takes_inputs and not wide:
        return _Place(0, follows=False)
    raise norm.error("tell by a number which Linear it follows, as bn2 follows fc2")


def _place_by_number(norm: Norm, own: int, siblings: dict[int, int]) -> _Place:
    """siblings: layers by their number in the same Sequential."""
    before = max((number for number in siblings if number < own), default=None)
    after = min((number for number in siblings if number > own), default=None)
    if before == own - 1:
        return _Place(siblings[before], follows=True)
    if after == own + 1 and before is None:
        return _Place(siblings[after], follows=False)
    if after == own + 1:
        if (norm.means < 0).any():
            raise norm.error(
                f"not be negative behind the ReLU that {before}.. to {own} leave room for, found "
                f"{norm.means.min():.3g}"
            )
        return _Place(siblings[after], follows=False)
    if before is not None and (norm.means < 0).any():
        return _Place(siblings[before], follows=True)
    raise norm.error(
        "tell whether the ReLU stands before or behind it, by a number next to that of a Linear"
    )
