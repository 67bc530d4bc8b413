"""What a search found: every point that was asked for, the front, and what was not tried."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choices:
    """One point of a search's space.

    hidden: sizes. weights: their format. fraction_offset: is added to the fraction bits of the
    recipe. feedback_shift: of every coupling but the first. learn_lanes: 0 of a core that cannot
    learn. clock_mhz: that is asked of the PLL; None for the board's own. accumulator_register: as
    of `CoreParameters`.
    """

    hidden: tuple[int, ...]
    weights: str
    state_bits: int
    latent_bits: int
    fraction_offset: int
    readout: str
    feedback_shift: int
    lanes: int
    learn_lanes: int
    board: str
    clock_mhz: float | None
    accumulator_register: bool = False


@dataclass(frozen=True)
class Figures:
    """What is known of a point; None for what is not. All of held-out training images.

    accuracy, damaged_accuracy: 0..1. cells: four-input tables, as Yosys counts them, and as
    nextpnr does once the point is placed. block_ram: blocks. cycles, us: of an image, at the clock
    that the PLL makes. fmax_mhz: of the fastest seed. energy_uj: the high end of the estimate.
    training_us: mean of a training sample.
    """

    accuracy: float | None = None
    cells: float | None = None
    block_ram: float | None = None
    cycles_p50: float | None = None
    cycles_p95: float | None = None
    p50_us: float | None = None
    p95_us: float | None = None
    images_per_second: float | None = None
    fmax_mhz: float | None = None
    energy_uj: float | None = None
    damaged_accuracy: float | None = None
    training_us: float | None = None


@dataclass(frozen=True)
class SearchPoint:
    """One point. rung: the last one that it finished; "" for none. cut: why it went no further, ""
    for a point that finished all.

    network_sha256: of the network that its figures are of; "" before any training.
    """

    number: int
    choices: Choices
    rung: str
    cut: str
    figures: Figures
    network_sha256: str = ""


@dataclass(frozen=True)
class FrontPoint:
    """A point of the front. test_accuracy: 0..1, on the test set, which chose nothing.

    commands: what makes its network file, its core and its bitstream again.
    """

    number: int
    test_accuracy: float | None
    commands: tuple[str, ...]


@dataclass(frozen=True)
class Objective:
    """What is to be small, or large."""

    metric: str
    maximise: bool

    def __str__(self) -> str:
        return f"{'most' if self.maximise else 'least'} {self.metric}"


@dataclass(frozen=True)
class Dimension:
    """A dimension of the space: its name, and what may be chosen, as texts."""

    name: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Cut:
    """How many points went no further than `rung`, and why."""

    rung: str
    reason: str
    points: int


@dataclass(frozen=True)
class RungCount:
    """points: that finished a rung. works: different pieces of work for them. seconds: that these
    took when they ran.
    """

    rung: str
    points: int
    works: int
    seconds: float


@dataclass(frozen=True)
class Search:
    """One search. split: which images its figures are of. settings: all that decides it, by name.

    points: all that were asked for, in order. front: those that no other beats, best of the first
    objective first. pick: the number of the recommended one, None without a front.
    """

    name: str
    data: str
    split: str
    test_split: str
    objectives: tuple[Objective, ...]
    requirements: tuple[str, ...]
    space: tuple[Dimension, ...]
    settings: dict[str, str]
    points: tuple[SearchPoint, ...]
    front: tuple[FrontPoint, ...]
    pick: int | None
    reason: str
    cuts: tuple[Cut, ...]
    rungs: tuple[RungCount, ...]
    untried: tuple[str, ...]


@dataclass(frozen=True)
class Searches:
    """The record of `toreq-hw search`. left_out: published searches that are not in it."""

    searches: tuple[Search, ...]
    versions: dict[str, str]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """One training, measured on held-out images."""

    accuracy: float
    train_accuracy: float
    unsettled: int
    network_sha256: str
    seconds: float


@dataclass(frozen=True)
class Timed:
    """Exact cycles of held-out images. accuracy: of those."""

    accuracy: float
    cycles_mean: float
    cycles_p50: int
    cycles_p95: int
    seconds: float


@dataclass(frozen=True)
class Synthesised:
    """What Yosys counts. error: why there is nothing, "" if there is."""

    cells: int
    ff: int
    block_ram: int
    design: str
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Placed:
    """What place and route gives; of the fastest seed. error: why there is nothing, "" if there
    is. fmax: MHz of each seed.
    """

    cells: int
    block_ram: int
    fmax: tuple[float, ...]
    met: bool
    design: str
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Measured:
    """One more figure of a point: energy, damage, training or test. error: why there is none."""

    value: float
    seconds: float
    error: str = ""
