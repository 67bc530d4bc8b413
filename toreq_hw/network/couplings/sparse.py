"""The sparse coupling: any set of pairs of neurons, each with a weight of its own."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.json_values import FileEntry
from toreq_hw.network.couplings.coupling import Coupling, Edges, Tensors, Weights
from toreq_hw.network.couplings.weights import WeightFormat, check_format, checked_weights
from toreq_hw.network.population import MAX_NEURONS, Population
from toreq_hw.reading import Fields, shown

Indices = npt.NDArray[np.int32]


@named_type_errors
@dataclass(frozen=True, eq=False)
class SparseCoupling(Coupling):
    """The synapses of pre neuron i are `indptr[i] .. indptr[i + 1] - 1` (compressed sparse rows).

    weight: int8 (synapses,), one a synapse, sorted by pre and then post neuron. indptr: int32
    (n_pre + 1,). indices: int32 (synapses,), the post neuron of each, rising within a pre neuron.
    columns: n_post. All arrays are copied and made read-only. A population coupled to itself has
    each pair once, pre < post. Raises NetworkError.
    """

    pre: str
    post: str
    weight: Weights
    fraction_bits: int
    weight_format: WeightFormat
    indptr: Indices = field(kw_only=True)
    indices: Indices = field(kw_only=True)
    columns: int = field(kw_only=True)

    kind: ClassVar[str] = "sparse"
    parameter_axes: ClassVar[int] = 1

    @classmethod
    def of_pairs(
        cls,
        pre: str,
        post: str,
        pairs: tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]],
        shape: tuple[int, int],
        *,
        fraction_bits: int,
        weight_format: WeightFormat,
        weight: Weights | None = None,
    ) -> "SparseCoupling":
        """A coupling of the pairs of neurons `pairs`, in any order.

        pairs: pre and post neurons, integers (synapses,). shape: n_pre, n_post. weight: int8
        (synapses,), in the order of `pairs`; all zero if not given. Raises NetworkError.
        """
        rows, columns = (np.asarray(part, dtype=np.int64) for part in pairs)
        if rows.ndim != 1 or rows.shape != columns.shape:
            raise NetworkError(
                f"pairs must be two lists of one length, not {rows.shape} and {columns.shape}"
            )
        if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < shape[0]:
            raise NetworkError(
                f"pairs must leave from neurons in 0..{shape[0] - 1}, found "
                f"{rows[(rows < 0) | (rows >= shape[0])][0]}"
            )
        found = np.zeros(rows.size, dtype=np.int8) if weight is None else weight
        order = np.lexsort((columns, rows))
        counts = np.bincount(rows, minlength=shape[0])
        return cls(
            pre,
            post,
            found[order] if np.shape(found) == rows.shape else found,
            fraction_bits,
            weight_format,
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            indices=columns[order].astype(np.int32),
            columns=shape[1],
        )

    def __post_init__(self) -> None:
        check_format(self.name, self.weight_format, self.fraction_bits)
        weight = checked_weights(self.name, self.weight, self.parameter_axes, self.weight_format)
        object.__setattr__(self, "weight", weight)
        if type(self.columns) is not int or not 1 <= self.columns <= MAX_NEURONS:
            raise self._error(f"columns must be an integer in 1..{MAX_NEURONS}", self.columns)
        for name in ("indptr", "indices"):
            object.__setattr__(self, name, self._checked(name))
        self._check_rows()

    def _checked(self, name: str) -> Indices:
        found = getattr(self, name)
        if isinstance(found, np.ma.MaskedArray) or not isinstance(found, np.ndarray):
            raise self._error(f"{name} must be an array", type(found).__name__)
        if found.dtype != np.int32 or found.ndim != 1:
            raise self._error(
                f"{name} must be an int32 array of 1 dimension", f"{found.dtype} of {found.ndim}"
            )
        copy = np.array(found, dtype=np.int32, order="C")
        copy.flags.writeable = False
        return copy

    def _check_rows(self) -> None:
        indptr, indices = self.indptr, self.indices
        if len(indices) != self.weight.size:
            raise self._error(f"indices must be {self.weight.size}, one a weight", len(indices))
        if len(indptr) < 2 or indptr[0] != 0 or indptr[-1] != len(indices):
            raise self._error(f"indptr must run from 0 to {len(indices)}", shown(indptr.tolist()))
        if np.any(np.diff(indptr) < 0):
            raise self._error("indptr must not fall", shown(indptr.tolist()))
        if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < self.columns:
            wrong = indices[(indices < 0) | (indices >= self.columns)][0]
            raise self._error(f"indices must be in 0..{self.columns - 1}", wrong)
        row = self._rows()
        falls = (np.diff(indices) <= 0) & (np.diff(row) == 0)
        if falls.any():
            k = int(np.argmax(falls))
            raise self._error(
                "indices of a row must rise", f"{indices[k]}, {indices[k + 1]} in row {row[k]}"
            )
        if self.is_self_coupling and np.any(row >= indices):
            k = int(np.argmax(row >= indices))
            raise self._error(
                "synapses of a self-coupling must run from the lower neuron to the higher",
                f"[{row[k]}, {indices[k]}]",
            )

    def _error(self, must: str, found: object) -> NetworkError:
        return NetworkError(f"coupling {shown(self.name)}: {must}, found {found}")

    def _rows(self) -> npt.NDArray[np.intp]:
        """The pre neuron of each synapse, intp (synapses,)."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    @property
    def shape(self) -> tuple[int, int]:
        """Neurons of pre, neurons of post."""
        return len(self.indptr) - 1, self.columns

    @property
    def parameters(self) -> Weights:
        """One weight a synapse, sorted by pre and then post neuron."""
        return self.weight

    def with_parameters(self, parameters: Weights) -> "SparseCoupling":
        """The same synapses with other weights. Raises NetworkError."""
        return replace(self, weight=parameters)

    def row_starts(self) -> npt.NDArray[np.intp]:
        """A row is the synapses of a pre neuron."""
        return self.indptr.astype(np.intp)

    def columns_of_parameters(self) -> npt.NDArray[np.intp]:
        """The column of a synapse is its post neuron, as in a dense matrix."""
        return self.indices.astype(np.intp)

    def edges(self) -> Edges:
        """Each synapse is an edge."""
        return Edges(self._rows(), self.indices.astype(np.intp), np.arange(self.weight.size))

    def check_ends(self, pre: Population, post: Population) -> None:
        """Raises NetworkError where the synapses are not those of its populations."""
        if self.shape != (pre.size, post.size):
            raise self._error(
                f"must join {pre.size} x {post.size} neurons", f"{self.shape[0]} x {self.shape[1]}"
            )

    def structure(self) -> dict[str, npt.NDArray[Any]]:
        """Which neurons the synapses join."""
        return {"indptr": self.indptr, "indices": self.indices}

    def settings(self) -> FileEntry:
        """The number of post neurons, which the tensors do not tell."""
        return {"columns": self.columns}

    @classmethod
    def from_file(cls, entry: Fields, tensors: Tensors) -> "SparseCoupling":
        """The coupling of a file's entry and its tensors. Raises NetworkError."""
        name = f"{entry.text('pre')}-{entry.text('post')}"
        for end in ("indptr", "indices"):
            if end not in tensors:
                raise NetworkError(f"tensor {shown(f'{name}.{end}')}: must be in the file")
        return cls(
            pre=entry.text("pre"),
            post=entry.text("post"),
            weight=tensors["weight"],
            fraction_bits=entry.integer("fraction_bits"),
            weight_format=entry.choice("weight_format", WeightFormat),
            indptr=tensors["indptr"],
            indices=tensors["indices"],
            columns=entry.integer("columns"),
        )
