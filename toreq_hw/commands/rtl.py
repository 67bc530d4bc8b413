"""`toreq-hw rtl`: the relaxation core of a network as Verilog, memory images and a datasheet."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from toreq_hw import data, network
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command, overwriting
from toreq_hw.cli.export_folder import ExportFolder, remove
from toreq_hw.cli.learning_options import LearningChoice, learning_choice, learning_options
from toreq_hw.cli.numbers import MAX_COUNT, Name, PowerOfTwo, Whole
from toreq_hw.cli.options import (
    accumulator_register_option,
    data_option,
    json_option,
    network_argument,
    out_folder_option,
    overwrites,
    threshold_option,
)
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.files import together, write_json, write_text
from toreq_hw.reading import shown
from toreq_hw.records.core_files import CoreFiles
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.placement import MOST_LANES as MOST
from toreq_hw.rtl.prefix import PREFIX, TOREQ
from toreq_hw.targets.core_devices import Make, devices_of
from toreq_hw.targets.core_package import IMAGES, bench_of

_EPILOG = """\b
Examples:
  toreq-hw rtl build/sim/network.safetensors --lanes 16 --out build/rtl
  toreq-hw rtl build/sim/network.safetensors --wave 3 --data digits
  toreq-hw rtl build/sim/network.safetensors --threshold 4
  toreq-hw rtl build/sim/network.safetensors --bus axi --package
  toreq-hw rtl build/sim/network.safetensors --name keyword --out build/keyword
  toreq-hw rtl build/sim/network.safetensors --learning --learn-lanes 4 --latent-bits 12"""


WRITTEN = (
    "core.v",
    "ports.v",
    "axi.v",
    "wishbone.v",
    "registers.h",
    "datasheet.md",
    "*.core",
    "README.md",
    "manifest.json",
    "*.hex",
    "image-*.vcd",
)
"""Names of what is written."""

_MOST_SWEEPS = (1 << 16) - 1
"""What the core's counter of sweeps holds."""


@checked_command(epilog=_EPILOG)
@network_argument
@click.option(
    "--lanes",
    type=PowerOfTwo(2, MOST),
    default=16,
    show_default=True,
    help="Accumulators a beat.",
)
@click.option(
    "--max-sweeps",
    type=Whole(1, _MOST_SWEEPS),
    default=MAX_SWEEPS,
    show_default=True,
    help="Safety net of a phase; loadable at run time.",
)
@threshold_option
@accumulator_register_option
@learning_options
@click.option(
    "--bus",
    "bus_name",
    type=Name([bus.value for bus in Bus]),
    default=Bus.NONE.value,
    show_default=True,
    help="Also wrap the core: AXI4-Stream with AXI4-Lite registers, or Wishbone.",
)
@click.option(
    "--package",
    "packs",
    is_flag=True,
    help="Also write what drops into a design: a bench that checks itself, FuseSoC, constraints.",
)
@click.option(
    "--name",
    "prefix",
    metavar="PREFIX",
    default=TOREQ,
    show_default=True,
    help="Begins the names of all modules, macros and files for tools.",
)
@out_folder_option("build/rtl", *WRITTEN)
@overwrites("Replace files in --out that no export wrote, or that were changed since.")
@click.option("--wave", type=Whole(0, MAX_COUNT), help="Also run this test image, and keep a VCD.")
@data_option
@json_option
def command(
    network_path: Path,
    lanes: int,
    max_sweeps: int,
    threshold: int | None,
    accumulator_register: bool,
    bus_name: str,
    packs: bool,
    prefix: str,
    out: Path,
    wave: int | None,
    data_name: str,
    json_path: Path | None,
    **learning: Any,
) -> None:
    """Write the core of NETWORK: Verilog, memory images and a one-page datasheet.

    The Verilog holds the weights as memory initialisation; the images hold the same rows for
    loading them over the stream. The module toreq_ports has a named port for each field.

    --bus adds toreq_axi or toreq_wishbone, and its registers for C. --package adds folders for
    other tools. The bench in them sends the first test images and compares every state. Two
    networks in one design need different names (--name).

    The folder is the export's own: files of an earlier one that are written no more go.

    With --wave, one test image runs through the core and leaves a waveform for GTKWave or Surfer.
    With --learning the core holds latents in place of weights, and a fourth command learns.
    """
    choice = learning_choice(learning)
    _check_prefix(prefix)
    folder = ExportFolder.found(out, overwriting())
    folder.check([out / "core.v"])
    net = network.load(network_path)
    make = _maker(net, max_sweeps, threshold, choice, accumulator_register=accumulator_register)
    parameters, bus = make(lanes), Bus(bus_name)
    image = None if wave is None else _image(net, data_name, wave)
    package = _package(make, parameters, net, data_name, bus, prefix) if packs else Package({}, ())
    with together():
        record = _write(parameters, net, out, bus, prefix)
        files = record.files | _written(package.texts, out)
        if image is not None:
            files |= _write_wave(parameters, net, image, out / f"image-{wave}.vcd")
        stale = folder.keep(map(Path, files.values()))
        if json_path:
            write_json(json_path, replace(record, files=files))
    remove(stale, out)
    for line in (*(f"{name}: {path}" for name, path in files.items()), *package.verdicts):
        console.output.print(line)


@dataclass(frozen=True)
class Package:
    """What --package adds. texts: by path in the folder. verdicts: of the synthesis targets."""

    texts: dict[str, str]
    verdicts: tuple[str, ...]


def _maker(
    net: network.Network,
    max_sweeps: int,
    threshold: int | None,
    choice: LearningChoice | None,
    *,
    accumulator_register: bool,
) -> Make:
    """The core that is asked for, by its lanes."""
    return lambda lanes: CoreParameters.of(
        net,
        lanes,
        max_sweeps,
        threshold=threshold,
        learn_lanes=choice.learn_lanes if choice else None,
        latent_bits=choice.latent_bits if choice else LATENT_BITS,
        accumulator_register=accumulator_register,
    )


def _written(texts: dict[str, str], out: Path) -> dict[str, str]:
    """Writes the files of a package; returns where each is."""
    for path, content in texts.items():
        write_text(out / path, content)
    return {path: str(out / path) for path in texts}


def _check_prefix(prefix: str) -> None:
    if not PREFIX.fullmatch(prefix):
        raise InputError(
            f"--name must be lowercase letters, digits and _, at most 40, found {shown(prefix)}"
        )


def _write(
    parameters: CoreParameters, net: network.Network, out: Path, bus: Bus, prefix: str
) -> CoreFiles:
    """Writes all files of a core into `out`; returns the record."""
    try:
        from toreq_hw.rtl.writing import write_core
    except ModuleNotFoundError as error:
        raise missing("the core", error.name, "rtl") from error
    return write_core(net, parameters, out, bus, prefix)


def _package(
    make: Make,
    parameters: CoreParameters,
    net: network.Network,
    name: str,
    bus: Bus,
    prefix: str,
) -> Package:
    """What --package writes; name: of the data set whose images the bench sends."""
    dataset = data.load(name, net.encoding)
    test = dataset.test.take(slice(0, IMAGES))
    inputs = data.input_states(net, test.images, dataset.pixel_max)
    devices = devices_of(parameters, make)
    texts = bench_of(net, parameters, inputs, test.labels, bus, devices=devices, prefix=prefix)
    verdicts = (f"ice40: {devices.ice40.verdict}", f"ecp5: {devices.ecp5.verdict}")
    return Package(texts, verdicts)


def _image(net: network.Network, name: str, index: int) -> tuple[npt.NDArray[np.int16], int]:
    """A test image as the network takes it, int16 (input.size,), and its class."""
    dataset = data.load(name, net.encoding)
    if index >= len(dataset.test):
        raise InputError(
            f"--wave must be an image in 0..{len(dataset.test) - 1}, the test images of {name}, "
            f"not {index}"
        )
    images = dataset.test.images[index : index + 1]
    inputs = data.input_states(net, images, dataset.pixel_max)[0]
    return inputs, int(dataset.test.labels[index])


def _write_wave(
    parameters: CoreParameters,
    net: network.Network,
    image: tuple[npt.NDArray[np.int16], int],
    path: Path,
) -> dict[str, str]:
    """Runs one test image through Amaranth's own simulator; keeps the waveform, says where."""
    from toreq_hw.rtl.wave import write_wave

    write_wave(parameters, net, *image, path)
    return {"waveform": str(path)}
