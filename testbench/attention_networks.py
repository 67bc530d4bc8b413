"""Random networks with trilinear terms and budget rows beside couplings of every kind."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from testbench.networks import Case
from testbench.structured import drawn_weights, random_sparse
from toreq_hw.errors import NetworkError
from toreq_hw.network import (
    BudgetRows,
    Colouring,
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    Network,
    NeuronSet,
    Normalisation,
    Population,
    Role,
    Schedule,
    Trilinear,
    WeightFormat,
    colour_by_terms,
)

Generator = np.random.Generator


def attention_case(seed: int, *, batch: int = 3) -> Case:
    """Input, query, key, value, scores, attended, hidden and output.

    Query comes from the input by a convolution of one tap, key by a sparse coupling, value and
    hidden by dense ones. Scores are rows in three of four cases, with any mask, table and budget;
    hidden is coupled to itself in half of those that are sequential. Any shapes and state formats.
    """
    rng = np.random.default_rng(seed)
    while True:
        try:
            network = _drawn(rng)
        except NetworkError as error:
            if "rise strictly" not in str(error):
                raise
            continue
        span = (network.input.state_min, network.input.state_max + 1)
        inputs = rng.integers(*span, (batch, network.input.size)).astype(np.int16)
        return Case(network, inputs, rng.integers(0, network.output.size, batch))


def attention_cases() -> st.SearchStrategy[Case]:
    """Hypothesis draws the seed, so that a failing case is one number."""
    return st.integers(0, 2**32 - 1).map(attention_case)


def feasible_states(rng: Generator, network: Network) -> dict[str, npt.NDArray[np.int16]]:
    """Any states of one sample, int16 (1, size) each; rows add up to at most their budget."""
    found = {}
    for population in network.relaxing:
        span = (population.state_min, population.state_max + 1)
        states = rng.integers(*span, (1, population.size)).astype(np.int16)
        if population.rows is not None:
            states[:] = 0
            cells = population.rows.cells(population.size)
            for row, own in zip(states.reshape(cells.shape), cells, strict=True):
                for _ in range(int(rng.integers(0, population.rows.budget + 1))):
                    row[rng.choice(np.flatnonzero(own))] += 1
        found[population.name] = states
    return found


def _drawn(rng: Generator) -> Network:
    heads, queries, keys, width, channels = rng.integers(1, 4, 5).tolist()
    populations = [
        _population(rng, "input", (queries, channels)),
        _population(rng, "query", (queries, heads * width)),
        _population(rng, "key", (keys, heads * width)),
        _population(rng, "value", (keys, heads * width)),
        _scores(rng, (heads, queries, keys)),
        _population(rng, "attended", (queries, heads * width)),
        _population(rng, "hidden", (int(rng.integers(1, 5)),)),
        _population(rng, "output", (int(rng.integers(2, 5)),)),
    ]
    by_name = {p.name: p for p in populations}
    couplings = _couplings(rng, by_name)
    sizes = {"heads": heads, "queries": queries, "keys": keys, "width": width}
    terms = [
        Trilinear("scores", left, right, **sizes, fraction_bits=int(rng.integers(0, 10)))
        for left, right in (("query", "key"), ("attended", "value"))
    ]
    sequential = bool(rng.integers(2))
    if sequential and rng.integers(2):
        couplings.append(random_sparse(rng, by_name["hidden"], by_name["hidden"]))
    updating = populations[1:]
    schedule = Schedule.SEQUENTIAL if sequential else colour_by_terms(updating, couplings, terms)
    network = Network(
        populations=tuple(populations),
        couplings=tuple(couplings),
        biases={p.name: rng.integers(-800, 801, p.biases, dtype=np.int32) for p in updating},
        schedule=schedule,
        beta_shift=int(rng.integers(0, 4)),
        terms=tuple(terms),
    )
    return _with_rows_apart(rng, network) if rng.integers(2) else network


def _population(rng: Generator, name: str, shape: tuple[int, ...]) -> Population:
    signed = bool(rng.integers(4))
    roles = {"input": Role.INPUT, "output": Role.OUTPUT}
    positions = shape if len(shape) > 1 else ()
    shared = bool(positions) and name != "input" and bool(rng.integers(2))
    return Population(
        name,
        int(np.prod(shape)),
        roles.get(name, Role.HIDDEN),
        int(rng.integers(1 + signed, 9)),
        signed,
        shape=positions,
        bias_per_channel=shared,
    )


def _scores(rng: Generator, shape: tuple[int, int, int]) -> Population:
    if not rng.integers(4):
        return _population(rng, "scores", shape)
    budget = int(rng.integers(1, 256))
    mask: tuple[str, ...] = ()
    if rng.integers(2):
        seen = rng.integers(0, 2, shape[1:])
        seen[np.arange(shape[1]), rng.integers(0, shape[2], shape[1])] = 1
        mask = tuple("".join(map(str, row)) for row in seen)
    rows = BudgetRows(
        shape[2],
        budget,
        Normalisation.SOFTMAX if rng.integers(2) else Normalisation.SPARSEMAX,
        (int(rng.integers(1, 40)), int(rng.integers(1, 9))),
        at_most=bool(rng.integers(2)),
        mask=mask,
    )
    bits = max(budget.bit_length(), int(rng.integers(1, 9)))
    return Population("scores", int(np.prod(shape)), Role.HIDDEN, bits, shape=shape, rows=rows)


def _couplings(rng: Generator, by_name: dict[str, Population]) -> list[Coupling]:
    source, query = by_name["input"], by_name["query"]
    weight_format = rng.choice(np.array(WeightFormat))
    kernel = (1, source.shape[-1], query.shape[-1])
    found: list[Coupling] = [
        ConvolutionCoupling(
            "input",
            "query",
            drawn_weights(rng, weight_format, kernel),
            int(rng.integers(0, 8)),
            weight_format,
            input_shape=source.shape,
        ),
        random_sparse(rng, source, by_name["key"]),
        _dense(rng, source, by_name["value"]),
        _dense(rng, by_name["attended"], by_name["hidden"]),
        _dense(rng, by_name["hidden"], by_name["output"]),
    ]
    if rng.integers(2):
        found.append(random_sparse(rng, source, by_name["scores"]))
    if rng.integers(2):
        found.append(_dense(rng, by_name["query"], by_name["value"]))
    return found


def _dense(rng: Generator, pre: Population, post: Population) -> DenseCoupling:
    weight_format = rng.choice(np.array(WeightFormat))
    weight = drawn_weights(rng, weight_format, (pre.size, post.size))
    return DenseCoupling(pre.name, post.name, weight, int(rng.integers(0, 8)), weight_format)


def _with_rows_apart(rng: Generator, network: Network) -> Network:
    """The same network with its scores in two colours, every other row, where it has rows."""
    scores = network.population("scores")
    if scores.rows is None or scores.size == scores.rows.length:
        return network
    number = np.arange(scores.size) // scores.rows.length % 2
    parts = [NeuronSet("scores", tuple(np.flatnonzero(number == k).tolist())) for k in (0, 1)]
    colours = []
    for colour in network.colours:
        rest = tuple(part for part in colour if part.population != "scores")
        colours += [rest] if rest else []
        if len(rest) < len(colour):
            colours += [(part,) for part in parts]
    order = rng.permutation(len(colours))
    return replace(network, schedule=Colouring(tuple(colours[k] for k in order)))
