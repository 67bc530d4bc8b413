"""Tracks 10 and 26: how does the memory of a training step grow, and what does a core hold?

Takes in the probes of `parity`; those of other widths and the cores are measured here.
"""

import time
from collections.abc import Iterator, Sequence

from toreq_hw.extras import missing
from toreq_hw.network import WeightFormat, layered
from toreq_hw.records.parity import MemoryProbe, Parity
from toreq_hw.records.verification import Side, TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks.published import published
from toreq_hw.studies.tracks.rows import of, row, the
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track
from toreq_hw.training.offline import require_torch

PEAK, COPIES, SWEEPS, LAYERS = "peak, MB", "copies of all states", "sweeps", "hidden layers"
EQPROP, BACKPROP, THROUGH = "EqProp", "backpropagation", "backpropagation through sweeps"

WIDTH, BYTES = "neurons of a layer", "on-chip bytes a synapse"
WIDTHS = (128, 256, 512, 1024)

CORES = {"core that infers": None, "core that learns": 4}
"""Synapses that a core updates at once, which adds their latents; None: it cannot learn."""

SIZES, LANES = (784, 128, 10), 16
"""Layers and lanes of the core."""

FLAT = 1.1
"""Ratio that still counts as constant: probes repeat within a few per cent."""

GROWS = 2.0
"""Ratio from which on memory grows with what the control stores."""

STORE_ALL = "store all"


def measure(settings: Settings, place: Place) -> Measured:
    """Every probe, an arm each; broken: EqProp stores every sweep, as its control does."""
    began = time.perf_counter()
    rows: list[TrackRow] = []
    probes = published("parity", Parity).memory
    for probe in probes:
        rule = _rule(probe)
        if settings.broken == STORE_ALL and rule == THROUGH:
            rows += _rows(probe, EQPROP)
        if not (settings.broken == STORE_ALL and rule == EQPROP):
            rows += _rows(probe, rule)
    rows += [*_of_widths(settings, place), *_of_cores()]
    return Measured(tuple(rows), time.perf_counter() - began)


def _of_widths(settings: Settings, place: Place) -> Iterator[TrackRow]:
    """Peaks of nets of two hidden layers, which settle in few sweeps; none but on Linux."""
    require_torch("this track")
    from toreq_hw.quant.memory import CLEAR_REFS, Probe, measure
    from toreq_hw.quant.options import Rule

    if not CLEAR_REFS.exists():
        place.screen.say("memory over widths is measured on Linux alone, and is left out")
        return
    for width in WIDTHS[:2] if settings.quick else WIDTHS:
        for rule, arm in ((Rule.EQPROP, EQPROP), (Rule.BACKPROP, BACKPROP)):
            probe = measure(Probe(rule, 2, gain=0.25 * WIDTHS[1] / width, width=width))
            values = {PEAK: probe.peak_mb, WIDTH: float(width)}
            for name, value in values.items():
                of_control = rule is Rule.BACKPROP
                yield row("random", f"{arm} of {width}", name, [value], control=of_control)


def _of_cores() -> Iterator[TrackRow]:
    """Bits of all memories of a core, over its synapses."""
    try:
        from toreq_hw.rtl.parameters import CoreParameters
    except ImportError as error:
        raise missing("the memories of a core", error.name, "rtl") from error

    for weights in WeightFormat:
        net = layered(SIZES, weights, (7, 7))
        for arm, learn_lanes in CORES.items():
            core = CoreParameters.of(net, LANES, learn_lanes=learn_lanes)
            bits = sum(one.bits for one in core.memories)
            value = bits / 8 / net.synapses
            yield row("784-128-10", f"{arm}, {weights.value}", BYTES, [value])


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


def _of_the_rest(rows: Sequence[TrackRow]) -> str:
    """What widths and cores take, where they were measured."""
    said = []
    wide = of(rows, WIDTH, control=False)
    if len(wide) > 1:
        peaks = [the(rows, one.data, one.arm, PEAK).mean for one in wide]
        times = wide[-1].mean / wide[0].mean
        said.append(f"With {times:.0f} times the width it takes {peaks[-1] / peaks[0]:.1f} times.")
    if held := of(rows, BYTES):
        parts = "; ".join(f"{one.mean:.2f} in a {one.arm}" for one in held)
        said.append(f"On-chip bytes a synapse are {parts}.")
    return "".join(f" {one}" for one in said)


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
        f"up to {plain:.1f}.{_of_the_rest(rows)}"
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
        "of 1,024 random samples, over sweeps, hidden layers and widths. Bits of the memories of "
        f"cores for {'-'.join(map(str, SIZES))} with {LANES} lanes, over their synapses."
    ),
    control="Differentiating through all sweeps, which must store them; plain backpropagation.",
    thresholds=(
        f"Constant: at most {FLAT} times, as probes repeat within a few per cent. Holds: constant "
        "in sweeps and in layers. Within limits: constant in sweeps alone. Else refuted. The "
        f"control must grow {GROWS:g} times or more with its sweeps."
    ),
    sources=(
        "reports/published/parity.json, made by `toreq-hw parity --seeds 5`; the same probe for "
        "widths, on a CPU. Memories as the core is generated."
    ),
    measure=measure,
    verdict=verdict,
    broken={STORE_ALL: "EqProp's steps store every sweep"},
    picture=PEAK,
    better="holds fewer copies of the states in a training step",
)
