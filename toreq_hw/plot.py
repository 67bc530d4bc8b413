"""Pictures of networks and of phases, drawn on axes of matplotlib: new ones, or those given.

import matplotlib.pyplot as plt
from toreq_hw import plot
result = sim.relax(net, inputs, trace=True)
fig, axes = plt.subplots(2, 2)
plot.states(result.trace, axes[0, 0]); plot.events(result.trace, axes[0, 1])
plot.energy(net, inputs[0], axes[1, 0]); plot.weights(net, "input-hidden", axes[1, 1])
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.trace import Trace
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.sim.session import Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

__all__ = ["energy", "events", "states", "weights"]


def _axes(axes: "Axes | None") -> "Axes":
    """The axes; those of a new figure where there are none."""
    if axes is not None:
        return axes
    from matplotlib import pyplot

    return pyplot.subplots()[1]


def states(
    trace: Trace, axes: "Axes | None" = None, *, population: str | None = None, sample: int = 0
) -> "AxesImage":
    """The states of one sample over ticks, a row a neuron; tick 0 is the start.

    population: the output unless named. Raises InputError for one that the trace does not have.
    """
    found = trace.states(sample)
    name = population if population is not None else list(found)[-1]
    if name not in found:
        raise InputError(f"population must be one of {', '.join(found)}, not {name!r:.60}")
    axes = _axes(axes)
    image = axes.imshow(found[name].T, aspect="auto", interpolation="nearest", origin="lower")
    axes.set_xlabel("tick")
    axes.set_ylabel("neuron")
    axes.set_title(f"states of {name}")
    return image


def events(trace: Trace, axes: "Axes | None" = None, *, sample: int = 0) -> None:
    """A dot for each change of a state: the tick, and the neuron, populations in file order."""
    trajectory = trace.trajectory(sample).astype(np.int32)
    tick, neuron = np.nonzero(np.diff(trajectory, axis=0))
    axes = _axes(axes)
    axes.plot(tick + 1, neuron, linestyle="none", marker=".", markersize=3)
    axes.set_xlabel("tick")
    axes.set_ylabel("neuron")
    axes.set_title(f"{len(tick)} events")


@named_type_errors
def energy(
    network: Network, sample: npt.ArrayLike, axes: "Axes | None" = None, *, engine: str = "event"
) -> npt.NDArray[np.int64]:
    """Twice the energy after each tick of the free phase of one sample, int64 (ticks + 1,).

    sample: integers (input.size,). It never rises. Raises InputError for a network without one.
    """
    if not network.has_energy:
        raise InputError("network must have an energy, found feedback of its own weights")
    session = Session(network, engine=engine)
    session.start(np.asarray(sample)[None])
    found = [int(session.phase.energy[0])]
    while not session.finished:
        found.append(int(session.step().registers.energy[0]))
    axes = _axes(axes)
    axes.step(range(len(found)), found, where="post")
    axes.set_xlabel("tick")
    axes.set_ylabel("energy x 2")
    axes.set_title("energy of the free phase")
    return np.array(found, dtype=np.int64)


@named_type_errors
def weights(network: Network, coupling: str, axes: "Axes | None" = None) -> npt.NDArray[np.int64]:
    """A histogram of the stored weights of one coupling; counts of -127..127, int64 (255,).

    Raises InputError for an unknown coupling.
    """
    by_name = {one.name: one for one in network.couplings}
    if coupling not in by_name:
        raise InputError(f"coupling must be one of {', '.join(by_name)}, not {coupling!r:.60}")
    stored = by_name[coupling].parameters.astype(np.int64).ravel()
    counts = np.bincount(stored + 127, minlength=255)
    used = np.flatnonzero(counts)
    low, high = (used[0], used[-1]) if len(used) else (127, 127)
    axes = _axes(axes)
    axes.bar(np.arange(low, high + 1) - 127, counts[low : high + 1], width=1.0)
    axes.set_xlabel("stored weight")
    axes.set_ylabel("parameters")
    axes.set_title(coupling)
    return counts
