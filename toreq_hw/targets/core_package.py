"""The exported bench of a core: test images, and what the simulator makes of them."""

from functools import partial

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.extras import extras_named
from toreq_hw.network import Network
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.package.devices import Devices
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.prefix import TOREQ

IMAGES = 10
"""Of a bench; the first test images."""


def bench_of(
    network: Network,
    parameters: CoreParameters,
    inputs: npt.NDArray[np.int16],
    labels: npt.NDArray[np.int64],
    bus: Bus,
    *,
    devices: Devices,
    prefix: str = TOREQ,
) -> dict[str, str]:
    """Files of a core's folder by their paths in it, beside those of `core_texts`.

    inputs: int16 (images, input.size). labels: int64 (images,). devices: of the targets for
    synthesis. prefix: of all names of modules and macros. Raises MissingDependencyError where
    the extra `rtl` is not installed.
    """
    with extras_named("the bench of a core"):
        from toreq_hw.rtl.package.vectors import Vectors
        from toreq_hw.rtl.package.writer import package_texts
    from toreq_hw.versions import release

    relax = partial(
        sim.relax,
        network,
        inputs,
        max_sweeps=parameters.max_sweeps,
        threshold=parameters.threshold or 0,
    )
    free = relax()
    drive = sim.nudge(network, free.states[network.output.name], labels)
    nudged = [relax(states=free.states, drive=np.int32(sign) * drive) for sign in (1, -1)]
    vectors = Vectors(parameters, inputs, labels, (free, *nudged))
    return package_texts(vectors, bus, release(), devices, prefix)
