"""Track 21: what is forgotten when classes are learned two at a time?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.data import Dataset, input_states
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.verification import Side, TrackRow
from toreq_hw.sim.baselines.feed_forward import feed_forward
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context
from toreq_hw.studies.tracks.rows import data_of, differences, figure, the
from toreq_hw.studies.tracks.subsets import few_of_each, joined, of_classes
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

FORGOTTEN = "forgotten, points"
CLASS = "final accuracy among ten classes, %"
TASK = "final accuracy within each pair, %"

TASKS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))

PLAIN, REPLAY = "EqProp", "EqProp, replay"
BACKPROP, BACKPROP_REPLAY = "backpropagation", "backpropagation, replay"
JOINT = "EqProp, all at once"

SAMPLES = {"digits": 10, "mnist": 50, "fashion-mnist": 50}
"""Kept of each class for replay: a hundredth of MNIST, a fourteenth of digits."""

PASSES = {"digits": 10, "mnist": 2, "fashion-mnist": 2}
"""Epochs of each task."""

NONE, MOST = 1.0, 20.0
"""Points of accuracy: what rounds to 0 % forgetting; what is still partly kept."""

HARD = 80.0
"""Per cent that learning all classes at once must reach: else the network holds too little."""

JOINTLY = "all classes"


@dataclass(frozen=True)
class _Way:
    """How an arm learns. replay: whether samples of earlier pairs are learned again."""

    backprop: bool = False
    replay: bool = False
    joint: bool = False


WAYS = {
    PLAIN: _Way(),
    REPLAY: _Way(replay=True),
    BACKPROP: _Way(backprop=True),
    BACKPROP_REPLAY: _Way(backprop=True, replay=True),
    JOINT: _Way(joint=True),
}


def measure(settings: Settings, place: Place) -> Measured:
    """Each way of learning on each data set."""
    cases = [Case(name, arm, arm not in (PLAIN, REPLAY)) for name in settings.data for arm in WAYS]
    return measuring.measure(_learn, cases, settings, place)


def _learn(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Five pairs of classes, one after another; what each was worth at once, and at the end."""
    way, whole = WAYS[case.arm], measuring.load(case.data)
    tests = context.dataset(case.data)
    joint = way.joint or (context.settings.broken == JOINTLY and not case.control)
    net: Network | None = None
    kept: Dataset | None = None
    at_once = []
    for number, pair in enumerate(TASKS):
        part = of_classes(whole, pair)
        learned = joined(part, kept) if kept is not None and way.replay else part
        learned = whole if joint else learned
        net = _after(learned, case.data, seed, context, net, way)
        at_once.append(_accuracy(net, of_classes(tests, pair), way, None))
        few = few_of_each(part, SAMPLES[case.data], seed + number)
        kept = few if kept is None else joined(few, kept)
    assert net is not None
    last = [_accuracy(net, of_classes(tests, pair), way, None) for pair in TASKS]
    within = [_accuracy(net, of_classes(tests, pair), way, pair) for pair in TASKS]
    lost = [before - after for before, after in zip(at_once[:-1], last[:-1], strict=True)]
    return {
        FORGOTTEN: float(np.mean(lost)),
        CLASS: _accuracy(net, tests, way, None),
        TASK: float(np.mean(within)),
    }


def _after(
    learned: Dataset, name: str, seed: int, context: Context, start: Network | None, way: _Way
) -> Network:
    """The network after one more pair."""
    given = {"weights": WeightFormat.INT8} if start is None else {"start": start}
    epochs = PASSES[name]
    if not way.backprop:
        return context.trained_on(learned, name, seed, epochs=epochs, **given)
    from toreq_hw.quant.options import Rule

    rule = Rule.BACKPROP
    return context.trained_on(
        learned, name, seed, engine="torch", rule=rule, epochs=epochs, **given
    )


def _accuracy(net: Network, part: Dataset, way: _Way, among: Sequence[int] | None) -> float:
    """Test accuracy in per cent. among: only these classes may be named; all if None."""
    inputs = input_states(net, part.test.images, part.pixel_max)
    if among is None:
        classes = feed_forward(net, inputs) if way.backprop else sim.relax(net, inputs).classes
    else:
        outputs = _outputs(net, inputs, way)[:, list(among)]
        classes = np.array(among)[outputs.argmax(axis=1)]
    return 100 * float(np.mean(classes == part.test.labels))


def _outputs(net: Network, inputs: npt.NDArray[np.int16], way: _Way) -> npt.NDArray[np.int32]:
    """Output states, settled; of a feed-forward net those of its one pass.

    In the first sweep from states of 0 each layer sees the layers before it alone.
    """
    sweeps = 1 if way.backprop else MAX_SWEEPS
    found = sim.relax(net, inputs, max_sweeps=sweeps).states[net.output.name]
    return found.astype(np.int32)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    names = data_of(rows)
    lost = {arm: [the(rows, data, arm, FORGOTTEN) for data in names] for arm in WAYS}
    ends = {arm: [the(rows, data, arm, CLASS).mean for data in names] for arm in WAYS}
    gains = dict(differences(rows, CLASS, REPLAY, BACKPROP_REPLAY))
    sentence = (
        f"EqProp forgets {_said(lost[PLAIN])} points, with replay {_said(lost[REPLAY])}; "
        f"backpropagation {_said(lost[BACKPROP])} and {_said(lost[BACKPROP_REPLAY])}. Among ten "
        f"classes EqProp ends at {_ends(ends[PLAIN])} %, with replay {_ends(ends[REPLAY])} %, all "
        f"at once {_ends(ends[JOINT])} %. With the same replay it is ahead of backpropagation by "
        f"{', '.join(f'{figure(gap)} on {data}' for data, gap in gains.items())}."
    )
    if min(ends[JOINT]) < HARD:
        return Judged("not testable here", sentence, controlled=False)
    if min(one.mean for one in lost[JOINT]) > MOST:
        return Judged("not testable here", sentence, controlled=False)
    sure = [gap for gap in gains.values() if gap.low > 0 or gap.high < 0]
    side: Side = "neither"
    if sure:
        side = "EqProp" if sum(gap.mean for gap in sure) > 0 else "backpropagation"
    if max(one.high for one in lost[PLAIN]) <= NONE:
        return Judged("holds", sentence, side)
    limits = max(one.mean for one in lost[PLAIN]) <= MOST
    return Judged("holds within limits" if limits else "refuted", sentence, side)


def _said(rows: Sequence[TrackRow]) -> str:
    return " and ".join(figure(one, 1) for one in rows)


def _ends(values: Sequence[float]) -> str:
    return " and ".join(f"{value:.1f}" for value in values)


TRACK = Track(
    ids=("21",),
    name="continual",
    setup=(
        "Five pairs of classes are learned one after another, without and with replay of few "
        "samples of each class. Forgotten: accuracy on a pair right after it was learned, less "
        "that at the end, among ten classes; mean over the first four pairs."
    ),
    control=(
        "Backpropagation in the same order with the same replay; all classes at once, which shows "
        "what the network can hold."
    ),
    thresholds=(
        f"Holds: EqProp without replay surely forgets at most {NONE:g} point, which rounds to the "
        f"published 0. Within limits: at most {MOST:g} points, a fifth. Else refuted. Learning all "
        f"at once must reach {HARD:g} %."
    ),
    sources="Integer rule and torch trainer of this project. Sleep replay, frozen couplings and "
    "consolidation were not measured.",
    measure=measure,
    verdict=verdict,
    broken={JOINTLY: "EqProp sees all classes in every task"},
    picture=FORGOTTEN,
)
