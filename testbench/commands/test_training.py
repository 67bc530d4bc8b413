"""`train`: one front door, whose networks are those of the command, watched or not."""

from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import toreq_hw as run
from toreq_hw import data, network, train
from toreq_hw.contract.ticks import Ticks
from toreq_hw.data import Dataset, Split
from toreq_hw.errors import InputError, ToreqError
from toreq_hw.training import EpochReport, StopTraining, UpdateReport


def few(count: int = 60) -> Dataset:
    """A few digits to learn, and 40 to measure on."""
    digits = data.load("digits")
    parts = (digits.train.take(slice(0, count)), digits.test.take(slice(0, 40)))
    return Dataset("few", digits.shape, digits.pixel_max, 10, "a few of each", *parts)


QUICK = {"hidden": (12,), "epochs": 2, "seed": 3, "verbose": 0}


def test_the_command_makes_the_same_network(tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    options = ["--hidden", "12", "--epochs", "1", "--seed", "3", "--weights", "int8"]
    done = run("train", *options, "--out", str(out))
    assert done.status == 0
    trained = train("digits", hidden=(12,), epochs=1, seed=3, weights="int8", verbose=0)
    assert network.load(out).sha256 == trained.network.sha256
    assert f"recipe: {trained.recipe}" in done.error


def test_who_watches_changes_no_bit() -> None:
    alone = train(few(), **QUICK)
    epochs: list[EpochReport] = []
    updates: list[UpdateReport] = []
    ticks = Ticks()
    watched = train(
        few(), on_epoch=epochs.append, on_update=updates.append, observers=[ticks], **QUICK
    )
    assert watched.network.sha256 == alone.network.sha256
    assert watched.accuracy == alone.accuracy == alone.history[-1].test_accuracy
    assert tuple(epochs) == watched.history
    assert [report.accuracy for report in epochs] == [r.accuracy for r in alone.history]
    assert [u.update for u in updates] == [*range(1, 61)] * 2
    assert sorted(int(u.samples[0]) for u in updates[:60]) == list(range(60))
    assert sum(u.correct for u in updates[:60]) == round(60 * epochs[0].accuracy)
    assert [start.phase for start, _ in ticks.phases[:3]] == ["free", "positive", "negative"]
    assert len(ticks.phases) == 3 * 120
    swept = sum(ticks_of[-1].sweep for _, ticks_of in ticks.phases[: 3 * 60])
    assert swept == round(3 * 60 * epochs[0].sweeps_per_phase)


def test_a_shape_and_a_start(tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    file.write_text(
        'input = "8x8x1"\nlayers = ["conv 2 3x3", "dense 10"]\nfraction_bits = [6, 7]\n'
        'readout = {kind = "clamped", temperature = [1, 8], normalisation = "softmax"}\n',
        encoding="utf-8",
    )
    trained = train(few(), shape=file, epochs=1, verbose=0)
    assert trained.recipe.startswith(
        "8x8x1-6x6x2-10 int8, convolution and dense, fraction bits 6 and 7, clamped softmax of "
        "temperature 1/8, k "
    )
    assert trained.network.couplings[0].kind == "convolution"
    later = train(few(), start=trained.network, epochs=0, verbose=0)
    assert later.network.sha256 == trained.network.sha256
    assert later.history == ()


def test_own_arrays_are_trained() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 40)
    images = np.repeat(200 * labels[:, None], 5, axis=1).astype(np.uint8)
    split = Split(images, labels)
    trained = train(Dataset("own", (1, 5), 255, 2, "the same", split, split), epochs=5, verbose=0)
    assert trained.accuracy == 1
    pair = train((images, labels), epochs=5, verbose=0)
    four = train((images, labels, images, labels), epochs=5, verbose=0)
    named = train({"x": images, "y": labels}, epochs=5, verbose=0)
    assert pair.accuracy == four.accuracy == named.accuracy == 1
    assert pair.network.sha256 == named.network.sha256
    assert pair.split.startswith("32 training and 8 test samples")
    with pytest.raises(ToreqError, match=r"dataset must be a Dataset, .*\(features, targets\)"):
        train([images, labels], verbose=0)


def test_the_recipe_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    trained = train(few(), hidden=(8,), epochs=1, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"recipe: {trained.recipe}"
    assert lines[0].startswith("recipe: 64-8-10 ternary, fraction bits 3 and 3, k 4, 6 and 6")
    assert lines[1].startswith("epoch 1 of 1: ")
    train(few(), hidden=(8,), epochs=1, verbose=0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["shift", "output_shift", "bias_shift", "theta", "beta_shift"])
def test_a_setting_stands_for_that_of_the_recipe(name: str) -> None:
    usual = train(few(), hidden=(8,), epochs=0, verbose=0)
    other = train(few(), hidden=(8,), epochs=0, verbose=0, **{name: 11})
    assert other.recipe != usual.recipe
    assert " 11" in other.recipe.replace("2^-11", " 11").replace(",", " ")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"engine": "tensor"}, "engine must be one of integer, torch, not 'tensor'"),
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"batch_size": 8}, "batch_size must be left out with engine integer: the contract"),
        ({"weights": "binary"}, "weights must be one of ternary, int8, not 'binary'"),
        ({"hidden": (0,)}, "hidden sizes must be at least 1, not 0"),
        ({"test": 3}, "dataset must be a Dataset"),
        ({"shape": "nowhere.toml"}, "nowhere.toml"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ToreqError) as found:
        train(few(), verbose=0, **settings)
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_ends_that_do_not_fit_are_refused() -> None:
    blank = network.layered((3, 4, 10), network.WeightFormat.INT8, (7, 7))
    with pytest.raises(InputError, match="must have 64 inputs and 10 outputs for few"):
        train(few(), shape=blank)
    with pytest.raises(InputError, match="shape must be left out with start"):
        train(few(), shape=blank, start=blank)


def test_on_epoch_ends_a_training() -> None:
    def raises(report: EpochReport) -> None:
        if report.epoch == 2:
            raise StopTraining

    for ends in (raises, lambda report: report.epoch == 2):
        trained = train(few(), hidden=(4,), epochs=5, on_epoch=ends, verbose=0)
        assert [report.epoch for report in trained.history] == [1, 2]
    whole = train(few(), hidden=(4,), epochs=2, on_epoch=lambda _: "no", verbose=0)
    assert len(whole.history) == 2
