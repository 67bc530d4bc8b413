"""Do the simulator's engines agree, on every state of every tick of every phase?"""

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.phases import NUDGED_PHASES
from toreq_hw.network import Network
from toreq_hw.studies.screen import NO_SCREEN, Screen

PART = 500
"""Images relaxed between two steps of a bar."""


def compare_engines(
    net: Network,
    inputs: npt.NDArray[np.int16],
    labels: npt.NDArray[np.int64],
    threshold: int = 0,
    screen: Screen = NO_SCREEN,
) -> str | None:
    """The first disagreement between the engines, in any tick of any phase; None without one.

    The free phase and both nudged phases are compared. inputs: (batch, input.size); labels:
    (batch,).
    """
    with screen.bar("comparing engines", len(inputs)) as bar:
        for first in range(0, len(inputs), PART):
            part = slice(first, first + PART)
            if difference := _compare_part(net, inputs[part], labels[part], threshold):
                return f"{difference} (counted from image {first})"
            bar.advance(len(inputs[part]))
    return None


def _compare_part(
    net: Network, inputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64], threshold: int
) -> str | None:
    expected: list[sim.PhaseResult] = []
    for name in sim.EngineName:
        free = sim.relax(net, inputs, engine=name, threshold=threshold, trace=True)
        nudged_results = (
            sim.nudged_phase(
                net, inputs, free, labels, nudged.sign, engine=name, threshold=threshold, trace=True
            )
            for nudged in NUDGED_PHASES
        )
        phases = [free, *nudged_results]
        expected = expected or phases
        for mine, found in zip(expected, phases, strict=True):
            if difference := sim.first_difference(mine, found):
                return f"{name.value} against reference, {difference}"
    return None
