"""What the requests of a board that learns share: registers beside those of `CommandRegisters`."""

from amaranth import Module, Signal, Value

from toreq_hw.boards.link.protocol import COUNT_BYTES, LENGTH_BITS
from toreq_hw.rtl.interfaces import Fault, label_shape
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command


class LearningRegisters:
    """Registers of TRAIN, READ and packed images.

    samples: learned since the load, modulo 256. step: the command of a sample that runs; label:
    of that sample. updates: LEARN may have begun and has not ended, so that a reset now would leave
    half a sample. counts: the last byte of a packed image was 0, the next one counts such zeros.
    left: bytes of the answer to READ, the one at hand and those to come, and one; last_left: a
    cycle ago the one at hand was the last.
    wrong_label, wrong_moment: since the core's reset, what the link refused itself.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self.samples = Signal(8 * COUNT_BYTES)
        self.step = Signal(Command)
        self.label = Signal(label_shape(parameters))
        self.updates = Signal()
        self.counts = Signal()
        self.left = Signal(LENGTH_BITS)
        self.last_left = Signal()
        self.wrong_label = Signal()
        self.wrong_moment = Signal()

    def connect(self, m: Module, reset: Value) -> None:
        """What follows at all times. reset: of the core."""
        m.d.sync += self.last_left.eq(self.left == 2)
        with m.If(reset):
            m.d.sync += [self.wrong_label.eq(0), self.wrong_moment.eq(0)]

    @property
    def faults(self) -> Value:
        """Bits of `Fault`, of what the link refused itself."""
        return (self.wrong_label << Fault.LABEL) | (self.wrong_moment << Fault.COMMAND)
