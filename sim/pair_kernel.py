"""Sums of products of pairs of 16-bit integers, many lanes at a time, for compiled code.

A lane multiplies two pairs and adds both products to an exact 32-bit sum. Most processors do so in
one instruction. The sums stay in registers while a loop runs: that is what these functions are for.
LLVM finds neither by itself, so they say which instruction, and for how many lanes.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils as untyped_cgutils
from numba.core import types as untyped_types
from numba.extending import intrinsic as untyped_intrinsic

cgutils: Any = untyped_cgutils
types: Any = untyped_types
intrinsic: Any = untyped_intrinsic

_BYTE, _SHORT, _INT, _LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))

_INSTRUCTIONS = (
    ("+avx512bw", 16, "llvm.x86.avx512.pmaddw.d.512"),
    ("+avx2", 8, "llvm.x86.avx2.pmadd.wd"),
    ("+sse2", 4, "llvm.x86.sse2.pmadd.wd"),
)
"""Feature of a processor, lanes and instruction, best first."""

CHANNELS = 32
"""Of a mask."""

_LANES_WITHOUT = 4
"""Of a vector where no instruction is known."""


def _vector(kind: Any, lanes: int) -> Any:
    return ir.VectorType(kind, lanes)


def _everywhere(builder: Any, value: Any, lanes: int) -> Any:
    """A vector whose lanes all hold `value`."""
    blank = ir.Constant(_vector(value.type, lanes), ir.Undefined)
    one = builder.insert_element(blank, value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(one, blank, ir.Constant(_vector(_INT, lanes), [0] * lanes))


def _width(context: Any, lanes: int) -> int:
    """Lanes of a vector, at most `lanes`."""
    features = context.codegen().magic_tuple()[2].split(",")
    found = [width for name, width, _ in _INSTRUCTIONS if name in features and width <= lanes]
    return found[0] if found else _LANES_WITHOUT


def _products(context: Any, builder: Any, left: Any, right: Any) -> Any:
    """For each lane the sum of both products of its pairs, of two vectors of 16-bit integers."""
    lanes = left.type.count // 2
    features = context.codegen().magic_tuple()[2].split(",")
    wide = _vector(_INT, lanes)
    for name, width, instruction in _INSTRUCTIONS:
        if name in features and width == lanes:
            kind = ir.FunctionType(wide, (left.type, left.type))
            function = cgutils.get_or_insert_function(builder.module, kind, instruction)
            return builder.call(function, (left, right))
    blank, halves = ir.Constant(left.type, ir.Undefined), []
    for half in range(2):
        places = ir.Constant(wide, [2 * lane + half for lane in range(lanes)])
        both = [builder.shuffle_vector(pairs, blank, places) for pairs in (left, right)]
        halves.append(builder.mul(*(builder.sext(one, wide) for one in both)))
    return builder.add(*halves)


def _sums(builder: Any, width: int, count: int) -> list[Any]:
    """Vectors of zeros that a loop adds to."""
    kind = _vector(_INT, width)
    found = [cgutils.alloca_once(builder, kind) for _ in range(count)]
    for one in found:
        builder.store(ir.Constant(kind, [0] * width), one)
    return found


def _at(builder: Any, data: Any, index: Any, kind: Any) -> Any:
    """Where a vector of `kind` begins in an array."""
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


def _plus(builder: Any, index: Any, more: int) -> Any:
    return builder.add(index, ir.Constant(_LONG, more))


def _add_to(builder: Any, place: Any, found: Any) -> None:
    builder.store(builder.add(builder.load(place, align=4), found), place, align=4)


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


def _add_pairs(lanes: int) -> Any:
    def typed(
        typing: Any,  # noqa: ARG001 (numba looks at their number)
        targets: Any,
        first: Any,  # noqa: ARG001
        weights: Any,
        place: Any,  # noqa: ARG001
        stride: Any,  # noqa: ARG001
        pairs: Any,
        words: Any,
        count: Any,  # noqa: ARG001
        shift: Any,  # noqa: ARG001
    ) -> Any:
        long = types.int64
        arguments = (targets, long, weights, long, long, pairs, words, long, types.int32)
        return types.void(*arguments), generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, first, _, place, stride, _, _, count, shift = arguments
        targets, weights, pairs, words = (
            _data(context, builder, signature.args[k], arguments[k]) for k in (0, 2, 5, 6)
        )
        width = _width(context, lanes)
        bytes_, shorts = _vector(_BYTE, 2 * width), _vector(_SHORT, 2 * width)
        sums = _sums(builder, width, lanes // width)
        with cgutils.for_range(builder, count) as loop:
            pair = builder.sext(builder.load(builder.gep(pairs, [loop.index])), _LONG)
            word = builder.load(builder.gep(words, [loop.index]))
            deltas = builder.bitcast(_everywhere(builder, word, width), shorts)
            row = builder.add(place, builder.mul(pair, stride))
            for k, one in enumerate(sums):
                there = _at(builder, weights, _plus(builder, row, 2 * width * k), bytes_)
                wide = builder.sext(builder.load(there, align=1), shorts)
                found = _products(context, builder, wide, deltas)
                builder.store(builder.add(builder.load(one), found), one)
        shifts = _everywhere(builder, shift, width)
        for k, one in enumerate(sums):
            there = _at(builder, targets, _plus(builder, first, width * k), shifts.type)
            _add_to(builder, there, builder.shl(builder.load(one), shifts))
        return context.get_dummy_value()

    return intrinsic(typed)


def _generate_outer(
    context: Any, builder: Any, signature: Any, arguments: Any, rows: int, lanes: int
) -> None:
    _, place, columns, _, _, walk = arguments
    gradient, pre, post = (
        _data(context, builder, signature.args[k], arguments[k]) for k in (0, 3, 4)
    )
    lines, steps, pre_first, pre_line, pre_step, post_first, post_line, post_step = (
        cgutils.unpack_tuple(builder, walk, 8)
    )
    width = _width(context, lanes)
    shorts, ints = _vector(_SHORT, 2 * width), _vector(_INT, width)
    vectors = lanes // width
    sums = _sums(builder, width, rows * vectors)
    with cgutils.for_range(builder, lines) as line:
        before = builder.add(pre_first, builder.mul(line.index, pre_line))
        after = builder.add(post_first, builder.mul(line.index, post_line))
        with cgutils.for_range(builder, steps) as step:
            one = builder.add(before, builder.mul(step.index, pre_step))
            other = builder.add(after, builder.mul(step.index, post_step))
            loaded = []
            for k in range(vectors):
                there = _at(builder, post, _plus(builder, other, width * k), ints)
                loaded.append(builder.bitcast(builder.load(there, align=4), shorts))
            for row in range(rows):
                word = builder.load(builder.gep(pre, [_plus(builder, one, row)]))
                factors = builder.bitcast(_everywhere(builder, word, width), shorts)
                for k, column in enumerate(loaded):
                    into = sums[row * vectors + k]
                    found = _products(context, builder, column, factors)
                    builder.store(builder.add(builder.load(into), found), into)
    for row in range(rows):
        begin = builder.add(place, builder.mul(columns, ir.Constant(_LONG, row)))
        for k in range(vectors):
            there = _at(builder, gradient, _plus(builder, begin, width * k), ints)
            _add_to(builder, there, builder.load(sums[row * vectors + k]))


def _add_outer(rows: int, lanes: int) -> Any:
    def typed(
        typing: Any,  # noqa: ARG001
        gradient: Any,
        place: Any,  # noqa: ARG001
        columns: Any,  # noqa: ARG001
        pre: Any,
        post: Any,
        walk: Any,  # noqa: ARG001
    ) -> Any:
        long = types.int64
        walks = types.UniTuple(long, 8)
        return types.void(gradient, long, long, pre, post, walks), generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _generate_outer(context, builder, signature, arguments, rows, lanes)
        return context.get_dummy_value()

    return intrinsic(typed)


add_pairs_128, add_pairs_64, add_pairs_32, add_pairs_16, add_pairs_8 = map(
    _add_pairs, (128, 64, 32, 16, 8)
)
"""(targets, first, weights, place, stride, pairs, words, count, shift): of so many lanes,
targets[first + k] += (sum over e of weights[w] low(e) + weights[w + 1] high(e)) << shift,
where w = place + pairs[e] stride + 2 k, and low and high are the 16-bit halves of words[e].

targets, pairs, words: int32. weights: int8. first, place, stride, count: int64. shift: int32.
Nothing checks that the arrays are as long.
"""

ROWS = 4
"""Of a block of a gradient: so many sums do not wait for one another."""

(
    (add_outer_64, add_outer_32, add_outer_16, add_outer_8),
    (add_outer_row_64, add_outer_row_32, add_outer_row_16, add_outer_row_8),
) = (tuple(_add_outer(rows, lanes) for lanes in (64, 32, 16, 8)) for rows in (ROWS, 1))
"""(gradient, place, columns, pre, post, walk): of `ROWS` rows or one, and so many lanes,
gradient[place + row columns + k] += the sum over (i, j) of low low + high high, the halves of
pre[one + row] and of post[other + k], where one = pre_first + i pre_line + j pre_step and
other = post_first + i post_line + j post_step.

walk: int64, (lines, steps, pre_first, pre_line, pre_step, post_first, post_line, post_step); i is
below lines, j below steps. gradient, pre, post: int32. Nothing checks that the arrays are as long.
"""


def _nonzero_mask(typing: Any, values: Any, first: Any, count: Any) -> Any:  # noqa: ARG001
    """Bit k of the result says whether values[first + k] is not zero, for k below `count`, at most
    32. values: int16. first, count: int64. Returns int64. Nothing else is read.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        kind = _vector(_SHORT, CHANNELS)
        lanes = ir.Constant(_vector(_SHORT, CHANNELS), list(range(CHANNELS)))
        many = _everywhere(builder, builder.trunc(arguments[2], _SHORT), CHANNELS)
        there = builder.icmp_unsigned("<", lanes, many)
        place = _at(builder, data, arguments[1], kind)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(kind, (place.type, _INT, there.type, kind)),
            f"llvm.masked.load.v{CHANNELS}i16.p0",
        )
        nothing = ir.Constant(kind, [0] * CHANNELS)
        found = builder.call(function, (place, ir.Constant(_INT, 2), there, nothing))
        bits = builder.bitcast(builder.icmp_signed("!=", found, nothing), _INT)
        return builder.zext(bits, _LONG)

    return types.int64(values, types.int64, types.int64), generate


def _count_ones(typing: Any, bits: Any) -> Any:  # noqa: ARG001
    """How many bits of an int64 are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), generate


def _lowest_one(typing: Any, bits: Any) -> Any:  # noqa: ARG001
    """The number of the lowest bit that is set in an int64 other than 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


nonzero_mask, count_ones, lowest_one = map(intrinsic, (_nonzero_mask, _count_ones, _lowest_one))
