"""The event queue: a row for each slice that changed, taken out one neuron at a time.

An update pushes at most one row per slice of one population, and only into an empty queue,
so it can never be full; the formal proof is that it neither drops nor repeats an event.
"""

from amaranth import Array, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.memory import check_width, make_memory
from toreq_hw.rtl.parameters import CoreParameters


def row_layout(parameters: CoreParameters) -> data.StructLayout:
    """One slice's changes: which lanes changed, and by how much each."""
    return data.StructLayout(
        {
            "slice": unsigned(parameters.slice_bits),
            "changed": unsigned(parameters.update_lanes),
            "deltas": data.ArrayLayout(signed(parameters.delta_bits), parameters.update_lanes),
        }
    )


class EventQueue(wiring.Component):
    """Rows in, events out, lowest slice and lane first.

    A row pushed in cycle t is at the output in cycle t + 3; from then on one event can be
    popped in every cycle, whatever rows they are in. `valid` and the event stand until `pop`;
    `spent`: it was its row's last.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "push": In(1),
                "row": In(row_layout(parameters)),
                "valid": Out(1),
                "slice": Out(parameters.slice_bits),
                "lane": Out(parameters.update_lane_bits),
                "delta": Out(signed(parameters.delta_bits)),
                "pop": In(1),
                "spent": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds a ring of rows, the next row at its output, and registers for the head."""
        m = Module()
        layout = row_layout(self._parameters)
        depth, lanes = self._parameters.queue_depth, self._parameters.update_lanes
        spec = self._parameters.memory("event queue")
        check_width(spec, layout)
        m.submodules.rows = rows = make_memory(spec)
        write = rows.write_port()
        read = rows.read_port()
        head, following = Signal(layout, reset_less=True), Signal(layout)
        write_index = Signal(range(depth))
        read_index = Signal(range(depth))
        waiting = Signal(range(depth + 1))  # rows behind the head, written a cycle ago or more
        arriving = Signal()
        advance = Signal()
        rest = Signal(lanes)

        m.d.comb += [
            write.addr.eq(write_index),
            write.data.eq(self.row.as_value()),
            write.en.eq(self.push),
            following.eq(read.data),
            rest.eq(head.changed & (head.changed - 1)),  # without the lowest one
            self.spent.eq(self.pop & (rest == 0)),
            advance.eq((waiting != 0) & (~self.valid | self.spent)),
            self.slice.eq(head.slice),
            self.delta.eq(Array(head.deltas[k] for k in range(lanes))[self.lane]),
            read.addr.eq(_next(read_index, depth, advance)),
        ]
        for lane in reversed(range(lanes)):
            with m.If(head.changed[lane]):
                m.d.comb += self.lane.eq(lane)
        m.d.sync += [
            arriving.eq(self.push),
            waiting.eq(waiting + arriving - advance),
            read_index.eq(read.addr),
            write_index.eq(_next(write_index, depth, self.push)),
        ]
        with m.If(advance):
            m.d.sync += [head.eq(following), self.valid.eq(1)]
        with m.Elif(self.pop):
            m.d.sync += [head.changed.eq(rest), self.valid.eq(~self.spent)]
        return m


def _next(index: Value, depth: int, advance: Value) -> Value:
    """The index after `index` in a ring of `depth`, where `advance` is high."""
    return Mux(advance, Mux(index == depth - 1, 0, index + 1), index)
