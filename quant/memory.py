"""Peak memory of one training step, by depth and by sweeps, for both rules.

Each figure is how far a step takes the resident set of a fresh process above what it was
before: nothing else that was run can hide in it. A step on one sample shows what parameters,
their quantised copies and gradients take; what a batch takes beyond that is states (or
activations), and is told in copies of the network's states. Linux only: the high-water mark is
read from /proc (that of getrusage is inherited from the parent process, through exec).
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from toreq_hw.children import tied_to_parent
from toreq_hw.network import Population, Role, WeightFormat
from toreq_hw.quant import relaxation_batch
from toreq_hw.quant.equilibrium import Layers, drive, links
from toreq_hw.quant.options import Rule, default_fraction_bits
from toreq_hw.quant.parameters import initial
from toreq_hw.quant.quantisers import state_quantiser, weight_quantiser
from toreq_hw.quant.rules import backprop_gradients, eqprop_gradients
from toreq_hw.records import plain
from toreq_hw.records.parity import MemoryProbe, StepMemory

BATCH, WIDTH, CLASSES = 1024, 256, 10

RETURNED_AT_ONCE = 1 << 16
"""Bytes of a block from which on the C library gives it back when it is freed, so that what one
step leaves behind does not make the next look smaller."""


@dataclass(frozen=True)
class Probe:
    """What one process measures. gain: multiplies the random INT8 weights; stronger ones take
    more sweeps to settle. unrolled: sweeps that backpropagation through the relaxation keeps;
    None for the feed-forward net.
    """

    rule: Rule
    layers: int
    gain: float = 1.0
    unrolled: int | None = None
    width: int = WIDTH


PROBES = (
    *(Probe(rule, layers, gain=0.25) for rule in Rule for layers in (1, 2, 4, 8)),
    *(Probe(Rule.BACKPROP, layers, unrolled=8) for layers in (1, 2, 4, 8)),
    *(Probe(Rule.EQPROP, 2, gain=gain) for gain in (0.5, 1.0)),
    *(Probe(Rule.BACKPROP, 2, unrolled=sweeps) for sweeps in (4, 16, 32)),
)


CLEAR_REFS = Path("/proc/self/clear_refs")
"""Linux alone sets back the mark of the most memory that a process has had."""


def measure_all() -> list[MemoryProbe]:
    """All probes, each in its own process, one thread; see `measure`. None but on Linux."""
    if not CLEAR_REFS.exists():
        return []
    return [measure(probe) for probe in PROBES]


def measure(probe: Probe) -> MemoryProbe:
    """What a process of its own found; copies are of float32 states of all samples and relaxing
    neurons.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__, json.dumps(asdict(probe))],
        preexec_fn=tied_to_parent(),
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": str(RETURNED_AT_ONCE)},
        encoding="utf-8",
    )
    return MemoryProbe(rule=probe.rule.value, layers=probe.layers, **json.loads(done.stdout))


def _step(probe: Probe) -> StepMemory:
    """Runs in the fresh process: the first step, on one sample, only loads and compiles."""
    torch.set_num_threads(1)
    ends = (
        Population("input", probe.width, Role.INPUT),
        *(Population(f"hidden{k}", probe.width, Role.HIDDEN) for k in range(probe.layers)),
        Population("output", CLASSES, Role.OUTPUT),
    )
    kind = WeightFormat.INT8
    layers = Layers(ends, default_fraction_bits(kind, ends))
    generator = torch.Generator().manual_seed(0)
    parameters = initial(layers, kind, weight_quantiser(kind, 0.5), generator, "cpu")
    for weight in parameters.weights:
        weight.mul_(probe.gain)
    sweeps = probe.unrolled
    peaks = []
    for batch in (1, 1, BATCH):
        inputs = torch.randint(0, 256, (batch, probe.width), generator=generator).float()
        labels = torch.randint(0, CLASSES, (batch,), generator=generator)
        before = _restart_high_water()
        if probe.unrolled:
            _backprop_through_sweeps(parameters.quantise(), layers, inputs, probe.unrolled)
        elif probe.rule is Rule.EQPROP:
            _, sweeps = eqprop_gradients(parameters, inputs, labels, 0)
        else:
            backprop_gradients(parameters, inputs, labels)
        peaks.append(_status_mb("VmHWM") - before)
    states_mb = BATCH * sum(p.size for p in layers.relaxing) * 4 / 1024**2
    return StepMemory(
        sweeps=sweeps,
        peak_mb=peaks[2],
        one_sample_mb=peaks[1],
        state_copies=(peaks[2] - peaks[1]) / states_mb,
    )


def _restart_high_water() -> float:
    """Sets the high-water mark to the resident set at hand (proc(5), clear_refs 5); MB."""
    CLEAR_REFS.write_text("5", encoding="ascii")
    return _status_mb("VmHWM")


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def _backprop_through_sweeps(
    stored: tuple[list[torch.Tensor], list[torch.Tensor]],
    layers: Layers,
    inputs: torch.Tensor,
    sweeps: int,
) -> None:
    """Differentiates the relaxation itself, the way that has to keep every sweep."""
    weights, biases = stored
    for weight in weights:
        weight.requires_grad_(True)
    between = links(layers, weights, torch.float32)
    base = relaxation_batch.base(drive(layers, inputs, weights[0], biases))
    states = relaxation_batch.zero_states(layers, inputs)
    quantisers = [state_quantiser(p, 0) for p in layers.relaxing]
    for _ in range(sweeps):
        for index in (*range(0, len(states), 2), *range(1, len(states), 2)):
            total = base[index]
            if index > 0:
                total = total + between[index - 1].forward(states[index - 1])
            if index + 1 < len(states):
                total = total + between[index].backward(states[index + 1])
            states[index] = quantisers[index](total)
    states[-1].sum().backward()


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    sys.stdout.write(json.dumps(plain(_step(Probe(**(asked | {"rule": Rule(asked["rule"])}))))))
