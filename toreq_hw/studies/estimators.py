"""Estimators with their defaults on tables, beside logistic regression and an MLP."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from toreq_hw.code_digest import digest_of_imports
from toreq_hw.estimators import EqPropClassifier
from toreq_hw.records.estimators import Estimators, FoldRun, TableScores
from toreq_hw.records.intervals import interval
from toreq_hw.reports.estimators import CONTROL, OURS, POINTS, THEIRS, estimators_page, lead
from toreq_hw.studies.estimator_tables import TABLES, TableData
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

FOLDS = 5
ABOVE_CHANCE = 5.0
"""Points by which training on shuffled classes may pass the share of the largest class."""


@dataclass(frozen=True)
class Options:
    """tables: by name. folds: only the first so many of five."""

    tables: tuple[str, ...] = tuple(TABLES)
    folds: int = FOLDS


def run(options: Options | None, place: Place) -> Estimators:
    """Fits what the ledger does not hold."""
    options = options or Options()
    found = versions("scikit-learn")
    shared = {
        "tables": options.tables,
        "code": digest_of_imports(__name__),
        "numpy": found["numpy"],
        "scikit-learn": found["scikit-learn"],
    }
    ledger = Ledger(place.work, "estimators", shared, FoldRun)
    wanted: list[Run] = [
        {"table": table, "method": method, "fold": fold}
        for table in options.tables
        for method in _METHODS
        for fold in range(options.folds)
    ]
    with ledger.lock(place.screen.say), workers(place.jobs, place.scheduler):
        runs = tuple(ledger.complete(wanted, _fit))
    tables = tuple(_scores(name, [r for r in runs if r.table == name]) for name in options.tables)
    return Estimators(tables, runs, found)


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def _perceptron() -> Any:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), MLPClassifier(max_iter=1000, random_state=1))


_METHODS: dict[str, Callable[[], Any]] = {
    OURS: EqPropClassifier,
    "EqPropClassifier, ternary": partial(EqPropClassifier, weights="ternary"),
    THEIRS[0]: _logistic,
    THEIRS[1]: _perceptron,
    CONTROL: EqPropClassifier,
}


def _fit(run: Run) -> FoldRun:
    """One fit, wherever it is done."""
    from sklearn.model_selection import StratifiedKFold

    table, method, fold = str(run["table"]), str(run["method"]), int(run["fold"] or 0)
    features, classes = TABLES[table]()
    split = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(features, classes)
    train, test = list(split)[fold]
    learned = classes[train]
    if method == CONTROL:
        learned = np.random.default_rng(fold).permutation(learned)
    model = _METHODS[method]()
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an MLP that has not converged says so
        model.fit(features[train], learned)
    seconds = time.process_time() - begin
    accuracy = float(np.mean(model.predict(features[test]) == classes[test]))
    return FoldRun(table, method, fold, accuracy, round(seconds, 3))


def _scores(name: str, runs: list[FoldRun]) -> TableScores:
    accuracy = {m: interval([100 * r.accuracy for r in runs if r.method == m]) for m in _METHODS}
    data: TableData = TABLES[name]()
    features, classes = data
    return TableScores(
        name=name,
        samples=len(features),
        features=features.shape[1],
        classes=len(np.unique(classes)),
        largest_class=100 * float(np.bincount(classes).max() / len(classes)),
        accuracy=accuracy,
        seconds={m: median(r.seconds for r in runs if r.method == m) for m in _METHODS},
        behind=max(accuracy[m].value for m in THEIRS) - accuracy[OURS].value,
    )


def verdict(record: Estimators) -> Verdict:
    """Passed where no table is further behind than `POINTS`, and the control is at chance."""
    near = all(table.behind <= POINTS for table in record.tables)
    chance = all(t.accuracy[CONTROL].value <= t.largest_class + ABOVE_CHANCE for t in record.tables)
    return Verdict(near and chance, lead(record))


STUDY = Study(
    id="estimators",
    claim=(
        f"EqPropClassifier with its defaults comes within {POINTS} points of scikit-learn's "
        "MLPClassifier and logistic regression."
    ),
    setup="Six tables, five stratified folds, the same folds for all; no setting is searched.",
    control="Classes of training rows shuffled: accuracy must fall to the largest class.",
    record=Estimators,
    run=run,
    verdict=verdict,
    page=estimators_page,
)
