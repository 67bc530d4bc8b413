"""Track 5: does a cube of neighbours learn as well as flat nets, and does its lattice help?"""

from collections.abc import Mapping, Sequence

from toreq_hw import sim
from toreq_hw.network import WeightFormat, build
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import data_of, differences, of, on_each, the
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

ACCURACY, SYNAPSES, SWEEPS = "accuracy, %", "synapses", "sweeps, mean"
LATERAL = "couplings between hidden neurons, % of all pairs"

CUBE, FLAT, EQUAL = "cube 6x6x6", "flat, equal neurons", "flat, equal synapses"
NEURONS = 216
HIDDEN = {CUBE: "lattice 6x6x6", FLAT: f"dense {NEURONS}", EQUAL: "dense 242"}
"""On 64 inputs the cube has 17,924 synapses, 242 flat neurons 17,908."""

LOSS = 0.5
"""Points of accuracy within which nets learn equally well."""

SHUFFLED = "labels"


def measure(settings: Settings, place: Place) -> Measured:
    """Three nets on digits; on larger images the cube's inputs outweigh its lattice."""
    cases = [Case("digits", arm, arm != CUBE) for arm in HIDDEN]
    return measuring.measure(_train, cases, settings, place)


def _train(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One net of the integer rule."""
    layers = (HIDDEN[case.arm], "dense 10")
    shape = build("64", layers, weight_format=WeightFormat.INT8, fraction_bits=(7, 6))
    broken = context.settings.broken == SHUFFLED and case.arm != CUBE
    net = context.trained(case.data, seed, shape=shape, shuffled=broken)
    tests = Tests(context.dataset(case.data), net)
    found = sim.relax(net, tests.inputs)
    inside = [c for c in net.couplings if c.is_self_coupling]
    pairs = NEURONS * (NEURONS - 1) / 2
    return {
        ACCURACY: tests.accuracy(found.classes),
        SYNAPSES: float(net.synapses),
        SWEEPS: float(found.sweeps.mean()),
        LATERAL: 100 * sum(len(c.free_parameters()) for c in inside) / pairs,
    }


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    flat = dict(differences(rows, ACCURACY, CUBE, FLAT))
    equal = dict(differences(rows, ACCURACY, CUBE, EQUAL))
    lateral = max(one.mean for one in of(rows, LATERAL, arm=CUBE))
    sweeps = [the(rows, data_of(rows)[0], arm, SWEEPS).mean for arm in (CUBE, FLAT)]
    sentence = (
        f"With {lateral:.1f} % of the pairs of its hidden neurons coupled the cube is ahead of as "
        f"many flat neurons without such couplings by {on_each(flat)} points, of as many synapses "
        f"by {on_each(equal)}. It settles in {sweeps[0]:.1f} sweeps, the flat net in "
        f"{sweeps[1]:.1f}. Growth and pruning were not measured."
    )
    if any(gap.high < -LOSS for gap in flat.values()):
        return Judged("refuted", sentence)
    helps = all(gap.low > 0 for gap in (*flat.values(), *equal.values()))
    return Judged("holds" if helps else "holds within limits", sentence)


TRACK = Track(
    ids=("5",),
    name="lattice",
    setup=(
        "A hidden layer of 6x6x6 neurons with couplings to their neighbours, INT8, the integer "
        "rule, on digits; accuracy, synapses and sweeps over seeds."
    ),
    control=(
        "Flat layers of as many neurons, which is the cube with its lattice taken away, and of as "
        "many synapses."
    ),
    thresholds=(
        "Holds: surely ahead of both flat nets, for else the lattice is not what learns. Refuted: "
        f"surely more than {LOSS} points behind as many flat neurons. Within limits: as good as "
        "flat, with or without its lattice."
    ),
    sources="Integer rule of this project. Cubes up to 10x10x10 were not measured.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "the flat nets learn shuffled labels"},
    picture=ACCURACY,
)
