"""Compiled on-chip learning: free phase, two nudged phases, one local update; a sample at a time.

The same arithmetic as docs/numerics.md, section 6; nothing here is floating point.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.event_kernel import copy, count_nonzero, same
from toreq_hw.sim.learning.edge_kernel import learn_edges
from toreq_hw.sim.learning.generator import advance
from toreq_hw.sim.learning.latent_kernel import (
    int8_weight,
    rounding_offset,
    step_latent,
    ternary_weight,
)
from toreq_hw.sim.learning.sample_kernel import (
    Sums,
    error_of,
    free_phase,
    nudge_of,
    nudged_phase,
)
from toreq_hw.sim.learning.synapses import BIAS_GUARD_BITS, BIAS_LATENT_LIMIT


@compiled
def learn_samples(  # type: ignore[no-untyped-def]
    plan, synapses, rates, output, rules, inputs, labels, order, scratch, random_state, counters
):
    """Learns the samples `order` names, online. Weights, latents and biases change in place.

    synapses: `Synapses`. rates: `Rates`. output: `NudgedOutput`. rules: `Rules` of a phase.
    counters: int64 (4,), added to: correct free phases, sweeps of the three phases, phases that did
    not settle, events. A sample of a clamped readout without an error ends after its free phase.
    Returns the generator's state.
    """
    neurons, outputs = len(plan.bias), output.stop - output.start
    sums = Sums(
        now=np.empty(neurons, dtype=np.int32),
        free=np.empty(neurons, dtype=np.int32),
        push=np.zeros(outputs, dtype=np.int32),
        shares=np.zeros(outputs, dtype=np.int16),
        nothing=np.empty((0, 4), dtype=np.int64),
    )
    positive = np.empty(neurons, dtype=np.int16)
    negative = np.empty(neurons, dtype=np.int16)
    for sample in order:
        x, label = inputs[sample], labels[sample]
        free_phase(plan, x, positive, sums, output, rules, scratch, counters)
        copy(negative, positive)
        if len(output.table) == 0:
            counters[0] += nudge_of(positive, label, output, sums.push) == label
        else:
            counters[0] += error_of(sums, label, output) == label
            if count_nonzero(sums.push) == 0:
                continue
        nudged_phase(plan, positive, 1, sums, output, rules, scratch, counters)
        nudged_phase(plan, negative, -1, sums, output, rules, scratch, counters)
        random_state = update(plan, synapses, rates, x, positive, negative, random_state)
    return random_state


@compiled
def update(plan, synapses, rates, inputs, positive, negative, random_state):  # type: ignore[no-untyped-def]
    """V <- clip(V + ((s+_pre s+_post - s-_pre s-_post + r) >> k)) for every coupling and bias.

    Dense couplings here; those with edge lists in `learn_edges`.
    Only synapses whose product is not zero can move, because r < 2^k; so a row whose pre
    neuron stood still walks the columns that moved, and only those.
    """
    moved = np.empty(len(positive), dtype=np.int64)
    delta = np.empty(len(positive), dtype=np.int32)
    weyl = synapses.weyl
    for coupling in range(len(synapses.pre)):
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
        theta, shift = np.int32(synapses.theta[coupling]), np.int32(rates.shift[coupling])
        if synapses.edges.rows[coupling] >= 0:
            random_state = learn_edges(
                plan=plan,
                synapses=synapses,
                coupling=coupling,
                shift=shift,
                pre_positive=pre_positive,
                pre_negative=pre_negative,
                post_positive=post_positive,
                post_negative=post_negative,
                random_state=random_state,
            )
            continue
        for row in range(len(pre_positive)):
            s_positive, s_negative = np.int32(pre_positive[row]), np.int32(pre_negative[row])
            if s_positive == 0 and s_negative == 0:
                continue
            random_state = advance(random_state)
            random_word = np.int32(random_state >> np.uint32(16))
            begin = row + 1 if pre == post else 0
            there = synapses.first[coupling] + row * size
            latent = synapses.latent[there : there + size]
            there = synapses.forward[coupling] + row * size
            weight = plan.weights[there : there + size]
            if s_positive == s_negative and 8 * count < size:
                changed = learn_columns(
                    latent,
                    weight,
                    moved[:count],
                    begin,
                    delta,
                    s_positive,
                    random_word,
                    weyl,
                    theta,
                    shift,
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
                    shift,
                )
                changed = program_row(latent[begin:], weight[begin:], theta)
            if pre == post:
                mirror_latents(synapses, coupling, row, size)
            if changed and pre >= 0:
                mirror_weights(plan, synapses, coupling, row, size)
    return update_biases(plan, synapses, rates, positive, negative, random_state)


@compiled
def learn_row(latent, positive, negative, s_positive, s_negative, random_word, weyl, shift):  # type: ignore[no-untyped-def]
    """Moves the latents of a row, all columns; written so that LLVM makes vectors of it.

    Every intermediate is cast to 32 bits: numba's 64 would halve the vectors' width.
    """
    for j in range(len(latent)):
        product = np.int32(s_positive * np.int32(positive[j])) - np.int32(
            s_negative * np.int32(negative[j])
        )
        latent[j] = step_latent(latent[j], np.int32(product), random_word, weyl[j], shift)


@compiled
def program_row(latent, weight, theta):  # type: ignore[no-untyped-def]
    """Sets the weights of a row from its latents; returns whether any changed."""
    changed = np.int8(0)
    if theta > 0:
        for j in range(len(latent)):
            w = ternary_weight(latent[j], theta)
            changed |= np.int8(w ^ weight[j])
            weight[j] = w
    else:
        for j in range(len(latent)):
            w = int8_weight(latent[j])
            changed |= np.int8(w ^ weight[j])
            weight[j] = w
    return changed != 0


@compiled
def learn_columns(  # type: ignore[no-untyped-def]
    latent, weight, columns, begin, delta, s_pre, random_word, weyl, theta, shift
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
        v = step_latent(latent[j], product, random_word, weyl[j], shift)
        latent[j] = v
        w = ternary_weight(v, theta) if theta > 0 else int8_weight(v)
        changed |= w != weight[j]
        weight[j] = w
    return changed


@compiled
def list_moved_columns(positive, negative, moved, delta):  # type: ignore[no-untyped-def]
    """Lists the neurons whose two nudged states differ, with s+ - s-; returns how many."""
    count = 0
    for j in range(len(positive)):
        if positive[j] != negative[j]:
            moved[count] = j
            delta[count] = np.int32(positive[j]) - np.int32(negative[j])
            count += 1
    return count


@compiled
def mirror_weights(plan, synapses, coupling, row, size):  # type: ignore[no-untyped-def]
    """Copies a changed row of weights into the fan that runs the other way."""
    forward, backward = synapses.forward[coupling], synapses.backward[coupling]
    rows = plan.population_size[synapses.pre[coupling]]
    first = row + 1 if synapses.pre[coupling] == synapses.post[coupling] else 0
    for column in range(first, size):
        plan.weights[backward + column * rows + row] = plan.weights[forward + row * size + column]


@compiled
def mirror_latents(synapses, coupling, row, size):  # type: ignore[no-untyped-def]
    """Copies a self-coupling's row of latents, right of the diagonal, into the column."""
    first = synapses.first[coupling]
    for column in range(row + 1, size):
        synapses.latent[first + column * size + row] = synapses.latent[first + row * size + column]


@compiled
def update_biases(plan, synapses, rates, positive, negative, random_state):  # type: ignore[no-untyped-def]
    """A bias learns as a coupling from a neuron that always sits at its population's s_max."""
    for population in range(len(plan.population_start)):
        start = plan.population_start[population]
        stop = start + plan.population_size[population]
        if same(positive[start:stop], negative[start:stop]):
            continue
        random_state = advance(random_state)
        random_word = np.int32(random_state >> np.uint32(16))
        shift = np.int64(rates.bias_shift)
        s_max = plan.state_max[population]
        for i in range(start, stop):
            product = s_max * (np.int64(positive[i]) - np.int64(negative[i]))
            offset = rounding_offset(random_word, synapses.weyl[i - start], np.int32(shift))
            v = np.int64(synapses.bias_latent[i]) + ((product + offset) >> shift)
            v = min(max(v, -BIAS_LATENT_LIMIT), BIAS_LATENT_LIMIT)
            synapses.bias_latent[i] = v
            plan.bias[i] = v >> BIAS_GUARD_BITS
    return random_state
