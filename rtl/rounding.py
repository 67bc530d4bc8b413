"""The one place of the core that rounds, and the nudge: docs/numerics.md, sections 3 and 5."""

from amaranth import Const, Mux, Value, signed

from toreq_hw.rtl.parameters import Slot


def clipped(total: Value, slot: Slot) -> Value:
    """clip(total >> F, s_min, s_max); `total` is the accumulator with its half added."""
    shifted = total >> slot.fraction_bits
    low = Mux(shifted < slot.state_min, slot.state_min, shifted)
    return Mux(shifted > slot.state_max, slot.state_max, low)


def inverted(state: Value, mask: Value, slot: Slot) -> Value:
    """A state word with bits inverted; a signed word below the range reads as the smallest."""
    word = (state ^ mask)[: slot.state_bits]
    if not slot.signed:
        return word
    return Mux(word.as_signed() < slot.state_min, slot.state_min, word.as_signed())


def nudge(state: Value, is_target: Value, slot: Slot, beta_shift: int) -> Value:
    """The drive ((target - s*) << F) >> beta_shift; target: s_max for the class, else 0."""
    width = max(slot.state_bits + 2, 2)
    target = Mux(is_target, Const(slot.state_max, signed(width)), 0)
    return ((target - state) << slot.fraction_bits) >> beta_shift
