"""How couplings of each kind add up on tensors: sums both ways, and the products that teach them.

Everything is sums of products, in an order that torch chooses. They are exact where no partial sum
leaves the range of the floats (see `equilibrium`).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

import torch

from toreq_hw.network import Coupling


class Link(ABC):
    """Real weights of one coupling, as they add to both of its ends."""

    @abstractmethod
    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """What states of pre (batch, n_pre) add to post, (batch, n_post)."""

    @abstractmethod
    def backward(self, states: torch.Tensor) -> torch.Tensor:
        """What states of post (batch, n_post) add to pre, (batch, n_pre)."""


class Form(ABC):
    """A coupling without its weights.

    shape: of its parameters. post_degree, pre_degree: no neuron of
    post (of pre) has more edges.
    """

    shape: tuple[int, ...]
    post_degree: int
    pre_degree: int

    @abstractmethod
    def link(self, weight: torch.Tensor, lsb: float, back: float = 1.0) -> Link:
        """Its weights both ways, differentiable. weight: of `shape`, in LSBs of `lsb`.

        back: how much stronger the way back is.
        """

    @abstractmethod
    def products(self, pre: torch.Tensor, post: torch.Tensor) -> torch.Tensor:
        """s_pre s_post of every edge, summed over the batch and the edges of a parameter.

        pre, post: (batch, n_pre) and (batch, n_post). Of `shape`.
        """

    @abstractmethod
    def largest_sums(self, weight: torch.Tensor) -> tuple[float, float]:
        """No neuron of post, and none of pre, has edges whose magnitudes add up to more.

        weight: of `shape`.
        """

    @abstractmethod
    def norm(self, weight: torch.Tensor) -> float:
        """Largest singular value of its matrix. weight: of `shape`."""


@dataclass(frozen=True, eq=False)
class MatrixLink(Link):
    """real: (n_pre, n_post). back: how much stronger the way back is."""

    real: torch.Tensor
    back: float

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """A product with the matrix: (batch, n_pre) to (batch, n_post)."""
        return states @ self.real

    def backward(self, states: torch.Tensor) -> torch.Tensor:
        """A product with its transpose: (batch, n_post) to (batch, n_pre)."""
        found = states @ self.real.T
        return found if self.back == 1 else found * self.back


class MatrixForm(Form):
    """A dense coupling: its parameters are its matrix."""

    def __init__(self, rows: int, columns: int) -> None:
        """rows, columns: neurons of pre and of post."""
        self.shape = (rows, columns)
        self.post_degree, self.pre_degree = rows, columns

    def link(self, weight: torch.Tensor, lsb: float, back: float = 1.0) -> MatrixLink:
        """The matrix times the LSB. weight: of `shape`."""
        return MatrixLink(weight * lsb, back)

    def products(self, pre: torch.Tensor, post: torch.Tensor) -> torch.Tensor:
        """Outer products of (batch, n_pre) and (batch, n_post), (n_pre, n_post)."""
        return pre.T @ post

    def largest_sums(self, weight: torch.Tensor) -> tuple[float, float]:
        """Of columns, and of rows. weight: of `shape`."""
        return float(weight.abs().sum(0).max()), float(weight.abs().sum(1).max())

    def norm(self, weight: torch.Tensor) -> float:
        """By singular values. weight: of `shape`."""
        return float(torch.linalg.matrix_norm(weight.double(), ord=2))


class EdgeForm(Form):
    """A kind without a form of its own: the matrix of its edges, made from its parameters."""

    def __init__(self, coupling: Coupling) -> None:
        """coupling: joins two different populations."""
        self.shape = tuple(coupling.parameters.shape)
        self._matrix = MatrixForm(*coupling.shape)
        self.post_degree = int(coupling.degrees(backward=True).max(initial=0))
        self.pre_degree = int(coupling.degrees(backward=False).max(initial=0))
        pre, post, parameter = (torch.from_numpy(part) for part in coupling.edges())
        self._edges = {"cpu": (pre * coupling.shape[1] + post, parameter)}

    def _on(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """Flat places in the matrix, and the parameters there; copied to a device once."""
        if str(device) not in self._edges:
            cell, parameter = self._edges["cpu"]
            self._edges[str(device)] = cell.to(device), parameter.to(device)
        return self._edges[str(device)]

    def matrix(self, weight: torch.Tensor) -> torch.Tensor:
        """Parameters as a matrix (n_pre, n_post), 0 where there is no edge."""
        cell, parameter = self._on(weight.device)
        empty = weight.new_zeros(prod(self._matrix.shape))
        return empty.index_put((cell,), weight.reshape(-1)[parameter]).view(self._matrix.shape)

    def link(self, weight: torch.Tensor, lsb: float, back: float = 1.0) -> MatrixLink:
        """The matrix times the LSB. weight: of `shape`."""
        return self._matrix.link(self.matrix(weight), lsb, back)

    def products(self, pre: torch.Tensor, post: torch.Tensor) -> torch.Tensor:
        """Outer products of (batch, n_pre) and (batch, n_post), of edges, added up by parameter."""
        cell, parameter = self._on(pre.device)
        of_edges = self._matrix.products(pre, post).view(-1)[cell]
        empty = of_edges.new_zeros(prod(self.shape))
        return empty.index_add(0, parameter, of_edges).view(self.shape)

    def largest_sums(self, weight: torch.Tensor) -> tuple[float, float]:
        """Of columns, and of rows. weight: of `shape`."""
        return self._matrix.largest_sums(self.matrix(weight))

    def norm(self, weight: torch.Tensor) -> float:
        """By singular values. weight: of `shape`."""
        return self._matrix.norm(self.matrix(weight))


def matrices(links: Sequence[Link]) -> list[MatrixLink] | None:
    """The links, where all of them are matrices."""
    if all(isinstance(link, MatrixLink) for link in links):
        return cast(list[MatrixLink], list(links))
    return None
