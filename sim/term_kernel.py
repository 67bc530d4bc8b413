"""Compiled events of trilinear terms, and the update of budget rows (docs/numerics.md, 8).

Only networks that have them come here. No two neurons of a colour share a term, so the states that
an event is multiplied with stand still during its tick.
"""

import numpy as np

from toreq_hw.contract.budget_kernel import fill_row
from toreq_hw.sim.compiled import compiled_uncounted

# Types stay out of the signatures: numba infers them.


@compiled_uncounted
def present_terms(plan, states, accumulator, scratch):  # type: ignore[no-untyped-def]
    """Adds what standing states give each other, as if they were sent one population after another.

    `scratch.sent` is what has been sent, 0 at first.
    """
    sent = scratch.sent
    for k in range(len(sent)):
        sent[k] = 0
    for population in range(len(plan.population_start)):
        start = plan.population_start[population]
        stop = start + plan.population_size[population]
        deliver_terms(plan, population, 0, states[start:stop], sent, accumulator, scratch)
        for k in range(start, stop):
            sent[k] = states[k]


@compiled_uncounted
def deliver_terms(plan, source, first, deltas, standing, accumulator, scratch):  # type: ignore[no-untyped-def]
    """Delivers changes of population `source` along its terms; returns the products added.

    deltas: int16, the changes of its neurons from `first` on. standing: int16 (neurons,), what all
    others have sent.
    """
    terms = plan.terms
    walked = 0
    for term in range(len(terms.scores)):
        scores, left, right = terms.scores[term], terms.left[term], terms.right[term]
        if source == scores:
            walked += of_scores(plan, term, first, deltas, standing, accumulator)
            scratch.version[left] += 1
            scratch.version[right] += 1
        elif source == left:
            walked += of_left(plan, term, first, deltas, standing, accumulator)
            scratch.version[scores] += 1
            scratch.version[right] += 1
        elif source == right:
            walked += of_right(plan, term, first, deltas, standing, accumulator)
            scratch.version[scores] += 1
            scratch.version[left] += 1
    return walked


@compiled_uncounted
def add(accumulator, place, delta, state, shift):  # type: ignore[no-untyped-def]
    """accumulator[place] += delta * state << shift, in 32 bits."""
    product = np.int32(np.int32(delta) * np.int32(state))
    accumulator[place] = np.int32(accumulator[place] + np.int32(product << shift))


@compiled_uncounted
def of_scores(plan, term, first, deltas, standing, accumulator):  # type: ignore[no-untyped-def]
    """Events of scores[h, i, j]: left[i, h, :] and right[j, h, :] hear of each other."""
    terms = plan.terms
    heads, queries, keys = terms.heads[term], terms.queries[term], terms.keys[term]
    width = terms.width[term]
    lefts = plan.population_start[terms.left[term]]
    rights = plan.population_start[terms.right[term]]
    to_left, to_right = np.int32(terms.shift[term, 1]), np.int32(terms.shift[term, 2])
    walked = 0
    for k in range(len(deltas)):
        cell = first + k
        if deltas[k] == 0 or not terms.cells[terms.cell[term] + cell]:
            continue
        head, query, key = cell // (queries * keys), cell // keys % queries, cell % keys
        left = lefts + (query * heads + head) * width
        right = rights + (key * heads + head) * width
        for x in range(width):
            add(accumulator, left + x, deltas[k], standing[right + x], to_left)
            add(accumulator, right + x, deltas[k], standing[left + x], to_right)
        walked += 2 * width
    return walked


@compiled_uncounted
def of_left(plan, term, first, deltas, standing, accumulator):  # type: ignore[no-untyped-def]
    """Events of left[i, h, x]: scores[h, i, :] and right[:, h, x] hear of each other."""
    terms = plan.terms
    heads, queries, keys = terms.heads[term], terms.queries[term], terms.keys[term]
    width = terms.width[term]
    scores = plan.population_start[terms.scores[term]]
    rights = plan.population_start[terms.right[term]]
    to_scores, to_right = np.int32(terms.shift[term, 0]), np.int32(terms.shift[term, 2])
    walked = 0
    for k in range(len(deltas)):
        if deltas[k] == 0:
            continue
        own = first + k
        query, inside = own // (heads * width), own % (heads * width)
        row = (inside // width * queries + query) * keys
        for key in range(keys):
            if terms.cells[terms.cell[term] + row + key]:
                score, right = scores + row + key, rights + key * heads * width + inside
                add(accumulator, score, deltas[k], standing[right], to_scores)
                add(accumulator, right, deltas[k], standing[score], to_right)
                walked += 2
    return walked


@compiled_uncounted
def of_right(plan, term, first, deltas, standing, accumulator):  # type: ignore[no-untyped-def]
    """Events of right[j, h, x]: scores[h, :, j] and left[:, h, x] hear of each other."""
    terms = plan.terms
    heads, queries, keys = terms.heads[term], terms.queries[term], terms.keys[term]
    width = terms.width[term]
    scores = plan.population_start[terms.scores[term]]
    lefts = plan.population_start[terms.left[term]]
    to_scores, to_left = np.int32(terms.shift[term, 0]), np.int32(terms.shift[term, 1])
    walked = 0
    for k in range(len(deltas)):
        if deltas[k] == 0:
            continue
        own = first + k
        key, inside = own // (heads * width), own % (heads * width)
        column = inside // width * queries * keys + key
        for query in range(queries):
            if terms.cells[terms.cell[term] + column + query * keys]:
                score, left = scores + column + query * keys, lefts + query * heads * width + inside
                add(accumulator, score, deltas[k], standing[left], to_scores)
                add(accumulator, left, deltas[k], standing[score], to_left)
                walked += 2
    return walked


@compiled_uncounted
def update_rows(plan, population, start, stop, states, accumulator, scratch):  # type: ignore[no-untyped-def]
    """Sets the states of whole rows, neurons start .. stop - 1, and `scratch.deltas`.

    Returns (neurons that changed, neurons that send), which are the same: all changes are sent.
    """
    rows = plan.rows
    length, budget = rows.length[population], rows.budget[population]
    table = rows.thresholds[rows.table[population] : rows.table[population] + budget]
    changed = np.int32(0)
    for first in range(start, stop, length):
        cells = 0
        for neuron in range(first, first + length):
            if rows.cells[neuron]:
                scratch.row_sums[cells] = accumulator[neuron]
                cells += 1
        sums, units = scratch.row_sums[:cells], scratch.row_units[:cells]
        fill_row(sums, table, budget, rows.at_most[population], units)
        cell = 0
        for neuron in range(first, first + length):
            delta = np.int32(-states[neuron])
            if rows.cells[neuron]:
                delta = np.int32(np.int32(units[cell]) - np.int32(states[neuron]))
                cell += 1
            changed = np.int32(changed + np.int32(delta != 0))
            states[neuron] = np.int16(states[neuron] + delta)
            scratch.sent[neuron] = states[neuron]
            scratch.deltas[neuron] = np.int16(delta)
    return changed, changed
