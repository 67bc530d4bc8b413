"""`EqPropRegressor`: a real value a sample, as a thermometer of levels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from toreq_hw.estimators.fitting import EqPropEstimator
from toreq_hw.estimators.levels import real_values, thermometer
from toreq_hw.training.reports import EpochReport


class EqPropRegressor(RegressorMixin, EqPropEstimator):
    """A regressor trained by equilibrium propagation, bit for bit as a chip would.

    The range of the targets is divided into `levels` equal steps. A row of two classes a step says
    whether the target is above it; the prediction is the expected number of steps. Other parameters
    are those of `EqPropClassifier`.

    After `fit`: network_ (a `toreq_hw.Network`), low_, high_, recipe_, n_iter_, n_features_in_.
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (64,),
        *,
        levels: int = 32,
        weights: str = "int8",
        state_bits: int = 8,
        input_bits: int = 8,
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
            epochs=epochs,
            shift=shift,
            output_shift=output_shift,
            bias_shift=bias_shift,
            random_state=random_state,
            on_epoch=on_epoch,
            verbose=verbose,
        )
        self.levels = levels

    def fit(self, X: Any, y: Any) -> "EqPropRegressor":  # noqa: N803 - scikit-learn's names
        """Learns from X (samples, features) and y (samples,), real. Raises ValueError."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)  # noqa: N806
        if type(self.levels) is not int or not 1 <= self.levels <= 1024:
            raise ValueError(f"levels must be a whole number in 1..1024, not {self.levels!r}")
        target = np.asarray(y, dtype=np.float64)
        self.low_, self.high_ = float(target.min()), float(target.max())
        labels = thermometer(target, self.low_, self.high_, self.levels)
        self._learn(X, labels if self.levels > 1 else labels[:, 0], self.levels, 2)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Real values (samples,) of X (samples, features)."""
        return real_values(self._relaxed(X), self.low_, self.high_, self.levels)
