"""The same network with fewer hidden neurons, to find out how many would fit."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from toreq_hw.network import DenseCoupling, Network, Role


def largest_hidden(network: Network, fits: Callable[[Network], bool]) -> tuple[int, ...] | None:
    """Sizes of all populations where every hidden one is cut by the same factor until it fits.

    None where not even one neuron a hidden population does. `fits` must hold below its limit.
    """
    most = max((p.size for p in network.populations if p.role is Role.HIDDEN), default=0)
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(shrunk(network, Fraction(middle, most))):
            low = middle
        else:
            high = middle - 1
    if low == 0:
        return None
    return tuple(p.size for p in shrunk(network, Fraction(low, most)).populations)


def shrunk(network: Network, factor: Fraction) -> Network:
    """Keeps the first neurons of each hidden population, `factor` of them, at least one."""
    sizes = {
        p.name: max(1, int(p.size * factor)) if p.role is Role.HIDDEN else p.size
        for p in network.populations
    }
    return Network(
        tuple(replace(p.plain, size=sizes[p.name]) for p in network.populations),
        tuple(_cut(c, sizes[c.pre], sizes[c.post]) for c in network.dense_couplings),
        {name: bias[: sizes[name]] for name, bias in network.biases.items()},
        network.schedule,
        network.beta_shift,
    )


def _cut(coupling: DenseCoupling, rows: int, columns: int) -> DenseCoupling:
    return replace(coupling, weight=coupling.weight[:rows, :columns])
