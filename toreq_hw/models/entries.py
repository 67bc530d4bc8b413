"""Which networks there are: how each was trained, what it reaches, and the hash it must have."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat
from toreq_hw.network import load as load_network
from toreq_hw.reading import Fields, read_toml
from toreq_hw.suggestions import look_up

_FOLDER = Path(__file__).parent
_MAX_BYTES = 1 << 20
_MOST = 1 << 31


@dataclass(frozen=True)
class Model:
    """One network. data, hidden, weights, seed: what `toreq_hw.train` is given.

    recipe: the settings that follow from those, in words. accuracy: on the test set of `data`,
    0..1. sha256: of the network. shipped: whether its file is part of this package.
    """

    name: str
    data: str
    hidden: tuple[int, ...]
    weights: WeightFormat
    seed: int
    recipe: str
    accuracy: float
    sha256: str

    @property
    def path(self) -> Path:
        """Where its file lies, where it is shipped."""
        return _FOLDER / f"{self.name}.safetensors"

    @property
    def shipped(self) -> bool:
        """Whether its file is part of this package."""
        return self.path.is_file()


@cache
def catalogue() -> dict[str, Model]:
    """Every model by its name."""
    fields = read_toml(_FOLDER / "catalogue.toml", _MAX_BYTES, InputError)
    return {name: _model(name, fields.part(name)) for name in fields.names()}


def _model(name: str, entry: Fields) -> Model:
    return Model(
        name=name,
        data=entry.text("data"),
        hidden=tuple(entry.integers("hidden", 1, _MOST)),
        weights=entry.choice("weights", WeightFormat),
        seed=entry.integer("seed", 0, _MOST),
        recipe=entry.text("recipe"),
        accuracy=entry.number("accuracy", 0, 1),
        sha256=entry.text("sha256"),
    )


@named_type_errors
def get(name: str) -> Model:
    """The model called `name`. Raises InputError for an unknown one."""
    return look_up(catalogue(), name, "model", InputError)


@named_type_errors
def load(name: str) -> Network:
    """The network of a model that is shipped.

    Raises InputError for one that is not, or whose file holds another network.
    """
    model = get(name)
    if not model.shipped:
        raise InputError(
            f"model {name} must be shipped to be loaded; train it again: "
            f"toreq-hw models get {name} --out {name}.safetensors"
        )
    return checked(model, load_network(model.path))


def checked(model: Model, found: Network) -> Network:
    """The network, which must have the hash of the catalogue. Raises InputError."""
    if found.sha256 != model.sha256:
        raise InputError(
            f"model {model.name} must be network {model.sha256[:12]}, found {found.sha256[:12]}"
        )
    return found


@named_type_errors
def model_of(network: Network) -> Model | None:
    """The model that a network is, by its hash; None for any other network."""
    return next((m for m in catalogue().values() if m.sha256 == network.sha256), None)
