"""Boosting a location and a scale, or several quantiles: starts, natural gradient, estimators."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

import fastloss as fl
from fastloss.adapters import catboost as fc
from fastloss.adapters import lightgbm as fg
from fastloss.adapters import xgboost as fx
from fastloss.adapters.sklearn_loss import as_sklearn_loss

NLLS = [fl.GaussianNLL(), fl.LaplaceNLL(), fl.StudentTNLL()]
LOSSES = [*NLLS, fl.MultiQuantile([0.1, 0.5, 0.9])]


def noisy(loss: Any, n: int, rng: np.random.Generator) -> tuple[Any, ...]:
    """Features, targets, and the location and scale that they were drawn with."""
    X = rng.uniform(-1, 1, (n, 2))
    location, scale = 3 * np.sign(X[:, 0]), np.where(X[:, 1] > 0, 2.0, 0.5)
    noise = {
        "LaplaceNLL": lambda: rng.laplace(size=n),
        "StudentTNLL": lambda: rng.standard_t(4, size=n),
    }.get(type(loss).__name__, lambda: rng.normal(size=n))()
    return X, location + scale * noise, location, scale


def regressor(library: str, **options: Any) -> Any:
    pytest.importorskip(library)
    quiet = {"verbose": -1} if library == "lightgbm" else {}
    module = {"xgboost": fx, "lightgbm": fg}[library]
    return module.Regressor(**{"n_estimators": 60, "learning_rate": 0.2, "max_depth": 3, **quiet, **options})


@pytest.mark.parametrize("of", [*LOSSES, fl.StudentTNLL(df=1.0), fl.GaussianNLL(full=True)], ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
def test_start_is_the_best_constant(of, weighted, rng):
    y = np.concatenate([rng.normal(2, 3, 200), [40.0]])
    w = rng.random(201) if weighted else None
    start = fx.base_score(of, y, w)
    assert start.shape == (len(of.columns),)
    best = of(y, np.broadcast_to(start, (201, len(start))), sample_weight=w)
    for k in range(len(start)):
        for step in (-0.3, -0.02, 0.02, 0.3):
            other = start.copy()
            other[k] += step
            assert of(y, np.broadcast_to(other, (201, len(start))), sample_weight=w) >= best - 1e-12


def test_starts_by_hand():
    y = [1.0, 2.0, 3.0, 6.0]
    np.testing.assert_allclose(fx.base_score(fl.GaussianNLL(), y), [3, math.log(3.5) / 2], rtol=1e-14)
    np.testing.assert_allclose(fx.base_score(fl.LaplaceNLL(), y), [2.5, math.log(1.5)], rtol=1e-14)
    np.testing.assert_allclose(fx.base_score(fl.MultiQuantile([0.25, 0.9]), y), [1.5, 6])
    # Equal targets have no scale; a logarithm of 0 is no score.
    assert np.isfinite(fx.base_score(fl.GaussianNLL(), [5.0, 5.0])).all()


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
@pytest.mark.parametrize("of", NLLS, ids=repr)
def test_scale_is_learnt(library, of, rng):
    X, y, location, scale = noisy(of, 3000, rng)
    model = regressor(library, loss=of).fit(X, y)
    found = model.predict(X)
    assert found.shape == (3000, 2)
    assert np.abs(found[:, 0] - location).mean() < 0.25
    assert np.abs(found[:, 1] - np.log(scale)).mean() < 0.25
    truth = of(y, np.stack([location, np.log(scale)], axis=1))
    assert of(y, found) < truth + 0.05
    assert model.loss_ == of
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), found)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_quantiles_are_learnt(library, rng):
    loss = fl.MultiQuantile([0.1, 0.5, 0.9])
    X, y, _, scale = noisy(loss, 4000, rng)
    found = regressor(library, loss=loss).fit(X, y).predict(X)
    np.testing.assert_allclose((y[:, None] < found).mean(axis=0), loss.levels, atol=0.03)
    # The interval is as wide as the noise is: 2·1.28 standard deviations.
    assert np.abs((found[:, 2] - found[:, 0]) / (2.563 * scale) - 1).mean() < 0.2


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
@pytest.mark.parametrize("of", NLLS, ids=repr)
@pytest.mark.parametrize("unit", [0.01, 1.0, 1000.0])
def test_natural_gradient_does_not_diverge(library, of, unit, rng):
    """Without any regularisation, from the start and from far off, in any unit."""
    X, y, location, scale = noisy(of, 1000, rng)
    y = y * unit
    free = (
        {"reg_lambda": 0.0, "min_child_weight": 0.0}
        if library == "xgboost"
        else {"reg_lambda": 0.0, "min_child_weight": 0.0, "min_child_samples": 20}
    )
    model = regressor(library, loss=of, learning_rate=0.3, n_estimators=40, **free).fit(X, y)
    start = of(y, np.broadcast_to(fx.base_score(of, y), (1000, 2)))
    found = of(y, model.predict(X).astype(np.float64))
    truth = of(y, np.stack([location * unit, np.log(scale * unit)], axis=1))
    assert truth - 1.0 < found < start - 0.3


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_unit_of_the_targets_changes_nothing(library, rng):
    loss = fl.GaussianNLL()
    X, y, _, _ = noisy(loss, 1000, rng)
    first = regressor(library, loss=loss).fit(X, y).predict(X)
    second = regressor(library, loss=loss).fit(X, 1024 * y).predict(X)
    np.testing.assert_allclose(second[:, 0] / 1024, first[:, 0], atol=2e-3)
    np.testing.assert_allclose(second[:, 1] - math.log(1024), first[:, 1], atol=2e-3)


def test_early_stopping_goes_by_the_loss(rng):
    pytest.importorskip("xgboost")
    loss = fl.GaussianNLL()
    X, y, _, _ = noisy(loss, 1500, rng)
    model = regressor("xgboost", loss=loss, n_estimators=400, early_stopping_rounds=10)
    model.fit(X[:1000], y[:1000], eval_set=[(X[1000:], y[1000:])])
    assert model.best_iteration < 399
    assert model.best_score == pytest.approx(loss(y[1000:], model.predict(X[1000:])), abs=1e-4)


def test_as_good_as_ngboost(rng):
    ngboost = pytest.importorskip("ngboost")
    X, y, _, _ = noisy(fl.GaussianNLL(), 2000, rng)
    theirs = ngboost.NGBRegressor(n_estimators=200, learning_rate=0.05, verbose=False, random_state=0)
    theirs.fit(X[:1000], y[:1000])
    their_nll = -theirs.pred_dist(X[1000:]).logpdf(y[1000:]).mean()
    ours = regressor("lightgbm", loss=fl.GaussianNLL(full=True), n_estimators=60, learning_rate=0.1)
    loss = fl.GaussianNLL(full=True)
    assert loss(y[1000:], ours.fit(X[:1000], y[:1000]).predict(X[1000:])) < their_nll + 0.05


def test_ngboosts_gradients(rng):
    """Of the logarithmic score, and Fisher's information, where it is installed."""
    normal = pytest.importorskip("ngboost.distns.normal")
    laplace = pytest.importorskip("ngboost.distns.laplace")
    y, z = rng.normal(0, 2, 50), rng.normal(0, 1, (50, 2))
    for loss, score in [
        (fl.GaussianNLL(full=True), normal.NormalLogScore),
        (fl.LaplaceNLL(full=True), laplace.LaplaceLogScore),
    ]:
        distribution = normal.Normal if loss.name == "gaussian_nll" else laplace.Laplace
        theirs = type("Scored", (score, distribution), {})(z.T)
        np.testing.assert_allclose(loss(y, z, reduction="none"), theirs.score(y), rtol=1e-10)
        np.testing.assert_allclose(loss.gradient(y, z, reduction="none"), theirs.d_score(y), rtol=1e-10)
        found = fx.objective(loss).loss._gradient_and_curvature(
            y, z, None, fx.objective(loss).curvature, None, 1
        )
        metric = theirs.metric()
        np.testing.assert_allclose(found[1], np.stack([metric[:, 0, 0], metric[:, 1, 1]], axis=1), rtol=1e-10)


def test_what_to_set():
    class Data:
        def get_label(self) -> Any:
            return np.zeros(3, np.float32)

        def get_weight(self) -> Any:
            return None

    for module in (fx, fg):
        with pytest.raises(ValueError, match=r"GaussianNLL\(.*\) takes 2 scores a row, .* set num_class=2"):
            module.objective(fl.GaussianNLL())(np.zeros(3), Data())
    with pytest.raises(TypeError, match="takes 2 scores a row, but CatBoost has one"):
        fc.objective(fl.GaussianNLL())
    with pytest.raises(TypeError, match="takes 3 scores a row, but HistGradientBoosting has one"):
        as_sklearn_loss(fl.MultiQuantile())
    with pytest.raises(ValueError, match=r"y_true has shape \(2, 2\)"):
        fx.base_score(fl.GaussianNLL(), np.ones((2, 2)))
