"""Compiled update of all latents, weights and biases from the ends of the two nudged phases.

The same arithmetic as docs/numerics.md, section 6; nothing here is floating point.
"""

import numpy as np

from toreq_hw.contract.learning import BIAS_GUARD_BITS, BIAS_LATENT_LIMIT
from toreq_hw.sim.compiled import compiled_inline, compiled_uncounted
from toreq_hw.sim.event_kernel import copy, same
from toreq_hw.sim.learning.generator import advance
from toreq_hw.sim.learning.latent_kernel import (
    int8_weight,
    learn_row,
    program_row,
    rounding_offset,
    step_latent,
    ternary_weight,
)
from toreq_hw.sim.learning.shared_kernel import learn_shared

# Types stay out of the signatures: numba infers them.


@compiled_uncounted
def update(plan, synapses, rates, inputs, positive, negative, random_state):  # type: ignore[no-untyped-def]
    """V <- clip(V + ((s+_pre s+_post - s-_pre s-_post + r) >> k)) for every part and every bias.

    inputs, positive, negative: int16, the input and s+ and s- of all relaxing neurons. Returns the
    generator's state.
    """
    moved, delta = synapses.moved, synapses.delta
    for coupling in range(len(synapses.pre)):
        if rates.shift[coupling] < 0:
            continue
        pre, post = synapses.pre[coupling], synapses.post[coupling]
        start, size = plan.population_start[post], plan.population_size[post]
        post_positive = positive[start : start + size]
        post_negative = negative[start : start + size]
        count = list_moved_columns(post_positive, post_negative, moved, delta)
        if pre < 0:
            pre_positive, pre_negative = inputs, inputs
        else:
            first, last = plan.population_start[pre], plan.population_size[pre]
            pre_positive = positive[first : first + last]
            pre_negative = negative[first : first + last]
        if count == 0 and (pre < 0 or same(pre_positive, pre_negative)):
            continue
        states = (pre_positive, pre_negative, post_positive, post_negative)
        dropped = np.int32(synapses.dropped[coupling])
        rate = (np.int32(np.int32(rates.shift[coupling]) + dropped), dropped)
        if synapses.shared.rows[coupling] >= 0:
            random_state = learn_shared(plan, synapses, coupling, rate, states, random_state)
        else:
            columns = (moved[:count], delta)
            random_state = learn_dense(
                plan=plan,
                synapses=synapses,
                coupling=coupling,
                rate=rate,
                states=states,
                columns=columns,
                random_state=random_state,
            )
    return update_biases(plan, synapses, rates, positive, negative, random_state)


@compiled_inline
def learn_dense(plan, synapses, coupling, rate, states, columns, random_state):  # type: ignore[no-untyped-def]
    """Moves the latents of a dense coupling, row by row; returns the generator's state.

    rate: see `step_latent`. states: s+ and s- of pre, then of post. columns: which post neurons
    moved, and by how much.
    Only synapses whose product is not zero can move, because r < 2^k; so a row whose pre
    neuron stood still walks the columns that moved, and only those.
    """
    pre_positive, pre_negative, post_positive, post_negative = states
    moved, delta = columns
    self_coupling = synapses.pre[coupling] == synapses.post[coupling]
    theta, size, weyl = np.int32(synapses.theta[coupling]), len(post_positive), synapses.weyl
    for row in range(len(pre_positive)):
        s_positive, s_negative = np.int32(pre_positive[row]), np.int32(pre_negative[row])
        if s_positive == 0 and s_negative == 0:
            continue
        random_state = advance(random_state)
        random_word = np.int32(random_state >> np.uint32(16))
        begin = row + 1 if self_coupling else 0
        there = synapses.first[coupling] + row * size
        latent = synapses.latent[there : there + size]
        there = synapses.forward[coupling] + row * size
        weight = plan.weights[there : there + size]
        if s_positive == s_negative and 8 * len(moved) < size:
            changed = learn_columns(
                latent, weight, moved, begin, delta, s_positive, random_word, weyl, theta, rate
            )
        else:
            learn_row(
                latent[begin:],
                post_positive[begin:],
                post_negative[begin:],
                s_positive,
                s_negative,
                random_word,
                weyl[begin:],
                rate,
            )
            changed = program_row(latent[begin:], weight[begin:], theta)
        if self_coupling:
            mirror_latents(synapses, coupling, row, size)
        if changed and synapses.backward[coupling] >= 0:
            mirror_weights(plan, synapses, coupling, row, size)
    return random_state


@compiled_uncounted
def learn_columns(  # type: ignore[no-untyped-def]
    latent, weight, columns, begin, delta, s_pre, random_word, weyl, theta, rate
):
    """Moves only `columns` of a row, from `begin` on; returns whether any weight changed.

    delta: s+ - s- of each column in `columns`; the pre neuron stands at `s_pre`.
    """
    changed = False
    for index in range(len(columns)):
        j = columns[index]
        if j < begin:
            continue
        product = np.int32(s_pre * delta[index])
        v = step_latent(latent[j], product, random_word, weyl[j], rate)
        latent[j] = v
        w = ternary_weight(v, theta) if theta > 0 else int8_weight(v)
        changed |= w != weight[j]
        weight[j] = w
    return changed


@compiled_uncounted
def list_moved_columns(positive, negative, moved, delta):  # type: ignore[no-untyped-def]
    """Lists the neurons whose two nudged states differ, with s+ - s-; returns how many."""
    count = 0
    for j in range(len(positive)):
        if positive[j] != negative[j]:
            moved[count] = j
            delta[count] = np.int32(positive[j]) - np.int32(negative[j])
            count += 1
    return count


@compiled_uncounted
def mirror_weights(plan, synapses, coupling, row, size):  # type: ignore[no-untyped-def]
    """Copies a changed row of weights into the projection that runs the other way."""
    forward, backward = synapses.forward[coupling], synapses.backward[coupling]
    rows = plan.population_size[synapses.pre[coupling]]
    first = row + 1 if synapses.pre[coupling] == synapses.post[coupling] else 0
    for column in range(first, size):
        plan.weights[backward + column * rows + row] = plan.weights[forward + row * size + column]


@compiled_uncounted
def mirror_latents(synapses, coupling, row, size):  # type: ignore[no-untyped-def]
    """Copies a self-coupling's row of latents, right of the diagonal, into the column."""
    first = synapses.first[coupling]
    for column in range(row + 1, size):
        synapses.latent[first + column * size + row] = synapses.latent[first + row * size + column]


@compiled_uncounted
def update_biases(plan, synapses, rates, positive, negative, random_state):  # type: ignore[no-untyped-def]
    """A bias learns as a coupling from a neuron that always sits at its population's s_max.

    Neurons that share a bias add up their products. Budget rows have none that learn.
    """
    for population in range(len(plan.population_start)):
        start = plan.population_start[population]
        stop = start + plan.population_size[population]
        if plan.rows.length[population] > 0 or same(positive[start:stop], negative[start:stop]):
            continue
        random_state = advance(random_state)
        random_word = np.int32(random_state >> np.uint32(16))
        rate = np.int64(rates.bias_shift[population])
        biases = synapses.biases[population]
        moved = synapses.moved[:biases]
        add_moves(positive[start:stop], negative[start:stop], moved)
        latent, bias = synapses.bias_latent[start:stop], plan.bias[start:stop]
        for i in range(biases):
            product = plan.state_max[population] * moved[i]
            offset = rounding_offset(random_word, synapses.weyl[i], np.int32(rate))
            v = np.int64(latent[i]) + ((product + offset) >> rate)
            latent[i] = min(max(v, -BIAS_LATENT_LIMIT), BIAS_LATENT_LIMIT)
            bias[i] = latent[i] >> BIAS_GUARD_BITS
        for place in range(biases, stop - start, biases):
            copy(latent[place : place + biases], latent[:biases])
            copy(bias[place : place + biases], bias[:biases])
    return random_state


@compiled_uncounted
def add_moves(positive, negative, moved):  # type: ignore[no-untyped-def]
    """Sets moved[i], int64, to the sum of s+ - s- over the neurons that share bias i."""
    biases = len(moved)
    for i in range(biases):
        moved[i] = 0
    for place in range(0, len(positive), biases):
        for i in range(biases):
            moved[i] += np.int64(positive[place + i]) - np.int64(negative[place + i])
