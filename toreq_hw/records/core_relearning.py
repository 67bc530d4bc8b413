"""A core that learns, broken and left to learn on."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CoreRelearning:
    """One damage of one trained core.

    layers: what breaks, each as the JSON text of `Layer.to_json`; none is the control. before,
    accuracy: of the core on all test images, 0..1: before the damage, right after it, and after
    each epoch of learning on. samples: learned under the damage. phases_at_limit: of these, ended
    by the limit on sweeps.
    difference: the first one between core and simulator, None where everything was equal.
    """

    weights: str
    damage: str
    seed: int
    layers: tuple[str, ...]
    broken_latents: int
    latents: int
    before: float
    accuracy: tuple[float, ...]
    samples: int
    phases_at_limit: int
    cycles: int
    difference: str | None


@dataclass(frozen=True, kw_only=True)
class CoreRelearnings:
    """All of them. shape: sizes of the network. split: which samples measured."""

    data: str
    split: str
    shape: tuple[int, ...]
    lanes: int
    learn_lanes: int
    max_sweeps: int
    latent_bits: dict[str, int]
    test_images: int
    runs: tuple[CoreRelearning, ...]
    versions: dict[str, str]
