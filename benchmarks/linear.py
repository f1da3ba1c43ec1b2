"""``python -m benchmarks.linear``: the time to the optimum of linear models, beside scikit-learn's.

Each line is one model on one size of data. scikit-learn's estimator, and ``LinearObjective`` under
``scipy.optimize.minimize``, minimise the same function by the same method from the same point until the same
tolerance; for ridge scikit-learn solves the normal equations instead. Columns: seconds of either, how many
times longer scikit-learn takes, iterations of either, and how far above the lowest value found either
stopped, relative to it. Both are timed in turn and keep their fastest time.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from scipy.optimize import minimize

import fastloss as fl
from benchmarks.report import describe_machine, write_json

SIZES = ((1_000, 10), (10_000, 20), (100_000, 50), (1_000_000, 50))
LAYOUTS = ("C", "F", "float32", "csr")
TOLERANCE = 1e-4

#: The share of nonzeros in a sparse X.
DENSITY = 0.1


class Outcome(NamedTuple):
    w: np.ndarray
    iterations: int


class Model(NamedTuple):
    """A model: its data, its objective, and how scikit-learn reaches the optimum."""

    sample: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    loss: fl.Loss
    alpha: Callable[[int], float]
    method: str
    peer: Callable[[Any, np.ndarray], Any]


def _labels(z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (z[:, 0] + rng.logistic(size=len(z)) > 0).astype(np.float64)


def _classes(z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.argmax(z + rng.gumbel(size=z.shape), axis=1)


def _counts(z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(np.exp(0.3 * z[:, 0])).astype(np.float64)


def _numbers(z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return z[:, 0] + rng.standard_t(3, size=len(z))


def _logistic(solver: str) -> Callable[[Any, np.ndarray], Any]:
    def fit(X: Any, y: np.ndarray) -> Any:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(solver=solver, tol=TOLERANCE, max_iter=1000).fit(X, y)

    return fit


def _poisson(X: Any, y: np.ndarray) -> Any:
    from sklearn.linear_model import PoissonRegressor

    return PoissonRegressor(alpha=1e-3, tol=TOLERANCE, max_iter=1000).fit(X, y)


def _ridge(X: Any, y: np.ndarray) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=1.0).fit(X, y)


MODELS = {
    "logistic": Model(_labels, fl.BinaryCrossEntropy(), lambda n: 1 / n, "L-BFGS-B", _logistic("lbfgs")),
    "logistic, Newton-CG": Model(
        _labels, fl.BinaryCrossEntropy(), lambda n: 1 / n, "Newton-CG", _logistic("newton-cg")
    ),
    "multinomial, 5 classes": Model(
        _classes, fl.CrossEntropy(), lambda n: 1 / n, "L-BFGS-B", _logistic("lbfgs")
    ),
    "Poisson": Model(_counts, fl.Poisson(), lambda n: 1e-3, "L-BFGS-B", _poisson),
    "ridge": Model(_numbers, fl.HalfSquaredError(), lambda n: 1 / n, "L-BFGS-B", _ridge),
}


def sample(model: Model, n: int, n_features: int, layout: str) -> tuple[Any, np.ndarray]:
    """Correlated features and targets that a linear model explains in part."""
    rng = np.random.default_rng(n + n_features)
    X = rng.standard_normal((n, n_features))
    X[:, 1:] += 0.5 * X[:, :1]
    if layout == "csr":
        X *= rng.random((n, n_features)) < DENSITY
    n_outputs = 5 if model.loss.family == "multiclass" else 1
    y = model.sample(X @ rng.standard_normal((n_features, n_outputs)) / np.sqrt(n_features), rng)
    if layout == "csr":
        return scipy.sparse.csr_array(X), y
    return np.asarray(
        X, dtype="float32" if layout == "float32" else None, order="F" if layout == "F" else "C"
    ), y


def minimise(model: Model, X: Any, y: np.ndarray) -> Outcome:
    """Reach the optimum with LinearObjective, by scikit-learn's own settings of scipy's method."""
    objective = fl.LinearObjective(model.loss, X, y, fl.L2(model.alpha(X.shape[0])))
    if model.method == "Newton-CG":
        fit = minimize(
            objective, objective.initial(), jac=True, hessp=objective.hessp, method="Newton-CG",
            options={"xtol": TOLERANCE},
        )  # fmt: skip
    else:
        options = {"maxiter": 1000, "maxls": 50, "gtol": TOLERANCE, "ftol": 64 * np.finfo(float).eps}
        fit = minimize(objective, objective.initial(), jac=True, method="L-BFGS-B", options=options)
    return Outcome(fit.x, fit.nit)


def fit_peer(model: Model, X: Any, y: np.ndarray) -> Outcome:
    fitted = model.peer(X, y)
    w = np.column_stack([np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_)]).ravel()
    return Outcome(w, int(np.max(getattr(fitted, "n_iter_", None) or 1)))


def measure(model: Model, n: int, n_features: int, layout: str, rounds: int) -> dict[str, Any]:
    """Seconds, iterations and distances from the lowest value of both contenders."""
    X, y = sample(model, n, n_features, layout)
    contenders = {"fastloss": minimise, "sklearn": fit_peer}
    seconds, outcomes = dict.fromkeys(contenders, np.inf), {}
    for _ in range(rounds):
        for name, run in contenders.items():
            began = time.perf_counter()
            outcomes[name] = run(model, X, y)
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    exact = X.astype(np.float64) if layout == "float32" else X
    judge = fl.LinearObjective(model.loss, exact, y, fl.L2(model.alpha(n)))
    values = {name: judge(outcome.w)[0] for name, outcome in outcomes.items()}
    lowest = min(values.values())
    return {
        "seconds": seconds,
        "iterations": {name: outcome.iterations for name, outcome in outcomes.items()},
        "above": {name: (value - lowest) / abs(lowest) for name, value in values.items()},
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark that the command line asks for."""
    from threadpoolctl import threadpool_limits

    parser = argparse.ArgumentParser(prog="python -m benchmarks.linear", description=__doc__)
    parser.add_argument("--model", action="append", choices=MODELS, help="only this model (may be repeated)")
    parser.add_argument("--size", action="append", metavar="NxD", help="such as 1000x10 (may be repeated)")
    parser.add_argument("--layout", action="append", choices=LAYOUTS, help="of X (default C)")
    parser.add_argument("--threads", type=int, default=1, help="threads of everything timed (default 1)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed (default 3)")
    parser.add_argument("--json", metavar="FILE", help="write every time measured to FILE")
    options = parser.parse_args(arguments)
    sizes = [tuple(map(int, size.split("x"))) for size in options.size or []] or SIZES
    machine = describe_machine(options.threads)
    print(*(f"{key}: {value}" for key, value in machine.items()), sep="\n", end="\n\n")
    print(
        f"{'model':24} {'n':>9} {'features':>8} {'X':8} {'seconds':>9} {'sklearn':>9} {'ratio':>6}"
        f" {'iterations':>10} {'sklearn':>7} {'above':>8} {'sklearn':>8}",
        flush=True,
    )
    records = []
    for name, (n, n_features), layout in itertools.product(
        options.model or MODELS, sizes, options.layout or LAYOUTS[:1]
    ):
        with threadpool_limits(options.threads), fl.num_threads(options.threads):
            found = measure(MODELS[name], n, n_features, layout, options.rounds)
        ours, theirs = found["seconds"].values()
        columns = [*found["iterations"].values(), *found["above"].values()]
        print(
            f"{name:24} {n:>9,} {n_features:>8} {layout:8} {ours:9.4f} {theirs:9.4f} {theirs / ours:6.2f}"
            f" {columns[0]:>10} {columns[1]:>7} {columns[2]:8.0e} {columns[3]:8.0e}",
            flush=True,
        )
        records.append({"model": name, "n": n, "features": n_features, "layout": layout, **found})
    write_json(options.json, machine, records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
