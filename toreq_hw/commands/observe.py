"""`toreq-hw observe`: watch a network settle, as a film or in the browser."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
from click.core import ParameterSource

from toreq_hw import data
from toreq_hw.cli import console, silence
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.default_network import DEFAULT_PATH, load_or_make
from toreq_hw.cli.numbers import MAX_COUNT, Name, Whole
from toreq_hw.cli.options import any_data_option
from toreq_hw.cli.paths import InputFile, OutputFile
from toreq_hw.contract.limits import MOST_SWEEPS
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.file_kinds import Kind
from toreq_hw.files import together
from toreq_hw.network import Network
from toreq_hw.observatory import film, recording_file
from toreq_hw.observatory.bench import FrameRate, frame_rates
from toreq_hw.observatory.live import Live
from toreq_hw.observatory.picture import PALETTES
from toreq_hw.observatory.poster import ending
from toreq_hw.observatory.recording import Recording
from toreq_hw.observatory.serving import serve
from toreq_hw.observatory.watched import Watched
from toreq_hw.sim import EngineName
from toreq_hw.sim.session import Session
from toreq_hw.training.ends import check_ends

MAX_SWEEPS = 60
"""Where a phase of a film ends that does not settle."""

_EPILOG = """\b
Examples:
  toreq-hw observe net.safetensors --gif out.gif --sample 3
  toreq-hw observe net.safetensors --data mnist --nudge 7 --gif out.gif --record run.npz
  toreq-hw observe --replay run.npz
  toreq-hw observe --replay run.npz --gif again.gif"""


@checked_command(epilog=_EPILOG)
@click.argument(
    "network_path", metavar="[NETWORK]", type=InputFile(Kind.NETWORK), default=DEFAULT_PATH
)
@any_data_option
@click.option(
    "--sample",
    type=Whole(0, MAX_COUNT),
    default=0,
    show_default=True,
    help="Test image that is shown.",
)
@click.option(
    "--nudge",
    "label",
    type=Whole(0, MAX_COUNT),
    help="Class of the nudged phases.  [default: no such phases]",
)
@click.option(
    "--engine", type=Name([e.value for e in EngineName]), default="event", show_default=True
)
@click.option("--max-sweeps", type=Whole(1, MOST_SWEEPS), default=MAX_SWEEPS, show_default=True)
@click.option(
    "--palette", type=Name(list(PALETTES)), default="safe", show_default=True, help="Of films."
)
@click.option("--gif", "gif_path", type=OutputFile(), help="Write the phases as a GIF.")
@click.option("--mp4", "mp4_path", type=OutputFile(), help="The same as an MP4, with ffmpeg.")
@click.option("--record", "record_path", type=OutputFile(), help="Write every tick as an .npz.")
@click.option(
    "--replay", "replay_path", type=InputFile(), help="Show a recording, here or as a film."
)
@click.option(
    "--port", type=Whole(0, 65535), default=0, show_default=True, help="Of the page; 0 is any."
)
@click.option("--browser/--no-browser", "browse", default=True, help="Open it in a browser.")
@click.option("--bench", is_flag=True, help="Measure frames a second of one core instead.")
def command(
    network_path: Path,
    data_name: str,
    sample: int,
    label: int | None,
    engine: str,
    max_sweeps: int,
    palette: str,
    gif_path: Path | None,
    mp4_path: Path | None,
    record_path: Path | None,
    replay_path: Path | None,
    port: int,
    browse: bool,
    bench: bool,
) -> int:
    """Watch a network settle, tick by tick, in the browser.

    NETWORK: by default that of `toreq-hw demo`. With --gif, --mp4 or --record the phases of one
    test image become files, and no page is opened. With --replay a recording is shown in place of
    a network. The page is served to this machine alone until Ctrl-C.
    """
    _refuse_what_is_passed_over()
    if bench:
        _show_rates(frame_rates())
        return 0
    if not (gif_path or mp4_path or record_path):
        opens = _opener(network_path, data_name, replay_path)
        serve(opens, port, _say_address, browse=browse)
        return 0
    if mp4_path:
        film.check_ffmpeg()
    if replay_path:
        recording = recording_file.load(replay_path)
    else:
        net, dataset = _opened(network_path, data_name)
        recording = _recorded(net, dataset, sample, label, Limits(engine, max_sweeps))
    with together():
        if record_path:
            recording_file.save(recording, record_path)
            console.messages.print(f"wrote {record_path}")
        for path, write in ((gif_path, film.write_gif), (mp4_path, film.write_mp4)):
            if path:
                frames = write(recording, path, palette)
                console.messages.print(f"wrote {path}, {frames} frames")
    _show(recording)
    return 0


def _opener(network_path: Path, data_name: str, replay_path: Path | None) -> Callable[[], Watched]:
    """What makes a tab: of the recording, where there is one, which must be readable now."""
    if replay_path:
        recording_file.load(replay_path)
        return partial(Watched.of_file, replay_path)
    return partial(Live, *_opened(network_path, data_name))


def _opened(network_path: Path, data_name: str) -> tuple[Network, Dataset]:
    net = load_or_make(network_path)
    dataset = data.load(data_name, net.encoding)
    check_ends(net, str(network_path), dataset)
    return net, dataset


def _show_rates(rates: list[FrameRate]) -> None:
    """A row a network; the rate is measured, and judges nothing."""
    rows = [
        (rate.network, f"{rate.neurons:,}", f"{rate.frames_per_second:,.0f}", str(rate.budget))
        for rate in rates
    ]
    header = ("network", "neurons", "frames a second", "asked for")
    console.output.print(console.table("frames of one core, processor time", header, rows))


def _say_address(address: str) -> None:
    silence.expect()  # it waits for people from now on
    console.output.print(f"the page is at {address} until Ctrl-C", soft_wrap=True)


@dataclass(frozen=True)
class Limits:
    """Who runs the phases, and where one ends that does not settle."""

    engine: str
    max_sweeps: int


def _refuse_what_is_passed_over() -> None:
    """Raises InputError for an option that has no part in what is asked for."""
    context = click.get_current_context()
    given = [
        name
        for name in context.params
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    outputs = {"gif_path", "mp4_path", "record_path"} & set(given)
    for name in given:
        spelled = _SPELLED.get(name, f"--{name.removesuffix('_path')}")
        if "bench" in given and name != "bench":
            raise InputError(f"{spelled} must be left out with --bench, which has its own networks")
        if "replay_path" in given and name in _ANSWERED:
            raise InputError(f"{spelled} must be left out with --replay, which shows a recording")
        if name in _OF_FILMS and not outputs:
            raise InputError(
                f"{spelled} must come with --gif, --mp4 or --record; the page has its own choice"
            )
        if name in ("port", "browse") and outputs:
            raise InputError(f"{spelled} must be left out where no page is opened")


_SPELLED = {
    "network_path": "NETWORK",
    "data_name": "--data",
    "label": "--nudge",
    "max_sweeps": "--max-sweeps",
    "browse": "--no-browser",
}

_OF_FILMS = ("sample", "label", "engine", "max_sweeps", "palette")

_ANSWERED = ("network_path", "data_name", "sample", "label", "engine", "max_sweeps", "record_path")
"""By a recording itself."""


def _recorded(
    net: Network, dataset: Dataset, sample: int, label: int | None, limits: Limits
) -> Recording:
    """The phases of one test image. Raises InputError for an image or class that is not there."""
    if sample >= len(dataset.test):
        last = len(dataset.test) - 1
        raise InputError(f"--sample must be an image in 0..{last}, not {sample}")
    classes = dataset.classes
    if label is not None and label >= classes:
        raise InputError(f"--nudge must be a class in 0..{classes - 1}, not {label}")
    image = dataset.test.images[sample : sample + 1]
    inputs = data.input_states(net, image, dataset.pixel_max)
    recording = Recording(net)
    session = Session(
        net, engine=limits.engine, max_sweeps=limits.max_sweeps, observers=[recording]
    )
    session.start(inputs)
    session.run()
    if label is not None:
        labels = np.full((1, *dataset.test.labels.shape[1:]), label, dtype=np.int64)
        for sign in (1, -1):
            session.nudge(labels, sign)
            session.run()
    return recording


def _show(recording: Recording) -> None:
    """A row a phase: how it ended and what it took."""
    rows = []
    for history in recording.phases:
        step = history.step(history.last)
        dense = round(history.dense_at(history.last))
        counts = (f"{step.events:,}", f"{step.synops:,}", f"{dense:,}")
        rows.append((str(history.phase), str(history.last), ending(history), *counts))
    header = ("phase", "ticks", "end", "events", "synops", "dense")
    console.output.print(console.table("what was watched", header, rows))
