"""The process in which Lava runs, started by `lava_run` and alone with Lava's children.

Lava forks a process for each of its own, and one that dies leaves the others waiting for ever.
Here a watch ends the whole run instead, and leaves the cause in a file. `lava_run` ends
everything that is left, whatever happened.
"""

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from toreq_hw.lava_backend import lava_shim

PROGRESS = "progress"
"""File as long as the number of times that Lava was seen to move."""

CAUSE = "cause"
"""File that says, with a traceback, why a run died."""

STEPS_BETWEEN_LOOKS = 32
"""Time steps run between two questions whether the controller is done."""


def main(folder: Path) -> None:
    """Runs the request in `folder` and leaves the probes' and the controller's files there."""
    lava_shim.prepare()
    import numpy as np
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    from toreq_hw.lava_backend.lava_network import build
    from toreq_hw.network import load

    request = np.load(folder / "request.npz")
    network = load(folder / "network.safetensors")
    controller = build(network, request["inputs"], request["targets"], folder)
    configuration = Loihi2SimCfg(select_tag="fixed_pt")
    watch = Watch(folder)
    controller.create_runtime(run_cfg=configuration)
    watch.start(controller.runtime)
    finished = False
    while not finished:
        controller.run(condition=RunSteps(num_steps=STEPS_BETWEEN_LOOKS))
        note_progress(folder)
        finished = bool(controller.finished.get()[0])
    watch.stop()
    controller.stop()


def note_progress(folder: Path) -> None:
    """Lava has taken its steps: the run is alive."""
    with (folder / PROGRESS).open("ab") as file:
        file.write(b".")


def progress(folder: Path) -> int:
    """How often it has moved."""
    with suppress(FileNotFoundError):
        return (folder / PROGRESS).stat().st_size
    return 0


class Watch:
    """Looks after Lava's children from a thread, because Lava's own waiting never ends.

    Where the process that started this one is gone, nobody will end the group: it ends itself.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._parent = os.getppid()

    def start(self, runtime: Any) -> None:
        """Begins to look; the children of `runtime` must all be alive until `stop`."""
        actors = runtime._messaging_infrastructure.actors
        threading.Thread(target=self._look, args=(actors,), daemon=True).start()

    def stop(self) -> None:
        """The run is over; children may end."""
        self._done.set()

    def _look(self, actors: list[Any]) -> None:
        while not self._done.wait(0.1):
            if os.getppid() != self._parent:
                os.killpg(0, signal.SIGTERM)
            dead = [actor for actor in actors if not actor.is_alive()]
            if dead and not self._done.is_set():
                time.sleep(0.1)  # lets the traceback arrive
                traces = [actor.exception[1] for actor in dead if actor.exception]
                end(self._folder, (traces or ["a Lava process was killed"])[0])


def end(folder: Path, cause: str) -> None:
    """Ends this process at once; an ordinary exit would wait for Lava's children, for ever."""
    (folder / CAUSE).write_text(cause, encoding="utf-8")
    os._exit(1)


if __name__ == "__main__":
    request_folder = Path(sys.argv[1])
    try:
        main(request_folder)
    except BaseException:
        end(request_folder, traceback.format_exc())
