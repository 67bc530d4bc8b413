"""One frame of a film: the picture of a tick, enlarged, with its words, energy and classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.results import Status
from toreq_hw.observatory.history import History
from toreq_hw.observatory.picture import Pixels, frame
from toreq_hw.observatory.recording import Recording

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

GROUND, INK, FAINT, MARK = (38, 42, 51), (235, 235, 235), (120, 126, 138), (240, 140, 0)

_MARGIN, _LINE, _CHART = 12, 18, 84
_WIDEST, _NARROWEST = 720, 420
"""Pixels that the picture may take, and those of the whole frame at least."""


@dataclass(frozen=True)
class View:
    """What a frame of a film shows. phase, tick: numbers in the recording."""

    phase: int
    tick: int


@dataclass(frozen=True)
class Poster:
    """The measures of all frames of a film. times: frame pixels a neuron, side by side."""

    recording: Recording
    times: int
    width: int
    height: int

    @classmethod
    def of(cls, recording: Recording) -> "Poster":
        """Measures that suit a recording."""
        plan = recording.plan
        times = max(1, min(16, _WIDEST // plan.width))
        width = max(_NARROWEST, plan.width * times + 2 * _MARGIN)
        height = 4 * _MARGIN + 3 * _LINE + plan.height * times + _CHART
        return cls(recording, times, width + width % 2, height + height % 2)

    @property
    def picture(self) -> tuple[slice, slice]:
        """Rows and columns of a frame that hold the picture."""
        plan, top = self.recording.plan, _MARGIN + _LINE
        left = (self.width - plan.width * self.times) // 2
        return (
            slice(top, top + plan.height * self.times),
            slice(left, left + plan.width * self.times),
        )

    def pixels(self, view: View, levels: Sequence[int] | None, palette: str) -> Pixels:
        """The frame of a view, uint8 (height, width, 3); `levels` and `palette` as in `frame`."""
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (self.width, self.height), GROUND)
        pen = ImageDraw.Draw(image)
        pen.fontmode = "1"  # letters without grey edges: few colours
        history = self.recording.phases[view.phase]
        below = self.picture[0].stop
        self._write(pen, (_MARGIN, _MARGIN - 4), heading(history, view.tick))
        for panel in self.recording.plan.panels:
            left = self.picture[1].start + panel.left * self.times
            if panel.width * self.times >= 60:
                self._write(pen, (left, below + 2), panel.population.name, FAINT)
        top = below + _LINE + _MARGIN
        self._write(pen, (_MARGIN, top), counters(history, view.tick))
        middle = self.width * 6 // 10
        self._energy(pen, (_MARGIN, top + _LINE + 4, middle - _MARGIN, top + _LINE + _CHART), view)
        bars = (middle, top + _LINE + 4, self.width - _MARGIN, top + _LINE + _CHART)
        self._classes(pen, bars, view)
        result = np.array(image)
        small = frame(self.recording, view.tick, phase=view.phase, levels=levels, palette=palette)
        result[self.picture] = np.repeat(np.repeat(small, self.times, axis=0), self.times, axis=1)
        return result

    def _write(
        self, pen: "ImageDraw", place: tuple[int, int], text: str, ink: tuple[int, int, int] = INK
    ) -> None:
        from PIL import ImageFont

        pen.text(place, text, fill=ink, font=ImageFont.load_default(13))

    def _energy(self, pen: "ImageDraw", box: tuple[int, int, int, int], view: View) -> None:
        """The curve of the energy, tick by tick, and where it stands; nothing without an energy."""
        steps = self.recording.phases[view.phase].steps()
        values = [step.energy for step in steps if step.energy is not None]
        if len(values) < len(steps) or len(values) < 2:
            return
        left, top, right, bottom = box
        self._write(pen, (left, top - 2), "energy", FAINT)
        low = min(values)
        high = max(low + 1, *values)
        x = np.linspace(left + 4, right - 4, len(values))
        y = [bottom - 4 - (v - low) / (high - low) * (bottom - top - 22) for v in values]
        points = [(round(a), round(b)) for a, b in zip(x.tolist(), y, strict=True)]
        pen.line([(left, bottom), (right, bottom)], fill=FAINT)
        pen.line(points, fill=INK, width=1)
        a, b = points[view.tick - self.recording.phases[view.phase].first]
        pen.ellipse((a - 4, b - 4, a + 4, b + 4), fill=MARK)

    def _classes(self, pen: "ImageDraw", box: tuple[int, int, int, int], view: View) -> None:
        """A bar a class, the largest marked; nothing where the output names several at once."""
        scores = self.recording.phases[view.phase].step(view.tick).scores
        if self.recording.source.rows > 1 or len(scores) > 40:
            return
        left, top, right, bottom = box
        self._write(pen, (left, top - 2), "classes", FAINT)
        floor = bottom - 16
        for number, share in enumerate(shares(scores)):
            start = left + (right - left) * number // len(scores)
            stop = max(start, left + (right - left) * (number + 1) // len(scores) - 3)
            best = share > 0 and number == int(scores.argmax())
            height = round(share * (floor - top - 16))
            pen.rectangle((start, floor - height, stop, floor), fill=MARK if best else FAINT)
            if len(scores) <= 16:
                self._write(pen, (start + 1, floor + 1), str(number), INK if best else FAINT)


def shares(scores: npt.NDArray[np.int64]) -> list[float]:
    """Scores, int64 (classes,), as shares of the span from 0 or the least to the largest."""
    low = min(0, int(scores.min()))
    span = max(1, int(scores.max()) - low)
    return [(int(score) - low) / span for score in scores]


def heading(history: History, tick: int) -> str:
    """What a frame shows, and whether it is the end."""
    sweep = -(-tick // history.colours)
    text = f"{history.phase} phase, tick {tick}, sweep {sweep}"
    if tick < history.last or history.status is None:
        return text
    return f"{text}: {ending(history)}"


def ending(history: History) -> str:
    """How a phase ended, in words."""
    if history.status == Status.SETTLED:
        return "settled"
    if history.status == Status.CYCLE:
        return f"cycles, states return after {history.period} sweeps"
    return f"not settled after {history.sweeps} sweeps"


def counters(history: History, tick: int) -> str:
    """Events and synaptic operations so far, beside those of a dense machine."""
    step = history.step(tick)
    dense = round(history.dense_at(tick))
    return f"events {step.events:,}   synops {step.synops:,}   dense {dense:,}"
