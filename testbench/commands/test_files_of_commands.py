"""Every command knows all its files: none is lost to another, or to another run."""

import json
import os
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from testbench.networks import with_random_weights
from toreq_hw import commands, network
from toreq_hw.cli.checked import CheckedCommand, Files, checked_command
from toreq_hw.cli.options import json_option, overwrite_option
from toreq_hw.cli.paths import PATHS, InputFile, OutputFile, OutputFolder
from toreq_hw.cli.runs import current_run
from toreq_hw.errors import InputError, ToreqError
from toreq_hw.files import together, write_json
from toreq_hw.network import WeightFormat, layered
from toreq_hw.sim.campaign.trial import Trial
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.studies.ledger import Ledger
from toreq_hw.versions import versions

NET = layered((64, 4, 10), WeightFormat.TERNARY, (3, 3))


def every_command(
    group: click.Group = commands.group, parent: click.Context | None = None
) -> dict[str, click.Command]:
    """All commands by name, those of groups among them."""
    context = click.Context(group, parent=parent)
    found = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            inner = every_command(command, context)
            found |= {f"{name} {one}": inner[one] for one in inner}
        else:
            found[name] = command
    return found


@pytest.mark.parametrize(("name", "command"), every_command().items())
def test_every_path_of_every_command_has_a_role(name: str, command: click.Command) -> None:
    assert isinstance(command, CheckedCommand)
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            assert isinstance(parameter.type, PATHS), (name, parameter.name)


def _files(values: dict[str, Any]) -> Files:
    return Files(outputs={"the log": values["out"].with_suffix(".log")})


@checked_command(files=_files)
@click.argument("source", metavar="SOURCE", type=InputFile())
@click.option("--out", type=OutputFile(), required=True)
@click.option("--folder", type=OutputFolder("record.json", "*.hex"))
@click.option("--size", default=3)
@overwrite_option
@json_option
def toy(out: Path, size: int, json_path: Path | None, **_: Any) -> None:
    """Does its work."""
    with together():
        network.save(NET, out, run=current_run())
        if json_path:
            write_json(json_path, {"size": size, "versions": versions()})


def run_toy(*arguments: str | Path) -> None:
    result = CliRunner().invoke(toy, [str(a) for a in arguments], standalone_mode=False)
    if result.exception:
        raise result.exception


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an input; paths may be relative to it."""
    (tmp_path / "source").write_text("precious")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["source", "--out", "x", "--json", "x"],
        ["source", "--out", "x", "--json", "sub/../x"],
        ["source", "--out", "x.net", "--json", "x.log"],
        ["source", "--out", "x.log"],
        ["source", "--out", "source"],
        ["source", "--out", "soft"],
        ["source", "--out", "hard"],
        ["source", "--out", "x", "--json", "./source"],
        ["soft", "--out", "x", "--json", "hard"],
        ["source", "--out", "sub/record.json", "--folder", "sub"],
        ["source", "--out", "x", "--json", "sub/../sub/a.hex", "--folder", "sub/"],
        ["sub/a.hex", "--out", "x", "--folder", "sub"],
        ["source", "--out", "-", "--json", "/dev/stdout"],
    ],
)
def test_two_paths_to_one_file_are_refused(place: Path, arguments: list[str]) -> None:
    (place / "soft").symlink_to("source")
    (place / "hard").hardlink_to("source")
    before = sorted(place.rglob("*"))
    with pytest.raises(InputError, match=r"must be (different files|another file than)"):
        run_toy(*arguments)
    assert sorted(place.rglob("*")) == before
    assert (place / "source").read_text() == "precious"


@pytest.mark.parametrize(
    "arguments",
    [
        ["source", "--out", "new/x", "--json", "new"],
        ["source", "--out", "new", "--json", "sub/../new/a/b"],
        ["source", "--out", "x", "--json", "new", "--folder", "new"],
        ["source", "--out", "new", "--folder", "new/deep/folder"],
    ],
)
def test_a_file_where_another_result_needs_a_folder_is_refused(
    place: Path, arguments: list[str]
) -> None:
    before = sorted(place.rglob("*"))
    with pytest.raises(InputError, match="must be a file, found the folder that --"):
        run_toy(*arguments)
    assert sorted(place.rglob("*")) == before


@pytest.mark.usefixtures("place")
def test_a_device_may_take_several_results() -> None:
    run_toy("source", "--out", os.devnull, "--json", os.devnull)
    assert not Path(os.devnull).is_file()


@pytest.mark.usefixtures("place")
def test_the_same_run_may_replace_its_results_and_another_may_not() -> None:
    run_toy("source", "--out", "x")
    run_toy("source", "--out", "x", "--json", "y")
    run_toy("source", "--out", "x", "--size", "3")  # the default
    with pytest.raises(InputError, match="x: must be a new file or one of this very run, found a"):
        run_toy("source", "--out", "x", "--size", "4")
    run_toy("source", "--out", "x", "--size", "4", "--overwrite")
    with pytest.raises(InputError, match="of another run; name another file, or use --overwrite"):
        run_toy("source", "--out", "x")


def _network(path: Path) -> None:
    network.save(NET, path)


def _checkpoint(path: Path) -> None:
    checkpoint.save(Trainer(NET, Rule(), 1), path, {})


def _trials(path: Path) -> None:
    ledger = Ledger(path.parent, "trials", {"code": ""}, Trial)
    ledger.add({"trial": 0}, Trial(0.0, 0, 1, 1.0, 1, 1, 0.0, (1, *[0] * 39), 1.0, 0, 0.0, None))
    ledger.path.replace(path)


@pytest.mark.parametrize("make", [_network, _checkpoint, _trials])
@pytest.mark.parametrize("option", ["--out", "--json"])
def test_no_output_replaces_kept_work(place: Path, make: Any, option: str) -> None:
    make(place / "kept")
    before = (place / "kept").read_bytes()
    arguments = ["--out", "kept"] if option == "--out" else ["--out", "x", "--json", "kept"]
    with pytest.raises(InputError, match="of another run"):
        run_toy("source", *arguments)
    assert (place / "kept").read_bytes() == before


def test_bad_places_are_refused_before_the_work(place: Path) -> None:
    for arguments in (["--out", "sub"], ["--out", "source/x"], ["--out", "x", "--json", "sub"]):
        with pytest.raises(ToreqError, match=r"must be a (file|writable folder), found"):
            run_toy("source", *arguments)
    assert sorted(p.name for p in place.iterdir()) == ["source", "sub"]


def outcome(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        commands.main([str(a) for a in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def net(place: Path) -> Path:
    rng = np.random.default_rng(1)
    path = place / "[v2]" / "[" / "x] :smile:.safetensors"
    path.parent.mkdir(parents=True)
    network.save(with_random_weights(NET, rng), path)
    return path


def test_a_dash_gives_the_record_standard_output_to_itself(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome("simulate", net, "--samples", "2", "--json", "-") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["network_sha256"] == network.load(net).sha256
    assert "x] :smile:.safetensors on digits" in shown.err  # the table
    assert outcome("simulate", net, "--samples", "2") == 0
    assert "test accuracy" in capsys.readouterr().out  # the next command prints there again


def test_names_are_printed_as_they_are_on_one_line(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = net.with_name("[red]" + 100 * "x" + ".checkpoint.safetensors")
    arguments = ["--hidden", "4", "--epochs", "1", "--out", out]
    assert outcome("train", *arguments) == 0
    assert f"wrote {out}\n" in capsys.readouterr().out


def test_control_characters_in_an_error_are_escaped(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome("simulate", place / "a\nb\x1b[31m\udcff") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert r"a\nb\x1b[31m\udcff" in line


def test_train_knows_its_checkpoint(net: Path, place: Path) -> None:
    quick = ["train", "--hidden", "4", "--epochs", "1"]
    assert outcome(*quick, "--out", "run.checkpoint") == 2
    assert outcome(*quick, "--out", "a.safetensors", "--json", "a.checkpoint") == 2
    assert sorted(p.name for p in place.iterdir()) == ["[v2]", "source", "sub"]
    assert outcome(*quick, "--out", "a.safetensors") == 0
    assert outcome(*quick, "--out", "a.safetensors") == 0  # the same line again
    assert outcome(*quick, "--seed", "2", "--out", "a.safetensors") == 2
    resumed = ["train", "--resume", "a.checkpoint", "--epochs", "2"]
    assert outcome(*resumed, "--out", "a.safetensors") == 0
    assert outcome(*resumed, "--out", net) == 2
    assert outcome(*quick, "--out", os.devnull) == 0
    assert not Path(os.devnull).with_suffix(".checkpoint").exists()


def test_notes_that_no_training_leaves_are_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes: dict[str, Any] = {"data": "digits", "holdout": None, "epochs": 3, "augment": 0}
    notes["history"] = []
    for change, message in (
        ({"data": "cifar"}, "field data must be one of"),
        ({"holdout": 0}, "field holdout must be a whole number in 1.."),
        ({"epochs": "x"}, "field epochs must be a whole number in 1.."),
        ({"augment": 9}, "field augment must be a whole number in 0..4"),
        ({"mirror": 1}, "field mirror must be true or false"),
        ({"history": [{}]}, "field history must have 0 entries"),
        ({"history": 5}, "field history must be a list"),
    ):
        checkpoint.save(Trainer(NET, Rule(), 1), place / "c", {**notes, **change})
        assert outcome("train", "--resume", "c", "--out", "x.safetensors", "--overwrite") == 2
        assert message in capsys.readouterr().err
    checkpoint.save(Trainer(NET, Rule(), 1), place / "c", {})
    assert outcome("train", "--resume", "c", "--out", "x.safetensors", "--overwrite") == 2
    assert "field data must be there" in capsys.readouterr().err


def test_relearn_names_what_is_wrong_with_a_checkpoint(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint.save(Trainer(NET, Rule(), 1), place / "c", {})
    content = (place / "c").read_bytes()
    (place / "c").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert outcome("relearn", "c", "--level", "0.1") == 2
    assert "content must have the SHA-256" in capsys.readouterr().err
