"""All that decides what a search finds, but for how long it may take."""

from dataclasses import asdict, dataclass

from toreq_hw.records.search import Objective
from toreq_hw.studies.searching.metrics import METRICS, RUNGS, Requirement
from toreq_hw.studies.searching.space import Space

SAMPLERS = ("nsga2", "tpe")


@dataclass(frozen=True)
class Damage:
    """What a network must survive: a layer of `toreq-hw inject`, at a level."""

    layer: str
    level: float

    def __str__(self) -> str:
        return f"{self.layer}:{self.level:g}"


@dataclass(frozen=True, kw_only=True)
class Rungs:
    """How much work a rung is, and how many points it leaves.

    holdout: training images that are held out; every figure that chooses is of them. timed: of
    those, the first so many give cycles. short_epochs, epochs: of both trainings. keep: the part
    of points that goes on to whole training, to synthesis, and to place and route, the best first.
    accuracy_slack: that a short training may miss of an accuracy. cycle_slack: part by which its
    cycles may exceed a limit. place_seeds: of place and route. damage_trials: damages of a network.
    place: whether points are placed though no metric asks for it.
    """

    holdout: int
    timed: int
    short_epochs: int
    epochs: int
    keep: tuple[float, float, float] = (0.5, 0.6, 0.6)
    accuracy_slack: float = 0.05
    cycle_slack: float = 0.25
    place_seeds: int = 3
    damage_trials: int = 5
    place: bool = True


@dataclass(frozen=True, kw_only=True)
class Problem:
    """sha256: of the data set. batch: points that are asked for at once. seed: of what is asked.

    train_seed: of every training.
    """

    data: str
    sha256: str
    space: Space
    objectives: tuple[Objective, ...]
    requirements: tuple[Requirement, ...]
    rungs: Rungs
    damage: Damage | None = None
    sampler: str = "nsga2"
    batch: int = 16
    seed: int = 1
    train_seed: int = 1

    @property
    def name(self) -> str:
        """What it is called wherever it is shown."""
        return f"{self.data} on {', '.join(self.space.choices['board'])}"

    @property
    def path(self) -> tuple[str, ...]:
        """The rungs that points go through."""
        asked = {METRICS[name].rung for name in METRICS if self.asks(name)}
        place = self.rungs.place or "place" in asked
        taken = {"synthesis": place or "synthesis" in asked, "place": place}
        taken["damage"] = "damage" in asked
        return tuple(rung for rung in RUNGS if taken.get(rung, True))

    def asks(self, metric: str) -> bool:
        """Whether a metric is among objectives or requirements."""
        asked = {one.metric for one in self.objectives}
        return metric in asked | {one.metric for one in self.requirements}

    @property
    def settings(self) -> dict[str, str]:
        """All of it as texts, by name: what a store is compared by, and what a page shows."""
        found = {
            "data": self.data,
            "data_sha256": self.sha256,
            "objectives": ", ".join(map(str, self.objectives)),
            "requirements": ", ".join(map(str, self.requirements)),
            "damage": str(self.damage or ""),
            "sampler": self.sampler,
            "batch": str(self.batch),
            "seed": str(self.seed),
            "train_seed": str(self.train_seed),
        }
        found |= {name: str(value) for name, value in asdict(self.rungs).items()}
        found |= {f"space.{name}": ", ".join(c) for name, c in self.space.choices.items()}
        return found
