"""The process in which Lava runs, started by `lava_run` and alone with Lava's children.

Lava forks a process for each of its own, and one that dies leaves the others waiting for ever.
Here a watch ends the whole run instead: it prints the child's traceback and exits with
status 3. `lava_run` ends everything that is left, whatever happened.
"""

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from toreq_hw.lava_backend import lava_shim

CRASHED = 3
"""Exit status after a Lava child died."""

STEPS_BETWEEN_LOOKS = 32
"""Time steps run between two questions whether the conductor is done."""


def main(folder: Path) -> None:
    """Runs the request in `folder` and leaves the probes' and the conductor's files there."""
    lava_shim.prepare()
    import numpy as np
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    from toreq_hw.lava_backend.lava_network import build
    from toreq_hw.network import load

    request = np.load(folder / "request.npz")
    network = load(folder / "network.safetensors")
    conductor = build(network, request["inputs"], request["targets"], folder)
    configuration = Loihi2SimCfg(select_tag="fixed_pt")
    watch = Watch()
    conductor.create_runtime(run_cfg=configuration)
    watch.start(conductor.runtime)
    finished = False
    while not finished:
        conductor.run(condition=RunSteps(num_steps=STEPS_BETWEEN_LOOKS))
        finished = bool(conductor.finished.get()[0])
    watch.stop()
    conductor.stop()


class Watch:
    """Looks after Lava's children from a thread, because Lava's own waiting never ends.

    Where the process that started this one is gone, nobody will end the group: it ends itself.
    """

    def __init__(self) -> None:
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
                for actor in dead:
                    _, trace = actor.exception or (None, f"killed, status {actor.exitcode}\n")
                    sys.stderr.write(f"a Lava process died:\n{trace}")
                sys.stderr.flush()
                os._exit(CRASHED)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # an ordinary exit would wait for Lava's children, for ever
