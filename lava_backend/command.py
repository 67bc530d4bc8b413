"""The commands that the controller sends to every population, one a time step.

A number >= 0 is a tick of that colour. The others start a phase or let time pass.
"""

from enum import IntEnum

from toreq_hw.contract.phases import PHASES


class Command(IntEnum):
    """What all populations do in a time step that is not a tick."""

    FREE = -1
    """Forget the sample before: states to 0, accumulators to the bias; inputs are presented."""
    POSITIVE = -2
    """Keep the equilibrium in mind; the output adds its nudge."""
    NEGATIVE = -3
    """Return to the equilibrium; the output subtracts the same nudge."""
    IDLE = -4
    """Nothing is left to do."""


PHASE_COMMANDS = tuple(Command[phase.name] for phase in PHASES)
"""In the order in which they are run for each sample."""
