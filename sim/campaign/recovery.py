"""Recovery: learning on after damage, and learning with damage so that less of it hurts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network
from toreq_hw.sim.event import EventEngine
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.sim.perturbation import DeadNeurons, Layer, StuckWeights, WeightBitFlip, relax_with
from toreq_hw.sim.perturbation.relearning import Broken, DamagedTrainer, HardenedTrainer
from toreq_hw.sim.phases import relax
from toreq_hw.sim.training import Lessons, learn_epoch

Watch = Callable[[Progress], None]


@dataclass(frozen=True, eq=False)
class Exam:
    """Test inputs int16 (samples, n) and labels."""

    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]

    def accuracy(self, network: Network, layers: Sequence[Layer] = ()) -> float:
        """Fraction of right classes of the network under layers."""
        if layers:
            result = relax_with(network, self.inputs, layers)
        else:
            result = relax(network, self.inputs, engine=EventEngine(network, threads=1))
        return float(np.mean(result.classes == self.labels))


@dataclass(frozen=True)
class Recovery:
    """accuracy[0] is that right after the damage, accuracy[e] after e epochs of learning on."""

    damage: str
    level: float
    undamaged: float
    accuracy: tuple[float, ...]


@dataclass(frozen=True)
class Hardening:
    """Accuracy of the plain and the hardened network without damage and under each of `tests`."""

    damage: str
    level: float
    period: int
    tests: tuple[tuple[str, float], ...]
    plain: tuple[float, ...]
    hardened: tuple[float, ...]


def relearn(
    trainer: Trainer,
    layer: DeadNeurons | StuckWeights,
    lessons: Lessons,
    exam: Exam,
    epochs: int,
    watch: Watch,
) -> Recovery:
    """Damages a trained network for good and learns on, with its rates as they stood at the end."""
    network = trainer.network()
    broken = (
        Broken.silenced(layer, network)
        if isinstance(layer, DeadNeurons)
        else Broken.stuck(layer, network)
    )
    damaged = DamagedTrainer(trainer, broken)
    curve = [exam.accuracy(damaged.network())]
    for _ in range(epochs):
        learn_epoch(damaged, lessons, watch)
        curve.append(exam.accuracy(damaged.network()))
    return Recovery(layer.kind, layer.level, exam.accuracy(network), tuple(curve))


TESTS = (
    ("weight_bit_flip", 0.01),
    ("weight_bit_flip", 0.03),
    ("weight_bit_flip", 0.1),
    ("stuck_weights", 0.1),
    ("stuck_weights", 0.2),
    ("dead_neurons", 0.5),
)


def harden(
    trainer: Trainer,
    rate: float,
    period: int,
    lessons: Lessons,
    exam: Exam,
    epochs: int,
    watch: Watch,
    trials: int = 8,
) -> Hardening:
    """Trains the same network from scratch with `rate` of its weight bits flipped afresh every
    `period` samples, and holds both against damage that neither has seen.
    """
    seed = (trainer.seed + 0x5EED) % (1 << 32)
    hardened = HardenedTrainer(
        trainer, lambda draw: WeightBitFlip(rate, (seed + draw) % (1 << 32)), period
    )
    for _ in range(epochs):
        learn_epoch(hardened, lessons, watch)
    makers: dict[str, type[Layer]] = {
        "weight_bit_flip": WeightBitFlip,
        "stuck_weights": StuckWeights,
        "dead_neurons": DeadNeurons,
    }

    def scores(network: Network) -> tuple[float, ...]:
        tests = [
            np.mean([exam.accuracy(network, [makers[kind](level, k)]) for k in range(trials)])
            for kind, level in TESTS
        ]
        return (exam.accuracy(network), *(float(score) for score in tests))

    return Hardening(
        "weight_bit_flip",
        rate,
        period,
        TESTS,
        scores(trainer.network()),
        scores(hardened.network()),
    )
