"""Recovery: learning on after damage, and learning with damage so that less of it hurts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.results import PhaseResult
from toreq_hw.errors import InputError
from toreq_hw.network import Network, check_labels
from toreq_hw.records.intervals import Interval
from toreq_hw.records.recovery import Asymmetry, Hardening, Recovery
from toreq_hw.sim.campaign.planning import student
from toreq_hw.sim.event import EventEngine
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.sim.learning.training_samples import TrainingSamples, learn_epoch
from toreq_hw.sim.perturbation import (
    AsymmetricUpdate,
    DeadNeurons,
    Layer,
    StuckLatentBits,
    StuckStateBits,
    StuckWeights,
    WeightBitFlip,
    make_layer,
    relax_with,
)
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.faulty_training import FaultyTrainer
from toreq_hw.sim.perturbation.relearning import Broken, DamagedTrainer, HardenedTrainer
from toreq_hw.sim.phases import relax

Watch = Callable[[Progress], None]

RELEARNING_SWEEPS = 60
"""Where phases end that stuck state bits keep from settling."""


@named_type_errors
@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Test inputs int16 (samples, n) and labels, one each."""

    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]

    def accuracy(self, network: Network, layers: Sequence[Layer] = ()) -> float:
        """Fraction of right classes of the network under layers."""
        if layers:
            result = relax_with(network, self.inputs, layers)
        else:
            result = relax(network, self.inputs, engine=EventEngine(network, threads=1))
        return self.share(result)

    def share(self, result: PhaseResult) -> float:
        """Fraction of right classes of a phase of these inputs."""
        labels = check_labels(result.network.output, self.labels, len(result.classes))
        return float(np.mean(result.classes == labels))


@named_type_errors
def relearn(
    trainer: Trainer,
    layer: DeadNeurons | StuckWeights | StuckLatentBits | StuckStateBits,
    training: TrainingSamples,
    evaluation: EvaluationSet,
    epochs: int,
    watch: Watch,
    asymmetry: AsymmetricUpdate = AsymmetricUpdate(0.0),  # noqa: B008 (frozen, no effect)
) -> Recovery:
    """Damages a trained network for good and learns on, with its rates as they stood at the end.

    Raises InputError for uneven updates under stuck bits, which no trainer has together.
    """
    if isinstance(layer, StuckLatentBits | StuckStateBits) and asymmetry.level:
        raise InputError(f"asymmetry must be 0 under {layer.kind}, found {asymmetry.level:g}")
    if isinstance(layer, StuckLatentBits | StuckStateBits):
        return _under_map(trainer, layer, training, evaluation, epochs, watch)
    network = trainer.network()
    broken = (
        Broken.silenced(layer, network)
        if isinstance(layer, DeadNeurons)
        else Broken.stuck(layer, network)
    )
    damaged = DamagedTrainer(trainer, broken, asymmetry)
    curve = [evaluation.accuracy(damaged.network())]
    for _ in range(epochs):
        learn_epoch(damaged, training, watch)
        curve.append(evaluation.accuracy(damaged.network()))
    return Recovery(layer.kind, layer.level, evaluation.accuracy(network), tuple(curve))


def _under_map(
    trainer: Trainer,
    layer: StuckLatentBits | StuckStateBits,
    training: TrainingSamples,
    evaluation: EvaluationSet,
    epochs: int,
    watch: Watch,
) -> Recovery:
    """The same under the fault map that `layer` makes, whose phases have a limit on sweeps."""
    whole = trainer.network()
    faults = FaultMap.make(whole, [layer], 0)
    damaged = FaultyTrainer(trainer, faults, max_sweeps=RELEARNING_SWEEPS)
    curve = [evaluation.share(damaged.relax(evaluation.inputs))]
    for _ in range(epochs):
        learn_epoch(damaged, training, watch)
        curve.append(evaluation.share(damaged.relax(evaluation.inputs)))
    return Recovery(layer.kind, layer.level, evaluation.accuracy(whole), tuple(curve))


TESTS: tuple[tuple[str, float], ...] = (
    ("weight_bit_flip", 0.01),
    ("weight_bit_flip", 0.03),
    ("weight_bit_flip", 0.1),
    ("stuck_weights", 0.1),
    ("stuck_weights", 0.2),
    ("dead_neurons", 0.5),
    ("programming_noise", 0.5),
    ("device_variation", 0.5),
)


@named_type_errors
def harden(
    trainer: Trainer,
    rate: float,
    period: int,
    training: TrainingSamples,
    evaluation: EvaluationSet,
    epochs: int,
    watch: Watch,
    *,
    trials: int = 20,
    confidence: float = 0.99,
) -> Hardening:
    """Trains the same network from scratch with `rate` of its weight bits flipped afresh every
    `period` samples. Both then meet damage that neither has seen.
    """
    seed = (trainer.seed + 0x5EED) % (1 << 32)
    hardened = HardenedTrainer(
        trainer, lambda count: WeightBitFlip(rate, (seed + count) % (1 << 32)), period
    )
    for _ in range(epochs):
        learn_epoch(hardened, training, watch)

    def scores(network: Network) -> tuple[Interval, ...]:
        whole = evaluation.accuracy(network)
        tests = [
            [
                evaluation.accuracy(network, [make_layer(kind, level=level, seed=k)])
                for k in range(trials)
            ]
            for kind, level in TESTS
        ]
        return (Interval(whole, whole, whole), *(student(test, confidence) for test in tests))

    return Hardening(
        damage="weight_bit_flip",
        level=rate,
        period=period,
        trials=trials,
        images=len(evaluation.labels),
        confidence=confidence,
        tests=TESTS,
        plain=scores(trainer.network()),
        hardened=scores(hardened.network()),
    )


@named_type_errors
def asymmetry(
    trainer: Trainer,
    levels: Sequence[float],
    training: TrainingSamples,
    evaluation: EvaluationSet,
    epochs: int,
    watch: Watch,
) -> Asymmetry:
    """Trains the same network from scratch at each level of `AsymmetricUpdate`."""
    accuracy = []
    for level in levels:
        fresh = Trainer(trainer.blueprint, trainer.rule, trainer.seed)
        uneven = DamagedTrainer(fresh, Broken({}), AsymmetricUpdate(level, trainer.seed))
        for _ in range(epochs):
            learn_epoch(uneven, training, watch)
        accuracy.append(evaluation.accuracy(uneven.network()))
    return Asymmetry(tuple(levels), tuple(accuracy), epochs)
