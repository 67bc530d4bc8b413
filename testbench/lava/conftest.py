"""What the neuromorphic tests run on: trained networks and real images."""

from pathlib import Path

import numpy as np
import pytest

from toreq_hw import commands, data, network
from toreq_hw.cli.default_network import DEFAULT_PATH, load_or_make
from toreq_hw.data.sources import MNIST, find
from toreq_hw.network import Network
from toreq_hw.targets import Samples


def samples(trained: Network, name: str, count: int) -> Samples:
    dataset = data.load(name)
    test = dataset.test.take(slice(0, count))
    inputs = data.encode(test.images, dataset.pixel_max, trained.input)
    return Samples(name, dataset.split, inputs, test.labels)


def random_samples(inputs: np.ndarray, labels: np.ndarray) -> Samples:
    return Samples("random", "random", inputs, labels)


@pytest.fixture(scope="session")
def digits_network() -> Network:
    return load_or_make(DEFAULT_PATH)


@pytest.fixture(scope="session")
def mnist_network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    if find(MNIST) is None:
        pytest.skip("MNIST is not here: set TOREQ_HW_DATA to a folder that holds mnist/")
    path: Path = tmp_path_factory.mktemp("mnist") / "network.safetensors"
    arguments = ["train", "--data", "mnist", "--hidden", "512", "--epochs", "1"]
    with pytest.raises(SystemExit) as ended:
        commands.main([*arguments, "--out", str(path)])
    assert ended.value.code == 0
    return network.load(path)
