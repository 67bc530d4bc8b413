"""The network of a phase in which other populations than the input are clamped.

docs/numerics.md, section 4. A clamped population keeps its states; all others relax, the input
too, unless it is clamped. Then what couplings from the input join holds both ways.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from toreq_hw.errors import NetworkError, ToreqError
from toreq_hw.network.population import Population, Role
from toreq_hw.network.readout import RELAXING_INSTEAD
from toreq_hw.network.schedule import Schedule
from toreq_hw.reading import shown

if TYPE_CHECKING:
    from toreq_hw.network.network import Network


def clamping(network: "Network", names: Collection[str]) -> "Network":
    """`network` as it is while exactly the populations `names` are clamped.

    If the input is not among them, one of them takes its role, the output before others. The input
    then takes the role of that one, and relaxes with biases of zero. Raises NetworkError.
    """
    clamped = frozenset([names] if isinstance(names, str) else names)
    known = [p.name for p in network.populations]
    for name in sorted(clamped - set(known)):
        raise NetworkError(f"clamped populations must be of {', '.join(known)}, not {shown(name)}")
    if not clamped or len(clamped) == len(known):
        raise NetworkError(
            f"clamped populations must be some of {', '.join(known)}, found "
            f"{'all' if clamped else 'none'}"
        )
    if clamped == {network.input.name}:
        return network
    if network.readout is not None:
        raise NetworkError(
            f"population {shown(network.output.name)}: readout must be relaxing where other "
            f"populations are clamped, found clamped; {RELAXING_INSTEAD}"
        )
    if network.terms:
        raise NetworkError(
            "terms must join two populations where other populations than the input are clamped, "
            f"found {network.terms[0].name!r} of three"
        )
    if not isinstance(network.schedule, Schedule):
        raise NetworkError(
            "schedule must be parity, sequential or synchronous where other populations than the "
            f"input are clamped, not {network.sweep.name}"
        )
    populations = _with_roles(network, clamped)
    driver = next(p.name for p in populations if p.role is Role.INPUT)
    biases = {name: bias for name, bias in network.biases.items() if name != driver}
    return replace(network, populations=populations, biases=biases, clamped=clamped)


def _with_roles(network: "Network", clamped: frozenset[str]) -> tuple[Population, ...]:
    """The populations, a clamped one of which is the input."""
    if network.input.name in clamped:
        return network.populations
    held = [p for p in network.populations if p.name in clamped]
    driver = network.output if network.output in held else held[0]
    roles = {driver.name: Role.INPUT, network.input.name: driver.role}
    return tuple(replace(p, role=roles.get(p.name, p.role)) for p in network.populations)


def check_clamped(network: "Network") -> None:
    """Raises NetworkError where the populations that a phase clamps cannot be so."""
    if not network.clamped:
        return
    names = {p.name for p in network.populations}
    if not network.clamped < names or network.input.name not in network.clamped:
        raise NetworkError(
            "clamped populations must be the input and some others, found "
            f"{', '.join(sorted(network.clamped))}"
        )


def require_input_clamped(
    network: "Network", where: str, error: type[ToreqError] = NetworkError
) -> None:
    """Raises `error` for the network of a phase that clamps others; where: "in a network file"."""
    if network.clamped:
        raise error(
            f"clamped populations must be the input alone {where}, found "
            f"{', '.join(sorted(network.clamped))}"
        )
