"""The constant that boosting starts from: the global minimum, for finite targets only."""

from __future__ import annotations

import numpy as np
import pytest

import fastloss as fl
from fastloss.adapters import catboost, lightgbm, xgboost
from fastloss.adapters.sklearn_loss import as_sklearn_loss

RHO = {
    fl.Tukey: lambda r, c: c**2 / 6 * (1 - np.clip(1 - (r / c) ** 2, 0, None) ** 3),
    fl.Welsch: lambda r, c: c**2 / 2 * -np.expm1(-((r / c) ** 2)),
    fl.Cauchy: lambda r, c: c**2 / 2 * np.log1p((r / c) ** 2),
}
STARTS = [xgboost.base_score, lightgbm.init_score, catboost.baseline]


def mean_loss(loss, y, constants, w):
    """Return the mean loss of each constant by the loss's formula."""
    return (w * RHO[type(loss)](y - constants[:, None], loss.c)).sum(axis=1) / w.sum()


def least_by_force(loss, y, w):
    """Return the least mean loss on a fine grid around every target; no minimum is farther than c."""
    around = np.arange(-1.0, 1.0, 1 / 64) * loss.c
    grid = np.unique((y[:, None] + around).ravel())
    return min(mean_loss(loss, y, part, w).min() for part in np.array_split(grid, 1 + len(grid) // 2000))


def sklearn_start(loss, y, w=None):
    return float(as_sklearn_loss(loss).fit_intercept_only(np.array(y), None if w is None else np.array(w)))


@pytest.mark.parametrize("start", [*STARTS, sklearn_start])
@pytest.mark.parametrize("chosen", [fl.Tukey(), fl.Welsch(), fl.Cauchy(0.5)], ids=repr)
def test_the_larger_of_two_groups_wins(start, chosen):
    y = [0.0] * 60 + [50.0] * 40
    least = least_by_force(chosen, np.array(y), np.ones(100))
    assert chosen(y, np.full(100, start(chosen, y))) <= least * (1 + 1e-12)
    if not isinstance(chosen, fl.Cauchy):
        assert start(chosen, y) == 0.0
        assert start(chosen, y, [0.1] * 60 + [1.0] * 40) == 50.0


def test_tukey_by_hand():
    y = [0.0] * 60 + [50.0] * 40
    assert fl.Tukey()(y, np.zeros(100)) == pytest.approx(0.4 * 4.685**2 / 6, rel=1e-15)
    assert xgboost.base_score(fl.Tukey(), y) == 0.0


@pytest.mark.parametrize("kind", ["normal", "uniform", "cauchy", "integers"])
@pytest.mark.parametrize("cls", RHO)
def test_global_minimum_of_many_local_ones(cls, kind, rng):
    for scale in (0.05, 2.0, 300.0):
        n = int(rng.integers(2, 60))
        draw = {
            "normal": lambda n: rng.normal(size=n),
            "uniform": lambda n: rng.uniform(-1, 1, n),
            "cauchy": rng.standard_cauchy,
            "integers": lambda n: rng.integers(0, 5, n).astype(float),
        }[kind]
        y, w, loss = draw(n) * scale, rng.uniform(0.1, 2, n), cls(c=float(rng.uniform(0.3, 3)))
        least = least_by_force(loss, y, w)
        for score in (xgboost.base_score(loss, y, w), sklearn_start(loss, y, w)):
            assert mean_loss(loss, y, np.array([score]), w)[0] <= least * (1 + 1e-9)


@pytest.mark.parametrize("chosen", [fl.Tukey(), fl.Welsch(), fl.Cauchy()], ids=repr)
@pytest.mark.parametrize(
    "y",
    [np.arange(3000) * 100.0, np.full(5000, 3.0), np.array([7.0]), np.geomspace(1e-300, 1e300, 50)],
    ids=["lattice", "equal", "one", "all magnitudes"],
)
def test_extreme_targets(chosen, y):
    score = xgboost.base_score(chosen, y)
    assert y.min() <= score <= y.max()
    value = chosen(y, np.full(len(y), score))
    assert all(value <= chosen(y, np.full(len(y), other)) * (1 + 1e-12) for other in y[:: len(y) // 50 + 1])


def test_many_targets(rng):
    y = np.concatenate([rng.normal(0, 1, 20_000), rng.normal(30, 0.5, 15_000)])
    for loss in (fl.Tukey(), fl.Welsch()):
        # The narrower group is denser: for Welsch's c of 1 that outweighs its size.
        grid = np.linspace(-2, 32, 600)
        least = min(loss(y, np.full(len(y), z)) for z in grid)
        assert loss(y, np.full(len(y), xgboost.base_score(loss, y))) <= least


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    "info", [i for i in fl.list_losses() if i.family in ("regression", "binary", "multiclass")], ids=repr
)
def test_targets_must_be_finite(start, info):
    if not (info.has_gradient and info.has_hessian):
        return
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"y_true\[1\] = {bad}"):
            start(info.cls(), [1.0, bad, 0.0])
        with pytest.raises(ValueError, match=rf"y_true\[1\] = {bad}"):
            start(info.cls(), [1.0, bad, 0.0], [1.0, 2.0, 1.0])


@pytest.mark.parametrize(
    "chosen",
    [
        as_sklearn_loss(loss, n)
        for loss, n in [
            *((loss(), None) for loss in (fl.SquaredError, fl.AbsoluteError, fl.Huber, fl.Poisson, fl.Tukey)),
            *((loss(), None) for loss in (fl.Quantile, fl.BinaryCrossEntropy, fl.BinaryFocal)),
            (fl.CrossEntropy(), 3),
        ]
    ],
    ids=repr,
)
def test_targets_must_be_finite_in_sklearn(chosen):
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"y_true\[1\] = {bad}"):
            chosen.fit_intercept_only(np.array([1.0, bad, 0.0]))


@pytest.mark.parametrize("start", STARTS)
def test_a_target_without_weight_may_be_missing(start):
    assert start(fl.SquaredError(), [1.0, np.nan, 3.0], [1.0, 0.0, 1.0]) == pytest.approx(2.0, rel=1e-12)
    assert start(fl.Tukey(), [1.0, np.inf, 1.0], [1.0, 0.0, 1.0]) == 1.0


def test_tiny_units():
    assert sklearn_start(fl.LogCosh(), [1e-12, 2e-12, 3e-12]) == pytest.approx(2e-12, rel=1e-6)


@pytest.mark.parametrize(
    ("counts", "lead"), [([7, 2, 1], 1.0), ([2, 1, 1], 0.0), ([1, 3, 3, 2], 0.0), ([0, 5], 1.0)]
)
def test_crammer_and_singers_hinge(counts, lead):
    """With the lead d of a class of share c the mean loss is c·[1 − d]₊ + (1 − c)(1 + d): d is 0 or 1."""
    y = np.repeat(np.arange(len(counts)), counts)
    share = np.array(counts) / sum(counts)
    scores = lightgbm.init_score(fl.MulticlassHinge(), y, n_classes=len(counts))
    assert scores.max() - np.sort(scores)[-2] == lead
    loss = fl.MulticlassHinge()(y, np.tile(scores, (len(y), 1)))
    assert loss == pytest.approx(min(1.0, 2 * (1 - share.max())), rel=1e-12)


@pytest.mark.parametrize(
    "chosen",
    [
        fl.Focal(),
        fl.Focal(gamma=5.0),
        fl.Focal(gamma=0.5, alpha=[1.0, 2.0, 3.0, 4.0]),
        fl.GeneralizedCrossEntropy(),
        fl.Poly1CrossEntropy(),
        fl.Poly1CrossEntropy(epsilon=-1.0),
        fl.CrossEntropy(label_smoothing=0.1, class_weight=[1.0, 2.0, 3.0, 4.0]),
    ],
    ids=repr,
)
def test_several_classes_start_where_the_slope_is_0(chosen):
    y = np.repeat(np.arange(4), [70, 20, 8, 2])
    scores = xgboost.base_score(chosen, y)
    rows = np.tile(scores, (100, 1))
    assert np.abs(chosen.gradient(y, rows).sum(axis=0)).max() < 1e-7
    assert chosen(y, rows) < chosen(y, np.zeros((100, 4)))
    for step in 1e-3 * np.eye(4):
        assert min(chosen(y, rows + step), chosen(y, rows - step)) > chosen(y, rows)


def test_weston_and_watkins_hinge(rng):
    """The linear program min Σ cₖ·tₖⱼ, tₖⱼ ≥ 1 + zⱼ − zₖ, by HiGHS."""
    optimize = pytest.importorskip("scipy.optimize")
    chosen = fl.MulticlassHinge(kind="weston-watkins")
    np.testing.assert_array_equal(catboost.baseline(chosen, [0, 0]), [0.0])
    for n in (2, 3, 5, 8, 13):
        for _ in range(4):
            counts = rng.multinomial(200, rng.dirichlet(np.full(n, 0.7)))
            counts[0] += not counts[0]
            pairs = [(k, j) for k in range(n) for j in range(n) if j != k]
            upper = np.zeros((len(pairs), n + len(pairs)))
            for i, (k, j) in enumerate(pairs):
                upper[i, [j, k, n + i]] = 1, -1, -1
            cost = np.concatenate([np.zeros(n), [counts[k] / counts.sum() for k, _ in pairs]])
            bounds = [(None, None)] * n + [(0, None)] * len(pairs)
            least = optimize.linprog(cost, upper, -np.ones(len(pairs)), bounds=bounds).fun
            y = np.repeat(np.arange(n), counts)
            scores = catboost.baseline(chosen, y, n_classes=n)
            assert chosen(y, np.tile(scores, (len(y), 1))) == pytest.approx(least, rel=1e-8, abs=1e-8)
