"""Films of a recording: GIF, and MP4 where ffmpeg is installed."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError, MissingDependencyError, OutputError
from toreq_hw.files import replacing
from toreq_hw.observatory.picture import Pixels
from toreq_hw.observatory.poster import Poster, View
from toreq_hw.observatory.recording import Recording

GIF_LEVELS = (12, 4, 4)
"""Values that planes keep in a GIF, which has at most 256 colours: 192 and those of the words."""

TICK_MS = 250
"""How long a frame stays."""

LAST_MS = 1500
"""How long the last frame of a phase stays."""

MOST_FRAMES = 1000
"""Of a film."""

MOST_FRAME_PIXELS = 1 << 23
"""Of one frame."""

MOST_PIXELS = 1 << 28
"""Of all frames of a film: Pillow holds a byte for each."""


def views(recording: Recording) -> list[View]:
    """A frame for each tick of each phase. Raises InputError where they are too many."""
    found = [
        View(number, tick)
        for number, history in enumerate(recording.phases)
        for tick in range(history.first, history.last + 1)
    ]
    if len(found) > MOST_FRAMES:
        raise InputError(
            f"a film must have at most {MOST_FRAMES} ticks, found {len(found)}; lower --max-sweeps"
        )
    return found


def gif_frames(recording: Recording, palette: str = "safe") -> Iterator[Pixels]:
    """The frames of the GIF of a recording, each uint8 (height, width, 3). Raises InputError."""
    poster, shown = _measured(recording)
    return (poster.pixels(view, GIF_LEVELS, palette) for view in shown)


def _measured(recording: Recording) -> tuple[Poster, list[View]]:
    """The measures of a film and its frames. Raises InputError where it is too large."""
    poster, shown = Poster.of(recording), views(recording)
    pixels = poster.width * poster.height
    if pixels > MOST_FRAME_PIXELS:
        raise InputError(
            f"a frame must have at most {MOST_FRAME_PIXELS} pixels, found {poster.width} x "
            f"{poster.height}"
        )
    if pixels * len(shown) > MOST_PIXELS:
        raise InputError(
            f"a film must have at most {MOST_PIXELS} pixels in all frames, found {len(shown)} "
            f"of {poster.width} x {poster.height}; lower --max-sweeps"
        )
    return poster, shown


def write_gif(recording: Recording, path: Path, palette: str = "safe") -> int:
    """Writes a GIF that repeats without end; returns its number of frames. Raises InputError."""
    from PIL import Image

    found = [np.unique(_packed(one)) for one in gif_frames(recording, palette)]
    table = np.unique(np.concatenate(found))
    bands = [((table >> shift) & 255).astype(np.uint8) for shift in (16, 8, 0)]
    images = []
    for one in gif_frames(recording, palette):
        image = Image.fromarray(np.searchsorted(table, _packed(one)).astype(np.uint8), mode="P")
        image.putpalette(np.stack(bands, axis=1).tobytes())
        images.append(image)
    with replacing(path) as draft:
        images[0].save(
            draft,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=_durations(recording),
            loop=0,
            optimize=False,
        )
    return len(images)


def _packed(pixels: Pixels) -> npt.NDArray[np.uint32]:
    """Each colour as one number, uint32 (height, width)."""
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
    packed: npt.NDArray[np.uint32] = (red << 16) | (green << 8) | blue
    return packed


def _durations(recording: Recording) -> list[int]:
    """Milliseconds of each frame: the last one of a phase stays longer."""
    shown = views(recording)
    return [
        LAST_MS if view.tick == recording.phases[view.phase].last else TICK_MS for view in shown
    ]


def check_ffmpeg() -> str:
    """The path of ffmpeg. Raises MissingDependencyError where it is not installed."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise MissingDependencyError("--mp4 must have ffmpeg installed; --gif needs no tool")
    return found


def write_mp4(recording: Recording, path: Path, palette: str = "safe") -> int:
    """Writes an MP4 with ffmpeg; returns its number of frames.

    Raises InputError, MissingDependencyError, and OutputError where ffmpeg fails.
    """
    ffmpeg = check_ffmpeg()
    poster, shown = _measured(recording)
    size = f"{poster.width}x{poster.height}"
    source = f"-f rawvideo -pix_fmt rgb24 -s {size} -r {1000 // TICK_MS} -i -".split()
    target = ["-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "mp4", "-y"]
    with replacing(path) as draft, TemporaryFile() as log:
        command = [ffmpeg, "-loglevel", "error", *source, *target, str(draft)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log) as running:
            _give(running, _rows(recording, shown, poster, palette))
        if running.returncode:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines() or ["nothing"]
            raise OutputError(f"{path}: ffmpeg must write it, found: {said[-1]:.100}")
    return len(shown)


def _give(running: "subprocess.Popen[bytes]", frames: Iterator[bytes]) -> None:
    """Gives frames to a tool. One that ends before the last of them says itself why."""
    pipe = running.stdin
    assert pipe is not None
    with suppress(BrokenPipeError):
        for pixels in frames:
            pipe.write(pixels)
    with suppress(BrokenPipeError):
        pipe.close()


def _rows(
    recording: Recording, shown: Sequence[View], poster: Poster, palette: str
) -> Iterator[bytes]:
    """The frames as ffmpeg takes them; the last one of a phase several times."""
    for view in shown:
        pixels = poster.pixels(view, None, palette).tobytes()
        last = view.tick == recording.phases[view.phase].last
        yield from [pixels] * (LAST_MS // TICK_MS if last else 1)
