"""Float sums in one order: the same bits under every BLAS kernel, on every processor."""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from testbench.conftest import USUAL_BLAS, pytest_configure
from toreq_hw import data
from toreq_hw.network import WeightFormat, layered
from toreq_hw.sim.baselines.feed_forward_training import train_feed_forward
from toreq_hw.sim.baselines.fixed_order import (
    column_sums,
    exponential,
    product,
    row_sums,
    uniform,
)
from toreq_hw.sim.baselines.float_training import train_float
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.studies.campaign import BASELINE_EPOCHS
from toreq_hw.versions import blas

pytestmark = pytest.mark.float_sums

ROOT = Path(__file__).parents[2]
FLOAT_SHA256 = "c82574dddbd915821c9d4001cbe6252b7680cdb229ed48a7025e7fec7a225521"


def one_by_one(left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]) -> object:  # type: ignore[type-arg]
    total = np.zeros((len(left), right.shape[1]), left.dtype)
    for i in range(len(left)):
        for j in range(right.shape[1]):
            for k in range(len(right)):
                total[i, j] = total[i, j] + left[i, k] * right[k, j]
    return total


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_are_summed_one_by_one(dtype: type) -> None:
    rng = np.random.default_rng(1)
    left, right = (rng.normal(size=shape).astype(dtype) for shape in ((5, 70), (70, 33)))
    left[rng.random(left.shape) < 0.3] = 0
    assert np.array_equal(product(left, right), one_by_one(left, right))
    assert np.array_equal(product(right.T, left.T), one_by_one(right.T, left.T))
    ones = np.ones((1, 5), dtype)
    assert np.array_equal(column_sums(left), one_by_one(ones, left)[0])  # type: ignore[index]
    assert np.array_equal(row_sums(left), one_by_one(left, np.ones((70, 1), dtype)))


def test_the_order_is_upwards_and_nothing_is_fused() -> None:
    big = np.array([[2.0**53, 1.0, 1.0, -(2.0**53)]])
    assert product(big, np.ones((4, 1))) == 0, "2^53 + 1 rounds back to 2^53, twice"
    assert product(np.ascontiguousarray(big[:, ::-1]), np.ones((4, 1))) == 2
    tiny = np.array([[1 + 2.0**-30, -1.0]])
    other = np.array([[1 + 2.0**-30], [1 + 2.0**-29]])
    assert product(tiny, other) == 0, "a fused multiplication would keep 2^-60"


def test_exponentials_are_near_and_end_at_the_least() -> None:
    values = np.concatenate([np.linspace(-700, 0, 4001), [-1e-300, -0.5 * math.log(2)]])
    wanted = np.array([math.exp(v) for v in values])
    assert np.max(np.abs(exponential(values) / wanted - 1)) < 1e-12
    zero, least = exponential(np.array([0.0, -np.inf]))
    assert zero == 1
    assert 0 < least == exponential(np.array([-700.0]))[0]


def test_random_numbers_are_even_between_their_ends() -> None:
    drawn = uniform(np.random.default_rng(3), 0.25, (200, 50))
    assert -0.25 <= drawn.min() < -0.249 < 0.249 < drawn.max() < 0.25
    assert abs(drawn.mean()) < 0.005


def test_the_baseline_of_the_published_report_is_the_one_that_is_trained_here() -> None:
    published = json.loads((ROOT / "reports/published/robustness.json").read_text(encoding="utf-8"))
    (wanted,) = {c["twin_sha256"] for c in published["data"]["digits"]["campaigns"]}
    digits = data.load("digits")
    settings = recipe(WeightFormat.TERNARY, digits.pixels)
    shape = settings.dense((64, 128, 10), WeightFormat.TERNARY)
    baseline = train_feed_forward(
        shape,
        data.encode(digits.train.images, digits.pixel_max, shape.input),
        digits.train.labels,
        image_shape=digits.shape,
        augment=settings.augment,
        epochs=BASELINE_EPOCHS["small"],
        seed=published["seed"],
    )
    assert baseline.sha256 == wanted


def test_a_float_training_ends_in_the_same_weights_everywhere() -> None:
    digits = data.load("digits").train.take(slice(0, 400))
    shape = layered((64, 24, 10), WeightFormat.TERNARY, (0, 0))
    net = train_float(shape, digits.images / 16, digits.labels, epochs=4, seed=1)
    digest = hashlib.sha256()
    for name in sorted(net.weights):
        digest.update(net.weights[name].astype("<f8").tobytes())
    for name in sorted(net.biases):
        digest.update(net.biases[name].astype("<f8").tobytes())
    assert digest.hexdigest() == FLOAT_SHA256


def test_a_run_under_the_usual_kernels_does_not_pass_for_one_under_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(USUAL_BLAS, f"not {blas()}")
    pytest_configure()
    monkeypatch.setenv(USUAL_BLAS, blas())
    with pytest.raises(pytest.exit.Exception, match="must be others"):
        pytest_configure()
