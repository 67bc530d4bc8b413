"""A target's run, told to the observers that also watch a session of the simulator.

A page that shows the core or Lava beside the simulator lets each feed an observer of its own; the
`first_difference` of their results says where they part.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from toreq_hw import sim
from toreq_hw.contract.feeding import feed
from toreq_hw.contract.phases import Phase
from toreq_hw.contract.ticks import Observer
from toreq_hw.network import Network
from toreq_hw.targets.target import Samples


def watch_phases(phases: Sequence[sim.PhaseResult], samples: Samples, observer: Observer) -> None:
    """Tells an observer of the phases of a run, one after another.

    phases: the free phase first, each with its trace. Raises InputError where one has none.
    """
    free = phases[0]
    outputs = free.states[free.network.output.name]
    nudge = sim.nudge(free.network, outputs, samples.labels)
    for result in phases:
        drive = np.int32(Phase(result.phase).sign) * nudge
        feed(result, samples.inputs, drive, observer)


def watch_core(
    network: Network, samples: Samples, observer: Observer, folder: Path, lanes: int = 16
) -> tuple[sim.PhaseResult, ...]:
    """Runs all phases on the compiled core and tells an observer of every tick.

    folder: takes the compiled core. Raises NetworkError where no core can hold the network.
    """
    from toreq_hw.rtl.parameters import CoreParameters
    from toreq_hw.rtl.simulation import simulate_core

    results = simulate_core(
        network,
        samples.inputs,
        samples.labels,
        parameters=CoreParameters.of(network, lanes),
        events=True,
        folder=folder,
    )
    watch_phases(results, samples, observer)
    return results


def watch_lava(
    network: Network, samples: Samples, observer: Observer, batch: int = 1
) -> tuple[sim.PhaseResult, ...]:
    """Runs all phases on Lava and tells an observer of what its probes wrote down, tick by tick.

    batch: samples side by side. Raises NetworkError where Lava cannot carry the network,
    DeploymentError where it dies.
    """
    from toreq_hw.lava_backend import lava_run

    targets = sim.targets(network.output, samples.labels)
    found = lava_run.run(network, samples.inputs, targets, batch=batch)
    watch_phases(found.phases, samples, observer)
    return found.phases
