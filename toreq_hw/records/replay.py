"""A fault map replayed: what each machine showed, and how it compares."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """checked: states compared, over samples, ticks and neurons; first_difference: None if none."""

    machine: str
    checked: int
    first_difference: str | None


@dataclass(frozen=True)
class Replayed:
    """What `toreq-hw replay --json` writes. map: path of the fault map. settled: faults acted on
    settled states. verdicts: one a machine, of the simulator one an engine.
    """

    network_sha256: str
    map: str
    samples: int
    settled: bool
    verdicts: tuple[Comparison, ...]
    versions: dict[str, str]


@dataclass(frozen=True)
class CoreReplay:
    """What a bench kept of one sample. states: at the end, (neurons,) in file order. snapshots:
    a tick and the states at its end, of every tick at whose end the core waited.
    """

    states: list[int]
    sweeps: int
    settled: bool
    snapshots: list[tuple[int, list[int]]]


@dataclass(frozen=True)
class LavaReplay:
    """What the process that drives Lava saw of one sample. ticks: the states at the start and at
    the end of every tick, each (neurons,) in file order.
    """

    ticks: list[list[int]]
    sweeps: int
    settled: bool
