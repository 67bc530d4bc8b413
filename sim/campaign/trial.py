"""One trial: damage a network once, run the test images, compare with the undamaged one."""

import sys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from toreq_hw import data
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.contract.results import PhaseResult
from toreq_hw.network import Network, load
from toreq_hw.reading import shown
from toreq_hw.sim.baselines.feed_forward import feed_forward, has_counterpart
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.event import EventEngine
from toreq_hw.sim.perturbation import (
    KINDS,
    Layer,
    PhaseLayer,
    disturb,
    disturbance,
    disturbed_engine,
    program,
)
from toreq_hw.sim.phases import Engine, relax

MAX_BIN = 40
"""Sweeps beyond this share the histogram's last bin."""

_MAX_NUMBER = (1 << 31) - 1
_MAX_COUNT = (1 << 53) - 1


@dataclass(frozen=True)
class Trial:
    """What one seeded damage did to `samples` images.

    accuracy, twin_accuracy: of the equilibrium network and the feed-forward baseline (None: no
    baseline, or no counterpart). agreement: same class as undamaged. exact: images whose every
    state is that of the undamaged equilibrium. distance: mean |difference| of states over their
    range. sweeps: counts of images that took 1, 2, .. MAX_BIN sweeps in the disturbed phase.
    events: mean state changes sent in that phase. Raises ValueError for a figure outside its range.
    """

    level: float
    trial: int
    samples: int
    accuracy: float
    agreement: int
    exact: int
    distance: float
    sweeps: tuple[int, ...]
    mean_sweeps: float
    unsettled: int
    events: float
    twin_accuracy: float | None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("level", 0, sys.float_info.max),
            ("trial", 0, _MAX_NUMBER),
            ("samples", 1, _MAX_NUMBER),
            ("accuracy", 0, 1),
            ("agreement", 0, self.samples),
            ("exact", 0, self.samples),
            ("distance", 0, 1),
            ("mean_sweeps", 1, _MAX_COUNT),
            ("unsettled", 0, self.samples),
            ("events", 0, _MAX_COUNT),
            ("twin_accuracy", 0, 1),
        ):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} must be in {low}..{high:g}, found {shown(value)}")
        if len(self.sweeps) != MAX_BIN or sum(self.sweeps) != self.samples or min(self.sweeps) < 0:
            raise ValueError(f"sweeps must be {MAX_BIN} counts of {self.samples} images")


@dataclass(frozen=True, eq=False)
class _Bench:
    """What all trials of a setting share."""

    network: Network
    baseline: Network | None
    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]
    clean: PhaseResult


def run_trial(setting: Setting, level: float, trial: int) -> Trial:
    """Runs one trial in this process, on one thread."""
    bench = _bench(setting)
    layer = setting.layer(level, trial)
    result = damaged_phase(bench.network, layer, bench.inputs, bench.clean, setting.max_sweeps)
    twin_accuracy = None
    if bench.baseline is not None and has_counterpart(layer):
        baseline_classes = feed_forward(bench.baseline, bench.inputs, [layer])
        twin_accuracy = float(np.mean(baseline_classes == bench.labels))
    return _summarise(bench, result, level, trial, twin_accuracy)


def damaged_phase(
    network: Network,
    layer: Layer,
    inputs: npt.NDArray[np.int16],
    clean: PhaseResult,
    max_sweeps: int = MAX_SWEEPS,
) -> PhaseResult:
    """The free phase of `network` damaged by one layer, on one thread. inputs: int16 (batch,
    input.size). clean: their undamaged phase, from which damage of settled states begins.
    """
    damaged = program(network, [layer])
    engine: Engine = EventEngine(damaged, threads=1)
    if isinstance(layer, PhaseLayer):
        engine = disturbed_engine(damaged, disturbance(damaged, len(inputs), [layer]))
    start = disturb(damaged, clean.states, [layer]) if layer.on_settled else None
    return relax(damaged, inputs, engine=engine, states=start, max_sweeps=max_sweeps)


def _summarise(
    bench: _Bench, result: PhaseResult, level: float, trial: int, twin_accuracy: float | None
) -> Trial:
    layout = Layout(bench.network)
    ranges = np.concatenate(
        [np.full(p.size, p.state_max - p.state_min) for p in bench.network.relaxing]
    )
    difference = np.abs(layout.join(result.states) - layout.join(bench.clean.states))
    counts = np.bincount(np.minimum(result.sweeps, MAX_BIN), minlength=MAX_BIN + 1)[1:]
    return Trial(
        level=level,
        trial=trial,
        samples=len(bench.labels),
        accuracy=float(np.mean(result.classes == bench.labels)),
        agreement=int(np.count_nonzero(result.classes == bench.clean.classes)),
        exact=int(np.count_nonzero(~difference.any(axis=1))),
        distance=float((difference / ranges).mean()),
        sweeps=tuple(counts.tolist()),
        mean_sweeps=float(result.sweeps.mean()),
        unsettled=result.unsettled,
        events=float(result.events.mean()),
        twin_accuracy=twin_accuracy,
    )


@lru_cache(maxsize=2)
def _bench(setting: Setting) -> _Bench:
    """Loaded once a process."""
    network = load(setting.network)
    baseline = load(setting.baseline) if setting.baseline else None
    dataset = data.load(setting.data, network.encoding)
    inputs = data.input_states(network, dataset.test.images, dataset.pixel_max)
    inputs = np.ascontiguousarray(inputs[: setting.samples])
    # What level 0 must equal: the equilibrium, or what a phase cut at the limit has reached.
    limit = MAX_SWEEPS if KINDS[setting.kind].on_settled else setting.max_sweeps
    clean = relax(network, inputs, engine=EventEngine(network, threads=1), max_sweeps=limit)
    return _Bench(network, baseline, inputs, dataset.test.labels[: setting.samples], clean)
