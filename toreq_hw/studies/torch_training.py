"""One training on torch tensors, and its record with what the simulator says of it."""

from typing import TYPE_CHECKING

from toreq_hw.data import Dataset
from toreq_hw.network import Network
from toreq_hw.records.parity import Epoch, Settings, SpectralNorm, TrainingRecord
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.training import training_note
from toreq_hw.training.offline import differing_images
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from toreq_hw.quant.options import TrainingOptions
    from toreq_hw.quant.training import Training


def train_torch(
    settings: "TrainingOptions",
    dataset: Dataset,
    start: Network | None = None,
    screen: Screen = NO_SCREEN,
    blank: Network | None = None,
) -> "Training":
    """One training. start: a network to go on from; blank: one whose shape is trained."""
    from toreq_hw.quant.training import train

    with screen.bar("training", settings.epochs) as bar:

        def on_epoch(_: int, epoch: Epoch) -> None:
            bar.show(note=training_note(epoch.training_accuracy))
            bar.advance()

        return train(settings, dataset, on_epoch, start, blank)


def training_record(training: "Training", dataset: Dataset) -> TrainingRecord:
    """What was asked for and what came of it."""
    from toreq_hw.quant.options import Rule

    settings, trained = training.options, training.network
    eqprop = settings.rule is Rule.EQPROP
    return TrainingRecord(
        data=dataset.name,
        split=dataset.split,
        options=options_record(settings),
        history=tuple(training.epochs),
        accuracy=training.accuracy,
        test_images=len(dataset.test),
        simulator_differs_on=differing_images(training, dataset) if eqprop else None,
        sparsity=trained.sparsity,
        training_seconds=training.seconds,
        training_cpu_seconds=training.cpu_seconds,
        spectral_norms={
            coupling.name: SpectralNorm(before, after)
            for coupling, before, after in zip(
                trained.couplings,
                training.spectral_norms_before,
                training.spectral_norms_after,
                strict=True,
            )
        },
        network_sha256=trained.sha256,
        seed=settings.seed,
        versions=versions("torch", "brevitas"),
    )


def options_record(settings: "TrainingOptions") -> Settings:
    """Settings as plain values."""
    plain = {"weight_format": settings.weight_format.value, "rule": settings.rule.value}
    return Settings(**{**vars(settings), **plain})
