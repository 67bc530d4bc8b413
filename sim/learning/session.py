"""On-chip learning, one sample at a time and one tick at a time.

session = LearningSession(trainer)
session.present(image, label)
while not session.finished:
    tick = session.step()
progress = session.learn()
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.phases import PHASES, Phase
from toreq_hw.contract.readout import output_errors
from toreq_hw.contract.results import PhaseResult
from toreq_hw.contract.ticks import Observer, Tick
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.sim.learning.trainer import Progress, Trainer
from toreq_hw.sim.learning.training_samples import NOTHING, Learn
from toreq_hw.sim.session import Session


class LearningSession:
    """Goes through free, positive and negative phase of a sample, then lets the trainer learn it.

    trainer: damaged or not; it learns in place. engine: of the phases that are shown; the trainer
    computes them again when it learns, bit for bit alike. observers: told of every tick.
    results: of the phases of this sample that have ended, by phase; only the free one where a
    clamped readout has no error.

    Raises InputError, as its methods do, naming what must hold.
    """

    def __init__(
        self, trainer: Trainer, *, engine: str = "event", observers: Sequence[Observer] = ()
    ) -> None:
        self._trainer, self._engine = trainer, engine
        self._observers = tuple(observers)
        self._session: Session | None = None
        self.results: dict[Phase, PhaseResult] = {}

    @property
    def network(self) -> Network:
        """The network as the trainer has it now."""
        return self._trainer.network()

    @property
    def phase(self) -> Phase:
        """The phase that runs, or that ran last."""
        return PHASES[min(len(self.results), len(PHASES) - 1)]

    @property
    def finished(self) -> bool:
        """Whether all phases of the sample have ended: the update is due."""
        return len(self.results) == len(PHASES) or (bool(self.results) and not self._errs())

    def present(self, image: npt.ArrayLike, label: npt.ArrayLike) -> None:
        """Begins with a sample. image: integers (input.size,). label: number of its class.

        Of a readout with several rows, numbers (rows,).
        """
        self._image, self._label = np.asarray(image)[None], np.array([label])
        self.results = {}
        self._session = Session(self.network, engine=self._engine, observers=self._observers)
        self._session.start(self._image)

    def step(self) -> Tick:
        """One tick; after the last one of a phase the next tick is the first of the next phase."""
        if self.finished:
            raise InputError("a tick must be of a phase that runs, all three phases have ended")
        session = self._require_sample()
        if session.finished:
            session.nudge(self._label, self.phase.sign)
        tick = session.step()
        if session.result is not None:
            self.results[self.phase] = session.result
        return tick

    def learn(self) -> Progress:
        """Runs what is left of the phases, and updates weights and biases; the sample is over."""
        self._require_sample()
        while not self.finished:
            self.step()
        self._session = None
        return self._trainer.learn(self._image, self._label, np.array([0]))

    def _errs(self) -> bool:
        """Whether nudged phases follow the free one, which has ended."""
        free = self.results[Phase.FREE]
        if free.network.readout is None:
            return True
        return bool(output_errors(free.network, free.readout, self._label).any())

    def _require_sample(self) -> Session:
        if self._session is None:
            raise InputError("a sample must be presented before it is learned, found none")
        return self._session


def watched_learning(trainer: Trainer, observers: Sequence[Observer]) -> Learn:
    """What learns as the trainer does, and tells observers of every tick of every phase."""

    def learn(
        inputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
    ) -> Progress:
        """Learns the samples that `order`, (samples,), names."""
        total = NOTHING
        for number in order.tolist():
            session = LearningSession(trainer, observers=observers)
            session.present(inputs[number], labels[number])
            total += session.learn()
        return total

    return learn
