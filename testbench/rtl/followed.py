"""One neuron of a whole small core: its states in memory, and its ledger, driven by the core."""

from amaranth import Array, Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib.memory import Memory

from testbench.rtl.ledger import Ledger, Rule
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.operations import Op, Page


class Followed:
    """address: the neuron's. brings: a WALK beat brings an event of it, to any group.

    The core and its datapath are made already; states: the memory of the latter. As many lanes
    update as walk, and there are two groups.
    """

    def __init__(
        self, m: Module, core: Core, states: Memory, address: Value, brings: Value
    ) -> None:
        self._m, self._core, self._states = m, core, states
        self._parameters = core.parameters
        self._address, self._brings = address, brings
        self._lane = address[: core.parameters.lane_bits]
        self._home = address >> core.parameters.lane_bits
        self._drive()

    def held(self, page: Page) -> Value:
        """The state of the neuron as it lies in memory."""
        return self._field(page, self._lane)

    def sent(self, page: Page) -> Value:
        """What it sent last, as it lies in memory; without a threshold that is its state."""
        if not self._parameters.lossy:
            return self.held(page)
        return self._field(page, self._lane + self._parameters.update_lanes)

    def _field(self, page: Page, field: Value) -> Value:
        parameters = self._parameters
        port = self._states.read_port(domain="comb")
        self._m.d.comb += port.addr.eq(page.value * parameters.slices + self._home)
        return port.data.word_select(field, parameters.state_bits)

    def _drive(self) -> None:
        """The ledger hears what the sequencer, the walker and the updater say of the neuron."""
        m, core, parameters = self._m, self._core, self._parameters
        sequencer, updater, datapath = core._sequencer, core._datapath._updater, core._datapath
        self.ledger = ledger = Ledger(m, unsigned(parameters.state_bits), parameters.delta_bits)
        self._writing = Signal(Op, name="writing")  # the beat whose slice is being written
        self._here = Signal()
        row = updater.row
        m.d.sync += self._writing.eq(datapath._beat[5].op)
        written = self._mine(updater.written)
        command = core.commands.payload.command
        m.d.comb += [
            *(ledger.starts[c].eq(sequencer.starts & (command == c)) for c in ledger.starts),
            ledger.saves.eq(datapath.issue & (datapath.beat.op == Op.SAVE)),
            ledger.sweep_ends.eq(sequencer.next_sweep | sequencer.ends),
            ledger.brings.eq(self._brings),
            ledger.brought.eq(core._walker.beat.delta),
            self._here.eq(updater.write & (row.slice == self._home)),
            ledger.pushes.eq(
                updater.push & (row.slice == self._home) & row.changed.bit_select(self._lane, 1)
            ),
            ledger.pushed.eq(self._mine(row.deltas)),
            ledger.work.eq(self.sent(Page.LIVE)),
            ledger.kept.eq(self.sent(Page.FREE_EQUILIBRIUM)),
            ledger.written_state.eq(written),
            ledger.written.eq(self._mine(updater.sends) if parameters.lossy else written),
        ]
        for beat, writes in ledger.writes.items():
            page = Page.FREE_EQUILIBRIUM if beat == Op.SAVE else Page.LIVE
            fits = (updater.write_page == page) & (self._writing == beat)
            m.d.comb += writes.eq(self._here & fits)

    def _mine(self, lanes: Value) -> Value:
        """What the neuron's lane carries."""
        return Array(lanes[k] for k in range(self._parameters.update_lanes))[self._lane]

    def rules(self) -> dict[str, list[Rule]]:
        """The ledger's, and what it takes for granted: no other beat writes pages LIVE and
        FREE_EQUILIBRIUM, and events reach the group that the neuron is not in.
        """
        rules = self.ledger.rules()
        others = self._here & ~Cat(*self.ledger.writes.values()).any()
        to_rest = self._core._datapath._updater.write_page == Page.BIAS_AND_POSITIVE
        rules["writes_are_steps"].append((Const(0), others & ~to_rest))
        rules["events_arrive"].append((self._core._walker.group == 1 - self._home, self._brings))
        return rules

    def ruled(self) -> Signal:
        """High while every rule has held, in this cycle and all before it."""
        m, held, broken, holds = self._m, Signal(init=1, reset_less=True), Signal(), Signal()
        for rules in self.rules().values():
            for condition, when in rules:
                with m.If(when & ~condition):
                    m.d.comb += broken.eq(1)
        m.d.comb += holds.eq(held & ~broken)
        m.d.sync += held.eq(holds)
        return holds
