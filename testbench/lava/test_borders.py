"""States are checked before Lava or Nengo starts: nothing wraps, and no process is started."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from toreq_hw.errors import InputError
from toreq_hw.lava_backend import lava_replay, lava_run, nengo_loihi_run, nengo_run
from toreq_hw.network import WeightFormat, layered

NET = layered((4, 3, 2), WeightFormat.INT8, (4, 4))
INPUTS, TARGETS = np.array([[0, 1, 2, 255]]), np.array([[255, 0]])
STARTS = np.array([[0, 1, 255, 0, 255]])


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: Any, **__: Any) -> None:
        raise AssertionError("bad states came through")

    for module, name in (
        (lava_run, "supervise"),
        (lava_replay, "supervise"),
        (nengo_run, "_simulate"),
        (nengo_loihi_run, "_build"),
    ):
        monkeypatch.setattr(module, name, started)


def wrong(right: np.ndarray) -> dict[str, tuple[Any, str]]:
    return {
        "too large": (right + 1, "must be in"),
        "negative": (right - 1, "must be in"),
        "beyond int16": (right + (1 << 16), "must be in"),
        "floats": (right.astype(float), "must be integers"),
        "truth values": (right > 0, "must be integers"),
        "too narrow": (right[:, 1:], "must have shape"),
        "one sample alone": (right[0], "must have shape"),
    }


TAKERS: dict[str, tuple[np.ndarray, Callable[[Any], object]]] = {
    "lava inputs": (INPUTS, lambda x: lava_run.run(NET, x, TARGETS, batch=1)),
    "lava targets": (TARGETS, lambda y: lava_run.run(NET, INPUTS, y, batch=1)),
    "replay inputs": (INPUTS, lambda x: lava_replay.replay(NET, {}, x, STARTS, max_sweeps=9)),
    "replay starts": (STARTS, lambda s: lava_replay.replay(NET, {}, INPUTS, s, max_sweeps=9)),
    "nengo inputs": (INPUTS, lambda x: nengo_run.run(NET, x, TARGETS)),
    "nengo targets": (TARGETS, lambda y: nengo_run.run(NET, INPUTS, y)),
    "nengo-loihi inputs": (INPUTS, lambda x: nengo_loihi_run.run(NET, x)),
}


@pytest.mark.parametrize("kind", wrong(INPUTS))
@pytest.mark.parametrize("taker", TAKERS)
def test_wrong_states_are_refused(taker: str, kind: str) -> None:
    right, run = TAKERS[taker]
    states, said = wrong(right)[kind]
    with pytest.raises(InputError, match=said):
        run(states)


@pytest.mark.parametrize("taker", ["lava", "replay", "nengo", "nengo-loihi"])
def test_no_samples_are_refused(taker: str) -> None:
    """Without any, the libraries fail in ways of their own."""
    none: dict[str, Callable[[], object]] = {
        "lava": lambda: lava_run.run(NET, INPUTS[:0], TARGETS[:0], batch=1),
        "replay": lambda: lava_replay.replay(NET, {}, INPUTS[:0], STARTS[:0], max_sweeps=9),
        "nengo": lambda: nengo_run.run(NET, INPUTS[:0], TARGETS[:0]),
        "nengo-loihi": lambda: nengo_loihi_run.run(NET, INPUTS[:0]),
    }
    with pytest.raises(InputError, match="samples must be at least 1, found 0"):
        none[taker]()


def test_targets_and_starts_are_one_a_sample() -> None:
    two = np.repeat(INPUTS, 2, axis=0)
    with pytest.raises(InputError, match=r"targets must be one per input \(2\), not 1"):
        lava_run.run(NET, two, TARGETS, batch=1)
    with pytest.raises(InputError, match=r"starts: must have shape \(2, 5\), not \(1, 5\)"):
        lava_replay.replay(NET, {}, two, STARTS, max_sweeps=9)
    with pytest.raises(InputError, match=r"targets must be one per input \(2\), not 1"):
        nengo_run.run(NET, two, TARGETS)
