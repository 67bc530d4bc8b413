"""Whether a network's memories fit onto a board, before a tool is started; and what would fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from toreq_hw.boards.board import Board
from toreq_hw.boards.fit.memories import blocks, memories, single_port_blocks
from toreq_hw.boards.fit.shrink import largest_hidden
from toreq_hw.errors import NetworkError
from toreq_hw.network import Network
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.placement import LANES


@dataclass(frozen=True)
class MemoryDeficit:
    """Blocks of which a board has too few. parts: memories and the blocks that each needs."""

    parts: tuple[tuple[str, int], ...]
    available: int
    unit: str

    def __str__(self) -> str:
        """What is needed, the largest part first, and what there is."""
        parts = sorted(self.parts, key=lambda part: -part[1])
        needed = sum(blocks for _, blocks in parts)
        if len(parts) == 1:
            text = f"{parts[0][0]} need {needed} {self.unit}"
        else:
            listed = ", ".join(f"{name} {blocks}" for name, blocks in parts)
            text = f"memories need {needed} {self.unit} ({listed})"
        return f"{text}, available {self.available}"


def memory_deficit(board: Board, parameters: CoreParameters) -> MemoryDeficit | None:
    """The kind of block of which there are too few, if any: memories by their shape in blocks.

    What this lets through may still be too large in logic; place and route says so then.
    """
    capacity = board.capacity
    single, double = block_counts(board, parameters)
    for parts, available, unit in (
        (single, capacity.spram, f"blocks of {capacity.spram_bits} bits of single-port RAM"),
        (double, capacity.block_ram, f"blocks of {capacity.block_ram_bits} bits"),
    ):
        if sum(parts.values()) > available:
            used = tuple((name, count) for name, count in parts.items() if count)
            return MemoryDeficit(used, available, unit)
    return None


def block_counts(board: Board, parameters: CoreParameters) -> tuple[dict[str, int], dict[str, int]]:
    """Blocks by memory: of single-port RAM, and of RAM with one port that reads and one that
    writes.
    """
    capacity = board.capacity
    single: dict[str, int] = {}
    double: dict[str, int] = {}
    for memory in memories(parameters):
        name = memory.contents
        if capacity.spram and not memory.initialised:
            single[name] = single.get(name, 0) + single_port_blocks(memory)
        else:
            double[name] = double.get(name, 0) + blocks(memory, board.family)
    return single, double


def core_parameters(
    board: Board,
    network: Network,
    lanes: int,
    threshold: int | None = None,
    *,
    accumulator_register: bool = False,
) -> CoreParameters:
    """The core of `network` in the shape that suits `board`; lossy where a threshold is given."""
    return CoreParameters.of(
        network,
        lanes,
        update_lanes=min(lanes, board.update_lanes),
        initialised=not board.weights_in_spram,
        threshold=threshold,
        block_bits=board.capacity.block_ram_bits,
        accumulator_register=accumulator_register,
    )


def learning_parameters(
    board: Board,
    network: Network,
    lanes: int,
    learn_lanes: int,
    latent_bits: Mapping[str, int],
    *,
    accumulator_register: bool = False,
) -> CoreParameters:
    """The core of `network` that learns, in the shape that suits `board`.

    learn_lanes: synapses that it updates at once. latent_bits: of each coupling by name.
    Raises NetworkError where no core can learn the network.
    """
    return CoreParameters.of(
        network,
        lanes,
        update_lanes=min(lanes, board.update_lanes),
        initialised=not board.weights_in_spram,
        block_bits=board.capacity.block_ram_bits,
        learn_lanes=learn_lanes,
        latent_bits=latent_bits,
        accumulator_register=accumulator_register,
    )


def check_fit(
    board: Board,
    network: Network,
    lanes: int,
    threshold: int | None = None,
    *,
    accumulator_register: bool = False,
) -> CoreParameters:
    """The core of `network` on `board`.

    Raises NetworkError naming the memory, what it needs and what there is, and what would fit.
    """

    def make(network: Network, lanes: int) -> CoreParameters:
        return core_parameters(
            board, network, lanes, threshold, accumulator_register=accumulator_register
        )

    return _checked(board, network, lanes, make)


def lanes_that_fit(board: Board, network: Network, threshold: int | None = None) -> int:
    """The most lanes, up to the board's own, whose memories fit; the board's own where none do."""

    def make(network: Network, lanes: int) -> CoreParameters:
        return core_parameters(board, network, lanes, threshold)

    fitting = [n for n in LANES if n <= board.lanes and _fits(board, network, n, make)]
    return max(fitting, default=board.lanes)


def check_learning_fit(
    board: Board,
    network: Network,
    lanes: int,
    learn_lanes: int,
    latent_bits: Mapping[str, int],
    *,
    accumulator_register: bool = False,
) -> CoreParameters:
    """The core of `network` that learns on `board`. Raises NetworkError as `check_fit` does."""

    def make(network: Network, count: int) -> CoreParameters:
        learning = learn_lanes if count == lanes else min(count, learn_lanes)
        return learning_parameters(
            board,
            network,
            count,
            learning,
            latent_bits,
            accumulator_register=accumulator_register,
        )

    return _checked(board, network, lanes, make)


Make = Callable[[Network, int], CoreParameters]
"""The core of a network with so many lanes."""


def _checked(board: Board, network: Network, lanes: int, make: Make) -> CoreParameters:
    parameters = make(network, lanes)
    found = memory_deficit(board, parameters)
    if found is None:
        return parameters
    raise NetworkError(
        f"network must fit onto {board.name}: {found}; {_advice(board, network, lanes, make)}"
    )


def _fits(board: Board, network: Network, lanes: int, make: Make) -> bool:
    try:
        return memory_deficit(board, make(network, lanes)) is None
    except NetworkError:  # no core has so few lanes for so many weights
        return False


def _advice(board: Board, network: Network, lanes: int, make: Make) -> str:
    """What would fit: other lanes, or fewer hidden neurons with these lanes."""
    other = [count for count in LANES if count != lanes and _fits(board, network, count, make)]
    if other:
        return f"it fits with {' or '.join(map(str, other))} lanes"
    hidden = largest_hidden(network, lambda candidate: _fits(board, candidate, lanes, make))
    if hidden is None:
        return "no number of hidden neurons fits; use a larger board"
    sizes = "-".join(map(str, hidden))
    return f"{lanes} lanes fit with {sizes} neurons; or use a larger board"
