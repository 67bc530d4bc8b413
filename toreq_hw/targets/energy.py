"""An ESTIMATE of a design's energy per image, from the core's activity on real test images."""

from pathlib import Path

import numpy as np

from toreq_hw import data, sim
from toreq_hw.boards.board import Board
from toreq_hw.boards.energy.activity import activity
from toreq_hw.boards.energy.coefficients import coefficients
from toreq_hw.boards.energy.estimate import energy
from toreq_hw.errors import ReportError
from toreq_hw.network import Network
from toreq_hw.records.energy import EnergyEstimate, EnergyRecord
from toreq_hw.rtl.parameters import CoreParameters

IMAGES = 10
"""The first ones of the test set."""

FOLDER = Path("build/synth/activity")


def energy_record(
    network: Network,
    parameters: CoreParameters,
    dataset: data.Dataset,
    board: Board,
    *,
    flip_flops: int,
    clock_hz: float,
) -> EnergyRecord:
    """Activity, coefficients with their sources and ranges in uJ, or why there are none.

    Raises ReportError where the core that was counted does not answer as the simulator does.
    """
    known = coefficients(board.capacity)
    if isinstance(known, str):
        return EnergyRecord(absent=known)
    images = dataset.test.images[:IMAGES]
    inputs = data.encode(images, dataset.pixel_max, network.input)
    counted = activity(network, parameters, inputs, FOLDER)
    wanted = sim.relax(network, inputs, max_sweeps=parameters.max_sweeps).classes
    if not np.array_equal(counted.classes, wanted):
        raise ReportError(
            f"classes of the core whose toggles are counted must be {wanted.tolist()}, found "
            f"{list(counted.classes)}"
        )
    uj = energy(counted, flip_flops, clock_hz, known).record()
    return EnergyRecord.of(EnergyEstimate(counted, flip_flops, known, uj))
