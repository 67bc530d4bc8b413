"""Flips one bit of one state and relaxes again: does the network return to its equilibrium?"""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import check_seed, named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult
from toreq_hw.records.simulation import ReturnToEquilibrium
from toreq_hw.sim.perturbation.state_damage import flip_states
from toreq_hw.sim.phases import relax


@named_type_errors
def flip_one_bit(relaxation: PhaseResult, seed: int) -> dict[str, npt.NDArray[np.int16]]:
    """The states with one random bit of one random relaxing neuron flipped in each sample.

    Bits are those of the state's two's complement word; a signed word that leaves the range
    (-2^(b-1)) is read as the smallest state. Arrays are int16 (batch, size).
    """
    network = relaxation.network
    layout = Layout(network)
    joined = layout.join(relaxation.states).copy()
    rng = np.random.default_rng(check_seed(seed))
    neurons = rng.integers(0, layout.neurons, len(joined))
    for sample, neuron in enumerate(neurons):
        population = next(
            p for p in network.relaxing if layout.of(p).start <= neuron < layout.of(p).stop
        )
        mask = np.array(1 << int(rng.integers(population.state_bits)), dtype=np.int16)
        joined[sample, neuron] = flip_states(joined[sample, neuron], mask, population)
    return layout.split(joined)


@named_type_errors
def relax_after_flip(
    relaxation: PhaseResult, inputs: npt.NDArray[np.int16], seed: int
) -> ReturnToEquilibrium:
    """Flips one bit in each sample, announced to the neighbours as an event, and relaxes.

    inputs: integers (batch, n_input).
    """
    after = relax(relaxation.network, inputs, states=flip_one_bit(relaxation, seed))
    same = np.ones(len(inputs), dtype=bool)
    for name, states in relaxation.states.items():
        same &= (after.states[name] == states).all(axis=1)
    return ReturnToEquilibrium(
        samples=len(inputs),
        exact=int(np.count_nonzero(same)),
        same_class=int(np.count_nonzero(after.classes == relaxation.classes)),
    )
