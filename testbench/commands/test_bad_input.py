"""What a stranger may type: each is one line that says what must hold, and exit status 2."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from testbench.command_line import toreq_hw as run
from toreq_hw import network
from toreq_hw.cli.starting import epochs_of
from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.records.training import EpochPart
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.perturbation import DeadNeurons
from toreq_hw.sim.perturbation.fault_map import FaultMap

READS_NETWORK = {
    "simulate": "simulate {} ",
    "inject": "inject {} --layer dead_neurons --levels 0,0.5 --no-twin",
    "replay": "replay {} map.json",
    "relearn": "relearn {} --level 0.1",
    "rtl": "rtl {}",
    "synth": "synth {} --board icebreaker",
    "lazy": "lazy {}",
    "deploy": "deploy {} --target sim",
    "train": "train --from {} --out new.safetensors",
}
"""Commands that work without extras up to the point where they read their network."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of each kind."""
    place = tmp_path_factory.mktemp("files")
    net = network.layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))
    network.save(net, place / "net.safetensors")
    narrow = network.layered((30, 8, 10), WeightFormat.TERNARY, (3, 3))
    network.save(narrow, place / "narrow.safetensors")
    checkpoint.save(Trainer(net, Rule(), 1), place / "net.checkpoint", {"data": "digits"})
    FaultMap.make(net, [DeadNeurons(0.5)], 3).save(place / "map.json")
    FaultMap.make(net, [DeadNeurons(0.5)], 360).save(place / "long.json")
    save_file({"0.weight": np.ones((8, 64), np.float32)}, place / "float.safetensors")
    (place / "graph.onnx").write_bytes(b"\x08\x08\x12\x07pytorch:\0")
    (place / "cut.safetensors").write_bytes((place / "net.safetensors").read_bytes()[:-9])
    (place / "text").write_text("some text\n")
    (place / "empty").touch()
    (place / "folder").mkdir()
    return place


@pytest.fixture(autouse=True)
def _here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def refused(line: str) -> str:
    """The one line of a refused command, which leaves nothing behind."""
    before = sorted(Path().iterdir())
    done = run(*line.split())
    assert done.status == 2, done
    assert done.output == ""
    assert done.error.startswith("error: ")
    assert done.error.count("\n") == 1
    assert set(Path().iterdir()) == set(before)
    return done.error


@pytest.mark.parametrize("command", READS_NETWORK)
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("absent", "must be readable, found: No such file or directory"),
        ("folder", "must be a regular file, found a folder|must be readable, found: Is a dir"),
        ("empty", "must be a whole safetensors file"),
        ("text", "must be a whole safetensors file"),
        ("cut.safetensors", "must be a whole safetensors file"),
        ("graph.onnx", "must be a network file.*found an ONNX graph; toreq-hw import graph.onnx"),
        ("float.safetensors", "must be a network file.*found a float model; toreq-hw quantize"),
        ("map.json", "must be a network file.*found a fault map; toreq-hw replay"),
    ],
)
def test_what_is_no_network_is_named(command: str, path: str, found: str) -> None:
    message = refused(READS_NETWORK[command].format(path))
    assert path in message
    assert any(_is_in(text, message) for text in found.split("|")), message


def _is_in(pattern: str, message: str) -> bool:
    """Whether the parts of a text, `.*` between them, are in a message in order."""
    place = 0
    for part in pattern.split(".*"):
        place = message.find(part, place)
        if place < 0:
            return False
    return True


@pytest.mark.parametrize("command", ["simulate", "relearn", "lazy", "deploy", "train"])
def test_a_data_set_of_another_size_is_named(command: str) -> None:
    message = refused(READS_NETWORK[command].format("narrow.safetensors"))
    assert "must have" in message
    assert "30" in message
    assert "64" in message


@pytest.mark.parametrize("command", ["simulate", "inject", "lazy", "deploy"])
def test_more_samples_than_there_are_are_refused(command: str) -> None:
    message = refused(READS_NETWORK[command].format("net.safetensors") + " --samples 360")
    assert message == "error: --samples must be at most 359, the test images of digits, not 360\n"


LINES = {
    "simulate net.checkpoint": "must be a network file, found a checkpoint; toreq-hw train",
    "train --resume net.safetensors --out new": "--resume must be a checkpoint, found a network",
    "train --resume text --out new": "text: must be a whole safetensors file",
    "train --resume net.checkpoint --out new --hidden 3": "--hidden must be left out with --resume",
    "train --resume net.checkpoint --out new --data mnist": "--data must be left out with --resume",
    "train --resume net.checkpoint --out new --seed 1": "--seed must be left out with --resume",
    "train --out new --samples 360": "--samples must be at most 359, the test images of digits",
    "train --out new --latent-bits 8 --shift 9": "coupling 'input-hidden': --shift (k) must be at "
    "most 8, its latent bits, not 9; use --shift 8 or less, or --latent-bits 9 or more",
    "train --out new --latent-bits 8 --output-shift 9": "coupling 'hidden-output': --output-shift ",
    "rtl net.safetensors --wave 359 --out R": "--wave must be an image in 0..358, the test images",
    "rtl net.safetensors --wave 359 --out R/S/T": "--wave must be an image in 0..358, the test im",
    "rtl net.safetensors --lanes 4 --learning --learn-lanes 8 --out R": "--learn-lanes must be a "
    "power of two in 1..4, not 8: at most the lanes that update neurons (--lanes,",
    "train --out new --checkpoint-every 0": "--checkpoint-every must be a whole number in 1..",
    "inject net.safetensors --layer dead_neurons --levels 0,1 --set value=0 --set value=1": "once",
    "import net.safetensors": "FILE must be an ONNX graph, found a network file",
    "quantize net.checkpoint --out new": "must be a float model or an ONNX graph, found a checkpoi",
    "relearn map.json --level 0.1": "must be a network file or a checkpoint, found a fault map",
    "replay net.safetensors absent": "absent: must be readable, found: No such file",
    "replay net.safetensors text": "text: must be",
    "replay net.safetensors long.json": "samples must be a whole number in 0..359, found 360",
    "replay net.safetensors map.json --samples 2": "--samples must be left out without --make",
    "replay net.safetensors new.json --make dead_neurons": "--make must be LAYER=LEVEL",
    "replay net.safetensors new.json --make dead=0.1": "layer must be one of",
    "replay net.safetensors new.json --make dead_neurons=nan": "level of dead_neurons must be in",
    "replay net.safetensors new.json --make dead_neurons=0.1 --samples 360": "must be at most 359",
    "inject net.safetensors --layer dead_neurons --levels 0:2:3": "level of dead_neurons must be",
    "inject net.safetensors --layer dead_neurons --levels 0,1 --set value=2.5": "a text or a whole",
    "inject net.safetensors --layer dead_neurons --levels 0,1 --set colour=1": "must be one of",
    "inject net.safetensors --layer dead_neurons --levels 0:0.5:1000000000": "error: --levels: cou",
    "inject net.safetensors --layer pcm --levels 0,1 --set seconds=1e400": "must be a finite",
    "simulate net.safetensors --trace 359": "--trace must be an image in 0..358, not 359",
    "rtl net.safetensors --max-sweeps 65536": "--max-sweeps must be a whole number in 1..65535",
    "rtl net.safetensors --lanes 3": (
        "--lanes must be one of 2, 4, 8, 16, 32, 64, 128, 256, found '3'"
    ),
    "train --out new --hidden 1000000,1000000,1000000": "must",
    "train --out new --holdout 1438": "held-out images must number 1..1437, not 1438",
    "train --out new --device cpu": "--device must be left out with --engine integer",
    "deploy net.safetensors --target sim --chip loihi1": "--chip must go with one of loihi",
    "deploy net.safetensors --target sim --port sim": "--port must go with one of icebreaker",
    "deploy net.safetensors --target rtl --accumulator-register": (
        "--accumulator-register must go with one of icebreaker"
    ),
    "deploy net.safetensors --network net.safetensors --target sim": "--network must be left out",
    "deploy net.safetensors": "either --target or --board-file must be given, found neither",
    "synth net.safetensors": "either --board or --board-file must be given, found neither",
    "synth net.safetensors --board icebreaker --board-file text": "must be given, found both",
    "host net.safetensors": "either --board or --board-file must be given, found neither",
    "host net.safetensors --board icebreaker --board-file text": "must be given, found both",
    "deploy --train digits --out new --port sim": "either --target or --board-file must be given",
    "simulate": "NETWORK must be given",
    "simulate net.safetensors other": "unexpected extra argument",
    "simulate net.safetensors --smaples 3": "'--samples'",
    "simulat net.safetensors": "did you mean 'simulate'?",
    "simulate net.safetensors --json=": "arguments must not be empty, found '--json='",
    f"simulate {'n' * 5000}": "File name too long",
}


@pytest.mark.parametrize("line", LINES)
def test_the_line_says_what_must_hold(line: str) -> None:
    assert LINES[line] in refused(line)


def test_epochs_that_a_checkpoint_has_passed_are_refused() -> None:
    trainer = Trainer(layered((4, 3), WeightFormat.TERNARY, (2,)), Rule(), 1)
    trainer.epoch = 4
    assert epochs_of(trainer, 4, None) == 4
    with pytest.raises(InputError, match=r"--epochs must be at least 4, .* not 3"):
        epochs_of(trainer, 3, None)
    part = EpochPart(samples=1, correct=0, sweeps=3, unsettled=0, events=0)
    assert epochs_of(trainer, 5, part) == 5
    with pytest.raises(InputError, match=r"--epochs must be at least 5, .* a part, not 4"):
        epochs_of(trainer, 4, part)


def test_an_empty_text_is_refused() -> None:
    done = run("simulate", "net.safetensors", "--json", "")
    assert (done.status, done.error) == (2, "error: --json must be followed by a value, found ''\n")


@pytest.mark.parametrize("arguments", [["-h"], ["simulate", "-h"], ["train", "--help"]])
def test_help_is_there_in_both_spellings(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.status == 0
    assert "-h, --help" in done.output


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("text")
    path.chmod(0)
    if not _readable(path):
        assert "must be readable, found: Permission denied" in refused(f"simulate {path}")


def _readable(path: Path) -> bool:
    """As root everything is."""
    try:
        path.read_text()
    except PermissionError:
        return False
    return True
