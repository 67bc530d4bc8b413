"""What digital faults may be: one set of ranges for fault maps, layers and `Disturbance`s."""

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.faults import FIRST_TICK, FREE, LAST_TICK, NEVER, Fault, fault_bits
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat, require_plain
from toreq_hw.reading import shown
from toreq_hw.sim.perturbation.disturbance import Disturbance

Wide = npt.NDArray[np.int64]


def check_disturbance(network: Network, given: Disturbance) -> None:
    """Raises InputError where the digital part of `given` does not fit `network`.

    Every engine calls this first, so that none of them meets what another one reads differently.
    The same for a clamped readout, of whose accumulators no engine knows what damage does to them.
    """
    require_plain(network, "where phases are damaged", InputError)
    owners = [p for p in network.relaxing for _ in range(p.size)]
    low = np.array([p.state_min for p in owners], np.int64)
    high = np.array([p.state_max for p in owners], np.int64)
    bits = np.array([p.state_bits for p in owners], np.int64)
    stuck = given.stuck.astype(np.int64)
    _each("stuck", np.where(stuck == FREE, low, stuck), low, high)
    _each("state_xor_mask", given.state_xor_mask.astype(np.int64), 0 * bits, (1 << bits) - 1)
    _each("message_xor_mask", given.message_xor_mask.astype(np.int64), 0 * bits, (2 << bits) - 1)
    colours = np.ones(len(network.colours), np.int64)
    _each("frozen_from", given.frozen_from, colours * FIRST_TICK, colours * NEVER)
    both = (given.stuck_bits[:, 0] & given.stuck_bits[:, 1]).astype(np.int64)
    _each("stuck_bits of both kinds", both, 0 * bits, 0 * bits)
    _check_faults(network, given.faults)
    _check_weight_flips(network, given.weight_flips)


def check_samples(given: Disturbance, samples: int) -> None:
    """Raises InputError where faults are listed for more than `samples` inputs."""
    for name, rows in (("faults", given.faults), ("weight_flips", given.weight_flips)):
        if len(rows) and rows[:, 0].max() >= samples:
            raise InputError(
                f"{name} must be of samples 0..{samples - 1}, found {rows[:, 0].max()}"
            )


def _check_faults(network: Network, rows: Wide) -> None:
    neurons = Layout(network).neurons
    _check_order("faults", rows)
    _column("faults", rows, "neuron", 2, 0, neurons - 1)
    _column("faults", rows, "kind", 3, 0, len(Fault) - 1)
    bits = np.array([[fault_bits(f, p) for f in Fault] for p in network.relaxing])
    owner = np.repeat(np.arange(len(network.relaxing)), [p.size for p in network.relaxing])
    _column("faults", rows, "bit", 4, 0, bits[owner[rows[:, 2]], rows[:, 3]] - 1)


def _check_weight_flips(network: Network, rows: Wide) -> None:
    _check_order("weight_flips", rows)
    _column("weight_flips", rows, "coupling", 2, 0, len(network.couplings) - 1)
    cells = np.array([c.parameters.size for c in network.couplings], np.int64)
    bits = np.array(
        [2 if c.weight_format is WeightFormat.TERNARY else 8 for c in network.couplings]
    )
    _column("weight_flips", rows, "cell", 3, 0, cells[rows[:, 2]] - 1)
    _column("weight_flips", rows, "bit", 4, 0, bits[rows[:, 2]] - 1)


def _check_order(name: str, rows: Wide) -> None:
    """Rows of samples and ticks, in their order: engines walk them once."""
    if rows.ndim != 2 or rows.shape[1] != 5 or rows.dtype != np.int64:
        raise InputError(f"{name} must be int64 of shape (n, 5), not {rows.dtype} {rows.shape}")
    _column(name, rows, "sample", 0, 0, np.iinfo(np.int32).max)
    _column(name, rows, "tick", 1, FIRST_TICK, LAST_TICK)
    key = rows[:, 0] << 32 | rows[:, 1]
    if (np.diff(key) < 0).any():
        raise InputError(f"{name} must be ordered by sample and tick, as with_{name} does")


def _column(
    name: str, rows: Wide, column: str, index: int, low: int, high: "int | npt.NDArray[np.int64]"
) -> None:
    values = rows[:, index]
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        most = np.broadcast_to(high, values.shape)[wrong[0]]
        raise InputError(
            f"{name}[{wrong[0]}]: {column} must be in {low}..{most}, not {values[wrong[0]]}"
        )


def _each(name: str, values: Wide, low: Wide, high: Wide) -> None:
    if values.shape != low.shape:
        raise InputError(f"{name} must have shape {low.shape}, not {shown(values.shape)}")
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        k = wrong[0]
        raise InputError(f"{name}[{k}] must be in {low[k]}..{high[k]}, not {values[k]}")
