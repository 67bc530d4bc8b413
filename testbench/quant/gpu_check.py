"""Holds training by torch on a GPU against the CPU: states, gradients and speed.

    make gpu-check

All phases of random chains of every kind, and of a convolutional network of MNIST's size, must end
in the CPU's states on every sample. Gradients must be the CPU's up to the order of float sums. Then
steps of training are timed on both. It takes under five minutes. Without a GPU that torch can use
it says so and ends with status 2: nothing was checked.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from testbench.networks import Case
from testbench.quant.chains import chain_case
from toreq_hw.network import ClampedReadout, Network, WeightFormat, build
from toreq_hw.quant.equilibrium import Phases, drive, links
from toreq_hw.quant.options import Rule
from toreq_hw.quant.parameters import Parameters
from toreq_hw.quant.relaxation import all_phases
from toreq_hw.quant.rules import backprop_gradients, eqprop_gradients
from toreq_hw.quant.starting import parameters_from

RANDOM_CASES, BATCH = 60, 64
TIMED_BATCHES, TIMED_STEPS = (64, 1024), 5


def large_case(batch: int, *, clamped: bool, seed: int = 5) -> Case:
    """28 x 28 inputs, two convolutions and a dense output, random weights."""
    rng = np.random.default_rng(seed)
    blank = build(
        "28x28x1",
        ["conv 16 5x5 stride 2 pad 1", "conv 32 3x3 stride 2", "dense 10"],
        weight_format=WeightFormat.INT8,
        fraction_bits=(8, 10, 10),
        feedback_shifts=(0, 2, -3 if clamped else 2),
        readout=ClampedReadout((1, 4)) if clamped else None,
    )
    network = with_drawn_weights(blank, rng)
    inputs = rng.integers(0, 256, (batch, 784)) * (rng.random((batch, 784)) < 0.2)
    return Case(network, inputs.astype(np.int16), rng.integers(0, 10, batch))


def with_drawn_weights(blank: Network, rng: np.random.Generator) -> Network:
    """The same network with INT8 weights of any value up to 60."""
    drawn = (rng.integers(-60, 61, c.parameters.shape).astype(np.int8) for c in blank.couplings)
    couplings = tuple(c.with_parameters(w) for c, w in zip(blank.couplings, drawn, strict=True))
    return replace(blank, couplings=couplings)


def phases_of(parameters: Parameters, case: Case) -> Phases:
    """All three phases of a case, on the device of the parameters."""
    device = parameters.weights[0].device
    layers, (weights, biases) = parameters.layers, parameters.quantise()
    inputs = parameters.exact(torch.from_numpy(case.inputs).to(device), weights, biases)
    between = links(layers, weights, inputs.dtype)
    clamped = drive(layers, inputs, weights[0], biases)
    labels = torch.from_numpy(case.labels).to(device)
    return all_phases(layers, between, clamped, labels, case.network.beta_shift)


def differences(case: Case, device: torch.device) -> Iterator[str]:
    """What a device computes otherwise than the CPU; nothing where all is equal."""
    both = [parameters_from(case.network, 0.5, d) for d in (torch.device("cpu"), device)]
    mine, theirs = (phases_of(parameters, case) for parameters in both)
    if mine.sweeps != theirs.sweeps:
        yield f"sweeps: {mine.sweeps} and {theirs.sweeps}"
    for name in ("outputs", "rows"):
        if not torch.equal(getattr(mine, name), getattr(theirs, name).cpu()):
            yield name
    for name in ("plus", "minus"):
        for k, (one, other) in enumerate(
            zip(getattr(mine, name), getattr(theirs, name), strict=True)
        ):
            if not torch.equal(one, other.cpu()):
                yield f"{name} states of population {k + 1}"
    inputs, labels = torch.from_numpy(case.inputs), torch.from_numpy(case.labels)
    for parameters in both:
        there = parameters.weights[0].device
        eqprop_gradients(parameters, inputs.to(there), labels.to(there), case.network.beta_shift)
    latents = ((*p.weights, *p.biases) for p in both)
    for k, (one, other) in enumerate(zip(*latents, strict=True)):
        if not nearly_equal(one.grad, other.grad.cpu()):
            yield f"gradient {k}"


def nearly_equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Up to the order of float32 sums."""
    largest = float(one.abs().max()) if one.numel() else 0.0
    return bool(torch.allclose(one, other, rtol=1e-4, atol=1e-5 * largest))


def step_seconds(case: Case, device: torch.device, rule: Rule) -> float:
    """Of one batch of training, Adam left out: the median of `TIMED_STEPS`."""
    parameters = parameters_from(case.network, 0.5, device)
    inputs = torch.from_numpy(case.inputs).to(device)
    labels = torch.from_numpy(case.labels).to(device)
    found = []
    for _ in range(TIMED_STEPS + 1):
        begin = time.perf_counter()
        if rule is Rule.EQPROP:
            eqprop_gradients(parameters, inputs, labels, 0)
        else:
            backprop_gradients(parameters, inputs, labels)
        float(parameters.weights[0].grad[0].sum().cpu())  # waits for the device
        found.append(time.perf_counter() - begin)
    return float(np.median(found[1:]))


def check(device: torch.device) -> list[str]:
    """Everything that differs on a device, one line each."""
    cases = {f"random chain {k}": chain_case(k, batch=BATCH) for k in range(RANDOM_CASES)}
    for clamped in (False, True):
        cases[f"convolutions, clamped {clamped}"] = large_case(256, clamped=clamped)
    return [f"{name}: {what}" for name, case in cases.items() for what in differences(case, device)]


def timings(device: torch.device) -> Iterator[str]:
    """Seconds a step on the CPU and on a device, a line each."""
    for batch in TIMED_BATCHES:
        for clamped in (False, True):
            case = large_case(batch, clamped=clamped)
            for rule in Rule:
                places = (torch.device("cpu"), device)
                own, other = (step_seconds(case, place, rule) for place in places)
                readout = "clamped" if clamped else "relaxing"
                yield (
                    f"{rule.value}, {readout}, batch {batch}: cpu {1e3 * own:.1f} ms a step, "
                    f"{device.type} {1e3 * other:.1f} ms, {own / other:.1f} times as fast"
                )


def main() -> int:
    """Exit status 0: all equal; 1: something differs; 2: no GPU, nothing was checked."""
    if not torch.cuda.is_available():
        sys.stderr.write("gpu-check: torch finds no GPU here, so nothing was checked\n")
        return 2
    device = torch.device("cuda")
    found = check(device)
    for line in found:
        sys.stdout.write(f"differs: {line}\n")
    sys.stdout.write(
        f"{torch.cuda.get_device_name(0)}: {RANDOM_CASES + 2} networks in all phases, "
        f"{len(found)} differences from the CPU\n"
    )
    for line in timings(device):
        sys.stdout.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
