"""The states of a sweep: block after block until none is pending.

A *block* is one population's turn in a sweep: an UPDATE pass over its slices, then the walk of
the events it found. Blocks that no event has reached since their last update are skipped.
"""

from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value

from toreq_hw.rtl.datapath import UPDATE_LATENCY
from toreq_hw.rtl.fault_port import BlockFaults
from toreq_hw.rtl.operations import Op
from toreq_hw.rtl.parameters import CoreParameters

HALT_PAUSE = UPDATE_LATENCY - 6
"""Cycles from the one after a halt to the first that sees the halting change as an event."""


class Sweeps:
    """What a sequencer does between the first pass of a phase and its end.

    From NEXT a sweep goes through UPDATE, PAUSE and WALK back to NEXT, once a block. In the end it
    goes to the next sweep or to CLASSIFY. `ports`: those of the sequencer. faults: the sequencer's
    part of a fault port, None without one.

    pending_blocks: bit k: an event has reached the k-th block in order. pending_saved: the same of
    the free phase, kept for NUDGE_NEGATIVE. next_block: in order. changed: a state has, in this
    sweep.
    """

    def __init__(
        self, parameters: CoreParameters, ports: Any, faults: BlockFaults | None = None
    ) -> None:
        self._parameters = parameters
        self._ports = ports
        self._faults = faults
        self._numbers = len(parameters.relaxing)
        self.limit = Signal(parameters.sweep_bits, init=parameters.max_sweeps)
        self.pending_blocks = Signal(self._numbers)
        self.pending_saved = Signal(self._numbers)
        self.next_block = Signal(range(self._numbers + 1))
        self.changed = Signal()
        self._pause_left = Signal(range(UPDATE_LATENCY))
        self._nudges = Signal()  # the pause ends in a NUDGE, not in a WALK
        self._resumes = Signal()
        self._resume_slice = Signal(parameters.slice_bits)
        self._resume_lane = Signal(parameters.update_lane_bits + 1)

    @property
    def nudged(self) -> int:
        """What a nudge makes due: the output's block."""
        return 1 << self._parameters.order.index(self._parameters.output)

    def listen(self, m: Module) -> None:
        """What events leave behind: pending blocks, and a sweep that is not the last."""
        ports = self._ports
        events = ports.take & ~ports.presents
        m.d.comb += ports.event.eq(events & ~ports.flushes if self._parameters.lossy else events)
        with m.If(events):
            reached = [ports.targets[population] for population in self._parameters.order]
            m.d.sync += self.pending_blocks.eq(self.pending_blocks | Cat(*reached))
        with m.If(ports.moved):
            m.d.sync += self.changed.eq(1)
        if self._faults:
            self._faults.listen(m, self.pending_blocks, self.next_block)

    def save(self, m: Module) -> None:
        """Keeps what the free phase came to; the nudge makes the output's block due."""
        m.d.sync += [
            self.pending_blocks.eq(self.pending_blocks | self.nudged),
            self.pending_saved.eq(self.pending_blocks),
        ]

    def enter_pause(self, m: Module, then: str) -> None:
        """Waits until the effects of the last pass can be seen: before a NUDGE, or a WALK."""
        m.d.sync += [self._pause_left.eq(UPDATE_LATENCY - 1), self._nudges.eq(then == "NUDGE")]
        m.next = "PAUSE"

    def add_pause(self, m: Module) -> None:
        """The state PAUSE."""
        with m.State("PAUSE"):
            m.d.sync += self._pause_left.eq(self._pause_left - 1)
            with m.If(self._pause_left == 0):
                with m.If(self._nudges):
                    m.next = "NUDGE"
                with m.Else():
                    m.next = "WALK"
            self.halt(m)

    def halt(self, m: Module) -> None:
        """A self-coupled population changed one neuron: walk it, then go on behind it."""
        if not any(placement.self_coupled for placement in self._parameters.relaxing):
            return
        ports = self._ports
        with m.If(ports.halt):
            m.d.sync += [
                self._resumes.eq(1),
                self._resume_slice.eq(ports.halt_slice),
                self._resume_lane.eq(ports.halt_lane),
                self._pause_left.eq(HALT_PAUSE - 1),
                self._nudges.eq(0),
            ]
            m.next = "PAUSE"

    def add_next(self, m: Module, end_flush: Any) -> None:
        """The state NEXT: chooses the next block that is due, or ends the sweep; not while it is
        held. end_flush: what comes behind the last block of a FLUSH.
        """
        ahead = Signal(self._numbers)
        every = Const((1 << self._numbers) - 1)
        lossy, flushes = self._parameters.lossy, getattr(self._ports, "flushes", None)
        pending = Mux(flushes, every, self.pending_blocks) if lossy else self.pending_blocks
        due = pending & (every << self.next_block)
        m.d.comb += ahead.eq(self._faults.due(due) if self._faults else due)
        with m.State("NEXT"):
            if not self._faults:
                self._choose(m, ahead, end_flush)
                return
            with self._faults.pause(m, self._resumes):
                self._choose(m, ahead, end_flush)

    def _choose(self, m: Module, ahead: Value, end_flush: Any) -> None:
        """The rest of a block that was cut, the first of the blocks ahead, or the sweep's end."""
        with m.If(self._resumes):
            m.d.sync += self._resumes.eq(0)
            self._resume(m)
        with m.Elif(ahead != 0):
            for position in reversed(range(self._numbers)):
                with m.If(ahead[position] & (ahead[:position] == 0)):
                    self._start_block(m, position)
        if self._parameters.lossy:
            with m.Elif(self._ports.flushes):
                m.d.sync += [self.next_block.eq(0), self._ports.flushes.eq(0)]
                m.d.comb += self._ports.next_sweep.eq(1)
                end_flush()
        with m.Else():
            self._end_sweep(m)

    def _resume(self, m: Module) -> None:
        """The rest of a self-coupled population, from the neuron after the one that moved."""
        with m.Switch(self._ports.source):
            for number, placement in enumerate(self._parameters.relaxing):
                if placement.self_coupled:
                    with m.Case(number):
                        self._start_update(m, number, self._resume_slice, self._resume_lane)

    def _start_block(self, m: Module, position: int) -> None:
        number = self._parameters.order[position]
        pending = self.pending_blocks[position]
        m.d.sync += [
            pending.eq(pending & self._ports.flushes if self._parameters.lossy else 0),
            self.next_block.eq(position + 1),
            self._ports.source.eq(number),
        ]
        self._start_update(m, number)

    def _start_update(
        self,
        m: Module,
        number: int,
        slice_: "Value | int | None" = None,
        first_lane: "Value | int" = 0,
    ) -> None:
        """An UPDATE of population `number`, from `slice_` on (default: its first)."""
        ports = self._ports
        first = self._parameters.first_slice(number)
        start = first if slice_ is None else slice_
        m.d.comb += [
            ports.start_pass.eq(1),
            ports.request.first.op.eq(Op.UPDATE),
            ports.request.first.population.eq(number),
            ports.request.first.slice.eq(start),
            ports.request.first.first_lane.eq(first_lane),
            ports.request.following.eq(first + self._parameters.slices_of(number) - 1 - start),
        ]
        m.next = "UPDATE"

    def add_walk(self, m: Module) -> None:
        """The state WALK: walks the queue until it is empty and the last beat is issued."""
        ports = self._ports
        with m.State("WALK"), m.If(ports.walker_free):
            with m.If(ports.queue_valid):
                m.d.comb += [ports.queue_pop.eq(1), ports.take.eq(1)]
                if self._faults:
                    self._faults.upset_event(m)
            with m.Else():
                m.next = "NEXT"

    def _end_sweep(self, m: Module) -> None:
        ports = self._ports
        changed = self._faults.counts_as_change(self.changed) if self._faults else self.changed
        m.d.sync += [self.next_block.eq(0), self.changed.eq(0)]
        m.d.comb += ports.settled.eq(~changed)
        with m.If(ports.settled | (ports.sweeps == self.limit)):
            m.d.comb += ports.ends.eq(1)
            m.next = "CLASSIFY"
        with m.Else():
            m.d.comb += ports.next_sweep.eq(1)
