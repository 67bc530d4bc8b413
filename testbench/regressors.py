"""R2 of `EqPropRegressor` beside ridge regression: the table of docs/estimators.md.

    python testbench/regressors.py    (make regressors)

Of three folds each a quarter of the training rows is scored and the rest learned; the rows of the
fold itself are left alone.
"""

import click
import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from toreq_hw import EqPropRegressor

OUTLIER = 10_000.0

METHODS = {
    "clamped": EqPropRegressor(),
    "clamped, `quantiles`": EqPropRegressor(spacing="quantiles"),
    "relaxing": EqPropRegressor(readout="relaxing"),
    "relaxing, `quantiles`": EqPropRegressor(readout="relaxing", spacing="quantiles"),
    "ridge": make_pipeline(StandardScaler(), Ridge()),
}


def main() -> None:
    """Prints the table, a row as soon as it is there."""
    diabetes = load_diabetes(return_X_y=True)
    line = np.random.default_rng(1).uniform(-1, 1, (300, 1))
    tables = {
        "diabetes": (*diabetes, False),
        "diabetes, one training target is 10,000": (*diabetes, True),
        "Friedman's first function, 600 samples": (*make_friedman1(600, random_state=1), False),
        "the absolute value of one feature": (line, np.abs(line[:, 0]), False),
        "the sine of one feature, three waves": (line, np.sin(3 * np.pi * line[:, 0]), False),
    }
    click.echo(f"| targets | {' | '.join(METHODS)} |")
    click.echo(f"|---|{'---|' * len(METHODS)}")
    for name, (features, targets, spoiled) in tables.items():
        scores = (_score(method, features, targets, spoiled=spoiled) for method in METHODS.values())
        click.echo(f"| {name} | {' | '.join(f'{score:.2f}' for score in scores)} |")


def _score(
    method: RegressorMixin,
    features: npt.NDArray[np.float64],
    targets: npt.NDArray[np.float64],
    *,
    spoiled: bool,
) -> float:
    """Mean R2. spoiled: the first target that is learned becomes `OUTLIER`."""
    found = []
    for rows, _ in KFold(3, shuffle=True, random_state=1).split(features):
        learned, scored = train_test_split(rows, test_size=0.25, random_state=1)
        wanted = targets[learned].copy()
        if spoiled:
            wanted[0] = OUTLIER
        method.fit(features[learned], wanted)
        found.append(r2_score(targets[scored], method.predict(features[scored])))
    return float(np.mean(found))


if __name__ == "__main__":
    main()
