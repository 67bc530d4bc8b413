"""Synops and estimated joules of a correct answer: counted operations times a chip's figures."""

import numpy as np
import numpy.typing as npt

from toreq_hw.lava_backend.mapper import estimate, load_chip, map_network
from toreq_hw.network import Network
from toreq_hw.targets.chip_report import activity_of_rates

ACCURACY = "accuracy, %"
SYNOPS, ANSWER = "synops an image", "synops a correct answer"
JOULES = "estimated uJ a correct answer"
LEAST, MOST = "estimated uJ a correct answer, least", "estimated uJ a correct answer, most"

CHIP = "loihi1"


def costs(
    net: Network, rates: dict[str, npt.NDArray[np.float64]], ticks: float, accuracy: float
) -> dict[str, float]:
    """What an image and a correct answer take, by the names above.

    rates: mean events of each neuron a sample, float64 (size,) by population, the input's too.
    ticks: a sample. accuracy: in per cent.
    """
    mapping = map_network(net, load_chip(CHIP))
    counted = activity_of_rates(net, mapping, rates, ticks)
    energy = estimate(net, mapping, counted).energy_per_sample_uj
    share = max(accuracy, 1e-9) / 100
    return {
        ACCURACY: accuracy,
        SYNOPS: counted.synops,
        ANSWER: counted.synops / share,
        JOULES: energy.value / share,
        LEAST: energy.low / share,
        MOST: energy.high / share,
    }
