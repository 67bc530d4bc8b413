"""One torch thread a test process: two of them waiting for each other on a busy core crawl."""

from pathlib import Path

import pytest
import torch

from toreq_hw import data

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def torch_mlp() -> torch.nn.Module:
    """A float MLP on digits, trained by torch alone."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.ReLU(), torch.nn.Linear(48, 10))
    train = data.load("digits").train
    images = torch.from_numpy(train.images / 16).float().reshape(len(train), -1)
    labels = torch.from_numpy(train.labels)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2, weight_decay=1e-4)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimiser.step()
    return model.eval()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes the graph that is read."""
    return tmp_path / "layer.onnx"
