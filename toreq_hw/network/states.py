"""States and labels from outside, checked where they enter; every part of the project uses this."""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import whole_numbers
from toreq_hw.errors import InputError
from toreq_hw.network.network import Network
from toreq_hw.network.population import STATE_DTYPE, Population


@named_type_errors
def check_states(population: Population, states: npt.ArrayLike) -> npt.NDArray[np.int16]:
    """`states` as an int16 array, shape (batch, size), every value in the population's range.

    Raises InputError naming what must hold and what was found; floats are refused, because
    rounding them is the caller's decision. A budget row has at most its budget in all.
    """
    array = whole_numbers(
        f"states of {population.name!r}",
        states,
        ("batch", population.size),
        population.state_min,
        population.state_max,
    )
    if population.rows is not None:
        _check_rows(population, array)
    return np.ascontiguousarray(array, dtype=STATE_DTYPE)


def _check_rows(population: Population, states: npt.NDArray[np.integer]) -> None:
    rows = population.rows
    assert rows is not None
    shared = states.reshape(len(states), -1, rows.length)
    most = int(shared.sum(axis=2).max(initial=0))
    if most > rows.budget:
        raise InputError(
            f"states of {population.name!r}: a row must add up to at most {rows.budget}, found "
            f"{most}"
        )
    if shared[:, ~rows.cells(population.size)].any():
        raise InputError(
            f"states of {population.name!r}: must be 0 where the mask is, found others"
        )


@named_type_errors
def check_starts(network: Network, states: npt.ArrayLike, samples: int) -> npt.NDArray[np.int16]:
    """`states` as int16 (samples, neurons), relaxing populations in file order, all in range.

    Raises InputError.
    """
    neurons = sum(population.size for population in network.relaxing)
    low = min(population.state_min for population in network.relaxing)
    high = max(population.state_max for population in network.relaxing)
    found = whole_numbers("starts", states, (samples, neurons), low, high)
    parts = np.split(found, np.cumsum([p.size for p in network.relaxing])[:-1], axis=1)
    for population, part in zip(network.relaxing, parts, strict=True):
        check_states(population, part)
    return np.ascontiguousarray(found, dtype=STATE_DTYPE)


@named_type_errors
def check_classes(
    network: Network, labels: npt.ArrayLike, samples: int | None = None
) -> npt.NDArray[np.int64]:
    """`labels` as `check_labels`; of a readout with several rows int64 (batch, rows), one a row.

    Raises InputError.
    """
    if network.readout is None or network.readout.rows == 1:
        return check_labels(network.output, labels, samples)
    rows = network.readout.rows
    shape = ("batch" if samples is None else samples, rows)
    array = whole_numbers("labels", labels, shape, 0, network.output.size // rows - 1)
    return np.ascontiguousarray(array, dtype=np.int64)


@named_type_errors
def check_labels(
    output: Population, labels: npt.ArrayLike, samples: int | None = None
) -> npt.NDArray[np.int64]:
    """`labels` as int64 (batch,), each the number of an output neuron.

    samples: how many there must be, None for any number. Raises InputError.
    """
    array = whole_numbers("labels", labels, ("batch",), 0, output.size - 1)
    if samples is not None and len(array) != samples:
        raise InputError(f"labels: must be one per input ({samples}), not {len(array)}")
    return np.ascontiguousarray(array, dtype=np.int64)
