"""Linear models as estimators: scikit-learn's optima to 1e-6, and for every loss no better parameters."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse
from scipy.optimize import linprog, minimize
from sklearn import linear_model
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR, LinearSVC
from sklearn.utils.estimator_checks import check_estimator
from threadpoolctl import threadpool_limits

import fastloss as fl
from fastloss.adapters._estimators import encoded
from fastloss.linear_model import LinearClassifier, LinearRegressor, path


@pytest.fixture(autouse=True)
def _alone():
    # Several threads of BLAS wait for each other on a busy machine, longer than the products take.
    with threadpool_limits(1):
        yield


def standardised(load):
    X, y = load(return_X_y=True)
    return StandardScaler().fit_transform(X), y


NUMBERS, LABELS = standardised(load_diabetes), standardised(load_breast_cancer)
N, M = len(NUMBERS[1]), len(LABELS[1])
EXACT = {"tol": 1e-10}
#: How scikit-learn's logistic regression is told of L1: since 1.8 by the ratio alone.
OLD = linear_model.LogisticRegression().get_params()["penalty"] == "l2"
L1 = {"penalty": "l1"} if OLD else {"l1_ratio": 1.0}


def same(model, peer, rtol=1e-6):
    """Each parameter to 1e-6 of the largest."""
    expected = np.append(np.ravel(peer.coef_), peer.intercept_)
    found = np.append(np.ravel(model.coef_), model.intercept_)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * np.abs(expected).max())


@pytest.mark.parametrize(
    ("ours", "peer"),
    [
        (LinearRegressor(**EXACT), linear_model.LinearRegression()),
        (LinearRegressor(penalty="l2", alpha=3 / N, **EXACT), linear_model.Ridge(alpha=3.0)),
        (LinearRegressor(penalty="l1", alpha=2.0, **EXACT), linear_model.Lasso(alpha=2.0, tol=1e-14)),
        (
            LinearRegressor(penalty="elasticnet", alpha=0.3, l1_ratio=0.7, **EXACT),
            linear_model.ElasticNet(alpha=0.3, l1_ratio=0.7, tol=1e-14),
        ),
        (
            LinearRegressor(penalty=fl.ElasticNet(0.3, l1_ratio=0.7), alpha=9.0, **EXACT),
            linear_model.ElasticNet(alpha=0.3, l1_ratio=0.7, tol=1e-14),
        ),
        *(
            (
                LinearRegressor(loss, penalty="l2", alpha=0.01, **EXACT),
                kind(alpha=0.01, solver="newton-cholesky", tol=1e-12, **power),
            )
            for loss, kind, power in [
                ("poisson", linear_model.PoissonRegressor, {}),
                (fl.Gamma(), linear_model.GammaRegressor, {}),
                (fl.Tweedie(power=1.3), linear_model.TweedieRegressor, {"power": 1.3, "link": "log"}),
            ]
        ),
        *(
            (
                LinearRegressor(fl.Quantile(q=q), penalty="l1", alpha=0.05),
                linear_model.QuantileRegressor(quantile=q, alpha=0.05),
            )
            for q in (0.5, 0.9)
        ),
        (
            LinearRegressor(fl.AbsoluteError(), penalty="l1", alpha=0.1),
            linear_model.QuantileRegressor(quantile=0.5, alpha=0.05),
        ),
    ],
    ids=lambda model: repr(model)[:60],
)
def test_regressors_of_scikit_learn(ours, peer):
    X, y = NUMBERS
    same(ours.fit(X, y), peer.fit(X, y))
    np.testing.assert_allclose(ours.predict(X[:5]), peer.predict(X[:5]), rtol=1e-6)
    assert ours.score(X, y) == pytest.approx(ours.score(X, y))


def test_huber_at_its_scale():
    # Its objective is n·σ + Σ H(r/σ)·σ + α·|w|² with H = 2·Huber; σ fixed, that is 2n/σ times ours.
    X, y = NUMBERS
    peer = linear_model.HuberRegressor(epsilon=1.35, alpha=5.0, max_iter=1000, tol=1e-12, warm_start=True)
    for _ in range(
        20
    ):  # it stops once the value changes by less than 1e-9 of itself: begun again, it goes on
        peer.fit(X, y)
    sigma = peer.scale_
    ours = LinearRegressor(fl.Huber(1.35 * sigma), penalty="l2", alpha=5 * sigma / N, **EXACT).fit(X, y)
    same(ours, peer)


@pytest.mark.parametrize(
    ("ours", "peer"),
    [
        (
            LinearClassifier(penalty="l2", alpha=1 / (0.7 * M), **EXACT),
            linear_model.LogisticRegression(C=0.7, solver="newton-cholesky", tol=1e-12),
        ),
        (
            LinearClassifier(penalty="l2", alpha=1 / M, class_weight={0: 3, 1: 1}, **EXACT),
            None,
        ),
        # The intercept of liblinear is penalised: without it the models are the same.
        (
            LinearClassifier("hinge", penalty="l2", alpha=1 / (0.1 * M), fit_intercept=False, **EXACT),
            LinearSVC(C=0.1, loss="hinge", fit_intercept=False, tol=1e-8, max_iter=500_000),
        ),
        (
            LinearClassifier(fl.SquaredHinge(), penalty="l2", alpha=1 / M, fit_intercept=False, **EXACT),
            LinearSVC(C=1.0, dual=False, fit_intercept=False, tol=1e-13, max_iter=10_000),
        ),
        (
            LinearClassifier(penalty="l1", alpha=1 / (0.1 * M), fit_intercept=False, **EXACT),
            linear_model.LogisticRegression(
                C=0.1, **L1, solver="liblinear", fit_intercept=False, tol=1e-10, max_iter=10_000
            ),
        ),
    ],
    ids=lambda model: repr(model)[:60],
)
def test_classifiers_of_scikit_learn(ours, peer):
    X, y = LABELS
    ours.fit(X, y)
    if peer is None:
        weight = np.where(y == 0, 3.0, 1.0)
        C = M / weight.sum()  # the mean is over the weights
        peer = linear_model.LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12).fit(X, y, weight)
    else:
        peer.fit(X, y)
    same(ours, peer)
    np.testing.assert_array_equal(ours.predict(X), peer.predict(X))
    if hasattr(peer, "predict_proba"):
        np.testing.assert_allclose(ours.predict_proba(X), peer.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("convert", [np.asarray, scipy.sparse.csr_array, scipy.sparse.csc_matrix])
def test_several_classes(convert):
    X, y = load_digits(n_class=3, return_X_y=True)
    X = X[:, ::4] / 16
    peer = linear_model.LogisticRegression(C=0.1, solver="newton-cholesky", tol=1e-12).fit(X, y)
    model = LinearClassifier(penalty="l2", alpha=1 / (0.1 * len(y)), **EXACT).fit(convert(X), y)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6 * np.abs(peer.coef_).max())
    np.testing.assert_allclose(model.predict_proba(convert(X)), peer.predict_proba(X), atol=1e-7)
    single = clone(model).set_params(tol=1e-4).fit(convert(X).astype(np.float32), y)
    np.testing.assert_allclose(single.coef_, peer.coef_, atol=2e-3)


def test_a_loss_of_two_classes_is_fitted_for_each_of_several():
    X, y = load_digits(n_class=3, return_X_y=True)
    X = X[:, ::4] / 16
    model = LinearClassifier(fl.SquaredHinge(), penalty="l2", alpha=0.01, fit_intercept=False, **EXACT)
    peer = LinearSVC(C=1 / (0.01 * len(y)), dual=False, fit_intercept=False, tol=1e-13, max_iter=10_000)
    names = np.array(["a", "b", "c"])[y]
    np.testing.assert_allclose(model.fit(X, names).coef_, peer.fit(X, names).coef_, atol=1e-6)
    np.testing.assert_array_equal(model.predict(X), peer.predict(X))
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


EVERY = [
    info.cls()
    for info in fl.list_losses()
    if issubclass(info.cls, fl.PointwiseLoss) and info.has_gradient and info.has_hessian
]
REDESCENDING = fl.Cauchy | fl.Welsch | fl.Tukey


@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet"])
@pytest.mark.parametrize("of", EVERY, ids=lambda loss: loss.name)
def test_no_parameters_are_better(of, penalty, rng):
    if isinstance(of, fl.WassersteinCritic):
        return  # it has no minimum
    X = NUMBERS[0][:150, :4]
    y = 10 + (NUMBERS[1][:150] - 150) / 30
    alpha = 0.05
    cls = LinearRegressor
    if of.family == "binary":
        cls, y = LinearClassifier, (y > 10).astype(int)
    if isinstance(of, REDESCENDING):
        of = type(of)(c=20.0)
    model = cls(of, penalty=penalty, alpha=alpha, **EXACT).fit(X, y)
    made = {"l1": fl.L1(alpha), "l2": fl.L2(alpha), "elasticnet": fl.ElasticNet(alpha)}[penalty]
    objective = fl.LinearObjective(of, X, y, made)
    w = np.append(np.ravel(model.coef_), model.intercept_)
    value = objective(w)[0]
    # With several kinks a sample there is no exact solver: parabolas above the loss come near the minimum.
    slack = 1e-3 if of.kinked and of.kink is None else 1e-13
    for _ in range(200):
        step = rng.normal(size=len(w)) * 10 ** rng.uniform(-7, 0)
        step[rng.random(len(w)) < 0.5] = 0
        assert objective(w + step)[0] >= value - slack * abs(value) - 1e-15
    if penalty == "l2":
        fit = minimize(objective, objective.initial(), jac=True, method="L-BFGS-B")
        assert value <= fit.fun + max(slack, 1e-9) * abs(fit.fun) + 1e-15


def test_adaboosts_loss_and_the_support_vectors():
    X, y = LABELS
    X = X[:, :5]
    model = LinearClassifier(fl.Exponential(), **EXACT).fit(X, y)
    sign = 2 * y - 1

    def risk(w):
        each = np.exp(-sign * (X @ w[:-1] + w[-1]))
        return each.mean(), np.append(-(sign * each) @ X, -(sign @ each)) / len(y)

    fit = minimize(risk, np.zeros(6), jac=True, method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), fit.x, atol=1e-6)
    # With C·Σ[1 − m]₊ + ½|w|² the coefficients are Σ aᵢyᵢxᵢ of the samples within the margin, 0 ≤ aᵢ ≤ C.
    C = 1.0
    model = LinearClassifier("hinge", penalty="l2", alpha=1 / (C * len(y))).fit(X, y)
    margin = sign * model.decision_function(X)
    within = margin < 1 - 1e-9
    at_bound = C * (sign * within) @ X
    on_edge = np.abs(margin - 1) < 1e-9
    a = np.linalg.lstsq((sign[:, None] * X)[on_edge].T, (model.coef_[0] - at_bound), rcond=None)[0]
    np.testing.assert_allclose((a * sign[on_edge]) @ X[on_edge] + at_bound, model.coef_[0], atol=1e-8)
    assert 0 < on_edge.sum() <= 6


@pytest.mark.parametrize("epsilon", [0.0, 5.0, 60.0, 1e4])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_tolerance_is_a_linear_program(epsilon, weighted):
    """Σ sᵢtᵢ/Σ sᵢ + α Σ|βⱼ| with tᵢ ≥ ±(xᵢᵀβ + b − yᵢ) − ε, by HiGHS."""
    X, y = NUMBERS
    s = np.arange(N) % 3 + 0.5 if weighted else np.ones(N)
    d, alpha = X.shape[1], 0.02
    # Variables: the parts of β, the intercept, and t.
    columns = np.hstack([X, -X, np.ones((N, 1))])
    upper = np.block([[columns, -np.eye(N)], [-columns, -np.eye(N)]])
    cost = np.concatenate([np.full(2 * d, alpha), [0.0], s / s.sum()])
    bounds = [(0, None)] * (2 * d) + [(None, None)] + [(0, None)] * N
    least = linprog(cost, upper, np.concatenate([y + epsilon, epsilon - y]), bounds=bounds).fun
    chosen = fl.EpsilonInsensitive(epsilon=epsilon)
    model = LinearRegressor(chosen, penalty="l1", alpha=alpha).fit(X, y, sample_weight=s)
    found = chosen(y, model.predict(X), sample_weight=s) + alpha * np.abs(model.coef_).sum()
    assert least - 1e-9 <= found <= least + 1e-9 * max(1, least)


def test_support_vector_regression():
    X, y = NUMBERS
    C, epsilon = 0.5, 10.0
    peer = SVR(kernel="linear", C=C, epsilon=epsilon, tol=1e-9).fit(X, y)
    model = LinearRegressor(fl.EpsilonInsensitive(epsilon), penalty="l2", alpha=1 / (C * N)).fit(X, y)
    same(model, peer, 1e-5)
    objective = fl.LinearObjective(fl.EpsilonInsensitive(epsilon), X, y, fl.L2(1 / (C * N)))
    value, least = (objective(np.append(np.ravel(m.coef_), m.intercept_))[0] for m in (model, peer))
    assert value <= least * (1 + 1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lasso_of_columns_that_are_nearly_the_same(seed):
    """Descent along coordinates alone creeps here: the search over signs ends after a few systems."""
    rng, n = np.random.default_rng(seed), 5000
    X = rng.normal(size=(n, 20))
    X[:, 0] = np.arange(n) < 12
    X[:, 1] *= 1e4
    X[:, 2] *= 1e-4
    X[:, 3] = X[:, 4] + 1e-3 * rng.normal(size=n)
    X[:, 5] = rng.standard_t(1.5, n)
    score = 0.3 * X[:, 6] + X[:, 4] - 3
    counts = rng.poisson(np.exp(np.clip(score, -5, 2))).astype(float)
    for chosen in (fl.Poisson(), fl.LogCosh(), fl.Huber()):
        y = counts if chosen == fl.Poisson() else score + rng.standard_t(2, n)
        model = LinearRegressor(chosen, penalty="l1", alpha=1e-4, solver="newton", max_iter=40)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            coef = model.fit(X, y).coef_
        slopes = fl.LinearObjective(chosen, X, y)(np.append(coef, model.intercept_))[1][:-1]
        at_zero = np.maximum(np.abs(slopes) - 1e-4, 0)
        assert np.where(coef != 0, np.abs(slopes + 1e-4 * np.sign(coef)), at_zero).max() <= 1.001e-6


def test_integers_are_counted_as_unique_sorts_them(rng):
    for labels in [
        rng.integers(-5, 5, 100).astype(np.int8),
        np.array([-128, 127, 0], np.int8),
        rng.integers(0, 3, 50).astype(np.uint64) + np.uint64(2**63),
        rng.integers(0, 3, 50) - 2**62,
        np.array([0, 10**9, 0]),
        np.array([2**64 - 1, 2**64 - 3, 2**64 - 1], np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        rng.integers(0, 900, 1500).astype(">i2"),
        rng.integers(0, 2, 20).astype(bool),
    ]:
        classes, codes = encoded(labels)
        expected, places = np.unique(labels, return_inverse=True)
        np.testing.assert_array_equal(classes, expected)
        np.testing.assert_array_equal(codes, places)
        assert classes.dtype == expected.dtype


def test_weights_are_repetitions():
    X, y = NUMBERS
    w = np.random.default_rng(0).integers(0, 4, N)
    for loss in (fl.LogCosh(), fl.Quantile(q=0.3), fl.Poisson()):
        model = LinearRegressor(loss, penalty="l2", alpha=0.1, **EXACT)
        again = clone(model).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
        same(model.fit(X, y, w), again)


def test_paths_and_warm_starts():
    X, y = NUMBERS
    alphas = [0.5, 30.0, 5.0]
    models = path(LinearRegressor(penalty="l1", **EXACT), X, y, alphas)
    for alpha, model in zip(alphas, models, strict=True):
        assert model.alpha == alpha
        same(model, linear_model.Lasso(alpha=alpha, tol=1e-14).fit(X, y))
    model = LinearRegressor(fl.LogCosh(), warm_start=True).fit(X, y)
    first = model.n_iter_
    assert model.fit(X, y).n_iter_ == 1 < first
    with pytest.raises(ValueError, match="must be named"):
        path(LinearRegressor(penalty=fl.L1(1.0)), X, y, [1.0])


@pytest.mark.parametrize("estimator", [LinearRegressor(), LinearClassifier()], ids=repr)
def test_scikit_learns_checks(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(estimator)


def test_searched_pickled_and_many_features(rng):
    X, y = LABELS
    losses = ["bce", fl.BinaryFocal(), fl.Hinge()]
    search = GridSearchCV(LinearClassifier(penalty="l2", alpha=0.01), {"loss": losses}, cv=3).fit(X, y)
    assert search.best_score_ > 0.95
    model = search.best_estimator_
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    # Of so many parameters no matrix is made.
    X = scipy.sparse.random_array((300, 700), density=0.05, rng=rng, format="csr")
    y = X @ rng.normal(size=700) + rng.normal(size=300)
    for penalty, peer in [("l2", linear_model.Ridge(alpha=30.0)), ("l1", linear_model.Lasso(alpha=0.01))]:
        alpha = 0.1 if penalty == "l2" else 0.01
        model = LinearRegressor(penalty=penalty, alpha=alpha, tol=1e-9).fit(X, y)
        np.testing.assert_allclose(model.coef_, peer.set_params(tol=1e-10).fit(X, y).coef_, atol=1e-5)


def test_what_to_set():
    X, y = LABELS
    with pytest.raises(ValueError, match=r"penalty must be 'l1', 'l2', 'elasticnet'.*got 'l3'"):
        LinearClassifier(penalty="l3").fit(X, y)
    with pytest.raises(TypeError, match="penalty must be"):
        LinearClassifier(penalty=1.0).fit(X, y)
    with pytest.raises(ValueError, match=r"solver must be one of 'auto'.*got 'sag'"):
        LinearClassifier(solver="sag").fit(X, y)
    with pytest.raises(ValueError, match=r"'newton' is not for Hinge\(\)"):
        LinearClassifier("hinge", solver="newton").fit(X, y)
    with pytest.raises(ValueError, match=r"take a Classifier"):
        LinearRegressor("bce").fit(X, y)
    with pytest.raises(ValueError, match="one class alone"):
        LinearClassifier().fit(X, np.zeros(M))
    with pytest.raises(ValueError, match="max_iter must be"):
        LinearClassifier(max_iter=0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="increase max_iter=1"):
        LinearClassifier(max_iter=1, penalty="l2", alpha=0.01).fit(X, y)
    assert not hasattr(LinearClassifier("hinge"), "predict_proba")
