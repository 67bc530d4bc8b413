"""Post-training quantisation: a float model becomes a network, with an account of the loss."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.data import Dataset, encode
from toreq_hw.errors import InputError
from toreq_hw.network import (
    MAX_FRACTION_BITS,
    DenseCoupling,
    Network,
    Population,
    Role,
    WeightFormat,
)
from toreq_hw.quant.fit import Fit, fit, quantise
from toreq_hw.quant.float_model import FloatModel, relax_float
from toreq_hw.records.quantisation import CouplingError, QuantisationReport


@named_type_errors
def quantise_model(
    model: FloatModel,
    weight_format: WeightFormat,
    state_bits: int,
    input_bits: int,
    fraction_bits: tuple[int, ...] | None = None,
) -> tuple[Network, tuple[Fit, ...]]:
    """The network, and each coupling's fit; fraction bits of least squared error if None.

    A weight from activations over 0..1 to the same counts s_max_post / s_max_pre in states; between
    hidden and output populations, which share their state bits, that is 1. Raises InputError for
    fraction bits of another number or range, and for a bias that leaves 32 bits.
    """
    sizes = [len(model.weights[0]), *(len(b) for b in model.biases)]
    roles = [Role.INPUT, *[Role.HIDDEN] * (len(sizes) - 2), Role.OUTPUT]
    bits = [input_bits, *[state_bits] * (len(sizes) - 1)]
    populations = tuple(
        Population(name, size, role, b)
        for name, size, role, b in zip(model.names, sizes, roles, bits, strict=True)
    )
    if fraction_bits is not None and len(fraction_bits) != len(model.weights):
        raise InputError(
            f"fraction bits must be {len(model.weights)} numbers, one per coupling, "
            f"not {len(fraction_bits)}"
        )
    for chosen in fraction_bits or ():
        if type(chosen) is not int or not 0 <= chosen <= MAX_FRACTION_BITS:
            raise InputError(
                f"fraction bits must be integers in 0..{MAX_FRACTION_BITS}, not {chosen!r:.40}"
            )
    fits = []
    for index, (pre, post) in enumerate(pairwise(populations)):
        real = model.weights[index] * (post.state_max / pre.state_max)
        if fraction_bits is None:
            fits.append(fit(real, weight_format))
        else:
            fits.append(quantise(real, weight_format, fraction_bits[index]))
    couplings = tuple(
        DenseCoupling(pre.name, post.name, f.weight, f.fraction_bits, weight_format)
        for (pre, post), f in zip(pairwise(populations), fits, strict=True)
    )
    biases = {}
    for index, population in enumerate(populations[1:]):
        deepest = max(f.fraction_bits for f in fits[index : index + 2])
        scaled = np.round(model.biases[index] * (population.state_max << deepest))
        if np.abs(scaled).max(initial=0) >= 2**31:
            raise InputError(f"bias of {population.name!r}: must fit 32 bits after scaling")
        biases[population.name] = scaled.astype(np.int32)
    return Network(populations, couplings, biases), tuple(fits)


@named_type_errors
def account(
    model: FloatModel, network: Network, fits: tuple[Fit, ...], dataset: Dataset
) -> QuantisationReport:
    """Where accuracy on `dataset.test` is lost: each coupling alone, then all of them."""
    inputs = encode(dataset.test.images, dataset.pixel_max, network.input)
    real_inputs = inputs.astype(np.float64) / network.input.state_max
    labels = dataset.test.labels
    back = [
        f.weight.astype(np.float64)
        * 2.0**-f.fraction_bits
        * network.population(c.pre).state_max
        / network.population(c.post).state_max
        for f, c in zip(fits, network.dense_couplings, strict=True)
    ]

    def accuracy(weights: list[npt.NDArray[np.float64]]) -> tuple[float, int]:
        states, sweeps = relax_float(weights, model.biases, real_inputs)
        return float(np.mean(states[-1].argmax(axis=1) == labels)), sweeps

    real = list(model.weights)
    errors = []
    for index, (found, coupling) in enumerate(zip(fits, network.dense_couplings, strict=True)):
        alone, _ = accuracy([*real[:index], back[index], *real[index + 1 :]])
        errors.append(
            CouplingError(
                coupling=coupling.name,
                fraction_bits=found.fraction_bits,
                clipped_fraction=found.clipped_fraction,
                sqnr_db=None if found.exact else found.sqnr_db,
                sparsity=float(np.mean(found.weight == 0)),
                accuracy_alone=alone,
            )
        )
    before, sweeps = accuracy(real)
    return QuantisationReport(tuple(errors), before, accuracy(back)[0], sweeps)
