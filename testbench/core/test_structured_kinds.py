"""Convolutions and sparse couplings: what they join, their ranges, their files, their refusals."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.structured import (
    matrix_by_hand,
    random_convolution,
    random_sparse,
    sparse_equivalent,
    structured_case,
)
from toreq_hw.errors import NetworkError
from toreq_hw.network import (
    ConvolutionCoupling,
    Coupling,
    Network,
    Population,
    Role,
    SparseCoupling,
    WeightFormat,
)
from toreq_hw.network.bounds import accumulator_range

SEEDS = st.integers(0, 2**32 - 1)


def test_a_convolution_by_hand() -> None:
    """A 3 x 3 image, one 2 x 2 kernel, stride 1: the sums of docs/numerics.md, section 7."""
    kernel = np.array([[1, 2], [3, -4]], np.int8).reshape(2, 2, 1, 1)
    net = Network(
        (
            Population("input", 9, Role.INPUT, shape=(3, 3, 1)),
            Population("output", 4, Role.OUTPUT, shape=(2, 2, 1), bias_per_channel=True),
        ),
        (
            ConvolutionCoupling(
                "input", "output", kernel, 0, WeightFormat.INT8, input_shape=(3, 3, 1)
            ),
        ),
        {"output": np.array([10], np.int32)},
    )
    (projection,) = net.projections
    image = np.array([[1, 2, 3, 4, 5, 6, 7, 8, 9]])
    assert projection.apply(image).tolist() == [[-3, -1, 3, 5]]
    assert net.biases["output"].tolist() == [10, 10, 10, 10]
    assert net.tensors()["output.bias"].tolist() == [10]
    (coupling,) = net.couplings
    assert isinstance(coupling, ConvolutionCoupling)
    padded = replace(coupling, padding=1)
    assert padded.output_shape == (4, 4, 1)
    assert padded.matrix_of(kernel)[0].reshape(4, 4).tolist() == [
        [-4, 3, 0, 0],
        [2, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_convolution_joins_what_is_written(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coupling = random_convolution(rng)
    matrix = matrix_by_hand(coupling)
    assert np.array_equal(coupling.matrix_of(coupling.weight), matrix)
    listed = sparse_equivalent(coupling)
    assert np.array_equal(listed.matrix_of(listed.weight), matrix)
    for one in (coupling, listed):
        assert_ranges_and_degrees(one)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_sparse_coupling_joins_what_is_written(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (Population(n, int(rng.integers(1, 9)), Role.HIDDEN) for n in ("a", "b"))
    for pre, post in ((one, other), (one, one)):
        coupling = random_sparse(rng, pre, post)
        matrix = matrix_by_hand(coupling)
        assert np.array_equal(coupling.matrix_of(coupling.weight), matrix)
        assert_ranges_and_degrees(coupling)


def assert_ranges_and_degrees(coupling: Coupling) -> None:
    """They are those that every kind has from its edges."""
    for signed in (False, True):
        for backward in (False, True):
            source = Population("any", coupling.shape[backward], Role.HIDDEN, 4, signed)
            for any_weights in (False, True):
                found, expected = (
                    kind.sum_range(coupling, source, backward=backward, any_weights=any_weights)
                    for kind in (type(coupling), Coupling)
                )
                assert np.array_equal(found, expected)
    for backward in (False, True):
        found, expected = (
            kind.degrees(coupling, backward=backward) for kind in (type(coupling), Coupling)
        )
        assert np.array_equal(found, expected)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_pooling_is_the_same_taps_repeated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coupling = random_convolution(rng, axes=2)
    pool = coupling.pool
    explicit = ConvolutionCoupling(
        coupling.pre,
        coupling.post,
        np.ascontiguousarray(coupling.weight.repeat(pool, axis=0).repeat(pool, axis=1)),
        coupling.fraction_bits,
        coupling.weight_format,
        input_shape=tuple(n // pool * pool for n in coupling.input_shape[:2])
        + coupling.input_shape[2:],
        stride=coupling.stride * pool,
        padding=coupling.padding * pool,
    )
    assert explicit.output_shape == coupling.output_shape
    whole = coupling.matrix_of(coupling.weight).reshape(*coupling.input_shape, -1)
    rows, columns, _ = explicit.input_shape
    seen = whole[:rows, :columns]
    assert np.array_equal(seen.reshape(explicit.shape), explicit.matrix_of(explicit.weight))
    assert np.count_nonzero(whole) == np.count_nonzero(seen)


def test_a_kernel_of_one_position_is_one_matrix_at_all() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(-9, 10, (1, 3, 2)).astype(np.int8)
    coupling = ConvolutionCoupling("a", "b", weight, 3, WeightFormat.INT8, input_shape=(5, 3))
    matrix = coupling.matrix_of(weight).reshape(5, 3, 5, 2)
    for i in range(5):
        for j in range(5):
            assert np.array_equal(matrix[i, :, j], weight[0] if i == j else 0 * weight[0])


def test_a_large_convolution_is_checked_at_once() -> None:
    """37 million edges: none of them is listed to make and to bound the network."""
    net = Network(
        (
            Population("input", 32 * 32 * 64, Role.INPUT),
            Population("output", 32 * 32 * 64, Role.OUTPUT, shape=(32, 32, 64)),
        ),
        (
            ConvolutionCoupling(
                "input",
                "output",
                np.ones((3, 3, 64, 64), np.int8),
                0,
                WeightFormat.TERNARY,
                input_shape=(32, 32, 64),
                padding=1,
            ),
        ),
        {},
    )
    _, high = accumulator_range(net, "output", any_weights=True)
    drive = 255 << 0 >> 1
    assert high.max() == 9 * 64 * 255 + drive + 1
    assert high.min() == 4 * 64 * 255 + drive + 1


def convolution(**changes: Any) -> Callable[[], ConvolutionCoupling]:
    given = {"input_shape": (5, 5, 2), "weight": np.zeros((3, 3, 2, 4), np.int8)} | changes
    weight = given.pop("weight")
    ends = (given.pop("pre", "a"), given.pop("post", "b"))
    return lambda: ConvolutionCoupling(*ends, weight, 3, WeightFormat.INT8, **given)


def sparse(**changes: Any) -> Callable[[], object]:
    given = {
        "weight": np.zeros(3, np.int8),
        "indptr": np.array([0, 1, 3], np.int32),
        "indices": np.array([1, 0, 1], np.int32),
        "columns": 2,
    } | changes
    weight = given.pop("weight")
    ends = (given.pop("pre", "a"), given.pop("post", "b"))
    return lambda: SparseCoupling(*ends, weight, 3, WeightFormat.INT8, **given)


REJECTED = {
    "channels": (convolution(input_shape=(5, 5, 3)), "kernel must have 3 input channels, found 2"),
    "axes": (convolution(input_shape=(5, 2)), "weight must have 3 dimensions, not 4"),
    "too many axes": (convolution(input_shape=(5, 5, 5, 2)), r"must be \(y, x, channels\) or"),
    "stride": (convolution(stride=0), "stride must be an integer in 1..4096, found 0"),
    "padding": (convolution(padding=3), "padding must be an integer in 0..2, found 3"),
    "pool": (convolution(pool=True), "pool must be an integer in 1..5, found True"),
    "kernel": (
        convolution(input_shape=(5, 2, 2)),
        "kernel must fit 5 x 2 positions with 0 of padding, found 3 x 3",
    ),
    "pooled away": (convolution(pool=6), "pool must be an integer in 1..5, found 6"),
    "itself": (convolution(post="a"), "must join two populations, found 'a' twice"),
    "no channel": (
        convolution(weight=np.zeros((3, 3, 2, 0), np.int8)),
        r"kernel and channels must be at least 1, found \(3, 3, 2, 0\)",
    ),
    "taps": (
        convolution(input_shape=(10**6, 2), weight=np.zeros((4000, 2, 4), np.int8)),
        "an axis must have at most 4194304 taps of all positions, found 3984004000",
    ),
    "many": (convolution(input_shape=(10**5, 10**5, 2)), "at most 16777216 neurons"),
    "rise": (sparse(indices=np.array([1, 1, 1], np.int32)), "must rise, found 1, 1 in row 1"),
    "columns": (sparse(columns=1), r"indices must be in 0..0, found 1"),
    "no columns": (sparse(columns=0), "columns must be an integer in 1..16777216, found 0"),
    "indptr": (sparse(indptr=np.array([0, 2], np.int32)), "indptr must run from 0 to 3, found"),
    "falls": (sparse(indptr=np.array([0, 4, 3], np.int32)), "indptr must not fall, found"),
    "length": (sparse(weight=np.zeros(2, np.int8)), "indices must be 2, one a weight, found 3"),
    "wide": (sparse(indices=np.array([1, 0, 1])), "int32 array of 1 dimension, found int64 of 1"),
    "list": (sparse(indptr=[0, 1, 3]), "indptr must be an array, found list"),
    "upwards": (
        sparse(post="a"),
        r"self-coupling must run from the lower neuron to the higher, found \[1, 0\]",
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_no_coupling_is_refused(name: str) -> None:
    make, words = REJECTED[name]
    with pytest.raises(NetworkError, match=words) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_shapes_of_populations_are_those_of_the_convolution() -> None:
    coupling = convolution()()
    assert coupling.output_shape == (3, 3, 4)

    def joined(pre: tuple[int, ...], post: tuple[int, ...]) -> Network:
        populations = (
            Population("a", int(np.prod(pre)), Role.INPUT, shape=pre if len(pre) > 1 else ()),
            Population("b", int(np.prod(post)), Role.OUTPUT, shape=post if len(post) > 1 else ()),
        )
        return Network(populations, (coupling,), {})

    for pre, post in (((5, 5, 2), (3, 3, 4)), ((50,), (36,))):
        joined(pre, post)
    with pytest.raises(NetworkError, match="pre must have 5 x 5 x 2 neurons, found 2 x 5 x 5 in"):
        joined((2, 5, 5), (36,))
    with pytest.raises(NetworkError, match="post must have 3 x 3 x 4 neurons, found 35 in 'b'"):
        joined((50,), (35,))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": (2, 4)}, "shape must hold 9 neurons, not 8"),
        ({"shape": (3, 0)}, "shape must be at most 4 whole numbers from 1 on, not"),
        ({"shape": (1, 1, 1, 1, 9)}, "shape must be at most 4 whole numbers"),
        ({"bias_per_channel": True}, "bias_per_channel must be true or false, and needs a shape"),
        ({"shape": (9,), "bias_per_channel": 1}, "bias_per_channel must be true or false"),
    ],
)
def test_shapes_that_are_none_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        Population("a", 9, Role.HIDDEN, **changes)


def test_a_shared_bias_is_one() -> None:
    net = next(n for n in (structured_case(k).network for k in range(40)) if shares(n))
    population = next(p for p in net.relaxing if p.bias_per_channel and p.biases < p.size)
    wrong = net.biases[population.name].copy()
    wrong[population.biases] += 1
    with pytest.raises(NetworkError, match="neurons of a channel must have one bias, found"):
        replace(net, biases={population.name: wrong})
    with pytest.raises(NetworkError, match=rf"must have shape \({population.biases},\), not \(1"):
        replace(net, biases={population.name: np.zeros(population.size + 1, np.int32)[None]})


def shares(net: Network) -> bool:
    return any(p.bias_per_channel and p.biases < p.size for p in net.relaxing)
