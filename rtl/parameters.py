"""Everything that decides the hardware, derived from a network once and then frozen.

`CoreParameters.of(network, lanes)` is the one place that turns a network into sizes, widths,
addresses and walks. The generator, the memory images, the datasheet and the timing model all
read this object; none of them looks at the network again for a size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import nudge
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.network import Network
from toreq_hw.rtl.fixed_width import signed_bits
from toreq_hw.rtl.learning.sizes import learning_memories, learning_spaces
from toreq_hw.rtl.learning.tables import (
    Learning,
    latent_bits_of,
    learning_of,
)
from toreq_hw.rtl.load_spaces import Accepts, LoadSpace, Space
from toreq_hw.rtl.memory_spec import MemorySpec, store_memory
from toreq_hw.rtl.operations import OPERATIONS, Operation, Page
from toreq_hw.rtl.phases import Phase, command_bits, phase_table
from toreq_hw.rtl.placement import (
    NeuronRows,
    PopulationPlacement,
    check_lanes,
    largest_move,
    placements_of,
)
from toreq_hw.rtl.sizes import check_network, sizes_of
from toreq_hw.rtl.storage import LARGE_COUPLING, Store, Walk, stores_and_walks
from toreq_hw.rtl.threshold import check_threshold

INPUT_QUEUE_DEPTH = 16
"""Input events ahead of the walker; each keeps it busy for the beats of the input's walks."""

BLOCK_BITS = 18_432
"""Of a block RAM in most families; iCE40's hold 4,096."""


@named_type_errors
@dataclass(frozen=True)
class CoreParameters(NeuronRows):
    """One core. Populations are numbered in file order; `order` is the order of updating.

    accumulator_bits: holds every sum that any weights of these formats and any biases of
    `bias_bits` can reach, nudge included; a bias is kept with its rounding half added.
    sweep_ticks: ticks of one sweep. counter_bits: of the counters in the summary, which wrap;
    those of sweeps, inputs and faults have half as many. threshold: at power-up, of a core that
    can leave small deltas unsent (0: lossless until another is loaded); None for one that cannot.
    block_bits: what one block of the device's RAM holds.
    operations: what beats do. phases: what commands do, in their order. learning: None of a core
    that cannot. accumulator_register: rows of accumulators are held as they leave their memory,
    which is read a cycle earlier for it (rtl/accumulators.py).
    """

    input: PopulationPlacement
    output: int
    order: tuple[int, ...]
    walks: tuple[Walk, ...]
    stores: tuple[Store, ...]
    accumulator_bits: int
    bias_bits: int
    beta_shift: int
    sweep_ticks: int
    max_sweeps: int
    network_sha256: str
    block_bits: int
    counter_bits: int = 32
    threshold: int | None = None
    operations: tuple[Operation, ...] = OPERATIONS
    phases: tuple[Phase, ...] = phase_table(lossy=False)
    learning: Learning | None = None
    accumulator_register: bool = False

    @classmethod
    def of(
        cls,
        network: Network,
        lanes: int,
        max_sweeps: int = MAX_SWEEPS,
        *,
        update_lanes: int | None = None,
        large_coupling: int = LARGE_COUPLING,
        initialised: bool = True,
        counter_bits: int = 32,
        threshold: int | None = None,
        block_bits: int = BLOCK_BITS,
        learn_lanes: int | None = None,
        latent_bits: Mapping[str, int] | int = LATENT_BITS,
        accumulator_register: bool = False,
    ) -> "CoreParameters":
        """The core of `network` with `lanes` accumulators a beat.

        update_lanes: neurons that one beat of an update rounds (default: `lanes`). large_coupling:
        weights from which on a coupling between relaxing populations is stored once (skewed), not
        twice (rows). initialised: False makes stores of rows single-port memories, empty at
        power-up, such as iCE40's SPRAM. learn_lanes: synapses that a beat of LEARN updates; None of
        a core that cannot learn. latent_bits: of all couplings, or by name. accumulator_register:
        what leaves the accumulators' memory is held first; takes flip-flops and no cycle.

        Raises NetworkError naming the layer, the limit and the fix where no core can be made.
        """
        update_lanes = check_lanes(lanes, update_lanes)
        check_network(network, max_sweeps, counter_bits)
        relaxing = placements_of(network, lanes)
        check_threshold(threshold, relaxing)
        bits = latent_bits_of(network, latent_bits, update_lanes, learn_lanes, threshold)
        large = 0 if bits else large_coupling
        stores, walks = stores_and_walks(network, lanes, large, bits, initialised=initialised)
        learns = learn_lanes is not None
        return cls(
            lanes=lanes,
            update_lanes=update_lanes,
            relaxing=relaxing,
            walks=walks,
            stores=stores,
            max_sweeps=max_sweeps,
            block_bits=block_bits,
            counter_bits=counter_bits,
            threshold=threshold,
            phases=phase_table(lossy=threshold is not None, learns=learns),
            learning=learning_of(relaxing, walks, stores, learn_lanes),
            accumulator_register=accumulator_register,
            **sizes_of(network, relaxing, lanes, learns=learns),
        )

    @property
    def input_index_bits(self) -> int:
        """Bits of an input index on the wire: one more than needed, so that excess shows."""
        return self.input.size.bit_length()

    @property
    def largest_delta(self) -> int:
        """The largest magnitude of an event's delta."""
        ends = (self.input.state_max, -self.input.state_min)
        return max(*ends, *(placement.state_range for placement in self.relaxing))

    @property
    def delta_bits(self) -> int:
        """Bits of an event's delta, two's complement."""
        return signed_bits([-self.largest_delta, self.largest_delta])

    @property
    def lossy(self) -> bool:
        """Whether neurons remember what they last sent, and a threshold can be loaded."""
        return self.threshold is not None

    @property
    def highest_threshold(self) -> int:
        """The largest move of any state; with it as threshold nothing is ever sent."""
        return largest_move(self.relaxing)

    @property
    def threshold_bits(self) -> int:
        """Bits of a threshold; none in a core that is not lossy."""
        return self.highest_threshold.bit_length() if self.lossy else 0

    @property
    def drive_bits(self) -> int:
        """Bits of the nudge of an output neuron, two's complement, either sign."""
        placement = self.relaxing[self.output]
        limit = -nudge(-placement.state_range, placement.fraction_bits, self.beta_shift)
        return signed_bits([-limit, limit])

    @property
    def value_bits(self) -> int:
        """Bits of what is added to a single neuron: a nudge, or a bias as it is loaded."""
        return max(self.drive_bits, self.bias_bits)

    @property
    def operand_bits(self) -> int:
        """Bits of what one beat adds to one accumulator."""
        product = self.largest_delta * max((1, *(store.limit for store in self.stores)))
        product <<= max((0, *(walk.shift for walk in self.walks)))
        return min(self.accumulator_bits, max(self.value_bits, signed_bits([-product, product])))

    @property
    def weight_bits(self) -> int:
        """Bits of a weight in a lane."""
        return max((store.weight_bits for store in self.stores), default=2)

    @property
    def multiplies(self) -> bool:
        """Whether lanes hold a multiplier; ternary lanes add and subtract."""
        return self.weight_bits > 2

    @property
    def queue_depth(self) -> int:
        """Rows of the event queue: the slices of the largest population that relaxes."""
        return max(self.slices_of(number) for number in range(len(self.relaxing)))

    @property
    def sweep_bits(self) -> int:
        """Bits of the counters that a limit or a size keeps small: sweeps, inputs, faults."""
        return self.counter_bits // 2

    @property
    def classes(self) -> int:
        """Neurons of the output population."""
        return self.relaxing[self.output].size

    @property
    def event_row_bits(self) -> int:
        """Bits of a row of the event queue: a slice's number, who changed, and by how much."""
        return self.slice_bits + self.update_lanes * (1 + self.delta_bits)

    @property
    def input_event_bits(self) -> int:
        """Bits of an input event: value, index, whether it is one, whether it is the last."""
        return self.input.state_bits + self.input_index_bits + 2

    @property
    def state_row_bits(self) -> int:
        """Bits of a slice of states; a lossy core keeps beside them those that were sent last."""
        return (1 + self.lossy) * self.update_lanes * self.state_bits

    @cached_property
    def memories(self) -> tuple[MemorySpec, ...]:
        """Every memory of the core, the stores of weights, in their order, first."""
        groups, row_bits = len(Page) * self.groups, self.lanes * self.accumulator_bits
        learned, lanes = self.learning, self.lanes
        by_lane = bool(learned and learned.lanes < lanes)
        return (
            *(store_memory(s, lanes, self.block_bits, by_lane=by_lane) for s in self.stores),
            MemorySpec(
                "accumulators",
                "accumulators",
                groups,
                row_bits,
                block=True,
                collides=not self.accumulator_register,
            ),
            MemorySpec(
                "states", "states", len(Page) * self.slices, self.state_row_bits, collides=True
            ),
            MemorySpec("event queue", "event queue", self.queue_depth, self.event_row_bits),
            MemorySpec("input queue", "input queue", INPUT_QUEUE_DEPTH, self.input_event_bits),
            *(learning_memories(self, learned) if learned else ()),
        )

    @cached_property
    def load_spaces(self) -> tuple[LoadSpace, ...]:
        """What can be loaded; in the order in which a load of a network must come."""
        most = self.threshold_bits + 1  # one bit to spare, so that excess shows
        limit = LoadSpace(Space.MAX_SWEEPS, 1, self.sweep_bits, Accepts.POSITIVE, is_network=False)
        threshold = LoadSpace(Space.THRESHOLD, 1, most, Accepts.MOVE, is_network=False)
        return (
            *(
                LoadSpace(
                    Space.WEIGHTS + number, store.words, self.lanes * store.width, Accepts.WEIGHTS
                )
                for number, store in enumerate(self.stores)
            ),
            LoadSpace(Space.BIAS, self.groups * self.lanes, self.bias_bits, Accepts.ANY),
            limit,
            *([threshold] if self.lossy else []),
            *(learning_spaces(self, self.learning) if self.learning else ()),
        )

    @property
    def space_bits(self) -> int:
        """Bits of the number of a space in a load word."""
        return max(3, *(space.code.bit_length() for space in self.load_spaces))

    @property
    def command_bits(self) -> int:
        """Bits of a command."""
        return command_bits(self.phases)

    @property
    def op_bits(self) -> int:
        """Bits of the number of an operation in a beat."""
        return max(entry.op for entry in self.operations).bit_length()

    def phase(self, command: int) -> Phase:
        """The phase of a command."""
        return next(phase for phase in self.phases if phase.command == command)

    def memory(self, name: str) -> MemorySpec:
        """The memory called `name`."""
        return next(spec for spec in self.memories if spec.name == name)

    def walks_of(self, source: int) -> tuple[Walk, ...]:
        """The walks of an event of `source`, a population or `INPUT`, in the order taken."""
        return tuple(walk for walk in self.walks if walk.source == source)

    def beats_of(self, source: int) -> int:
        """Beats that one event of `source` takes: at least one, even without neighbours."""
        return max(1, sum(walk.beats for walk in self.walks_of(source)))
