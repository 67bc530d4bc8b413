"""Compiled on-chip learning: free phase, two nudged phases, one local update; a sample at a time.

The same arithmetic as docs/numerics.md, section 6; nothing here is floating point.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.event_kernel import copy, count_nonzero
from toreq_hw.sim.learning.sample_kernel import (
    Sums,
    error_of,
    free_phase,
    nudge_of,
    nudged_phase,
)
from toreq_hw.sim.learning.update_kernel import update


@compiled
def learn_samples(  # type: ignore[no-untyped-def]
    plan, synapses, rates, output, rules, inputs, labels, order, scratch, random_state, counters
):
    """Learns the samples `order` names, online. Weights, latents and biases change in place.

    synapses: `Synapses`. rates: `Rates`. output: `NudgedOutput`. rules: `Rules` of a phase. labels:
    int64 (samples, rows).
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
        x, label = inputs[sample], labels[sample, 0]
        free_phase(plan, x, positive, sums, output, rules, scratch, counters)
        copy(negative, positive)
        if len(output.table) == 0:
            counters[0] += nudge_of(positive, label, output, sums.push) == label
        else:
            counters[0] += error_of(sums, labels[sample], output)
            if count_nonzero(sums.push) == 0:
                continue
        nudged_phase(plan, positive, 1, sums, output, rules, scratch, counters)
        nudged_phase(plan, negative, -1, sums, output, rules, scratch, counters)
        random_state = update(plan, synapses, rates, x, positive, negative, random_state)
    return random_state
