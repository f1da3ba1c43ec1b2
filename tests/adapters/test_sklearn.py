"""scorer(loss): the right predictions for each loss, labels, sign, weights, searches."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

import fastloss as fl
from fastloss.adapters.sklearn import scorer


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    with threadpool_limits(1):
        yield


class Fixed:
    """An estimator that predicts what it was made with."""

    def __init__(self, classes: Any = None, **methods: Any) -> None:
        if classes is not None:
            self.classes_ = np.asarray(classes)
        self.methods = methods
        for name, value in methods.items():
            setattr(self, name, lambda X, value=value: np.asarray(value))

    def __repr__(self) -> str:  # the same in every process: it is part of the tests' names
        return f"Fixed({self.methods})"


LOG = math.log


@pytest.mark.parametrize(
    ("scored", "estimator", "y", "expected"),
    [
        (fl.SquaredError(), Fixed(predict=[1.0, 3.0]), [1.0, 1.0], 2.0),
        (fl.Quantile(q=0.75), Fixed(predict=[0.0, 4.0]), [2.0, 2.0], 1.0),
        # Poisson: e^z − y·z with z = log 2 for a predicted mean of 2
        (fl.Poisson(), Fixed(predict=[2.0]), [3.0], 2 - 3 * LOG(2)),
        (fl.Gamma(), Fixed(predict=[2.0]), [4.0], LOG(2) + 2),
        (fl.SquaredLogError(), Fixed(predict=[math.e - 1]), [0.0], 1.0),
        (fl.EuclideanError(), Fixed(predict=[[3.0, 4.0]]), [[0.0, 0.0]], 5.0),
        (fl.Hinge(), Fixed(["no", "yes"], decision_function=[0.5, 0.5]), ["yes", "no"], 1.0),
        (fl.BinaryCrossEntropy(), Fixed(["no", "yes"], decision_function=[0.0, 0.0]), ["yes", "no"], LOG(2)),
        (
            fl.BinaryCrossEntropy(from_logits=False),
            Fixed(["no", "yes"], predict_proba=[[0.75, 0.25], [0.75, 0.25]]),
            ["yes", "no"],
            -(LOG(0.25) + LOG(0.75)) / 2,
        ),
        # classes that no order has: the second is the positive one
        (
            fl.BinaryCrossEntropy(from_logits=False),
            Fixed([7, 3], predict_proba=[[0.75, 0.25]]),
            [3],
            -LOG(0.25),
        ),
        (fl.BinaryFocal(gamma=2), Fixed([1, 2], decision_function=[0.0]), [2], LOG(2) / 4),
        (
            fl.CrossEntropy(from_logits=False),
            Fixed(["a", "b", "c"], predict_proba=[[0.5, 0.25, 0.25]]),
            ["c"],
            -LOG(0.25),
        ),
        # a classifier of two classes has one decision value, the logit of the second
        (fl.CrossEntropy(), Fixed(["a", "b"], decision_function=[LOG(3)]), ["b"], LOG(4 / 3)),
        (fl.MulticlassHinge(), Fixed([0, 1], decision_function=[0.25]), [1], 0.75),
        (fl.ZeroOne(), Fixed(["a", "b"], predict=["a", "b", "a", "a"]), ["a", "b", "b", "unseen"], 0.5),
        (fl.ZeroOne(threshold=1.0), Fixed(predict=[1.0, 2.5]), [1.0, 1.0], 0.5),
    ],
    ids=repr,
)
def test_minus_the_mean_loss(scored: Any, estimator: Any, y: Any, expected: float) -> None:
    for labels in (
        y,
        np.array(y),
        pd.Series(y) if np.ndim(y) == 1 else y,
        pl.Series(y) if np.ndim(y) == 1 else y,
    ):
        assert scorer(scored)(estimator, None, labels) == pytest.approx(-expected, rel=1e-12)


def test_weights() -> None:
    estimator = Fixed(predict=[1.0, 2.0])
    assert scorer(fl.AbsoluteError())(estimator, None, [0.0, 0.0], sample_weight=[3, 1]) == -1.25
    estimator = Fixed(["a", "b"], predict=["a", "a"])
    assert scorer(fl.ZeroOne())(estimator, None, ["a", "b"], sample_weight=[3, 1]) == -0.25


def test_errors_say_what_is_missing() -> None:
    with pytest.raises(TypeError, match="loss must be a loss of fastloss, got 'mse'"):
        scorer("mse")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="compares distributions"):
        scorer(fl.KLDivergence())
    forest = Fixed([0, 1], predict_proba=[[0.5, 0.5]])
    with pytest.raises(TypeError, match=r"decision_function\(\), which Fixed lacks: .*from_logits=False"):
        scorer(fl.BinaryCrossEntropy())(forest, None, [0])
    with pytest.raises(ValueError, match="is of two classes, Fixed has 3"):
        scorer(fl.Hinge())(Fixed([0, 1, 2], decision_function=[[0, 0, 0]]), None, [0])
    with pytest.raises(ValueError, match=r"other than the estimator's classes, \['a', 'b'\]"):
        scorer(fl.Hinge())(Fixed(["a", "b"], decision_function=[0.0]), None, ["c"])
    with pytest.raises(ValueError, match="6 columns for 4 classes"):
        scorer(fl.CrossEntropy())(Fixed(range(4), decision_function=np.zeros((1, 6))), None, [0])
    with pytest.raises(ValueError, match=r"Fixed predicts 0.0, but Poisson\(\) takes the logarithm"):
        scorer(fl.Poisson())(Fixed(predict=[1.0, 0.0]), None, [1.0, 1.0])


def test_object() -> None:
    score = scorer(fl.Huber(delta=1.5))
    assert repr(score) == "scorer(Huber(delta=1.5))"
    assert pickle.loads(pickle.dumps(score)) == score == scorer(fl.Huber(delta=1.5)) != scorer(fl.Huber())
    assert hash(score) == hash(clone(score, safe=False))


def test_grid_search_of_a_regressor() -> None:
    X, y = load_diabetes(return_X_y=True)
    grid = {"alpha": [1e-2, 1e3]}
    search = GridSearchCV(Ridge(), grid, scoring=scorer(fl.SquaredError())).fit(X, y)
    own = GridSearchCV(Ridge(), grid, scoring="neg_mean_squared_error").fit(X, y)
    assert search.best_params_ == own.best_params_ == {"alpha": 1e-2}
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], own.cv_results_["mean_test_score"])
    assert search.score(X, y) == pytest.approx(own.score(X, y))


def test_poisson_regressor_scores_its_own_deviance() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = PoissonRegressor(alpha=0).fit(X, y)
    # scikit-learn's own half deviance less its constant
    expected = np.mean(model.predict(X) - y * np.log(model.predict(X)))
    assert scorer(fl.Poisson())(model, X, y) == pytest.approx(-expected, rel=1e-12)


def test_classifiers_with_string_labels() -> None:
    X, target = load_iris(return_X_y=True)
    y = np.array(["setosa", "versicolor", "virginica"])[target]
    scoring = {
        "logits": scorer(fl.CrossEntropy()),
        "probabilities": scorer(fl.CrossEntropy(from_logits=False)),
        "wrong": scorer(fl.ZeroOne()),
        "own": "neg_log_loss",
        "own_accuracy": "accuracy",
    }
    results = cross_validate(LogisticRegression(max_iter=500), X, pd.Series(y), scoring=scoring)
    np.testing.assert_allclose(results["test_logits"], results["test_own"], rtol=1e-9)
    np.testing.assert_allclose(results["test_probabilities"], results["test_own"], rtol=1e-9)
    np.testing.assert_allclose(results["test_wrong"], results["test_own_accuracy"] - 1, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "scored"),
    [
        (LogisticRegression(max_iter=5000), fl.BinaryFocal()),
        (LinearSVC(), fl.SquaredHinge()),
        (RandomForestClassifier(30, random_state=0), fl.BinaryFocal(from_logits=False)),
        (HistGradientBoostingClassifier(max_iter=3), fl.Focal()),
    ],
    ids=lambda x: type(x).__name__,
)
def test_binary_classifiers(model: Any, scored: fl.Loss) -> None:
    X, target = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = np.array(["malignant", "benign"])[target]
    result = cross_validate(model, X, y, scoring=scorer(scored), cv=2, error_score="raise")
    assert (result["test_score"] < 0).all()
    # benign comes first in the order of the strings: a mapping the wrong way round would score far worse
    assert (result["test_score"] > -0.6).all()


def test_weights_by_metadata_routing() -> None:
    X, y = load_diabetes(return_X_y=True)
    w = np.where(np.arange(len(y)) < 200, 1.0, 3.0)
    with sklearn.config_context(enable_metadata_routing=True):
        score = scorer(fl.SquaredError()).set_score_request(sample_weight=True)
        model = LinearRegression().set_fit_request(sample_weight=True)
        ours = cross_validate(model, X, y, scoring=score, params={"sample_weight": w})
        own = sklearn.metrics.get_scorer("neg_mean_squared_error").set_score_request(sample_weight=True)
        theirs = cross_validate(model, X, y, scoring=own, params={"sample_weight": w})
        plain = cross_validate(
            model, X, y, scoring=scorer(fl.SquaredError()).set_score_request(sample_weight=False),
            params={"sample_weight": w},
        )  # fmt: skip
        search = GridSearchCV(Ridge().set_fit_request(sample_weight=True), {"alpha": [1.0]}, scoring=score)
        search.fit(X, y, sample_weight=w)
        with pytest.raises(ValueError, match="sample_weight"):
            cross_validate(
                model,
                X,
                y,
                scoring=scorer(fl.SquaredError()),
                params={"sample_weight": w},
                error_score="raise",
            )
    np.testing.assert_allclose(ours["test_score"], theirs["test_score"])
    assert not np.allclose(ours["test_score"], plain["test_score"])
    assert np.isfinite(search.best_score_)


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize(
    "of", [fl.SquaredError(), fl.Poisson(), fl.ZeroOne(threshold=0.5), fl.EuclideanError()]
)
def test_a_single_column_of_targets(of: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = np.exp(X[:, 0] + rng.normal(size=60) / 4)
    estimator = PoissonRegressor()
    expected = cross_validate(estimator, X, y, scoring=scorer(fl.EuclideanError()))["test_score"]
    if isinstance(of, fl.EuclideanError):  # of one number: its absolute value
        np.testing.assert_allclose(
            expected, cross_validate(estimator, X, y, scoring=scorer(fl.AbsoluteError()))["test_score"]
        )
    expected = cross_validate(estimator, X, y, scoring=scorer(of))["test_score"]
    assert np.isfinite(expected).all()
    frame = pd.DataFrame({"y": y, "other": 0.0})
    for column in (
        frame[["y"]],
        y[:, None],
        frame["y"],
        pl.DataFrame({"y": y}),
        frame[["y"]].astype("Float64"),
    ):
        scores = cross_validate(estimator, X, column, scoring=scorer(of), error_score="raise")["test_score"]
        np.testing.assert_array_equal(scores, expected)
    # Of an estimator that was fitted on a column, the predictions are one.
    fixed = Fixed(predict=[[1.0], [3.0]])
    assert scorer(fl.SquaredError())(fixed, None, [1.0, 1.0]) == -2.0
    assert scorer(fl.SquaredError())(fixed, None, [[1.0], [1.0]], sample_weight=[1.0, 3.0]) == -3.0
