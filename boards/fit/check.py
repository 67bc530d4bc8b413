"""Whether a network's memories fit onto a board, before a tool is started; and what would fit."""

from dataclasses import dataclass

from toreq_hw.boards.board import Board
from toreq_hw.boards.fit.memories import weight_memories
from toreq_hw.boards.fit.shrink import largest_hidden
from toreq_hw.errors import NetworkError
from toreq_hw.network import Network
from toreq_hw.rtl.parameters import LANES, CoreParameters


@dataclass(frozen=True)
class Shortage:
    """A memory for which a board has too little. needed, available: in `unit`."""

    memory: str
    needed: int
    available: int
    unit: str


def shortage(board: Board, parameters: CoreParameters) -> Shortage | None:
    """The first memory that cannot fit, if any: weights by their shape in blocks.

    What this lets through may still be too large in logic; place and route says so then.
    """
    capacity = board.capacity
    blocks = single = 0
    for memory in weight_memories(parameters):
        if capacity.spram and not memory.initialised:
            single += memory.single_port_blocks
            if single > capacity.spram:
                unit = f"blocks of {capacity.spram_bits} bits of single-port RAM"
                return Shortage(memory.name, single, capacity.spram, unit)
            continue
        blocks += memory.blocks(board.family)
        if blocks > capacity.block_ram:
            unit = f"blocks of {capacity.block_ram_bits} bits"
            return Shortage(memory.name, blocks, capacity.block_ram, unit)
    return None


def core_parameters(board: Board, network: Network, lanes: int) -> CoreParameters:
    """The core of `network` in the shape that suits `board`."""
    return CoreParameters.of(
        network,
        lanes,
        update_lanes=min(lanes, board.update_lanes),
        initialised=not board.weights_in_spram,
        block_bits=board.capacity.block_ram_bits,
    )


def check_fit(board: Board, network: Network, lanes: int) -> CoreParameters:
    """The core of `network` on `board`.

    Raises NetworkError naming the memory, what it needs and what there is, and what would fit.
    """
    parameters = core_parameters(board, network, lanes)
    found = shortage(board, parameters)
    if found is None:
        return parameters
    raise NetworkError(
        f"network must fit onto {board.name}: {found.memory} need {found.needed} {found.unit}, "
        f"available {found.available}; {_advice(board, network, lanes)}"
    )


def _advice(board: Board, network: Network, lanes: int) -> str:
    """What would fit: other lanes, or fewer hidden neurons with these lanes."""

    def fits(candidate: Network, count: int) -> bool:
        try:
            return shortage(board, core_parameters(board, candidate, count)) is None
        except NetworkError:  # no core has so few lanes for so many weights
            return False

    other = [count for count in LANES if count != lanes and fits(network, count)]
    if other:
        return f"it fits with {' or '.join(map(str, other))} lanes"
    hidden = largest_hidden(network, lambda candidate: fits(candidate, lanes))
    if hidden is None:
        return "no number of hidden neurons fits; use a larger board"
    sizes = "-".join(map(str, hidden))
    return f"{lanes} lanes fit with {sizes} neurons; or use a larger board"
