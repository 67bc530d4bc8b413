"""Which spaces of load words a host reaches over the link."""

from toreq_hw.rtl.load_spaces import LoadSpace, Space
from toreq_hw.rtl.parameters import CoreParameters

SETTINGS = (Space.RATE, Space.GENERATOR, Space.THETA)
"""Spaces that SET takes."""


def loaded_spaces(parameters: CoreParameters) -> tuple[LoadSpace, ...]:
    """The spaces of a load, in the order in which they must come: those of a network, then bias
    latents of a board that learns.
    """
    whole = (s for s in parameters.load_spaces if s.is_network or s.code == Space.BIAS_LATENT)
    return tuple(whole)
