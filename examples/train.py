"""Train on chip, in integers, and save the network: python examples/train.py"""

from pathlib import Path

from toreq_hw import Trained, network, train


def run(folder: Path, epochs: int | None = None) -> Trained:
    """Trains on digits and leaves net.safetensors in `folder`; epochs: the recipe's if None."""
    trained = train("digits", hidden=(64,), weights="ternary", epochs=epochs, verbose=2)
    network.save(trained.network, folder / "net.safetensors")
    return trained


if __name__ == "__main__":
    done = run(Path())
    print(f"{done.recipe}: {100 * done.accuracy:.2f} % of test images in {done.seconds:.1f} s")
