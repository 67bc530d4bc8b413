"""The two learning rules: each fills in the gradient of every latent for one batch."""

import torch
from torch.nn import functional

from toreq_hw.quant.equilibrium import Layers, Phases, Tensors, drive, links
from toreq_hw.quant.parameters import Parameters
from toreq_hw.quant.quantisers import state_quantiser
from toreq_hw.quant.relaxation import all_phases


def eqprop_gradients(
    parameters: Parameters, inputs: torch.Tensor, labels: torch.Tensor, beta_shift: int
) -> tuple[torch.Tensor, int]:
    """Equilibrium propagation: free phase, both nudged phases, the local centred estimator.

    inputs: integer-valued (batch, n_input); labels: int64 (batch,). Sets `.grad` of every
    latent to minus the estimator's mean; nothing is differentiated and no activation is kept.
    A weight of several edges takes the sum over them. Returns the class of each sample in the
    free phase, and the sweeps of the slowest.
    """
    with torch.no_grad():
        weights, biases = parameters.quantise()
        inputs = parameters.exact(inputs, weights, biases)
        between = links(parameters.layers, weights, inputs.dtype)
        clamped = drive(parameters.layers, inputs, weights[0], biases)
        phases = all_phases(parameters.layers, between, clamped, labels, beta_shift)
        _set_gradients(parameters, inputs, phases)
    return phases.outputs.argmax(dim=1), phases.sweeps


def backprop_gradients(
    parameters: Parameters,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> tuple[torch.Tensor, int]:
    """Backpropagation through the feed-forward net of the same shape and quantisers.

    The loss is the cross-entropy of the output accumulators. Sets `.grad` of every latent to
    the gradient of its quantised weight (straight-through). noise, generator: see `forward`.
    Returns the class of each sample, and 1 (one pass).
    """
    weights, biases = parameters.quantise()
    latents = (*parameters.weights, *parameters.biases)
    leaves = [leaf.requires_grad_(True) for leaf in (*weights, *biases)]
    logits = forward(parameters.layers, inputs, weights, biases, noise, generator)
    functional.cross_entropy(logits, labels).backward()
    for latent, leaf in zip(latents, leaves, strict=True):
        latent.grad = leaf.grad
    return logits.argmax(dim=1), 1


def forward(
    layers: Layers,
    inputs: torch.Tensor,
    weights: Tensors,
    biases: Tensors,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """The feed-forward pass: logits (batch, n_output), the unclipped output accumulators.

    inputs, weights and biases are integer-valued; activations are quantised as states are. noise:
    standard deviation over the range of states of what `generator`, on the CPU, adds to each
    accumulator.
    """
    states = inputs.to(torch.float32)
    last = len(weights) - 1
    for index, (form, weight) in enumerate(zip(layers.forms, weights, strict=True)):
        population = layers.populations[index + 1]
        fraction_bits = layers.accumulator_fraction_bits(index + 1)
        scale = 2.0 ** (fraction_bits - layers.fraction_bits[index])
        bias = biases[index].repeat(population.size // len(biases[index]))
        total = form.link(weight, scale).forward(states) + bias
        if noise:
            spread = noise * (population.state_max - population.state_min) * 2.0**fraction_bits
            drawn = torch.randn(total.shape, generator=generator) * spread
            total = total + drawn.to(total.device)
        if index < last:
            states = state_quantiser(population, fraction_bits)(total)
    return total * _logit_scale(layers)


def _logit_scale(layers: Layers) -> float:
    """Of an output accumulator: z / U of a clamped output, as its own error has it."""
    fraction_bits = layers.accumulator_fraction_bits(len(layers.relaxing))
    if layers.readout is None:
        return LOGIT_AT_MAXIMUM / (layers.relaxing[-1].state_max << fraction_bits)
    top, bottom = layers.readout.temperature
    return bottom / (top * (layers.populations[-2].state_max << fraction_bits))


LOGIT_AT_MAXIMUM = 8.0
"""What a relaxing output's accumulator at s_max counts as in the cross-entropy, so that the loss
can become small where hard-sigmoid outputs can be right."""


def _set_gradients(parameters: Parameters, inputs: torch.Tensor, phases: Phases) -> None:
    """Minus s+_pre s+_post - s-_pre s-_post, averaged; a bias couples to a neuron at s_max.

    Samples that no nudge reaches add nothing.
    """
    batch = len(inputs)
    forms = parameters.layers.forms
    moved = [m - p for m, p in zip(phases.minus, phases.plus, strict=True)]
    first = forms[0].products(inputs.index_select(0, phases.rows), moved[0])
    parameters.weights[0].grad = first.mul_(1 / batch).to(torch.float32)
    for index, weight in enumerate(parameters.weights[1:]):
        change = forms[index + 1].products(phases.minus[index], phases.minus[index + 1])
        change -= forms[index + 1].products(phases.plus[index], phases.plus[index + 1])
        weight.grad = change.mul_(1 / batch).to(torch.float32)
    for bias, population, change in zip(
        parameters.biases, parameters.layers.relaxing, moved, strict=True
    ):
        of_stored = change.sum(dim=0).view(-1, len(bias)).sum(dim=0)
        bias.grad = (of_stored * (population.state_max / batch)).to(torch.float32)
