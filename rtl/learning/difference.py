"""Where two learned states part first: what a core holds, and what it should."""

from dataclasses import dataclass

import numpy as np

from toreq_hw.rtl.learning.state import LearnedState


@dataclass(frozen=True)
class LearnedDifference:
    """what: `latent` of a coupling's row and column, `bias latent` of a population's neuron (its
    row), or `generator`. where: the coupling or population.
    """

    what: str
    where: str
    row: int
    column: int
    expected: int
    got: int

    def __str__(self) -> str:
        place = {
            "latent": f"coupling {self.where!r}, row {self.row}, column {self.column}: latent",
            "bias latent": f"population {self.where!r}, neuron {self.row}: bias latent",
            "generator": "generator:",
        }[self.what]
        return f"{place} expected {self.expected}, got {self.got}"


def learned_difference(expected: LearnedState, got: LearnedState) -> LearnedDifference | None:
    """The first difference: couplings in order, then biases, then the generator; None for none."""
    for name, latents in expected.latents.items():
        found = got.latents[name]
        for row, column in np.argwhere(latents != found)[:1].tolist():
            pair = int(latents[row, column]), int(found[row, column])
            return LearnedDifference("latent", name, row, column, *pair)
    for name, biases in expected.bias_latents.items():
        own = got.bias_latents[name]
        for row in np.flatnonzero(biases != own)[:1].tolist():
            return LearnedDifference("bias latent", name, row, 0, int(biases[row]), int(own[row]))
    if expected.generator != got.generator:
        return LearnedDifference("generator", "", 0, 0, expected.generator, got.generator)
    return None
