"""How LEARN writes into a store: one chunk of a word, or of a row of banks."""

from amaranth import Cat, Value
from amaranth.lib.wiring import In

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.interfaces import Members
from toreq_hw.rtl.parameters import CoreParameters


def parts_of_word(parameters: CoreParameters) -> int:
    """Chunks of a word of a store."""
    assert parameters.learning is not None, "only a core that learns has chunks"
    return parameters.lanes // parameters.learning.lanes


def latent_port(parameters: CoreParameters, index: int) -> Members:
    """Ports of a store that LEARN writes; none in a core that cannot learn.

    learn: write `learn_data`, the latents of a chunk, into part `learn_part` of the word or tile
    `learn_address`, there of the row `learn_lane`.
    """
    store = parameters.stores[index]
    if parameters.learning is None:
        return {}
    words = store.words // (parameters.lanes if store.skewed else 1)
    return {
        "learn": In(1),
        "learn_address": In(index_bits(words)),
        "learn_lane": In(parameters.lane_bits),
        "learn_part": In(index_bits(parts_of_word(parameters))),
        "learn_data": In(parameters.learning.lanes * store.width),
    }


def chunk_lanes(parameters: CoreParameters, part: Value) -> Value:
    """Which lanes of a word a chunk holds, one bit each."""
    assert parameters.learning is not None, "only a core that learns has chunks"
    parts = parts_of_word(parameters)
    chosen = [part == k if parts > 1 else 1 for k in range(parts)]
    size = parameters.learning.lanes
    return Cat(Value.cast(bit)[0].replicate(size) for bit in chosen)
