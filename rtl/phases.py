"""The phases of a core, as a table: what a command does from its first cycle to its summary.

Sequencer, timing model, datasheet and link read this table. A new phase is one more entry; a new
step is one more member of `Step` with its cycles (rtl/timing.py) and its state (rtl/sequencer.py).
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from toreq_hw.rtl.fixed_width import index_bits


class Command(IntEnum):
    """What the core can be asked to do; each reads the state the one before it left.

    FREE takes one image from the input stream. NUDGE_POSITIVE needs a finished
    FREE, NUDGE_NEGATIVE a finished NUDGE_POSITIVE; anything else is refused with
    an error. LEARN, of a core that learns, needs a finished NUDGE_NEGATIVE.
    """

    FREE = 0
    NUDGE_POSITIVE = 1
    NUDGE_NEGATIVE = 2
    LEARN = 3


class Step(Enum):
    """A part of a phase. The first four are passes over all slices, by the operation of that name.

    PRESENT: walks the events of an image. FLUSH: every block of a lossy core sends its unsent
    deltas. PAUSE: waits until the effects of a pass can be seen. NUDGE: adds the nudge to the
    output's accumulators. CLASSIFY: finds the class. REPORT: streams all states. LEARN: updates all
    latents; no sweep follows.
    """

    CLEAR = "CLEAR"
    SAVE = "SAVE"
    KEEP = "KEEP"
    RESTORE = "RESTORE"
    PRESENT = "PRESENT"
    FLUSH = "FLUSH"
    PAUSE = "PAUSE"
    NUDGE = "NUDGE"
    CLASSIFY = "CLASSIFY"
    REPORT = "REPORT"
    LEARN = "LEARN"


PASSES = (Step.CLEAR, Step.SAVE, Step.KEEP, Step.RESTORE)
"""Steps that visit every slice."""


class Pending(Enum):
    """Which blocks are due in the first sweep, beside the output's block after a nudge.

    SAVED: those that were due when the last SAVE began.
    """

    ALL = "all"
    UNCHANGED = "those of before"
    SAVED = "those saved"


@dataclass(frozen=True)
class Phase:
    """One command. steps: before the first sweep; behind the last one come `ENDING`.

    after: the command that must have ended just before; None: it may come at any time. sign: of the
    nudge; 0 for none, and then no label is needed.
    """

    command: Command
    steps: tuple[Step, ...]
    pending: Pending
    after: Command | None = None
    sign: int = 0


ENDING = (Step.CLASSIFY, Step.REPORT)
"""Behind the sweeps of a phase; REPORT only where it is asked for."""

_PHASES = (
    Phase(Command.FREE, (Step.CLEAR, Step.PRESENT), Pending.ALL),
    Phase(
        Command.NUDGE_POSITIVE,
        (Step.SAVE, Step.PAUSE, Step.NUDGE),
        Pending.UNCHANGED,
        after=Command.FREE,
        sign=1,
    ),
    Phase(
        Command.NUDGE_NEGATIVE,
        (Step.KEEP, Step.RESTORE, Step.PAUSE, Step.NUDGE),
        Pending.SAVED,
        after=Command.NUDGE_POSITIVE,
        sign=-1,
    ),
)


_LEARN = Phase(Command.LEARN, (Step.LEARN,), Pending.UNCHANGED, after=Command.NUDGE_NEGATIVE)


def phase_table(*, lossy: bool, learns: bool = False) -> tuple[Phase, ...]:
    """The phases in the order in which they follow each other.

    Unsent deltas of the free phase of a lossy core are sent before that phase is saved.
    """
    if learns:
        return (*_PHASES, _LEARN)
    if not lossy:
        return _PHASES
    return tuple(
        Phase(p.command, (Step.FLUSH, *p.steps), p.pending, p.after, p.sign)
        if Step.SAVE in p.steps
        else p
        for p in _PHASES
    )


def successors(phases: tuple[Phase, ...]) -> dict[Step, Step | None]:
    """What follows each step, which must be the same in every phase; None: the first sweep."""
    following: dict[Step, Step | None] = {}
    for phase in phases:
        for step, after in zip(phase.steps, (*phase.steps[1:], None), strict=True):
            assert following.setdefault(step, after) is after, f"{step.name} must lead to one step"
    return following


def command_bits(phases: tuple[Phase, ...]) -> int:
    """Bits of a command. The highest number is none, so that there is one that no core knows."""
    return index_bits(len(phases) + 1)
