"""Estimators after scikit-learn's conventions: networks that learn on chip, in integers.

from toreq_hw import EqPropClassifier
model = EqPropClassifier(hidden=(64,), weights="int8", random_state=1).fit(X, y)
model.predict(X), model.network_
"""

from toreq_hw.estimators.classifier import EqPropClassifier
from toreq_hw.estimators.regressor import EqPropRegressor
from toreq_hw.training.reports import EpochReport

__all__ = ["EpochReport", "EqPropClassifier", "EqPropRegressor"]
