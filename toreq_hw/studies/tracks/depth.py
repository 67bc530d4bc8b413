"""Tracks 11, 23 and 31: do nets of 100 to 1000 layers learn, and do skips or depth help?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from toreq_hw import data, sim
from toreq_hw.data import Dataset
from toreq_hw.network import ClampedReadout, Network, Skip, WeightFormat, build
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.contrast import contrasts
from toreq_hw.sim.learning.recipes import DECAY, decay_epochs
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests, in_other_order, load
from toreq_hw.studies.tracks.rows import differences, figure, of, the
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track
from toreq_hw.training.integer import learn_epochs, training_samples

DATA = "digits"

ACCURACY, SWEEPS = "accuracy, %", "sweeps, mean"
REACHED = "inner couplings in which contrast reaches 1 % of synapses, %"
SHARE = "synapses that see contrast, {} inner coupling, %"
MOVED = "inner weights that training changed, %"

CHAIN, THIRD, BOTH = "chain", "skips over two layers", "skips from input and to output"
LINEAR = "linear readout"
NET, STILL = "{}, {} layers", "{}, {} layers, inner couplings still"

DEPTHS = (2, 5, 10, 20, 50, 100, 1000)
QUICK_DEPTHS = (5, 100)
DEEP = 100
"""Layers from which on the claim speaks."""

LOSS = 1.0
"""Points of accuracy, below which a difference counts as none."""

SOUND = 80.0
"""Per cent that the linear readout must reach for a comparison with it to mean something."""

FEW = 0.01
"""Share of a coupling's synapses that must see contrast for it to count as reached."""

SAMPLES = 64
"""Training images whose contrasts are summed."""

SMALLEST_RATE = 16
"""k at which a coupling stays near its start: the contract's smallest learning rate."""

LABELS = "labels"


@dataclass(frozen=True)
class _Way:
    """How a kind learns. largest: latent at the start.

    zero: whether its control has inner couplings of zero, else still ones.
    """

    largest: int
    shift: int
    output_shift: int
    beta_shift: int = 0
    zero: bool = False


WAYS = {
    CHAIN: _Way(6000, 4, 6, beta_shift=1),
    THIRD: _Way(6000, 3, 6),
    BOTH: _Way(3000, 5, 7, zero=True),
}
"""Found with one seed on 300 held-out training images: chains and skips over two at 5 and 10
layers, the others at 10 to 1000."""


def measure(settings: Settings, place: Place) -> Measured:
    """Every kind and depth, with its control; the linear readout."""
    depths = QUICK_DEPTHS if settings.quick else DEPTHS
    cases = [
        Case(DATA, arm.format(kind, depth), arm == STILL)
        for depth in depths
        for kind in WAYS
        if kind != THIRD or depth > 3
        for arm in (NET, STILL)
    ]
    cases.append(Case(DATA, LINEAR, control=True))
    return measuring.measure(_learn, cases, settings, place)


def _learn(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One training, its test accuracy, and which synapses see contrast after it."""
    tests, whole = context.dataset(DATA), load(DATA)
    if context.settings.broken == LABELS:
        whole = in_other_order(whole, seed)
    if case.arm == LINEAR:
        net = context.trained(DATA, seed, weights=WeightFormat.INT8, hidden=())
        shown = Tests(tests, net)
        return {ACCURACY: shown.accuracy(shown.classes)}
    kind, layers = case.arm.split(", ")[:2]
    depth = int(layers.split()[0])
    blank = network(kind, depth, still=case.control)
    trainer = Trainer(blank, _rule(blank, kind, depth, still=case.control), seed)
    start = trainer.network()
    samples = training_samples(blank, whole, 0, mirror=False)
    for _ in learn_epochs(trainer, samples, _epochs(depth)):
        pass
    net = trainer.network()
    shown = Tests(tests, net)
    found = sim.relax(net, shown.inputs)
    values = {ACCURACY: shown.accuracy(found.classes), SWEEPS: float(found.sweeps.mean())}
    return values | _contrast(net, depth, whole) | _moved(start, net, depth)


def network(kind: str, depth: int, *, still: bool) -> Network:
    """The blank net. still: of a kind whose control has inner couplings of zero it has none."""
    first, inner, last = (8, 7, 9 if depth > DEEP else 6)
    skips = []
    if kind == THIRD:
        joins = [(start, start + 3) for start in range(1, depth - 2)]
        skips = [Skip(*join, inner, feedback_shift=3) for join in joins]
    elif kind == BOTH:
        skips = [Skip(0, stop, first) for stop in range(2, depth + 1)]
        skips += [Skip(start, depth + 1, last) for start in range(1, depth)]
    width = 16 if depth > DEEP else 32
    net = build(
        "64",
        (f"dense {width}",) * depth + ("dense 10",),
        weight_format=WeightFormat.INT8,
        fraction_bits=(first, *(inner,) * (depth - 1), last),
        feedback_shifts=(0, *(1,) * (depth - 1), 0),
        skips=skips,
        readout=ClampedReadout((1, 8)),
        beta_shift=WAYS[kind].beta_shift,
    )
    if not (still and WAYS[kind].zero):
        return net
    inside = _inner(net, depth)
    return replace(net, couplings=tuple(one for one in net.couplings if one.name not in inside))


def _inner(net: Network, depth: int) -> list[str]:
    """Names of the chain's couplings between hidden layers, from the input on."""
    known = {one.name for one in net.couplings}
    names = [f"hidden{layer}-hidden{layer + 1}" for layer in range(1, depth)]
    return [name for name in names if name in known]


def _rule(net: Network, kind: str, depth: int, *, still: bool) -> Rule:
    way, more = WAYS[kind], 1 if depth > DEEP else 0
    last = [p.coupling.name for p in net.into(net.output.name) if not p.backward]
    shifts = dict.fromkeys(last, way.output_shift + 2 * more)
    if still:
        shifts |= dict.fromkeys(_inner(net, depth), SMALLEST_RATE)  # decay stops there
    return Rule(
        shift=way.shift + more,
        bias_shift=way.output_shift + 2 * more,
        initial_reach=way.largest,
        shifts=shifts,
        decay_epochs=decay_epochs(DECAY, _epochs(depth)),
    )


def _epochs(depth: int) -> int:
    """Fewer of nets that take longer."""
    if depth > DEEP:
        return 2
    return 20 if depth <= 20 else 4


def _contrast(net: Network, depth: int, whole: Dataset) -> dict[str, float]:
    """Shares of the synapses of inner couplings whose summed contrast is not 0."""
    names = _inner(net, depth)
    if not names:
        return {}
    part = whole.train.take(slice(0, SAMPLES))
    inputs = data.input_states(net, part.images, whole.pixel_max)
    summed = contrasts(net, inputs, sim.relax(net, inputs), part.labels)
    shares = [float(np.mean(summed[name] != 0)) for name in names]
    places = {"first": 0, "middle": len(shares) // 2, "last": -1}
    return {SHARE.format(name): 100 * shares[place] for name, place in places.items()} | {
        REACHED: 100 * float(np.mean([share >= FEW for share in shares]))
    }


def _moved(start: Network, end: Network, depth: int) -> dict[str, float]:
    names = _inner(end, depth)
    if not names:
        return {}
    before, after = (
        np.concatenate([one.parameters.ravel() for one in net.couplings if one.name in names])
        for net in (start, end)
    )
    return {MOVED: 100 * float(np.mean(before != after))}


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    deep = [depth for depth in _depths(rows) if depth >= DEEP]
    linear = the(rows, DATA, LINEAR, ACCURACY)
    gained = {
        depth: _gap(rows, NET.format(BOTH, depth), STILL.format(BOTH, depth)) for depth in deep
    }
    learns = all(_learned(rows, BOTH, depth) for depth in deep)
    right = {depth: the(rows, DATA, NET.format(BOTH, depth), ACCURACY) for depth in deep}
    parts = [
        f"With {BOTH} {depth} layers are {figure(right[depth])} % right; inner couplings add "
        f"{figure(gap)} points of it."
        for depth, gap in gained.items()
    ]
    chain = [depth for depth in _depths(rows) if _learned(rows, CHAIN, depth)]
    third = [depth for depth in _depths(rows) if _learned(rows, THIRD, depth)]
    sentence = (
        f"{' '.join(parts)} A linear readout has {figure(linear)} %. Chains come within {LOSS:g} "
        f"point of it at {_list(chain)} layers, skips over two at {_list(third)}. "
        f"{' '.join(_reached(rows, depth) for depth in deep)}"
    )
    if linear.mean < SOUND:
        return Judged("not testable here", sentence, controlled=False)
    if not learns:
        return Judged("refuted", sentence)
    pays = all(gap.low > 0 for gap in gained.values())
    return Judged("holds" if pays else "holds within limits", sentence)


def _depths(rows: Sequence[TrackRow]) -> list[int]:
    return [depth for depth in DEPTHS if _has(rows, CHAIN, depth)]


def _has(rows: Sequence[TrackRow], kind: str, depth: int) -> bool:
    return bool(of(rows, ACCURACY, arm=NET.format(kind, depth)))


def _gap(rows: Sequence[TrackRow], arm: str, other: str) -> TrackRow:
    """Accuracy of an arm less that of another."""
    return next(gap for _, gap in differences(rows, ACCURACY, arm, other))


def _learned(rows: Sequence[TrackRow], kind: str, depth: int) -> bool:
    """Whether it is surely at most `LOSS` behind the linear readout."""
    return _has(rows, kind, depth) and _gap(rows, NET.format(kind, depth), LINEAR).low >= -LOSS


def _list(depths: Sequence[int]) -> str:
    return ", ".join(map(str, depths)) or "no number of"


def _reached(rows: Sequence[TrackRow], depth: int) -> str:
    """How far contrast comes in a chain and in the kind with skips from input and to output."""
    shares = [
        f"{the(rows, DATA, NET.format(kind, depth), REACHED).mean:.0f} % ({kind})"
        for kind in (CHAIN, BOTH)
    ]
    return f"At {depth} layers contrast reaches {' and '.join(shares)} of the inner couplings."


TRACK = Track(
    ids=("11", "23", "31"),
    name="depth",
    setup=(
        f"INT8 nets of 2 to 1000 hidden layers on {DATA}: a chain; with learned skips over two "
        "layers; with couplings from the input to every layer and from every layer to the output. "
        "32 neurons a layer and 20 epochs, 4 from 50 layers on; at 1000 layers 16 neurons and 2 "
        "epochs, so that five seeds take minutes. Which synapses see contrast after training. Nets "
        "of equal synapses are compared in `toreq-hw study depth`."
    ),
    control=(
        "The same net with the chain's inner couplings at zero, or, where nothing else joins "
        f"layers, near their start: they learn at 2^-{SMALLEST_RATE}. A linear readout."
    ),
    thresholds=(
        f"Learns: surely at most {LOSS:g} point behind the linear readout. Holds: nets with {BOTH} "
        f"do at every depth from {DEEP} layers on, and are surely ahead of themselves with inner "
        "couplings of zero, else depth adds nothing. Within limits: the first alone. Else refuted. "
        f"The linear readout must reach {SOUND:g} %. Held-out figures of one seed had been seen."
    ),
    sources=(
        "Integer rule of this project; settings found on held-out training images. Rates that fall "
        "as the recipes' do were added after a first full run, by held-out images of five seeds."
    ),
    measure=measure,
    verdict=verdict,
    broken={LABELS: "nets learn shuffled labels"},
    picture=ACCURACY,
)
