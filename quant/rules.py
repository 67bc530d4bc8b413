"""The two learning rules: each fills in the gradient of every latent for one batch."""

import torch
from torch.nn import functional

from toreq_hw.quant.equilibrium import Tensors, drive, exact_dtype, relax, zero_states
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
        weights, biases = [w.to(dtype) for w in weights], [b.to(dtype) for b in biases]
        inputs = inputs.to(dtype)
        clamped = drive(layers, inputs, weights, biases)
        free, sweeps = relax(layers, weights, clamped, zero_states(layers, inputs))
        nudge = _nudge(parameters, free[-1], labels, beta_shift)
        start = [torch.cat([s, s]) for s in free]
        nudged, _ = relax(layers, weights, clamped.nudged(nudge), start)
        _set_gradients(parameters, inputs, nudged)
    return free[-1].argmax(dim=1), sweeps


def backprop_gradients(
    parameters: Parameters, inputs: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, int]:
    """Backpropagation through the feed-forward net of the same shape and quantisers.

    The loss is the cross-entropy of the output accumulators (activations over 0..1). Sets
    `.grad` of every latent. Returns the class of each sample, and 1 (one pass).
    """
    for latent in (*parameters.weights, *parameters.biases):
        latent.requires_grad_(True)
        latent.grad = None
    logits = forward(parameters, inputs)
    loss = functional.cross_entropy(logits, labels)
    loss.backward()
    for latent in (*parameters.weights, *parameters.biases):
        latent.requires_grad_(False)
    return logits.argmax(dim=1), 1


def forward(parameters: Parameters, inputs: torch.Tensor) -> torch.Tensor:
    """The feed-forward pass: output accumulators, (batch, n_output), in units of s_max."""
    layers = parameters.layers
    weights, biases = parameters.quantised()
    states = inputs.to(torch.float32)
    last = len(weights) - 1
    for index, weight in enumerate(weights):
        layer = index + 1
        total = (states @ weight) * layers.scale(index, layer) + biases[index]
        if index < last:
            fraction_bits = layers.accumulator_fraction_bits(layer)
            states = state_quantiser(layers.populations[layer], fraction_bits)(total)
    unit = layers.populations[-1].state_max << layers.accumulator_fraction_bits(last + 1)
    return total / LOGIT_SCALE / unit


LOGIT_SCALE = 1 / 8
"""An output at s_max counts as a logit of 8, so that cross-entropy can be small within 0..1."""


def _nudge(
    parameters: Parameters, outputs: torch.Tensor, labels: torch.Tensor, beta_shift: int
) -> torch.Tensor:
    """(e << F) >> beta_shift of docs/numerics.md, section 5, integer-valued (batch, n_output)."""
    layers = parameters.layers
    last = len(layers.populations) - 1
    target = torch.zeros_like(outputs)
    target.scatter_(1, labels[:, None], float(layers.populations[-1].state_max))
    scale = 2.0 ** (layers.accumulator_fraction_bits(last) - beta_shift)
    return ((target - outputs) * scale).floor()


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
