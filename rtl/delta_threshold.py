"""The lossy mode: which changes of states become events (docs/numerics.md, section 3)."""

from amaranth import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.parameters import CoreParameters


class DeltaThreshold(wiring.Component):
    """Takes a slice of states in one cycle; in the next says how far each is from what was sent.

    states: as they become; sent: what each neuron sent last; kept: the same, a cycle later.
    deltas: from `sent` to `states`. far: lanes whose delta is larger than `threshold` in
    magnitude; while `flushes`, all whose delta is not zero.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        lanes = parameters.update_lanes
        states = data.ArrayLayout(state_shape(parameters), lanes)
        super().__init__(
            {
                "threshold": In(parameters.threshold_bits),
                "flushes": In(1),
                "states": In(states),
                "sent": In(states),
                "kept": Out(states),
                "deltas": Out(data.ArrayLayout(signed(parameters.delta_bits), lanes)),
                "far": Out(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds a difference in the first cycle and two comparisons in the second."""
        m = Module()
        most = Signal(unsigned(self._parameters.threshold_bits))
        least = Signal(signed(self._parameters.threshold_bits + 1))
        limit = Mux(self.flushes, 0, self.threshold)
        m.d.sync += [most.eq(limit), least.eq(-limit), self.kept.eq(self.sent)]
        for lane in range(self._parameters.update_lanes):
            delta = self.deltas[lane]
            m.d.sync += delta.eq(self.states[lane] - self.sent[lane])
            m.d.comb += self.far[lane].eq((delta > most) | (delta < least))
        return m
