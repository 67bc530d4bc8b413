"""Track 28: is a network that settles more robust to disturbed inputs?"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.data import input_states
from toreq_hw.network import Network
from toreq_hw.records.verification import Side, TrackRow
from toreq_hw.sim.baselines.feed_forward import feed_forward
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context
from toreq_hw.studies.tracks.rows import data_of, differences, of
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

EQPROP, FORWARD = "EqProp", "feed-forward, backpropagation"

CLEAN = "undisturbed"
NOISE, BLUR, HIDE, FADE, ATTACK = "noise {}", "blur {}", "occluded {}", "contrast {}", "attack {}"
DISTURBED = (
    *(NOISE.format(x) for x in (0.1, 0.3, 0.5)),
    *(BLUR.format(x) for x in (1, 2)),
    *(HIDE.format(x) for x in (0.3, 0.5)),
    *(FADE.format(x) for x in (0.6, 0.3)),
    *(ATTACK.format(x) for x in (0.05, 0.1, 0.2)),
)

EQUAL = 1.0
"""Points of clean accuracy: closer nets count as equally accurate."""

NOTHING = "no disturbance"

Pixels = npt.NDArray[np.float64]


def quantity(disturbance: str) -> str:
    """The name of a figure."""
    return f"accuracy, {disturbance}, %"


def measure(settings: Settings, place: Place) -> Measured:
    """Both nets of the same shape, formats, data and epochs, on the same disturbed images."""
    cases = [Case(name, arm, arm == FORWARD) for name in settings.data for arm in (EQPROP, FORWARD)]
    return measuring.measure(_disturb, cases, settings, place)


def _disturb(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Accuracy under every disturbance; attacks are made against the net that they are tried on."""
    from toreq_hw.quant.options import Rule

    rule = Rule.BACKPROP if case.control else Rule.EQPROP
    net = context.offline(case.data, seed, rule=rule)
    classify = (lambda x: feed_forward(net, x)) if case.control else _settled(net)
    dataset = context.dataset(case.data)
    pixels = dataset.test.images / dataset.pixel_max
    labels, values = dataset.test.labels, {}
    for disturbance in (CLEAN, *DISTURBED):
        rng = np.random.default_rng(seed)
        off = context.settings.broken == NOTHING and case.control
        moved = pixels
        if disturbance.startswith("attack"):
            moved = attacked(net, pixels, labels, 0.0 if off else _strength(disturbance))
        elif disturbance != CLEAN and not off:
            moved = disturbed(pixels, disturbance, dataset.shape, rng)
        classes = classify(input_states(net, moved, dataset.pixel_max))
        values[quantity(disturbance)] = 100 * float(np.mean(classes == labels))
    return values


def _settled(net: Network) -> Callable[[npt.NDArray[np.int16]], npt.NDArray[np.int64]]:
    return lambda inputs: sim.relax(net, inputs).classes


def _strength(disturbance: str) -> float:
    return float(disturbance.rsplit(maxsplit=1)[-1])


def disturbed(
    pixels: Pixels, disturbance: str, shape: tuple[int, int], rng: np.random.Generator
) -> Pixels:
    """Images (samples, pixels) over 0..1 under one disturbance of its strength."""
    kind, strength = disturbance.split(maxsplit=1)[0], _strength(disturbance)
    if kind == "noise":
        return np.clip(pixels + strength * rng.standard_normal(pixels.shape), 0, 1)
    if kind == "contrast":
        return 0.5 + strength * (pixels - 0.5)
    pictures = pixels.reshape(-1, *shape).copy()
    if kind == "blur":
        for _ in range(int(strength)):
            padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
            pictures = (
                sum(  # type: ignore[assignment] # of nine arrays
                    padded[:, y : y + shape[0], x : x + shape[1]]
                    for y in range(3)
                    for x in range(3)
                )
                / 9
            )
        return pictures.reshape(pixels.shape)
    side = round(strength * shape[0])
    for picture in pictures:
        top, left = rng.integers(0, shape[0] - side + 1), rng.integers(0, shape[1] - side + 1)
        picture[top : top + side, left : left + side] = 0
    return pictures.reshape(pixels.shape)


def attacked(
    net: Network, pixels: Pixels, labels: npt.NDArray[np.int64], strength: float
) -> Pixels:
    """Each pixel moved by `strength` against the sign of the margin's slope, within 0..1.

    I. Goodfellow et al., arXiv:1412.6572. The slope is that of the forward pass, through hidden
    neurons that are inside their range there: the same for both nets, and known to both.
    """
    hidden, out = net.couplings
    first = hidden.parameters / 2.0**hidden.fraction_bits
    last = out.parameters / 2.0**out.fraction_bits
    bias = net.biases["hidden"] / 2.0 ** net.accumulator_fraction_bits("hidden")
    top = net.output.state_max
    sums = pixels @ first + bias / top
    inside = (sums > 0) & (sums < 1)
    scores = np.clip(sums, 0, 1) @ last
    every = np.arange(len(labels))
    others = scores.copy()
    others[every, labels] = -np.inf
    slope = ((last[:, labels] - last[:, others.argmax(axis=1)]).T * inside) @ first.T
    return np.clip(pixels - strength * np.sign(slope), 0, 1)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    clean = dict(differences(rows, quantity(CLEAN), EQPROP, FORWARD))
    more: list[str] = []
    less: list[str] = []
    even: list[str] = []
    for disturbance in DISTURBED:
        for data, gap in differences(rows, quantity(disturbance), EQPROP, FORWARD):
            base = clean[data].mean
            where = f"{disturbance} on {data}"
            (more if gap.low > base + EQUAL else less if gap.high < base - EQUAL else even).append(
                where
            )
    gaps = ", ".join(f"{data} {gap.mean:+.1f}" for data, gap in clean.items())
    sentence = (
        f"EqProp is surely more robust in {len(more)} cases, surely less in {len(less)}, and even "
        f"in {len(even)}. Undisturbed it is ahead by {gaps} points, which is taken off before. "
        f"More robust: {'; '.join(more) or 'none'}. Less robust: {'; '.join(less) or 'none'}."
    )
    harmless = all(_fall(rows, data) < EQUAL for data in data_of(rows))
    if harmless or any(abs(gap.mean) > 3 * EQUAL for gap in clean.values()):
        return Judged("not testable here", sentence, controlled=False)
    side: Side = "neither"
    if len(more) != len(less):
        side = "EqProp" if len(more) > len(less) else "backpropagation"
    if more and not less:
        return Judged("holds" if not even else "holds within limits", sentence, side)
    return Judged("holds within limits" if len(more) > len(less) else "refuted", sentence, side)


def _fall(rows: Sequence[TrackRow], data: str) -> float:
    """By how much the control falls under the strongest noise."""
    before = of(rows, quantity(CLEAN), data=data, arm=FORWARD)[0].mean
    return before - of(rows, quantity(NOISE.format(0.5)), data=data, arm=FORWARD)[0].mean


TRACK = Track(
    ids=("28",),
    name="inputs",
    setup=(
        "Test images with Gaussian noise, blur, occluded squares, less contrast, and sign attacks "
        "of fixed size; INT8 nets of one shape, trained by EqProp and settled, or trained by "
        "backpropagation and computed once."
    ),
    control="The feed-forward net, whose accuracy without disturbance is nearly the same.",
    thresholds=(
        f"More robust in a case: the 95 % interval of the difference lies more than {EQUAL:g} "
        "point above that without disturbance. Holds: in every case. Within limits: in more cases "
        "than it is less robust in. Else refuted. Nets more than 3 points apart when undisturbed, "
        "or a control that noise does not harm, test nothing."
    ),
    sources="Torch trainer of this project; integer simulator; docs/robustness.md has damage.",
    measure=measure,
    verdict=verdict,
    broken={NOTHING: "the feed-forward net's images are not disturbed"},
    picture=quantity(NOISE.format(0.3)),
    better="is surely more robust in more cases of disturbed inputs",
)
