"""`toreq-hw relearn`: damage a network for good, then let it learn on around the damage."""

from hashlib import sha256
from pathlib import Path

import click

from toreq_hw import data, network
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import MAX_COUNT, Name, Real, Whole
from toreq_hw.cli.options import (
    data_option,
    json_option,
    samples_option,
    seed_option,
    with_samples,
    work_option,
)
from toreq_hw.cli.paths import InputFile
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset
from toreq_hw.file_kinds import Kind
from toreq_hw.files import write_json
from toreq_hw.network import Network
from toreq_hw.records.recovery import Recovery, Relearned
from toreq_hw.sim.campaign.recovery import EvaluationSet, relearn
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.training_samples import TrainingSamples
from toreq_hw.sim.perturbation import (
    AsymmetricUpdate,
    DeadNeurons,
    StuckLatentBits,
    StuckStateBits,
    StuckWeights,
)
from toreq_hw.studies.kept_work import kept_work
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.versions import versions

BROKEN: dict[str, type[DeadNeurons | StuckWeights | StuckLatentBits | StuckStateBits]] = {
    layer.kind: layer for layer in (DeadNeurons, StuckWeights, StuckLatentBits, StuckStateBits)
}
"""What can break for good, by the name that it has on the command line."""

_EPILOG = """\b
Examples:
  toreq-hw relearn net.checkpoint --layer dead_neurons --level 0.5
  toreq-hw relearn net.safetensors --data mnist --layer stuck_weights --level 0.2 --epochs 3"""


@checked_command(epilog=_EPILOG)
@click.argument("network_path", metavar="NETWORK", type=InputFile(Kind.NETWORK, Kind.CHECKPOINT))
@data_option
@samples_option("Measure on the first N test images only.")
@click.option(
    "--layer",
    "kind",
    type=Name(list(BROKEN)),
    default=DeadNeurons.kind,
    show_default=True,
    help="What breaks for good.",
)
@click.option(
    "--level", type=Real(0, 1), required=True, help="Fraction of neurons, weights or bits."
)
@click.option("--epochs", type=Whole(1, MAX_COUNT), default=3, show_default=True)
@click.option(
    "--asymmetry",
    type=Real(0, 1),
    default=0.0,
    show_default=True,
    help="Fraction by which steps up are weaker than steps down.",
)
@work_option("build/relearn")
@seed_option
@json_option
def command(
    network_path: Path,
    data_name: str,
    samples: int | None,
    kind: str,
    level: float,
    epochs: int,
    asymmetry: float,
    work: Path,
    seed: int,
    json_path: Path | None,
) -> int:
    """Damage a network, go on with the on-chip rule, and print accuracy after every epoch.

    NETWORK: a checkpoint, whose latents go on as they stand, or a network file, which holds none.
    Then latents start in the middle of what reads as each weight. Rates are those at which the
    recipe of the format ends (docs/robustness.md).
    """
    dataset = with_samples(data.load(data_name), samples)
    trainer, source = trainer_of(network_path, dataset, seed)
    training, evaluation = _samples_of(dataset, trainer.blueprint)
    ledger = Ledger(work, "relearn", _shared(network_path, dataset, seed), Recovery)

    def learn(_: Run) -> Recovery:
        with console.terminal.bar("learning on", epochs * len(training.labels)) as bar:
            return relearn(
                trainer=trainer,
                layer=_layer(kind, level, seed, trainer),
                training=training,
                evaluation=evaluation,
                epochs=epochs,
                watch=lambda progress: bar.advance(progress.samples),
                asymmetry=AsymmetricUpdate(asymmetry, seed),
            )

    run: Run = {"layer": kind, "level": level, "epochs": epochs, "asymmetry": asymmetry}
    with ledger.lock(console.messages.print):
        found = ledger.complete([run], learn)[0]
    if json_path:
        write_json(json_path, _record(found, dataset, trainer, source, asymmetry, seed))
    _show(found, f"{kind} {level:g} on {dataset.name}, latents from the {source}")
    return 0


def _record(
    found: Recovery,
    dataset: Dataset,
    trainer: Trainer,
    source: str,
    asymmetry: float,
    seed: int,
) -> Relearned:
    return Relearned(
        **vars(found),
        data=dataset.name,
        split=dataset.split,
        latents_from=source,
        asymmetry=asymmetry,
        seed=seed,
        network_sha256=trainer.network().sha256,
        versions=versions(),
    )


def _layer(
    kind: str, level: float, seed: int, trainer: Trainer
) -> DeadNeurons | StuckWeights | StuckLatentBits | StuckStateBits:
    """What breaks; of latents the bits that the training keeps."""
    if kind == StuckLatentBits.kind:
        return StuckLatentBits(level, seed, bits=trainer.rule.latent_bits)
    return BROKEN[kind](level, seed)


def _samples_of(dataset: Dataset, shape: Network) -> tuple[TrainingSamples, EvaluationSet]:
    """Images of a data set as inputs of a network: to learn from, and to measure with."""
    settings = recipe(shape.couplings[0].weight_format, dataset.pixels)
    train, test = (
        data.input_states(shape, part.images, dataset.pixel_max)
        for part in (dataset.train, dataset.test)
    )
    training = TrainingSamples(train, dataset.train.labels, dataset.shape, settings.augment)
    return training, EvaluationSet(test, dataset.test.labels)


def _shared(path: Path, dataset: Dataset, seed: int) -> Run:
    """What influences every run of a ledger."""
    return {
        "file": sha256(path.read_bytes()).hexdigest(),
        "data": dataset.sha256,
        "seed": seed,
        "code": digest_of_imports("toreq_hw.sim.campaign.recovery"),
        "numpy": versions()["numpy"],
    }


def _show(found: Recovery, title: str) -> None:
    """Accuracy before, after the damage, and after every epoch."""
    rows = [("undamaged", f"{100 * found.undamaged:.2f}")]
    rows += [
        (f"epoch {epoch}" if epoch else "damaged", f"{100 * accuracy:.2f}")
        for epoch, accuracy in enumerate(found.accuracy)
    ]
    console.output.print(console.table(title, ("", "test accuracy, %"), rows))


def trainer_of(path: Path, dataset: Dataset, seed: int) -> tuple[Trainer, str]:
    """A trainer from a checkpoint or from a network file, and which of the two it was."""
    found = kept_work(path)
    if found is not None and found.kind == "a checkpoint":
        return checkpoint.load(path)[0], "checkpoint"
    net = network.load(path)  # says what is wrong with a file that is neither
    settings = recipe(net.couplings[0].weight_format, dataset.pixels)
    rule = settings.rule(net, settings.epochs)
    return Trainer.from_network(net, rule, seed, settings.epochs), "network file"
