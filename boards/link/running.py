"""Runs phases: an image with its limit on sweeps, or a nudge."""

from amaranth import Module, Mux

from toreq_hw.boards.link.protocol import SPARSE_BYTES, Code, Request
from toreq_hw.boards.link.steps import Steps
from toreq_hw.rtl.load_spaces import Space


def run_header(m: Module, steps: Steps) -> None:
    """A nudge is all header; the limit is set where an image begins."""
    with m.If(steps.row[20:24].any()):  # flags that mean nothing
        steps.reply(m, Code.REFUSED)
    with m.Elif(steps.asks[Request.NUDGE]):
        m.next = "COMMAND"
        with m.If(~steps.at_end):
            steps.reply(m, Code.LENGTH)
    with m.Else():
        m.d.sync += [steps.address.eq(0), steps.space.eq(Space.MAX_SWEEPS)]
        _expect_value(m, steps)
        with m.If(steps.first):
            m.next = "LIMIT"


def image_item(m: Module, steps: Steps) -> None:
    """Hands a value on; the core cannot see where it is too wide."""
    placement = steps.parameters.input
    above = steps.row[placement.state_bits - placement.signed : 8]
    fits = (above == 0) | (above.all() if placement.signed else 0)
    with m.If(~fits):
        m.d.sync += steps.wide_value.eq(1)
    m.d.comb += steps.core.inputs.valid.eq(1)
    _expect_value(m, steps)
    with m.If(steps.core.inputs.ready):
        m.next = "FETCH"


def _expect_value(m: Module, steps: Steps) -> None:
    m.d.sync += steps.left.eq(Mux(steps.sparse, SPARSE_BYTES - 1, 0))


def add_commands(m: Module, steps: Steps) -> None:
    """The LIMIT, then the COMMAND; a core that is not STARTED by it has refused it.

    A core that is in the middle of a refused image takes no command, and a limit that it refuses is
    a fault; both are refused here.
    """
    core = steps.core
    with m.State("LIMIT"):
        m.d.comb += core.loads.valid.eq(1)
        with m.If(core.loads.ready):
            m.next = "COMMAND"
    with m.State("COMMAND"):
        m.d.comb += core.commands.valid.eq(1)
        with m.If(core.commands.ready):
            m.next = "STARTED"
        with m.Elif(~core.idle):
            steps.reply(m, Code.REFUSED)
    with m.State("STARTED"):
        m.d.sync += steps.reports.eq(steps.report)
        with m.If(core.idle | (steps.asks[Request.IMAGE] & steps.faults.any())):
            steps.reply(m, Code.REFUSED)
        with m.Elif(steps.asks[Request.NUDGE]):
            steps.reply(m, Code.OK)
        with m.Else():
            m.d.sync += steps.open.eq(1)
            m.next = "FETCH"
