"""Objectives and metrics inside XGBoost."""

from __future__ import annotations

import copy
import inspect
import math
import pickle

import numpy as np
import pytest
import xgboost
from sklearn.base import clone

import fastloss as fl
from adapters.data import binary, classes, regression, weights
from fastloss.adapters import xgboost as fx

ONE_THREAD = {"nthread": 1, "max_depth": 3}


def margins(model, x):
    return model.predict(xgboost.DMatrix(x, nthread=1), output_margin=True)


def train(loss, x, y, weight=None, rounds=5, curvature="auto", **parameters):
    matrix = xgboost.DMatrix(x, y, weight=weight, nthread=1)
    return xgboost.train({**ONE_THREAD, **parameters}, matrix, rounds, obj=fx.objective(loss, curvature))


@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_is_the_builtin_one(weighted):
    x, y = binary()
    matrix = xgboost.DMatrix(x, y, weight=weights(len(y)) if weighted else None, nthread=1)
    builtin = xgboost.train({**ONE_THREAD, "objective": "binary:logistic", "base_score": 0.5}, matrix, 8)
    ours = xgboost.train(
        {**ONE_THREAD, "base_score": 0.0}, matrix, 8, obj=fx.objective(fl.BinaryCrossEntropy())
    )
    expected = builtin.predict(matrix, output_margin=True)
    np.testing.assert_allclose(ours.predict(matrix), expected, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(
        fx.predictions(fl.BinaryCrossEntropy(), ours.predict(matrix)), builtin.predict(matrix), atol=1e-6
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_softmax_is_the_builtin_one(weighted):
    x, y = classes()
    matrix = xgboost.DMatrix(x, y, weight=weights(len(y)) if weighted else None, nthread=1)
    parameters = {**ONE_THREAD, "num_class": 3, "base_score": 0.5}
    builtin = xgboost.train({**parameters, "objective": "multi:softprob"}, matrix, 8)
    ours = xgboost.train(parameters, matrix, 8, obj=fx.objective(fl.CrossEntropy()))
    np.testing.assert_allclose(margins(ours, x), builtin.predict(matrix, output_margin=True), atol=1e-6)
    np.testing.assert_allclose(
        fx.predictions(fl.CrossEntropy(), margins(ours, x)), builtin.predict(matrix), atol=1e-6
    )


def test_squared_error_is_the_builtin_one():
    x, y = regression()
    builtin = xgboost.train({**ONE_THREAD, "base_score": 0.25}, xgboost.DMatrix(x, y, nthread=1), 5)
    np.testing.assert_allclose(
        margins(train(fl.HalfSquaredError(), x, y, base_score=0.25), x), margins(builtin, x), atol=1e-5
    )


@pytest.mark.parametrize("trained", [fl.BinaryFocal(), fl.CrossEntropy(), fl.Huber()], ids=repr)
def test_weights_count_once_in_both_interfaces(trained):
    x, y = classes() if isinstance(trained, fl.CrossEntropy) else binary()
    k = {"num_class": 3} if isinstance(trained, fl.CrossEntropy) else {}
    w = weights(len(y))
    # Integer weights are repetitions.
    repeated = np.repeat(np.arange(len(y)), (4 * w).astype(int))
    expected = margins(
        train(trained, x[repeated], y[repeated], reg_lambda=4, tree_method="exact" if not k else "hist", **k),
        x,
    )
    weighted = margins(
        train(
            trained,
            x,
            y,
            w,
            reg_lambda=1,
            min_child_weight=0.25,
            tree_method="exact" if not k else "hist",
            **k,
        ),
        x,
    )
    if not k:
        np.testing.assert_allclose(weighted, expected, atol=2e-4)
    sklearn = xgboost.XGBRegressor(
        objective=fx.sklearn_objective(trained),
        n_estimators=5,
        n_jobs=1,
        max_depth=3,
        min_child_weight=0.25,
        tree_method="exact" if not k else "hist",
        base_score=0.5,
        **k,
    )
    if not k:
        np.testing.assert_allclose(sklearn.fit(x, y, sample_weight=w).predict(x), weighted, atol=1e-6)
    ones = margins(train(trained, x, y, np.ones(len(y)), **k), x)
    np.testing.assert_array_equal(ones, margins(train(trained, x, y, **k), x))


def test_multiclass_weights_reach_the_gradients():
    x, y = classes()
    w = weights(len(y)).astype(np.float32)
    z = np.random.default_rng(1).normal(size=(len(y), 3)).astype(np.float32)
    f = fx.objective(fl.Focal())
    plain = f(z, xgboost.DMatrix(x, y))
    weighted = f(z, xgboost.DMatrix(x, y, weight=w))
    for a, b in zip(weighted, plain, strict=True):
        assert a.dtype == np.float32
        assert a.flags.c_contiguous
        np.testing.assert_allclose(a, b * w[:, None], rtol=1e-6)


def test_classifier_with_metric_and_early_stopping():
    x, y = binary()
    w = weights(len(y))
    model = xgboost.XGBClassifier(
        objective=fx.sklearn_objective(fl.BinaryFocal(gamma=1.0)),
        eval_metric=fx.sklearn_metric(fl.BinaryCrossEntropy()),
        early_stopping_rounds=2,
        n_estimators=60,
        learning_rate=1.0,
        max_depth=2,
        n_jobs=1,
    )
    model.fit(
        x[:200],
        y[:200],
        sample_weight=w[:200],
        eval_set=[(x[200:], y[200:])],
        sample_weight_eval_set=[w[200:]],
        verbose=False,
    )
    history = model.evals_result()["validation_0"]["binary_cross_entropy"]
    assert model.best_iteration == int(np.argmin(history)) < len(history) - 1
    assert len(history) < 60
    z = model.predict(x[200:], output_margin=True)
    assert model.best_score == pytest.approx(
        fl.BinaryCrossEntropy()(y[200:], z, sample_weight=w[200:]), abs=1e-5
    )
    # The classifier keeps its own link.
    probabilities = fx.predictions(fl.BinaryFocal(), z)
    np.testing.assert_allclose(model.predict_proba(x[200:])[:, 1], probabilities, atol=1e-6)
    assert clone(model).get_params()["objective"] == model.objective


def test_native_metric():
    x, y = classes()
    w = weights(len(y))
    matrix, history = xgboost.DMatrix(x, y, weight=w, nthread=1), {}
    loss = fl.Focal(gamma=1.0)
    model = xgboost.train(
        {**ONE_THREAD, "num_class": 3, "disable_default_eval_metric": True},
        matrix,
        4,
        obj=fx.objective(loss),
        custom_metric=fx.metric(loss),
        evals=[(matrix, "train")],
        evals_result=history,
        verbose_eval=False,
    )
    values = history["train"]["multiclass_focal"]
    assert sorted(values, reverse=True) == values
    assert values[-1] == pytest.approx(loss(y, margins(model, x), sample_weight=w), abs=2e-6)


def test_metric_of_probabilities_beside_a_builtin_objective():
    x, y = binary()
    matrix, history = xgboost.DMatrix(x, y, nthread=1), {}
    xgboost.train(
        {**ONE_THREAD, "objective": "binary:logistic", "eval_metric": "logloss"},
        matrix,
        3,
        custom_metric=fx.metric(fl.BinaryCrossEntropy(from_logits=False)),
        evals=[(matrix, "train")],
        evals_result=history,
        verbose_eval=False,
    )
    np.testing.assert_allclose(
        history["train"]["binary_cross_entropy"], history["train"]["logloss"], atol=2e-6
    )


def test_objects_are_functions_to_xgboost():
    made = [
        fx.objective(fl.Huber()),
        fx.sklearn_objective(fl.Huber()),
        fx.metric(fl.Huber()),
        fx.sklearn_metric(fl.Huber()),
    ]
    for f in made:
        assert f.__name__ == "huber"
        assert pickle.loads(pickle.dumps(f)) == f == copy.deepcopy(f)
        assert hash(copy.deepcopy(f)) == hash(f)
    assert made[0] != fx.objective(fl.Huber(), "unit")
    for f in made:
        assert list(inspect.signature(f).parameters) == ["y_true", "y_pred", "sample_weight"]


@pytest.mark.parametrize(
    ("trained", "best"),
    [
        (fl.SquaredError(), lambda y: y.mean()),
        (fl.Poisson(), lambda y: math.log(y.mean())),
        (fl.Gamma(), lambda y: math.log(y.mean())),
        (fl.Tweedie(), lambda y: math.log(y.mean())),
        (fl.SquaredLogError(), lambda y: math.expm1(np.log1p(y).mean())),
    ],
    ids=lambda value: type(value).__name__,
)
def test_base_score_closed_forms(trained, best, rng):
    y = rng.gamma(2.0, 3.0, 200)
    assert fx.base_score(trained, y) == pytest.approx(best(y), rel=1e-9)


def test_base_score_of_quantiles_and_medians(rng):
    y = rng.normal(size=201)
    assert fx.base_score(fl.AbsoluteError(), y) == pytest.approx(np.median(y), abs=1e-9)
    assert fx.base_score(fl.Quantile(q=0.9), y) == pytest.approx(np.sort(y)[180], abs=1e-9)
    weight = (y > 1).astype(float)
    assert fx.base_score(fl.AbsoluteError(), y, weight) >= 1


@pytest.mark.parametrize(
    "trained", [fl.Huber(), fl.LogCosh(), fl.Expectile(q=0.8), fl.Cauchy(), fl.Tukey()], ids=repr
)
def test_base_score_minimises(trained, rng):
    y, w = rng.standard_t(2, 300), rng.random(300)
    score = fx.base_score(trained, y, w)
    # Relative: where the mean is flat, the slope says more than the value.
    slope = trained.gradient(y, np.full(300, score), sample_weight=w).sum()
    assert abs(slope) < 1e-9
    grid = np.linspace(y.min(), y.max(), 300)
    assert trained(y, np.full(300, score), sample_weight=w) <= min(
        trained(y, np.full(300, c), sample_weight=w) for c in grid
    )


def test_base_score_of_classes():
    y, w = np.array([0, 0, 0, 1]), np.array([1, 1, 2, 2])
    assert fx.base_score(fl.BinaryCrossEntropy(), y) == pytest.approx(math.log(1 / 3))
    assert fx.base_score(fl.BinaryCrossEntropy(pos_weight=3), y, w) == pytest.approx(math.log(6 / 4))
    assert fx.base_score(fl.Exponential(), y) == pytest.approx(0.5 * math.log(1 / 3))
    np.testing.assert_allclose(
        np.exp(fx.base_score(fl.CrossEntropy(), [0, 2, 2, 2], n_classes=4)), [0.25, 1e-15, 0.75, 1e-15]
    )
    assert fx.base_score(fl.BinaryCrossEntropy(), [1, 1]) == 20
    assert fx.base_score(fl.Hinge(), [1, 1, -1]) == pytest.approx(1)
    # Two classes of the focal loss are the binary one.
    scores = fx.base_score(fl.Focal(gamma=3.0), y, w)
    assert scores[1] - scores[0] == pytest.approx(fx.base_score(fl.BinaryFocal(gamma=3.0), y, w), abs=1e-6)


def test_base_score_is_where_training_starts():
    x, y = regression()
    y = 100 + y
    start = fx.base_score(fl.LogCosh(), y)
    model = train(fl.LogCosh(), x, y, base_score=start)
    assert fl.LogCosh()(y, margins(model, x)) < fl.LogCosh()(y, np.full(len(y), start))


def test_predictions():
    np.testing.assert_allclose(fx.predictions(fl.Tweedie(), [0.0, 1.0]), [1, math.e])
    np.testing.assert_allclose(fx.predictions(fl.CrossEntropy(), [[0.0, 0.0]]), [[0.5, 0.5]])
    np.testing.assert_array_equal(fx.predictions(fl.Huber(), [3.0]), [3.0])


def test_bad_input():
    with pytest.raises(TypeError, match=r"ZeroOne.*no gradient"):
        fx.objective(fl.ZeroOne())
    with pytest.raises(TypeError, match=r"EuclideanError.*not diagonal"):
        fx.sklearn_objective(fl.EuclideanError())
    with pytest.raises(ValueError, match="from_logits=True"):
        fx.objective(fl.BinaryCrossEntropy(from_logits=False))
    with pytest.raises(ValueError, match="probabilities"):
        fx.objective(fl.JSDivergence())
    with pytest.raises(TypeError, match="'huber'"):
        fx.objective("huber")
    with pytest.raises(TypeError, match="'huber'"):
        fx.metric("huber")
    with pytest.raises(ValueError, match=r"curvature must be one of 'auto', 'exact'.*'newton'"):
        fx.objective(fl.Huber(), "newton")
    with pytest.raises(ValueError, match="empty"):
        fx.base_score(fl.Huber(), [])
    with pytest.raises(ValueError, match="no constant"):
        fx.base_score(fl.WassersteinCritic(), [1, 1, -1])
    with pytest.raises(ValueError, match="0 to 1"):
        fx.base_score(fl.CrossEntropy(), [0, 2], n_classes=2)
    x, y = classes()
    with pytest.raises(ValueError, match=r"y_true\[100\] = 2"):
        train(fl.BinaryFocal(), x, y)
