"""The two learning rules: each fills in the gradient of every latent for one batch."""

import torch
from torch.nn import functional

from toreq_hw.quant.equilibrium import (
    Layers,
    Tensors,
    drive,
    exact_dtype,
    real_weights,
    relax,
    zero_states,
)
from toreq_hw.quant.parameters import Parameters
from toreq_hw.quant.quantisers import state_quantiser


def eqprop_gradients(
    parameters: Parameters, inputs: torch.Tensor, labels: torch.Tensor, beta_shift: int
) -> tuple[torch.Tensor, int]:
    """Equilibrium propagation: free phase, both nudged phases, the local centred estimator.

    inputs: integer-valued (batch, n_input); labels: int64 (batch,). Sets `.grad` of every
    latent to minus the estimator's mean; nothing is differentiated and no activation is kept.
    Returns the class of each sample in the free phase, and the sweeps of the slowest.
    """
    layers = parameters.layers
    with torch.no_grad():
        weights, biases = parameters.quantised()
        dtype = exact_dtype(layers, weights, biases)
        real = real_weights(layers, weights, dtype)
        inputs = inputs.to(dtype)
        clamped = drive(layers, inputs, real, biases)
        free, sweeps = relax(layers, real, clamped, zero_states(layers, inputs))
        nudge = _nudge(parameters, free[-1], labels, beta_shift)
        start = [torch.cat([s, s]) for s in free]
        nudged, _ = relax(layers, real, clamped.nudged(nudge), start)
        _set_gradients(parameters, inputs, nudged)
    return free[-1].argmax(dim=1), sweeps


def backprop_gradients(
    parameters: Parameters, inputs: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, int]:
    """Backpropagation through the feed-forward net of the same shape and quantisers.

    The loss is the cross-entropy of the output accumulators. Sets `.grad` of every latent to
    the gradient of its quantised weight (straight-through). Returns the class of each sample,
    and 1 (one pass).
    """
    weights, biases = parameters.quantised()
    latents = (*parameters.weights, *parameters.biases)
    leaves = [leaf.requires_grad_(True) for leaf in (*weights, *biases)]
    logits = forward(parameters.layers, inputs, weights, biases)
    functional.cross_entropy(logits, labels).backward()
    for latent, leaf in zip(latents, leaves, strict=True):
        latent.grad = leaf.grad
    return logits.argmax(dim=1), 1


def forward(
    layers: Layers, inputs: torch.Tensor, weights: Tensors, biases: Tensors
) -> torch.Tensor:
    """The feed-forward pass: logits (batch, n_output), the unclipped output accumulators.

    inputs, weights and biases are integer-valued; activations are quantised as states are.
    """
    states = inputs.to(torch.float32)
    last = len(weights) - 1
    for index, weight in enumerate(weights):
        population = layers.populations[index + 1]
        fraction_bits = layers.accumulator_fraction_bits(index + 1)
        scale = 2.0 ** (fraction_bits - layers.fraction_bits[index])
        total = (states @ weight) * scale + biases[index]
        if index < last:
            states = state_quantiser(population, fraction_bits)(total)
    return total * (LOGIT_AT_MAXIMUM / (population.state_max << fraction_bits))


LOGIT_AT_MAXIMUM = 8.0
"""What an output accumulator at s_max counts as in the cross-entropy, so that the loss can
become small where hard-sigmoid outputs can be right."""


def _nudge(
    parameters: Parameters, outputs: torch.Tensor, labels: torch.Tensor, beta_shift: int
) -> torch.Tensor:
    """((e << F) >> beta_shift) 2^-F of docs/numerics.md, section 5, (batch, n_output)."""
    layers = parameters.layers
    last = len(layers.populations) - 1
    target = torch.zeros_like(outputs)
    target.scatter_(1, labels[:, None], float(layers.populations[-1].state_max))
    fraction_bits = layers.accumulator_fraction_bits(last)
    nudge = ((target - outputs) * 2.0 ** (fraction_bits - beta_shift)).floor_()
    return nudge * 2.0**-fraction_bits


def _set_gradients(parameters: Parameters, inputs: torch.Tensor, nudged: Tensors) -> None:
    """Minus s+_pre s+_post - s-_pre s-_post, averaged; a bias couples to a neuron at s_max."""
    batch = len(inputs)
    plus = [s[:batch] for s in nudged]
    minus = [s[batch:] for s in nudged]
    for index, weight in enumerate(parameters.weights):
        if index == 0:
            moved = inputs.T @ (minus[0] - plus[0])
        else:
            moved = minus[index - 1].T @ minus[index] - plus[index - 1].T @ plus[index]
        weight.grad = (moved / batch).to(torch.float32)
    for index, bias in enumerate(parameters.biases):
        unit = parameters.layers.populations[index + 1].state_max
        moved = (minus[index] - plus[index]).mean(dim=0) * unit
        bias.grad = moved.to(torch.float32)
