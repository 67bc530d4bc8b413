"""NIR nodes of projections: `Linear`, or `Conv1d` and `Conv2d` in a network with convolutions.

NIR has no opposite of `Flatten`, and checks types when a file is read. So where there is a
convolution, every population has a shape, channels first: (channels, y, x), or (size, 1, 1) of one
without positions. A matrix between two of them is a convolution whose kernel is as large as all
positions. Readers of NIR take kernels and positions for square; where they are not, and where
convolutions along one and along two axes meet, all is `Linear`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.network import ConvolutionCoupling, Network, Population, Projection

Ints = npt.NDArray[np.int8]
Node = tuple[str, Any]


@dataclass(frozen=True)
class Shapes:
    """NIR's shape of each population, and over how many axes convolutions run; 0 where none do."""

    axes: int
    by_name: Mapping[str, tuple[int, ...]]

    def order(self, population: Population) -> npt.NDArray[np.intp]:
        """Our number of each neuron in NIR's order, intp (size,)."""
        channels, *places = self.by_name[population.name]
        numbers = np.arange(population.size).reshape(*places, channels)
        return np.moveaxis(numbers, -1, 0).ravel()

    def has_places(self, population: Population) -> bool:
        """Whether it has more than one position."""
        return max(self.by_name[population.name][1:], default=1) > 1


def shapes_of(network: Network) -> Shapes:
    """How a network is laid out in NIR."""
    flat = Shapes(0, {p.name: (p.size,) for p in network.populations})
    convolutions = [c for c in network.couplings if isinstance(c, ConvolutionCoupling)]
    axes = {len(c.windows) for c in convolutions}
    if len(axes) != 1:
        return flat
    count = axes.pop()
    found: dict[str, tuple[int, ...]] = {}
    for coupling in convolutions:
        ends = ((coupling.pre, coupling.input_shape), (coupling.post, coupling.output_shape))
        for name, own in ends:
            shape = (own[-1], *own[:-1])
            if found.setdefault(name, shape) != shape or len({*shape[1:]}) != 1:
                return flat
        if len({window.kernel for window in coupling.windows}) != 1:
            return flat
    ones = (1,) * count
    return Shapes(count, {p.name: found.get(p.name, (p.size, *ones)) for p in network.populations})


def chain_of(nir: Any, projection: Projection, shapes: Shapes, about: dict[str, Any]) -> list[Node]:
    """The nodes of one projection, in the order in which a value passes them, with their names.

    nir: the module. Weights are int8. about: metadata of the node that holds them.
    """
    name = f"{projection.source.name}-{projection.target.name}"
    coupling = projection.coupling
    if not shapes.axes:
        weight = np.ascontiguousarray(projection.matrix.T)
        return [(name, nir.Linear(weight=weight, metadata=about))]
    if isinstance(coupling, ConvolutionCoupling):
        if not projection.backward and (coupling.pool == 1 or shapes.axes == 2):
            return _forward(nir, coupling, name, about)
        if projection.backward and coupling.stride == coupling.pool == 1:
            return [(name, _turned(nir, coupling, about))]
    return _matrix(nir, projection, shapes, name, about)


def chain_edges(source: str, names: list[str], target: str) -> list[tuple[str, str]]:
    """The edges of one projection."""
    return list(pairwise([source, *names, target]))


def weights_of(nodes: Mapping[str, Any]) -> dict[str, Ints]:
    """Stored weights by the name of their node, int8 of any shape."""
    return {name: node.weight for name, node in nodes.items() if hasattr(node, "weight")}


def _forward(
    nir: Any, coupling: ConvolutionCoupling, name: str, about: dict[str, Any]
) -> list[Node]:
    """Sums over squares, where it pools, and the kernel."""
    sizes = tuple(window.groups for window in coupling.windows)
    kernel = np.moveaxis(coupling.weight, (-1, -2), (0, 1))
    node = _node(nir, kernel, sizes, coupling.padding, about, stride=coupling.stride)
    if coupling.pool == 1:
        return [(name, node)]
    square = np.array([coupling.pool] * 2)
    pool = nir.SumPool2d(kernel_size=square, stride=square, padding=np.array([0, 0]))
    return [(f"{name}-pool", pool), (name, node)]


def _turned(nir: Any, coupling: ConvolutionCoupling, about: dict[str, Any]) -> Any:
    """The way back with stride 1: the convolution with the kernel turned round.

    NIR has no transposed convolution; with another stride the way back is a matrix.
    """
    places = tuple(range(len(coupling.windows)))
    kernel = np.moveaxis(np.flip(coupling.weight, places), (-2, -1), (0, 1))
    window = coupling.windows[0]
    sizes = tuple(one.outputs for one in coupling.windows)
    return _node(nir, kernel, sizes, window.kernel - 1 - window.padding, about)


def _matrix(
    nir: Any, projection: Projection, shapes: Shapes, name: str, about: dict[str, Any]
) -> list[Node]:
    """Any matrix: a kernel as large as all positions of its source, or of its target.

    Where both have positions the first node has a channel for each target neuron, and a second one
    of ones puts it in its place.
    """
    source, target = projection.source, projection.target
    matrix = projection.matrix[shapes.order(source)][:, shapes.order(target)].T
    if not shapes.has_places(target):
        kernel = matrix.reshape(target.size, *shapes.by_name[source.name])
        return [(name, _node(nir, kernel, shapes.by_name[source.name][1:], 0, about))]
    if not shapes.has_places(source):
        return [(name, _placing(nir, matrix, shapes.by_name[target.name], about))]
    kernel = matrix.reshape(target.size, *shapes.by_name[source.name])
    first = _node(nir, kernel, shapes.by_name[source.name][1:], 0, about)
    one_hot = np.eye(target.size, dtype=np.int8)
    second = _placing(nir, one_hot, shapes.by_name[target.name], {})
    return [(name, first), (f"{name}-places", second)]


def _placing(nir: Any, matrix: Ints, shape: tuple[int, ...], about: dict[str, Any]) -> Any:
    """From channels at one position to a population with positions.

    matrix: int8 (neurons of it, channels). Padding lets every position see the one input through
    a tap of its own, the last position through the first tap.
    """
    channels, *places = shape
    kernel = np.moveaxis(matrix.reshape(channels, *places, -1), -1, 1)
    kernel = np.flip(kernel, tuple(range(2, kernel.ndim)))
    return _node(nir, kernel, (1,) * len(places), places[0] - 1, about)


def _node(
    nir: Any,
    kernel: Ints,
    sizes: tuple[int, ...],
    padding: int,
    about: dict[str, Any],
    stride: int = 1,
) -> Any:
    """A `Conv1d` or `Conv2d`. kernel: int8 (c_out, c_in, positions ..)."""
    weight = np.ascontiguousarray(kernel)
    bias = np.zeros(len(weight), dtype=np.int8)
    if len(sizes) == 1:
        return nir.Conv1d(
            input_shape=sizes[0],
            weight=weight,
            stride=stride,
            padding=padding,
            dilation=1,
            groups=1,
            bias=bias,
            metadata=about,
        )
    return nir.Conv2d(
        input_shape=sizes,
        weight=weight,
        stride=(stride, stride),
        padding=(padding, padding),
        dilation=(1, 1),
        groups=1,
        bias=bias,
        metadata=about,
    )
