"""Deployments: what each target found, and what `toreq-hw deploy` writes and shows of it."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from toreq_hw.json_values import FileEntry
from toreq_hw.records.chip import ChipRecord


@dataclass(frozen=True)
class DeployedNetwork:
    """Which network ran: its file, its hash, and what its file says beside the tensors."""

    path: str
    sha256: str
    populations: tuple[FileEntry, ...]
    couplings: tuple[FileEntry, ...]
    schedule: str
    nudge: dict[str, int]
    readout: FileEntry | UnsetType = UNSET
    terms: tuple[FileEntry, ...] | UnsetType = UNSET
    encoding: FileEntry | UnsetType = UNSET


@dataclass(frozen=True)
class DeployedData:
    """Which images ran. part: of the data set. sha256: of the input states and labels that ran."""

    name: str
    split: str
    part: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class DeploymentRun:
    """What the record of any deployment says, beside the fields of its target's own record.

    threshold: of the lossy mode, None for lossless. seed: of what the target draws, None for one
    that draws nothing. notes: sentences that a person must read.
    """

    target: str
    passed: bool
    network: DeployedNetwork
    threshold: int | None
    seed: int | None
    data: DeployedData
    versions: dict[str, str]
    notes: tuple[str, ...]
    duration_s: float


@dataclass(frozen=True)
class PhaseCounts:
    """One phase, summed over the samples. changes_checked: of states, in the trace."""

    events: int
    input_events: int
    synops: int
    ticks: int
    changes_checked: int


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """All three phases of every sample; what is per sample is of the free phase.

    events: input events included. unsettled: phases that met the limit on sweeps. phases: by name.
    """

    samples: int
    accuracy: float
    events_per_sample: float
    synops_per_sample: float
    ticks_per_sample: float
    unsettled: int
    phases: dict[str, PhaseCounts]


@dataclass(frozen=True, kw_only=True)
class Exactness:
    """Whether every state of every tick is the simulator's; the first that is not, in a line."""

    bit_exact: bool
    first_difference: str | None


@dataclass(frozen=True, kw_only=True)
class Agreement(Exactness):
    """What differs from the simulator; all zero where a run is bit-exact.

    differing_states: changes (sample, tick, neuron, before, after) that only one side has.
    differing_ticks, differing_event_counts: samples and phases in which these counters differ.
    """

    differing_states: int
    differing_ticks: int
    differing_event_counts: int


@dataclass(frozen=True, kw_only=True)
class SimRun(RunFigures, Exactness):
    """Of target `sim`. engines: that were held against each other."""

    engines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CoreRun(RunFigures, Exactness):
    """Of target `rtl`; cycles are means."""

    lanes: int
    cycles_per_sample: float
    cycles_per_sample_with_nudged_phases: float


@dataclass(frozen=True, kw_only=True)
class BoardRun(RunFigures, Exactness):
    """Of a board. form: a real board and its port, or the simulated system. cycles: mean of the
    free phase. core_us_per_sample: the same as time. load_board_seconds: by the board's clock where
    it is simulated. retries: frames sent again. frame_errors, faults: that the board counted.
    """

    form: str
    lanes: int
    clock_hz: float
    cycles_per_sample: float
    core_us_per_sample: float
    loaded_bytes: int
    load_board_seconds: float
    run_seconds: float
    retries: int
    frame_errors: int
    faults: int


@dataclass(frozen=True, kw_only=True)
class LoihiRun(ChipRecord, RunFigures, Agreement):
    """Of target `loihi`. form: how many samples ran at once. lava_seconds: of all phases."""

    form: str
    lava_seconds: float


@dataclass(frozen=True, kw_only=True)
class NengoRun(ChipRecord, RunFigures, Agreement):
    """Of target `nengo`. nengo_seconds: of all phases."""

    nengo_seconds: float


@dataclass(frozen=True)
class StateError:
    """Mean distance of a population's states from the simulator's, beside the largest state."""

    error: float
    state_max: int


@dataclass(frozen=True, kw_only=True)
class ApproximateRun:
    """Of target `nengo-loihi`, which is not exact; free phases only.

    class_agreement: share of samples with the simulator's class. coupling_strength_is_followed:
    whether the approximation is known to settle there as the simulator does. spikes: of relaxing
    neurons. events: input events included, as everywhere; those of the input are beside them.
    """

    bit_exact: bool
    samples: int
    class_agreement: float
    class_agreement_needed: float
    accuracy: float
    simulator_accuracy: float
    mean_state_error: float
    largest_state_error: float
    mean_state_error_by_population: dict[str, StateError]
    spikes_per_sample: float
    events_per_sample_of_the_simulator: float
    input_events_per_sample_of_the_simulator: float
    coupling_strength: float
    coupling_strength_is_followed: bool
    emulator_seconds: float


@dataclass(frozen=True, kw_only=True)
class NirExport:
    """Of target `nir`, which runs nothing. not_expressed: what the graph cannot say."""

    file: str
    nodes: int
    edges: int
    weights_differing_after_reading_back: int
    not_expressed: tuple[str, ...]


TargetRecord = SimRun | CoreRun | BoardRun | LoihiRun | NengoRun | ApproximateRun | NirExport
"""What a target hands back."""


@dataclass(frozen=True)
class TargetStatus:
    """One row of the table of targets. status: how exact, on what. tried: packages, versions."""

    name: str
    description: str
    status: str
    tried: str


@dataclass(frozen=True)
class Deployment:
    """What the page of a deployment shows beside its table of figures.

    split: which samples ran. notes: sentences that a person must read. chip: None for a target
    that is no chip. targets: the table of all of them.
    """

    split: str
    passed: bool
    notes: tuple[str, ...]
    versions: dict[str, str]
    chip: ChipRecord | None
    targets: tuple[TargetStatus, ...]
