"""`train(engine="torch")`: data sets, torch's own data, callbacks; the simulator agrees."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from toreq_hw import data, train
from toreq_hw.contract.ticks import Ticks
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.quant.loaders import load_torch
from toreq_hw.training import EpochReport, UpdateReport


def few() -> Dataset:
    digits = data.load("digits")
    train_split, test = digits.train.take(slice(0, 200)), digits.test.take(slice(0, 50))
    return Dataset("few", digits.shape, digits.pixel_max, 10, "a few", train_split, test)


def tensors(count: int, test: bool = False) -> TensorDataset:
    """Digits as torch has images: floats (1, 8, 8)."""
    digits = data.load("digits")
    split = (digits.test if test else digits.train).take(slice(0, count))
    images = torch.from_numpy(split.images).reshape(-1, 1, 8, 8).float() / digits.pixel_max
    return TensorDataset(images, torch.from_numpy(split.labels))


QUICK: dict[str, Any] = {"engine": "torch", "hidden": (16,), "epochs": 3, "seed": 2, "verbose": 0}


def test_a_data_set_with_callbacks(capsys: pytest.CaptureFixture[str]) -> None:
    epochs: list[EpochReport] = []
    updates: list[UpdateReport] = []
    found = train(
        few(),
        on_epoch=epochs.append,
        on_update=updates.append,
        learning_rate=0.01,
        **QUICK | {"verbose": 1, "epochs": 10},
    )
    assert found.differing == 0
    assert found.accuracy > 0.4
    assert tuple(epochs) == found.history
    batch = len(updates[0].samples)
    each = -(-200 // batch)
    assert len(updates) == 10 * each
    first = np.concatenate([u.samples for u in updates[:each]])
    assert sorted(first.tolist()) == list(range(200))
    third = updates[2 * each : 3 * each]
    assert sum(u.correct for u in third) == round(200 * epochs[2].accuracy)
    assert capsys.readouterr().out == f"recipe: {found.recipe}\n"
    start = f"64-16-10 int8, eqprop, fraction bits 7, 7, batches of {batch},"
    assert found.recipe.startswith(start)


def test_a_torch_dataset_is_what_its_pixels_are() -> None:
    found = train(tensors(200), test=tensors(50, test=True), **QUICK)
    loaded = load_torch(tensors(200), tensors(50, test=True))
    assert loaded.dataset.shape == (8, 8)
    assert train(loaded.dataset, **QUICK).network.sha256 == found.network.sha256
    assert found.differing == 0


def test_a_loader_chooses_order_and_batches() -> None:
    seen: list[int] = []
    sizes: list[int] = []

    class Watched(torch.utils.data.Dataset[Any]):
        def __init__(self, inner: TensorDataset) -> None:
            self.inner = inner

        def __len__(self) -> int:
            return len(self.inner)

        def __getitem__(self, number: int) -> Any:
            seen.append(number)
            return self.inner[number]

    loader = DataLoader(Watched(tensors(100)), batch_size=30, shuffle=False)
    found = train(
        loader,
        test=tensors(50, test=True),
        on_update=lambda update: sizes.append(len(update.samples)),
        **QUICK,
    )
    assert seen == [*range(100)] * 4  # a first look, then three epochs
    assert sizes == [0] * 3 * 4
    assert found.differing == 0
    assert "batches of 30" in found.recipe


def test_colours_lie_side_by_side() -> None:
    images = torch.arange(2 * 3 * 2 * 4, dtype=torch.uint8).reshape(2, 3, 2, 4)
    pair = TensorDataset(images, torch.tensor([0, 1]))
    loaded = load_torch(pair, pair).dataset
    assert (loaded.shape, loaded.channels) == ((2, 4), 3)
    assert loaded.train.images[0].tolist() == images[0].permute(1, 2, 0).reshape(-1).tolist()


def broken(images: torch.Tensor, labels: torch.Tensor) -> TensorDataset:
    return TensorDataset(images, labels)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (torch.full((2, 4), 1.5), torch.tensor([0, 1]), "bytes or floats in 0..1, found 1.5..1.5"),
        (torch.full((2, 4), float("nan")), torch.tensor([0, 1]), "floats in 0..1, found nan..nan"),
        (torch.zeros((2, 4)).long(), torch.tensor([0, 1]), "bytes or floats in 0..1, found"),
        (torch.zeros((2, 4)), torch.tensor([0.0, 1.0]), "whole classes (batch,)"),
        (torch.zeros((2, 4)), torch.tensor([0, -1]), "whole numbers from 0 on, found -1"),
        (torch.zeros((2, 1, 1, 2, 2)), torch.tensor([0, 1]), "of 1 to 3 axes"),
    ],
)
def test_bad_torch_data_is_refused(images: torch.Tensor, labels: torch.Tensor, said: str) -> None:
    good = broken(torch.zeros((2, 4)), torch.tensor([0, 1]))
    with pytest.raises(InputError) as found:
        train(broken(images, labels), test=good, **QUICK)
    assert said in str(found.value)


def test_what_torch_cannot_do_is_refused() -> None:
    with pytest.raises(InputError, match="observers must be left out with engine torch"):
        train(few(), observers=[Ticks()], **QUICK)
    with pytest.raises(InputError, match="a setting of engine torch must be one of"):
        train(few(), theta=3, **QUICK)
    with pytest.raises(InputError, match="augment must be left out with a DataLoader"):
        train(DataLoader(tensors(9)), test=tensors(9), augment=1, **QUICK)
    with pytest.raises(InputError, match="test must be a torch Dataset or DataLoader"):
        train(tensors(9), **QUICK)
    loop = layered((64, 4, 10), WeightFormat.INT8, (7, 7), loop_fraction_bits=7)
    with pytest.raises(InputError, match="in a chain"):
        train(few(), shape=loop, engine="torch", verbose=0)


def test_a_loader_that_brings_new_classes_is_refused() -> None:
    class Growing(torch.utils.data.IterableDataset[Any]):
        passes = 0

        def __len__(self) -> int:
            return 4

        def __iter__(self) -> Iterator[Any]:
            Growing.passes += 1
            last = 2 if Growing.passes > 1 else 1
            yield from ((torch.zeros(4), label) for label in (0, 1, 0, last))

    with pytest.raises(InputError, match=r"labels must be in 0\.\.1"):
        train(
            DataLoader(Growing(), 2),
            test=TensorDataset(torch.zeros(2, 4), torch.tensor([0, 1])),
            **QUICK,
        )


def test_on_epoch_ends_a_training() -> None:
    found = train(few(), on_epoch=lambda report: report.epoch == 2, **QUICK)
    assert [report.epoch for report in found.history] == [1, 2]
