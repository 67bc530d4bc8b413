"""The campaigns of `make robustness`: which layers, at which levels."""

from dataclasses import dataclass, field

from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.records.campaign import Setting

_FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_NOISES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
_RATES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1)
_UPSETS = (1e-4, 1e-3, 1e-2, 1e-1)
_ENDLESS = 12
"""Sweeps of a phase whose noise never stops: several times what settling takes."""


@dataclass(frozen=True)
class CampaignSpec:
    """One campaign. flips_states: settled states change, so every test image is its own case and
    all of them are taken. quick: also part of `make robustness-quick`.
    """

    kind: str
    levels: tuple[float, ...]
    options: dict[str, Setting] = field(default_factory=dict)
    flips_states: bool = False
    quick: bool = False
    max_sweeps: int = MAX_SWEEPS


SUITE = (
    CampaignSpec(
        "single_state_flip", tuple(float(b) for b in range(1, 9)), flips_states=True, quick=True
    ),
    CampaignSpec("state_bit_flip", (1e-3, 1e-2, 1e-1, 5e-1), flips_states=True),
    CampaignSpec("state_noise", (0.05, 0.1, 0.25, 0.5, 1.0), flips_states=True, quick=True),
    CampaignSpec("dead_neurons", _FRACTIONS, quick=True),
    CampaignSpec("dead_neurons", _FRACTIONS, {"value": "maximum"}),
    CampaignSpec("stuck_weights", (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)),
    CampaignSpec("missing_synapses", _FRACTIONS),
    CampaignSpec("dead_rows", (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)),
    CampaignSpec("dead_columns", (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)),
    CampaignSpec("weight_bit_flip", _RATES, quick=True),
    CampaignSpec("programming_noise", _NOISES, quick=True),
    CampaignSpec("device_variation", _NOISES),
    CampaignSpec("pcm", (0.5, 1.0, 2.0, 4.0), {"seconds": 0.0}),
    CampaignSpec("pcm", (0.5, 1.0, 2.0, 4.0), {"seconds": 31536000.0}),
    CampaignSpec("ir_drop", _NOISES),
    CampaignSpec(
        "thermal_noise",
        (0.01, 0.02, *_NOISES),
        {"last_tick": 2 * _ENDLESS},
        quick=True,
        max_sweeps=_ENDLESS,
    ),
    CampaignSpec(
        "flicker_noise",
        (0.02, 0.05, 0.1, 0.2, 0.5),
        {"last_tick": 2 * _ENDLESS},
        max_sweeps=_ENDLESS,
    ),
    CampaignSpec("thermal_noise", _NOISES, {"last_tick": 8}),
    CampaignSpec("read_noise", (0.02, 0.05, 0.1, 0.2, 0.5, 1.0), {"last_tick": 8}),
    CampaignSpec("accumulator_converter", (6.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0)),
    CampaignSpec("state_converter", (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)),
    CampaignSpec("stuck_state_bits", _UPSETS, max_sweeps=40),
    CampaignSpec("state_upset", _UPSETS),
    CampaignSpec("silent_upset", _UPSETS, quick=True),
    CampaignSpec("accumulator_upset", (1e-5, 1e-4, 1e-3, 1e-2)),
    CampaignSpec("dropped_events", (1e-3, 1e-2, 1e-1, 5e-1), quick=True),
    CampaignSpec("duplicated_events", (1e-3, 1e-2, 1e-1, 5e-1)),
    CampaignSpec("message_bit_flip", _UPSETS),
    CampaignSpec("stuck_message_bits", (1e-5, 1e-4, 1e-3, 1e-2), max_sweeps=40),
)
