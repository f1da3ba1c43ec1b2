"""Objectives and metrics inside CatBoost."""

from __future__ import annotations

import copy
import pickle

import catboost
import numpy as np
import pytest

import fastloss as fl
from adapters.data import binary, classes, regression, weights
from fastloss.adapters import catboost as fc

QUIET = {
    "iterations": 5,
    "depth": 3,
    "thread_count": 1,
    "verbose": False,
    "allow_writing_files": False,
    "random_seed": 0,
    "boost_from_average": False,
    "leaf_estimation_iterations": 1,
    "bootstrap_type": "No",
    "random_strength": 0,
    "boosting_type": "Plain",
    "learning_rate": 0.3,
}


def fit(kind, loss_function, x, y, weight=None, **parameters):
    model = kind(loss_function=loss_function, **{**QUIET, **parameters})
    return model.fit(x, y, sample_weight=weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_is_the_builtin_one(weighted):
    x, y = binary()
    w = weights(len(y)) if weighted else None
    kind = catboost.CatBoostClassifier
    ours = fit(kind, fc.objective(fl.BinaryCrossEntropy()), x, y, w, eval_metric="Logloss")
    builtin = fit(kind, "Logloss", x, y, w, leaf_estimation_method="Newton")
    expected = builtin.predict(x, prediction_type="RawFormulaVal")
    np.testing.assert_allclose(ours.predict(x, prediction_type="RawFormulaVal"), expected, atol=1e-5)


def test_metric_is_the_mean_and_smaller_is_better():
    x, y = binary()
    w = weights(len(y))
    loss = fl.BinaryFocal(gamma=1.0)
    model = catboost.CatBoostClassifier(
        loss_function=fc.objective(loss),
        eval_metric=fc.metric(loss),
        **{**QUIET, "iterations": 60, "learning_rate": 1.0},
    )
    model.fit(
        x[:200], y[:200], eval_set=catboost.Pool(x[200:], y[200:], weight=w[200:]), early_stopping_rounds=2
    )
    history = model.get_evals_result()["validation"]["binary_focal"]
    assert model.get_best_iteration() == int(np.argmin(history)) < 59
    z = model.predict(x[200:], prediction_type="RawFormulaVal")
    assert min(history) == pytest.approx(loss(y[200:], z, sample_weight=w[200:]), rel=1e-5)


def test_regression_learns():
    x, y = regression()
    model = fit(catboost.CatBoostRegressor, fc.objective(fl.Huber()), x, y, eval_metric="RMSE", iterations=30)
    assert fl.Huber()(y, model.predict(x)) < 0.7 * fl.Huber()(y, np.zeros(len(y)))


def test_classes_learn():
    x, y = classes()
    loss = fl.Focal(gamma=1.0)
    model = fit(
        catboost.CatBoostClassifier, fc.objective(loss), x, y, eval_metric=fc.metric(loss), classes_count=3
    )
    z = model.predict(x, prediction_type="RawFormulaVal")
    assert loss(y, z) < 0.5 * loss(y, np.zeros((len(y), 3)))


def test_derivatives_are_those_of_minus_the_loss(rng):
    y, z = rng.integers(0, 2, 501).astype(np.float32), rng.normal(size=501)
    w = rng.random(501).astype(np.float32)
    loss = fl.BinaryFocal(gamma=1.0)
    d = fc.objective(loss, "exact").calc_ders_range(z, y, w)
    g, h = loss.gradient_and_hessian(y, z, sample_weight=w, reduction="sum")
    np.testing.assert_array_equal(d, -np.stack([g, h], axis=1))
    np.testing.assert_array_equal(
        fc.objective(loss).calc_ders_range(z, y, None)[:, 0], -loss.gradient(y, z, reduction="sum")
    )


def test_derivatives_of_classes():
    z, loss = [0.5, -1.0, 0.25], fl.CrossEntropy()
    g, h = loss.gradient_and_hessian([2], [z], reduction="sum")
    first, second = fc.objective(loss, "exact").calc_ders_multi(z, 2.0, 3.0)
    np.testing.assert_allclose(first, -3 * g[0])
    np.testing.assert_allclose(second, np.diag(-3 * h[0]))


def test_metric_sums():
    m = fc.metric(fl.SquaredError())
    total, weight = m.evaluate([np.array([1.0, 2.0])], np.array([0.0, 0.0]), np.array([1.0, 3.0]))
    assert (total, weight) == (13.0, 4.0)
    assert m.get_final_error(total, weight) == 3.25
    assert m.get_final_error(0.0, 0.0) == 0.0
    assert m.is_max_optimal() is False
    rows = fc.metric(fl.CrossEntropy()).evaluate([np.zeros(2), np.zeros(2)], np.array([0.0, 1.0]), None)
    assert rows == pytest.approx((2 * np.log(2), 2.0))


def test_objects_can_be_copied():
    for made in (fc.objective(fl.Huber()), fc.objective(fl.Focal()), fc.metric(fl.Huber())):
        assert pickle.loads(pickle.dumps(made)) == made == copy.deepcopy(made)
        assert made.no_jit is True


def test_baseline():
    x, y = regression()
    start = fc.baseline(fl.LogCosh(), y + 100)
    pool = catboost.Pool(x, y + 100, baseline=np.full(len(y), start))
    model = catboost.CatBoostRegressor(loss_function=fc.objective(fl.LogCosh()), eval_metric="RMSE", **QUIET)
    z = start + model.fit(pool).predict(x)
    assert fl.LogCosh()(y + 100, z) < fl.LogCosh()(y + 100, np.full(len(y), start))


def test_bad_input():
    with pytest.raises(TypeError, match=r"ZeroOne.*no gradient"):
        fc.objective(fl.ZeroOne())
    with pytest.raises(ValueError, match="from_logits=True"):
        fc.objective(fl.BinaryFocal(from_logits=False))
    with pytest.raises(ValueError, match=r"curvature must be one of 'auto', 'exact'.*'half'"):
        fc.objective(fl.Huber(), "half")
    with pytest.raises(TypeError, match="loss must be"):
        fc.metric(None)
