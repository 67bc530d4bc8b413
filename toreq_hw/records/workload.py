"""What a whole test set asks of a core."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """The free phase over all test images; pixels are encoded as docs/numerics.md says.

    cycles: from the command to the class, states not reported, input words never waited for;
    its percentiles are those of single images. lane_use: fraction of lane slots in walks that
    carry a weight. Counts are means per image.
    """

    data: str
    split: str
    images: int
    accuracy: float
    unsettled: int
    cycles_mean: float
    cycles_p50: int
    cycles_p95: int
    cycles_p99: int
    cycles_max: int
    histogram_edges: tuple[int, ...]
    histogram_counts: tuple[int, ...]
    beats: float
    synops: float
    events: float
    input_events: float
    sweeps: float
    lane_use: float
