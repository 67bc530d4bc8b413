"""What learning keeps per synapse, laid out for compiled code: latents and where weights lie."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.arrays import whole_numbers
from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.learning import (
    BIAS_GUARD_BITS,
    BIAS_LATENT_LIMIT,
    LATENT_BITS,
    LATENT_LIMIT,
    WEYL_STEP,
)
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat
from toreq_hw.sim.learning.parts import Part, parts_of
from toreq_hw.sim.learning.shared import SharedParameters, shared_parameters
from toreq_hw.sim.plan import Ints, Plan, population_numbers, projection_weight


class Synapses(NamedTuple):
    """All parts (see `parts_of`). Populations are numbered as in `Plan`, the input is -1.

    first: where a coupling's latents begin in `latent`, row-major. shared: of couplings that are
    not dense. forward, backward: where
    its weights begin in `Plan.weights`, by pre rows and by post rows (-1 where these are no mirror
    of them; a self-coupling has its mirror in the same matrix). theta: ternary threshold,
    0 for INT8. dropped: low bits that are always 0. biases: per population, how many it has: neuron
    i has bias i modulo that. bias_latent: one per relaxing neuron, equal where they share a bias.
    weyl: what each column adds to its row's random word. moved, delta: working memory of one
    update, of each neuron.
    """

    pre: Ints
    post: Ints
    first: Ints
    forward: Ints
    backward: Ints
    theta: Ints
    dropped: Ints
    biases: Ints
    shared: SharedParameters
    latent: npt.NDArray[np.int16]
    bias_latent: npt.NDArray[np.int32]
    weyl: npt.NDArray[np.int32]
    moved: npt.NDArray[np.int64]
    delta: npt.NDArray[np.int32]


def blank_synapses(
    network: Network, plan: Plan, theta: int, latent_bits: Sequence[int], *, lowered: bool
) -> Synapses:
    """All latents zero, those of biases too.

    latent_bits: of each coupling. lowered: `plan` is of the default lowering.
    """
    parts = parts_of(network)
    number = population_numbers(network)
    ends = [(number[part.coupling.pre], number[part.coupling.post]) for part in parts]
    sizes = [part.coupling.parameters.size for part in parts]
    ternary = [part.coupling.weight_format is WeightFormat.TERNARY for part in parts]
    shared = shared_parameters(network, plan, parts, lowered=lowered)
    return Synapses(
        pre=np.array([pre for pre, _ in ends], dtype=np.int64),
        post=np.array([post for _, post in ends], dtype=np.int64),
        first=np.cumsum([0, *sizes], dtype=np.int64)[:-1],
        forward=np.array(
            [projection_weight(plan, pre, post) for pre, post in ends], dtype=np.int64
        ),
        backward=np.array([_mirror(network, plan, part, number) for part in parts], dtype=np.int64),
        theta=np.array([theta if t else 0 for t in ternary], dtype=np.int64),
        biases=np.array([p.biases for p in network.relaxing], dtype=np.int64),
        dropped=LATENT_BITS
        - np.array([latent_bits[part.number] for part in parts], dtype=np.int64),
        shared=shared,
        latent=np.zeros(sum(sizes), dtype=np.int16),
        bias_latent=np.zeros(len(plan.bias), dtype=np.int32),
        moved=np.empty(len(plan.bias), dtype=np.int64),
        delta=np.empty(len(plan.bias), dtype=np.int32),
        weyl=(np.arange(len(plan.bias)) * WEYL_STEP & 0xFFFF).astype(np.int32),
    )


def _mirror(network: Network, plan: Plan, part: Part, number: Mapping[str, int]) -> int:
    """Where the weights of a part begin that mirror it, or -1."""
    pre, post = number[part.coupling.pre], number[part.coupling.post]
    alone = part.feedback or network.couplings[part.number].own_feedback is not None
    return -1 if alone or pre < 0 else projection_weight(plan, post, pre)


def check_latents(network: Network, synapses: Synapses) -> None:
    """Raises InputError for a latent outside its range, or a self-coupling that is not mirrored."""
    for index, part in enumerate(parts_of(network)):
        coupling = part.coupling
        latents = latents_in(synapses, index, coupling.parameters.shape)
        owner = network.couplings[part.number].name
        what = f"{'feedback ' if part.feedback else ''}latents of coupling {owner!r}"
        dropped = int(synapses.dropped[index])
        limit = LATENT_LIMIT >> dropped << dropped
        whole_numbers(what, latents, coupling.parameters.shape, -limit, limit)
        if np.any(latents & (1 << dropped) - 1):
            raise InputError(
                f"{what}: must be multiples of {1 << dropped}, as they have "
                f"{LATENT_BITS - dropped} bits"
            )
        if not np.array_equal(latents, coupling.mirrored(latents)):
            raise InputError(f"{what}: must be symmetric with a zero diagonal, as its weights are")
    limit = BIAS_LATENT_LIMIT
    whole_numbers("bias latents", synapses.bias_latent, ("neurons",), -limit, limit)
    layout = Layout(network)
    for population in network.relaxing:
        own = synapses.bias_latent[layout.of(population)].reshape(-1, population.biases)
        if np.any(own != own[0]):
            raise InputError(
                f"bias latents of population {population.name!r}: must be equal in a channel, "
                "as its biases are"
            )


def latents_in(synapses: Synapses, part: int, shape: tuple[int, ...]) -> npt.NDArray[np.int16]:
    """A view of the latents of one part, int16, of its parameters' shape."""
    start = synapses.first[part]
    return synapses.latent[start : start + prod(shape)].reshape(shape)


def bias_latents_of(biases: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Bias latents that stand for given biases, each in the middle of what rounds to its bias.

    biases: int32 (neurons,). Returns int32 of the same shape. Raises InputError for a bias that no
    latent stands for.
    """
    limit = BIAS_LATENT_LIMIT >> BIAS_GUARD_BITS
    wide = whole_numbers("biases to be learned", biases, ("neurons",), -limit, limit)
    middle = (wide.astype(np.int64) << BIAS_GUARD_BITS) + rounding_half(BIAS_GUARD_BITS)
    latents: npt.NDArray[np.int32] = np.minimum(middle, BIAS_LATENT_LIMIT).astype(np.int32)
    return latents


def weights_of(latents: npt.NDArray[np.int16], theta: int) -> npt.NDArray[np.int8]:
    """The weights that latents stand for, of the same shape.

    Ternary (theta > 0): sign(V) where |V| >= theta, else 0. INT8 (theta = 0):
    clip((V + 128) >> 8, -127, 127).
    """
    wide = latents.astype(np.int32)
    if theta:
        return ((wide >= theta).astype(np.int8) - (wide <= -theta)).astype(np.int8)
    return np.clip((wide + 128) >> 8, -127, 127).astype(np.int8)


def latents_of(
    weights: npt.NDArray[np.int8], theta: int, dropped: int = 0
) -> npt.NDArray[np.int16]:
    """Latents that stand for given weights, of their shape, each in the middle of what it may be.

    INT8: V = 256 W, the middle of the interval that rounds to W. Ternary: 0 for 0, and for +-1 the
    middle of theta .. 2 theta, half a threshold away from being forgotten. What lies beyond theta
    has no upper end but the format's; its middle would never be learned away. dropped: low bits
    that are 0.
    """
    step = min(theta + theta // 2, LATENT_LIMIT) if theta else 256
    step = step >> dropped << dropped
    return (weights.astype(np.int32) * step).astype(np.int16)
