"""What an objective costs inside a boosting library: its share of the time that training takes.

``python -m benchmarks.boosting`` trains on synthetic data with the focal loss, in XGBoost and LightGBM with
one and two threads of the objective's own, and prints the median time of a call and the share of training
that all calls take; ``--numpy`` adds the same objective in NumPy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import xgboost

import fastloss as fl
from fastloss.adapters import catboost as for_catboost
from fastloss.adapters import lightgbm as for_lightgbm
from fastloss.adapters import xgboost as for_xgboost


class Timed:
    """A function, and the time spent in it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.seconds: list[float] = []

    def __call__(self, y_pred: Any, data: Any) -> Any:
        begin = time.perf_counter()
        result = self.function(y_pred, data)
        self.seconds.append(time.perf_counter() - begin)
        return result


def numpy_focal(y_pred: Any, data: Any, gamma: float = 2.0) -> Any:
    """Gradient and |Hessian| of the focal loss as one writes them in NumPy."""
    u = np.where(data.get_label() > 0, -y_pred, y_pred)
    q = 1 / (1 + np.exp(-u))
    r, log = 1 - q, np.logaddexp(0, u)
    power = q**gamma
    gradient = power * (gamma * r * log + q) * np.where(data.get_label() > 0, -1, 1)
    hessian = power * r * (gamma * log * (gamma * r - q) + (2 * gamma + 1) * q)
    return gradient, np.abs(hessian)


def train_xgboost(objective: Timed, x: Any, y: Any, rounds: int, threads: int) -> float:
    """Seconds that training took."""
    data = xgboost.DMatrix(x, y, nthread=threads)
    data.get_label()
    parameters = {"nthread": threads, "max_depth": 6, "tree_method": "hist"}
    xgboost.train(parameters, data, 1)  # makes the histogram bins
    begin = time.perf_counter()
    xgboost.train(parameters, data, rounds, obj=objective)
    return time.perf_counter() - begin


def train_lightgbm(objective: Timed, x: Any, y: Any, rounds: int, threads: int) -> float:
    """Seconds that training took."""
    data = lightgbm.Dataset(x, y, params={"num_threads": threads, "verbosity": -1}).construct()
    parameters = {"num_threads": threads, "num_leaves": 63, "verbosity": -1, "objective": objective}
    begin = time.perf_counter()
    lightgbm.train(parameters, data, rounds)
    return time.perf_counter() - begin


def catboost_call(rows: int) -> float:
    """Seconds of one call on a block, the fastest of many."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=rows), rng.integers(0, 2, rows).astype(np.float32)
    objective, fastest = for_catboost.objective(fl.BinaryFocal()), np.inf
    for _ in range(2000):
        begin = time.perf_counter()
        objective.calc_ders_range(z, y, None)
        fastest = min(fastest, time.perf_counter() - begin)
    return fastest


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2, help="of the library")
    parser.add_argument("--library", choices=["xgboost", "lightgbm"], action="append")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--numpy", action="store_true")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    x = rng.random((options.rows, options.features), dtype=np.float32)
    y = (x[:, 0] + x[:, 1] * x[:, 2] + rng.random(options.rows) > 1.2).astype(np.float32)
    libraries = {"xgboost": (train_xgboost, for_xgboost), "lightgbm": (train_lightgbm, for_lightgbm)}
    print("| library | objective | threads of its own | ms/call | share of training |")
    print("|---|---|---|---|---|")
    for library in options.library or libraries:
        train, adapter = libraries[library]
        made: dict[tuple[str, str], Callable[..., Any]] = {
            ("focal", str(n)): adapter.objective(fl.BinaryFocal(), n_threads=n) for n in (1, 2)
        }
        if options.numpy:
            made["focal in NumPy", "1"] = numpy_focal
        best: dict[tuple[str, str], tuple[float, float]] = {}
        for _ in range(options.repeat):
            for key, function in made.items():
                objective = Timed(function)
                total = train(objective, x, y, options.rounds, options.threads)
                spent = sum(objective.seconds)
                call = float(np.median(objective.seconds))
                best[key] = min(best.get(key, (np.inf, 0.0)), (call, spent / total))
        for (name, threads), (call, share) in best.items():
            print(f"| {library} | {name} | {threads} | {1e3 * call:.2f} | {100 * share:.1f} % |", flush=True)
    print(f"\nCatBoost, a block of 500 rows: {1e6 * catboost_call(500):.1f} µs a call")


if __name__ == "__main__":
    main()
