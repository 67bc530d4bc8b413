"""Checks of a network's parts against each other: roles, ends of couplings, biases."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import Coupling
from toreq_hw.network.population import Population, Role
from toreq_hw.reading import shown

MAX_BETA_SHIFT = 15
"""Largest nudge shift: beta = 2^-15 is far below one state LSB already."""


def check_beta_shift(beta_shift: object) -> None:
    """Raises NetworkError unless it is an integer in range."""
    if type(beta_shift) is not int or not 0 <= beta_shift <= MAX_BETA_SHIFT:
        raise NetworkError(
            f"beta_shift must be an integer in 0..{MAX_BETA_SHIFT}, not {shown(beta_shift)}"
        )


def check_roles(populations: Sequence[Population]) -> None:
    """Raises NetworkError unless there is one input and one output, and names are unique."""
    for population in populations:
        if not isinstance(population, Population):
            raise NetworkError(f"populations must be Population objects, not {shown(population)}")
    names = [p.name for p in populations]
    for name in names:
        if names.count(name) > 1:
            raise NetworkError(f"population names must be unique, found {shown(name)} twice")
    for role in (Role.INPUT, Role.OUTPUT):
        found = sum(p.role is role for p in populations)
        if found != 1:
            raise NetworkError(f"a network must have one {role.value} population, found {found}")


def check_terminals(
    populations: Sequence[Population], couplings: Sequence[Coupling], *, of_phase: bool
) -> None:
    """Raises NetworkError where a coupling does not fit its two populations, or is a second one.

    of_phase: the input is another one than that for which the couplings were made, and may be the
    post of one.
    """
    by_name = {p.name: p for p in populations}
    pairs: set[frozenset[str]] = set()
    for coupling in couplings:
        if not isinstance(coupling, Coupling):
            raise NetworkError(f"couplings must be Coupling objects, not {shown(coupling)}")
        for end in (coupling.pre, coupling.post):
            if end not in by_name:
                raise NetworkError(
                    f"coupling {shown(coupling.name)}: both ends must be populations "
                    f"({', '.join(by_name)}), found {shown(end)}"
                )
        if by_name[coupling.post].role is Role.INPUT and not of_phase:
            raise NetworkError(
                f"coupling {shown(coupling.name)}: nothing flows back to the input, so its post "
                f"end must not be the input {shown(coupling.post)}"
            )
        coupling.check_ends(by_name[coupling.pre], by_name[coupling.post])
        pair = frozenset((coupling.pre, coupling.post))
        if pair in pairs:
            raise NetworkError(
                f"coupling {shown(coupling.name)}: two populations share at most one coupling "
                "(it is used both ways), found a second"
            )
        pairs.add(pair)


def checked_biases(
    populations: Sequence[Population], biases: Mapping[str, npt.NDArray[np.int32]]
) -> Mapping[str, npt.NDArray[np.int32]]:
    """A bias per relaxing population, read-only int32 (size,), zero where none is given.

    Raises NetworkError.
    """
    relaxing = {p.name: p for p in populations if p.role is not Role.INPUT}
    for name in biases:
        if name not in relaxing:
            raise NetworkError(
                f"bias {shown(name)}: must belong to a hidden or output population "
                f"({', '.join(relaxing)})"
            )
    checked = {}
    for name, population in relaxing.items():
        bias = biases.get(name, np.zeros(population.biases, dtype=np.int32))
        if isinstance(bias, np.ma.MaskedArray):
            raise NetworkError(f"bias {shown(name)}: must be an array without a mask")
        if not isinstance(bias, np.ndarray) or bias.dtype != np.int32:
            found = getattr(bias, "dtype", type(bias).__name__)
            raise NetworkError(f"bias {shown(name)}: must be an int32 array, not {found}")
        if bias.shape not in ((population.size,), (population.biases,)):
            raise NetworkError(
                f"bias {shown(name)}: must have shape ({population.biases},), not {bias.shape}"
            )
        copy = _one_a_neuron(population, bias)
        copy.flags.writeable = False
        checked[name] = copy
    return MappingProxyType(checked)


def _one_a_neuron(population: Population, bias: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """A copy of `bias`, (biases,) or (size,), as (size,). Raises NetworkError for unequal ones."""
    found = population.spread_biases(bias[: population.biases])
    if bias.size == population.size and not np.array_equal(found, bias):
        i = int(np.argmax(found != bias))
        raise NetworkError(
            f"bias {shown(population.name)}: neurons of a channel must have one bias, found "
            f"{found[i]} and {bias[i]} in channel {i % population.biases}"
        )
    return np.array(found, dtype=np.int32, order="C")
