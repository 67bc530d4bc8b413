"""A model trained again: integers give the same network on any machine."""

from collections.abc import Callable
from dataclasses import dataclass

from toreq_hw.argument_types import named_type_errors
from toreq_hw.models.entries import Model
from toreq_hw.network import Network
from toreq_hw.training import EpochReport, train


@dataclass(frozen=True, eq=False)
class Remade:
    """What a training gave. accuracy: on test samples, 0..1."""

    model: Model
    network: Network
    recipe: str
    accuracy: float
    seconds: float

    @property
    def differences(self) -> tuple[str, ...]:
        """What is not as the catalogue says, in words; empty where everything is."""
        model = self.model
        rows = (
            ("network", model.sha256[:12], self.network.sha256[:12]),
            ("accuracy", f"{model.accuracy:.6f}", f"{self.accuracy:.6f}"),
            ("recipe", model.recipe, self.recipe),
        )
        return tuple(f"{what} {found}, not {due}" for what, due, found in rows if due != found)

    @property
    def sha256(self) -> str:
        """Of the network."""
        return self.network.sha256


@named_type_errors
def remake(
    model: Model, on_epoch: Callable[[EpochReport], object] | None = None, epochs: int | None = None
) -> Remade:
    """Trains a model again, from scratch. epochs: fewer for a trial, which gives another network.

    Raises DataError where its data set is not here and cannot be had.
    """
    trained = train(
        model.data,
        hidden=model.hidden,
        weights=model.weights,
        seed=model.seed,
        epochs=epochs,
        on_epoch=on_epoch,
        verbose=0,
    )
    return Remade(model, trained.network, trained.recipe, trained.accuracy, trained.seconds)
