"""What a network must be to learn on chip: its sums fit whatever it learns."""

from toreq_hw.contract.learning import BIAS_GUARD_BITS, BIAS_LATENT_LIMIT
from toreq_hw.errors import InputError, ToreqError
from toreq_hw.network import Network, accumulator_range
from toreq_hw.network.bounds import ACCUMULATOR_LIMIT


def check_headroom(network: Network, error: type[ToreqError] = InputError) -> None:
    """Learned weights and biases may take any value of their formats: that must still fit.

    Raises `error`.
    """
    learned_bias = BIAS_LATENT_LIMIT >> BIAS_GUARD_BITS
    for population in network.relaxing:
        low, high = accumulator_range(network, population.name, any_weights=True)
        worst_case = int(max(-low.min(), high.max())) + learned_bias
        if worst_case > ACCUMULATOR_LIMIT:
            raise error(
                f"population {population.name!r}: accumulators must stay within "
                f"+-{ACCUMULATOR_LIMIT} for any learned weights, worst case is {worst_case}; use "
                "fewer neurons or closer fraction bits"
            )
