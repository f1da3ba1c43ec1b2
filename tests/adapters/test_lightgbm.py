"""Objectives and metrics inside LightGBM."""

from __future__ import annotations

import copy
import inspect
import pickle

import lightgbm
import numpy as np
import pytest
from sklearn.base import clone

import fastloss as fl
from adapters.data import binary, classes, regression, weights
from fastloss.adapters import lightgbm as fg

ONE_THREAD = {
    "num_threads": 1,
    "num_leaves": 7,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
}
BARE = {"boost_from_average": False}


def scores(objective, x, y, weight=None, rounds=8, **parameters):
    data = lightgbm.Dataset(x, y, weight=weight)
    model = lightgbm.train({**ONE_THREAD, "objective": objective, **parameters}, data, rounds)
    return model.predict(x, raw_score=True)


@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_is_the_builtin_one(weighted):
    x, y = binary()
    w = weights(len(y)) if weighted else None
    np.testing.assert_array_equal(
        scores(fg.objective(fl.BinaryCrossEntropy()), x, y, w), scores("binary", x, y, w, **BARE)
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_softmax_is_the_builtin_one(weighted):
    x, y = classes()
    w = weights(len(y)) if weighted else None
    data = lightgbm.Dataset(x, y, weight=w, init_score=None)
    builtin = lightgbm.train({**ONE_THREAD, "objective": "multiclass", "num_class": 3, **BARE}, data, 8)
    expected = builtin.predict(x, raw_score=True)
    actual = scores(fg.objective(fl.CrossEntropy()), x, y, w, num_class=3)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_allclose(fg.predictions(fl.CrossEntropy(), actual), builtin.predict(x), rtol=1e-12)


def test_squared_error_is_the_builtin_one():
    x, y = regression()
    np.testing.assert_allclose(
        scores(fg.objective(fl.HalfSquaredError()), x, y), scores("regression", x, y, **BARE), atol=1e-7
    )


def test_arrays_are_the_librarys_own():
    x, y = classes()
    data = lightgbm.Dataset(x, y, weight=weights(len(y))).construct()
    z = np.asfortranarray(np.random.default_rng(0).normal(size=(len(y), 3)))
    before = z.copy()
    for a in fg.objective(fl.Focal())(z, data):
        assert a.dtype == np.float32
        assert a.flags.f_contiguous
    np.testing.assert_array_equal(z, before)


def test_weights_count_once_in_both_interfaces():
    x, y = binary()
    w = weights(len(y))
    loss = fl.BinaryFocal(gamma=1.0)
    native = scores(fg.objective(loss), x, y, w)
    model = lightgbm.LGBMClassifier(
        objective=fg.sklearn_objective(loss),
        n_estimators=8,
        n_jobs=1,
        num_leaves=7,
        verbosity=-1,
        deterministic=True,
        force_row_wise=True,
        min_child_weight=1e-3,
    )
    np.testing.assert_array_equal(model.fit(x, y, sample_weight=w).predict(x, raw_score=True), native)
    assert np.any(native != scores(fg.objective(loss), x, y))
    np.testing.assert_array_equal(
        scores(fg.objective(loss), x, y, np.ones(len(y))), scores(fg.objective(loss), x, y)
    )
    # Twice the weight is twice the gradient and curvature.
    data = lightgbm.Dataset(x, y, weight=2 * w).construct()
    plain = lightgbm.Dataset(x, y).construct()
    z = np.random.default_rng(0).normal(size=len(y))
    for a, b in zip(fg.objective(loss)(z, data), fg.objective(loss)(z, plain), strict=True):
        np.testing.assert_allclose(a, b * 2 * w, rtol=1e-6)


def test_classifier_with_metric_and_early_stopping():
    x, y = binary()
    w = weights(len(y))
    model = lightgbm.LGBMClassifier(
        objective=fg.sklearn_objective(fl.BinaryFocal(gamma=1.0)),
        n_estimators=80,
        learning_rate=0.5,
        n_jobs=1,
        metric="None",
        num_leaves=7,
        verbosity=-1,
    )
    model.fit(
        x[:200],
        y[:200],
        sample_weight=w[:200],
        eval_X=x[200:],
        eval_y=y[200:],
        eval_sample_weight=[w[200:]],
        eval_metric=fg.sklearn_metric(fl.BinaryCrossEntropy()),
        callbacks=[lightgbm.early_stopping(2, verbose=False)],
    )
    history = model.evals_result_["valid_0"]["binary_cross_entropy"]
    assert model.best_iteration_ == int(np.argmin(history)) + 1 < 80
    z = model.predict(x[200:], raw_score=True)
    expected = fl.BinaryCrossEntropy()(y[200:], z, sample_weight=w[200:].astype(np.float32))
    assert min(history) == pytest.approx(expected, rel=1e-12)
    assert clone(model).get_params()["objective"] == model.objective


def test_native_metric():
    x, y = classes()
    w = weights(len(y))
    data, history = lightgbm.Dataset(x, y, weight=w), {}
    loss = fl.Focal(gamma=1.0)
    model = lightgbm.train(
        {**ONE_THREAD, "objective": fg.objective(loss), "num_class": 3},
        data,
        4,
        valid_sets=[data],
        feval=fg.metric(loss),
        callbacks=[lightgbm.record_evaluation(history)],
    )
    values = history["training"]["multiclass_focal"]
    assert sorted(values, reverse=True) == values
    assert values[-1] == pytest.approx(loss(y, model.predict(x), sample_weight=w), rel=1e-12)
    assert fg.metric(loss)(model.predict(x), data)[2] is False


def test_init_score_is_where_training_starts():
    x, y = regression()
    loss, y = fl.LogCosh(), y + 100
    start = fg.init_score(loss, y)
    data = lightgbm.Dataset(x, y, init_score=np.full(len(y), start))
    model = lightgbm.train({**ONE_THREAD, "objective": fg.objective(loss)}, data, 5)
    assert loss(y, start + model.predict(x)) < loss(y, np.full(len(y), start))


def test_init_score_of_classes():
    x, y = classes()
    start = fg.init_score(fl.CrossEntropy(), y)
    data = lightgbm.Dataset(x, y, init_score=np.tile(start, (len(y), 1)).ravel(order="F"))
    ours = lightgbm.train(
        {**ONE_THREAD, "objective": fg.objective(fl.CrossEntropy()), "num_class": 3}, data, 5
    )
    builtin = scores("multiclass", x, y, rounds=5, num_class=3)
    np.testing.assert_allclose(ours.predict(x) + start, builtin, atol=1e-6)


def test_objects_are_functions_to_lightgbm():
    made = [
        fg.objective(fl.Huber()),
        fg.sklearn_objective(fl.Huber()),
        fg.metric(fl.Huber()),
        fg.sklearn_metric(fl.Huber()),
    ]
    for f in made:
        assert f.__name__ == "huber"
        assert pickle.loads(pickle.dumps(f)) == f == copy.deepcopy(f)
    # LightGBM tells by the number of arguments whether to pass the weights.
    assert [len(inspect.signature(f).parameters) for f in made] == [3, 3, 3, 3]


def test_bad_input():
    with pytest.raises(TypeError, match=r"ZeroOne.*no gradient"):
        fg.objective(fl.ZeroOne())
    with pytest.raises(ValueError, match="from_logits=True"):
        fg.sklearn_objective(fl.CrossEntropy(from_logits=False))
    with pytest.raises(ValueError, match=r"curvature must be one of 'auto', 'exact'.*'half'"):
        fg.objective(fl.Huber(), "half")
    with pytest.raises(TypeError, match="metric"):
        fg.objective(fl.EuclideanError())
    assert fg.metric(fl.ZeroOne(threshold=0.5)).__name__ == "zero_one"
    x, y = regression()
    with pytest.raises(ValueError, match="outside the domain of Poisson"):
        scores(fg.objective(fl.Poisson()), x, y)
