"""How strongly neurons of a network move each other: what the slider of the couplings changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, log2

import numpy as np

from toreq_hw.contract.loop_gain import LoopGain
from toreq_hw.contract.loop_gain import loop_gain as gain_of
from toreq_hw.errors import InputError
from toreq_hw.network import (
    MAX_FRACTION_BITS,
    Coupling,
    Network,
    OwnFeedback,
    Schedule,
    WeightFormat,
)
from toreq_hw.network.bounds import largest_fraction_bits
from toreq_hw.observatory.recording import MOST_CELLS
from toreq_hw.sim.perturbation.reprogram import GRID_BITS


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

    Scaled weights become INT8, with the most fraction bits that hold the largest of them. Biases
    follow the new accumulators. Raises NetworkError where they do not fit the network, InputError
    for an unknown schedule.
    """
    updating = {population.name for population in network.updating}
    loop = [c for c in network.couplings if c.pre in updating and c.post in updating]
    if settings.gain != 1.0:
        network = _scaled(network, [c.name for c in loop], settings.gain)
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


def _scaled(network: Network, names: Sequence[str], gain: float) -> Network:
    """The network with some couplings times `gain`, rounded to INT8."""
    couplings: list[Coupling] = []
    for coupling in network.couplings:
        if coupling.name not in names:
            couplings.append(coupling)
            continue
        largest = max(1, int(np.abs(coupling.parameters).max(initial=0))) * gain
        finer = min(GRID_BITS, floor(log2(127 / largest))) if largest else 0
        most = max(coupling.fraction_bits, coupling.back_fraction_bits)
        finer = max(-coupling.fraction_bits, min(finer, MAX_FRACTION_BITS - most))
        words = np.rint(coupling.parameters * gain * 2.0**finer).clip(-127, 127)
        grid = replace(  # type: ignore[call-arg] # every kind has these fields
            coupling,
            fraction_bits=coupling.fraction_bits + finer,
            weight_format=WeightFormat.INT8,
        )
        couplings.append(grid.with_parameters(words.astype(np.int8)))
    biases = {}
    for population in network.relaxing:
        name = population.name
        more = largest_fraction_bits(couplings, name, network.terms)
        more -= network.accumulator_fraction_bits(name)
        scaled = np.rint(network.biases[name] * 2.0**more)
        biases[name] = scaled.astype(np.int32)
    return replace(network, couplings=tuple(couplings), biases=biases)


def loop_gain(network: Network) -> LoopGain | None:
    """The gain of the loop; None of trilinear terms, and of networks that are too large for it."""
    cells = sum(c.shape[0] * c.shape[1] for c in network.couplings)
    return None if network.terms or cells > MOST_CELLS else gain_of(network)
