"""The states of a sweep: block after block until none has news.

A *block* is one population's turn in a sweep: an UPDATE pass over its slices, then the walk of
the events it found. Blocks that no event has reached since their last update are skipped.
"""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import Op
from toreq_hw.rtl.datapath import UPDATE_LATENCY
from toreq_hw.rtl.parameters import CoreParameters

HALT_PAUSE = UPDATE_LATENCY - 6
"""Cycles from the one after a halt to the first that sees the halting change as an event."""


class Sweeps(wiring.Component):
    """What `Sequencer` does between the first pass of a phase and its end; it has the ports.

    From NEXT a sweep goes through UPDATE, PAUSE and WALK back to NEXT, once a block, and in the end
    to the next sweep or to CLASSIFY. The registers say which blocks have news (`_dirty`; and of the
    free phase, kept for LOWER, `_dirty_free`), and which is next in order (`_position`).
    """

    _parameters: CoreParameters
    _upsets: bool

    @property
    def _numbers(self) -> int:
        return len(self._parameters.relaxing)

    @property
    def _nudged(self) -> int:
        """The news of a nudge: those of the output's block."""
        return 1 << self._parameters.order.index(self._parameters.output)

    def _make_sweep_registers(self) -> None:
        parameters = self._parameters
        self._limit = Signal(parameters.sweep_bits, init=parameters.max_sweeps)
        self._pause_left = Signal(range(UPDATE_LATENCY))
        self._nudges = Signal()  # the pause ends in a NUDGE, not in a WALK
        self._dirty = Signal(self._numbers)  # bit k: the k-th block in order has news
        self._dirty_free = Signal(self._numbers)
        self._position = Signal(range(self._numbers + 1))
        self._changed = Signal()
        self._resumes = Signal()
        self._resume_slice = Signal(parameters.slice_bits)
        self._resume_lane = Signal(parameters.update_lane_bits + 1)

    def _listen_to_events(self, m: Module) -> None:
        """What events leave behind: news, and a sweep that is not the last."""
        events = self.take & ~self.presents
        m.d.comb += self.event.eq(events & ~self.flushes if self._parameters.lossy else events)
        with m.If(events):
            reached = [self.targets[population] for population in self._parameters.order]
            m.d.sync += self._dirty.eq(self._dirty | Cat(*reached))
        with m.If(self.moved):
            m.d.sync += self._changed.eq(1)
        if self._upsets:
            m.d.comb += [self.news.eq(self._dirty), self.position.eq(self._position)]
            with m.If(self.touch != 0):
                m.d.sync += self._dirty.eq(self._dirty | self.touch)

    def _start_all(self, m: Module, state: str, op: object) -> None:
        """A pass over all slices."""
        m.d.comb += [
            self.start_pass.eq(1),
            self.request.first.op.eq(op),
            self.request.following.eq(self._parameters.slices - 1),
        ]
        m.next = state

    def _save(self, m: Module) -> None:
        """Keeps what the free phase came to; the nudge will be news to the output."""
        m.d.sync += [
            self._dirty.eq(self._dirty | self._nudged),
            self._dirty_free.eq(self._dirty),
        ]
        self._start_all(m, "SAVE", Op.SAVE)

    def _start_update(
        self,
        m: Module,
        number: int,
        slice_: "Value | int | None" = None,
        first_lane: "Value | int" = 0,
    ) -> None:
        """An UPDATE of population `number`, from `slice_` on (default: its first)."""
        first = self._parameters.first_slice(number)
        start = first if slice_ is None else slice_
        m.d.comb += [
            self.start_pass.eq(1),
            self.request.first.op.eq(Op.UPDATE),
            self.request.first.population.eq(number),
            self.request.first.slice.eq(start),
            self.request.first.first_lane.eq(first_lane),
            self.request.following.eq(first + self._parameters.slices_of(number) - 1 - start),
        ]
        m.next = "UPDATE"

    def _enter_pause(self, m: Module, then: str) -> None:
        m.d.sync += [self._pause_left.eq(UPDATE_LATENCY - 1), self._nudges.eq(then == "NUDGE")]
        m.next = "PAUSE"

    def _pause(self, m: Module) -> None:
        """Waits until the effects of the last pass can be seen."""
        with m.State("PAUSE"):
            m.d.sync += self._pause_left.eq(self._pause_left - 1)
            with m.If(self._pause_left == 0):
                with m.If(self._nudges):
                    m.next = "NUDGE"
                with m.Else():
                    m.next = "WALK"
            self._halt(m)

    def _halt(self, m: Module) -> None:
        """A self-coupled population changed one neuron: walk it, then go on behind it."""
        if not any(slot.self_coupled for slot in self._parameters.relaxing):
            return
        with m.If(self.halt):
            m.d.sync += [
                self._resumes.eq(1),
                self._resume_slice.eq(self.halt_slice),
                self._resume_lane.eq(self.halt_lane),
                self._pause_left.eq(HALT_PAUSE - 1),
                self._nudges.eq(0),
            ]
            m.next = "PAUSE"

    def _next(self, m: Module) -> None:
        """Chooses the next block that has news, or ends the sweep; not while it is held."""
        ahead = Signal(self._numbers)
        every = Const((1 << self._numbers) - 1)
        news = Mux(self.flushes, every, self._dirty) if self._parameters.lossy else self._dirty
        due = news & (every << self._position)
        m.d.comb += ahead.eq(due & ~self.frozen if self._upsets else due)
        with m.State("NEXT"):
            if not self._upsets:
                self._choose(m, ahead)
                return
            m.d.comb += self.waits.eq(~self._resumes)
            with m.If(~self.hold | self._resumes):
                self._choose(m, ahead)

    def _choose(self, m: Module, ahead: Value) -> None:
        """The rest of a block that was cut, the first of the blocks ahead, or the sweep's end."""
        with m.If(self._resumes):
            m.d.sync += self._resumes.eq(0)
            self._resume(m)
        with m.Elif(ahead != 0):
            for position in reversed(range(self._numbers)):
                with m.If(ahead[position] & (ahead[:position] == 0)):
                    self._start_block(m, position)
        if self._parameters.lossy:
            with m.Elif(self.flushes):
                self._end_flush(m)
        with m.Else():
            self._end_sweep(m)

    def _resume(self, m: Module) -> None:
        """The rest of a self-coupled population, from the neuron after the one that moved."""
        with m.Switch(self.source):
            for number, slot in enumerate(self._parameters.relaxing):
                if slot.self_coupled:
                    with m.Case(number):
                        self._start_update(m, number, self._resume_slice, self._resume_lane)

    def _start_block(self, m: Module, position: int) -> None:
        number = self._parameters.order[position]
        news = self._dirty[position]
        m.d.sync += [
            news.eq(news & self.flushes if self._parameters.lossy else 0),
            self._position.eq(position + 1),
            self.source.eq(number),
        ]
        self._start_update(m, number)

    def _walk(self, m: Module) -> None:
        """Walks the queue until it is empty and the last beat is issued."""
        with m.State("WALK"), m.If(self.walker_free):
            with m.If(self.queue_valid):
                m.d.comb += [self.queue_pop.eq(1), self.take.eq(1)]
                if self._upsets:
                    self._upset_event(m)
            with m.Else():
                m.next = "NEXT"

    def _upset_event(self, m: Module) -> None:
        """A lost event leaves the queue unwalked; a doubled one stays there for a second walk."""
        again = Signal()
        m.d.comb += [
            self.take.eq(~self.lost),
            self.queue_pop.eq(self.lost | ~self.doubled | again),
        ]
        m.d.sync += again.eq(self.doubled & ~self.lost & ~again)

    def _end_flush(self, m: Module) -> None:
        m.d.sync += [self._position.eq(0), self.flushes.eq(0)]
        m.d.comb += self.next_sweep.eq(1)
        self._save(m)

    def _end_sweep(self, m: Module) -> None:
        m.d.sync += [self._position.eq(0), self._changed.eq(0)]
        m.d.comb += self.settled.eq(~(self._changed | self.keep if self._upsets else self._changed))
        with m.If(self.settled | (self.sweeps == self._limit)):
            m.d.comb += self.ends.eq(1)
            m.next = "CLASSIFY"
        with m.Else():
            m.d.comb += self.next_sweep.eq(1)


def upset_members(blocks: int) -> dict[str, object]:
    """The sequencer's part of `upset_signature`, and what befalls the event at hand."""
    return {
        "hold": In(1),
        "waits": Out(1),
        "position": Out(range(blocks + 1)),
        "news": Out(blocks),
        "touch": In(blocks),
        "keep": In(1),
        "frozen": In(blocks),
        "lost": In(1),
        "doubled": In(1),
    }
