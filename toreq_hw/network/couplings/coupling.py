"""What every kind of coupling says about itself: its parameters, and which neurons they join.

A kind is one file of this folder and one entry of `KINDS`. It needs a shape, parameters, edges and
`with_parameters`; all else has a default here. The default form that readers see is
`lowered`: a dense matrix with the same weight between the same neurons, so that every engine and
export computes the same states in the same ticks. A reader may take a kind's own form instead.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, cast

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import NetworkError
from toreq_hw.json_values import FileEntry
from toreq_hw.network.couplings.own_feedback import Feedback
from toreq_hw.network.couplings.runs import Runs, runs_of
from toreq_hw.network.couplings.weights import WeightFormat
from toreq_hw.reading import Fields, shown

if TYPE_CHECKING:
    from toreq_hw.network.population import Population

Weights = npt.NDArray[np.int8]
Tensors = Mapping[str, npt.NDArray[Any]]
Range = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class Edges(NamedTuple):
    """Pairs of neurons that share a parameter; three arrays intp (n,).

    pre, post: the two neurons of an edge. parameter: flat index into `Coupling.parameters`; one
    parameter may have any number of edges. Two neurons share at most one edge. A population that
    couples to itself has each pair once, pre < post, and the edge holds both ways.
    """

    pre: npt.NDArray[np.intp]
    post: npt.NDArray[np.intp]
    parameter: npt.NDArray[np.intp]


class Coupling(Feedback, ABC):
    """Joins neurons of population `pre` and population `post`, with the same weight both ways.

    With feedback of its own, the weights of the way back are others between the same neurons.
    kind: its name in a network file. file_version: first version of the network file with it.
    parameter_axes: dimensions of `parameters`, where all couplings of the kind have as many. Every
    kind takes `feedback_shift` and `own_feedback` by name.
    """

    kind: ClassVar[str]
    file_version: ClassVar[int] = 2
    parameter_axes: ClassVar[int]

    pre: str
    post: str
    fraction_bits: int
    """f: the real weight is the stored integer / 2^f."""
    weight_format: WeightFormat

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """A dense coupling where no kind is named, as when there was no other."""
        if cls is Coupling:
            from toreq_hw.network.couplings.dense import DenseCoupling

            return cast(Self, DenseCoupling(*arguments, **named))
        return super().__new__(cls)

    @property
    def name(self) -> str:
        """`pre-post`, unique in a network."""
        return f"{self.pre}-{self.post}"

    @property
    def is_self_coupling(self) -> bool:
        """Whether it couples a population to itself."""
        return self.pre == self.post

    @property
    def back_fraction_bits(self) -> int:
        """The real weight of the way back is the stored integer / 2^this: f + s."""
        return self.fraction_bits + self.feedback_shift

    @property
    def needed_version(self) -> int:
        """The first version of the network file with its kind and all that it says."""
        plain = not self.feedback_shift and self.own_feedback is None
        return max(self.file_version, 1 if plain else 2)

    @cached_property
    def way_back(self) -> Self:
        """The coupling whose weights hold from post to pre; itself without feedback of its own."""
        if self.own_feedback is None:
            return self
        return replace(self, own_feedback=None).with_parameters(self.own_feedback.weight)

    @property
    def turned(self) -> "Coupling":
        """As it learns on its own way back; only a dense one has other rows then."""
        return self

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Neurons of pre, neurons of post."""

    @property
    @abstractmethod
    def parameters(self) -> Weights:
        """The stored integers, int8, of the kind's own shape, read-only."""

    @abstractmethod
    def with_parameters(self, parameters: Weights) -> Self:
        """The same coupling with other stored integers of the same shape. Raises NetworkError."""

    @abstractmethod
    def edges(self) -> Edges:
        """Which neurons each parameter joins."""

    def row_starts(self) -> npt.NDArray[np.intp]:
        """Where each row of parameters starts in their flat order, and their number: (rows + 1,).

        Parameters of a row share a random word in learning (docs/numerics.md, section 6). Here a
        row is the last axis.
        """
        columns = max(self.parameters.shape[-1], 1)
        return np.arange(0, self.parameters.size + 1, columns, dtype=np.intp)

    def columns_of_parameters(self) -> npt.NDArray[np.intp]:
        """The column of each parameter in its row, which chooses its share of the random word.

        Shape (parameters.size,), in flat order; each at most the number of neurons of post.
        """
        columns = max(self.parameters.shape[-1], 1)
        found: npt.NDArray[np.intp] = np.arange(self.parameters.size, dtype=np.intp) % columns
        return found

    def degrees(self, *, backward: bool) -> npt.NDArray[np.int64]:
        """Edges of each neuron of pre, int64 (n_pre,); with `backward` of each of post.

        An edge of a self-coupling counts at both of its ends.
        """
        pre, post, _ = self.edges()
        if self.is_self_coupling:
            pre, post = np.concatenate([pre, post]), np.concatenate([post, pre])
        ends = (post, self.shape[1]) if backward else (pre, self.shape[0])
        return np.bincount(ends[0], minlength=ends[1]).astype(np.int64)

    def backward_order(self) -> npt.NDArray[np.intp]:
        """Flat indices of all parameters in the order in which walks from post to pre find them.

        intp (parameters,). The default swaps the last two axes: a matrix is read by its columns.
        Kinds with one axis go by the post neuron of a parameter's first edge.
        """
        indices = np.arange(self.parameters.size)
        if self.parameter_axes > 1:
            return indices.reshape(self.parameters.shape).swapaxes(-1, -2).ravel()
        _, post, parameter = self.edges()
        found, first = np.unique(parameter, return_index=True)
        ends = np.full(self.parameters.size, self.shape[1])
        ends[found] = post[first]
        return np.argsort(ends, kind="stable")

    def runs(self, *, backward: bool) -> Runs:
        """Its edges as runs, from pre to post or, `backward`, from post to pre.

        The weights lie in file order, or in `backward_order`. A self-coupling's edges run from the
        lower neuron to the higher, and back.
        """
        pre, post, parameter = self.edges()
        if not backward:
            ends = self.row_starts()
            return runs_of(pre, post, parameter, sources=self.shape[0], breaks=ends)
        place = np.empty(self.parameters.size, dtype=np.intp)
        place[self.backward_order()] = np.arange(self.parameters.size)
        return runs_of(post, pre, place[parameter], sources=self.shape[1])

    def matrix_of(self, parameters: npt.NDArray[np.integer]) -> Weights:
        """The dense matrix that stored integers stand for, int8 (n_pre, n_post)."""
        pre, post, parameter = self.edges()
        matrix = np.zeros(self.shape, dtype=np.int8)
        matrix[pre, post] = parameters.reshape(-1)[parameter]
        if self.is_self_coupling:
            matrix[post, pre] = matrix[pre, post]
        return matrix

    def check_ends(self, pre: "Population", post: "Population") -> None:
        """Raises NetworkError where it does not fit its populations, or joins two neurons twice."""
        if self.shape != (pre.size, post.size):
            raise NetworkError(
                f"coupling {shown(self.name)}: must join {pre.size} x {post.size} neurons, "
                f"not {self.shape[0]} x {self.shape[1]}"
            )
        first, second, parameter = self.edges()
        _check_indices(self.name, "edges must leave from neurons", first, pre.size)
        _check_indices(self.name, "edges must reach neurons", second, post.size)
        _check_indices(self.name, "edges must name parameters", parameter, self.parameters.size)
        pairs, times = np.unique(first * post.size + second, return_counts=True)
        if times.max(initial=0) > 1:
            i, j = divmod(int(pairs[times.argmax()]), post.size)
            raise NetworkError(
                f"coupling {shown(self.name)}: two neurons must share at most one edge, found "
                f"{times.max()} at [{i}, {j}]"
            )
        if self.is_self_coupling and np.any(first >= second):
            k = int(np.argmax(first >= second))
            raise NetworkError(
                f"coupling {shown(self.name)}: edges of a self-coupling must run from the lower "
                f"neuron to the higher, found [{first[k]}, {second[k]}]"
            )

    def sum_range(
        self, source: "Population", *, backward: bool, any_weights: bool = False
    ) -> Range:
        """Smallest and largest sum of weight times state that one direction can deliver.

        source: where the states come from. Returns two int64 (target.size,), LSB 2^-f. With
        `any_weights` the range holds for every weight of the format.
        """
        pre, post, parameter = self.edges()
        if self.is_self_coupling:
            pre, post = np.concatenate([pre, post]), np.concatenate([post, pre])
            parameter = np.concatenate([parameter, parameter])
        target, size = (pre, self.shape[0]) if backward else (post, self.shape[1])
        low, high = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        if any_weights:
            largest_product = self.weight_format.limit * max(source.state_max, -source.state_min)
            np.add.at(high, target, largest_product)
            return -high, high
        weight = self.parameters.reshape(-1)[parameter].astype(np.int64)
        ends = weight * source.state_min, weight * source.state_max
        np.add.at(low, target, np.minimum(*ends))
        np.add.at(high, target, np.maximum(*ends))
        return low, high

    def free_parameters(self) -> npt.NDArray[np.intp]:
        """Flat indices of parameters that are not copies of others, in file order: intp (n,)."""
        return np.arange(self.parameters.size)

    def mirrored(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """`values`, of the parameters' shape, with every copy set from what it is a copy of."""
        return values

    def structure(self) -> dict[str, npt.NDArray[Any]]:
        """What a file holds beside the parameters, by the end of the tensor's name."""
        return {}

    def settings(self) -> FileEntry:
        """What a file's description holds beside the fields of every kind, plain JSON values."""
        return {}

    @classmethod
    def axes_in(cls, entry: Fields) -> int:  # noqa: ARG003  # a kind may have several
        """Dimensions of the parameters that an entry describes. Raises the error of `entry`."""
        return cls.parameter_axes

    @classmethod
    @abstractmethod
    def from_file(cls, entry: Fields, tensors: Tensors) -> Self:
        """The coupling that `describe` and `tensors` make; the inverse of both.

        tensors: by the end of their names. Raises NetworkError, or the error of `entry`.
        """

    def describe(self) -> FileEntry:
        """Its entry in a network file, without the tensors."""
        return {
            "kind": self.kind,
            "pre": self.pre,
            "post": self.post,
            "weight_format": self.weight_format.value,
            "fraction_bits": self.fraction_bits,
            **({"feedback_shift": self.feedback_shift} if self.feedback_shift else {}),
            **({"feedback": self.own_feedback.kind.value} if self.own_feedback else {}),
            **self.settings(),
        }

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Its tensors in a network file, by their full names."""
        own = {} if self.own_feedback is None else {"feedback": self.own_feedback.weight}
        parts = {"weight": self.parameters, **own, **self.structure()}
        return {f"{self.name}.{end}": tensor for end, tensor in parts.items()}


def _check_indices(name: str, must: str, found: npt.NDArray[np.intp], size: int) -> None:
    if found.size and not 0 <= int(found.min()) <= int(found.max()) < size:
        wrong = found[(found < 0) | (found >= size)][0]
        raise NetworkError(f"coupling {shown(name)}: {must} in 0..{size - 1}, found {wrong}")
