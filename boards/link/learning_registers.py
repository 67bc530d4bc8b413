"""What the requests of a board that learns share: registers beside those of `CommandRegisters`."""

from amaranth import Module, Signal, Value

from toreq_hw.boards.link.protocol import COUNT_BYTES
from toreq_hw.rtl.interfaces import Fault, label_shape
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command


class LearningRegisters:
    """Registers of TRAIN, READ and packed images.

    samples: learned since the load, modulo 65,536. step: the command of a sample that runs; label:
    of that sample. updates: LEARN may have begun and has not ended, so that a reset now would leave
    half a sample. index: of the next value of a packed image; at its highest bit it stands still,
    beyond every input. run: values to come of the run at hand. left: bytes of rows to come in the
    answer to READ; last_left: a cycle ago there was one.
    wrong_label, wrong_place, wrong_moment: since the core's reset, what the link refused itself.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self.samples = Signal(8 * COUNT_BYTES)
        self.step = Signal(Command)
        self.label = Signal(label_shape(parameters))
        self.updates = Signal()
        self.index = Signal(max(parameters.input_index_bits, 8) + 1)
        self.run = Signal(8)
        self.left = Signal(16)
        self.last_left = Signal()
        self.wrong_label = Signal()
        self.wrong_place = Signal()
        self.wrong_moment = Signal()

    def connect(self, m: Module, reset: Value) -> None:
        """What follows at all times. reset: of the core."""
        m.d.sync += self.last_left.eq(self.left == 1)
        with m.If(reset):
            m.d.sync += [
                self.wrong_label.eq(0),
                self.wrong_place.eq(0),
                self.wrong_moment.eq(0),
            ]

    @property
    def faults(self) -> Value:
        """Bits of `Fault`, of what the link refused itself."""
        return (
            (self.wrong_label << Fault.LABEL)
            | (self.wrong_place << Fault.LOAD_ADDRESS)
            | (self.wrong_moment << Fault.COMMAND)
        )

    def pass_by(self, m: Module, count: Value) -> None:
        """The next value of a packed image is `count` further on."""
        with m.If(~self.index[-1]):
            m.d.sync += self.index.eq(self.index + count)
