"""The picture of a tick: 8-bit planes, one value a pixel, and their colours.

The page gets the planes and colours them itself, by the same sums in integers. So a canvas, a film
and `frame` hold the same pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Population
from toreq_hw.observatory.panels import NOWHERE, Plan
from toreq_hw.observatory.recording import Recording

Pixels = npt.NDArray[np.uint8]
Rgb = tuple[int, int, int]

PLANES = ("state", "moved", "nudged", "rising")
"""state: |s|, full at the largest magnitude. moved: within the last sweep, full at a quarter of the
range. nudged: distance from where the free phase ended, full at a sixteenth. rising: 255 where a
state changed in a tick in which the energy did not fall, else 0."""

_FULL_AT = {"moved": 4, "nudged": 16}
"""The share of the range, as its inverse, at which a plane is full."""


@dataclass(frozen=True)
class Palette:
    """Colours of full planes, which add up, channel by channel, to at most 255.

    rising: replaces the sum. ground: between the panels.
    """

    name: str
    state: Rgb
    moved: Rgb
    nudged: Rgb
    rising: Rgb = (255, 255, 255)
    ground: Rgb = (38, 42, 51)


PALETTES = {
    palette.name: palette
    for palette in (
        Palette("safe", (150, 150, 150), (240, 140, 0), (0, 110, 255), rising=(255, 0, 170)),
        Palette("classic", (255, 0, 0), (0, 255, 0), (0, 0, 255)),
    )
}
"""safe: grey, orange and blue, which colour-blind readers tell apart. classic: red, green, blue."""


def frame(
    recording: Recording,
    tick: int,
    *,
    phase: int = -1,
    event: int | None = None,
    palette: str = "safe",
    levels: Sequence[int] | None = None,
) -> Pixels:
    """The picture after a tick, uint8 (height, width, 3).

    phase: number of the phase in the recording. event: before the tick, and after so many of its
    changes. palette: a name in `PALETTES`. levels: of state, moved and nudged, how many different
    values a plane keeps; all 256 without. Raises IndexError for a tick that is not kept.
    """
    shown = planes(recording, tick, phase=phase, event=event)
    if levels is not None:
        shown = coarse(shown, levels)
    return coloured(recording.plan, shown, PALETTES[palette])


def planes(recording: Recording, tick: int, *, phase: int = -1, event: int | None = None) -> Pixels:
    """The planes after a tick, uint8 (4, height, width), as `PLANES`; 0 between panels.

    Arguments are those of `frame`. Raises IndexError.
    """
    plan, history = recording.plan, recording.phases[phase]
    values = np.zeros((len(PLANES), plan.size), dtype=np.uint8)
    states, first = history.states(tick, event), plan.input_size
    moved = history.moved(tick, event)
    free = recording.equilibrium(history)
    scales = _scales(plan.populations)
    values[0] = _share(np.concatenate([history.inputs, states]), scales[0], 1)
    values[1, first:] = _share(moved, scales[1, first:], _FULL_AT["moved"])
    if free is not None:
        values[2, first:] = _share(states - free, scales[1, first:], _FULL_AT["nudged"])
    if not history.falls(tick):
        step = history.step(tick)
        values[3, first + step.neuron[:event]] = 255
    shown: Pixels = np.take(values, plan.neurons, axis=1)
    shown[:, plan.neurons == NOWHERE] = 0
    return shown


def coarse(shown: Pixels, levels: Sequence[int]) -> Pixels:
    """Planes with fewer different values: uint8 (4, height, width), as they came.

    levels: of the first three, 2..256. What is not 0 stays so.
    """
    result = shown.copy()
    for plane, count in zip(result[:3], levels, strict=True):
        steps = -(-plane.astype(np.int64) * (count - 1) // 255)
        plane[...] = steps * 255 // (count - 1)
    return result


def coloured(plan: Plan, shown: Pixels, palette: Palette) -> Pixels:
    """Planes, uint8 (4, height, width), as colours, uint8 (height, width, 3)."""
    weights = np.array([palette.state, palette.moved, palette.nudged], dtype=np.int64)
    total = np.tensordot(shown[:3].astype(np.int64), weights, axes=(0, 0))
    colours: Pixels = np.minimum(255, (total + 127) // 255).astype(np.uint8)
    colours[shown[3] > 0] = palette.rising
    colours[plan.neurons == NOWHERE] = palette.ground
    return colours


def _scales(populations: Sequence[Population]) -> npt.NDArray[np.int64]:
    """Largest magnitude and range of each neuron's states, int64 (2, neurons)."""
    sizes = [population.size for population in populations]
    magnitudes = [max(p.state_max, -p.state_min) for p in populations]
    ranges = [p.state_max - p.state_min for p in populations]
    return np.repeat(np.array([magnitudes, ranges], dtype=np.int64), sizes, axis=1)


def _share(
    values: npt.NDArray[np.int16], whole: npt.NDArray[np.int64], times: int
) -> npt.NDArray[np.int64]:
    """|values| as shares of whole / times, int64 (n,), 0..255; what is not 0 stays so."""
    size = np.abs(values.astype(np.int64))
    return np.minimum(255, -(-size * 255 * times // whole))
