"""Compiled learning of couplings that are not dense: by their edges, which may share parameters.

The gradient of a parameter is the sum of `s+_pre s+_post - s-_pre s-_post` over its edges; then it
takes one step, with one stochastic rounding (docs/numerics.md, section 6). A row of parameters is
skipped if it has no edge, or if all its pre neurons are at 0 in both nudged phases. Every other row
takes one random word, and its column j takes the offset r of column j. Each kind says what its rows
and columns are. All this depends on states alone, not on the order in which edges are walked.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.learning.generator import advance
from toreq_hw.sim.learning.latent_kernel import int8_weight, rounding_offset, ternary_weight
from toreq_hw.sim.learning.synapses import LATENT_LIMIT


@compiled
def learn_edges(  # type: ignore[no-untyped-def]
    plan,
    synapses,
    coupling,
    shift,
    pre_positive,
    pre_negative,
    post_positive,
    post_negative,
    random_state,
):
    """Moves the parameters of one coupling, some neuron of which moved; returns the generator.

    pre_positive .. post_negative: int16 states of both ends at the ends of the nudged phases.
    """
    edges = synapses.edges
    begin = edges.begin[edges.first[coupling] :]
    column_of = edges.column[edges.first[coupling] :]
    row_begin = edges.row_begin[edges.row_first[coupling] :]
    theta = synapses.theta[coupling]
    for row in range(edges.rows[coupling]):
        moves = False
        for edge in range(begin[row_begin[row]], begin[row_begin[row + 1]]):
            pre = edges.pre[edge]
            moves |= pre_positive[pre] != 0 or pre_negative[pre] != 0
        if not moves:
            continue
        random_state = advance(random_state)
        random_word = np.int32(random_state >> np.uint32(16))
        for parameter in range(row_begin[row], row_begin[row + 1]):
            gradient = np.int64(0)
            for edge in range(begin[parameter], begin[parameter + 1]):
                pre, post = edges.pre[edge], edges.post[edge]
                gradient += np.int64(pre_positive[pre]) * np.int64(post_positive[post])
                gradient -= np.int64(pre_negative[pre]) * np.int64(post_negative[post])
            if gradient == 0:
                continue
            place = synapses.first[coupling] + parameter
            column = column_of[parameter]
            offset = rounding_offset(random_word, synapses.weyl[column], np.int32(shift))
            v = np.int64(synapses.latent[place]) + ((gradient + offset) >> np.int64(shift))
            v = min(max(v, -LATENT_LIMIT), LATENT_LIMIT)
            synapses.latent[place] = v
            weight = ternary_weight(v, theta) if theta > 0 else int8_weight(v)
            program_edges(plan, synapses, coupling, parameter, weight)
    return random_state


@compiled
def program_edges(plan, synapses, coupling, parameter, weight):  # type: ignore[no-untyped-def]
    """Writes one parameter's weight to each of its edges, in both directions of the matrix."""
    edges, first = synapses.edges, synapses.edges.first[coupling]
    pre, post = synapses.pre[coupling], synapses.post[coupling]
    forward, backward = synapses.forward[coupling], synapses.backward[coupling]
    post_size = plan.population_size[post]
    for edge in range(edges.begin[first + parameter], edges.begin[first + parameter + 1]):
        row, column = edges.pre[edge], edges.post[edge]
        plan.weights[forward + row * post_size + column] = weight
        if backward >= 0:  # of a self-coupling it is the same matrix, and this is the mirror
            plan.weights[backward + column * plan.population_size[pre] + row] = weight
