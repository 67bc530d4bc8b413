"""Weights in an ONNX graph, and the sums of weight times state that accumulators are made of.

A convolution is a `Conv`, its way back a `ConvTranspose`, in float32: exact while no sum can pass
2^24 (`conv_is_exact`). Every other coupling is a matrix in int32, and so is a convolution of larger
sums. The graph holds the very tensors of the network file, so that the file can be read back; a
matrix is made from them by nodes without inputs, which a runtime computes once.
"""

from math import prod

import numpy as np
from onnx import numpy_helper

from toreq_hw.network import (
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    Network,
    Projection,
    SparseCoupling,
)
from toreq_hw.quant.onnx_graph import GraphWriter

FLOAT32_EXACT = 1 << 24


def conv_is_exact(network: Network, coupling: ConvolutionCoupling) -> bool:
    """Whether float32 holds every partial sum of a convolution, both ways, in any order."""
    for projection in network.projections:
        if projection.coupling is coupling:
            low, high = coupling.sum_range(projection.source, backward=projection.backward)
            if max(-int(low.min()), int(high.max())) > FLOAT32_EXACT:
                return False
    return True


def is_native(network: Network, coupling: Coupling) -> bool:
    """Whether a coupling is written as Conv nodes."""
    return isinstance(coupling, ConvolutionCoupling) and conv_is_exact(network, coupling)


def write_weights(writer: GraphWriter, network: Network) -> None:
    """The tensors of each coupling as the network file has them, and what products take.

    That is `<coupling>.kernel` float32 (co, ci, ky, kx) of a Conv. Of others it is
    `<coupling>.weight.forward` int32 (n_pre, n_post), and `.backward` where the way back is used.
    """
    for coupling in network.couplings:
        name = f"{coupling.name}.weight"
        stored = writer.constant(name, coupling.parameters)
        if is_native(network, coupling):
            axes = range(coupling.parameters.ndim)
            real = writer.cast(stored, np.float32, f"{name}.float32")
            writer.node("Transpose", [real], _kernel(coupling), perm=[*axes[:-3:-1], *axes[:-2]])
        elif isinstance(coupling, DenseCoupling):
            writer.cast(stored, np.int32, f"{name}.forward")
        else:
            _write_matrix(writer, coupling, stored)
    for projection in network.projections:
        if projection.backward and not is_native(network, projection.coupling):
            name = f"{projection.coupling.name}.weight"
            writer.node("Transpose", [f"{name}.forward"], f"{name}.backward", perm=[1, 0])


def _kernel(coupling: Coupling) -> str:
    return f"{coupling.name}.kernel"


def _write_matrix(writer: GraphWriter, coupling: Coupling, stored: str) -> None:
    """The default lowering: every edge's parameter at its place in a matrix of zeros."""
    name = f"{coupling.name}.weight"
    rows, columns = coupling.shape
    values = writer.cast(stored, np.int32, f"{name}.int32")
    if isinstance(coupling, SparseCoupling):
        cells = _sparse_cells(writer, coupling)
    else:
        pre, post, parameter = (part.astype(np.int64) for part in coupling.edges())
        cells = writer.constant(f"{coupling.name}.cells", pre * columns + post)
        chosen = writer.constant(f"{coupling.name}.chosen", parameter)
        flat = writer.node("Reshape", [values, _shape(writer, (-1,))], f"{name}.flat")
        values = writer.node("Gather", [flat, chosen], f"{name}.edges")
    empty = _zeros(writer, rows * columns, np.int32, f"{name}.empty")
    filled = writer.node("ScatterElements", [empty, cells, values], f"{name}.filled")
    matrix = f"{name}.once" if coupling.is_self_coupling else f"{name}.forward"
    writer.node("Reshape", [filled, _shape(writer, (rows, columns))], matrix)
    if coupling.is_self_coupling:
        mirrored = writer.node("Transpose", [matrix], f"{name}.mirrored", perm=[1, 0])
        writer.node("Add", [matrix, mirrored], f"{name}.forward")


def _sparse_cells(writer: GraphWriter, coupling: SparseCoupling) -> str:
    """Flat places of synapses, int64: rows are counted by where `indptr` says that they begin."""
    name, (rows, columns) = coupling.name, coupling.shape
    begins = writer.constant(f"{name}.indptr", coupling.indptr)
    first = _shape(writer, (1,))
    inner = writer.node("Slice", [begins, first, _shape(writer, (rows,))], f"{name}.begins")
    inner = writer.cast(inner, np.int64, f"{name}.begins.int64")
    ones = writer.constant(f"{name}.ones", np.ones(rows - 1, dtype=np.int64))
    empty = _zeros(writer, coupling.weight.size + 1, np.int64, f"{name}.unmarked")
    marks = writer.node("ScatterElements", [empty, inner, ones], f"{name}.marks", reduction="add")
    counted = writer.node("CumSum", [marks, writer.number(0, np.int64)], f"{name}.counted")
    ends = [_shape(writer, (0,)), _shape(writer, (coupling.weight.size,))]
    row = writer.node("Slice", [counted, *ends], f"{name}.rows")
    start = writer.node("Mul", [row, writer.number(columns, np.int64)], f"{name}.row_starts")
    column = writer.constant(f"{name}.indices", coupling.indices)
    column = writer.cast(column, np.int64, f"{name}.columns")
    return writer.node("Add", [start, column], f"{name}.cells")


def product_of(writer: GraphWriter, network: Network, projection: Projection, states: str) -> str:
    """2^(F - f) sum_j W[j, i] s_j of one projection, int32 (batch, target.size)."""
    coupling = projection.coupling
    name = f"{coupling.name}.into.{projection.target.name}"
    if isinstance(coupling, ConvolutionCoupling) and is_native(network, coupling):
        product = _convolved(writer, coupling, projection, states, name)
    else:
        weight = f"{coupling.name}.weight.{'backward' if projection.backward else 'forward'}"
        product = writer.node("MatMul", [states, weight], name)
    return shifted(writer, projection, product, name)


def shifted(writer: GraphWriter, projection: Projection, product: str, name: str) -> str:
    """A product in LSBs of its target's accumulators."""
    if not projection.shift:
        return product
    factor = writer.number(1 << projection.shift)
    return writer.node("Mul", [product, factor], f"{name}.shifted")


def _convolved(
    writer: GraphWriter,
    coupling: ConvolutionCoupling,
    projection: Projection,
    states: str,
    name: str,
) -> str:
    """A `Conv`, or its transpose, between states with channels last."""
    axes = len(coupling.windows)
    shapes = (coupling.input_shape, coupling.output_shape)
    source, target = shapes[::-1] if projection.backward else shapes
    real = writer.cast(states, np.float32, f"{name}.float32")
    placed = writer.node("Reshape", [real, _shape(writer, (-1, *source))], f"{name}.placed")
    first = [0, axes + 1, *range(1, axes + 1)]
    value = writer.node("Transpose", [placed], f"{name}.channels_first", perm=first)
    make = _backward if projection.backward else _forward
    value = make(writer, coupling, value, name)
    last = [0, *range(2, axes + 2), 1]
    value = writer.node("Transpose", [value], f"{name}.channels_last", perm=last)
    flat = writer.node("Reshape", [value, _shape(writer, (-1, prod(target)))], f"{name}.flat")
    return writer.cast(flat, np.int32, name)


def _forward(writer: GraphWriter, coupling: ConvolutionCoupling, value: str, name: str) -> str:
    """Sums over squares of positions, where it pools, and then the kernel."""
    windows = coupling.windows
    axes, pool = len(windows), coupling.pool
    if pool > 1:
        value = writer.node(
            "Conv",
            [value, _squares(writer, coupling)],
            f"{name}.pooled",
            group=coupling.input_shape[-1],
            strides=[pool] * axes,
        )
    return writer.node(
        "Conv",
        [value, _kernel(coupling)],
        f"{name}.convolved",
        strides=[coupling.stride] * axes,
        pads=[coupling.padding] * (2 * axes),
    )


def _backward(writer: GraphWriter, coupling: ConvolutionCoupling, value: str, name: str) -> str:
    """The transpose of `_forward`; inputs that no output sees get zeros."""
    windows = coupling.windows
    axes, pool = len(windows), coupling.pool
    value = writer.node(
        "ConvTranspose",
        [value, _kernel(coupling)],
        f"{name}.convolved",
        strides=[coupling.stride] * axes,
        pads=[coupling.padding] * (2 * axes),
        output_padding=[(w.groups + 2 * w.padding - w.kernel) % w.stride for w in windows],
    )
    if pool == 1:
        return value
    return writer.node(
        "ConvTranspose",
        [value, _squares(writer, coupling)],
        f"{name}.spread",
        group=coupling.input_shape[-1],
        strides=[pool] * axes,
        output_padding=[window.size % pool for window in windows],
    )


def _squares(writer: GraphWriter, coupling: ConvolutionCoupling) -> str:
    """Ones over a square of positions, for each channel apart."""
    shape = (coupling.input_shape[-1], 1, *[coupling.pool] * len(coupling.windows))
    return writer.constant(f"{coupling.name}.squares", np.ones(shape, dtype=np.float32))


def _shape(writer: GraphWriter, sizes: tuple[int, ...]) -> str:
    """Sizes as a constant, int64 (axes,), named after them."""
    return writer.constant(f"int64.{sizes}", np.array(sizes, dtype=np.int64))


def _zeros(writer: GraphWriter, size: int, dtype: type[np.generic], name: str) -> str:
    """`size` zeros, which the file does not hold."""
    value = numpy_helper.from_array(np.zeros(1, dtype=dtype))
    return writer.node("ConstantOfShape", [_shape(writer, (size,))], name, value=value)
