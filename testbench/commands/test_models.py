"""The zoo: what is shipped is what the catalogue says, and a training gives it again."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from testbench.command_line import toreq_hw as run
from toreq_hw import data, models, network, sim
from toreq_hw.errors import InputError
from toreq_hw.models import entries as module
from toreq_hw.sim.summary import summarise

SHIPPED = [model.name for model in models.catalogue().values() if model.shipped]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_is_the_one_of_the_catalogue(name: str) -> None:
    model = models.get(name)
    net = models.load(name)
    assert model.path.stat().st_size < 1_000_000
    digits = data.load(model.data)
    inputs = data.input_states(net, digits.test.images, digits.pixel_max)
    assert summarise(sim.relax(net, inputs), digits.test.labels).accuracy == model.accuracy
    found = models.model_of(net)
    assert found is not None
    assert found.name == name


def test_a_training_gives_the_same_bits() -> None:
    made = models.remake(models.get("digits-int8"))
    assert made.differences == ()
    other = replace(made.model, sha256="0" * 64, accuracy=0.5)
    assert replace(made, model=other).differences == (
        f"network {made.sha256[:12]}, not 000000000000",
        f"accuracy {made.accuracy:.6f}, not 0.500000",
    )


def test_list_get_and_what_is_refused(tmp_path: Path) -> None:
    listed = run("models", "list")
    assert listed.status == 0
    for model in models.catalogue().values():
        assert model.name in listed.output
        assert model.sha256[:12] in listed.output
    out = tmp_path / "net.safetensors"
    assert run("models", "get", "digits-ternary", "--out", out).status == 0
    assert network.load(out).sha256 == models.get("digits-ternary").sha256
    for arguments, said in (
        (("get", "digits-ternary"), "--out must be given with get"),
        (("verify",), "NAME must be given with verify"),
        (("list", "digits-int8"), "NAME must be left out with list"),
        (("verify", "digits-int8", "--out", tmp_path / "x"), "--out must be left out with verify"),
        (("get", "digits-int9", "--out", tmp_path / "x"), "digits-int8"),
    ):
        done = run("models", *arguments)
        assert done.status == 2, arguments
        assert said in done.error


def test_verify_trains_and_notices_another_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = models.get("digits-int8")
    assert run("models", "verify", "digits-int8").status == 0
    wrong = {"digits-int8": replace(kept, accuracy=0.5)}
    monkeypatch.setattr(module, "catalogue", lambda: wrong)
    done = run("models", "verify", "digits-int8")
    assert done.status == 1
    assert "not 0.500000" in done.output


def test_a_file_that_holds_another_network_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(models.get("digits-int8").path, tmp_path / "digits-ternary.safetensors")
    monkeypatch.setattr(module, "_FOLDER", tmp_path)
    with pytest.raises(InputError, match="model digits-ternary must be network 1de4865363b0"):
        models.load("digits-ternary")
    with pytest.raises(InputError, match="model digits-int8 must be shipped to be loaded"):
        models.load("digits-int8")
