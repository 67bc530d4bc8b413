"""Own data on the command line: trained, relaxed, deployed and exported with one scale."""

from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import toreq_hw
from toreq_hw import data, network, sim


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes that lie apart, in columns of very different sizes."""
    path = tmp_path_factory.mktemp("own") / "flowers.csv"
    random = np.random.default_rng(1)
    rows = ["length,width,kind"]
    for number in range(120):
        kind = number % 2
        length, width = random.normal(1000 + 400 * kind, 60), random.normal(0.1 - 0.2 * kind, 0.03)
        rows.append(f"{length:.1f},{width:.4f},{('rose', 'tulip')[kind]}")
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(table: Path) -> Path:
    out = table.parent / "net.safetensors"
    done = toreq_hw(
        "train", "--data", table, "--target-column", "kind", "--split", "0.25:7",
        "--hidden", 8, "--epochs", 3, "--out", out,
    )  # fmt: skip
    assert done.status == 0, done.error
    assert "flowers.csv: accuracy" in done.output
    assert " % on 30 samples (" in done.output.replace("\n", " ")
    assert "notice: this recipe was chosen on images; EqPropClassifier" in done.error
    return out


def test_the_network_holds_the_scale(table: Path, trained: Path) -> None:
    net = network.load(trained)
    assert net.encoding == data.load(f"{table}?target=kind&split=0.25:7").encoding
    assert net.encoding is not None
    assert net.encoding.classes == ("rose", "tulip")


def test_commands_use_it_for_other_samples(table: Path, trained: Path) -> None:
    """The other file has one class and a narrow range; with a scale of its own all would fail."""
    lines = table.read_text(encoding="utf-8").splitlines()
    other = table.parent / "tulips.csv"
    kept = [line for line in lines[1:] if line.endswith("tulip")]
    other.write_text("\n".join([lines[0], *kept]), encoding="utf-8")
    spec = f"{other}?target=kind&split=0.5:1"
    done = toreq_hw("simulate", trained, "--data", spec, "--json", "-")
    assert done.status == 0, done.error
    assert '"accuracy": 1.0' in done.output
    net = network.load(trained)
    found = data.load(spec, net.encoding)
    assert found.test.labels.tolist() == [1] * len(found.test)
    inputs = data.encode(found.test.images, found.pixel_max, net.input)
    assert sim.relax(net, inputs).classes.tolist() == found.test.labels.tolist()


def test_damage_and_deployment_take_it(table: Path, trained: Path) -> None:
    spec = f"{table}?target=kind&split=0.25:7"
    done = toreq_hw("deploy", trained, "--target", "sim", "--data", spec, "--samples", 5)
    assert done.status == 0, done.error
    done = toreq_hw(
        "inject", trained, "--data", spec, "--layer", "dead_neurons", "--levels", "0.5",
        "--trials", 2, "--jobs", 1, "--work", table.parent / "work",
    )  # fmt: skip
    assert done.status in (0, 1), done.error
    assert "dead_neurons on" in done.output
    assert (table.parent / "net.flowers.csv-twin.safetensors").exists()


def test_a_checkpoint_goes_on_with_it(table: Path, trained: Path) -> None:
    out = table.parent / "more.safetensors"
    kept = trained.with_suffix(".checkpoint")
    done = toreq_hw("train", "--resume", kept, "--epochs", 4, "--out", out)
    assert done.status == 0, done.error
    assert network.load(out).encoding == network.load(trained).encoding


def test_a_checkpoint_runs_no_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import numpy as np\ndef pairs():\n    return np.eye(8), [0, 1] * 4\n"
    (tmp_path / "own_pairs_resumed.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    name, out = "own_pairs_resumed:pairs?split=0.5", tmp_path / "a.safetensors"
    done = toreq_hw("train", "--data", name, "--hidden", 4, "--epochs", 1, "--out", out)
    assert done.status == 0, done.error
    more = ("train", "--resume", tmp_path / "a.checkpoint", "--epochs", 2, "--out", out)
    done = toreq_hw(*more)
    assert (done.status, "no checkpoint makes it run" in done.error) == (2, True)
    assert toreq_hw(*more, "--data", name).status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--data", "digits", "--split", "0.5"), "--split must go with own data, found --data"),
        (("--data", "absent.csv"), "absent.csv"),
        (("--data", "FILE.csv"), "FILE.csv"),
        (("--data", "TABLE"), "the target must be named"),
        (("--data", "TABLE", "--target-column", "kind", "--scale", "3"), "scale must be spread"),
        (("--data", "TABLE?target=kind", "--target-column", "kind"), "target of data must be"),
    ],
)
def test_wrong_data_is_one_line(
    table: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    given = [argument.replace("TABLE", str(table)) for argument in arguments]
    done = toreq_hw("train", *given, "--out", tmp_path / "x.safetensors")
    assert done.status == 2
    assert said in done.error
    assert len(done.error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_data_is_not_written_over(table: Path) -> None:
    before = table.read_bytes()
    done = toreq_hw("train", "--data", f"{table}?target=kind", "--out", table)
    assert done.status == 2
    assert "--out must be another file than --data, which is read" in done.error
    assert table.read_bytes() == before
