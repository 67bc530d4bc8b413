"""A training on a board: what `toreq-hw deploy --train` found, and writes."""

from dataclasses import dataclass

from toreq_hw.records.training import RuleSettings, TrainedEpoch


@dataclass(frozen=True)
class Spread:
    """Of what each sample took: its mean and percentiles."""

    mean: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, kw_only=True)
class BoardTrainingRun:
    """One training. form: a real board and its port, or the simulated system. samples: learned
    here. bit_exact: whether latents, biases, generator and counts are the simulator's; the first
    difference in a line. core_us: time of the core, of the samples whose answer was heard.
    phase_cycles: means of FREE, NUDGE_POSITIVE, NUDGE_NEGATIVE and LEARN. link_us: from the first
    byte of a sample to the last of its answer, by the line's clock at `baud`; None of no sample.
    wall_s: of the whole training, with compiling and the simulator beside it. unheard: samples
    whose answer was lost. repeated: learned again from a read-back.
    """

    target: str
    form: str
    data: str
    split: str
    seed: int
    rule: RuleSettings
    epochs: int
    augment: int
    started_from: str | None
    lanes: int
    learn_lanes: int
    clock_hz: int
    baud: float
    samples: int
    bit_exact: bool
    first_difference: str | None
    core_us: Spread | None
    phase_cycles: tuple[float, ...]
    link_us: float | None
    read_back_s: float
    wall_s: float
    loaded_bytes: int
    unheard: int
    repeated: int
    retries: int
    frame_errors: int
    faults: int
    history: tuple[TrainedEpoch, ...]
    accuracy: float | None
    sparsity: float
    network_sha256: str
    versions: dict[str, str]
    mirror: bool = False
