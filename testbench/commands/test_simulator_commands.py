"""The simulator's commands as a person types them: results, exit statuses, one-line errors."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from testbench.patience import GENEROUS_S
from toreq_hw import data, network, sim
from toreq_hw.commands import simulate
from toreq_hw.network import Schedule, WeightFormat
from toreq_hw.sim import dense
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.sim.learning.training_samples import TrainingSamples, learn_epoch
from toreq_hw.sim.summary import summarise

Ints = npt.NDArray[np.integer]
LISTENING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from toreq_hw.commands import main
main(sys.argv[1:])
"""  # background jobs of a shell inherit an ignored SIGINT; a person's terminal does not
TRAIN = ["train", "--hidden", "24", "--epochs", "3"]


def toreq(*arguments: str | int | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "toreq_hw", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=GENEROUS_S,
        env={**os.environ, **environment},
    )


def refusal(*arguments: str | int | Path, **environment: str) -> str:
    """The one line that a refused command prints."""
    done = toreq(*arguments, **environment)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    *_, last = done.stderr.strip().splitlines()
    return last


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "net.safetensors"
    done = toreq(*TRAIN, "--out", path, "--json", path.with_suffix(".json"))
    assert done.returncode == 0, done.stderr
    assert "digits: accuracy" in done.stdout
    return path


def test_train_writes_network_checkpoint_and_record(trained: Path) -> None:
    record = json.loads(trained.with_suffix(".json").read_text())
    net = network.load(trained)
    assert record["network_sha256"] == net.sha256
    assert record["accuracy"] > 0.8
    assert [entry["epoch"] for entry in record["history"]] == [1, 2, 3]
    assert record["seed"] == 1
    assert record["versions"]["numpy"]
    assert trained.with_suffix(".checkpoint").is_file()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_training_resumes_to_the_same_bits(
    tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    """By the command that it names; interrupted as the first run of samples is kept."""
    kept, out = tmp_path / "c", tmp_path / "net.safetensors"
    arguments = ["train", "--hidden", "24", "--epochs", "4000", "--augment", "1", "--out", str(out)]
    arguments += ["--checkpoint", str(kept), "--checkpoint-every", "9"]
    with subprocess.Popen(
        [sys.executable, "-c", LISTENING, *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for(kept)
            process.send_signal(sent)
            _, errors = process.communicate(timeout=GENEROUS_S)
            assert process.returncode == status
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == [kept]  # whole, and nothing half-written beside it
    trainer, notes = checkpoint.load(kept)
    assert len(notes["history"]) == trainer.epoch
    samples = notes["part"]["samples"] if notes["part"] else 0
    assert samples % 9 == 0 or samples == 1438
    line, ended = [line for line in errors.splitlines() if line][-2:]
    form = r"interrupted after (.*) of 4000; wrote (.*); go on with: toreq-hw (.*)"
    said, epoch = re.fullmatch(form, line), trainer.epoch
    place = f"sample {samples} of epoch {epoch + 1}" if samples else f"epoch {epoch}"
    assert said, errors
    assert said.groups()[:2] == (place, str(kept))
    assert ended == {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}[sent]
    epochs = trainer.epoch + 2
    resumed = toreq(*shlex.split(said[3]), "--epochs", epochs)
    assert resumed.returncode == 0, resumed.stderr
    assert_trained_straight(kept, out, epochs)


def assert_trained_straight(kept: Path, out: Path, epochs: int) -> None:
    """Both files are those of a training that nothing has interrupted."""
    trainer, notes = checkpoint.load(kept)
    straight = Trainer(trainer.blueprint, trainer.rule, trainer.seed)
    digits = data.load("digits")
    inputs = data.encode(digits.train.images, digits.pixel_max, straight.blueprint.input)
    training = TrainingSamples(inputs, digits.train.labels, digits.shape, augment=1)
    learned = [learn_epoch(straight, training) for _ in range(epochs)]
    assert network.load(out).sha256 == straight.network().sha256
    assert np.array_equal(trainer.synapses.latent, straight.synapses.latent)
    assert np.array_equal(trainer.synapses.bias_latent, straight.synapses.bias_latent)
    assert trainer.random_state == straight.random_state
    shares = [entry["train_accuracy"] for entry in notes["history"]]
    assert shares == [progress.correct / progress.samples for progress in learned]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + GENEROUS_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("engine", ["reference", "dense", "event"])
def test_simulate_gives_the_same_figures_with_every_engine(
    trained: Path, tmp_path: Path, engine: str
) -> None:
    path = tmp_path / "out.json"
    done = toreq("simulate", trained, "--engine", engine, "--samples", "50", "--json", path)
    assert done.returncode == 0, done.stderr
    record = json.loads(path.read_text())
    digits = data.load("digits")
    net = network.load(trained)
    inputs = data.encode(digits.test.images, digits.pixel_max, net.input)[:50]
    expected = summarise(sim.relax(net, inputs, engine="reference"), digits.test.labels[:50])
    assert {key: record[key] for key in asdict(expected)} == asdict(expected)
    assert record["network_sha256"] == net.sha256


def test_simulate_compares_and_traces(trained: Path) -> None:
    done = toreq("simulate", trained, "--samples", "20", "--compare", "--trace", "3")
    assert done.returncode == 0, done.stderr
    assert "agree on every state and tick" in done.stdout
    assert "image 3, tick by tick" in done.stdout


def test_disagreeing_engines_end_with_status_1(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check can fail: a dense engine that rounds down is found out and named."""

    def rounds_down(a: Ints, f: int, low: int, high: int) -> Ints:
        return np.clip(a >> f, low, high).astype(np.int16)

    monkeypatch.setattr(dense, "to_state", rounds_down)
    result = CliRunner().invoke(
        simulate.command, [str(trained), "--samples", "20", "--compare"], standalone_mode=False
    )
    assert result.return_value == 1
    assert "engines disagree: dense against reference, free phase, sample 0, tick 1" in (
        result.output.replace("\n", " ")
    )


@pytest.mark.parametrize("schedule", ["sequential", "synchronous"])
def test_a_self_coupled_population_learns(tmp_path: Path, schedule: str) -> None:
    out, record = tmp_path / "loop.safetensors", tmp_path / "loop.json"
    done = toreq(
        *["train", "--hidden", 24, "--loop", 5, "--schedule", schedule, "--epochs", 6],
        *["--out", out, "--json", record],
    )
    assert done.returncode == 0, done.stderr
    net = network.load(out)
    assert net.schedule is Schedule(schedule)
    assert any(c.is_self_coupling and c.parameters.any() for c in net.couplings)
    assert json.loads(record.read_text())["accuracy"] > 0.8
    assert toreq("simulate", out, "--samples", 30, "--compare").returncode == 0


def test_demo_writes_what_it_promises(tmp_path: Path) -> None:
    done = toreq("demo", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "summary.json").read_text())
    assert record["accuracy"] >= 0.96
    assert record["float_accuracy"] >= 0.93
    assert record["unsettled"] == 0
    assert record["bit_exact"] is True
    assert record["healed_fraction"] > 0.95
    assert 0 < record["sparsity"] < 1
    assert set(record["sweeps"]) == {"mean", "p50", "p95", "p99", "max"}
    assert record["synops_per_sample"] < record["dense_synops_per_sample"]
    net = network.load(tmp_path / "network.safetensors")
    assert record["network_sha256"] == net.sha256
    assert net.couplings[0].weight_format is WeightFormat.TERNARY
    page = (tmp_path / "index.html").read_text()
    assert page.count("<svg") == 9
    assert f"{100 * record['accuracy']:.2f} %" in page


def test_bench_quick(tmp_path: Path) -> None:
    done = toreq("bench", "--quick", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "bench.json").read_text())
    assert all(entry["same_bits"] for entry in record["inference"])
    gained = [entry["gained_bytes"] for entry in record["memory"]]
    assert max(gained) < 1 << 20  # a history of 500 samples would be 1 to 23 MB


def test_help_has_an_example() -> None:
    for name in ("train", "simulate", "demo", "bench"):
        done = toreq(name, "--help")
        assert done.returncode == 0
        assert f"toreq-hw {name}" in done.stdout


def test_bad_input_is_one_line_and_status_2(trained: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.safetensors"
    assert refusal("simulate", missing) == (
        f"error: {missing}: must be readable, found: No such file or directory"
    )
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(trained.read_bytes()[:-5])
    assert refusal("simulate", cut).startswith(f"error: {cut}: must be a whole safetensors file")
    narrow = tmp_path / "narrow.safetensors"
    network.save(network.layered((10, 4, 10), WeightFormat.TERNARY, (0, 0)), narrow)
    assert "must have 64 inputs and 10 outputs for digits, found 10 and 10" in refusal(
        "simulate", narrow
    )
    assert "must be an image in 0..358, not 359" in refusal("simulate", trained, "--trace", "359")
    assert "--data must be one of digits, mnist, fashion-mnist, cifar-10, reversal-N" in refusal(
        "simulate", trained, "--data", "cifar"
    )
    assert "command must be one of bench, boards, cosine, demo" in refusal("fly")


def test_bad_training_input_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    huge = refusal("train", "--hidden", "9999999,9999999", "--out", out)
    assert "needs about" in huge
    assert "must fit into" in huge
    assert "must be 1 to 64 whole numbers in 1..10000000 separated by commas" in refusal(
        "train", "--hidden", "many", "--out", out
    )
    assert "--hidden must be 1 to 64 whole numbers in 1..10000000 separated by commas" in refusal(
        "train", "--hidden", "0", "--out", out
    )
    assert "fraction_bits must be 2 numbers" in refusal(
        "train", "--fraction-bits", "1,2,3", "--out", out
    )
    assert "must be a whole safetensors file" in refusal(
        "train", "--resume", __file__, "--out", out
    )
    assert list(tmp_path.iterdir()) == []


def test_unwritable_folder_is_refused_before_the_work() -> None:
    assert "must be a writable folder" in refusal("demo", "--out", "/proc/nowhere")
    assert "/proc/nowhere" in refusal("train", "--epochs", "1", "--out", "/proc/nowhere/net")


def test_output_below_a_file_is_refused_before_the_work(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("kept")
    assert "must be a writable folder" in refusal("demo", "--out", blocker)
    assert "must be a writable folder" in refusal("train", "--out", blocker / "net.safetensors")
    assert blocker.read_text() == "kept"
