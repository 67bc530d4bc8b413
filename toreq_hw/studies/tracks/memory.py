"""Tracks 10 and 26: how does the memory of a training step grow? Takes in `parity`'s probes."""

from collections.abc import Sequence

from toreq_hw.records.parity import MemoryProbe, Parity
from toreq_hw.records.verification import Side, TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks.published import published
from toreq_hw.studies.tracks.rows import of, row
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

PEAK, COPIES, SWEEPS, LAYERS = "peak, MB", "copies of all states", "sweeps", "hidden layers"
EQPROP, BACKPROP, THROUGH = "EqProp", "backpropagation", "backpropagation through sweeps"

FLAT = 1.1
"""Ratio that still counts as constant: probes repeat within a few per cent."""

GROWS = 2.0
"""Ratio from which on memory grows with what the control stores."""

STORE_ALL = "store all"


def measure(settings: Settings, _: Place) -> Measured:
    """Every probe, an arm each; broken: EqProp stores every sweep, as its control does."""
    rows: list[TrackRow] = []
    probes = published("parity", Parity).memory
    for probe in probes:
        rule = _rule(probe)
        if settings.broken == STORE_ALL and rule == THROUGH:
            rows += _rows(probe, EQPROP)
        if not (settings.broken == STORE_ALL and rule == EQPROP):
            rows += _rows(probe, rule)
    return Measured(tuple(rows), 0.0)


def _rule(probe: MemoryProbe) -> str:
    if probe.rule == "eqprop":
        return EQPROP
    return BACKPROP if probe.sweeps is None else THROUGH


def _rows(probe: MemoryProbe, rule: str) -> list[TrackRow]:
    arm = f"{rule}, {probe.layers} hidden, {probe.sweeps or 'one pass'}"
    values = {
        PEAK: probe.peak_mb,
        COPIES: probe.state_copies,
        SWEEPS: float(probe.sweeps or 1),
        LAYERS: float(probe.layers),
    }
    control = rule != EQPROP
    return [row("random", arm, name, [value], control=control) for name, value in values.items()]


def _growth(rows: Sequence[TrackRow], rule: str, along: str) -> tuple[float, float]:
    """By how much peak memory and `along` grow from the least of it to the most.

    Along sweeps: of nets of two hidden layers. Along layers: of the fewest sweeps of each.
    """
    arms = _arms(rows, rule)
    found = {name: _values(rows, arms, name) for name in (PEAK, SWEEPS, LAYERS)}
    points = list(zip(found[along], found[PEAK], found[LAYERS], strict=True))
    if along == SWEEPS:
        points = [point for point in points if point[2] == 2]
    least, most = min(points), max(points)
    return most[1] / least[1], most[0] / least[0]


def _arms(rows: Sequence[TrackRow], rule: str) -> list[str]:
    return [one.arm for one in of(rows, PEAK) if one.arm.startswith(f"{rule}, ")]


def _values(rows: Sequence[TrackRow], arms: Sequence[str], quantity: str) -> list[float]:
    return [of(rows, quantity, arm=arm)[0].mean for arm in arms]


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    own, longer = _growth(rows, EQPROP, SWEEPS)
    other, _ = _growth(rows, THROUGH, SWEEPS)
    deep, deeper = _growth(rows, EQPROP, LAYERS)
    copies, plain = (max(_values(rows, _arms(rows, rule), COPIES)) for rule in (EQPROP, BACKPROP))
    sentence = (
        f"With {longer:.1f} times the sweeps a step takes {own:.2f} times the memory; storing "
        f"every sweep {other:.2f} times. With {deeper:.0f} times the layers it takes {deep:.1f} "
        f"times. In copies of all states EqProp holds up to {copies:.1f}, plain backpropagation "
        f"up to {plain:.1f}."
    )
    if other < GROWS:
        return Judged("not testable here", sentence, controlled=False)
    side: Side = "backpropagation" if plain < copies else "EqProp"
    if own > FLAT:
        return Judged("refuted", sentence, side)
    return Judged("holds" if deep <= FLAT else "holds within limits", sentence, side)


TRACK = Track(
    ids=("10", "26"),
    name="memory",
    setup=(
        "Peak memory of one training step in a process of its own, INT8, layers of 256, batches "
        "of 1,024 random samples, over sweeps and hidden layers."
    ),
    control="Differentiating through all sweeps, which must store them; plain backpropagation.",
    thresholds=(
        f"Constant: at most {FLAT} times, as probes repeat within a few per cent. Holds: constant "
        "in sweeps and in layers. Within limits: constant in sweeps alone. Else refuted. The "
        f"control must grow {GROWS:g} times or more with its sweeps."
    ),
    sources="reports/published/parity.json, made by `toreq-hw parity --seeds 5`; on a CPU.",
    measure=measure,
    verdict=verdict,
    broken={STORE_ALL: "EqProp's steps store every sweep"},
    picture=PEAK,
)
