"""How LEARN writes into a store: one chunk of a word, or of a row of banks."""

from amaranth import Cat, Mux, Value
from amaranth.lib.wiring import In

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.interfaces import Members
from toreq_hw.rtl.parameters import CoreParameters


def parts_of_word(parameters: CoreParameters) -> int:
    """Chunks of a word of a store."""
    assert parameters.learning is not None, "only a core that learns has chunks"
    return parameters.lanes // parameters.learning.lanes


def latent_port(parameters: CoreParameters) -> Members:
    """Ports of a store that LEARN writes; none in a core that cannot learn.

    learn: write a chunk of `load_data` into part `learn_part` of the word or tile `load_address`,
    there of the row or column `learn_lane`. All chunks of `load_data` are the same. learn_mask: of
    which lanes.
    """
    if parameters.learning is None:
        return {}
    return {
        "learn": In(1),
        "learn_lane": In(parameters.lane_bits),
        "learn_part": In(index_bits(parts_of_word(parameters))),
        "learn_by_column": In(1),
        "learn_mask": In(parameters.learning.lanes),
    }


def chunk_lanes(parameters: CoreParameters, part: Value, mask: Value) -> Value:
    """Which lanes of a word are written: those of `mask` in the chunk `part`, one bit each."""
    assert parameters.learning is not None, "only a core that learns has chunks"
    parts = parts_of_word(parameters)
    chosen = [part == k if parts > 1 else 1 for k in range(parts)]
    return Cat(Mux(Value.cast(bit)[0], mask, 0) for bit in chosen)
