"""What `testbench.rtl.learn` trains, and on which core."""

from dataclasses import dataclass, replace

from toreq_hw import data
from toreq_hw.data import Dataset
from toreq_hw.network import Network, WeightFormat
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.recipes import Recipe, recipe


@dataclass(frozen=True)
class Setup:
    """What is trained, and on which core. samples: of an epoch, None for all."""

    data: str
    hidden: int
    weights: str
    lanes: int
    learn_lanes: int
    latent_bits: int
    epochs: int
    samples: int | None
    seed: int = 1

    @property
    def recipe(self) -> Recipe:
        """The settings of `toreq-hw train`."""
        return recipe(WeightFormat(self.weights), data.load(self.data).pixels)

    def network(self, dataset: Dataset) -> Network:
        """The shape that learns."""
        sizes = (dataset.pixels, self.hidden, dataset.classes)
        return self.recipe.dense(sizes, WeightFormat(self.weights))

    def trainer(self, shape: Network) -> Trainer:
        """From the first weights, at the rates of the whole recipe."""
        rule = self.recipe.rule(shape, self.recipe.epochs)
        return Trainer(shape, replace(rule, latent_bits=self.latent_bits), self.seed)

    def parameters(self, shape: Network) -> CoreParameters:
        """Of the core."""
        return CoreParameters.of(
            shape, self.lanes, learn_lanes=self.learn_lanes, latent_bits=self.latent_bits
        )
