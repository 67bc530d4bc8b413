"""The neuron type of relaxing populations in Nengo: integers in float64, one rounding.

Every number stays far below 2^53, so floating point is exact. The neurons keep time themselves. A
presentation is one phase (free) or three (free, positive, negative) of a fixed number of steps. Its
first step starts the phase; the others are ticks.
"""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.lava_backend.nengo_shim import nengo

Floats = npt.NDArray[np.float64]


class RelaxingNeurons(nengo.neurons.NeuronType):
    """s <- clip((a + 2^(F-1)) >> F, s_min, s_max) in the ticks of a neuron's colour.

    The output is the change of the state, once, in the step in which it happened: a graded
    event. Connect with synapse=0, which delays by exactly one step. Use gain 1 and bias 0; the
    network's biases (`offset`) and in which tick of a sweep each neuron is updated (`colour`)
    are given in `initial_state`, arrays of shape (neurons,). A nudged population takes its
    target as input in the first step of the positive phase.
    """

    probeable = ("output", "level", "accumulator")
    negative = True
    spiking = False
    state: ClassVar[dict[str, Any]] = dict.fromkeys(
        (
            "offset",
            "colour",
            "accumulator",
            "level",
            "equilibrium_accumulator",
            "equilibrium",
            "drive",
            "clock",
        ),
        nengo.dists.Choice([0]),
    )

    fraction_bits = nengo.params.IntParam("fraction_bits", low=0)
    state_min = nengo.params.IntParam("state_min")
    state_max = nengo.params.IntParam("state_max")
    colours = nengo.params.IntParam("colours", low=1)
    phase_steps = nengo.params.IntParam("phase_steps", low=2)
    phases = nengo.params.IntParam("phases", low=1, high=3)
    beta_shift = nengo.params.IntParam("beta_shift", low=0, optional=True)

    def __init__(
        self,
        *,
        fraction_bits: int,
        state_min: int,
        state_max: int,
        colours: int,
        phase_steps: int,
        phases: int,
        beta_shift: int | None,
        initial_state: dict[str, Any],
    ) -> None:
        super().__init__(initial_state)
        self.fraction_bits = fraction_bits
        self.state_min = state_min
        self.state_max = state_max
        self.colours = colours
        self.phase_steps = phase_steps
        self.phases = phases
        self.beta_shift = beta_shift

    def max_rates_intercepts(self, gain: Floats, bias: Floats) -> tuple[Floats, Floats]:
        """Nengo asks every neuron type; these have no tuning curve, so gain and bias stay."""
        return gain, bias

    def step(self, dt: float, J: Floats, output: Floats, **state: Floats) -> None:  # noqa: N803 -- Nengo's name
        """One time step, in place on `output` and the state arrays."""
        now = int(state["clock"][0])
        phase, tick = divmod(now % (self.phases * self.phase_steps), self.phase_steps)
        output[:] = 0
        if tick == 0:
            self._start(phase, J, state)
        else:
            state["accumulator"] += J
            self._update((tick - 1) % self.colours, output, state)
        state["clock"] += 1

    def _update(self, colour: int, output: Floats, state: dict[str, Floats]) -> None:
        half = rounding_half(self.fraction_bits)
        rounded = np.floor((state["accumulator"] + half) / (1 << self.fraction_bits))
        new = np.clip(rounded, self.state_min, self.state_max)
        due = state["colour"] == colour
        output[due] = new[due] - state["level"][due]
        state["level"][due] = new[due]

    def _start(self, phase: int, target: Floats, state: dict[str, Floats]) -> None:
        if phase == 0:
            state["level"][:] = 0
            state["accumulator"][:] = state["offset"]
        elif phase == 1:
            state["equilibrium"][:] = state["level"]
            state["equilibrium_accumulator"][:] = state["accumulator"]
            state["drive"][:] = self._nudge(target - state["level"])
            state["accumulator"] += state["drive"]
        else:
            state["level"][:] = state["equilibrium"]
            state["accumulator"][:] = state["equilibrium_accumulator"] - state["drive"]

    def _nudge(self, error: Floats) -> Floats | float:
        if self.beta_shift is None:
            return 0.0
        nudge: Floats = np.floor(error * (1 << self.fraction_bits) / (1 << self.beta_shift))
        return nudge
