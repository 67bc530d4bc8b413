"""Estimators after scikit-learn's conventions: its own checks, and what is more than those."""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from testbench.command_line import toreq_hw as run
from toreq_hw import EqPropClassifier, EqPropRegressor, data, network, sim
from toreq_hw.estimators import EpochReport
from toreq_hw.estimators.levels import Levels, ends
from toreq_hw.network.encoding import PIXEL_MAX

SMALL: dict[str, Any] = {"hidden": (16,), "epochs": 20}


@parametrize_with_checks(
    [
        EqPropClassifier(**SMALL),
        EqPropClassifier(**SMALL, readout="relaxing"),
        EqPropRegressor(**SMALL, levels=16),
        EqPropRegressor(**SMALL, levels=16, readout="relaxing"),
    ]
)
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def wine() -> tuple[Any, Any]:
    return load_wine(return_X_y=True)


@pytest.fixture(scope="module")
def model(wine: tuple[Any, Any]) -> EqPropClassifier:
    names = np.array(["a red", "b white", "c rose"])
    return EqPropClassifier(**SMALL, random_state=3).fit(wine[0], names[wine[1]])


def test_tags_say_where_scores_may_be_poor() -> None:
    def poor(estimator: Any) -> bool:
        tags = get_tags(estimator)
        return bool((tags.classifier_tags or tags.regressor_tags).poor_score)

    assert poor(EqPropClassifier((8, 8)))
    assert poor(EqPropRegressor(weights="ternary"))
    assert poor(EqPropRegressor(readout="relaxing"))
    assert not poor(EqPropClassifier(weights="ternary", readout="relaxing"))
    assert not poor(EqPropRegressor())


def test_it_learns_and_ranks(wine: tuple[Any, Any], model: EqPropClassifier) -> None:
    shares = model.predict_proba(wine[0])
    assert model.score(wine[0], model.predict(wine[0])) == 1
    assert np.allclose(shares.sum(axis=1), 1)
    assert (model.classes_[shares.argmax(axis=1)] == model.predict(wine[0])).all()
    assert cross_val_score(EqPropClassifier(**SMALL), *wine, cv=3).mean() > 0.9


def test_equal_seeds_give_equal_networks(wine: tuple[Any, Any], model: EqPropClassifier) -> None:
    again = EqPropClassifier(**SMALL, random_state=3).fit(*wine)
    other = EqPropClassifier(**SMALL, random_state=4).fit(*wine)
    weights = [m.network_.couplings[0].parameters for m in (model, again, other)]
    assert (weights[0] == weights[1]).all()
    assert (weights[0] != weights[2]).any()


def test_the_network_is_all_that_a_machine_needs(
    wine: tuple[Any, Any], model: EqPropClassifier, tmp_path: Path
) -> None:
    network.save(model.network_, tmp_path / "wine.safetensors")
    net = network.load(tmp_path / "wine.safetensors")
    assert net.encoding is not None
    inputs = data.input_states(net, net.encoding.pixels(wine[0]), PIXEL_MAX)
    found = np.array(net.encoding.classes)[sim.relax(net, inputs).classes]
    assert (found == model.predict(wine[0])).all()


@pytest.mark.parametrize("weights", ["int8", "ternary"])
def test_a_relaxing_estimator_runs_on_the_core(
    wine: tuple[Any, Any], tmp_path: Path, weights: str
) -> None:
    pytest.importorskip("amaranth")
    model = EqPropClassifier((8,), weights=weights, readout="relaxing").fit(*wine)
    assert model.score(*wine) > 0.9
    assert np.allclose(model.predict_proba(wine[0]).sum(axis=1), 1)
    network.save(model.network_, tmp_path / "wine.safetensors")
    np.savez(tmp_path / "wine.npz", x_train=wine[0], y_train=wine[1])
    command = ("deploy", tmp_path / "wine.safetensors", "--data", tmp_path / "wine.npz")
    done = run(*command, "--target", "rtl", "--samples", "5", "--json", tmp_path / "core.json")
    assert done.status == 0, done
    assert '"bit_exact": true' in (tmp_path / "core.json").read_text()


def test_a_clamped_estimator_is_refused_with_a_way_out(
    wine: tuple[Any, Any], model: EqPropClassifier, tmp_path: Path
) -> None:
    pytest.importorskip("amaranth")
    network.save(model.network_, tmp_path / "wine.safetensors")
    done = run("rtl", tmp_path / "wine.safetensors", "--out", tmp_path / "core")
    assert done.status == 2
    way = re.search(r"estimators and build: (readout='relaxing')", done.error)
    assert way, done.error
    given = dict([way[1].replace("'", "").split("=")])
    other = EqPropClassifier(**SMALL, **given).fit(*wine)
    assert other.network_.readout is None


def test_pickle_grid_and_pipeline(wine: tuple[Any, Any], model: EqPropClassifier) -> None:
    copy = pickle.loads(pickle.dumps(model))
    assert copy.network_.sha256 == model.network_.sha256
    assert (copy.predict(wine[0]) == model.predict(wine[0])).all()
    pipeline = make_pipeline(MinMaxScaler(), EqPropClassifier(**SMALL))
    grid = GridSearchCV(pipeline, {"eqpropclassifier__weights": ["int8", "ternary"]}, cv=2)
    assert grid.fit(*wine).best_score_ > 0.8


def test_reports_of_epochs_and_what_is_printed(
    wine: tuple[Any, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[EpochReport] = []
    made = EqPropClassifier(4, epochs=3, on_epoch=seen.append, verbose=2).fit(*wine)
    assert [(report.epoch, report.epochs) for report in seen] == [(1, 3), (2, 3), (3, 3)]
    assert all(0 <= report.accuracy <= 1 and report.events > 0 for report in seen)
    first, *epochs = capsys.readouterr().out.splitlines()
    assert first == f"EqPropClassifier: 178 samples, {made.recipe_}"
    assert made.recipe_.startswith("13-4-3 int8, fraction bits 7 and 7, k 5, 6 and 8 of biases")
    assert len(epochs) == 3


def test_a_generator_draws_a_seed_and_moves_on(wine: tuple[Any, Any]) -> None:
    def fits(seed: int) -> list[str]:
        generator = np.random.default_rng(seed)
        made = [EqPropClassifier(4, epochs=1, random_state=generator) for _ in range(2)]
        return [one.fit(*wine).network_.sha256 for one in made]

    assert fits(5) == fits(5)
    assert len({*fits(5), *fits(6)}) == 4


def test_on_epoch_ends_a_training(wine: tuple[Any, Any]) -> None:
    def stops(report: EpochReport) -> bool:
        return report.epoch == 2

    made = EqPropClassifier(4, epochs=9, on_epoch=stops).fit(*wine)
    assert made.n_iter_ == 2


def test_a_column_that_stands_still_counts_for_nothing(wine: tuple[Any, Any]) -> None:
    wide = np.column_stack([wine[0], np.full(len(wine[0]), 7.0)])
    made = EqPropClassifier(4, epochs=2).fit(wide, wine[1])
    assert made.network_.encoding is not None
    states = data.input_states(made.network_, made.network_.encoding.pixels(wide), PIXEL_MAX)
    assert (states[:, -1] == 0).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"readout": "soft"}, "readout must be one of clamped, relaxing, not 'soft'"),
        ({"weights": "int4"}, "weights must be one of ternary, int8, not 'int4'"),
        ({"hidden": ()}, "hidden must be sizes from 1 on, at least one"),
        ({"hidden": (0,)}, "hidden must be sizes from 1 on, at least one"),
        ({"epochs": 0}, "epochs must be None or whole, from 1 on, not 0"),
        ({"state_bits": 9}, "state_bits"),
        ({"input_bits": 1}, "state_bits"),
        ({"shift": 17}, "shift must be an integer in 0..16"),
    ],
)
def test_wrong_parameters_are_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        EqPropClassifier(**given).fit(*load_iris(return_X_y=True))
    assert len(str(caught.value).splitlines()) == 1


def test_a_thermometer_by_hand() -> None:
    targets = np.array([0.0, 0.9, 2.0, 4.0])
    levels = Levels.of(targets, 4, "steps")  # middles at 1/2, 3/2, ..
    assert levels.values.tolist() == [0, 1, 2, 3, 4]
    passed = levels.passed(targets)
    assert passed.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]]


def test_quantiles_by_hand() -> None:
    targets = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1e6])
    levels = Levels.of(targets, 1, "quantiles")  # medians of the lower and the upper half
    assert levels.values.tolist() == [2.25, 6.75]
    assert levels.passed(targets)[:, 0].tolist() == [0] * 5 + [1] * 5


def test_one_outlier_changes_little() -> None:
    features, targets = load_diabetes(return_X_y=True)
    dirty = targets.copy()
    dirty[7] = 1e4
    for spacing in ("steps", "quantiles"):
        model = EqPropRegressor(spacing=spacing).fit(features[:300], dirty[:300])
        assert r2_score(targets[300:], model.predict(features[300:])) > 0.3, spacing


def test_ends_leave_one_in_a_hundred_out() -> None:
    targets = np.arange(200.0)
    targets[7] = 1e9
    assert ends(targets) == (2, 198)  # 0 and 1, and 199 and 1e9, lie outside
    assert ends(np.array([0.0] * 99 + [1.0])) == (0, 1)
    assert ends(np.arange(19.0)) == (0, 18)


def test_regression_follows_a_curve() -> None:
    places = np.linspace(-2, 2, 400)[:, None]
    curve = np.abs(places[:, 0])
    made = EqPropRegressor((32,)).fit(places, curve)
    assert made.score(places, curve) > 0.9
    assert made.network_.beta_shift == 3
    assert made.network_.readout is not None
    assert made.network_.readout.rows == 32
    with pytest.raises(ValueError, match=r"spacing must be one of steps, quantiles, not 'even'"):
        EqPropRegressor(spacing="even").fit(places, curve)
    with pytest.raises(ValueError, match=r"levels must be a whole number in 1..1024, not 0"):
        EqPropRegressor(levels=0).fit(places, places[:, 0])


def test_regression_on_a_table() -> None:
    assert cross_val_score(EqPropRegressor(), *load_diabetes(return_X_y=True)).mean() > 0.4


def test_the_study_fails_with_its_control(tmp_path: Path) -> None:
    from dataclasses import replace

    from toreq_hw.reports.estimators import CONTROL, OURS
    from toreq_hw.studies.estimators import Options, verdict
    from toreq_hw.studies.estimators import run as study
    from toreq_hw.studies.study import Place

    record = study(Options(("iris",), folds=2), Place(tmp_path))
    assert verdict(record).passed, verdict(record).sentence
    (iris,) = record.tables
    assert iris.accuracy[CONTROL].value < 60 < iris.accuracy[OURS].value
    leaks = replace(iris, accuracy=iris.accuracy | {CONTROL: iris.accuracy[OURS]})
    assert not verdict(replace(record, tables=(leaks,))).passed
    assert not verdict(replace(record, tables=(replace(iris, behind=1.6),))).passed


def test_the_command_lists_it() -> None:
    assert "estimators" in run("study", "--help").output
