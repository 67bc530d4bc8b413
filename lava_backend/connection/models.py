"""How a batched connection runs: Lava's own bit-accurate model of `Dense`, unchanged."""

from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.dense.models import AbstractPyDenseModelBitAcc

from toreq_hw.lava_backend.connection.process import BatchedDense


@implements(proc=BatchedDense, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class BatchedDenseModel(AbstractPyDenseModelBitAcc):
    """A matrix product in place of a matrix-vector product; the rest is inherited."""
