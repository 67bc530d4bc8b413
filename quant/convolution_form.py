"""The convolution on tensors: patches of the input times the kernel, and the transpose of that.

Both are products of matrices, exact in any order while sums fit the floats. Algorithms that save
multiplications, such as Winograd's, round; a library's own convolution may choose them.
"""

from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch.nn import functional

from toreq_hw.network import ConvolutionCoupling
from toreq_hw.network.couplings.window import Window
from toreq_hw.quant.forms import Form, Link

POWER_STEPS = 50
"""Of the power iteration that finds the largest singular value of a convolution."""


class ConvolutionForm(Form):
    """A convolution: patches of the input times the kernel, over one or two axes of positions.

    Tensors are (batch, y, x, channels); along one axis x has one position.
    """

    def __init__(self, coupling: ConvolutionCoupling) -> None:
        """coupling: whose kernel is (ky, kx, ci, co) or (k, ci, co)."""
        windows = coupling.windows
        self._windows = windows if len(windows) == 2 else (*windows, Window(1, 1, 1, 0, 1))
        self.shape = tuple(coupling.parameters.shape)
        self._channels = self.shape[-2:]
        taps = prod(window.kernel for window in self._windows)
        self.post_degree = taps * self._channels[0] * prod(w.pool for w in self._windows)
        self.pre_degree = taps * self._channels[1]

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Positions of pre and its channels."""
        return (*(w.size for w in self._windows), self._channels[0])

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """Positions of post and its channels."""
        return (*(w.outputs for w in self._windows), self._channels[1])

    def patches(self, states: torch.Tensor) -> torch.Tensor:
        """What each output position sees, (batch * oY * oX, ky * kx * ci).

        states: of pre, (batch, n_pre).
        """
        y, x = self._windows
        found = self._pooled(states.reshape(-1, *self.inputs))
        found = functional.pad(found, (0, 0, x.padding, x.padding, y.padding, y.padding))
        found = found.unfold(1, y.kernel, y.stride).unfold(2, x.kernel, x.stride)
        seen = y.kernel * x.kernel * self._channels[0]
        return found.permute(0, 1, 2, 4, 5, 3).reshape(-1, seen)

    def places(self, patches: torch.Tensor) -> torch.Tensor:
        """The transpose of `patches`: each input takes the sum over all patches that see it.

        patches: (batch * oY * oX, ky * kx * ci). Returns (batch, n_pre).
        """
        y, x = self._windows
        parts = patches.view(-1, y.outputs, x.outputs, y.kernel, x.kernel, self._channels[0])
        size = (y.groups + 2 * y.padding, x.groups + 2 * x.padding, self._channels[0])
        padded = parts.new_zeros((len(parts), *size))
        for down in range(y.kernel):
            rows = slice(down, down + y.stride * (y.outputs - 1) + 1, y.stride)
            for right in range(x.kernel):
                columns = slice(right, right + x.stride * (x.outputs - 1) + 1, x.stride)
                padded[:, rows, columns] += parts[:, :, :, down, right]
        inner = padded[:, y.padding : y.padding + y.groups, x.padding : x.padding + x.groups]
        return self._spread(inner).reshape(len(parts), -1)

    def _pooled(self, states: torch.Tensor) -> torch.Tensor:
        """Sums over squares of positions; what is behind the last whole square is left out."""
        y, x = self._windows
        if y.pool == x.pool == 1:
            return states
        whole = states[:, : y.groups * y.pool, : x.groups * x.pool]
        parts = whole.reshape(-1, y.groups, y.pool, x.groups, x.pool, self._channels[0])
        return parts.sum(dim=(2, 4))

    def _spread(self, groups: torch.Tensor) -> torch.Tensor:
        """The transpose of `_pooled`."""
        y, x = self._windows
        if y.pool == x.pool == 1:
            return groups
        whole = groups.repeat_interleave(y.pool, 1).repeat_interleave(x.pool, 2)
        left = (0, 0, 0, x.size - whole.shape[2], 0, y.size - whole.shape[1])
        return functional.pad(whole, left)

    def link(self, weight: torch.Tensor, lsb: float, back: float = 1.0) -> "ConvolutionLink":
        """The kernel as a matrix (ky * kx * ci, co), times the LSB. weight: of `shape`."""
        return ConvolutionLink(self, weight.reshape(-1, self._channels[1]) * lsb, back)

    def products(self, pre: torch.Tensor, post: torch.Tensor) -> torch.Tensor:
        """Products of patches and outputs, added up over all positions; of `shape`.

        pre, post: (batch, n_pre) and (batch, n_post).
        """
        patches = self.patches(pre)
        return (patches.T @ post.reshape(-1, self._channels[1])).view(self.shape)

    def largest_sums(self, weight: torch.Tensor) -> tuple[float, float]:
        """Of a place that all taps reach. weight: of `shape`."""
        size = weight.abs().view(-1, *self._channels)
        squares = prod(w.pool for w in self._windows)
        into_post = float(size.sum(dim=(0, 1)).max()) * squares
        return into_post, float(size.sum(dim=(0, 2)).max())

    def norm(self, weight: torch.Tensor) -> float:
        """By power iteration, from below: `POWER_STEPS` steps from a fixed start.

        weight: of `shape`.
        """
        link = self.link(weight.double(), 1.0)
        generator = torch.Generator().manual_seed(0)
        start = torch.rand((1, prod(self.inputs)), generator=generator, dtype=torch.float64)
        vector, found = start.to(weight.device), 0.0
        for _ in range(POWER_STEPS):
            length = float(torch.linalg.vector_norm(vector))
            if length == 0:
                return 0.0
            moved = link.forward(vector / length)
            found = float(torch.linalg.vector_norm(moved))
            vector = link.backward(moved)
        return found


@dataclass(frozen=True, eq=False)
class ConvolutionLink(Link):
    """real: (ky * kx * ci, co). back: how much stronger the way back is."""

    form: ConvolutionForm
    real: torch.Tensor
    back: float

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Patches times the kernel: (batch, n_pre) to (batch, n_post)."""
        return (self.form.patches(states) @ self.real).view(len(states), -1)

    def backward(self, states: torch.Tensor) -> torch.Tensor:
        """Outputs times the kernel's transpose, added up where patches overlap.

        (batch, n_post) to (batch, n_pre).
        """
        patches = states.reshape(-1, self.real.shape[1]) @ self.real.T
        found = self.form.places(patches)
        return found if self.back == 1 else found * self.back
