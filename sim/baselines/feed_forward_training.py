"""Backprop for the feed-forward baseline: quantised weights, straight-through gradients, Adam.

The forward pass computes what `feed_forward` computes (8-bit states, the weight format of the
equilibrium network, its fraction bits); gradients pass the quantisers as if they were not there
(Bengio et al., arXiv:1308.3432; Hubara et al., JMLR 18, 2018). float32, summed in a fixed order:
the same data and seed give the same network, to the bit, on every processor.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import check_epochs, check_seed, named_type_errors
from toreq_hw.network import DenseCoupling, Network, WeightFormat, check_labels, check_states
from toreq_hw.sim.baselines.fixed_order import (
    column_sums,
    exponential,
    product,
    row_sums,
    uniform,
)
from toreq_hw.sim.learning.augmentation import shift_images

Floats = npt.NDArray[np.float32]

_BATCH = 100
_RATE = 1e-2
_SHARPNESS = 8.0
"""Softmax sees outputs in units of the state range, times this: margins come out near 1."""
_TERNARY_THRESHOLD = 0.5


@dataclass
class _Parameter:
    """A latent array and Adam's two moments (Kingma and Ba, arXiv:1412.6980).

    kept: what of each moment's first value, zero, is still in it: 0.9 and 0.999 to the steps done.
    """

    value: Floats
    limit: float = np.inf
    kept: tuple[float, float] = (1.0, 1.0)
    mean: Floats = field(init=False)
    square: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.mean, self.square = np.zeros_like(self.value), np.zeros_like(self.value)

    def descend(self, gradient: Floats, rate: float) -> None:
        self.kept = (0.9 * self.kept[0], 0.999 * self.kept[1])
        self.mean += 0.1 * (gradient - self.mean)
        self.square += 0.001 * (gradient * gradient - self.square)
        scale = math.sqrt(1 - self.kept[1]) / (1 - self.kept[0])
        self.value -= np.float32(rate * scale) * self.mean / (np.sqrt(self.square) + 1e-8)
        np.clip(self.value, -self.limit, self.limit, out=self.value)


class FeedForwardTrainer:
    """Learns weights for `shape`, a chain; `network()` is the integer network as it stands."""

    def __init__(self, shape: Network, seed: int) -> None:
        self._shape = shape
        rng = np.random.default_rng(seed)
        self._weights = [
            _Parameter(_first(rng, c), _largest_value(c)) for c in shape.dense_couplings
        ]
        self._biases = [_Parameter(np.zeros(p.size, dtype=np.float32)) for p in shape.relaxing]

    def learn(self, inputs: Floats, labels: npt.NDArray[np.int64], rate: float) -> None:
        """One step on a batch. inputs: (batch, n) in units of the largest state."""
        latents = zip(self._weights, self._shape.dense_couplings, strict=True)
        weights = [_to_integers(latent.value, coupling) for latent, coupling in latents]
        activations, totals = [inputs], []
        for index, weight in enumerate(weights):
            coupling = self._shape.dense_couplings[index]
            total = product(activations[-1], weight) * np.float32(2.0**-coupling.fraction_bits)
            totals.append(total + self._biases[index].value)
            levels = self._shape.relaxing[index].state_max
            activations.append(np.rint(np.clip(totals[-1], 0, 1) * levels) / np.float32(levels))
        scores = _SHARPNESS * totals[-1]
        shares = exponential(scores - scores.max(axis=1, keepdims=True))
        slope = (shares / row_sums(shares)).astype(np.float32)
        slope[np.arange(len(labels)), labels] -= 1
        slope *= np.float32(_SHARPNESS / len(labels))
        for index in reversed(range(len(weights))):
            scale = np.float32(2.0 ** -self._shape.dense_couplings[index].fraction_bits)
            self._weights[index].descend(product(activations[index].T, slope) * scale, rate)
            self._biases[index].descend(column_sums(slope), rate)
            if index:
                inside = (totals[index - 1] > 0) & (totals[index - 1] < 1)
                slope = product(slope, weights[index].T) * scale * inside

    def network(self) -> Network:
        """Weights and biases in integers."""
        couplings, biases = [], {}
        for latent, bias, coupling in zip(
            self._weights, self._biases, self._shape.dense_couplings, strict=True
        ):
            post = self._shape.population(coupling.post)
            couplings.append(
                replace(coupling, weight=_to_integers(latent.value, coupling).astype(np.int8))
            )
            fraction_bits = self._shape.accumulator_fraction_bits(post.name)
            unit = post.state_max << fraction_bits
            biases[post.name] = np.rint(bias.value.astype(np.float64) * unit).astype(np.int32)
        return replace(self._shape, couplings=tuple(couplings), biases=biases)


@named_type_errors
def train_feed_forward(
    shape: Network,
    images: npt.NDArray[np.int16],
    labels: npt.NDArray[np.int64],
    *,
    image_shape: tuple[int, int],
    augment: int,
    epochs: int,
    seed: int,
    watch: Callable[[int], None] = lambda _: None,
) -> Network:
    """A feed-forward network of `shape` (its weights are ignored), trained by backprop.

    images: input states (samples, n), moved by up to `augment` pixels afresh each epoch, as for
    the equilibrium network. The rate falls linearly to zero. watch: called with samples done.
    Raises InputError.
    """
    check_epochs(epochs)
    check_seed(seed)
    images = check_states(shape.input, images)
    labels = check_labels(shape.output, labels, len(images))
    trainer = FeedForwardTrainer(shape, seed)
    rng = np.random.default_rng(seed)
    largest = np.float32(shape.input.state_max)
    for epoch in range(epochs):
        moved = shift_images(images, image_shape, augment, seed, epoch)
        order = rng.permutation(len(moved))
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            rate = _RATE * (1 - (epoch + first / len(order)) / epochs)
            trainer.learn(moved[batch].astype(np.float32) / largest, labels[batch], rate)
            watch(len(batch))
    return trainer.network()


def _first(rng: np.random.Generator, coupling: DenseCoupling) -> Floats:
    """Ternary: uniform in +-1, half of it beyond the threshold. INT8: He's range in weights."""
    shape = coupling.weight.shape
    limit = 1.0
    if coupling.weight_format is WeightFormat.INT8:
        limit = math.sqrt(6 / shape[0]) * 2.0**coupling.fraction_bits / 127
    return uniform(rng, limit, shape).astype(np.float32)


def _largest_value(coupling: DenseCoupling) -> float:
    return 1.5 if coupling.weight_format is WeightFormat.TERNARY else 1.0


def _to_integers(latent: Floats, coupling: DenseCoupling) -> Floats:
    """The integers a latent stands for, as float32: ternary by threshold, INT8 by rounding."""
    if coupling.weight_format is WeightFormat.TERNARY:
        return np.sign(latent) * (np.abs(latent) >= _TERNARY_THRESHOLD)
    return np.clip(np.rint(latent * 127), -127, 127)
