"""The fault port of a core: how a bench replays a fault map on it.

A core without one has none of this. Each class is the port's part in one part of the core.
"""

from contextlib import AbstractContextManager
from typing import Any

from amaranth import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.errors import NetworkError
from toreq_hw.rtl.interfaces import Members
from toreq_hw.rtl.learning.stuck_bits import stuck_signature
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.placement import PopulationPlacement
from toreq_hw.rtl.rounding import flip_bits


def upset_signature(parameters: CoreParameters) -> wiring.Signature:
    """The fault port of a core made with `upsets`.

    The core stops between blocks while `hold` is high: then `waits`, and memories may be written
    from `DRAIN_CYCLES` (rtl/datapath.py) cycles later on, when the pipeline is empty. sweep: the
    running one. position: the next block in `CoreParameters.order`; pending_blocks: which blocks
    are due.
    set_pending: makes blocks due. force_unsettled: this sweep counts as one that changed something.
    frozen: blocks that are not updated.
    Per neuron address (group * lanes + lane): stuck neurons never change; state_xor_mask inverts
    bits of every new state; message_xor_mask inverts bits of every event's delta; events that are
    lost, or walked twice. A core that learns has `stuck_signature`, too.

    Raises NetworkError for a lossy core: a disturbed phase is lossless.
    """
    if parameters.lossy:
        raise NetworkError(
            f"a core with a fault port must have no threshold, found {parameters.threshold}"
        )
    addresses = parameters.groups * parameters.lanes
    blocks = BlockFaults.members(parameters)
    return wiring.Signature(
        {"hold": In(1), "waits": Out(1), "sweep": Out(parameters.sweep_bits)}
        | {name: member for name, member in blocks.items() if name not in _OF_EVENT}
        | StateFaults.members(parameters)
        | {
            "message_xor_mask": In(addresses * parameters.delta_bits),
            "lost": In(addresses),
            "doubled": In(addresses),
        }
        | stuck_signature(parameters)
    )


_OF_EVENT = ("lost", "doubled")
"""One bit at the sequencer, for the event at hand; one a neuron address at the port."""


class BlockFaults:
    """In the sequencer: `ports` are its ports, `members` among them."""

    def __init__(self, ports: Any) -> None:
        self._ports = ports

    @staticmethod
    def members(parameters: CoreParameters) -> Members:
        """The sequencer's part of `upset_signature`, and what happens to the event at hand."""
        blocks = len(parameters.relaxing)
        return {
            "hold": In(1),
            "waits": Out(1),
            "position": Out(range(blocks + 1)),
            "pending_blocks": Out(blocks),
            "set_pending": In(blocks),
            "force_unsettled": In(1),
            "frozen": In(blocks),
            "lost": In(1),
            "doubled": In(1),
        }

    def listen(self, m: Module, pending: Signal, position: Signal) -> None:
        """Shows which blocks are pending and which is next; `set_pending` adds blocks."""
        ports = self._ports
        m.d.comb += [ports.pending_blocks.eq(pending), ports.position.eq(position)]
        with m.If(ports.set_pending != 0):
            m.d.sync += pending.eq(pending | ports.set_pending)

    def due(self, blocks: Value) -> Value:
        """The blocks that are due, without those that are frozen."""
        return blocks & ~self._ports.frozen

    def pause(self, m: Module, resumes: Value) -> AbstractContextManager[None]:
        """What stands in it waits while the core is held, but not inside a block."""
        m.d.comb += self._ports.waits.eq(~resumes)
        condition: AbstractContextManager[None] = m.If(~self._ports.hold | resumes)
        return condition

    def upset_event(self, m: Module) -> None:
        """A lost event leaves the queue unwalked; a doubled one stays there for a second walk."""
        ports, again = self._ports, Signal(name="again")
        m.d.comb += [
            ports.take.eq(~ports.lost),
            ports.queue_pop.eq(ports.lost | ~ports.doubled | again),
        ]
        m.d.sync += again.eq(ports.doubled & ~ports.lost & ~again)

    def counts_as_change(self, changed: Value) -> Value:
        """Whether the sweep counts as one that changed something."""
        return changed | self._ports.force_unsettled


class StateFaults:
    """In the updater: `ports` are its ports, `members` among them."""

    def __init__(self, parameters: CoreParameters, ports: Any) -> None:
        self._bits = parameters.state_bits
        self._ports = ports

    @staticmethod
    def members(parameters: CoreParameters) -> Members:
        """The updater's part of `upset_signature`."""
        addresses = parameters.groups * parameters.lanes
        return {"stuck": In(addresses), "state_xor_mask": In(addresses * parameters.state_bits)}

    def flip_new_state(self, state: Value, number: Value, placement: PopulationPlacement) -> Value:
        """The new state of the neuron of this number, with its bits inverted."""
        return flip_bits(
            state, self._ports.state_xor_mask.word_select(number, self._bits), placement
        )

    def is_stuck(self, number: Value) -> Value:
        """Whether the neuron of this number never changes."""
        return self._ports.stuck.bit_select(number, 1)
