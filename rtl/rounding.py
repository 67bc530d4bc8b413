"""The one place of the core that rounds, and the nudge: docs/numerics.md, sections 3 and 5."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed

from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.placement import PopulationPlacement


def clip(total: Value, placement: PopulationPlacement) -> Value:
    """A sum as a state, `state_bits` wide: shifted by F, then clipped; its half is added already.

    State ranges end at powers of two, so the bits above a state tell whether it is too large;
    only the lowest signed number, which is no state, has to be compared.
    """
    bits = placement.state_bits
    shifted = (total >> placement.fraction_bits).as_signed()
    missing = max(0, bits + 1 - len(shifted))
    shifted = Cat(shifted, shifted[-1].replicate(missing))
    state, negative = shifted[:bits], shifted[-1]
    if not placement.signed:
        above = shifted[bits:-1].any() if len(shifted) > bits + 1 else Const(0, 1)
        return (state | above.replicate(bits)) & ~negative.replicate(bits)
    upper = shifted[bits - 1 : -1]
    too_large = ~negative & upper.any()
    too_small = negative & (~upper.all() | ~shifted[: bits - 1].any())
    highest, lowest = Const(placement.state_max, bits), Const(placement.state_min, signed(bits))
    return Mux(too_large, highest, Mux(too_small, lowest.as_unsigned(), state))


def rounded_state(m: Module, total: Value, population: Value, parameters: CoreParameters) -> Signal:
    """The state of a neuron of `population` whose sum is `total`; populations that round alike
    share the circuit.
    """
    kinds: dict[tuple[int, int, int], list[int]] = {}
    for number, placement in enumerate(parameters.relaxing):
        kind = (placement.fraction_bits, placement.state_min, placement.state_max)
        kinds.setdefault(kind, []).append(number)
    state = Signal(state_shape(parameters), name="rounded")
    with m.Switch(population):
        for numbers in kinds.values():
            placement = parameters.relaxing[numbers[0]]
            clipped = clip(total, placement)
            with m.Case(*numbers) if len(kinds) > 1 else m.Default():
                m.d.comb += state.eq(clipped.as_signed() if placement.signed else clipped)
    return state


def flip_bits(state: Value, mask: Value, placement: PopulationPlacement) -> Value:
    """A state word with bits inverted; the signed word below the range reads as the smallest."""
    word = (state ^ mask)[: placement.state_bits]
    if not placement.signed:
        return word
    below, lowest = (
        1 << placement.state_bits - 1,
        Const(placement.state_min, signed(placement.state_bits)),
    )
    return Mux(word == below, lowest.as_unsigned(), word)


def error_of(state: Value, is_target: Value, placement: PopulationPlacement) -> Value:
    """What an output state lacks: target - s*; target is s_max for the class, else 0."""
    target = Mux(is_target, Const(placement.state_max, signed(placement.state_bits + 2)), 0)
    return target - state


def nudge(error: Value, placement: PopulationPlacement, beta_shift: int) -> Value:
    """The drive (error << F) >> beta_shift, without the bits that the shifts cancel."""
    if beta_shift > placement.fraction_bits:
        return error >> (beta_shift - placement.fraction_bits)
    return error << (placement.fraction_bits - beta_shift)
