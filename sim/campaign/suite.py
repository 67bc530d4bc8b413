"""The campaigns of `make robustness`: which layers, at which levels."""

from dataclasses import dataclass, field
from typing import Any

from toreq_hw.contract.limits import MAX_SWEEPS

_FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_NOISES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
_RATES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1)
_UPSETS = (1e-4, 1e-3, 1e-2, 1e-1)
_ENDLESS = 12
"""Sweeps of a phase whose noise never stops: several times what settling takes."""


@dataclass(frozen=True)
class Part:
    """One campaign. heals: standing states are struck, so every test image is its own case and
    all of them are taken. quick: also part of `make robustness-quick`.
    """

    kind: str
    levels: tuple[float, ...]
    options: dict[str, Any] = field(default_factory=dict)
    heals: bool = False
    quick: bool = False
    max_sweeps: int = MAX_SWEEPS


SUITE = (
    Part("single_state_flip", tuple(float(b) for b in range(1, 9)), heals=True, quick=True),
    Part("state_bit_flip", (1e-3, 1e-2, 1e-1, 5e-1), heals=True),
    Part("state_noise", (0.05, 0.1, 0.25, 0.5, 1.0), heals=True, quick=True),
    Part("dead_neurons", _FRACTIONS, quick=True),
    Part("dead_neurons", _FRACTIONS, {"value": "maximum"}),
    Part("stuck_weights", (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)),
    Part("missing_synapses", _FRACTIONS),
    Part("dead_rows", (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)),
    Part("dead_columns", (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)),
    Part("weight_bit_flip", _RATES, quick=True),
    Part("programming_noise", _NOISES, quick=True),
    Part("device_variation", _NOISES),
    Part("pcm", (0.5, 1.0, 2.0, 4.0), {"seconds": 0.0}),
    Part("pcm", (0.5, 1.0, 2.0, 4.0), {"seconds": 31536000.0}),
    Part("ir_drop", _NOISES),
    Part(
        "thermal_noise",
        (0.01, 0.02, *_NOISES),
        {"last_tick": 2 * _ENDLESS},
        quick=True,
        max_sweeps=_ENDLESS,
    ),
    Part(
        "flicker_noise",
        (0.02, 0.05, 0.1, 0.2, 0.5),
        {"last_tick": 2 * _ENDLESS},
        max_sweeps=_ENDLESS,
    ),
    Part("thermal_noise", _NOISES, {"last_tick": 8}),
    Part("read_noise", (0.02, 0.05, 0.1, 0.2, 0.5, 1.0), {"last_tick": 8}),
    Part("accumulator_converter", (6.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0)),
    Part("state_converter", (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)),
    Part("stuck_state_bits", _UPSETS, max_sweeps=40),
    Part("state_upset", _UPSETS),
    Part("silent_upset", _UPSETS, quick=True),
    Part("accumulator_upset", (1e-5, 1e-4, 1e-3, 1e-2)),
    Part("dropped_events", (1e-3, 1e-2, 1e-1, 5e-1), quick=True),
    Part("duplicated_events", (1e-3, 1e-2, 1e-1, 5e-1)),
    Part("message_bit_flip", _UPSETS),
    Part("stuck_message_bits", (1e-5, 1e-4, 1e-3, 1e-2), max_sweeps=40),
)
