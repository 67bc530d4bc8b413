"""The settings of the integer rule of on-chip learning (docs/numerics.md, section 6)."""

from dataclasses import dataclass, field

from msgspec import UNSET

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.learning import FEWEST_LATENT_BITS, LATENT_BITS, LATENT_LIMIT
from toreq_hw.errors import InputError
from toreq_hw.records.training import RuleSettings

MAX_SHIFT = 16
"""Largest k: the rounding offset comes from 16 random bits."""

MAX_EPOCH = 1 << 31
"""Far above what any training takes."""


@named_type_errors
@dataclass(frozen=True)
class Rule:
    """The settings of the integer rule.

    shift: k of every coupling (learning rate 2^-k), or in `shifts` by coupling name.
    bias_shift: k of all biases, or in `bias_shifts` by population name.
    theta: ternary threshold on the latent weight.
    initial_reach: latents start uniform in -initial_reach..initial_reach.
    latent_bits: of every latent weight, 8..16, or in `own_latent_bits` by coupling name. Fewer than
    16 leave the low bits 0; k is at most as many.
    decay_epochs: from each of these epochs on (0 is the first), every k is one larger.

    Raises InputError naming the setting.
    """

    shift: int = 5
    bias_shift: int = 7
    theta: int = 4096
    initial_reach: int = 6000
    shifts: dict[str, int] = field(default_factory=dict)
    bias_shifts: dict[str, int] = field(default_factory=dict, kw_only=True)
    decay_epochs: tuple[int, ...] = ()
    latent_bits: int = field(default=LATENT_BITS, kw_only=True)
    own_latent_bits: dict[str, int] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "decay_epochs", tuple(self.decay_epochs))
        for name, shift in {"shift": self.shift, "bias_shift": self.bias_shift}.items():
            check_integer(name, shift, 0, MAX_SHIFT)
        for name, shift in self.shifts.items():
            check_integer(f"shift of coupling {name!r}", shift, 0, MAX_SHIFT)
        for name, shift in self.bias_shifts.items():
            check_integer(f"bias shift of population {name!r}", shift, 0, MAX_SHIFT)
        bits = {"": self.latent_bits} | self.own_latent_bits
        for name, own in bits.items():
            check_integer(_of("latent_bits", name), own, FEWEST_LATENT_BITS, LATENT_BITS)
        for name in ("", *self.shifts, *self.own_latent_bits):
            check_latent_bits(name, self.shifts.get(name, self.shift), self.latent_bits_of(name))
        for start in self.decay_epochs:
            check_integer("decay_epochs", start, 0, MAX_EPOCH)
        check_integer("theta", self.theta, 1, LATENT_LIMIT)
        check_integer("initial_reach", self.initial_reach, 0, LATENT_LIMIT)

    def describe(self) -> RuleSettings:
        """The settings as a record: those of version 1, and what differs from its defaults."""
        return RuleSettings(
            shift=self.shift,
            bias_shift=self.bias_shift,
            theta=self.theta,
            initial_reach=self.initial_reach,
            shifts=dict(self.shifts),
            decay_epochs=self.decay_epochs,
            bias_shifts=dict(self.bias_shifts) or UNSET,
            latent_bits=UNSET if self.latent_bits == LATENT_BITS else self.latent_bits,
            own_latent_bits=dict(self.own_latent_bits) or UNSET,
        )

    def latent_bits_of(self, coupling: str) -> int:
        """Bits of the latent weights of one coupling."""
        return self.own_latent_bits.get(coupling, self.latent_bits)

    def shift_of(self, coupling: str, epoch: int) -> int:
        """The k of one coupling in one epoch."""
        shift = self._decay(self.shifts.get(coupling, self.shift), epoch)
        return min(shift, self.latent_bits_of(coupling))

    def bias_shift_of(self, population: str, epoch: int) -> int:
        """The k of one population's biases in one epoch."""
        return self._decay(self.bias_shifts.get(population, self.bias_shift), epoch)

    def _decay(self, shift: int, epoch: int) -> int:
        return min(MAX_SHIFT, shift + sum(epoch >= start for start in self.decay_epochs))


def _of(setting: str, coupling: str) -> str:
    """What a person calls a setting of one coupling, or ("") of all others."""
    return f"{setting} of coupling {coupling!r}" if coupling else setting


def check_latent_bits(
    coupling: str, shift: int, bits: int, setting: str = "shift", bits_setting: str = "latent_bits"
) -> None:
    """Raises InputError where k is larger than the latents of one coupling have bits.

    coupling: "" of those without settings of their own. setting, bits_setting: what a person calls
    k and the bits.
    """
    if shift > bits:
        where = f"coupling {coupling!r}: " if coupling else ""
        raise InputError(
            f"{where}{setting} (k) must be at most {bits}, its latent bits, not {shift}; use "
            f"{setting} {bits} or less, or {bits_setting} {shift} or more"
        )


def check_integer(name: str, value: int, low: int, high: int) -> None:
    """Raises InputError unless `value` is an integer in low..high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} must be an integer in {low}..{high}, not {value!r}")
