"""An ESTIMATE of the energy of an image: counted activity times published coefficients.

    fixed       power at rest * time of the image
    clock       cycles * a cycle of the clock's network
    flip-flops  cycles * flip-flops of the whole design * a cycle of one
    toggles     bits of registers that change * a toggle
    memories    bits read and written * a bit

Every term has a low and a high end, and so has the sum. Input and output pins, the oscillator and
the board around the device are not in it.
"""

from dataclasses import dataclass

from toreq_hw.records.energy import Activity, Coefficient, Coefficients, EnergyParts, Range


@dataclass(frozen=True)
class Energy:
    """Of one image, by what spends it, each a range in uJ."""

    fixed: Range
    clock: Range
    flip_flops: Range
    toggles: Range
    memories: Range

    @property
    def dynamic(self) -> Range:
        """All but `fixed`."""
        return self.clock + self.flip_flops + self.toggles + self.memories

    @property
    def total(self) -> Range:
        """All of it."""
        return self.fixed + self.dynamic

    def record(self) -> EnergyParts:
        """With the total among them."""
        return EnergyParts(**vars(self), total=self.total)


def energy(work: Activity, flip_flops: int, clock_hz: float, coefficients: Coefficients) -> Energy:
    """Of one image. flip_flops: all that are clocked, as the tools count them."""
    milliseconds = work.cycles / clock_hz * 1e3
    bits = work.read_bits + work.written_bits
    return Energy(
        fixed=_times(milliseconds * 1e6, coefficients.fixed),  # mW ms are uJ
        clock=_times(work.cycles, coefficients.clock),
        flip_flops=_times(work.cycles * flip_flops, coefficients.flip_flop),
        toggles=_times(work.toggles, coefficients.toggle),
        memories=_times(bits, coefficients.memory_bit),
    )


def _times(units: float, coefficient: Coefficient) -> Range:
    """Millionths of `units` times the coefficient: pJ become uJ."""
    return Range(units * coefficient.low / 1e6, units * coefficient.high / 1e6)
