"""What a campaign measures, spelled out so that any process can run any of its trials."""

from dataclasses import asdict, dataclass
from typing import Any

from toreq_hw.argument_types import named_type_errors
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.json_values import JsonObject
from toreq_hw.network import Network
from toreq_hw.sim.perturbation import KINDS, Layer, LearningLayer, make_layer
from toreq_hw.sim.perturbation.layer import check_fits
from toreq_hw.versions import versions


@named_type_errors
@dataclass(frozen=True)
class Setting:
    """network, baseline: paths of network files (baseline None: no feed-forward comparison). data,
    samples: the first so many test images. kind, options: the layer and its settings but level and
    seed. seed: trial t draws from seed + t, at every level. max_sweeps: the limit on sweeps.

    Raises InputError for an unknown layer, a bad option or a bad seed.
    """

    network: str
    data: str
    samples: int
    kind: str
    options: tuple[tuple[str, Any], ...] = ()
    baseline: str | None = None
    seed: int = 1
    max_sweeps: int = MAX_SWEEPS

    def __post_init__(self) -> None:
        self.layer(0.0, 0)

    def layer(self, level: float, trial: int) -> Layer:
        """The layer of one trial."""
        seed = (self.seed + trial) % (1 << 32)
        return make_layer(self.kind, level=level, seed=seed, **dict(self.options))

    def check(self, network: Network, levels: tuple[float, ...]) -> None:
        """Raises InputError unless the layer takes every level and fits the network."""
        if issubclass(KINDS[self.kind], LearningLayer):
            raise InputError(
                f"layer {self.kind} must have learning to act on: use toreq-hw relearn, not inject"
            )
        for level in levels:
            layer = self.layer(level, 0)
            check_fits(layer, network)
            if layer.place:
                names = [c.name for c in network.couplings] + [p.name for p in network.relaxing]
                if layer.place not in names:
                    raise InputError(
                        f"place of {self.kind} must be one of {', '.join(names)}, not {layer.place}"
                    )

    @property
    def full_damage(self) -> float | None:
        """The layer's level of full damage."""
        return KINDS[self.kind].full_damage

    def ledger_key(
        self, network: Network, baseline: Network | None, dataset: Dataset
    ) -> JsonObject:
        """All that every trial depends on, by content: wherever the files lie.

        Part of it is all code that a trial reaches, without comments and docstrings, and the
        version of numpy, which draws damage: trials of two revisions never mix.
        """
        return asdict(self) | {
            "network": network.sha256,
            "twin": baseline.sha256 if baseline else None,
            "data": dataset.sha256,
            "code": digest_of_imports("toreq_hw.sim.campaign.trial"),
            "numpy": versions()["numpy"],
        }
