"""Random chains of every kind of coupling, for training on tensors."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from testbench.networks import Case
from testbench.structured import drawn_weights, random_convolution, random_sparse
from toreq_hw.errors import NetworkError
from toreq_hw.network import (
    ClampedReadout,
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    Network,
    Normalisation,
    Population,
    Role,
    WeightFormat,
)


def chain_case(seed: int, *, batch: int = 6, clamped: bool | None = None) -> Case:
    """input -convolution- maps -any kind- .. -dense or sparse- output, under the parity schedule.

    All couplings are of one weight format, signed and unsigned states of any width. Half of the
    cases have feedback shifts, and a clamped readout where `clamped` is not given.
    """
    rng = np.random.default_rng([seed, 3])
    kind = WeightFormat.INT8 if rng.integers(2) else WeightFormat.TERNARY
    first = replace(random_convolution(rng, post="maps"), fraction_bits=int(rng.integers(2, 8)))
    populations = [
        _shaped(rng, "input", first.input_shape),
        _shaped(rng, "maps", first.output_shape),
    ]
    couplings: list[Coupling] = [first]
    for name in ("middle", "output")[int(rng.integers(2)) :]:
        couplings.append(_next(rng, populations[-1], name))
        populations.append(_end(rng, couplings[-1], name))
    clamped = bool(rng.integers(2)) if clamped is None else clamped
    if clamped:
        populations[-1] = replace(populations[-1], state_bits=8, signed=True)
    depths = rng.integers(0, 3, len(populations)) * int(rng.integers(2))
    shifts = [0, *(int(b - a) for a, b in pairwise(depths[1:]))]
    network = Network(
        tuple(populations),
        tuple(
            replace(_of_format(rng, c, kind), feedback_shift=s)
            for c, s in zip(couplings, shifts, strict=True)
        ),
        {p.name: rng.integers(-800, 801, p.biases, dtype=np.int32) for p in populations[1:]},
        beta_shift=int(rng.integers(0, 3)),
        readout=_readout(rng) if clamped else None,
    )
    span = (network.input.state_min, network.input.state_max + 1)
    return Case(
        network=network,
        inputs=rng.integers(*span, (batch, network.input.size)).astype(np.int16),
        labels=rng.integers(0, network.output.size, batch),
    )


def _shaped(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Population:
    signed = bool(rng.integers(2))
    return Population(
        name,
        int(np.prod(shape)),
        {"input": Role.INPUT, "output": Role.OUTPUT}.get(name, Role.HIDDEN),
        int(rng.integers(1 + signed, 9)),
        signed,
        shape=shape if len(shape) > 1 else (),
        bias_per_channel=len(shape) > 1 and bool(rng.integers(2)),
    )


def _next(rng: np.random.Generator, pre: Population, name: str) -> Coupling:
    """A coupling of any kind from `pre`; the output is at the end of no convolution."""
    if name == "middle" and pre.shape and rng.integers(4):
        for _ in range(50):
            found = random_convolution(rng, axes=len(pre.shape) - 1, pre=pre.name, post=name)
            kernel = (*found.weight.shape[:-2], pre.shape[-1], found.weight.shape[-1])
            weight = drawn_weights(rng, found.weight_format, kernel)
            try:
                return replace(found, weight=weight, input_shape=pre.shape)
            except NetworkError:
                continue
    size = int(rng.integers(2, 7))
    post = Population(name, size, Role.HIDDEN)
    if rng.integers(2):
        return random_sparse(rng, pre, post)
    weight = drawn_weights(rng, WeightFormat.INT8, (pre.size, size))
    return DenseCoupling(pre.name, name, weight, int(rng.integers(2, 8)), WeightFormat.INT8)


def _end(rng: np.random.Generator, coupling: Coupling, name: str) -> Population:
    if isinstance(coupling, ConvolutionCoupling):
        return _shaped(rng, name, coupling.output_shape)
    return _shaped(rng, name, (coupling.shape[1],))


def _of_format(rng: np.random.Generator, coupling: Coupling, kind: WeightFormat) -> Coupling:
    own: dict[str, Any] = {"weight": np.zeros_like(coupling.parameters), "weight_format": kind}
    blank = replace(coupling, **own)
    return blank.with_parameters(drawn_weights(rng, kind, coupling.parameters.shape))


def _readout(rng: np.random.Generator) -> ClampedReadout:
    soft = Normalisation.SOFTMAX if rng.integers(2) else Normalisation.SPARSEMAX
    return ClampedReadout((int(rng.integers(256, 400)), 1), soft)
