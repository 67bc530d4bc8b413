"""Track 16: how few bits of states, weights and latents does a network take?"""

from collections.abc import Mapping, Sequence

from toreq_hw.network import WeightFormat, layered
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.baselines.float_eqprop import FloatNetwork
from toreq_hw.sim.baselines.float_training import float_accuracy, train_float
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.first_images import MOST, first_images
from toreq_hw.studies.tracks.measuring import EPOCHS, HIDDEN, Case, Context, Tests, load
from toreq_hw.studies.tracks.rows import differences, of, on_each, row, the
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track
from toreq_hw.training.offline import require_torch

ACCURACY = "accuracy, %"

FLOAT, AFTER = "float", "float, quantised after training"
ARM = "{}, states {} bits, latents {} bits"
STATES = (1, 2, 3, 4, 6, 8)
LATENTS = (10, 12, 16)
FORMATS = {"INT8": WeightFormat.INT8, "ternary": WeightFormat.TERNARY}
WHOLE = ARM.format("INT8", 8, 16)

LOSS = 1.0
"""Points of accuracy."""

SHUFFLED = "labels"


def measure(settings: Settings, place: Place) -> Measured:
    """Every state width at whole latents, every latent width at whole states; float beside."""
    widths = [(state, 16) for state in STATES] + [(8, latent) for latent in LATENTS[:-1]]
    cases = [
        Case(name, ARM.format(weights, *width))
        for name in settings.data
        for weights in FORMATS
        for width in widths
    ]
    for name in settings.data:
        cases += [Case(name, AFTER), Case(name, FLOAT, control=True)]
    return measuring.measure(_train, cases, settings, place)


def _train(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One training in the loop, where what is measured is what learned; or one in float."""
    if case.control:
        return {ACCURACY: _float(case.data, seed, context)}
    if case.arm == AFTER:
        return _after(case.data, seed, context)
    weights, states, latents = case.arm.split(", ")
    state_bits, latent_bits = (int(part.split()[1]) for part in (states, latents))
    net = context.trained_on(
        first_images(case.data),
        case.data,
        seed,
        weights=FORMATS[weights],
        state_bits=state_bits,
        latent_bits=latent_bits,
        fraction_bits=fraction_bits(case.data, FORMATS[weights], state_bits),
        shuffled=context.settings.broken == SHUFFLED,
    )
    tests = Tests(context.dataset(case.data), net)
    return {ACCURACY: tests.accuracy(tests.classes)}


def fraction_bits(name: str, weights: WeightFormat, state_bits: int) -> tuple[int, int]:
    """Those of the recipe for a data set, with as many more of the first coupling as states have
    fewer bits.

    The input stays at 8 bits; its weights are then as large in units of the state range.
    """
    first, last = recipe(weights, load(name).pixels).fraction_bits
    return first + 8 - state_bits, last


def after(weights: str, states: int) -> str:
    """The name of a figure of what was quantised after training."""
    return f"accuracy, {weights}, states {states} bits, %"


def _after(name: str, seed: int, context: Context) -> Mapping[str, float]:
    """A float network in every format of weights and width of states, never trained in it."""
    require_torch("this track")
    from toreq_hw.quant.float_model import FloatModel
    from toreq_hw.quant.post_training import quantise_model

    dataset, trained = context.dataset(name), _trained(name, seed)
    model = FloatModel(
        names=tuple(one.name for one in trained.shape.populations),
        weights=tuple(trained.weights[one.name] for one in trained.shape.couplings),
        biases=tuple(trained.biases[one.name] for one in trained.shape.relaxing),
    )
    values = {}
    for weights, weight_format in FORMATS.items():
        for states in STATES:
            net, _ = quantise_model(model, weight_format, states, 8)
            tests = Tests(dataset, net)
            values[after(weights, states)] = tests.accuracy(tests.classes)
    return values


def _trained(name: str, seed: int) -> FloatNetwork:
    """EqProp in float64 on the same shape."""
    dataset = first_images(name)
    shape = layered((dataset.pixels, HIDDEN[name], dataset.classes), WeightFormat.INT8, (7, 6))
    inputs, labels = dataset.train.images / dataset.pixel_max, dataset.train.labels
    return train_float(shape, inputs, labels, epochs=EPOCHS[name], seed=seed)


def _float(name: str, seed: int, context: Context) -> float:
    """Accuracy of the float network itself."""
    dataset = context.dataset(name)
    tests = dataset.test.images / dataset.pixel_max
    net = _trained(name, seed)
    return 100 * float_accuracy(net, tests, dataset.test.labels)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    whole = dict(differences(rows, ACCURACY, FLOAT, WHOLE))
    least = {name: _least(rows, name) for name in FORMATS}
    latents = {name: _least_latents(rows, name) for name in FORMATS}
    parts = [
        f"{name} needs {least[name]} bits of state and {latents[name]} of latents"
        for name in FORMATS
    ]
    four = dict(differences(rows, ACCURACY, WHOLE, ARM.format("INT8", 4, 16)))
    sentence = (
        f"Float is ahead of INT8 with 8-bit states by {on_each(whole)} points. Within {LOSS:g} "
        f"point of its own 8 and 16 bits, {'; '.join(parts)}. At 4 bits of state INT8 loses "
        f"{on_each(four)} points. {_afterwards(rows)}"
    )
    if not whole:
        return Judged("not testable here", sentence, controlled=False)
    if any(gap.low > LOSS for gap in whole.values()):
        return Judged("refuted", sentence)
    sure = all(gap.high <= LOSS for gap in whole.values())
    return Judged("holds" if sure else "holds within limits", sentence)


def _afterwards(rows: Sequence[TrackRow]) -> str:
    """What quantising after training costs beside float, of equal seeds."""
    said = []
    for weights, states in (("INT8", 8), ("INT8", 4), ("ternary", 8)):
        lost = {}
        for one in of(rows, after(weights, states)):
            whole = the(rows, one.data, FLOAT, ACCURACY)
            pairs = zip(whole.values, one.values, strict=True)
            lost[one.data] = row(one.data, AFTER, "points lost", [a - b for a, b in pairs])
        if lost:
            what = f"{weights} with {states} bits of state"
            said.append(f"Quantised to {what} after training, float loses {on_each(lost)}.")
    return " ".join(said)


def _least(rows: Sequence[TrackRow], weights: str) -> int:
    """The fewest bits of state whose mean is within `LOSS` of 8 bits, on every data set."""
    return min(state for state in STATES if _within(rows, weights, ARM.format(weights, state, 16)))


def _least_latents(rows: Sequence[TrackRow], weights: str) -> int:
    return min(bits for bits in LATENTS if _within(rows, weights, ARM.format(weights, 8, bits)))


def _within(rows: Sequence[TrackRow], weights: str, arm: str) -> bool:
    gaps = differences(rows, ACCURACY, ARM.format(weights, 8, 16), arm)
    return all(gap.mean <= LOSS for _, gap in gaps)


TRACK = Track(
    ids=("16",),
    name="bits",
    setup=(
        "Trainings of the integer rule with 1 to 8 bits of state, INT8 and ternary weights, and "
        "latents of 10 to 16 bits; test accuracy of what learned. Besides, a float network that is "
        f"quantised after its training. All of them see at most the first {MOST:,} training "
        "images, for float in NumPy is slow."
    ),
    control=(
        "EqProp in float64 on the same shape, images and epochs, on every data set. The integer "
        "rule moves images of MNIST by up to a pixel, as its recipe says; float does not."
    ),
    thresholds=(
        f"Robust: INT8 weights and 8-bit states are surely at most {LOSS:g} point behind float: "
        f"holds. Surely more than {LOSS:g} point behind: refuted. An interval that reaches over "
        "it: within limits. So on every data set. The fewest bits are those whose mean stays "
        "within as much on each."
    ),
    sources="Integer rule and float baseline of this project; conversion of `toreq-hw quantize`.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "integer trainings learn shuffled labels"},
    picture=ACCURACY,
    learned={ACCURACY: (FLOAT,)},
)
