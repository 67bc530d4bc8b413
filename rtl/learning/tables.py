"""What LEARN walks, as tables: couplings in file order, and the lists of neurons that it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from toreq_hw.contract.headroom import check_headroom
from toreq_hw.contract.learning import FEWEST_LATENT_BITS, LATENT_BITS
from toreq_hw.errors import NetworkError
from toreq_hw.network import DenseCoupling, Network
from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.placement import LANES, PopulationPlacement
from toreq_hw.rtl.storage import INPUT, Store, Walk

LOWEST_RATE, HIGHEST_RATE = 2, 16
"""A rate is k + d of docs/numerics.md, section 6: with 2 or more a lane's operands have 16 bits."""

MOST_STATE_BITS = 8
"""Of an input or state that learns, for the same reason."""

READ_CYCLES = 3
"""From the one that addresses a slice of states to the one behind which both phases' are kept."""

INPUT_ROW_CYCLES = 2
"""Of an input event, without its beats."""

DRAIN = 8
"""Cycles behind the last beat of LEARN until every memory holds what was learned."""

MOST_STORES = 4
"""What the spaces of load words have numbers for."""


@dataclass(frozen=True)
class LearnedCoupling:
    """One coupling as LEARN walks it, row by row: a row is a neuron of `source`.

    walk: from pre to post. latent_bits: of each of its latents. single_port: its memory reads or
    writes a lane in a cycle, not both.
    """

    walk: Walk
    latent_bits: int
    single_port: bool

    @property
    def from_input(self) -> bool:
        """Whether its rows are inputs, which never move."""
        return self.walk.source == INPUT

    @property
    def is_self(self) -> bool:
        """Whether it couples a population to itself: what a row learns, a column mirrors."""
        return self.walk.source == self.walk.target


@dataclass(frozen=True)
class Region:
    """Part of the list of chunks: those of one population, from `first` on, `size` at most."""

    population: int
    first: int
    size: int


@dataclass(frozen=True)
class Learning:
    """How a core learns. Populations are numbered as in `NeuronRows`.

    lanes: synapses of a beat. couplings: in file order. moved: a region for each population, for
    chunks that moved. reached: one for each population that some relaxing population couples
    into, for chunks that moved or are not at 0.

    A *chunk* is `lanes` neighbours of a slice, and of a row of accumulators.
    """

    lanes: int
    couplings: tuple[LearnedCoupling, ...]
    moved: tuple[Region, ...]
    reached: tuple[Region, ...]

    @cached_property
    def entries(self) -> int:
        """Chunks that the lists hold at most."""
        return sum(region.size for region in (*self.moved, *self.reached))

    @property
    def entry_bits(self) -> int:
        """Bits of a place in the lists."""
        return index_bits(self.entries + 1)

    def region_of(self, coupling: LearnedCoupling) -> Region:
        """The list of columns that a coupling's rows are walked along."""
        regions = self.moved if coupling.from_input else self.reached
        return next(r for r in regions if r.population == coupling.walk.target)

    @property
    def mirrors(self) -> bool:
        """Whether any coupling is a self-coupling."""
        return any(coupling.is_self for coupling in self.couplings)

    @property
    def number_bits(self) -> int:
        """Bits of a chunk's number in its population."""
        return index_bits(max(region.size for region in self.moved))

    @property
    def rates(self) -> int:
        """Rates that can be loaded: of couplings, then of each population's biases."""
        return len(self.couplings) + len(self.moved)


def check_learnable(network: Network, lanes: int, learn_lanes: int, threshold: int | None) -> None:
    """Raises NetworkError where no core could learn the network, before anything is built.

    lanes: those that update. threshold: of unsent deltas, None of a lossless core.
    """
    if threshold is not None:
        raise NetworkError(
            f"a core that learns must send every change, found threshold {threshold}: leave out "
            "--threshold"
        )
    if learn_lanes not in (1, *LANES) or learn_lanes > lanes:
        raise NetworkError(
            f"--learn-lanes must be a power of two in 1..{lanes}, not {learn_lanes!r}: at most the "
            f"lanes that update neurons (--lanes, or fewer where the board says so), here {lanes}"
        )
    for coupling in network.couplings:
        name = coupling.name
        if not isinstance(coupling, DenseCoupling):
            raise NetworkError(
                f"coupling {name!r} must be dense for a core that learns, found one whose "
                "parameters are read elsewhere; train it in the simulator"
            )
    for population in network.populations:
        if population.state_bits > MOST_STATE_BITS:
            raise NetworkError(
                f"population {population.name!r}: states must have at most {MOST_STATE_BITS} bits "
                f"for a core that learns, found {population.state_bits}"
            )
    for population in network.relaxing:
        if population.bias_per_channel:
            raise NetworkError(
                f"population {population.name!r}: each neuron must have its own bias for a core "
                "that learns, found one a channel; train it in the simulator"
            )
    check_headroom(network, NetworkError)


def latent_bits_of(
    network: Network,
    latent_bits: Mapping[str, int] | int,
    lanes: int,
    learn_lanes: int | None,
    threshold: int | None,
) -> dict[str, int] | None:
    """Latent bits of each coupling by name; None of a core that does not learn.

    latent_bits: of all couplings, or by name. Others as `check_learnable` takes them. Raises
    NetworkError where no core could learn the network, and for latents of other than 8..16 bits.
    """
    if learn_lanes is None:
        return None
    check_learnable(network, lanes, learn_lanes, threshold)
    names = [coupling.name for coupling in network.couplings]
    own = latent_bits if isinstance(latent_bits, Mapping) else dict.fromkeys(names, latent_bits)
    for name in own:
        if name not in names:
            raise NetworkError(
                f"latent_bits must name couplings ({', '.join(names)}), not {name!r}"
            )
    bits = {name: own.get(name, LATENT_BITS) for name in names}
    for name, found in bits.items():
        if not FEWEST_LATENT_BITS <= found <= LATENT_BITS:
            raise NetworkError(
                f"latent_bits of coupling {name!r} must be in "
                f"{FEWEST_LATENT_BITS}..{LATENT_BITS}, not {found!r}"
            )
    return bits


def learning_of(
    relaxing: tuple[PopulationPlacement, ...],
    walks: tuple[Walk, ...],
    stores: tuple[Store, ...],
    lanes: int | None,
) -> Learning | None:
    """The tables of a core whose populations are `relaxing`; None of one that does not learn.

    lanes: synapses of a beat of LEARN.

    Raises NetworkError where latents need more stores than a core has.
    """
    if lanes is None:
        return None
    if len(stores) > MOST_STORES:
        raise NetworkError(
            f"latents must have at most {MOST_STORES} kinds of store (format, direction, bits) on "
            f"a core, found {len(stores)}; give couplings of a format equal latent_bits"
        )
    couplings = []
    for walk in walks:
        bits = stores[walk.store].latent_bits
        if not walk.by_column and bits is not None:
            single_port = not stores[walk.store].initialised
            couplings.append(LearnedCoupling(walk, bits, single_port))
    reached = {c.walk.target for c in couplings if not c.from_input}
    regions: list[list[Region]] = []
    first = 0
    for group in (range(len(relaxing)), sorted(reached)):
        regions.append([])
        for number in group:
            size = chunks_of(relaxing[number], lanes)
            regions[-1].append(Region(number, first, size))
            first += size
    return Learning(lanes, tuple(couplings), tuple(regions[0]), tuple(regions[1]))


def chunks_of(placement: PopulationPlacement, lanes: int) -> int:
    """Chunks of `lanes` neurons that a population fills, the last one in part."""
    return -(-placement.size // lanes)
