"""`toreq-hw synth --learning`: which core is built, and what is refused before a tool runs."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import status_of
from testbench.networks import with_random_weights
from toreq_hw import network
from toreq_hw.boards.flow import synthesis as flow
from toreq_hw.errors import BuildError
from toreq_hw.network import WeightFormat, layered


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny network and a large one, where the commands run."""
    monkeypatch.chdir(tmp_path)
    blank = layered((64, 6, 10), WeightFormat.TERNARY, (4, 3), state_bits=4)
    network.save(with_random_weights(blank, np.random.default_rng(1)), Path("tiny.safetensors"))
    large = layered((784, 512, 10), WeightFormat.TERNARY, (4, 4))
    network.save(large, Path("large.safetensors"))


TINY = ("tiny.safetensors", "--board", "icebreaker", "--lanes", "2", "--seeds", "1")
LARGE = ("large.safetensors", "--board", "ulx3s_25f")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*TINY, "--learn-lanes", "1"), "--learn-lanes must go with --learning, found it alone"),
        ((*TINY, "--latent-bits", "8"), "--latent-bits must go with --learning, found it alone"),
        (
            (*TINY, "--learning", "--learn-lanes", "4"),
            "--learn-lanes must be a power of two in 1..2",
        ),
        ((*TINY, "--learning", "--threshold", "2"), "must send every change, found threshold 2"),
        ((*LARGE, "--learning"), "need 439 blocks of 18432 bits (ternary 16-bit laten"),
    ],
)
def test_what_cannot_be_built_is_refused(
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert status_of("synth", *arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_elaboration_has_ended_before_synthesis_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """So what a screen says of a stage that runs is said of the one that does."""
    told: list[tuple[str, bool]] = []

    def build(*_: object, **__: object) -> None:
        told.append(("build", False))
        raise BuildError("no tool runs here")

    def watch(name: str, seconds: float | None, _cached: bool, _note: str = "", /) -> None:
        told.append((name, seconds is not None))

    monkeypatch.setattr(flow, "build", build)
    request = flow.Request.of(network.load(Path("tiny.safetensors")), "icebreaker", lanes=2)
    with pytest.raises(BuildError):
        flow.synthesise(request, watch)
    assert told == [("elaboration", False), ("elaboration", True), ("build", False)]


def test_a_core_that_learns_is_another_core(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has the lanes and latents that are asked for; no tool runs."""
    asked: list[flow.Request] = []

    def synthesise(request: flow.Request, *_: object) -> None:
        asked.append(request)
        raise BuildError("no tool runs here")

    monkeypatch.setattr(flow, "synthesise", synthesise)
    learns = ("--learning", "--learn-lanes", "2", "--latent-bits", "11")
    for more in ((), ("--learning",), learns):
        assert status_of("synth", *TINY, *more) == 2
    assert "no tool runs here" in capsys.readouterr().err
    found = [request.parameters.learning for request in asked]
    assert found[0] is None
    shapes = [(one.lanes, one.couplings[1].latent_bits) for one in found if one]
    assert shapes == [(1, 16), (2, 11)]
    assert len({flow.prepare(request).design for request in asked}) == 3
