"""Backpropagation through a net with attention, feed-forward, of the shape of an integer network.

Every population is computed once, in file order, from those before it: queries, keys and values
from the input, scores from queries and keys, what is attended from scores and values. Weights,
states and rows are those integers that the contract has; gradients pass straight through.
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from toreq_hw.argument_types import named_type_errors
from toreq_hw.data import Dataset, Split, encode
from toreq_hw.errors import InputError
from toreq_hw.network import Coupling, Network, Normalisation, Population, Trilinear
from toreq_hw.quant.equilibrium import form_of
from toreq_hw.quant.options import TrainingOptions
from toreq_hw.quant.quantisers import state_quantiser, weight_quantiser
from toreq_hw.quant.readout import budget_rows

EVALUATION_BATCH = 1000

States = dict[str, torch.Tensor]
"""Of populations by name, (batch, size)."""


@dataclass(frozen=True)
class AttentionTraining:
    """A finished run. accuracies: fractions of samples of which all labels are right, of the last
    epoch and of the test samples. seconds: of each epoch.
    """

    network: Network
    train_accuracy: float
    accuracy: float
    seconds: tuple[float, ...]


@named_type_errors
def train_attention(
    options: TrainingOptions, dataset: Dataset, blank: Network
) -> AttentionTraining:
    """Trains the shape of `blank` by backpropagation; epochs, batch size, learning rate, format and
    seed are those of the options. Raises InputError for a shape that it cannot compute.
    """
    generator = torch.Generator().manual_seed(options.seed)
    net = Net(blank, options, generator)
    inputs, labels = _tensors(dataset, dataset.train, blank)
    optimiser = torch.optim.Adam(net.groups(options.learning_rate), fused=True)
    steps = options.epochs * math.ceil(len(labels) / options.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    seconds, right = [], 0
    for _ in range(options.epochs):
        begin, right = time.perf_counter(), 0
        for batch in torch.randperm(len(labels), generator=generator).split(options.batch_size):
            optimiser.zero_grad()
            logits = net.logits(inputs[batch])
            functional.cross_entropy(logits.flatten(0, 1), labels[batch].flatten()).backward()
            optimiser.step()
            schedule.step()
            net.clip()
            right += _right(logits, labels[batch])
        seconds.append(time.perf_counter() - begin)
    return AttentionTraining(
        net.trained(), right / len(labels), _accuracy(net, dataset), tuple(seconds)
    )


class Net:
    """Latent weights and biases of a network's shape, in LSBs, and what they compute."""

    def __init__(
        self, blank: Network, options: TrainingOptions, generator: torch.Generator
    ) -> None:
        if blank.readout is None or blank.readout.normalisation is not Normalisation.SOFTMAX:
            raise InputError("readout must be clamped, with softmax, for backpropagation")
        limited = [p.name for p in blank.relaxing if p.rows and (p.rows.mask or p.rows.at_most)]
        if limited:
            raise InputError(
                f"rows must share out all units among all cells for backpropagation, found "
                f"{limited[0]!r} with a mask or with at most"
            )
        self.blank, self._forms = blank, {c.name: form_of(c) for c in blank.couplings}
        self._quantiser = weight_quantiser(options.weight_format, options.ternary_threshold)
        self._limit = float(options.weight_format.limit)
        ternary = options.weight_format.limit == 1
        self.weights = {}
        for c in blank.couplings:
            form = self._forms[c.name]
            most = 1.0 if ternary else self._unit(c) / max(form.post_degree, 1) ** 0.5
            noise = torch.rand(form.shape, generator=generator) * 2 - 1
            self.weights[c.name] = (noise * most).requires_grad_()
        self.biases = {p.name: torch.zeros(p.biases).requires_grad_() for p in blank.relaxing}

    def _unit(self, coupling: Coupling) -> float:
        """LSBs in a weight of 1 where activations run over 0..1."""
        pre, post = self.blank.population(coupling.pre), self.blank.population(coupling.post)
        return float(1 << coupling.fraction_bits) * post.state_max / pre.state_max

    def groups(self, learning_rate: float) -> list[dict[str, object]]:
        """Adam's, each latent's step in its own LSBs."""
        couplings = [
            {"params": [self.weights[c.name]], "lr": learning_rate * self._unit(c)}
            for c in self.blank.couplings
        ]
        return couplings + [
            {
                "params": [self.biases[p.name]],
                "lr": learning_rate * (p.state_max << self._bits(p.name)),
            }
            for p in self.blank.relaxing
        ]

    def _bits(self, name: str) -> int:
        return self.blank.accumulator_fraction_bits(name)

    def clip(self) -> None:
        """Keeps latents where the format can follow them."""
        with torch.no_grad():
            for weight in self.weights.values():
                weight.clamp_(-self._limit, self._limit)

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Of every label's classes, (batch, rows, classes). inputs: (batch, n_input)."""
        blank, output = self.blank, self.blank.output
        assert blank.readout is not None
        states: States = {blank.input.name: inputs}
        for population in blank.relaxing[:-1]:
            states[population.name] = self._state(population, self._sums(population, states))
        source = blank.population(blank.into(output.name)[0].source.name)
        top, bottom = blank.readout.temperature
        unit = top / bottom * (source.state_max << self._bits(output.name))
        found = self._sums(output, states) / unit
        return found.view(len(inputs), blank.readout.rows, -1)

    def _sums(self, population: Population, states: States) -> torch.Tensor:
        """Accumulators of what comes before, (batch, size)."""
        name, bits = population.name, self._bits(population.name)
        stored = _passed(self.biases[name], self.biases[name].round())
        total = stored.repeat(population.size // len(stored))
        for projection in self.blank.into(name):
            if not projection.backward:
                c = projection.coupling
                weight = self._quantiser(self.weights[c.name])
                link = self._forms[c.name].link(weight, 2.0 ** (bits - c.fraction_bits))
                total = total + link.forward(states[projection.source.name])
        for term in self.blank.terms:
            others = [end for end in term.ends if end != name]
            if name in term.ends and all(end in states for end in others):
                total = total + _products(term, name, states) * 2.0 ** (bits - term.fraction_bits)
        return total

    def _state(self, population: Population, sums: torch.Tensor) -> torch.Tensor:
        bits, rows = self._bits(population.name), population.rows
        if rows is None:
            clipped = (sums * 2.0**-bits).clamp(population.state_min, population.state_max)
            return _passed(clipped, state_quantiser(population, bits)(sums))
        cells = sums.view(-1, rows.length)
        top, bottom = rows.temperature
        shares = cells / (top / bottom * (rows.budget << bits))
        soft = rows.normalisation is Normalisation.SOFTMAX
        real = rows.budget * (shares.softmax(dim=1) if soft else sparsemax(shares))
        table = torch.tensor(rows.table(bits))
        exact = budget_rows(cells.detach().to(torch.int64), table, rows.budget)
        return _passed(real, exact).view(sums.shape)

    def trained(self) -> Network:
        """The integer network of the quantised latents."""
        with torch.no_grad():
            weights = {
                name: self._quantiser(w).numpy().astype(np.int8) for name, w in self.weights.items()
            }
            biases = {name: b.round().numpy().astype(np.int32) for name, b in self.biases.items()}
        couplings = (c.with_parameters(weights[c.name]) for c in self.blank.couplings)
        return replace(self.blank, couplings=tuple(couplings), biases=biases)


def sparsemax(values: torch.Tensor) -> torch.Tensor:
    """The point of the simplex nearest to each row, (rows, cells): Martins and Astudillo, 2016."""
    falling = values.sort(dim=1, descending=True).values
    count = torch.arange(1, values.shape[1] + 1)
    sums = falling.cumsum(dim=1)
    support = (1 + count * falling > sums).sum(dim=1, keepdim=True)
    return (values - (sums.gather(1, support - 1) - 1) / support).clamp(min=0)


def _products(term: Trilinear, name: str, states: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """What the term adds to one of its populations, (batch, size), before its fraction bits."""
    shapes = dict(zip(term.ends, term.shapes, strict=True))
    letters = dict(zip(term.ends, ("bhij", "bihx", "bjhx"), strict=True))
    others = [end for end in term.ends if end != name]
    parts = [states[end].view(-1, *shapes[end]) for end in others]
    rule = f"{letters[others[0]]},{letters[others[1]]}->{letters[name]}"
    return torch.einsum(rule, *parts).flatten(1)


def _passed(real: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    """The values of `exact`, with the gradient of `real`: also where a sum lies just at a rail."""
    return real + (exact - real).detach()


def _tensors(dataset: Dataset, split: Split, blank: Network) -> tuple[torch.Tensor, torch.Tensor]:
    """Input states (samples, n_input) and labels (samples, rows)."""
    states = torch.from_numpy(encode(split.images, dataset.pixel_max, blank.input)).float()
    return states, torch.from_numpy(np.ascontiguousarray(split.labels)).view(len(states), -1)


def _right(logits: torch.Tensor, labels: torch.Tensor) -> int:
    """Samples of which all labels are right."""
    return int((logits.argmax(dim=2) == labels).all(dim=1).sum())


def _accuracy(net: Net, dataset: Dataset) -> float:
    inputs, labels = _tensors(dataset, dataset.test, net.blank)
    with torch.no_grad():
        parts: Iterator[tuple[torch.Tensor, torch.Tensor]] = zip(
            inputs.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True
        )
        right = sum(_right(net.logits(part), wanted) for part, wanted in parts)
    return right / len(labels)
