"""What a load sets of learning: rates, the generator's state, the ternary threshold."""

from amaranth import Array, Module, Mux, Signal, Value

from toreq_hw.contract.learning import DEFAULT_THETA
from toreq_hw.rtl.learning.generator import next_state
from toreq_hw.rtl.learning.sizes import THETA_BITS
from toreq_hw.rtl.learning.tables import HIGHEST_RATE
from toreq_hw.rtl.parameters import CoreParameters

LOW_SHIFTS = 7
"""Most that a row's operand is shifted by; a column's is shifted by as much or not at all."""


class LearningRegisters:
    """The registers, and the random word at hand.

    rates: k + d of each coupling, then of each population's biases. theta: of ternary weights.
    Reset leaves these and the generator, as it leaves weights.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        assert parameters.learning is not None, "only a core that learns has these registers"
        count = parameters.learning.rates
        self.rates = Array(
            Signal(5, name=f"rate{k}", init=HIGHEST_RATE, reset_less=True) for k in range(count)
        )
        self.generator = Signal(32, init=1, reset_less=True)
        self.theta = Signal(THETA_BITS, init=DEFAULT_THETA, reset_less=True)
        self.row_shift = Signal(range(LOW_SHIFTS + 1))
        self.shifts_columns = Signal()

    def choose_rate(self, m: Module, number: Value) -> None:
        """From the next cycle on, operands are shifted by the rate of this number."""
        amount = Signal(range(HIGHEST_RATE - 1))
        m.d.comb += amount.eq(HIGHEST_RATE - self.rates[number])
        high = Signal()
        m.d.comb += high.eq(amount > LOW_SHIFTS)
        m.d.sync += [
            self.shifts_columns.eq(high),
            self.row_shift.eq(Mux(high, amount - LOW_SHIFTS, amount)),
        ]

    def advance(self, m: Module) -> None:
        """The next random word, from the next cycle on."""
        m.d.sync += self.generator.eq(next_state(self.generator))

    @property
    def word(self) -> Value:
        """The 16 bits of the random word that rounding takes."""
        return self.generator[16:]
