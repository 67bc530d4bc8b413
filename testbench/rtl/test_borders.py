"""Host code of a core refuses what it would have to cut: no bit of a value is lost in packing."""

import ctypes
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.rtl import cxxrtl, replay_core
from toreq_hw.rtl.cxxrtl import CompiledCore
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.interfaces import command_payload, input_payload, unpack
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.replay import replay_parameters
from toreq_hw.rtl.replay_core import replay_on_core

NET = layered((4, 3, 2), WeightFormat.INT8, (4, 4))
INPUTS = np.array([0, 1, 2, 255])

WRONG_IMAGES = {
    "too large": (INPUTS + 1, "must be in 0..255"),
    "negative": (INPUTS - 1, "must be in 0..255"),
    "beyond int16": (INPUTS + (1 << 16), "must be in 0..255"),
    "floats": (INPUTS.astype(float), "must be integers"),
    "truth values": (INPUTS > 0, "must be integers"),
    "too short": (INPUTS[:3], "must have shape"),
    "a batch": (INPUTS[None], "must have shape"),
}


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CompiledCore:
    """One whose library nothing may call: what is refused never comes so far."""

    def called(*_: object) -> None:
        raise AssertionError("bad values came through")

    library = SimpleNamespace(
        model_new=lambda: 1,
        model_item=partial(called),
        core_load=partial(called),
        core_run=partial(called),
    )
    monkeypatch.setattr(cxxrtl, "compile_core", lambda *_, **__: tmp_path)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    parameters = CoreParameters.of(NET, 2)
    return CompiledCore(parameters, MemoryImages.of(NET, parameters), tmp_path)


@pytest.mark.parametrize("kind", WRONG_IMAGES)
def test_an_image_that_a_field_would_cut_is_refused(core: CompiledCore, kind: str) -> None:
    image, said = WRONG_IMAGES[kind]
    with pytest.raises(InputError, match=f"inputs: {said}"):
        core.run(image, [(Command.FREE, 0)])


def test_values_and_labels_that_fit_are_packed(
    core: CompiledCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[list[int]] = []

    def run(_: object, *arguments: ctypes.c_void_p | ctypes.c_int64) -> int:
        for values, count in zip(arguments[0:4:2], arguments[1:4:2], strict=True):
            words = ctypes.cast(values, ctypes.POINTER(ctypes.c_uint64))
            taken.append([words[k] for k in range(count.value or 0)])
        return 1

    monkeypatch.setattr(core._model._library, "core_run", run)
    core.run(INPUTS, [(Command.NUDGE_POSITIVE, np.int64(1))], report=False)  # type: ignore[list-item]
    parameters = CoreParameters.of(NET, 2)
    images = [unpack(input_payload(parameters), word)["value"] for word in taken[0]]
    assert images == INPUTS.tolist()
    assert unpack(command_payload(parameters), taken[1][0])["label"] == 1


@pytest.mark.parametrize("label", [2, -1, 1 << 16, 1.0, True])
def test_a_label_that_a_field_would_cut_is_refused(core: CompiledCore, label: int) -> None:
    with pytest.raises(InputError, match=r"label must be in 0\.\.1, not"):
        core.run(INPUTS.astype(np.int16), [(Command.FREE, 0), (Command.NUDGE_POSITIVE, label)])


@pytest.mark.parametrize("kind", [kind for kind in WRONG_IMAGES if kind != "a batch"])
def test_states_of_a_replay_are_refused_before_a_core_is_made(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(replay_core, "ReplayCore", None)
    wrong, said = WRONG_IMAGES[kind]
    starts = np.pad(wrong, (0, 1))
    for inputs, start in (
        (wrong[None], INPUTS[None, [0, 1, 2, 3, 0]]),
        (INPUTS[None], starts[None]),
    ):
        with pytest.raises(InputError, match=said):
            replay_on_core(
                NET,
                NET,
                {},
                inputs,
                start,
                parameters=replay_parameters(NET, 4, 9),
                folder=tmp_path,
            )
