"""A network as a `nengo.Network`, bit-exact, to be used alone or inside a larger model.

    with nengo.Network() as model:
        digits = nengo.Node(nengo.processes.PresentInput(images, presentation_time))
        part = build(network, Presentation(phase_steps=64))
        nengo.Connection(digits, part.input, synapse=None)
        answer = nengo.Probe(part.class_node)

The default dt of 1 ms makes a presentation `phases * phase_steps` milliseconds long.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.lava_backend.nengo_neurons import RelaxingNeurons
from toreq_hw.lava_backend.nengo_shim import nengo
from toreq_hw.network import Need, Network, Population, require, require_plain

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Presentation:
    """How long a sample is shown: `phases` (1 free, or 3 with both nudged) of `phase_steps`.

    The first step of a phase starts it, the others are ticks; whether a phase settled in
    time is for the caller to check (`nengo_run` does).
    """

    phase_steps: int
    phases: int = 1
    dt: float = 0.001

    @property
    def steps(self) -> int:
        """Time steps of a whole presentation."""
        return self.phases * self.phase_steps

    def step_of(self, t: float) -> int:
        """Number of the time step that ends at time `t`, from 0."""
        return round(t / self.dt) - 1


@named_type_errors
def check(network: Network) -> None:
    """Raises NetworkError, with a way to correct it, where the Nengo network cannot carry it."""
    require_plain(network, "on nengo")
    require(network.sweep, "on nengo", Need.ALWAYS_SETTLES, Need.VISITS_EACH_NEURON_ONCE)


@named_type_errors
def build(network: Network, presentation: Presentation) -> Any:
    """The network as a `nengo.Network`, with these attributes.

    input: node of input.size that takes input states, held during a presentation or at least
    in its first step. target: node of output.size for nudged phases. populations: ensembles by
    name; their neurons can be probed for "level" (states) and "output" (events). class_node:
    the class of the largest output state so far, ties to the lowest index.
    """
    check(network)
    with nengo.Network(label="toreq_hw") as net:
        net.config[nengo.Connection].synapse = 0  # exactly one step
        net.input = _gate(network.input.size, presentation, first_step=0)
        net.target = _gate(network.output.size, presentation, first_step=presentation.phase_steps)
        net.populations = {p.name: _ensemble(network, p, presentation) for p in network.relaxing}
        ends = {name: ensemble.neurons for name, ensemble in net.populations.items()}
        ends[network.input.name] = net.input
        for p in network.projections:
            transform = p.matrix.T.astype(np.float64) * (1 << p.shift)
            nengo.Connection(ends[p.source.name], ends[p.target.name], transform=transform)
        output = ends[network.output.name]
        if presentation.phases > 1:
            nengo.Connection(net.target, output, synapse=None)
        net.class_node = nengo.Node(
            _ClassReadout(network.output.size, presentation), size_in=network.output.size
        )
        nengo.Connection(output, net.class_node)
    return net


def _gate(size: int, presentation: Presentation, first_step: int) -> Any:
    """A node that lets its input through in one step of each presentation: an event, once."""

    def gate(t: float, x: Floats) -> Floats:
        passes = presentation.step_of(t) % presentation.steps == first_step
        return x if passes else np.zeros_like(x)

    return nengo.Node(gate, size_in=size)


def _ensemble(network: Network, population: Population, presentation: Presentation) -> Any:
    name, size = population.name, population.size
    colour = network.sweep.colour_of(name).astype(np.float64)
    neurons = RelaxingNeurons(
        fraction_bits=network.accumulator_fraction_bits(name),
        state_min=population.state_min,
        state_max=population.state_max,
        colours=len(network.colours),
        phase_steps=presentation.phase_steps,
        phases=presentation.phases,
        beta_shift=network.beta_shift if population is network.output else None,
        initial_state={"offset": network.biases[name].astype(np.float64), "colour": colour},
    )
    return nengo.Ensemble(
        size,
        dimensions=1,
        neuron_type=neurons,
        gain=np.ones(size),
        bias=np.zeros(size),
        encoders=np.ones((size, 1)),
        label=name,
    )


class _ClassReadout:
    """Adds up the output's events of a presentation and names the largest state."""

    def __init__(self, size: int, presentation: Presentation) -> None:
        self._presentation = presentation
        self._states = np.zeros(size)

    def __call__(self, t: float, change: Floats) -> int:
        if (self._presentation.step_of(t) - 1) % self._presentation.steps == 0:
            self._states[:] = 0  # the step before started a presentation
        self._states += change
        return int(self._states.argmax())
