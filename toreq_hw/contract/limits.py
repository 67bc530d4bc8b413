"""Limits that all machines share; a network's own are in `network`."""

MAX_SWEEPS = 10_000
"""Of a phase, unless a caller says otherwise: far above any relaxation seen (docs/numerics.md,
section 4). Where it ends a phase, the record says so."""

MOST_SWEEPS = 1_000_000
"""The most that a caller may say: the ticks of as many sweeps fit 32 bits."""

MAX_THRESHOLD = (1 << 15) - 1
"""Of the lossy mode: states are int16, nothing moves further."""
