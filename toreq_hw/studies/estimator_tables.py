"""Tables of the study of estimators: four that scikit-learn has, and two that are made here."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

TableData = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]
"""Features (samples, features) and classes (samples,)."""


def customers() -> TableData:
    """1,500 rows: nine numbers and three categories as one-hot columns, classes 80 to 20."""
    return _mixed(samples=1500, numbers=9, levels=(3, 4, 5), shares=(0.8, 0.2), seed=41)


def sensors() -> TableData:
    """1,200 rows: ten numbers, four of them skewed, a category of four, classes 60, 30 and 10."""
    features, classes = _mixed(
        samples=1200, numbers=10, levels=(4,), shares=(0.6, 0.3, 0.1), seed=42
    )
    features[:, :4] = np.exp(features[:, :4] / 2)
    return features, classes


def _mixed(
    *, samples: int, numbers: int, levels: tuple[int, ...], shares: tuple[float, ...], seed: int
) -> TableData:
    from sklearn.datasets import make_classification

    wide, classes = make_classification(
        samples,
        numbers + len(levels),
        n_informative=(numbers + len(levels)) // 2,
        n_redundant=2,
        n_classes=len(shares),
        n_clusters_per_class=2,
        weights=list(shares),
        class_sep=1.5,
        flip_y=0.02,
        shuffle=True,
        random_state=seed,
    )
    columns = [wide[:, :numbers]]
    for place, count in enumerate(levels):
        column = wide[:, numbers + place]
        ends = np.quantile(column, np.arange(1, count) / count)
        columns.append(np.eye(count)[np.searchsorted(ends, column)])
    return np.concatenate(columns, axis=1), classes.astype(np.int64)


def _named(name: str) -> Callable[[], TableData]:
    def load() -> TableData:
        from sklearn import datasets

        features, classes = getattr(datasets, f"load_{name}")(return_X_y=True)
        return features.astype(np.float64), classes.astype(np.int64)

    return load


TABLES: dict[str, Callable[[], TableData]] = {
    "breast cancer": _named("breast_cancer"),
    "wine": _named("wine"),
    "iris": _named("iris"),
    "digits": _named("digits"),
    "customers (made)": customers,
    "sensors (made)": sensors,
}
