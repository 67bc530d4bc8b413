"""How the deltas of one neuron lead from state to state: rules, each of which is proved alone."""

from amaranth import Module, Mux, Shape, Signal, Value, signed

from toreq_hw.rtl.operations import Op
from toreq_hw.rtl.phases import Command

Rule = tuple[Value, Value]
"""What must hold, and when."""


class Ledger:
    """What happens to one neuron, which the owner drives, and what is under way.

    starts: a command begins. saves: a SAVE beat of any slice is issued. writes: the neuron's slice
    is written, by which beat. written: what is written as sent last; written_state: as its state;
    without a threshold they are the same. pushes, pushed: its change enters the queue, and the
    delta. brings, brought: a beat brings a delta to the group that hears it. sweep_ends: all should
    be known. work, kept: what memory holds as sent last, on pages LIVE and FREE_EQUILIBRIUM.

    Registers: a delta is `waiting` that was pushed and not brought. Page LIVE is `stale` from a
    FREE or (`restoring`) a NUDGE_NEGATIVE until its CLEAR or RESTORE has written; and after a
    reset. Page FREE_EQUILIBRIUM is `unsaved` from a SAVE beat until it has written, and then
    `saved` until a reset.
    """

    def __init__(self, m: Module, state: Shape, delta_bits: int) -> None:
        self.starts = {
            Command.FREE: Signal(name="starts_FREE"),
            Command.NUDGE_POSITIVE: Signal(name="starts_NUDGE_POSITIVE"),
            Command.NUDGE_NEGATIVE: Signal(name="starts_NUDGE_NEGATIVE"),
        }
        self.writes = {
            Op.UPDATE: Signal(name="writes_UPDATE"),
            Op.CLEAR: Signal(name="writes_CLEAR"),
            Op.RESTORE: Signal(name="writes_RESTORE"),
            Op.SAVE: Signal(
                name="writes_SAVE"
            ),  # page FREE_EQUILIBRIUM; the others write page LIVE
        }
        self.saves = Signal(name="saves")
        self.brings, self.pushes = Signal(name="brings"), Signal(name="pushes")
        self.sweep_ends = Signal(name="sweep_ends")
        self.written, self.written_state, self.work, self.kept = (
            Signal(state, name=name) for name in ("written", "written_state", "work", "kept")
        )
        self.pushed, self.brought, self._delta = (
            Signal(signed(delta_bits), name=name) for name in ("pushed", "brought", "delta")
        )
        self._waiting, self._restoring, self._unsaved, self._saved = (
            Signal(name=name) for name in ("waiting", "restoring", "unsaved", "saved")
        )
        self._stale = Signal(init=1, name="stale")
        self._keep(m)

    def _keep(self, m: Module) -> None:
        with m.If(self.brings):
            m.d.sync += self._waiting.eq(0)
        with m.If(self.pushes):
            m.d.sync += [self._waiting.eq(1), self._delta.eq(self.pushed)]
        with m.If(self.writes[Op.CLEAR] | self.writes[Op.RESTORE]):
            m.d.sync += self._stale.eq(0)
        for command, restores in ((Command.FREE, 0), (Command.NUDGE_NEGATIVE, 1)):
            with m.If(self.starts[command]):
                m.d.sync += [self._stale.eq(1), self._restoring.eq(restores)]
        with m.If(self.writes[Op.SAVE]):
            m.d.sync += [self._unsaved.eq(0), self._saved.eq(1)]
        with m.If(self.saves):
            m.d.sync += self._unsaved.eq(1)

    def rules(self) -> dict[str, list[Rule]]:
        """writes_are_steps: an UPDATE changes what was sent last by the delta that it pushes, CLEAR
        makes it zero, and RESTORE and SAVE copy it; what SAVE keeps as the state was sent.
        events_arrive: a delta that is pushed is brought, once and unchanged. This is done before
        the next is pushed, a command starts, a SAVE is issued or a sweep ends. copies_are_in_time:
        CLEAR, SAVE and RESTORE write only if asked, and before anything builds on what they write.
        """
        starts, writes, stale = self.starts, self.writes, self._stale
        started = (
            starts[Command.FREE] | starts[Command.NUDGE_POSITIVE] | starts[Command.NUDGE_NEGATIVE]
        )
        builds = writes[Op.UPDATE] | self.brings
        copies = writes[Op.CLEAR] | writes[Op.RESTORE]
        looks = (
            self.saves
            | self.sweep_ends
            | starts[Command.NUDGE_POSITIVE]
            | starts[Command.NUDGE_NEGATIVE]
        )
        step = self.work + Mux(self.pushes, self.pushed, 0)
        return {
            "writes_are_steps": [
                (self.written == step, writes[Op.UPDATE]),
                (self.written == 0, writes[Op.CLEAR]),
                (self.written == self.kept, writes[Op.RESTORE]),
                (self.written == self.work, writes[Op.SAVE]),
                (self.written == self.written_state, writes[Op.SAVE]),
                (writes[Op.UPDATE], self.pushes),
            ],
            "events_arrive": [
                (self._waiting & (self.brought == self._delta), self.brings),
                (~self._waiting, self.pushes | started | self.saves | self.sweep_ends),
            ],
            "copies_are_in_time": [
                (stale & ~self._restoring, writes[Op.CLEAR]),
                (stale & self._restoring, writes[Op.RESTORE]),
                (~stale, builds | looks | writes[Op.SAVE]),
                (self._unsaved, writes[Op.SAVE]),
                (~self._unsaved, builds | started | copies),
                (~builds, started | self.saves),
                (self._saved, starts[Command.NUDGE_NEGATIVE]),
            ],
        }
