"""Films of a recording: GIF, and MP4 where ffmpeg is installed."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

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


def gif_frames(recording: Recording, palette: str = "safe") -> list[Pixels]:
    """The frames of the GIF of a recording, each uint8 (height, width, 3). Raises InputError."""
    poster = Poster.of(recording)
    return [poster.pixels(view, GIF_LEVELS, palette) for view in views(recording)]


def write_gif(recording: Recording, path: Path, palette: str = "safe") -> int:
    """Writes a GIF that repeats without end; returns its number of frames. Raises InputError."""
    from PIL import Image

    frames = gif_frames(recording, palette)
    packed = [f.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32) for f in frames]
    table = np.unique(np.concatenate([np.unique(p) for p in packed]))
    bands = [((table >> shift) & 255).astype(np.uint8) for shift in (16, 8, 0)]
    images = []
    for one in packed:
        image = Image.fromarray(np.searchsorted(table, one).astype(np.uint8), mode="P")
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
    poster, ffmpeg = Poster.of(recording), check_ffmpeg()
    shown = views(recording)
    size = f"{poster.width}x{poster.height}"
    source = f"-f rawvideo -pix_fmt rgb24 -s {size} -r {1000 // TICK_MS} -i -".split()
    target = ["-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "mp4", "-y"]
    with replacing(path) as draft:
        done = subprocess.run(
            [ffmpeg, "-loglevel", "error", *source, *target, str(draft)],
            input=b"".join(_rows(recording, shown, poster, palette)),
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
            raise OutputError(f"{path}: ffmpeg must write it, found: {said[-1]:.100}")
    return len(shown)


def _rows(
    recording: Recording, shown: Sequence[View], poster: Poster, palette: str
) -> Iterator[bytes]:
    """The frames as ffmpeg takes them; the last one of a phase several times."""
    for view in shown:
        pixels = poster.pixels(view, None, palette).tobytes()
        last = view.tick == recording.phases[view.phase].last
        yield from [pixels] * (LAST_MS // TICK_MS if last else 1)
