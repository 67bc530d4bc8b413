"""What a network takes on a neuromorphic chip: the map onto its cores, and the estimates."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A figure of merit with the spread of its sources: low <= value <= high."""

    value: float
    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Chip:
    """A checked description.

    counts: whole numbers by name, of the grid, the limits and the synapse encoding. figures:
    energies in pJ and times in ns, by name. sources: where each of both comes from. path: of its
    file, in the package or as a person named it. sha256: of that file.
    """

    name: str
    counts: dict[str, int]
    figures: dict[str, Figure]
    sources: dict[str, str]
    path: str
    sha256: str

    @property
    def columns(self) -> int:
        """Of the grid of neurocores."""
        return self.counts["grid_columns"]

    @property
    def rows(self) -> int:
        """Of the grid of neurocores."""
        return self.counts["grid_rows"]

    @property
    def cores(self) -> int:
        """Neurocores on one chip."""
        return self.columns * self.rows

    def limit(self, name: str) -> int:
        """What one core holds of `name`, as in `Core.used`. Raises KeyError for an unknown name."""
        return self.counts[f"{name}_per_core"]

    def limit_source(self, name: str) -> str:
        """Where that limit comes from. Raises KeyError for an unknown name."""
        return self.sources[f"{name}_per_core"]


@dataclass(frozen=True)
class Core:
    """A core in use: where it is and what it holds; `percent` is of the chip's limit."""

    chip: int
    column: int
    row: int
    population: str
    first: int
    last: int
    used: dict[str, int]
    percent: dict[str, float]


@dataclass(frozen=True)
class SharedWeights:
    """A projection whose synapses share weights: memory of its lists on all cores.

    bits: as the chip stores them. bits_unshared: with a list for every axon.
    """

    projection: str
    weights: int
    synapses: int
    bits: int
    bits_unshared: int


@dataclass(frozen=True)
class ChipMap:
    """The map. hops_per_event: mean distance that an event travels, after and before placement.
    violations: limits that are broken, a sentence each. shared: projections of shared weights.
    """

    chip: Chip
    cores_used: int
    chips_used: int
    hops_per_event: float
    hops_per_event_in_order: float
    cores: tuple[Core, ...]
    violations: tuple[str, ...]
    shared: tuple[SharedWeights, ...] = ()


@dataclass(frozen=True)
class EstimatedSum:
    """A sum of counts times figures, with the spread of their sources. parts: of `value`."""

    value: float
    low: float
    high: float
    parts: dict[str, float]
    counts: dict[str, float]


@dataclass(frozen=True)
class Estimates:
    """Of one inference. sources: of the figures, by name."""

    label: str
    energy_per_sample_uj: EstimatedSum
    time_per_sample_us: EstimatedSum
    sources: dict[str, str]


@dataclass(frozen=True)
class ThirdPartyEstimate:
    """Of one inference, by another tool's model of a chip, from the events that were counted.

    energy_parts_uj: of the energy, by part of the chip. steps: time steps. differences: why the
    figures are not those of `Estimates`.
    """

    tool: str
    samples: int
    energy_per_sample_uj: float
    energy_parts_uj: dict[str, float]
    time_per_sample_us: float
    messages_per_sample: float
    synops_per_sample: float
    steps_per_sample: float
    differences: str


@dataclass(frozen=True)
class PhaseActivity:
    """One phase by tick. events: by population, mean a sample in tick 1, 2, ...; what the input
    sends in tick 0 is apart.

    raster: (tick, neuron) of each event of one sample; neurons count over the populations.
    """

    phase: str
    events: dict[str, tuple[float, ...]]
    raster: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Traffic:
    """Messages a sample in the free phase, mean. source, target: places in `ChipMap.cores`.

    source: None for the input, whose events come from outside.
    """

    source: int | None
    target: int
    messages: float


@dataclass(frozen=True)
class ChipActivity:
    """What happens on the cores while samples are relaxed.

    samples: of the means. sample: of the rasters. populations: sizes by name, in their order.
    """

    samples: int
    sample: int
    populations: dict[str, int]
    phases: tuple[PhaseActivity, ...]
    traffic: tuple[Traffic, ...]


@dataclass(frozen=True)
class ChipRecord:
    """The part of a deployment's record that is about a chip. third_party: where it was asked."""

    cores_used: int
    chips_used: int
    violations: tuple[str, ...]
    estimates: Estimates
    mapping: ChipMap
    activity: ChipActivity
    third_party: ThirdPartyEstimate | None = None
