"""One tab's network: its session, its recording and the tick that is viewed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw import data, sim
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.loop_gain import LoopGain
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.observatory.breaking import Break, Painted, check_painted, layers_of
from toreq_hw.observatory.loop_gain import Settings, changed, loop_gain
from toreq_hw.observatory.recording import Recording
from toreq_hw.observatory.training import LiveTraining, Moved
from toreq_hw.observatory.viewer import Viewer
from toreq_hw.observatory.watched import Watched
from toreq_hw.sim.session import Session

MAX_SWEEPS = 2000
"""Where a phase ends that does not settle."""

MOST_BREAKS = 100
"""Layers and strokes of paint at once."""


@dataclass(frozen=True)
class Returned:
    """Where a phase under damage ended, beside the equilibrium of the sound network.

    same: neurons with the same state, of all. same_class: whether the class is the same.
    """

    same: int
    neurons: int
    same_class: bool


class Live(Watched):
    """A network that a tab shows. Its methods run one at a time, in any thread.

    network: of the file. base: as it has learned. shown: under the settings, without damage.
    painted: images that the tab has painted so far. Every method raises InputError or NetworkError
    for what it cannot do.
    """

    def __init__(self, network: Network, dataset: Dataset) -> None:
        self.network, self.dataset = network, dataset
        self.base, self.settings = network, Settings()
        self.breaks: tuple[Break, ...] = ()
        self.training: LiveTraining | None = None
        self.moved: list[Moved] = []
        self.sample: int | None = 0
        self.painted = 0
        self.pixels = dataset.test.images[0]
        self.begin()

    def begin(self) -> None:
        """A free phase of the image that is shown, from rest, under the damage there is."""
        shown = changed(self.base, self.settings)
        layers = layers_of(shown, self.breaks)
        recording = Recording(shown)
        recording.damaged = bool(layers)
        session = Session(shown, layers=layers, max_sweeps=MAX_SWEEPS, observers=[recording])
        session.start(data.input_states(shown, self.pixels[None], self.dataset.pixel_max))
        self.shown, self.recording, self.session = shown, recording, session
        self.viewer = Viewer(session, recording)
        self.reference: npt.NDArray[np.int16] | None = None
        if layers:
            sound = sim.relax(shown, session.phase.start.inputs, max_sweeps=MAX_SWEEPS)
            self.reference = Layout(shown).join(sound.states)[0]

    def start_sound(self) -> None:
        """The same from rest without any damage."""
        self.breaks = ()
        self.begin()

    def present(self, sample: int) -> None:
        """Shows a test image."""
        if sample >= len(self.dataset.test):
            last = len(self.dataset.test) - 1
            raise InputError(f"the sample must be in 0..{last}, not {sample}")
        self.sample, self.pixels = sample, self.dataset.test.images[sample]
        self.begin()

    def present_pixels(self, values: Sequence[int]) -> None:
        """Shows an image of pixels 0..255, white is 255."""
        self.painted += 1
        wanted = self.dataset.pixels
        if len(values) != wanted:
            raise InputError(f"an image must have {wanted} pixels, found {len(values)}")
        scaled = np.array(values, dtype=np.int64) * self.dataset.pixel_max + 127
        self.sample, self.pixels = None, (scaled // 255).astype(np.uint8)
        self.begin()

    def nudge(self, label: int, sign: int) -> None:
        """A nudged phase from the free equilibrium, which is reached first."""
        if sign == 0 or label >= self.dataset.classes:
            last = self.dataset.classes - 1
            raise InputError(f"a nudge must be 1 or -1 towards a class in 0..{last}")
        self._finish()
        self.session.nudge(self._labels(label), sign)
        self.viewer.show_last()

    def learn(self, label: int) -> None:
        """One learning step on the image that is shown, then its free phase under new weights."""
        training = self._learner()
        if label >= self.dataset.classes:
            last = self.dataset.classes - 1
            raise InputError(f"the class must be in 0..{last}, not {label}")
        inputs = data.input_states(self.base, self.pixels[None], self.dataset.pixel_max)
        self.moved = training.learn_one(inputs, label)
        training.measure()
        self._take_over(training)

    def train(self, count: int) -> None:
        """Learns the next training images, measures, and shows where the image settles now."""
        training = self._learner()
        if not training.curve:
            training.measure()
        training.learn(count)
        training.measure()
        self.moved = []
        self._take_over(training)
        self._finish()
        self.viewer.show(0, self.recording.last.last)

    def forget(self) -> None:
        """The weights of the file."""
        self.base, self.training, self.moved = self.network, None, []
        self.begin()

    def add_break(self, one: Break) -> None:
        """Breaks something and goes on from the states as they stand."""
        if len(self.breaks) >= MOST_BREAKS:
            raise InputError(f"damage must be at most {MOST_BREAKS} layers and strokes")
        if isinstance(one, Painted):
            check_painted(self.shown, one)
        if not self.breaks:
            self._finish()
            self.reference = self.session.phase.states[0].copy()
        self._set_breaks((*self.breaks, one))

    def undo(self) -> None:
        """Takes back the last break."""
        if not self.breaks:
            raise InputError("damage must be there to be taken back, found none")
        self._set_breaks(self.breaks[:-1])

    def repair(self) -> None:
        """Takes back every break."""
        if self.breaks:
            self._set_breaks(())

    def configure(self, settings: Settings) -> None:
        """Scales couplings, sets schedule and feedback; a free phase from rest."""
        before, self.settings = self.settings, settings
        try:
            self.begin()
        except Exception:
            self.settings = before
            self.begin()
            raise

    def returned(self) -> Returned | None:
        """How an ended phase compares with the sound equilibrium; None without damage before it."""
        if self.reference is None or not self.session.finished:
            return None
        states = self.recording.last.states(self.recording.last.last)
        output = slice(len(states) - self.shown.output.size, None)
        return Returned(
            int(np.count_nonzero(states == self.reference)),
            len(states),
            bool(states[output].argmax() == self.reference[output].argmax()),
        )

    def gain(self) -> LoopGain | None:
        """The loop's gain under the settings."""
        return loop_gain(self.shown)

    def _labels(self, label: int) -> npt.NDArray[np.int64]:
        return np.full((1, *self.dataset.test.labels.shape[1:]), label, dtype=np.int64)

    def _finish(self) -> None:
        """Runs what is left of the phase."""
        while not self.session.finished:
            self.session.step()

    def _learner(self) -> LiveTraining:
        if self.settings != Settings():
            raise InputError("learning must be at gain 1, with the network's schedule and feedback")
        if self.training is None:
            self.training = LiveTraining(self.base, self.dataset)
        self.training.under(self.breaks)
        return self.training

    def _take_over(self, training: LiveTraining) -> None:
        self.base = training.network
        self.begin()

    def _set_breaks(self, breaks: tuple[Break, ...]) -> None:
        """Goes on under other damage. Leaves all as it was where that is refused."""
        layers = layers_of(self.shown, breaks)
        self.recording.damaged = bool(layers)
        self.session.go_on(layers)
        self.breaks = breaks
        self.viewer.show_last()
