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
    expected: int
    got: int
    row: int = 0
    column: int = 0

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
            return LearnedDifference(
                what="latent",
                where=name,
                row=row,
                column=column,
                expected=int(latents[row, column]),
                got=int(found[row, column]),
            )
    for name, biases in expected.bias_latents.items():
        own = got.bias_latents[name]
        for row in np.flatnonzero(biases != own)[:1].tolist():
            expected_latent, got_latent = int(biases[row]), int(own[row])
            return LearnedDifference(
                what="bias latent",
                where=name,
                row=row,
                expected=expected_latent,
                got=got_latent,
            )
    if expected.generator != got.generator:
        return LearnedDifference(
            what="generator", where="", expected=expected.generator, got=got.generator
        )
    return None
