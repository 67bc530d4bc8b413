"""What classifier and regressor share: parameters, scale, network, training, and its reports."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from toreq_hw import network, sim
from toreq_hw.data import input_states
from toreq_hw.errors import ToreqError
from toreq_hw.estimators.recipe import TableRecipe, table_recipe
from toreq_hw.json_values import JsonObject
from toreq_hw.network import Encoding, Network, WeightFormat
from toreq_hw.network.encoding import MAX_NAME, PIXEL_MAX
from toreq_hw.network.file import from_header, header
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.training_samples import TrainingSamples
from toreq_hw.training.integer import learn_epochs
from toreq_hw.training.reports import Callbacks, EpochReport

_SEEDS = 1 << 32

READOUTS = ("clamped", "relaxing")
"""Of an estimator: cross-entropy, which some machines lack, or squared error, which all run."""


class EqPropEstimator(BaseEstimator):
    """A network that is trained on chip, one sample at a time, in integers.

    Features are scaled inside: 2.5 standard deviations on both sides of their mean become the
    states of the input. The scale is part of `network_`, so its file is all that a board needs.
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (64,),
        *,
        weights: str = "int8",
        state_bits: int = 8,
        input_bits: int = 8,
        readout: str = "clamped",
        epochs: int | None = None,
        shift: int | None = None,
        output_shift: int | None = None,
        bias_shift: int | None = None,
        random_state: Any = 1,
        on_epoch: Callable[[EpochReport], object] | None = None,
        verbose: int = 0,
    ) -> None:
        self.hidden = hidden
        self.weights = weights
        self.state_bits = state_bits
        self.input_bits = input_bits
        self.readout = readout
        self.epochs = epochs
        self.shift = shift
        self.output_shift = output_shift
        self.bias_shift = bias_shift
        self.random_state = random_state
        self.on_epoch = on_epoch
        self.verbose = verbose

    @property
    def recipe_(self) -> str:
        """The settings that the training used, in words."""
        check_is_fitted(self)
        return self._recipe

    def _learn(
        self, features: npt.NDArray[Any], labels: npt.NDArray[np.int64], rows: int, classes: int
    ) -> None:
        """Trains on features (samples, features) and labels (samples,) or (samples, rows).

        Raises ValueError for parameters out of range.
        """
        try:
            self._train(features, labels, rows, classes)
        except ToreqError as error:
            raise ValueError(str(error)) from error

    def _train(
        self, features: npt.NDArray[Any], labels: npt.NDArray[np.int64], rows: int, classes: int
    ) -> None:
        recipe = self._chosen_recipe(features.shape)
        blank = self._blank(recipe, self._encoding(features), rows, classes)
        seed = _drawn_seed(self.random_state)
        trainer = Trainer(blank, recipe.rule(blank, recipe.epochs), seed)
        sizes = "-".join(str(p.size) for p in blank.populations)
        self._recipe = f"{sizes} {self.weights}, {recipe}"
        self._say(1, f"{type(self).__name__}: {len(features)} samples, {self._recipe}")
        inputs = input_states(blank, self._pixels(blank, features), PIXEL_MAX)
        samples = TrainingSamples(inputs, labels, (1, inputs.shape[1]))
        callbacks = Callbacks(on_epoch=self._report)
        for _ in learn_epochs(trainer, samples, recipe.epochs, callbacks=callbacks):
            pass
        self.n_iter_ = trainer.epoch
        self.network_ = trainer.network()

    def _chosen_recipe(self, shape: tuple[int, ...]) -> TableRecipe:
        """The recipe with what was given in its place. Raises ValueError for a bad parameter."""
        known = [kind.value for kind in WeightFormat]
        if self.weights not in known:
            raise ValueError(f"weights must be one of {', '.join(known)}, not {self.weights!r}")
        if self.readout not in READOUTS:
            raise ValueError(f"readout must be one of {', '.join(READOUTS)}, not {self.readout!r}")
        if self.epochs is not None and (not _is_whole(self.epochs) or self.epochs < 1):
            raise ValueError(f"epochs must be None or whole, from 1 on, not {self.epochs!r}")
        recipe = table_recipe(
            WeightFormat(self.weights),
            shape[1],
            shape[0],
            relaxing=self.readout == "relaxing",
            few=self.readout == "relaxing" and is_regressor(self),
        )
        names = ("shift", "output_shift", "bias_shift", "epochs")
        given = {n: getattr(self, n) for n in names if getattr(self, n) is not None}
        return TableRecipe(**{**vars(recipe), **given})

    def _blank(self, recipe: TableRecipe, encoding: Encoding, rows: int, classes: int) -> Network:
        """The network to train. Raises ValueError for hidden sizes that are none."""
        given: Any = self.hidden
        hidden = (given,) if _is_whole(given) else tuple(given)
        if not hidden or not all(_is_whole(size) and size > 0 for size in hidden):
            raise ValueError(f"hidden must be sizes from 1 on, at least one, not {self.hidden!r}")
        first, last = recipe.fraction_bits
        sizes = (len(encoding.low), *map(int, hidden), rows * classes)
        return network.layered(
            sizes,
            WeightFormat(self.weights),
            (*[first] * len(hidden), last),
            state_bits=self.state_bits,
            input_bits=self.input_bits,
            beta_shift=max(
                0, (rows - 1).bit_length() - 2
            ),  # rows of errors add up in a hidden layer
            readout=recipe.readout(rows),
            encoding=encoding,
        )

    def _encoding(self, features: npt.NDArray[Any]) -> Encoding:
        columns = tuple(str(name) for name in getattr(self, "feature_names_in_", ()))
        if not all(name.isprintable() and 0 < len(name) <= MAX_NAME for name in columns):
            columns = ()
        return Encoding.spread(features, columns, self._class_names())

    def _class_names(self) -> tuple[str, ...]:
        return ()

    def _pixels(self, net: Network, features: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """uint8 (samples, features), 0..255, of features of this shape."""
        assert net.encoding is not None
        return net.encoding.pixels(features)

    def _relaxed(self, X: Any) -> sim.PhaseResult:  # noqa: N803 - scikit-learn's name
        """The free phase of samples (samples, features), checked as scikit-learn does."""
        check_is_fitted(self)
        features = validate_data(self, X, reset=False, dtype=np.float64)
        net = self.network_
        try:
            return sim.relax(net, input_states(net, self._pixels(net, features), PIXEL_MAX))
        except ToreqError as error:
            raise ValueError(str(error)) from error

    def _report(self, report: EpochReport) -> object:
        accuracy = f"accuracy {100 * report.accuracy:.2f} %"
        self._say(2, f"epoch {report.epoch} of {report.epochs}: {accuracy}")
        return None if self.on_epoch is None else self.on_epoch(report)

    def _say(self, level: int, line: str) -> None:
        if self.verbose >= level:
            print(line)  # noqa: T201 - verbose asks for it

    def __getstate__(self) -> JsonObject:
        """For pickle: the network as what its file holds."""
        state = dict(super().__getstate__())
        if "network_" in state:
            net = state["network_"]
            state["network_"] = (header(net), net.tensors())
        return state

    def __setstate__(self, state: JsonObject) -> None:
        """The network is checked as one that comes from a file."""
        if "network_" in state:
            state = {**state, "network_": from_header(*state["network_"])}
        super().__setstate__(state)


def _drawn_seed(random_state: Any) -> int:
    """A seed from what scikit-learn takes, or from numpy's newer Generator, which moves on."""
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(_SEEDS))
    return int(check_random_state(random_state).randint(0, _SEEDS, dtype=np.int64))


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
