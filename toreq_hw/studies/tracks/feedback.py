"""Track 6: does a way back with random weights of its own learn?"""

from collections.abc import Mapping, Sequence

import numpy as np

from toreq_hw import sim
from toreq_hw.contract.results import Status
from toreq_hw.network import FeedbackKind, Network, WeightFormat
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import differences, of, on_each
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

ACCURACY, SETTLED, COSINE = "accuracy, %", "settled, %", "cosine of both ways"

SYMMETRIC, FIXED, LEARNED, NONE = "symmetric", "fixed random", "learned", "almost none"
KINDS = {
    SYMMETRIC: FeedbackKind.SYMMETRIC,
    FIXED: FeedbackKind.FIXED,
    LEARNED: FeedbackKind.LEARNED,
    NONE: FeedbackKind.SYMMETRIC,
}

WEAKEST = {"digits": 8}
WEAK = 6
"""Feedback shift of the control: 1/256 of the way forward, below one step of a state. On larger
images 1/64, the least with which sums of all their inputs fit 32 bits."""

LOSS, GAIN = 1.0, 1.0
"""Points of accuracy: that random feedback may lose to symmetric; that it must gain on none."""

MAX_SWEEPS = 1000

SHUFFLED = "labels"


def measure(settings: Settings, place: Place) -> Measured:
    """Each way back on each data set."""
    cases = [Case(name, arm, arm in (SYMMETRIC, NONE)) for name in settings.data for arm in KINDS]
    return measuring.measure(_train, cases, settings, place)


def _train(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One network of two hidden layers, the integer rule."""
    weakest = WEAKEST.get(case.data, WEAK)
    shifts = (weakest, weakest) if case.arm == NONE else (0, 0)
    half = measuring.HIDDEN[case.data] // 2
    net = context.trained(
        case.data,
        seed,
        hidden=(half, half),
        weights=WeightFormat.INT8,
        feedback=KINDS[case.arm],
        feedback_shifts=shifts,
        shuffled=context.settings.broken == SHUFFLED and not case.control,
    )
    tests = Tests(context.dataset(case.data), net)
    found = sim.relax(net, tests.inputs, max_sweeps=MAX_SWEEPS)
    return {
        ACCURACY: tests.accuracy(found.classes),
        SETTLED: 100 * float(np.mean(found.status == Status.SETTLED)),
        COSINE: _cosine(net),
    }


def _cosine(net: Network) -> float:
    """Least cosine between weights of a way forward and of its way back."""
    found = []
    for coupling in net.couplings:
        if coupling.own_feedback is not None:
            one = coupling.parameters.astype(np.float64).ravel()
            other = coupling.own_feedback.weight.astype(np.float64).ravel()
            found.append(float(one @ other / np.linalg.norm(one) / np.linalg.norm(other)))
    return min(found, default=1.0)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    lost = dict(differences(rows, ACCURACY, SYMMETRIC, FIXED))
    gained = dict(differences(rows, ACCURACY, FIXED, NONE))
    learned = dict(differences(rows, ACCURACY, SYMMETRIC, LEARNED))
    settled = min(min(one.values) for one in of(rows, SETTLED, arm=FIXED))
    cosine = max(one.mean for one in of(rows, COSINE, arm=FIXED))
    sentence = (
        f"Fixed random feedback loses at most {max(gap.mean for gap in lost.values()):.2f} points "
        f"to symmetric feedback. It loses {on_each(lost)}; learned feedback loses "
        f"{on_each(learned)}. Almost no feedback is {on_each(gained)} points behind fixed. At "
        f"least {settled:.1f} % of samples settle with fixed feedback. The cosine of its two ways "
        f"after training is at most {cosine:.2f}."
    )
    alive = all(gap.low > GAIN for gap in gained.values())
    close = all(gap.high <= LOSS for gap in lost.values())
    if not any(gap.mean > GAIN for gap in gained.values()):
        return Judged("refuted", sentence)
    return Judged("holds" if alive and close else "holds within limits", sentence)


TRACK = Track(
    ids=("6",),
    name="feedback",
    setup=(
        "Two hidden layers, INT8, the integer rule; the way back has the same weights, fixed "
        "random ones, or ones that learn. Test accuracy, samples that settle, and the cosine "
        "between both ways after training."
    ),
    control=(
        f"Symmetric feedback; and a way back 2^-{WEAKEST['digits']} as strong (2^-{WEAK} on larger "
        "images), under which the hidden layers see almost no error."
    ),
    thresholds=(
        f"Learns: surely more than {GAIN:g} point above the control without feedback, for else "
        f"the readout alone learned. Holds: so, and surely at most {LOSS:g} point behind symmetric "
        "feedback, on every data set. Refuted: on none is it more than that above the control. "
        "Within limits: anything between."
    ),
    sources="Integer rule of this project; docs/numerics.md, section 2, feedback of its own.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "networks with feedback of their own learn shuffled labels"},
    picture=ACCURACY,
)
