"""The constant by which "auto" takes the targets' units out of gradient and curvature."""

from __future__ import annotations

import math

import lightgbm
import numpy as np
import pytest
import xgboost

import fastloss as fl
from adapters.data import regression, weights
from fastloss.adapters import catboost as fc
from fastloss.adapters import lightgbm as fg
from fastloss.adapters import xgboost as fx

SCALED = [
    fl.AbsoluteError(),
    fl.Quantile(q=0.9),
    fl.Huber(),
    fl.SmoothL1(beta=0.5),
    fl.LogCosh(),
    fl.PseudoHuber(),
    fl.SquaredLogError(),
    fl.AbsolutePercentageError(),
]


def factor(loss, y, weight=None, adapter=fx):
    """What "auto" multiplies by, seen in the results; the same for gradients, curvatures and all rows."""
    z = 0.5 + np.arange(np.size(y), dtype=float).reshape(np.shape(y))
    made = [adapter.sklearn_objective(loss, curvature) for curvature in ("auto", "majorizer")]
    scaled, plain = (f(y, z, weight) for f in made)
    ratios = np.array(scaled) / np.array(plain)
    np.testing.assert_allclose(ratios, np.broadcast_to(ratios[:1, :1], ratios.shape), rtol=1e-6)
    return ratios[0, 0]


@pytest.mark.parametrize("adapter", [fx, fg])
def test_the_typical_row_has_a_curvature_of_one(adapter):
    # The mean absolute deviation of (0, 3, 9) from 4 is 10/3.
    y, spread = [0.0, 3.0, 9.0], 10 / 3
    for loss, expected in [
        (fl.AbsoluteError(), spread),
        (fl.Quantile(q=0.9), 2 * spread),
        (fl.Huber(), spread),
        (fl.Huber(delta=2.0), spread / 2),
        (fl.Huber(delta=5.0), 1),
        (fl.SmoothL1(beta=0.5), spread),
        (fl.LogCosh(), spread / math.tanh(spread)),
        (fl.PseudoHuber(), math.sqrt(1 + spread**2)),
    ]:
        assert factor(loss, y, adapter=adapter) == pytest.approx(expected, rel=1e-6)
    # Of ratios it is a row with the mean target, 5, or the mean absolute one.
    assert factor(fl.SquaredLogError(), [1.0, 9.0], adapter=adapter) == pytest.approx(6**2 / 2, rel=1e-6)
    assert factor(fl.AbsolutePercentageError(), [-1.0, 9.0], adapter=adapter) == pytest.approx(25, rel=1e-6)


@pytest.mark.parametrize("scaled", SCALED, ids=repr)
def test_weights_are_repetitions_in_the_constant(scaled, rng):
    y, w = rng.gamma(1.0, 3.0, 40), rng.integers(1, 4, 40)
    expected = factor(scaled, np.repeat(y, w))
    assert factor(scaled, y, w) == pytest.approx(expected, rel=1e-12)
    assert factor(scaled, y) != pytest.approx(expected, rel=1e-3)
    gradient = scaled.gradient(y, y + 1, sample_weight=w, reduction="sum")
    np.testing.assert_allclose(fx.sklearn_objective(scaled)(y, y + 1, w)[0], expected * gradient, rtol=1e-12)


def test_it_is_one_where_no_row_is_typical():
    for y, w in [([0.1] * 7, None), ([0.1, 7.0], [1.0, 0.0]), ([0.0, 0.0], None)]:
        y = np.array(y, np.float32)
        for loss in (fl.AbsoluteError(), fl.Huber()):
            auto, plain = (fx.sklearn_objective(loss, c)(y, y + 1, w) for c in ("auto", "majorizer"))
            np.testing.assert_array_equal(auto, plain)
    nothing = np.array([])
    assert fx.sklearn_objective(fl.Huber())(nothing, nothing)[0].size == 0
    y, zero = np.array([1.0, 5.0]), np.zeros(2)
    assert not np.any(fx.sklearn_objective(fl.Huber())(y, y + 1, zero))


def test_each_output_has_its_own(rng):
    y = rng.gamma(1.0, 3.0, (30, 2)) * [1.0, 1000.0]
    z, w = y + 1, rng.random((30, 2))
    for loss in SCALED:
        f = fx.sklearn_objective(loss)
        for weight in (None, w[:, 0], w):
            columns = [
                f(y[:, k], z[:, k], weight if np.ndim(weight) < 2 else weight[:, k])[0] for k in (0, 1)
            ]
            np.testing.assert_allclose(f(y, z, weight)[0], np.column_stack(columns), rtol=1e-12)


def test_other_losses_and_explicit_curvatures_are_left_alone():
    for adapter in (fx, fg):
        for loss in (fl.SquaredError(), fl.Expectile(), fl.Poisson(), fl.BinaryFocal(), fl.Tukey()):
            name = "exact" if isinstance(loss, fl.SquaredError) else "majorizer"
            assert adapter.objective(loss) == adapter.objective(loss, name)
    y, z = np.array([1.0, 9.0]), np.array([2.0, 2.0])
    for loss in SCALED:
        g, h = loss.gradient_and_hessian(y, z, reduction="sum")
        for got, expected in zip(fx.sklearn_objective(loss, "exact")(y, z), (g, h), strict=True):
            np.testing.assert_array_equal(got, expected)
        # CatBoost calls for blocks of rows: a constant of their targets would weigh the blocks.
        pairs = fc.objective(loss).calc_ders_range(z, y, None)
        np.testing.assert_array_equal(pairs, fc.objective(loss, "majorizer").calc_ders_range(z, y, None))
        np.testing.assert_array_equal(pairs[:, 0], -g)


def trained(library, loss, x, y, weight, curvature, **parameters):
    """Scores after training from the best constant, less that."""
    start = fx.base_score(loss, y, weight)
    if library is xgboost:
        data = xgboost.DMatrix(x, y, weight=weight, base_margin=np.full(len(y), start), nthread=1)
        parameters = {"nthread": 1, "max_depth": 3, **parameters}
        model = xgboost.train(parameters, data, 5, obj=fx.objective(loss, curvature))
        return model.predict(data, output_margin=True) - start
    data = lightgbm.Dataset(x, y, weight=weight, init_score=np.full(len(y), start))
    parameters = {"num_threads": 1, "num_leaves": 7, "verbosity": -1, "deterministic": True, **parameters}
    model = lightgbm.train({"objective": fg.objective(loss, curvature), **parameters}, data, 5)
    return model.predict(x, raw_score=True)


@pytest.mark.parametrize("library", [xgboost, lightgbm], ids=["XGBoost", "LightGBM"])
@pytest.mark.parametrize(
    "scaled", [fl.AbsoluteError(), fl.Quantile(q=0.9), fl.AbsolutePercentageError()], ids=repr
)
def test_units_of_the_targets_do_not_matter(scaled, library):
    x, y = regression()
    y, w = y + 3, weights(len(y))
    unit = trained(library, scaled, x, y, w, "auto", reg_lambda=10.0)
    assert np.ptp(unit) > 0.1
    larger = trained(library, scaled, x, 1024 * y, w, "auto", reg_lambda=10.0)
    np.testing.assert_allclose(larger / 1024, unit, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("library", [xgboost, lightgbm], ids=["XGBoost", "LightGBM"])
@pytest.mark.parametrize("scaled", [fl.LogCosh(), fl.SquaredLogError()], ids=repr)
def test_without_regularisation_the_constant_does_not_matter(scaled, library):
    x, y = regression()
    y = 100 * (y + 3)
    free = {"min_child_weight": 1e-12, "reg_lambda": 0.0}
    auto, plain = (trained(library, scaled, x, y, None, c, **free) for c in ("auto", "majorizer"))
    assert np.ptp(auto) > 10
    np.testing.assert_allclose(auto, plain, rtol=1e-3, atol=1e-2)
