"""`EqPropClassifier`: a class a sample, learned by cross-entropy in integers."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from toreq_hw.estimators.fitting import EqPropEstimator
from toreq_hw.estimators.levels import scores
from toreq_hw.network.encoding import MAX_NAME


class EqPropClassifier(ClassifierMixin, EqPropEstimator):
    """A classifier trained by equilibrium propagation, bit for bit as a chip would.

    hidden: sizes of hidden layers. weights: "int8" or "ternary". state_bits, input_bits: of hidden
    states, 1..8, and of inputs, 2..8. readout: "clamped" learns by cross-entropy; "relaxing" by
    squared error, for machines without a clamped readout. epochs, shift, output_shift, bias_shift:
    in place of the recipe's, where given. random_state: an int gives the same network in every fit.
    on_epoch: called with an `EpochReport`. verbose: 1 prints the recipe, 2 each epoch.

    After `fit`: classes_, network_ (a `toreq_hw.Network`), recipe_, n_iter_, n_features_in_.
    """

    def __sklearn_tags__(self) -> Any:
        """Says of several hidden layers that scores on tiny tables may be poor."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = np.size(self.hidden) > 1
        return tags

    def fit(self, X: Any, y: Any) -> "EqPropClassifier":  # noqa: N803 - scikit-learn's names
        """Learns from X (samples, features) and y (samples,). Raises ValueError."""
        X, y = validate_data(self, X, y, dtype=np.float64)  # noqa: N806
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y must hold at least 2 classes, found 1 class")
        self._learn(X, labels.astype(np.int64), 1, len(self.classes_))
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803
        """Classes (samples,) of X (samples, features)."""
        found = self._relaxed(X)
        named: npt.NDArray[Any] = self.classes_[found.classes]
        return named

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Softmax of the output's accumulators, (samples, classes), at the network's temperature.

        X: (samples, features).
        """
        return scores(self._relaxed(X))[:, 0]

    def _class_names(self) -> tuple[str, ...]:
        names = tuple(str(name) for name in self.classes_.tolist())
        good = all(name.isprintable() and 0 < len(name) <= MAX_NAME for name in names)
        return names if good and len(set(names)) == len(names) else ()
