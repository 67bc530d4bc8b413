"""Networks of convolutions and sparse couplings, and their matrices written cell by cell.

`matrix_by_hand` is the meaning of a kind as docs/numerics.md says it, without `edges`.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from testbench.networks import Case
from toreq_hw.errors import NetworkError
from toreq_hw.network import (
    Colouring,
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    SparseCoupling,
    WeightFormat,
)

Weights = npt.NDArray[np.int8]


def matrix_by_hand(coupling: Coupling) -> Weights:
    """The dense matrix of a coupling, int8 (n_pre, n_post)."""
    if isinstance(coupling, ConvolutionCoupling):
        return _convolution_by_hand(coupling)
    if isinstance(coupling, SparseCoupling):
        return _sparse_by_hand(coupling)
    assert isinstance(coupling, DenseCoupling)
    return coupling.weight


def _convolution_by_hand(coupling: ConvolutionCoupling) -> Weights:
    """Output o sees pooled position o stride + tap - padding; a position outside is nothing."""
    kernel, places = coupling.weight, coupling.input_shape[:-1]
    pool, channels = coupling.pool, coupling.input_shape[-1]
    pooled = [size // pool for size in places]
    outputs = [
        (size + 2 * coupling.padding - taps) // coupling.stride + 1
        for size, taps in zip(pooled, kernel.shape, strict=False)
    ]
    matrix = np.zeros((*places, channels, *outputs, kernel.shape[-1]), np.int8)
    for output in product(*map(range, outputs)):
        for tap in product(*map(range, kernel.shape[:-2])):
            seen = [
                o * coupling.stride + k - coupling.padding for o, k in zip(output, tap, strict=True)
            ]
            if not all(0 <= g < size for g, size in zip(seen, pooled, strict=True)):
                continue
            for inside in product(range(pool), repeat=len(places)):
                place = tuple(g * pool + r for g, r in zip(seen, inside, strict=True))
                for one, other in product(range(channels), range(kernel.shape[-1])):
                    assert matrix[*place, one, *output, other] == 0
                    matrix[*place, one, *output, other] = kernel[*tap, one, other]
    return matrix.reshape(coupling.shape)


def _sparse_by_hand(coupling: SparseCoupling) -> Weights:
    matrix = np.zeros(coupling.shape, np.int8)
    for row in range(len(matrix)):
        for k in range(coupling.indptr[row], coupling.indptr[row + 1]):
            matrix[row, coupling.indices[k]] = coupling.weight[k]
            if coupling.is_self_coupling:
                matrix[coupling.indices[k], row] = coupling.weight[k]
    return matrix


def dense_equivalent(network: Network) -> Network:
    """The same network of dense couplings, each bias stored for itself."""
    couplings = tuple(
        DenseCoupling(c.pre, c.post, matrix_by_hand(c), c.fraction_bits, c.weight_format)
        for c in network.couplings
    )
    populations = tuple(
        Population(p.name, p.size, p.role, p.state_bits, p.signed) for p in network.populations
    )
    return replace(network, populations=populations, couplings=couplings)


def sparse_equivalent(coupling: ConvolutionCoupling) -> SparseCoupling:
    """The unrolled convolution: a synapse for each of its edges."""
    pre, post, parameter = coupling.edges()
    return SparseCoupling.of_pairs(
        coupling.pre,
        coupling.post,
        (pre, post),
        coupling.shape,
        weight=coupling.weight.reshape(-1)[parameter],
        fraction_bits=coupling.fraction_bits,
        weight_format=coupling.weight_format,
    )


def random_convolution(
    rng: np.random.Generator, *, axes: int | None = None, pre: str = "input", post: str = "hidden"
) -> ConvolutionCoupling:
    """Any small one: 1-D or 2-D, any stride, padding and pooling at which it fits."""
    axes = axes or int(rng.integers(1, 3))
    weight_format = rng.choice(np.array(WeightFormat))
    while True:
        kernel = (*rng.integers(1, 4, axes).tolist(), *rng.integers(1, 4, 2).tolist())
        try:
            return ConvolutionCoupling(
                pre,
                post,
                drawn_weights(rng, weight_format, kernel),
                int(rng.integers(0, 8)),
                weight_format,
                input_shape=(*rng.integers(1, 8, axes).tolist(), kernel[-2]),
                stride=int(rng.integers(1, 4)),
                padding=int(rng.integers(0, min(kernel[:-2]))),
                pool=int(rng.integers(1, 3)),
            )
        except NetworkError:
            continue


def drawn_weights(
    rng: np.random.Generator,
    weight_format: WeightFormat,
    shape: tuple[int, ...],
    most: int | None = None,
) -> Weights:
    """Any weights of a format, or those of them within +-most."""
    limit = min(weight_format.limit, most or weight_format.limit)
    return rng.integers(-limit, limit + 1, shape).astype(np.int8)


def random_sparse(
    rng: np.random.Generator, pre: Population, post: Population, density: float = 0.4
) -> SparseCoupling:
    """Any pairs of neurons; of a population with itself those from the lower to the higher."""
    chosen = rng.random((pre.size, post.size)) < density
    if pre.name == post.name:
        chosen = np.triu(chosen, 1)
    weight_format = rng.choice(np.array(WeightFormat))
    pairs = np.nonzero(chosen)
    return SparseCoupling.of_pairs(
        pre.name,
        post.name,
        pairs,
        (pre.size, post.size),
        weight=drawn_weights(rng, weight_format, (len(pairs[0]),)),
        fraction_bits=int(rng.integers(0, 8)),
        weight_format=weight_format,
    )


def structured_case(seed: int, *, schedule: Schedule | None = None, batch: int = 3) -> Case:
    """input -convolution- maps -any kind- hidden -dense or sparse- output, and perhaps a skip.

    Any state formats; biases of the maps are one a channel in half of the cases. Without parity,
    hidden is coupled to itself by a sparse coupling; without a schedule, in half of the cases by
    one, under a colouring that joins no two neurons of a colour.
    """
    rng = np.random.default_rng(seed)
    first = random_convolution(rng, post="maps")
    maps = _population(rng, "maps", first.output_shape, shared=bool(rng.integers(2)))
    populations = [_population(rng, "input", first.input_shape), maps]
    couplings: list[Coupling] = [first]
    size = int(rng.integers(2, 9))
    hidden = _population(rng, "hidden", (size,))
    if rng.integers(2) and len(first.output_shape) == 3:
        second = _fitting(rng, maps)
        hidden = _population(rng, "hidden", second.output_shape, shared=bool(rng.integers(2)))
        couplings.append(second)
    else:
        couplings.append(random_sparse(rng, maps, hidden))
    output = _population(rng, "output", (int(rng.integers(2, 6)),))
    populations += [hidden, output]
    couplings.append(_joining(rng, hidden, output))
    if rng.integers(2):
        couplings.append(_joining(rng, populations[0], output))
    coloured = schedule is None and bool(rng.integers(2))
    if coloured or schedule not in (None, Schedule.PARITY):
        couplings.append(random_sparse(rng, hidden, hidden))
    network = Network(
        populations=tuple(populations),
        couplings=tuple(couplings),
        biases={p.name: _drawn_biases(rng, p) for p in populations[1:]},
        schedule=Schedule.SEQUENTIAL if coloured else schedule or Schedule.PARITY,
        beta_shift=int(rng.integers(0, 4)),
    )
    if coloured:
        network = replace(network, schedule=Colouring.greedy(network.relaxing, network.couplings))
    span = (network.input.state_min, network.input.state_max + 1)
    return Case(
        network=network,
        inputs=rng.integers(*span, (batch, network.input.size)).astype(np.int16),
        labels=rng.integers(0, output.size, batch),
    )


def structured_cases(schedule: Schedule | None = None) -> st.SearchStrategy[Case]:
    """Hypothesis draws the seed, so that a failing case is one number."""
    return st.integers(0, 2**32 - 1).map(lambda seed: structured_case(seed, schedule=schedule))


def population(
    name: str,
    shape: tuple[int, ...],
    state_bits: int,
    *,
    signed: bool = False,
    shared: bool = False,
) -> Population:
    """A population of this shape, whose role its name says. shared: one bias a channel."""
    roles = {"input": Role.INPUT, "output": Role.OUTPUT}
    return Population(
        name,
        int(np.prod(shape)),
        roles.get(name, Role.HIDDEN),
        state_bits,
        signed,
        shape=shape if len(shape) > 1 else (),
        bias_per_channel=shared,
    )


def convolutional(
    seed: int, channels: tuple[int, int], weight_format: WeightFormat, *, pooled: bool = False
) -> Network:
    """input 9x8 -> 3x3, stride 2, padding 1 -> 5x4 -> 2x2 -> 4x3 -> 4 outputs, random weights.

    pooled: 5x4 -> sums over 2x2 -> 1x1 -> 2x2 in the place of the second one.
    """
    rng = np.random.default_rng(seed)
    c1, c2 = channels
    taps, places, pool = ((1, 1), (2, 2), 2) if pooled else ((2, 2), (4, 3), 1)
    most, f = (25, 7) if weight_format is WeightFormat.INT8 else (1, 4)
    populations = (
        population("input", (9, 8, 1), 4),
        population("one", (5, 4, c1), 5, shared=True),
        population("two", (*places, c2), 5, shared=True),
        population("output", (4,), 5),
    )
    first, second = (
        ConvolutionCoupling(
            pre.name,
            post.name,
            drawn_weights(rng, weight_format, (*kernel, pre.shape[-1], post.shape[-1]), most),
            f,
            weight_format,
            input_shape=pre.shape,
            stride=stride,
            padding=padding,
            pool=pool if kernel is taps else 1,
        )
        for pre, post, kernel, stride, padding in (
            (*populations[:2], (3, 3), 2, 1),
            (*populations[1:3], taps, 1, 0),
        )
    )
    weight = drawn_weights(rng, weight_format, (populations[2].size, 4), most)
    last = DenseCoupling("two", "output", weight, f, weight_format)
    biases = {"one": rng.integers(-40, 41, c1).astype(np.int32)}
    return Network(populations, (first, second, last), biases, Schedule.PARITY)


def _population(
    rng: np.random.Generator, name: str, shape: tuple[int, ...], *, shared: bool = False
) -> Population:
    signed = bool(rng.integers(2))
    return population(name, shape, int(rng.integers(1 + signed, 9)), signed=signed, shared=shared)


def _fitting(rng: np.random.Generator, maps: Population) -> ConvolutionCoupling:
    weight_format = rng.choice(np.array(WeightFormat))
    kernel = tuple(min(int(rng.integers(1, 3)), size) for size in maps.shape[:-1])
    shape = (*kernel, maps.shape[-1], int(rng.integers(1, 4)))
    return ConvolutionCoupling(
        "maps",
        "hidden",
        drawn_weights(rng, weight_format, shape),
        int(rng.integers(0, 8)),
        weight_format,
        input_shape=maps.shape,
        stride=int(rng.integers(1, 3)),
        padding=int(rng.integers(0, min(kernel))),
    )


def _joining(rng: np.random.Generator, pre: Population, post: Population) -> Coupling:
    if rng.integers(2):
        return random_sparse(rng, pre, post)
    weight_format = rng.choice(np.array(WeightFormat))
    weight = drawn_weights(rng, weight_format, (pre.size, post.size))
    return DenseCoupling(pre.name, post.name, weight, int(rng.integers(0, 8)), weight_format)


def _drawn_biases(rng: np.random.Generator, population: Population) -> npt.NDArray[np.int32]:
    return rng.integers(-800, 801, population.biases, dtype=np.int32)
