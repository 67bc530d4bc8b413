"""Compiled on-chip learning that also leaves what happened: every change of state, phase by phase.

The same phases and the same update as sim/learning/kernel.py, of a readout that relaxes.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.event_kernel import copy
from toreq_hw.sim.learning.sample_kernel import Sums, free_phase, nudge_of, nudged_phase
from toreq_hw.sim.learning.update_kernel import update


@compiled
def learn_recorded(  # type: ignore[no-untyped-def]
    plan, synapses, rates, output, rules, inputs, labels, order, scratch, random_state, counters,
    changes, phases, ends
):  # fmt: skip
    """Learns the samples `order` names as `learn_samples` does, and fills three arrays.

    changes: int64 (room, 4), the changes of all phases one behind another (`event_kernel.record`).
    phases: int64 (samples, 3, 2), sweeps and changes of each phase. ends: int16 (samples, 2,
    neurons), states that the nudged phases left.
    Ends before a sample that finds less than `room // 2` left. Returns the generator's state and
    how many samples it learned. A phase has at most as many changes as `changes` has room for; the
    caller checks that none had more.
    """
    neurons, outputs = len(plan.bias), output.stop - output.start
    now, free = np.empty(neurons, dtype=np.int32), np.empty(neurons, dtype=np.int32)
    push, shares = np.zeros(outputs, dtype=np.int32), np.zeros(outputs, dtype=np.int16)
    begin = np.zeros(4, dtype=np.int64)
    used, done = 0, 0
    for sample in order:
        if used > len(changes) // 2:
            break
        x, label = inputs[sample], labels[sample, 0]
        positive, negative = ends[done, 0], ends[done, 1]
        for phase in range(3):
            begin[:] = counters
            sums = Sums(now, free, push, shares, changes[used:])
            if phase == 0:
                free_phase(plan, x, positive, sums, output, rules, scratch, counters)
                copy(negative, positive)
                counters[0] += nudge_of(positive, label, output, push) == label
            elif phase == 1:
                nudged_phase(plan, positive, 1, sums, output, rules, scratch, counters)
            else:
                nudged_phase(plan, negative, -1, sums, output, rules, scratch, counters)
            phases[done, phase, 0] = counters[1] - begin[1]
            phases[done, phase, 1] = counters[3] - begin[3]
            used += counters[3] - begin[3]
        random_state = update(plan, synapses, rates, x, positive, negative, random_state)
        done += 1
    return random_state, done
