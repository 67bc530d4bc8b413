"""What a perturbation layer is: a small frozen object that says what goes wrong, where and when.

A layer acts at one of these points (docs/robustness.md):
    WeightLayer  when weights are programmed: gives another `Network`, for every engine;
    StartLayer   on standing states, before a phase continues from them;
    PhaseLayer   tick by tick while a phase runs: adds to a `Disturbance`;
and a LearningLayer on the updates of on-chip learning, which no phase sees.
With no layer nothing of this runs; with level 0 a layer changes nothing.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.json_values import JsonObject
from toreq_hw.network import (
    Coupling,
    Network,
    Population,
    Role,
    require_pairs,
    require_plain,
)
from toreq_hw.reading.fields import shown
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.suggestions import look_up, none_of

States = dict[str, npt.NDArray[np.int16]]

KINDS: dict[str, type["Layer"]] = {}
"""Every concrete layer by the name it has in JSON and on the command line."""


@dataclass(frozen=True)
class Layer:
    """level: how strong, in `domain`; what it measures is in each layer's `unit`. seed: of all its
    draws, 0 .. 2^32 - 1. place: one coupling or population by name; "" is every sensible one.

    quiescence: whether a relaxation still always ends by itself, and what ends it otherwise.
    full_damage: a level at which nothing of the network can be left, the control of a campaign.
    on_settled: acts on a settled network, which then relaxes again; else from a fresh start.
    Raises InputError for a level outside the domain, a bad seed, or an unknown place.
    """

    level: float
    seed: int = 0
    place: str = ""

    kind: ClassVar[str] = ""
    unit: ClassVar[str] = ""
    domain: ClassVar[tuple[float, float]] = (0.0, 1.0)
    quiescence: ClassVar[str] = "guaranteed"
    full_damage: ClassVar[float | None] = None
    on_settled: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" in cls.__dict__:
            KINDS[cls.kind] = cls

    def __post_init__(self) -> None:
        low, high = self.domain
        number = isinstance(self.level, int | float) and not isinstance(self.level, bool)
        if not number or not low <= self.level <= high:
            raise InputError(
                f"level of {self.kind} must be in {low:g}..{high:g} ({self.unit}), "
                f"not {self.level!r}"
            )
        if not _is(self.seed, int) or not 0 <= self.seed < 1 << 32:
            raise InputError(f"seed of {self.kind} must be in 0..2^32 - 1, not {self.seed!r}")
        if not isinstance(self.place, str):
            raise InputError(f"place of {self.kind} must be a name, not {self.place!r}")
        for field in fields(self):
            value, kinds = getattr(self, field.name), get_args(field.type) or (field.type,)
            if not any(_is(value, kind) for kind in kinds):
                words = " or ".join(_WORDS[kind] for kind in kinds)
                raise InputError(f"{field.name} of {self.kind} must be {words}, not {shown(value)}")

    def to_json(self) -> JsonObject:
        """Plain JSON values; `from_json` gives the equal layer back."""
        return {"kind": self.kind, **asdict(self)}

    def generator(self) -> np.random.Generator:
        """This layer's own stream: equal seeds of different kinds share nothing."""
        return np.random.default_rng((self.seed, zlib.crc32(self.kind.encode())))

    def couplings(self, network: Network) -> tuple[Coupling, ...]:
        """The couplings it acts on: `place`, or all."""
        found = tuple(c for c in network.couplings if self.place in ("", c.name))
        if not found:
            names = ", ".join(c.name for c in network.couplings)
            raise InputError(f"place of {self.kind} must be a coupling ({names}), not {self.place}")
        return found

    def populations(self, network: Network, *, output: bool = True) -> tuple[Population, ...]:
        """The relaxing populations it acts on: `place`, or all (without the output if asked)."""
        if not self.place:
            hidden = tuple(p for p in network.relaxing if output or p.role is Role.HIDDEN)
            return hidden or network.relaxing
        found = tuple(p for p in network.relaxing if p.name == self.place)
        if not found:
            names = ", ".join(p.name for p in network.relaxing)
            raise InputError(
                f"place of {self.kind} must be a relaxing population ({names}), not {self.place}"
            )
        return found


_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "a text",
}


def _is(value: object, kind: object) -> bool:
    """Whether a setting is of its type; whole numbers fit 64 bits, and count as numbers."""
    if kind is float:
        return _is(value, int) or (type(value) is float and math.isfinite(value))
    if kind is int:
        return type(value) is int and -(1 << 63) <= value < 1 << 63
    return type(value) is kind


class WeightLayer(Layer):
    """Acts once, when weights are programmed; the result is a network like any other."""

    def program(self, network: Network) -> Network:
        """The network as it comes out of this layer.

        Every concrete layer has its own; this one raises NotImplementedError.
        """
        raise NotImplementedError


class StartLayer(Layer):
    """Disturbs standing states once; the neighbours feel the new states from the first tick on."""

    on_settled: ClassVar[bool] = True

    def disturb(self, network: Network, states: States) -> States:
        """The states to continue from, int16 (batch, size) per relaxing population.

        Every concrete layer has its own; this one raises NotImplementedError.
        """
        raise NotImplementedError


class PhaseLayer(Layer):
    """Acts in the ticks of a phase."""

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """`disturbance` with this layer's part for `batch` samples added.

        Every concrete layer has its own; this one raises NotImplementedError.
        """
        raise NotImplementedError


class LearningLayer(Layer):
    """Acts on the updates of on-chip learning (`uneven.UnevenTrainer`); nothing else feels it."""


@named_type_errors
def make_layer(kind: str, **settings: Any) -> Layer:
    """The layer called `kind`. Raises InputError for an unknown kind or setting."""
    layer = look_up(dict(sorted(KINDS.items())), kind, "layer", InputError)
    known = [f.name for f in fields(layer)]
    for name in settings:
        if name not in known:
            raise InputError(none_of(f"settings of {kind}", name, known))
    if "level" not in settings:
        raise InputError(f"layer {kind} must have a level, found none")
    return layer(**settings)


@named_type_errors
def from_json(record: JsonObject) -> Layer:
    """The inverse of `Layer.to_json`. Raises InputError."""
    if not isinstance(record, dict) or "kind" not in record:
        raise InputError(f"a layer must be a JSON object with a 'kind', not {record!r:.60}")
    return make_layer(**record)


def check_layers(layers: Sequence[Layer]) -> None:
    """Raises InputError for what is no layer; it would be left out."""
    for layer in layers:
        if not isinstance(layer, Layer):
            raise InputError(f"layers must be such as make_layer gives, not {shown(layer)}")


def check_fits(layer: Layer, network: Network) -> None:
    """Raises InputError for a network that knows what a layer cannot damage."""
    if isinstance(layer, WeightLayer):
        require_pairs(network, f"under {layer.kind}", InputError)
    if isinstance(layer, StartLayer):
        require_plain(network, "under damage of standing states", InputError)
    if isinstance(layer, PhaseLayer):
        require_plain(network, f"under {layer.kind}", InputError)


@named_type_errors
def program(network: Network, layers: Sequence[Layer]) -> Network:
    """The network after every weight layer, in order; without one, `network` itself."""
    check_layers(layers)
    for layer in layers:
        if isinstance(layer, WeightLayer):
            check_fits(layer, network)
            network = layer.program(network)
    return network


@named_type_errors
def disturb(network: Network, states: States, layers: Sequence[Layer]) -> States:
    """The states after every start layer, in order, int16 (batch, size) per relaxing population.

    Raises InputError for states out of range, and for a clamped readout.
    """
    check_layers(layers)
    standing = [layer for layer in layers if isinstance(layer, StartLayer)]
    if standing:
        check_fits(standing[0], network)
        layout = Layout(network)
        states = layout.split(layout.join(states))
    for layer in layers:
        if isinstance(layer, StartLayer):
            states = layer.disturb(network, states)
    return states


@named_type_errors
def disturbance(network: Network, batch: int, layers: Sequence[Layer]) -> Disturbance:
    """What all phase layers together do to `batch` samples of one phase.

    Raises InputError for a clamped readout: no layer knows what damage does to its accumulators.
    The same for feedback of its own.
    """
    check_layers(layers)
    total = Disturbance.none(network)
    for layer in layers:
        if isinstance(layer, PhaseLayer):
            check_fits(layer, network)
            total = layer.add(network, batch, total)
    return total
