"""A network that is relaxed a tick at a time and watched, with any engine, damaged or not.

session = Session(net, engine="event")
session.start(inputs)
while not session.finished:
    tick = session.step()
    tick.populations, tick.neuron, tick.after, tick.registers.energy
session.nudge(labels, sign=1)
positive = session.run(observer)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.contract.phases import NUDGED_PHASES, Phase
from toreq_hw.contract.results import CONTINUED, PhaseResult
from toreq_hw.contract.ticks import Observer, Tick
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.sim.live_phase import LivePhase
from toreq_hw.sim.perturbation.engine import disturbed_engine
from toreq_hw.sim.perturbation.layer import (
    Layer,
    LearningLayer,
    PhaseLayer,
    disturb,
    disturbance,
    program,
)
from toreq_hw.sim.phases import Engine, make_engine, make_start, nudged_start
from toreq_hw.sim.start import Start

States = dict[str, npt.NDArray[np.int16]]


def check_observer(observer: Observer) -> Observer:
    """`observer` where it is one. Raises InputError."""
    if not all(callable(getattr(observer, name, None)) for name in ("begin", "tick", "end")):
        raise InputError(f"an observer must have begin, tick and end, found {observer!r:.60}")
    return observer


class Session:
    """One batch of samples and its phases, one after another.

    engine: "reference", "dense" or "event"; the ticks are the same. layers: damage, as `relax_with`
    takes it: weights are damaged at once, phases while they run. threshold, max_sweeps: as
    in `relax`. observers: told of every tick of every phase.
    network: with the damage of its weights. result: of the last phase, None while one runs.

    Raises InputError, as its methods do, naming what must hold.
    """

    def __init__(
        self,
        network: Network,
        *,
        engine: str = "event",
        layers: Sequence[Layer] = (),
        threshold: int = 0,
        max_sweeps: int = MAX_SWEEPS,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._sound, self._engine_name = network, engine
        self._limits: Any = {"threshold": threshold, "max_sweeps": max_sweeps}
        self._observers = tuple(check_observer(one) for one in observers)
        self.result: PhaseResult | None = None
        self._phase: LivePhase | None = None
        self._equilibrium: States | None = None
        self._nudged = False
        self._damage(layers)

    def start(self, inputs: npt.ArrayLike, states: States | None = None) -> None:
        """Presents inputs, integers (batch, input.size), to a network at rest: a free phase.

        states: with them the phase goes on from there, int16 (batch, size) per population; layers
        that act on standing states act on them.
        """
        phase = Phase.FREE if states is None else CONTINUED
        standing = None if states is None else disturb(self.network, states, self._layers)
        limits = self._limits
        self._begin(make_start(self.network, inputs, phase=phase, states=standing, **limits))
        self._equilibrium, self._nudged = None, False

    def nudge(self, labels: npt.ArrayLike, sign: int) -> None:
        """A nudged phase from the free equilibrium, which must have been reached.

        labels: integers (batch,). sign: 1 towards them, -1 away from them, in any order.
        """
        if self._equilibrium is None:
            raise InputError("a nudged phase must follow a free phase that has ended, found none")
        inputs, states = self.phase.start.inputs, self._equilibrium
        self._begin(nudged_start(self.network, inputs, states, labels, sign, **self._limits))

    def go_on(self, layers: Sequence[Layer]) -> None:
        """Goes on from the states as they stand under other layers, at any tick.

        Input and nudge stay. Sums begin anew from these states, and ticks count from 1. Where this
        phase is free, a nudge that follows starts from where it ends.
        """
        start, standing = self.phase.start, Layout(self.network).split(self.phase.states.copy())
        self._damage(layers)
        self._nudged = start.phase in NUDGED_PHASES or (start.phase == CONTINUED and self._nudged)
        going_on = make_start(
            self.network,
            start.inputs,
            phase=CONTINUED,
            states=disturb(self.network, standing, layers),
            drive=start.drive,
            **self._limits,
        )
        self._begin(going_on)

    @property
    def phase(self) -> LivePhase:
        """The phase that runs, or ran last."""
        if self._phase is None:
            raise InputError("a session must be started before it is used, found no inputs")
        return self._phase

    @property
    def finished(self) -> bool:
        """Whether the phase has ended in all samples."""
        return self.phase.finished

    def step(self) -> Tick:
        """Runs one tick of every sample that has not ended, and tells the observers.

        Raises InputError where the phase has ended.
        """
        tick = self.phase.step()
        for observer in self._observers:
            observer.tick(tick)
        if self.finished:
            self._end()
        return tick

    def run(self, observer: Observer | None = None) -> PhaseResult:
        """Runs the phase to its end, at the engine's full speed where nobody watches.

        observer: watches what is left of this phase.
        """
        if observer is not None:
            check_observer(observer).begin(self.phase.standing())
        if observer is not None or self._observers:
            while not self.finished:
                tick = self.step()
                if observer is not None:
                    observer.tick(tick)
        result = self.result or self._end()
        if observer is not None:
            observer.end(result)
        return result

    def _damage(self, layers: Sequence[Layer]) -> None:
        """Takes the layers from now on."""
        for layer in layers:
            if isinstance(layer, LearningLayer):
                raise InputError(f"layer {layer.kind} must have learning to act on, not a phase")
        network = program(self._sound, layers)
        self._engine = make_engine(network, self._engine_name)
        self.network, self._layers = network, tuple(layers)

    def _begin(self, start: Start) -> None:
        if not len(start.inputs):
            raise InputError("samples must be at least 1, found 0")
        self._phase = LivePhase(self.network, self._engine_for(len(start.inputs)), start)
        self.result = None
        for observer in self._observers:
            observer.begin(self._phase.standing())

    def _engine_for(self, batch: int) -> Engine:
        if not any(isinstance(layer, PhaseLayer) for layer in self._layers):
            return self._engine
        given = disturbance(self.network, batch, self._layers)
        return disturbed_engine(self.network, given, self._engine_name)

    def _end(self) -> PhaseResult:
        """Closes the phase, after what is left of it."""
        self.result = self.phase.finish()
        went_on = self.result.phase == CONTINUED
        if self.result.phase == Phase.FREE or (went_on and not self._nudged):
            self._equilibrium = self.result.states
        for observer in self._observers:
            observer.end(self.result)
        return self.result
