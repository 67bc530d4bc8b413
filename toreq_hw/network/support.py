"""What a reader refuses that knows plain neurons and symmetric couplings of pairs only."""

from typing import TYPE_CHECKING

from toreq_hw.errors import NetworkError, ToreqError
from toreq_hw.network.clamping import require_input_clamped
from toreq_hw.network.feedback import require_symmetric_feedback
from toreq_hw.network.readout import require_relaxing_output

if TYPE_CHECKING:
    from toreq_hw.network.network import Network


def require_plain(network: "Network", where: str, error: type[ToreqError] = NetworkError) -> None:
    """Raises `error` for what `require_pairs` does, and for a clamped readout.

    where: the reader, such as "on nengo" or "for the core".
    """
    require_relaxing_output(network, where, error)
    require_pairs(network, where, error)


def require_pairs(network: "Network", where: str, error: type[ToreqError] = NetworkError) -> None:
    """Raises `error` for feedback of its own, trilinear terms, budget rows, and several classes.

    So it does for the network of a phase that clamps other populations than the input.
    """
    require_input_clamped(network, where, error)
    require_symmetric_feedback(network, where, error)
    if network.readout is not None and network.readout.rows > 1:
        raise error(f"readout must name one class {where}, found {network.readout.rows} rows")
    for term in network.terms:
        raise error(f"terms must join two populations {where}, found {term.name!r} of three")
    for population in network.updating:
        if population.rows is not None:
            raise error(f"neurons must update alone {where}, found rows in {population.name!r}")
