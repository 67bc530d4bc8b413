"""Track 8: does an integer controller bring L from 1.75 below 1, and what does that keep?"""

from collections.abc import Mapping, Sequence

import numpy as np

from toreq_hw import data, sim
from toreq_hw.contract.loop_gain import loop_gain
from toreq_hw.contract.results import Status
from toreq_hw.network import Network
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.scaled_couplings import with_gain
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import controllers, measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests, load
from toreq_hw.studies.tracks.rows import differences, figure, of, on_each
from toreq_hw.studies.tracks.spectral import ASYMMETRIC, PARITY, SYNCHRONOUS, settling
from toreq_hw.studies.tracks.track import CHANGED_LATER, Judged, Measured, Settings, Track

L, ACCURACY = "L", "accuracy, %"
SETTLED = "settled {}, %"
SWEEPS = "sweeps, mean"

ALL, LOOP = "all couplings", "the loop alone"
STRESSES = (ALL, LOOP)

WHOLE = "before the stress"
NONE, MERELY = "no controller", "merely scaled"
PROBE, ACTIVITY, THRESHOLDS = "scales by a probe", "scales by activity", "thresholds by activity"
ARM = "{}, stress on {}"

START, STRESSED, NEAR = 0.9, 1.75, 0.1
"""L of training; that of the published stress; how near the stressed networks must come to it."""

LOSS = 1.0
"""Points of accuracy, below which a difference counts as none."""

SAMPLES = 128
"""Training images, without their labels, that activity is measured on."""

MAX_SWEEPS = 1000

SIGN = "sign"


def measure(settings: Settings, place: Place) -> Measured:
    """Every controller under both stresses; controls beside them."""
    cases = [Case(name, WHOLE, control=True) for name in settings.data]
    cases += [
        Case(name, ARM.format(way, stress), way in (NONE, MERELY))
        for name in settings.data
        for stress in STRESSES
        for way in (NONE, MERELY, PROBE, ACTIVITY, THRESHOLDS)
    ]
    return measuring.measure(_control, cases, settings, place)


def _control(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One stressed network under one controller, on the test samples."""
    net = _after(case, seed, context)
    tests = Tests(context.dataset(case.data), net)
    values = {L: loop_gain(net).lipschitz}
    for way in (PARITY, SYNCHRONOUS, ASYMMETRIC):
        found = sim.relax(settling(net, way, seed), tests.inputs, max_sweeps=MAX_SWEEPS)
        values[SETTLED.format(way)] = 100 * float(np.mean(found.status == Status.SETTLED))
        if way == PARITY:
            values |= {ACCURACY: tests.accuracy(found.classes), SWEEPS: float(found.sweeps.mean())}
    return values


def _after(case: Case, seed: int, context: Context) -> Network:
    own = context.offline(case.data, seed, spectral_limit=START)
    if case.arm == WHOLE:
        return own
    way, stress = case.arm.split(", stress on ")
    forward = own.forward_projections
    names = [one.coupling.name for one in forward if stress == ALL or not one.from_input]
    net = with_gain(own, names, STRESSED / loop_gain(own).lipschitz)
    if way == NONE:
        return net
    sign = -1 if context.settings.broken == SIGN else 1
    if way == PROBE:
        return controllers.by_probe(net, seed, sign=sign)
    whole = load(case.data)
    chosen = np.random.default_rng(seed).permutation(len(whole.train))[:SAMPLES]
    inputs = data.input_states(own, whole.train.images[chosen], whole.pixel_max)
    goal = controllers.activity(own, inputs)
    if way == THRESHOLDS:
        return controllers.thresholds_by_activity(net, inputs, goal, sign=sign)
    controlled = controllers.by_activity(net, inputs, goal, sign=sign)
    if way == ACTIVITY:
        return controlled
    factor = loop_gain(controlled).lipschitz / loop_gain(net).lipschitz
    return with_gain(net, [one.name for one in net.couplings], factor)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    free = [_largest(rows, NONE, stress) for stress in STRESSES]
    ends = {
        way: [_largest(rows, way, stress) for stress in STRESSES]
        for way in (PROBE, ACTIVITY, THRESHOLDS)
    }
    below = {way: sum(value < 1 for value in ends[way]) for way in (PROBE, ACTIVITY)}
    sentence = (
        f"L goes from {max(free):.2f} to at most {max(ends[ACTIVITY]):.2f} by scales that follow "
        f"activity, {max(ends[PROBE]):.2f} by a probe. Thresholds leave it at "
        f"{max(ends[THRESHOLDS]):.2f}. {' '.join(_told(rows, stress) for stress in STRESSES)}"
    )
    if any(abs(value - STRESSED) > NEAR for value in free):
        return Judged("not testable here", sentence, controlled=False)
    kept = all(
        gap.low >= -LOSS
        for stress in STRESSES
        for gap in _gaps(rows, ACTIVITY, WHOLE, stress).values()
    )
    needed = all(
        gap.low > 0 for stress in STRESSES for gap in _gaps(rows, ACTIVITY, MERELY, stress).values()
    )
    if below[ACTIVITY] == len(STRESSES) and kept and needed:
        return Judged("holds", sentence)
    return Judged("holds within limits" if any(below.values()) else "refuted", sentence)


def _largest(rows: Sequence[TrackRow], way: str, stress: str) -> float:
    """Over data sets and seeds."""
    return max(max(row.values) for row in of(rows, L, arm=ARM.format(way, stress)))


def _gaps(rows: Sequence[TrackRow], way: str, other: str, stress: str) -> dict[str, TrackRow]:
    """Accuracy of a controller less that of another way, by data set."""
    second = other if other == WHOLE else ARM.format(other, stress)
    return dict(differences(rows, ACCURACY, ARM.format(way, stress), second))


def _told(rows: Sequence[TrackRow], stress: str) -> str:
    """What a stress costs, and what scales by activity win against the controls."""
    lost, kept, ahead = (
        on_each(_gaps(rows, way, other, stress))
        for way, other in ((NONE, WHOLE), (ACTIVITY, WHOLE), (ACTIVITY, MERELY))
    )
    shares = ", ".join(
        f"{figure(row, 0)}"
        for row in of(rows, SETTLED.format(SYNCHRONOUS), arm=ARM.format(NONE, stress))
    )
    return (
        f"Stress on {stress} changes accuracy by {lost} points; with scales by activity it is "
        f"{kept} from that before. They are ahead of a net merely scaled by {ahead}. "
        f"Without a controller {shares} % of samples settle all at once."
    )


TRACK = Track(
    ids=("8",),
    name="homeostasis",
    setup=(
        f"Networks trained with L at {START:g} get weights times a factor that makes L "
        f"{STRESSED:g}: those of all couplings, or of the loop alone. Integer controllers then "
        "shrink latents or move biases by shifts. One follows a probe of the loop. Two follow "
        f"activity on {SAMPLES} training images without labels, against that before the stress."
    ),
    control=(
        "No controller; and the stressed net, all its couplings merely scaled down by the factor "
        "that scales by activity found for L."
    ),
    thresholds=(
        f"No controller must leave L within {NEAR:g} of {STRESSED:g}. Holds: scales by activity, "
        "which is what a chip can see, bring L below 1 in every seed under both stresses, and "
        f"accuracy is surely at most {LOSS:g} point below that before, and surely above that of "
        "the net merely scaled. Within limits: some scales bring L below 1 under one stress. Else "
        "refuted." + CHANGED_LATER
    ),
    sources="Torch trainer and integer simulator of this project; latents of docs/numerics.md.",
    measure=measure,
    verdict=verdict,
    broken={SIGN: "controllers act with the wrong sign"},
    picture=L,
)
