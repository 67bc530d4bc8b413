"""The clamped readout on tensors: sums of the output, and the errors that it sends.

`toreq_hw.contract.readout` computes the same on arrays.
"""

import torch

from toreq_hw.quant.equilibrium import Drive, Layers, Tensors
from toreq_hw.quant.forms import Link


def output_sums(between: list[Link], clamped: Drive, states: Tensors) -> torch.Tensor:
    """Accumulators of a clamped output, counted in states, (batch, n_output).

    states: of all other relaxing populations, (batch, size) each.
    """
    return clamped.rest[-1] + between[-1].forward(states[-1])


def integer_sums(layers: Layers, sums: torch.Tensor) -> torch.Tensor:
    """The same in LSBs 2^-F, int64 (batch, n_output): docs/numerics.md calls them z."""
    scale = 2.0 ** layers.accumulator_fraction_bits(len(layers.relaxing))
    return (sums.double() * scale).to(torch.int64)


def output_errors(
    layers: Layers, sums: torch.Tensor, labels: torch.Tensor, beta_shift: int
) -> torch.Tensor:
    """What the output sends in the positive phase, whole numbers of the dtype of `sums`.

    sums: as `output_sums` gives them. labels: int64 (batch,).
    """
    budget = layers.relaxing[-1].state_max
    table = torch.tensor(layers.table, dtype=torch.int64, device=sums.device)
    errors = -budget_rows(integer_sums(layers, sums), table, budget)
    errors[torch.arange(len(labels), device=sums.device), labels] += budget
    return (errors >> beta_shift).to(sums.dtype)


def budget_rows(sums: torch.Tensor, table: torch.Tensor, budget: int) -> torch.Tensor:
    """Units of each cell, int64 (rows, cells): `toreq_hw.contract.budget.budget_rows`.

    sums: int64 (rows, cells). table: int64 (thresholds,), strictly rising. budget: at most as many
    as there are thresholds.
    """
    if not len(sums) or budget == sums.shape[1] * len(table):
        return torch.full_like(sums, len(table))
    low, high = sums.amin(dim=1) - table[-1], sums.amax(dim=1) - table[0] + 1
    while bool((high - low > 1).any()):
        middle = (low + high) >> 1
        fits = _units(sums, table, middle).sum(dim=1) <= budget
        high, low = torch.where(fits, middle, high), torch.where(fits, low, middle)
    row = _units(sums, table, high)
    steps = _units(sums, table, high - 1) > row
    left = budget - row.sum(dim=1)
    return row + (steps & (steps.cumsum(dim=1) <= left[:, None]))


def _units(sums: torch.Tensor, table: torch.Tensor, tau: torch.Tensor) -> torch.Tensor:
    """T(c - tau) of every cell, (rows, cells). tau: int64 (rows,)."""
    return torch.searchsorted(table, (sums - tau[:, None]).contiguous(), right=True)
