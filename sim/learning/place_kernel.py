"""Compiled: one latent of a part is set by hand, and the weights that it stands for."""

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.learning.latent_kernel import int8_weight, ternary_weight
from toreq_hw.sim.learning.shared_kernel import program_parameter


@compiled
def part_of(synapses, cell):  # type: ignore[no-untyped-def]
    """The part in which the latent number `cell` lies."""
    part = len(synapses.first) - 1
    while synapses.first[part] > cell:
        part -= 1
    return part


@compiled
def is_copy(plan, synapses, part, cell):  # type: ignore[no-untyped-def]
    """Whether a latent is the mirror of another, on the left of a self-coupling's diagonal."""
    post = synapses.post[part]
    if synapses.pre[part] != post or synapses.shared.rows[part] >= 0:
        return False
    columns = plan.population_size[post]
    place = cell - synapses.first[part]
    return place % columns <= place // columns


@compiled
def place_latent(plan, synapses, part, cell, v):  # type: ignore[no-untyped-def]
    """Sets a latent, its mirror if it has one, and all weights that they stand for."""
    pre, post = synapses.pre[part], synapses.post[part]
    first, columns = synapses.first[part], plan.population_size[post]
    row, column = (cell - first) // columns, (cell - first) % columns
    theta = synapses.theta[part]
    w = ternary_weight(v, theta) if theta > 0 else int8_weight(v)
    synapses.latent[cell] = v
    if synapses.shared.rows[part] >= 0:
        program_parameter(plan, synapses.shared, part, cell - first, w)
        return
    forward, backward = synapses.forward[part], synapses.backward[part]
    plan.weights[forward + cell - first] = w
    if backward >= 0:
        plan.weights[backward + column * plan.population_size[pre] + row] = w
    if pre == post:
        synapses.latent[first + column * columns + row] = v
        plan.weights[forward + column * columns + row] = w
