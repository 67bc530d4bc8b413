"""Sums of whole vectors for compiled code: targets[t + k] += sources[p + k] * factor.

LLVM makes vectors of long loops by itself, but runs are as short as a convolution has channels:
there the checks before such a loop cost more than the sums. These functions say how many lanes.
"""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic


def _multiply_add(lanes: int) -> Any:
    def typed(context: Any, targets: Any, first: Any, sources: Any, place: Any, factor: Any) -> Any:  # noqa: ARG001 (numba looks at their number)
        signature = types.void(targets, types.int64, sources, types.int64, types.int32)
        return signature, generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        targets, first, sources, place, factor = arguments
        of_targets, _, of_sources, _, _ = signature.args

        def at(kind: Any, array: Any, index: Any) -> Any:
            data = context.make_array(kind)(context, builder, array).data
            vector = ir.VectorType(ir.IntType(kind.dtype.bitwidth), lanes)
            place = builder.gep(data, [index])
            return builder.bitcast(place, vector.as_pointer()), kind.dtype.bitwidth // 8

        wide = ir.VectorType(ir.IntType(of_targets.dtype.bitwidth), lanes)
        into, alignment = at(of_targets, targets, first)
        source, narrow = at(of_sources, sources, place)
        values = builder.load(source, align=narrow)
        if of_sources.dtype.bitwidth < of_targets.dtype.bitwidth:
            values = builder.sext(values, wide)
        blank = ir.Constant(wide, ir.Undefined)
        one = builder.insert_element(blank, factor, ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        factors = builder.shuffle_vector(one, blank, everywhere)
        total = builder.add(builder.load(into, align=alignment), builder.mul(values, factors))
        builder.store(total, into, align=alignment)
        return context.get_dummy_value()

    return intrinsic(typed)


multiply_add_16 = _multiply_add(16)
"""16 lanes: targets int32, sources of at most 32 bits, first and place int64, factor int32.

Both arrays must hold 16 entries from there on; nothing checks it.
"""

multiply_add_8 = _multiply_add(8)
"""The same with 8 lanes."""
