"""``python -m benchmarks.linear_model``: linear models beside scikit-learn, liblinear and glum.

Each line is a model of one size: seconds of `fastloss.linear_model`, then how many times as long the others
take for the same optimum, and how far above the lowest value found each stopped, relative to it. All are
timed in turn, each keeps its fastest time, on one thread of BLAS.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import fastloss as fl
from fastloss.linear_model import LinearClassifier, LinearRegressor

SIZES = ((10_000, 20), (100_000, 50))
#: What scikit-learn's models and glum stop at, where ours would go on to 1e-6.
TOLERANCE = 1e-4
Fit = Callable[[Any, Any], Any]


def sample(n: int, p: int) -> tuple[Any, Any]:
    """Return correlated features and scores that they explain in part."""
    rng = np.random.default_rng(n + p)
    X = rng.standard_normal((n, p))
    X[:, 1:] += 0.5 * X[:, :1]
    return X, X @ rng.standard_normal(p) / np.sqrt(p)


def tasks(n: int, p: int) -> Iterator[tuple[str, Any, Any, Any, float, Fit, dict[str, Fit]]]:
    """Return name, data, loss, strength of the penalty and the fits, which return the parameters."""
    from sklearn import linear_model as skl
    from sklearn.svm import LinearSVC

    rng = np.random.default_rng(1)
    X, z = sample(n, p)
    labels = (z + rng.logistic(size=n) > 0).astype(int)
    counts = rng.poisson(np.exp(0.5 * z)).astype(float)
    numbers = z + rng.standard_t(3, n)

    def of(model: Any) -> Fit:
        def fit(X: Any, y: Any) -> Any:
            fitted = model.fit(X, y)
            return np.append(np.ravel(fitted.coef_), fitted.intercept_)

        return fit

    def glum(family: str, alpha: float, l1_ratio: float = 0.0) -> dict[str, Fit]:
        try:
            from glum import GeneralizedLinearRegressor
        except ImportError:
            return {}
        return {"glum": of(GeneralizedLinearRegressor(family=family, alpha=alpha, l1_ratio=l1_ratio))}

    a = 1 / n
    yield (
        "logistic, L2", (X, labels), fl.BinaryCrossEntropy(), fl.L2(a), a,
        of(LinearClassifier(penalty="l2", alpha=a, tol=TOLERANCE)),
        {
            "lbfgs": of(skl.LogisticRegression(max_iter=1000)),
            "newton-cholesky": of(skl.LogisticRegression(solver="newton-cholesky")),
            **glum("binomial", a),
        },
    )  # fmt: skip
    yield (
        "logistic, L1", (X, labels), fl.BinaryCrossEntropy(), fl.L1(0.01), 0.01,
        of(LinearClassifier(penalty="l1", alpha=0.01, tol=TOLERANCE)),
        {
            "saga": of(skl.LogisticRegression(l1_ratio=1.0, C=1 / (0.01 * n), solver="saga", max_iter=1000)),
            **glum("binomial", 0.01, 1.0),
        },
    )  # fmt: skip
    yield (
        "Poisson, L2", (X, counts), fl.Poisson(), fl.L2(1e-3), 1e-3,
        of(LinearRegressor("poisson", penalty="l2", alpha=1e-3, tol=TOLERANCE)),
        {
            "lbfgs": of(skl.PoissonRegressor(alpha=1e-3, max_iter=1000)),
            "newton-cholesky": of(skl.PoissonRegressor(alpha=1e-3, solver="newton-cholesky")),
            **glum("poisson", 1e-3),
        },
    )  # fmt: skip
    yield (
        "ridge", (X, numbers), fl.HalfSquaredError(), fl.L2(a), a,
        of(LinearRegressor(penalty="l2", alpha=a)), {"Ridge": of(skl.Ridge())},
    )  # fmt: skip
    yield (
        "elastic net", (X, numbers), fl.HalfSquaredError(), fl.ElasticNet(0.02), 0.02,
        of(LinearRegressor(penalty="elasticnet", alpha=0.02)),
        {"ElasticNet": of(skl.ElasticNet(alpha=0.02)), **glum("gaussian", 0.02, 0.5)},
    )  # fmt: skip
    if n <= 10_000:
        yield (
            "quantile 0.9", (X, numbers), fl.Quantile(q=0.9), fl.L1(0.001), 0.001,
            of(LinearRegressor(fl.Quantile(q=0.9), penalty="l1", alpha=0.001)),
            {"QuantileRegressor": of(skl.QuantileRegressor(quantile=0.9, alpha=0.001))},
        )  # fmt: skip
    yield (
        "hinge, L2, no intercept", (X, labels), fl.Hinge(), fl.L2(a), a,
        of(LinearClassifier("hinge", penalty="l2", alpha=a, fit_intercept=False)),
        {"liblinear": of(LinearSVC(loss="hinge", fit_intercept=False, max_iter=1000))},
    )  # fmt: skip
    yield (
        "squared hinge, L2, no intercept", (X, labels), fl.SquaredHinge(), fl.L2(0.5 * a), a,
        of(LinearClassifier(fl.SquaredHinge(), penalty="l2", alpha=0.5 * a, fit_intercept=False)),
        {"liblinear": of(LinearSVC(fit_intercept=False, C=2.0, dual=False))},
    )  # fmt: skip


def timed(fits: dict[str, Fit], X: Any, y: Any, budget: float) -> tuple[dict[str, float], dict[str, Any]]:
    """Time each in turn, and return its fastest time and what it found."""
    seconds, found = dict.fromkeys(fits, np.inf), {}
    begin = time.perf_counter()
    while True:
        for name, fit in fits.items():
            start = time.perf_counter()
            found[name] = fit(X, y)
            seconds[name] = min(seconds[name], time.perf_counter() - start)
        if time.perf_counter() - begin > budget:
            return seconds, found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=1.0, help="seconds for each line")
    budget = parser.parse_args(arguments).budget
    warnings.simplefilter("ignore")
    print("| model | n × features | seconds | above | others: times as long (above) |")
    print("|---|---|---|---|---|")
    with threadpool_limits(1):
        for n, p in SIZES:
            for name, (X, y), loss, penalty, _, ours, others in tasks(n, p):
                seconds, found = timed({"fastloss": ours, **others}, X, y, budget)
                intercept = "no intercept" not in name
                objective = fl.LinearObjective(loss, X, y, penalty, intercept)
                value = {k: objective(w if intercept else w[:-1])[0] for k, w in found.items()}
                least = min(value.values())
                above = {k: (v - least) / abs(least) for k, v in value.items()}
                rest = ", ".join(
                    f"{k} {seconds[k] / seconds['fastloss']:.1f} ({above[k]:.0e})" for k in others
                )
                own = f"{seconds['fastloss']:.4f} | {above['fastloss']:.0e}"
                print(f"| {name} | {n:,} × {p} | {own} | {rest} |", flush=True)


if __name__ == "__main__":
    main()
