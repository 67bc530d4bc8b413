"""What the two nudged phases left at each chunk of neurons that can move a synapse."""

from amaranth import unsigned
from amaranth.lib import data

from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.parameters import CoreParameters


def chunk_layout(parameters: CoreParameters) -> data.StructLayout:
    """plus, minus: states of its lanes in the positive and the negative phase. number: in its
    population. step: what its first neuron adds to a row's random word. moved: any state differs.
    """
    assert parameters.learning is not None, "only a core that learns has chunks"
    states = data.ArrayLayout(state_shape(parameters), parameters.learning.lanes)
    return data.StructLayout(
        {
            "plus": states,
            "minus": states,
            "number": unsigned(parameters.chunk_index_bits),
            "step": unsigned(16),
            "moved": 1,
        }
    )
