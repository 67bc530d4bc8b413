"""Arithmetic on latents, docs/numerics.md, section 6: what they stand for, and how they step."""

from amaranth import Cat, Const, Mux, Value, signed

from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.network import WeightFormat
from toreq_hw.rtl.storage import Store


def weight_of(latent: Value, store: Store, theta: Value) -> Value:
    """The weight that a field of a store stands for, `store.weight_bits` wide.

    latent: V without its dropped bits. theta: of ternary weights, 15 bits, unsigned.
    """
    assert store.latent_bits is not None, "a field that is a weight stands for itself"
    if store.weight_format is WeightFormat.TERNARY:
        dropped = LATENT_BITS - store.latent_bits
        whole = Cat(Const(0, dropped), latent).as_signed() if dropped else latent.as_signed()
        plus = whole >= Cat(theta, Const(0, 1)).as_signed()
        minus = whole <= -(Cat(theta, Const(0, 1)).as_signed())
        return Cat(plus | minus, minus)
    low = store.latent_bits - store.weight_bits
    if low == 0:
        return latent
    rounded = (latent[low:].as_signed() + latent[low - 1])[: store.weight_bits + 1].as_signed()
    return clipped(rounded, store.weight_bits)


def clipped(value: Value, bits: int) -> Value:
    """A number clipped to +-(2^(bits - 1) - 1), `bits` wide."""
    limit = (1 << (bits - 1)) - 1
    wide = value.as_signed()
    sign, above = wide[-1], wide[bits - 1 : -1]
    too_large = ~sign & above.any()
    lowest = (wide[: bits - 1] == 0) & above.all()
    too_small = sign & (~above.all() | lowest)
    return Mux(
        too_large,
        Const(limit, bits),
        Mux(too_small, Const(-limit, signed(bits)).as_unsigned(), wide[:bits]),
    )


def stepped(latent: Value, step: Value, bits: int) -> Value:
    """A latent after its step, within +-(2^(bits - 1) - 1), `bits` wide."""
    return clipped(latent.as_signed() + step.as_signed(), bits)
