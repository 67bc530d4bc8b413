"""A network in a few words is trained, measured, damaged and run, all by commands."""

from pathlib import Path

import pytest

from testbench.command_line import toreq_hw
from toreq_hw import network

DESCRIPTION = """
input = "8x8x1"
layers = ["conv 8 3x3 pad 1", "conv 16 3x3 stride 2", "dense 10"]
fraction_bits = [6, 8, 8]
feedback_shifts = [0, 3, -3]
readout = {kind = "clamped", temperature = [1, 4], normalisation = "softmax"}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    (folder / "net.toml").write_text(DESCRIPTION)
    done = toreq_hw(
        *("train", "--network", folder / "net.toml", "--data", "digits", "--epochs", 3),
        *("--out", folder / "net.safetensors"),
    )
    assert done.status == 0, done.error
    return folder / "net.safetensors"


def test_a_described_network_learns(trained: Path) -> None:
    done = toreq_hw("simulate", trained, "--samples", 100, "--compare", "--json", "-")
    assert done.status == 0, done.error
    net = network.load(trained)
    assert [c.kind for c in net.couplings] == ["convolution", "convolution", "dense"]
    shares = [c.parameters.any() for c in net.couplings]
    assert all(shares)
    accuracy = float(done.output.split('"accuracy": ')[1].split(",")[0])
    assert accuracy > 0.6


def test_its_description_and_its_file_have_the_same_shape(trained: Path) -> None:
    words, file = toreq_hw("info", trained.with_suffix(".toml")), toreq_hw("info", trained)
    for found in (words, file):
        assert found.status == 0
        assert "64-512-144-10" in found.output
        assert "input-hidden1, kind convolution, weight format int8" in found.output
    assert "clamped" in file.output


def test_it_is_damaged_and_run(trained: Path, tmp_path: Path) -> None:
    damaged = toreq_hw(
        *("inject", trained, "--layer", "weight_bit_flip", "--levels", "0,1", "--trials", 2),
        *("--samples", 20, "--no-twin", "--jobs", 1, "--work", tmp_path / "work"),
    )
    assert damaged.status in (0, 1), damaged.error
    assert "weight_bit_flip" in damaged.output
    assert toreq_hw("deploy", "--target", "sim", "--network", trained, "--samples", 5).status == 0


def test_what_cannot_carry_it_says_why(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("amaranth")
    for command in (
        ("export", trained, "--format", "qonnx", "--out", tmp_path / "net.qonnx"),
        ("rtl", trained, "--out", tmp_path / "core"),
    ):
        done = toreq_hw(*command)
        assert done.status == 2
        assert "readout must be relaxing" in done.error
        assert done.error.count("\n") == 1


ATTENTION = """
input = "8x18"
layers = ["attention 16", "conv 10 1"]
weights = "ternary"
fraction_bits = [0, 1]
input_bits = 7
beta_shift = 1
readout = {kind = "clamped", temperature = [1, 1], normalisation = "softmax", rows = 8}
"""


def test_attention_is_trained_on_a_sequence_task(tmp_path: Path) -> None:
    (tmp_path / "attention.toml").write_text(ATTENTION)
    arguments = ("train", "--network", tmp_path / "attention.toml", "--data", "reversal-8")
    done = toreq_hw(*arguments, "--epochs", 3, "--out", tmp_path / "net.safetensors")
    assert done.status == 0, done.error
    accuracy = float(done.output.split("accuracy ")[1].split(" %")[0])
    assert accuracy > 98
    shown = toreq_hw("info", tmp_path / "net.safetensors").output
    assert "rows of 8 with 127 units, sparsemax 1/1" in shown
    assert "kind trilinear, scores scores, left query, right key" in shown
    assert "clamped, softmax at temperature 1/1, 8 rows" in shown
    onward = toreq_hw(
        *("train", "--resume", tmp_path / "net.checkpoint", "--epochs", 4),
        *("--out", tmp_path / "more.safetensors"),
    )
    assert onward.status == 0, onward.error


@pytest.mark.parametrize(
    ("words", "must"),
    [
        (("--hidden", 16), "the network of these options: must have a clamped readout of 8 rows"),
        (("--engine", "torch"), "--engine torch: must have a clamped readout of 8 rows"),
    ],
)
def test_others_cannot_name_eight_classes(
    tmp_path: Path, words: tuple[object, ...], must: str
) -> None:
    done = toreq_hw("train", "--data", "reversal-8", *words, "--out", tmp_path / "net.safetensors")
    assert done.status == 2
    assert must in done.error
    assert not list(tmp_path.iterdir())


def test_a_network_must_have_the_rows_of_its_task(tmp_path: Path) -> None:
    described = tmp_path / "net.toml"
    described.write_text(ATTENTION.replace(", rows = 8", ""))
    done = toreq_hw(
        *("train", "--network", described, "--data", "reversal-8"),
        *("--out", tmp_path / "net.safetensors"),
    )
    assert done.status == 2
    assert "must have a clamped readout of 8 rows for reversal-8, found 1" in done.error
