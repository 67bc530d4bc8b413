"""The event queue: a row for each group that changed, taken out one neuron at a time.

An update pushes at most one row per group of one population, and only into an empty queue,
so it can never be full; `rtl/formal.py` proves that it neither drops nor repeats an event.
"""

from amaranth import Array, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.parameters import CoreParameters


def row_layout(parameters: CoreParameters) -> data.StructLayout:
    """One group's changes: which lanes changed, and by how much each."""
    return data.StructLayout(
        {
            "group": unsigned(parameters.group_bits),
            "changed": unsigned(parameters.lanes),
            "deltas": data.ArrayLayout(signed(parameters.delta_bits), parameters.lanes),
        }
    )


class EventQueue(wiring.Component):
    """Rows in, events out, lowest group and lane first.

    A row pushed in cycle t is at the output in cycle t + 2; from then on one event can be
    popped in every cycle. `valid` and the event stand until `pop`; `spent`: it was its row's last.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "push": In(1),
                "row": In(row_layout(parameters)),
                "valid": Out(1),
                "group": Out(parameters.group_bits),
                "lane": Out(parameters.lane_bits),
                "delta": Out(signed(parameters.delta_bits)),
                "pop": In(1),
                "spent": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds a ring of rows; its head is read again in every cycle until it is spent."""
        m = Module()
        layout = row_layout(self._parameters)
        depth = self._parameters.queue_depth
        m.submodules.rows = rows = Memory(shape=unsigned(layout.size), depth=depth, init=[])
        write, read = rows.write_port(), rows.read_port()
        head = Signal(layout)
        write_index = Signal(range(depth))
        read_index = Signal(range(depth))
        waiting = Signal(range(depth + 1))  # rows written at least a cycle ago
        arriving = Signal()
        popped = Signal(self._parameters.lanes)  # lanes of the head already taken
        left = Signal(self._parameters.lanes)

        m.d.comb += [
            write.addr.eq(write_index),
            write.data.eq(self.row.as_value()),
            write.en.eq(self.push),
            head.eq(read.data),
            left.eq(head.changed & ~popped),
            self.spent.eq(self.pop & ((left & (left - 1)) == 0)),
            self.valid.eq(waiting != 0),
            self.group.eq(head.group),
            self.delta.eq(Array(head.deltas[k] for k in range(self._parameters.lanes))[self.lane]),
            read.addr.eq(_next(read_index, depth, self.spent)),
        ]
        for lane in reversed(range(self._parameters.lanes)):
            with m.If(left[lane]):
                m.d.comb += self.lane.eq(lane)
        m.d.sync += [
            arriving.eq(self.push),
            waiting.eq(waiting + arriving - self.spent),
            read_index.eq(read.addr),
            write_index.eq(_next(write_index, depth, self.push)),
        ]
        with m.If(self.spent):
            m.d.sync += popped.eq(0)
        with m.Elif(self.pop):
            m.d.sync += popped.eq(popped | (1 << self.lane))
        return m


def _next(index: Value, depth: int, advance: Value) -> Value:
    """The index after `index` in a ring of `depth`, where `advance` is high."""
    return Mux(advance, Mux(index == depth - 1, 0, index + 1), index)
