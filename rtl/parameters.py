"""Everything that decides the hardware, derived from a network once and then frozen.

`CoreParameters.of(network, lanes)` is the one place that turns a network into sizes, widths,
addresses and walks. The generator, the memory images, the datasheet and the timing model all
read this object; none of them looks at the network again for a size.
"""

from dataclasses import dataclass
from functools import cached_property

from toreq_hw.errors import NetworkError
from toreq_hw.network import (
    Coupling,
    Network,
    Population,
    Schedule,
    WeightFormat,
    accumulator_range,
)

LANES = (2, 4, 8, 16, 32, 64)
"""Lane counts that work: a power of two makes every bank address a field, not a sum."""

MAX_ACCUMULATOR_BITS = 40
"""Widest accumulator; with any weights of the formats, not only those at hand."""

MAX_TILES = 1 << 16
"""Most tiles (lanes x lanes weights) in one weight store."""

DEFAULT_MAX_SWEEPS = 10_000
"""The safety net on sweeps, far above any relaxation seen."""


@dataclass(frozen=True)
class Slot:
    """Where a population lives: `groups` rows of `lanes` neurons, from row `first_group` on.

    fraction_bits: F of docs/numerics.md. self_coupled: updated neuron by neuron. The input's
    slot has no rows of its own (`first_group` is 0 and unused).
    """

    name: str
    size: int
    groups: int
    first_group: int
    state_min: int
    state_max: int
    state_bits: int
    signed: bool
    fraction_bits: int
    self_coupled: bool

    @property
    def half(self) -> int:
        """The rounding half, in accumulator LSBs."""
        return (1 << self.fraction_bits) >> 1


@dataclass(frozen=True)
class Fan:
    """One direction of one coupling: what an event of `source` walks into `target`.

    source, target: indices into `CoreParameters.relaxing`, or `INPUT`. by_column: the event
    is a column of the stored matrix. Tile (q_pre, q_post) sits at first_tile + q_post *
    pre_groups + q_pre of its store. beats: accumulator rows visited, `lanes` neurons each.
    shift: the fraction-bit difference F - f_c, applied to each product.
    """

    coupling: str
    source: int
    target: int
    store: int
    by_column: bool
    first_tile: int
    pre_groups: int
    beats: int
    neighbours: int
    shift: int


INPUT = -1
"""Index of the input population in a `Fan`."""


@dataclass(frozen=True)
class Store:
    """All weights of one format: `lanes` banks of `tiles * lanes` words of `width` bits."""

    weight_format: WeightFormat
    width: int
    tiles: int


@dataclass(frozen=True)
class CoreParameters:
    """One core. Populations are numbered in file order; `order` is the order of updating.

    accumulator_bits: holds every sum that any weights of these formats and any biases of
    `bias_bits` can reach, nudge and rounding half included. sweep_ticks: ticks of one sweep.
    counter_bits: of the counters in the summary; narrow ones wrap, and save logic.
    """

    lanes: int
    input: Slot
    relaxing: tuple[Slot, ...]
    output: int
    order: tuple[int, ...]
    fans: tuple[Fan, ...]
    stores: tuple[Store, ...]
    accumulator_bits: int
    bias_bits: int
    beta_shift: int
    sweep_ticks: int
    max_sweeps: int
    network_sha256: str
    counter_bits: int = 32

    @classmethod
    def of(
        cls, network: Network, lanes: int, max_sweeps: int = DEFAULT_MAX_SWEEPS
    ) -> "CoreParameters":
        """The core of `network` with `lanes` accumulators a beat.

        Raises NetworkError naming the layer, the limit and the fix where no core can be made.
        """
        if lanes not in LANES:
            raise NetworkError(f"lanes must be one of {', '.join(map(str, LANES))}, not {lanes!r}")
        if not 1 <= max_sweeps < 1 << 16:
            raise NetworkError(f"max_sweeps must be in 1..65535, not {max_sweeps!r}")
        if network.schedule is Schedule.SYNCHRONOUS:
            raise NetworkError(
                "schedule must be parity or sequential for the core, found synchronous (it may "
                "never settle); save the network with another schedule"
            )
        relaxing = _slots(network, lanes)
        stores, fans = _walks(network, lanes)
        bias_bits = max(_signed_bits(network.biases[p.name].tolist()) for p in network.relaxing)
        names = [p.name for p in network.relaxing]
        return cls(
            lanes=lanes,
            input=_slot(network, network.input, lanes, 0),
            relaxing=relaxing,
            output=names.index(network.output.name),
            order=_order(network, names),
            fans=fans,
            stores=stores,
            accumulator_bits=_accumulator_bits(network, bias_bits),
            bias_bits=bias_bits,
            beta_shift=network.beta_shift,
            sweep_ticks=len(network.colours),
            max_sweeps=max_sweeps,
            network_sha256=network.sha256,
        )

    @cached_property
    def groups(self) -> int:
        """Rows of the accumulator and state memories, one page."""
        return sum(slot.groups for slot in self.relaxing)

    @property
    def lane_bits(self) -> int:
        """Bits of a lane number."""
        return self.lanes.bit_length() - 1

    @property
    def group_bits(self) -> int:
        """Bits of a row number; also the size of a page, which is a power of two."""
        return max(1, (self.groups - 1).bit_length())

    @property
    def input_index_bits(self) -> int:
        """Bits of an input index on the wire: one more than needed, so that excess shows."""
        return self.input.size.bit_length()

    @property
    def state_bits(self) -> int:
        """Bits of a state of any relaxing population, two's complement if any is signed."""
        return max(_signed_bits([s.state_min, s.state_max]) for s in self.relaxing) - (
            not self.has_signed_states
        )

    @property
    def has_signed_states(self) -> bool:
        """Whether any relaxing population has negative states."""
        return any(slot.signed for slot in self.relaxing)

    @property
    def delta_bits(self) -> int:
        """Bits of an event's delta, two's complement."""
        reach = max(slot.state_max - slot.state_min for slot in self.relaxing)
        ends = [self.input.state_min, self.input.state_max, -reach, reach]
        return _signed_bits(ends)

    @property
    def weight_bits(self) -> int:
        """Bits of a weight in a lane."""
        return max((store.width for store in self.stores), default=2)

    @property
    def multiplies(self) -> bool:
        """Whether lanes hold a multiplier; ternary lanes add and subtract."""
        return self.weight_bits > 2

    @property
    def queue_depth(self) -> int:
        """Rows of the event queue: the groups of the largest population that relaxes."""
        return max(slot.groups for slot in self.relaxing)

    @property
    def sweep_bits(self) -> int:
        """Bits of the counters that a limit or a size keeps small: sweeps, inputs, faults."""
        return self.counter_bits // 2

    @property
    def classes(self) -> int:
        """Neurons of the output population."""
        return self.relaxing[self.output].size

    def fans_of(self, source: int) -> tuple[Fan, ...]:
        """The walks of an event of population `source` (or `INPUT`), in the order taken."""
        return tuple(fan for fan in self.fans if fan.source == source)

    def beats_of(self, source: int) -> int:
        """Beats that one event of `source` takes: at least one, even without neighbours."""
        return max(1, sum(fan.beats for fan in self.fans_of(source)))


def _slots(network: Network, lanes: int) -> tuple[Slot, ...]:
    slots: list[Slot] = []
    first = 0
    for population in network.relaxing:
        slots.append(_slot(network, population, lanes, first))
        first += slots[-1].groups
    return tuple(slots)


def _slot(network: Network, population: Population, lanes: int, first_group: int) -> Slot:
    return Slot(
        name=population.name,
        size=population.size,
        groups=-(-population.size // lanes),
        first_group=first_group,
        state_min=population.state_min,
        state_max=population.state_max,
        state_bits=population.state_bits,
        signed=population.signed,
        fraction_bits=network.accumulator_fraction_bits(population.name),
        self_coupled=any(
            c.is_self_coupling and c.pre == population.name for c in network.couplings
        ),
    )


def _order(network: Network, names: list[str]) -> tuple[int, ...]:
    """Populations as the colours visit them; a self-coupled one stands for all its neurons.

    Populations of one colour share no coupling, so one may be walked before the next is
    updated: the core works block after block and never has to collect a whole colour.
    """
    visited = (names.index(block.population) for colour in network.colours for block in colour)
    return tuple(dict.fromkeys(visited))


def _walks(network: Network, lanes: int) -> tuple[tuple[Store, ...], tuple[Fan, ...]]:
    """Packs couplings into one store per weight format; each gets one or two fans."""
    formats = [f for f in WeightFormat if any(c.weight_format is f for c in network.couplings)]
    tiles = [0] * len(formats)
    fans: list[Fan] = []
    for coupling in network.couplings:
        store = formats.index(coupling.weight_format)
        fans += _fans(network, coupling, lanes, store, tiles[store])
        rows, columns = (-(-n // lanes) for n in coupling.weight.shape)
        tiles[store] += rows * columns
        if tiles[store] > MAX_TILES:
            raise NetworkError(
                f"coupling {coupling.name!r}: {coupling.weight_format.value} weights must fit "
                f"into {MAX_TILES} tiles of {lanes} x {lanes}, found {tiles[store]}; use more "
                "lanes or a smaller layer"
            )
    stores = tuple(
        Store(f, 2 if f is WeightFormat.TERNARY else 8, n)
        for f, n in zip(formats, tiles, strict=True)
    )
    return stores, tuple(fans)


def _fans(
    network: Network, coupling: Coupling, lanes: int, store: int, first_tile: int
) -> list[Fan]:
    names = [p.name for p in network.relaxing]
    pre_groups = -(-coupling.weight.shape[0] // lanes)
    is_input = coupling.pre == network.input.name
    fans = []
    for by_column in (False, True):
        if by_column and (is_input or coupling.is_self_coupling):
            continue
        source, target = coupling.pre, coupling.post
        if by_column:
            source, target = target, source
        size = network.population(target).size
        shift = network.accumulator_fraction_bits(target) - coupling.fraction_bits
        fans.append(
            Fan(
                coupling=coupling.name,
                source=INPUT if source == network.input.name else names.index(source),
                target=names.index(target),
                store=store,
                by_column=by_column,
                first_tile=first_tile,
                pre_groups=pre_groups,
                beats=-(-size // lanes),
                neighbours=size,
                shift=shift,
            )
        )
    return fans


def _accumulator_bits(network: Network, bias_bits: int) -> int:
    widest = 0
    for population in network.relaxing:
        bias = network.biases[population.name]
        low, high = accumulator_range(network, population.name, any_weights=True)
        half = (1 << network.accumulator_fraction_bits(population.name)) >> 1
        reach = 1 << (bias_bits - 1)
        ends = [int((low - bias).min()) - reach, int((high - bias).max()) + reach - 1 + half]
        bits = _signed_bits(ends)
        if bits > MAX_ACCUMULATOR_BITS:
            raise NetworkError(
                f"population {population.name!r}: accumulators for any weights must fit into "
                f"{MAX_ACCUMULATOR_BITS} bits, found {bits}; use fewer fraction bits or a "
                "smaller fan-in"
            )
        widest = max(widest, bits)
    return widest


def _signed_bits(values: list[int]) -> int:
    """Bits of the narrowest two's complement format that holds all values."""
    return max((v if v >= 0 else -v - 1).bit_length() for v in values) + 1
