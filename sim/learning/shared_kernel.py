"""Compiled learning of couplings that are not dense: their parameters may be shared by many edges.

The gradient of a parameter is the sum of `s+_pre s+_post - s-_pre s-_post` over its edges. Then it
takes one step, with one stochastic rounding (docs/numerics.md, section 6). Which rows draw
depends on states alone, not on the order in which edges are walked.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled_uncounted
from toreq_hw.sim.delivery_kernel import add_run
from toreq_hw.sim.learning.generator import advance
from toreq_hw.sim.learning.latent_kernel import (
    differs,
    int8_weight,
    learn_gradients,
    ternary_weight,
)
from toreq_hw.sim.learning.stencil_gradient_kernel import add_convolution_gradients

# Types stay out of the signatures: numba infers them.


@compiled_uncounted
def learn_shared(plan, synapses, coupling, rate, states, random_state):  # type: ignore[no-untyped-def]
    """Moves the parameters of one coupling, some neuron of which moved.

    rate: see `step_latent`. states: int16, s+ and s- of pre, then of post. A row of parameters
    whose pre neurons are all at 0 in both phases draws nothing, every other one draws once. Returns
    the generator's state.
    """
    shared = synapses.shared
    rows, row_first = shared.rows[coupling], shared.row_first[shared.row_entry[coupling] :]
    theta, first = np.int32(synapses.theta[coupling]), synapses.first[coupling]
    gradient, draws = shared.gradient[: row_first[rows]], shared.draws[:rows]
    gradient[:] = 0
    draws[:] = False
    if shared.window[coupling, 0] > 0:
        window = shared.window[coupling]
        add_convolution_gradients(window, states, gradient, draws, shared.pre, shared.post)
    else:
        add_gradients(shared, coupling, states, gradient, draws)
    weight, weyl = shared.weight[shared.first[coupling] :], shared.weyl[shared.first[coupling] :]
    for row in range(rows):
        if not draws[row]:
            continue
        random_state = advance(random_state)
        random_word = np.int32(random_state >> np.uint32(16))
        begin, stop = row_first[row], row_first[row + 1]
        latent = synapses.latent[first + begin : first + stop]
        learn_gradients(latent, gradient[begin:stop], random_word, weyl[begin:stop], rate)
        if differs(latent, weight[begin:stop], theta):
            for parameter in range(begin, stop):
                v = latent[parameter - begin]
                w = ternary_weight(v, theta) if theta > 0 else int8_weight(v)
                if w != weight[parameter] or shared.whole_rows[coupling]:
                    program_parameter(plan, shared, coupling, parameter, w)
    return random_state


@compiled_uncounted
def program_parameter(plan, shared, coupling, parameter, weight):  # type: ignore[no-untyped-def]
    """Writes the weight of one parameter wherever it is read."""
    shared.weight[shared.first[coupling] + parameter] = weight
    entry = shared.place_entry[coupling] + parameter
    for k in range(shared.place_first[entry], shared.place_first[entry + 1]):
        plan.weights[shared.places[k]] = weight


@compiled_uncounted
def add_gradients(shared, coupling, states, gradient, draws):  # type: ignore[no-untyped-def]
    """Adds the products of all edges to `gradient`, int32, and marks the rows that random_word."""
    pre_positive, pre_negative, post_positive, post_negative = states
    delta, moved = shared.delta[: len(post_positive)], shared.moved
    for j in range(len(delta)):
        delta[j] = post_positive[j] - post_negative[j]
        moved[j + 1] = moved[j] + (delta[j] != 0)
    first = shared.run_first[shared.run_entry[coupling] :]
    for pre in range(len(pre_positive)):
        plus, minus = np.int32(pre_positive[pre]), np.int32(pre_negative[pre])
        if plus == 0 and minus == 0:
            continue
        for run in range(first[pre], first[pre + 1]):
            target, place = np.int64(shared.run_target[run]), np.int64(shared.run_place[run])
            length = np.int64(shared.run_length[run])
            draws[shared.run_row[run]] = True
            if plus != minus:
                add_run(gradient, place, post_positive, target, length, plus)
                add_run(gradient, place, post_negative, target, length, np.int32(-minus))
            elif moved[target + length] != moved[target]:
                add_run(gradient, place, delta, target, length, plus)
