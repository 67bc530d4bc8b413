"""On-chip learning in plain Python, to be read beside docs/numerics.md, section 6.

One sample's update and nothing else: the compiled kernel must leave the same latents, weights
and generator, bit for bit. Slow on purpose.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.learning import BIAS_GUARD_BITS, BIAS_LATENT_LIMIT, LATENT_LIMIT
from toreq_hw.network import Coupling, DenseCoupling, Network

States = dict[str, npt.NDArray[np.integer]]


@dataclass
class Latents:
    """All that learning changes: int64 arrays by coupling and by population name.

    A population has as many biases as it stores, (population.biases,). feedback: of couplings whose
    way back learns weights of its own, (n_post, n_pre). dropped: low bits of a
    coupling's latents that are always 0, where there are any.
    """

    weight: dict[str, npt.NDArray[np.int64]]
    bias: dict[str, npt.NDArray[np.int64]]
    random_state: int
    dropped: dict[str, int] = field(default_factory=dict)
    feedback: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)


def next_random_state(state: int) -> int:
    """The next state of xorshift32."""
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    state ^= state << 5 & 0xFFFFFFFF
    return state


def rounding_offset(random_word: int, column: int, shift: int) -> int:
    """The r of one column: the top `shift` bits of the row's 16-bit word plus its step."""
    return (((random_word >> 16) + 0x9E37 * column) % (1 << 16)) >> (16 - shift)


def update(
    network: Network,
    latents: Latents,
    inputs: npt.NDArray[np.integer],
    positive: States,
    negative: States,
    shifts: dict[str, int],
    bias_shifts: dict[str, int],
) -> None:
    """Applies one sample's update to `latents`.

    inputs: (input.size,). positive, negative: s+ and s- per relaxing population. shifts: k by
    coupling; bias_shifts: by population.
    """
    s_positive = {**positive, network.input.name: inputs}
    s_negative = {**negative, network.input.name: inputs}
    for coupling in network.couplings:
        ends = (coupling.pre, coupling.post)
        if any(np.any(s_positive[name] != s_negative[name]) for name in ends):
            update = _update_dense if isinstance(coupling, DenseCoupling) else _update_edges
            update(coupling, latents, s_positive, s_negative, shifts[coupling.name])
    for coupling in network.couplings:
        if coupling.name in latents.feedback:
            shift = shifts[coupling.name]
            _update_feedback(coupling, latents, s_positive, s_negative, shift)
    for population in network.relaxing:
        name = population.name
        moved = s_positive[name].astype(np.int64) - s_negative[name]
        if population.rows is not None or not moved.any():
            continue
        latents.random_state = next_random_state(latents.random_state)
        bias_shift = bias_shifts[name]
        for i in range(population.biases):
            gradient = population.state_max * int(moved[i :: population.biases].sum())
            offset = rounding_offset(latents.random_state, i, bias_shift)
            v = int(latents.bias[name][i]) + ((gradient + offset) >> bias_shift)
            latents.bias[name][i] = min(max(v, -BIAS_LATENT_LIMIT), BIAS_LATENT_LIMIT)


def _update_dense(
    coupling: Coupling, latents: Latents, positive: States, negative: States, shift: int
) -> None:
    weight = latents.weight[coupling.name]
    for row in range(len(weight)):
        p_row, n_row = int(positive[coupling.pre][row]), int(negative[coupling.pre][row])
        if p_row == 0 and n_row == 0:
            continue
        latents.random_state = next_random_state(latents.random_state)
        for column in range(row + 1 if coupling.is_self_coupling else 0, weight.shape[1]):
            p, n = int(positive[coupling.post][column]), int(negative[coupling.post][column])
            gradient = p_row * p - n_row * n
            weight[row, column] = _stepped(
                latents, coupling.name, int(weight[row, column]), gradient, column, shift
            )
            if coupling.is_self_coupling:
                weight[column, row] = weight[row, column]


def _update_feedback(
    coupling: Coupling, latents: Latents, positive: States, negative: States, shift: int
) -> None:
    """Weights of its own on the way back learn as a matrix from post to pre."""
    pre, post, weight = coupling.pre, coupling.post, latents.feedback[coupling.name]
    if all(np.array_equal(positive[name], negative[name]) for name in (pre, post)):
        return
    for row in range(len(weight)):
        p_row, n_row = int(positive[post][row]), int(negative[post][row])
        if p_row == 0 and n_row == 0:
            continue
        latents.random_state = next_random_state(latents.random_state)
        for column in range(weight.shape[1]):
            p, n = int(positive[pre][column]), int(negative[pre][column])
            gradient, v = p_row * p - n_row * n, int(weight[row, column])
            weight[row, column] = _stepped(latents, coupling.name, v, gradient, column, shift)


def _update_edges(
    coupling: Coupling, latents: Latents, positive: States, negative: States, shift: int
) -> None:
    """A parameter's gradient is the sum over its edges; a row moves with its pre neurons."""
    weight = latents.weight[coupling.name]
    starts, columns = coupling.row_starts().tolist(), coupling.columns_of_parameters().tolist()
    gradients = [0] * len(columns)
    moving = [False] * len(columns)
    for pre, post, parameter in zip(*(part.tolist() for part in coupling.edges()), strict=True):
        p_pre, n_pre = int(positive[coupling.pre][pre]), int(negative[coupling.pre][pre])
        p, n = int(positive[coupling.post][post]), int(negative[coupling.post][post])
        gradients[parameter] += p_pre * p - n_pre * n
        moving[parameter] |= p_pre != 0 or n_pre != 0
    for start, stop in pairwise(starts):
        if not any(moving[start:stop]):
            continue
        latents.random_state = next_random_state(latents.random_state)
        for parameter in range(start, stop):
            v, gradient = int(weight.flat[parameter]), gradients[parameter]
            weight.flat[parameter] = _stepped(
                latents, coupling.name, v, gradient, columns[parameter], shift
            )


def _stepped(
    latents: Latents, coupling: str, latent: int, gradient: int, column: int, shift: int
) -> int:
    """One latent weight after its step, with the random word at hand."""
    dropped = latents.dropped.get(coupling, 0)
    offset = rounding_offset(latents.random_state, column, shift + dropped)
    v = latent + ((gradient + offset) >> (shift + dropped) << dropped)
    limit = LATENT_LIMIT >> dropped << dropped
    return min(max(v, -limit), limit)


def biases_of(latents: Latents) -> dict[str, npt.NDArray[np.int32]]:
    """The biases that bias latents stand for, int32 (biases,) by population."""
    return {n: (v >> BIAS_GUARD_BITS).astype(np.int32) for n, v in latents.bias.items()}
