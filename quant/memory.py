"""Peak memory of one training step, by depth and by sweeps, for both rules.

Each figure is the growth of a fresh process' largest resident set over one step: nothing
else that was run before can hide in it.
"""

import json
import resource
import subprocess
import sys
from typing import Any

import torch

from toreq_hw.network import Population, Role, WeightFormat
from toreq_hw.quant.equilibrium import Layers, drive, real_weights, zero_states
from toreq_hw.quant.options import Rule, default_fraction_bits
from toreq_hw.quant.parameters import initial
from toreq_hw.quant.quantisers import state_quantiser, weight_quantiser
from toreq_hw.quant.rules import backprop_gradients, eqprop_gradients

BATCH, WIDTH, CLASSES = 2048, 256, 10

PROBES: tuple[tuple[Rule, int, int | None], ...] = (
    *((rule, layers, None) for rule in Rule for layers in (1, 2, 4)),
    *((Rule.BACKPROP, 2, sweeps) for sweeps in (4, 8, 16, 32)),
)
"""Rule, hidden layers, and for backpropagation through the relaxation the sweeps it unrolls.
Equilibrium propagation keeps no sweep, however many it takes to settle."""


def measure_all() -> list[dict[str, Any]]:
    """All probes, each in its own process, one thread."""
    return [_measure(rule, layers, sweeps) for rule, layers, sweeps in PROBES]


def _measure(rule: Rule, layers: int, sweeps: int | None) -> dict[str, Any]:
    arguments = [rule.value, str(layers), str(sweeps or 0)]
    done = subprocess.run(
        [sys.executable, "-m", __name__, *arguments], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return {"rule": rule.value, "layers": layers, "sweeps": found["sweeps"], **found}


def _probe(rule: Rule, hidden: int, unrolled: int) -> dict[str, Any]:
    """Runs in the fresh process: a step on one sample first, so that libraries are loaded."""
    torch.set_num_threads(1)
    ends = (
        Population("input", WIDTH, Role.INPUT),
        *(Population(f"hidden{k}", WIDTH, Role.HIDDEN) for k in range(hidden)),
        Population("output", CLASSES, Role.OUTPUT),
    )
    kind = WeightFormat.INT8
    layers = Layers(ends, default_fraction_bits(kind, ends))
    generator = torch.Generator().manual_seed(0)
    parameters = initial(layers, kind, weight_quantiser(kind, 0.5), generator, "cpu")
    sweeps: int | None = None
    before = 0
    for batch in (1, BATCH):
        inputs = torch.randint(0, 256, (batch, WIDTH), generator=generator).float()
        labels = torch.randint(0, CLASSES, (batch,), generator=generator)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if unrolled:
            _backprop_through_sweeps(parameters.quantised(), layers, inputs, unrolled)
            sweeps = unrolled
        elif rule is Rule.EQPROP:
            _, sweeps = eqprop_gradients(parameters, inputs, labels, 0)
        else:
            backprop_gradients(parameters, inputs, labels)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"sweeps": sweeps, "peak_mb": (after - before) / 1024}


def _backprop_through_sweeps(
    stored: tuple[list[torch.Tensor], list[torch.Tensor]],
    layers: Layers,
    inputs: torch.Tensor,
    sweeps: int,
) -> None:
    """Differentiates the relaxation itself, the way that has to keep every sweep."""
    weights, biases = stored
    real = [w.requires_grad_(True) for w in real_weights(layers, weights, torch.float32)]
    phase = drive(layers, inputs, real, biases)
    states = zero_states(layers, inputs)
    quantisers = [state_quantiser(p, 0) for p in layers.populations[1:]]
    for _ in range(sweeps):
        for index in (*range(0, len(states), 2), *range(1, len(states), 2)):
            total = phase.base[index]
            if index > 0:
                total = total + states[index - 1] @ real[index]
            if index + 1 < len(states):
                total = total + states[index + 1] @ real[index + 1].T
            states[index] = quantisers[index](total)
    states[-1].sum().backward()


if __name__ == "__main__":
    record = _probe(Rule(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(record))
