"""The cores that learn whose figures are published: data set, network, board, and what is asked."""

from dataclasses import asdict, dataclass, field, replace

from toreq_hw.boards import registry
from toreq_hw.boards.board import Board
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.learning import Asked
from toreq_hw.sim.learning import Rule
from toreq_hw.sim.learning.recipes import Recipe, recipe

_PIXELS, _CLASSES = {"digits": 64, "mnist": 784, "fashion-mnist": 784}, 10
"""Of the data sets, so that a network is known where its images are not at hand."""


@dataclass(frozen=True, kw_only=True)
class LearningCase:
    """One learner. settings: of the recipe, by name, that are not those of `toreq-hw train`.
    fraction_bits: of both couplings; None: the recipe's.

    input_bits: of a pixel. clock_mhz: that the core is to keep. asked: None of a figure that is
    only reported.
    """

    data: str
    hidden: int
    weights: WeightFormat
    board: str
    lanes: int
    learn_lanes: int
    clock_mhz: float
    latent_bits: int = LATENT_BITS
    input_bits: int = 8
    epochs: int = 20
    settings: tuple[tuple[str, int], ...] = ()
    fraction_bits: tuple[int, int] | None = None
    asked: Asked = field(default_factory=Asked)

    @property
    def name(self) -> str:
        """What the learner is called wherever it is shown."""
        shape = f"{self.hidden} {self.weights.value}"
        return f"{self.data} {shape} on {self.board}, {self.lanes} lanes, {self.learn_lanes} learn"

    @property
    def target(self) -> Board:
        """The board."""
        return registry.get(self.board)

    @property
    def recipe(self) -> Recipe:
        """The settings of `toreq-hw train` with its own."""
        known = recipe(self.weights, _PIXELS[self.data])
        bits = {"fraction_bits": self.fraction_bits or known.fraction_bits}
        return Recipe(**{**asdict(known), **dict(self.settings), **bits})

    @property
    def network(self) -> Network:
        """The shape that learns."""
        sizes = (_PIXELS[self.data], self.hidden, _CLASSES)
        return self.recipe.dense(sizes, self.weights, self.input_bits)

    @property
    def rule(self) -> Rule:
        """Of the integer rule."""
        rule = self.recipe.rule(self.network, self.epochs)
        return replace(rule, latent_bits=self.latent_bits)

    @property
    def described(self) -> str:
        """The settings in words."""
        chosen = asdict(self.recipe)
        decay = ", ".join(f"{100 * part:g}" for part in chosen["decay"])
        first, last = chosen["fraction_bits"]
        return (
            f"{self.epochs} epochs; f {first} and {last}; k {chosen['shift']} and "
            f"{chosen['output_shift']}, of biases {chosen['bias_shift']}, each one more from "
            f"{decay} % of the epochs on; images moved by up to {chosen['augment']} pixels; "
            f"{self.latent_bits}-bit latents"
        )


INT8, TERNARY = WeightFormat.INT8, WeightFormat.TERNARY

_LARGE = LearningCase(
    data="mnist",
    hidden=256,
    weights=INT8,
    latent_bits=12,
    board="ulx3s_85f",
    lanes=16,
    learn_lanes=16,
    clock_mhz=60,
    settings=(("shift", 7), ("output_shift", 10), ("bias_shift", 9)),
    asked=Asked(accuracy=0.985, first_us=130.0, later_us=60.0),
)

PUBLISHED = (
    LearningCase(
        data="mnist",
        hidden=80,
        weights=INT8,
        board="icebreaker",
        lanes=4,
        learn_lanes=1,
        clock_mhz=24,
        asked=Asked(accuracy=0.976, first_us=400.0, later_us=200.0, p99_us=1000.0),
    ),
    _LARGE,
    replace(
        _LARGE,
        data="fashion-mnist",
        settings=(("shift", 9), ("output_shift", 12), ("bias_shift", 11), ("augment", 0)),
        fraction_bits=(7, 8),
        asked=Asked(accuracy=0.885),
    ),
    replace(
        _LARGE,
        hidden=448,
        weights=TERNARY,
        latent_bits=8,
        settings=(),
        asked=Asked(accuracy=0.984),
    ),
    LearningCase(
        data="mnist",
        hidden=72,
        weights=INT8,
        latent_bits=12,
        board="orangecrab",
        lanes=8,
        learn_lanes=8,
        clock_mhz=60,
    ),
    LearningCase(
        data="digits",
        hidden=128,
        weights=INT8,
        board="orangecrab",
        lanes=16,
        learn_lanes=4,
        clock_mhz=60,
        epochs=40,
    ),
    LearningCase(
        data="digits",
        hidden=32,
        weights=INT8,
        latent_bits=12,
        board="ice40_hx8k_b_evn",
        lanes=2,
        learn_lanes=1,
        clock_mhz=48,
        epochs=40,
    ),
    LearningCase(
        data="mnist",
        hidden=6,
        weights=INT8,
        latent_bits=8,
        board="ice40_hx8k_b_evn",
        lanes=2,
        learn_lanes=1,
        clock_mhz=48,
        settings=(("output_shift", 8),),
    ),
)
"""Settings were chosen on held-out training images (`toreq-hw train --holdout 10000`), those of
`toreq-hw train` among them; the last one's, which its few latent bits decide, were not."""
