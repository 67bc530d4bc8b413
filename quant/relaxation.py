"""The phases of equilibrium propagation: compiled on a CPU, by torch operations elsewhere.

Both ways compute the same states. On a CPU each sample is relaxed by itself and leaves when it
has settled; torch operations sweep a batch until its slowest sample has. Convolutions between
populations that relax, and clamped readouts, are torch operations on any device.
"""

from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from toreq_hw.quant import relaxation_batch, relaxation_kernel
from toreq_hw.quant.equilibrium import Drive, Layers, Phases, Tensors
from toreq_hw.quant.forms import Link, MatrixLink, matrices

Floats = npt.NDArray[np.floating]


def free_phase(layers: Layers, between: list[Link], clamped: Drive) -> tuple[Tensors, int]:
    """Equilibrium from zero states, (batch, size) per updating population, and the sweeps of
    the slowest sample.

    between: real weights between relaxing populations.
    """
    compiled = _compiled(layers, between, clamped)
    if compiled is None:
        return relaxation_batch.free_phase(layers, between, clamped)
    net = _kernel_net(layers, compiled, clamped.first.dtype)
    states = clamped.first.new_empty((len(clamped.first), int(net.starts[-1])))
    sweeps = relaxation_kernel.free_phases(
        net, clamped.first.numpy(), _constant(clamped), states.numpy()
    )
    return _parts(layers, states), sweeps


def all_phases(
    layers: Layers, between: list[Link], clamped: Drive, labels: torch.Tensor, beta_shift: int
) -> Phases:
    """Free phase and both nudged phases. labels: int64 (batch,); beta = 2^-beta_shift."""
    compiled = _compiled(layers, between, clamped)
    if compiled is None:
        return relaxation_batch.all_phases(layers, between, clamped, labels, beta_shift)
    net = _kernel_net(layers, compiled, clamped.first.dtype)
    batch, neurons = len(clamped.first), int(net.starts[-1])
    outputs = clamped.first.new_empty((batch, layers.relaxing[-1].size))
    plus, minus = clamped.first.new_empty((2, batch, neurons))
    rows = labels.new_empty(batch)
    reached, sweeps = relaxation_kernel.all_phases(
        net=net,
        first=clamped.first.numpy(),
        constant=_constant(clamped),
        labels=labels.numpy(),
        nudge=layers.nudge_scale(beta_shift),
        outputs=outputs.numpy(),
        plus=plus.numpy(),
        minus=minus.numpy(),
        rows=rows.numpy(),
    )
    ends = (_parts(layers, part[:reached]) for part in (plus, minus))
    return Phases(outputs, sweeps, rows[:reached], *ends)


class KernelNet(NamedTuple):
    """A network as the compiled loops want it; relaxing populations only.

    order: int64 (populations,), in which a sweep updates them. starts: int64 (populations + 1,),
    where each begins among a sample's neurons. low, high:
    (populations,), state ranges. link_starts: int64, where each coupling begins among `links`,
    their real weights, flat, with a row per neuron of a coupling's narrower end; row_end:
    int64, the population which that end is. back: how much stronger each is on its way back.
    """

    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    low: Floats
    high: Floats
    link_starts: npt.NDArray[np.int64]
    row_end: npt.NDArray[np.int64]
    links: Floats
    back: Floats


def _compiled(layers: Layers, between: list[Link], clamped: Drive) -> list[MatrixLink] | None:
    """The matrices that compiled loops take; None where torch operations relax."""
    if clamped.first.device.type != "cpu" or layers.readout is not None:
        return None
    return matrices(between)


def _kernel_net(layers: Layers, between: list[MatrixLink], dtype: torch.dtype) -> KernelNet:
    geometry = _geometry(layers, dtype)
    rows = [
        (link.real.numpy() if index == end else link.real.numpy().T).ravel()
        for index, (link, end) in enumerate(zip(between, geometry.row_end, strict=True))
    ]
    links = np.concatenate(rows) if rows else np.zeros_like(geometry.low)
    return geometry._replace(links=links)


@cache
def _geometry(layers: Layers, dtype: torch.dtype) -> KernelNet:
    """All that training does not move; no links yet."""
    relaxing = layers.relaxing
    ends = [torch.tensor([p.state_min, p.state_max], dtype=dtype) for p in relaxing]
    low, high = torch.stack(ends, dim=1).numpy()
    sizes = [p.size for p in relaxing]
    narrower = [k if pre < post else k + 1 for k, (pre, post) in enumerate(pairwise(sizes))]
    return KernelNet(
        order=np.array(layers.order, np.int64),
        starts=np.array([0, *accumulate(sizes)]),
        low=low,
        high=high,
        link_starts=np.array([0, *accumulate(pre * post for pre, post in pairwise(sizes))]),
        row_end=np.array(narrower, np.int64),
        links=np.zeros_like(low),
        back=_ways_back(layers).astype(low.dtype),
    )


def _ways_back(layers: Layers) -> Floats:
    """How much stronger each coupling between relaxing populations is on its way back."""
    bits = zip(layers.fraction_bits[1:], layers.back_fraction_bits[1:], strict=True)
    return np.array([2.0 ** (own - back) for own, back in bits])


def _constant(clamped: Drive) -> Floats:
    """Per neuron, (neurons,); nothing for the first population, whose drive is the sample's."""
    nothing = clamped.first.new_zeros(clamped.first.shape[1])
    found: Floats = torch.cat([nothing, *clamped.rest]).numpy()
    return found


def _parts(layers: Layers, states: torch.Tensor) -> Tensors:
    """Columns (batch, neurons) by population, as views."""
    return list(states.split([p.size for p in layers.relaxing], dim=1))
