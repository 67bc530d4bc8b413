"""Analog accumulators: noise on what an update sees, and converters of few bits."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.network import Network, accumulator_bits
from toreq_hw.sim.perturbation.disturbance import Disturbance, Noise
from toreq_hw.sim.perturbation.disturbance import ReadNoise as Read
from toreq_hw.sim.perturbation.layer import PhaseLayer


@dataclass(frozen=True)
class ThermalNoise(PhaseLayer):
    """a' = a + round(level * (s_max - s_min) 2^F * N): white noise at every update, not kept.

    N: mean 0, sd 1, integer arithmetic (`random_values.noise_int`). last_tick: no noise after it;
    up to then a phase does not end, afterwards it settles as ever. Give it the limit on sweeps,
    times the number of colours, for noise that never stops: the limit then ends the phase.
    """

    last_tick: int = 20

    kind: ClassVar[str] = "thermal_noise"
    unit: ClassVar[str] = "standard deviation over the range of states"
    domain: ClassVar[tuple[float, float]] = (0.0, 10.0)
    quiescence: ClassVar[str] = "guaranteed once `last_tick` is over"
    octaves: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.last_tick, int) or not 1 <= self.last_tick < 1 << 20:
            raise InputError(
                f"last_tick of {self.kind} must be in 1..2^20 - 1, not {self.last_tick!r}"
            )

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """Adds a source of noise; with several, their draws are independent."""
        layout = Layout(network)
        scale = np.zeros(layout.neurons, dtype=np.int64)
        for population in self.populations(network):
            fraction_bits = network.accumulator_fraction_bits(population.name)
            state_range = (population.state_max - population.state_min) << fraction_bits
            scale[layout.of(population)] = round(256 * self.level * state_range)
        if not scale.any():
            return disturbance
        noise = Noise(scale, self.octaves, self.last_tick, int(self.generator().integers(1 << 32)))
        return replace(disturbance, noise=(*disturbance.noise, noise))


@dataclass(frozen=True)
class FlickerNoise(ThermalNoise):
    """The same with a spectrum that falls as 1/f over six octaves of ticks."""

    kind: ClassVar[str] = "flicker_noise"
    octaves: ClassVar[int] = 6


@dataclass(frozen=True)
class ReadNoise(ThermalNoise):
    """Each weight is read anew for each delivery: (w + level w_max N) d, N fresh every time.

    w_max: the coupling's largest magnitude. Tick 0 presents the inputs. The errors of a tick's
    independent reads along one direction of a coupling add up to one of deviation level w_max
    sqrt(sum d^2). Each accumulator that they reach keeps it. place: a target population. The
    additive read noise of analog arrays (Joshi et al., Nature Communications 11, 2473, 2020), but
    for its 1/f part, which `pcm` has.
    """

    kind: ClassVar[str] = "read_noise"
    unit: ClassVar[str] = "standard deviation over the largest weight, per read"

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """A source of noise for each direction of each coupling."""
        rng = self.generator()
        numbers = {p.name: k for k, p in enumerate(network.relaxing)}
        numbers[network.input.name] = -1
        wanted = {p.name for p in self.populations(network)}
        shifts = {(p.source.name, p.target.name): p.shift for p in network.projections}
        reads = []
        for coupling in network.dense_couplings:
            largest = int(np.abs(coupling.weight).max(initial=0))
            ends = {(coupling.pre, coupling.post), (coupling.post, coupling.pre)}
            for source, target in sorted(ends):
                seed = int(rng.integers(1 << 32))  # drawn for the input's way back as well
                if target in wanted:
                    shift = shifts[source, target]
                    scale = round(256 * self.level * largest * (1 << shift))
                    reads.append(
                        Read(numbers[source], numbers[target], scale, self.last_tick, seed)
                    )
        return replace(disturbance, reads=(*disturbance.reads, *(r for r in reads if r.scale)))


@dataclass(frozen=True)
class AccumulatorConverter(PhaseLayer):
    """An ADC of 16 - level bits reads the accumulator: a' = clip(round(a / q) q, -R, R - q).

    q = 2R / 2^bits, both powers of two. R is the smallest power of two that holds every
    accumulator the network can have, divided by 2^`clipping`. A monotone staircase on a
    monotone staircase is one: quiescence stays guaranteed.
    """

    clipping: int = 0

    kind: ClassVar[str] = "accumulator_converter"
    unit: ClassVar[str] = "bits fewer than 16, 0 for no converter"
    domain: ClassVar[tuple[float, float]] = (0.0, 15.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.clipping, int) or not 0 <= self.clipping <= 16:
            raise InputError(f"clipping of {self.kind} must be in 0..16, not {self.clipping!r}")

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """Sets the ADC of every neuron concerned."""
        if self.level == 0:
            return disturbance
        layout = Layout(network)
        converter = disturbance.converter.copy()
        bits = 16 - round(self.level)
        for population in self.populations(network):
            word = max(2, accumulator_bits(network, population.name) - self.clipping)
            shift = max(0, word - bits)
            half_range = 1 << (word - 1)
            converter[layout.of(population), :3] = shift, -half_range, half_range - (1 << shift)
        return replace(disturbance, converter=converter)


@dataclass(frozen=True)
class StateConverter(PhaseLayer):
    """A DAC that drops the lowest `level` bits: s' = round(s / 2^level) 2^level, clipped.

    Monotone too, so quiescence stays guaranteed.
    """

    kind: ClassVar[str] = "state_converter"
    unit: ClassVar[str] = "state bits dropped"
    domain: ClassVar[tuple[float, float]] = (0.0, 7.0)

    def add(self, network: Network, batch: int, disturbance: Disturbance) -> Disturbance:
        """Sets the DAC of every neuron concerned."""
        layout = Layout(network)
        converter = disturbance.converter.copy()
        for population in self.populations(network):
            converter[layout.of(population), 3] = round(self.level)
        return replace(disturbance, converter=converter)
