"""How strongly neurons of a network move each other: what the slider of the couplings changes."""

from dataclasses import dataclass, replace

import numpy as np

from toreq_hw.contract.loop_gain import LoopGain
from toreq_hw.contract.loop_gain import loop_gain as gain_of
from toreq_hw.errors import InputError
from toreq_hw.network import Network, OwnFeedback, Schedule
from toreq_hw.observatory.recording import MOST_CELLS
from toreq_hw.sim.scaled_couplings import with_gain


@dataclass(frozen=True)
class Settings:
    """What is changed of a network. gain: of couplings between populations that update.

    schedule: its name, empty for the network's own. own_feedback: whether those couplings get
    fixed weights of their own for the way back: their own ones, shuffled.
    """

    gain: float = 1.0
    schedule: str = ""
    own_feedback: bool = False


def changed(network: Network, settings: Settings) -> Network:
    """The network under some settings; itself where they change nothing.

    Raises NetworkError where they do not fit the network, InputError for an unknown schedule.
    """
    updating = {population.name for population in network.updating}
    loop = [c for c in network.couplings if c.pre in updating and c.post in updating]
    if settings.gain != 1.0:
        network = with_gain(network, [c.name for c in loop], settings.gain)
    names = [schedule.value for schedule in Schedule]
    if settings.schedule and settings.schedule not in names:
        raise InputError(f"schedule must be {', '.join(names)}, not {settings.schedule!r}")
    if settings.schedule:
        network = replace(network, schedule=Schedule(settings.schedule))
    if settings.own_feedback:
        names, rng = [c.name for c in loop if not c.is_self_coupling], np.random.default_rng(1)
        network = replace(
            network,
            couplings=tuple(
                replace(c, own_feedback=OwnFeedback(rng.permuted(c.parameters)))
                if c.name in names
                else c
                for c in network.couplings
            ),
        )
    return network


def loop_gain(network: Network) -> LoopGain | None:
    """The gain of the loop; None of trilinear terms, and of networks that are too large for it."""
    cells = sum(c.shape[0] * c.shape[1] for c in network.couplings)
    return None if network.terms or cells > MOST_CELLS else gain_of(network)
