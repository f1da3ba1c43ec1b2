"""fastloss.adapters.sklearn_loss: histogram gradient boosting trains with our losses as with its own."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import numpy as np
import pytest
from processes import output
from sklearn._loss import loss as theirs
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

import fastloss as fl
from fastloss.adapters import sklearn_loss as ours
from fastloss.adapters.sklearn_loss import as_sklearn_loss

DIABETES = load_diabetes(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
IRIS = load_iris(return_X_y=True)
FEW = {"max_iter": 10, "random_state": 0}


@pytest.fixture(autouse=True)
def one_thread():
    """Small models on two threads wait for each other: minutes, beside other processes."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("squared_error", fl.HalfSquaredError()),
        ("absolute_error", fl.AbsoluteError()),
        ("gamma", fl.Gamma()),
        ("poisson", fl.Poisson()),
        ("quantile", fl.Quantile(q=0.75)),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_regression_models_are_those_of_the_built_in_losses(name: str, made: Any, weighted: bool) -> None:
    if weighted and name in ("absolute_error", "quantile"):
        pytest.skip("weighted quantiles hit targets exactly, where the subgradients differ: 0 here, -1 there")
    X, y = DIABETES
    w = np.linspace(0.5, 3, len(y)) if weighted else None
    quantile = {"quantile": 0.75} if name == "quantile" else {}
    own = HistGradientBoostingRegressor(loss=name, **quantile, **FEW).fit(X, y, sample_weight=w)
    model = HistGradientBoostingRegressor(loss=as_sklearn_loss(made), **FEW).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(model.predict(X), own.predict(X), rtol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_classifiers_are_those_of_the_built_in_losses(weighted: bool) -> None:
    for (X, y), made in [(CANCER, as_sklearn_loss(fl.BinaryCrossEntropy())), (IRIS, None)]:
        made = made or as_sklearn_loss(fl.CrossEntropy(), n_classes=3)
        w = np.linspace(0.5, 3, len(y)) if weighted else None
        own = HistGradientBoostingClassifier(**FEW).fit(X, y, sample_weight=w)
        model = HistGradientBoostingClassifier(loss=made, **FEW).fit(X, y, sample_weight=w)
        np.testing.assert_allclose(model.predict_proba(X), own.predict_proba(X), rtol=1e-4, atol=1e-7)


TRAINABLE = [
    fl.SquaredError(),
    fl.Huber(delta=20.0),
    fl.SmoothL1(beta=20.0),
    fl.SmoothL1(beta=0.0),
    fl.LogCosh(),
    fl.PseudoHuber(delta=5.0),
    fl.Expectile(q=0.5),
    fl.Tweedie(power=1.5),
]


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("made", TRAINABLE, ids=repr)
def test_regressors_learn(made: Any, scale: float) -> None:
    X, y = DIABETES
    model = HistGradientBoostingRegressor(loss=as_sklearn_loss(made), max_iter=60).fit(X, scale * y)
    error = np.mean(np.abs(model.predict(X) / scale - y))
    assert error < 0.7 * np.mean(np.abs(y - np.median(y)))


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_ratios_learn_in_any_units(scale: float) -> None:
    X, y = DIABETES
    for made in (fl.AbsolutePercentageError(), fl.SquaredLogError()):
        model = HistGradientBoostingRegressor(loss=as_sklearn_loss(made), max_iter=30).fit(X, scale * y)
        at_start = made(scale * y, np.full(len(y), fl.adapters.xgboost.base_score(made, scale * y)))
        assert made(scale * y, model.predict(X)) < 0.9 * at_start


@pytest.mark.parametrize(
    "made", [fl.Hinge(), fl.SquaredHinge(), fl.WassersteinCritic(), fl.MulticlassHinge()], ids=repr
)
def test_hinges_learn(made: Any) -> None:
    several = isinstance(made, fl.MulticlassHinge)
    X, y = IRIS if several else CANCER
    loss = as_sklearn_loss(made, 3 if several else None)
    assert HistGradientBoostingClassifier(loss=loss, max_iter=20).fit(X, y).score(X, y) > 0.94


def test_robust_loss_forgets_outliers() -> None:
    X, y = DIABETES
    spoiled = np.where(np.arange(len(y)) % 25 == 0, 1e5, y)
    kept = spoiled == y
    errors = {}
    for made in (fl.Huber(delta=20.0), fl.SquaredError()):
        model = HistGradientBoostingRegressor(loss=as_sklearn_loss(made), max_iter=40).fit(X, spoiled)
        errors[made.name] = np.mean(np.abs(model.predict(X)[kept] - y[kept]))
    assert errors["huber"] < 50 < 1000 < errors["squared_error"]


@pytest.mark.parametrize(
    "made",
    [
        fl.BinaryFocal(gamma=2.0),
        fl.BinaryFocal(gamma=5.0, alpha=0.25),
        fl.BinaryCrossEntropy(pos_weight=5.0),
        fl.Exponential(),
    ],
    ids=repr,
)
def test_binary_classifiers_learn(made: Any) -> None:
    X, y = CANCER
    labels = np.array(["benign", "malignant"])[1 - y]
    rare = np.flatnonzero((labels == "benign") | (np.arange(len(y)) % 10 == 0))  # about one in twenty
    model = HistGradientBoostingClassifier(
        loss=as_sklearn_loss(made), max_iter=40, early_stopping=True, random_state=0
    )
    model.fit(X[rare], labels[rare])
    assert roc_auc_score(labels == "malignant", model.predict_proba(X)[:, 1]) > 0.95
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_multiclass_focal_learns() -> None:
    X, y = IRIS
    model = HistGradientBoostingClassifier(loss=as_sklearn_loss(fl.Focal(), n_classes=3), max_iter=40).fit(
        X, y
    )
    assert model.score(X, y) > 0.95


@pytest.mark.parametrize("made", [fl.Huber(delta=2.0), fl.LogCosh(), fl.Cauchy(c=2.0), fl.Tukey()], ids=repr)
def test_majorizer_touches_and_lies_above(made: Any) -> None:
    """l(s) ≤ l(r) + g(r)(s − r) + ½h(s − r)² for every s, with h the curvature handed to the trees."""
    r = np.array([-30.0, -3.0, -1.0, -1e-3, 0.0, 0.5, 2.0, 7.0])
    s = np.linspace(-40, 40, 801)
    g, h = as_sklearn_loss(made).gradient_hessian(np.zeros_like(r), r)
    value = made(np.zeros_like(r), r, reduction="none")
    for i in range(len(r)):
        parabola = value[i] + g[i] * (s - r[i]) + 0.5 * h[i] * (s - r[i]) ** 2
        assert (made(np.zeros_like(s), s, reduction="none") <= parabola + 1e-9).all(), r[i]
    assert (h[np.abs(r) < made.parameters.get("c", np.inf)] > 0).all()


def test_curvature_is_never_negative_and_carries_the_weights() -> None:
    z, y = np.linspace(-8, 8, 33), np.arange(33) % 2.0
    w = np.linspace(0, 2, 33)
    loss = as_sklearn_loss(fl.BinaryFocal(gamma=2.0))
    assert (fl.BinaryFocal(gamma=2.0).gradient_and_hessian(y, z, reduction="none")[1] < 0).any()
    g, h = loss.gradient_hessian(y, z)
    assert (h > 0).all()
    for weighted, plain in zip(loss.gradient_hessian(y, z, sample_weight=w), (g, h), strict=True):
        np.testing.assert_allclose(weighted, w * plain)


@pytest.mark.parametrize(
    ("made", "y", "expected"),
    [
        (fl.SquaredError(), [1.0, 2.0, 6.0], 3.0),
        (fl.LogCosh(), [-1.0, 1.0, 0.0], 0.0),
        (fl.Huber(delta=1.0), [0.0, 0.0, 100.0], 0.5),  # 2·c = δ
        (fl.Tweedie(power=1.5), [1.0, 3.0], np.log(2)),
        (fl.Quantile(q=0.5), [1.0, 2.0, 9.0], 2.0),
        (fl.BinaryCrossEntropy(), [0.0, 1.0, 1.0, 1.0], np.log(3)),
        (fl.BinaryCrossEntropy(pos_weight=2.0), [0.0, 1.0, 1.0, 1.0], np.log(6)),
        (fl.Exponential(), [0.0, 1.0, 1.0, 1.0], np.log(3) / 2),
        (fl.SquaredError(), [4.0, 4.0], 4.0),
    ],
    ids=repr,
)
def test_start_value_is_the_best_constant(made: Any, y: Any, expected: float) -> None:
    loss = as_sklearn_loss(made)
    assert loss.fit_intercept_only(np.array(y)) == pytest.approx(expected, abs=1e-6)
    doubled = loss.fit_intercept_only(np.repeat(y, 2))
    assert loss.fit_intercept_only(np.array(y), np.full(len(y), 2.0)) == pytest.approx(doubled, abs=1e-6)


@pytest.mark.parametrize(
    ("made", "error", "match"),
    [
        ("huber", TypeError, "must be a loss of fastloss, got 'huber'"),
        (fl.ZeroOne(), TypeError, "no gradient"),
        (fl.EuclideanError(), TypeError, "Hessian of EuclideanError.* is not diagonal"),
        (fl.KLDivergence(), TypeError, "takes probabilities"),
        (fl.BinaryCrossEntropy(from_logits=False), TypeError, "needs a loss of raw predictions"),
        (fl.CrossEntropy(), ValueError, "n_classes must be at least 3"),
    ],
    ids=repr,
)
def test_what_cannot_be_trained_with_is_refused(made: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        as_sklearn_loss(made)


def test_n_classes_is_for_several_classes() -> None:
    with pytest.raises(ValueError, match="n_classes is for losses of several classes"):
        as_sklearn_loss(fl.Huber(), n_classes=3)


def test_estimators_can_be_cloned_and_pickled() -> None:
    X, y = CANCER
    for made in (as_sklearn_loss(fl.BinaryFocal()), ours.HalfBinomialLoss(np.ones(1))):
        model = clone(HistGradientBoostingClassifier(loss=made, **FEW)).fit(X, y)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_kinks_take_the_subgradient_0() -> None:
    y = np.zeros(1)
    assert ours.AbsoluteError().gradient(y, y) == ours.PinballLoss(quantile=0.3).gradient(y, y) == 0
    assert theirs.AbsoluteError().gradient(y, y) == -1


@pytest.mark.parametrize("name", sorted(set(ours._LOSSES)))
def test_same_as_scikit_learn(name: str, rng: np.random.Generator) -> None:
    """Value, gradient and Hessian on the same data, (n, k) in Fortran order into single precision."""
    mine, peer = ours._LOSSES[name](), theirs._LOSSES[name]()
    n, k = 500, 3
    z = np.asfortranarray(rng.normal(size=(n, k))) if mine.is_multiclass else rng.normal(size=n)
    y = rng.integers(0, 3 if mine.is_multiclass else 2, n).astype(float) + (name == "gamma_loss")
    w = rng.uniform(0, 2, n)
    for kind, tolerance in ((np.float32, 3e-7), (np.float64, 1e-13)):
        for weights in (None, w):
            outs = [
                [np.empty(n, kind), *(np.empty_like(z, dtype=kind, order="F") for _ in range(3))]
                for _ in "12"
            ]
            for loss, (value, gradient, again, hessian) in zip((mine, peer), outs, strict=True):
                loss.loss_gradient(y, z, weights, value, gradient)
                loss.gradient_hessian(y, z, weights, again, hessian)
            for a, b in zip(*outs, strict=True):
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-7 if kind is np.float32 else 1e-14)


def test_another_interface_is_an_import_error() -> None:
    code = """
import sklearn._loss.loss
del sklearn._loss.loss.HalfMultinomialLoss.gradient_proba
try:
    import fastloss.adapters.sklearn_loss
except ImportError as error:
    print(error)
"""
    assert "has another interface of sklearn._loss, which is private to it" in output(code)


def test_without_scikit_learn_the_extra_is_named() -> None:
    code = """
import sys
sys.modules["sklearn"] = None
try:
    import fastloss.adapters.sklearn_loss
except ImportError as error:
    print(error)
"""
    assert 'pip install "fastloss[sklearn]"' in output(code)
    assert "sklearn" in sys.modules
