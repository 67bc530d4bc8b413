"""What a connection for many samples at once is: Lava's `Dense` with wider ports."""

import numpy as np
import numpy.typing as npt
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var


class BatchedDense(AbstractProcess):
    """weights: int (n_out, n_in); every column of the ports is a sample of its own.

    A simulation device: a chip holds one sample at a time, and `Dense` is what it has.
    """

    def __init__(
        self,
        *,
        weights: npt.NDArray[np.int32],
        batch: int,
        weight_exp: int,
        num_message_bits: int,
        sign_mode: object,
    ) -> None:
        super().__init__(weight_exp=weight_exp, sign_mode=sign_mode)
        rows, columns = weights.shape
        self.s_in = InPort(shape=(columns, batch))
        self.a_out = OutPort(shape=(rows, batch))
        self.weights = Var(shape=weights.shape, init=weights)
        self.a_buff = Var(shape=(rows, batch), init=0)
        self.num_message_bits = Var(shape=(1,), init=num_message_bits)
