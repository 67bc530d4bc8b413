"""Memories and load spaces that a core has because it learns."""

from typing import Protocol

from toreq_hw.contract.learning import BIAS_LATENT_LIMIT
from toreq_hw.rtl.fixed_width import index_bits, signed_bits
from toreq_hw.rtl.learning.tables import Learning
from toreq_hw.rtl.load_spaces import Accepts, LoadSpace, Space
from toreq_hw.rtl.memory_spec import MemorySpec
from toreq_hw.rtl.placement import PopulationPlacement

BIAS_LATENT_BITS = signed_bits([-BIAS_LATENT_LIMIT, BIAS_LATENT_LIMIT])
"""Of a bias latent."""

THETA_BITS = 15
"""Of a ternary threshold."""

RATE_WORD_BITS, THETA_WORD_BITS = 8, 16
"""Of words that set a rate or that threshold: whole bytes, so that excess shows on any wire."""

STEP_BITS = 16
"""Of what a column adds to its row's random word."""


class _Rows(Protocol):
    """What is taken of `CoreParameters` here."""

    @property
    def input(self) -> PopulationPlacement: ...
    @property
    def state_bits(self) -> int: ...
    @property
    def groups(self) -> int: ...
    @property
    def lanes(self) -> int: ...


def learning_memories(rows: _Rows, learning: Learning) -> tuple[MemorySpec, ...]:
    """Bias latents, the input events of the image at hand, and the chunks of the lists."""
    event_bits = rows.input.state_bits + index_bits(rows.input.size)
    states = 2 * learning.lanes * rows.state_bits
    chunk_bits = states + learning.number_bits + STEP_BITS + 1
    return (
        MemorySpec("bias latents", "bias latents", rows.groups * rows.lanes, BIAS_LATENT_BITS),
        MemorySpec("input events", "input events", rows.input.size, event_bits),
        MemorySpec("chunks", "chunks", learning.entries, chunk_bits),
    )


def learning_spaces(rows: _Rows, learning: Learning) -> tuple[LoadSpace, ...]:
    """What can be loaded beside weights and biases."""
    neurons, rates = rows.groups * rows.lanes, learning.rates
    return (
        LoadSpace(Space.BIAS_LATENT, neurons, BIAS_LATENT_BITS, Accepts.ANY, is_network=False),
        LoadSpace(Space.RATE, rates, RATE_WORD_BITS, Accepts.RATE, is_network=False),
        LoadSpace(Space.GENERATOR, 1, 32, Accepts.POSITIVE, is_network=False),
        LoadSpace(Space.THETA, 1, THETA_WORD_BITS, Accepts.THETA, is_network=False),
    )
