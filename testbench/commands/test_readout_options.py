"""`toreq-hw train` with a clamped readout and feedback shifts, and the commands on its network."""

from pathlib import Path

import pytest

from testbench.command_line import toreq_hw
from toreq_hw import network
from toreq_hw.network import ClampedReadout, Normalisation
from toreq_hw.sim.learning import checkpoint

TRAIN = ("train", "--hidden", "24,16", "--weights", "int8", "--epochs", "1", "--samples", "50")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clamped") / "net.safetensors"
    options = ("--readout", "clamped", "--temperature", "1/4", "--drive", "2")
    done = toreq_hw(*TRAIN, *options, "--feedback-shift", "1", "--out", path)
    assert done.status == 0, done.error
    return path


def test_the_network_has_what_was_asked_for(trained: Path) -> None:
    found = network.load(trained)
    assert found.readout == ClampedReadout((1, 4), Normalisation.SOFTMAX)
    assert [c.feedback_shift for c in found.couplings] == [0, 1, -2]
    assert (found.output.signed, found.output.state_bits) == (True, 8)
    kept, _ = checkpoint.load(trained.with_suffix(".checkpoint"))
    assert kept.network().sha256 == found.sha256


def test_info_says_so(trained: Path) -> None:
    said = toreq_hw("info", trained).output
    assert "network file of version 2" in said
    assert "readout: clamped, softmax at temperature 1/4" in said


def test_simulate_compares_engines_and_shows_ticks(trained: Path) -> None:
    done = toreq_hw("simulate", trained, "--samples", "40", "--compare", "--trace", "3")
    assert done.status == 0, done.error
    assert "reference, dense and event engines agree" in done.output


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("rtl", "{net}"), "readout must be relaxing for the core, found clamped"),
        (("export", "{net}", "--format", "qonnx"), "readout must be relaxing for QONNX, found cl"),
        (("deploy", "{net}", "--target", "loihi"), "readout must be relaxing on loihi, found cl"),
        (
            ("inject", "{net}", "--layer", "dead_neurons", "--levels", "0,0.5"),
            "readout must be relaxing",
        ),
    ],
)
def test_what_knows_no_clamped_readout_says_so(
    trained: Path, tmp_path: Path, command: tuple[str, ...], said: str
) -> None:
    if command[0] in ("rtl", "export", "deploy"):
        pytest.importorskip({"rtl": "amaranth", "export": "onnx", "deploy": "lava"}[command[0]])
    before = set(trained.parent.iterdir())
    filled = [str(trained) if part == "{net}" else part for part in command]
    done = toreq_hw(*filled, *(() if command[0] == "deploy" else ("--out", tmp_path / "out")))
    assert done.status == 2, done
    assert said in done.error
    assert "population 'output'" in done.error
    assert "toreq-hw train: without --readout clamped" in done.error
    assert set(trained.parent.iterdir()) == before, "refused before any work"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--temperature", "1/8"), "--temperature must be left out without --readout clamped"),
        (("--drive", "1"), "--drive must be left out without --readout clamped"),
        (("--readout", "clamped", "--temperature", "half"), "must be a fraction such as 1/8, fou"),
        (("--readout", "clamped", "--temperature", "0/8"), "must have parts in 1..32767"),
        (("--readout", "clamped", "--temperature", "1/9999"), "must rise strictly"),
        (("--readout", "clamped", "--feedback-shift", "1,2,3"), "--feedback-shift must be 1 or 1"),
        (("--feedback-shift", "1,2,3"), "--feedback-shift must be 1 or 2 numbers, one for each"),
        (("--readout", "clamped", "--drive", "20"), "feedback_shift must be in"),
        (("--readout", "clamped", "--engine", "torch"), "--readout must be left out with --engin"),
    ],
)
def test_wrong_settings_are_one_line(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    done = toreq_hw(*TRAIN, *options, "--out", out)
    assert done.status == 2
    assert said in done.error
    assert not out.exists()


def test_a_description_may_ask_for_it(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        'input = "64"\nlayers = ["dense 20", "dense 12", "dense 10"]\n'
        "feedback_shifts = [0, 2, -1]\n"
        'readout = { kind = "clamped", temperature = [1, 2], normalisation = "sparsemax" }\n'
    )
    found = network.load_description(path)
    assert found.readout == ClampedReadout((1, 2), Normalisation.SPARSEMAX)
    assert found.depths == {"hidden1": 0, "hidden2": 2}
    done = toreq_hw(
        "train", "--network", path, "--epochs", "1", "--out", tmp_path / "n.safetensors"
    )
    assert done.status == 0, done.error
    done = toreq_hw(
        "train", "--network", path, "--readout", "clamped", "--out", tmp_path / "m.safe"
    )
    assert "--readout must be left out with --network" in done.error
