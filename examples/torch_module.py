"""Train from a torch DataLoader, then settle inside a torch model.

python examples/torch_module.py
"""

import torch
from torch.utils.data import DataLoader, TensorDataset

from toreq_hw import data, train
from toreq_hw.quant import EquilibriumModule


def run(samples: int = 1438, epochs: int = 20) -> tuple[float, float]:
    """Accuracy on test digits that the training reports, and that of the torch model."""
    digits = data.load("digits")
    parts = [
        TensorDataset(torch.from_numpy(part.images) / 16, torch.from_numpy(part.labels))
        for part in (digits.train.take(slice(0, samples)), digits.test)
    ]
    loader = DataLoader(parts[0], batch_size=32, shuffle=True)
    trained = train(loader, test=parts[1], engine="torch", hidden=(64,), epochs=epochs, verbose=0)
    module = EquilibriumModule(trained.network, inputs="pixels")
    model = torch.nn.Sequential(torch.nn.Flatten(), module)
    images, labels = parts[1].tensors
    found = model(images.reshape(-1, 8, 8)).argmax(dim=1)
    return trained.accuracy, float((found == labels).double().mean())


if __name__ == "__main__":
    print(run())
