"""A core in simulation: samples through the compiled model, as results of phases."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.phases import PHASES
from toreq_hw.contract.results import PhaseResult
from toreq_hw.network import Network, check_classes, check_states
from toreq_hw.rtl.cxxrtl import CompiledCore
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.reply import phase_results

FOLDER = Path("build/rtl/cxxrtl")
"""Where compiled models are kept between runs."""


@named_type_errors
def simulate_core(
    network: Network,
    inputs: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    *,
    parameters: CoreParameters | None = None,
    events: bool = False,
    folder: Path = FOLDER,
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[PhaseResult, ...]:
    """Runs every sample through the core's netlist, compiled, cycle for cycle.

    inputs: integers (samples, input.size). labels: classes (samples,); with them the two nudged
    phases follow the free one. parameters: of the core; 16 lanes if not given. events: keep every
    event of a lossless core, so that results have traces. folder: takes the compiled model. watch:
    told how many samples have run, of how many.

    Returns a result a phase; `costs["cycles"]` are those of the core's own counter.
    Raises NetworkError where no core can hold the network, InputError for samples that do not
    fit it, MissingDependencyError without g++.
    """
    core = parameters or CoreParameters.of(network, 16)
    images = check_states(network.input, inputs)
    classes = np.zeros(len(images), dtype=np.int64)
    phases = core.phases[:1]
    if labels is not None:
        classes = check_classes(network, labels, len(images))
        phases = core.phases[: len(PHASES)]
    watch(0, len(images))
    replies = []
    with closing(CompiledCore(core, MemoryImages.of(network, core), folder)) as model:
        run = model.watch if events else model.run
        for number, (image, label) in enumerate(zip(images, classes.tolist(), strict=True)):
            replies.append(run(image, [(int(phase.command), label) for phase in phases]))
            watch(number + 1, len(images))
    return tuple(phase_results(network, PHASES[: len(phases)], replies))
