"""`EqPropRegressor`: a real value a sample, as a thermometer of levels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from toreq_hw.estimators.fitting import EqPropEstimator
from toreq_hw.estimators.levels import SPACINGS, Levels
from toreq_hw.training.reports import EpochReport


class EqPropRegressor(RegressorMixin, EqPropEstimator):
    """A regressor trained by equilibrium propagation, bit for bit as a chip would.

    `levels` lie between the targets, by `spacing`: equal "steps", or "quantiles". One target in 100
    at either end lies outside of the steps, so one that lies far out moves none. A clamped readout
    has a row of two classes a level: is the target above it? A relaxing one has a class a value
    between levels. The prediction is the expected value. Other parameters are those of
    `EqPropClassifier`.

    After `fit`: network_ (a `toreq_hw.Network`), values_ (levels + 1,), recipe_, n_iter_,
    n_features_in_.
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (64,),
        *,
        levels: int = 32,
        spacing: str = "steps",
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
        super().__init__(
            hidden,
            weights=weights,
            state_bits=state_bits,
            input_bits=input_bits,
            readout=readout,
            epochs=epochs,
            shift=shift,
            output_shift=output_shift,
            bias_shift=bias_shift,
            random_state=random_state,
            on_epoch=on_epoch,
            verbose=verbose,
        )
        self.levels = levels
        self.spacing = spacing

    def __sklearn_tags__(self) -> Any:
        """Says of ternary weights and of a relaxing readout that scores may be poor."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = self.weights == "ternary" or self.readout == "relaxing"
        return tags

    def fit(self, X: Any, y: Any) -> "EqPropRegressor":  # noqa: N803 - scikit-learn's names
        """Learns from X (samples, features) and y (samples,), real. Raises ValueError."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)  # noqa: N806
        if type(self.levels) is not int or not 1 <= self.levels <= 1024:
            raise ValueError(f"levels must be a whole number in 1..1024, not {self.levels!r}")
        if self.spacing not in SPACINGS:
            raise ValueError(f"spacing must be one of {', '.join(SPACINGS)}, not {self.spacing!r}")
        target = np.asarray(y, dtype=np.float64)
        levels = Levels.of(target, self.levels, self.spacing)
        self.values_, passed = levels.values, levels.passed(target)
        if self.readout == "relaxing":
            self._learn(X, passed.sum(axis=1), 1, self.levels + 1)
        else:
            self._learn(X, passed if self.levels > 1 else passed[:, 0], self.levels, 2)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Real values (samples,) of X (samples, features)."""
        found = self._relaxed(X)
        return Levels(self.values_).expected(found)
