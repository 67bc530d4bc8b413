"""What a clamped readout computes from a free equilibrium: accumulators, class, and error.

docs/numerics.md, section 5. `sim/learning/sample_kernel.py` computes the same, sample by sample.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.budget import budget_rows
from toreq_hw.network import Network, check_classes

States = Mapping[str, npt.NDArray[np.int16]]


@named_type_errors
def output_accumulators(
    network: Network, inputs: npt.NDArray[np.int16], states: States
) -> npt.NDArray[np.int32]:
    """z: the accumulators of the output under given states, int32 (batch, output.size).

    inputs: int16 (batch, input.size). states: int16 (batch, size) of every relaxing population.
    Float64 holds every partial sum exactly: it is below 2^53.
    """
    sources = {**states, network.input.name: inputs}
    bias = network.biases[network.output.name].astype(np.int64)
    total = np.repeat(bias[None], len(inputs), axis=0)
    for projection in network.into(network.output.name):
        sent = sources[projection.source.name].astype(np.float64)
        added = (sent @ projection.matrix.astype(np.float64)).astype(np.int64)
        total += added << projection.shift
    return total.astype(np.int32)


@named_type_errors
def output_errors(
    network: Network, sums: npt.NDArray[np.int32], labels: npt.ArrayLike
) -> npt.NDArray[np.int16]:
    """E >> beta_shift, what the output sends in the positive phase, int16 (batch, output.size).

    sums: z at the free equilibrium. e_j = A [j = class] - a_j, a the budget row of z, A the
    output's s_max; of several rows each. All of a row is 0 where all of e is: sum e = 0, and a
    negative e stays negative. labels: as in `check_classes`. Raises InputError.
    """
    classes = check_classes(network, labels, len(sums)).reshape(-1)
    budget = network.output.state_max
    rows = 1 if network.readout is None else network.readout.rows
    errors = -budget_rows(sums.reshape(len(sums) * rows, -1), network.budget_table, budget)
    errors[np.arange(len(classes)), classes] += np.int16(budget)
    shifted: npt.NDArray[np.int16] = errors >> np.int16(network.beta_shift)
    return shifted.reshape(sums.shape)
