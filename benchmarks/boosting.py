"""What an objective costs inside a boosting library: its share of the time that training takes.

``python -m benchmarks.boosting`` trains on synthetic data with the focal loss, in XGBoost and LightGBM with
one and two threads of the objective's own, and prints the median times of a call and of a round, and what
share the one is of the other; ``--numpy`` adds the same objective in NumPy. They are trained in turn, and of
each the training with the fastest rounds counts.
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

FORMULA = fl.formula(
    "softplus(-m)*sigmoid(-m)**g", where={"m": "(2*y - 1)*z"}, targets="{0, 1}", g=2.0, name="focal"
)


class Timed:
    """A function, and when it was called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.begins: list[float] = []
        self.seconds: list[float] = []

    def __call__(self, y_pred: Any, data: Any) -> Any:
        begin = time.perf_counter()
        result = self.function(y_pred, data)
        self.seconds.append(time.perf_counter() - begin)
        self.begins.append(begin)
        return result

    def __deepcopy__(self, memo: Any) -> Timed:
        """Return the object itself, since LightGBM copies its parameters and calls the copy."""
        return self

    def medians(self) -> tuple[float, float]:
        """Seconds of a round, from call to call, and of a call."""
        return float(np.median(np.diff(self.begins))), float(np.median(self.seconds))


def numpy_focal(y_pred: Any, data: Any, gamma: float = 2.0) -> Any:
    """Gradient and |Hessian| of the focal loss as one writes them in NumPy."""
    u = np.where(data.get_label() > 0, -y_pred, y_pred)
    q = 1 / (1 + np.exp(-u))
    r, log = 1 - q, np.logaddexp(0, u)
    power = q**gamma
    gradient = power * (gamma * r * log + q) * np.where(data.get_label() > 0, -1, 1)
    hessian = power * r * (gamma * log * (gamma * r - q) + (2 * gamma + 1) * q)
    return gradient, np.abs(hessian)


def xgboost_trainer(x: Any, y: Any, threads: int) -> Callable[[Timed, int], None]:
    """Return a function that trains with an objective for so many rounds."""
    data = xgboost.DMatrix(x, y, nthread=threads)
    parameters = {"nthread": threads, "max_depth": 6, "tree_method": "hist"}
    return lambda objective, rounds: xgboost.train(parameters, data, rounds, obj=objective)


def lightgbm_trainer(x: Any, y: Any, threads: int) -> Callable[[Timed, int], None]:
    """Return a function that trains with an objective for so many rounds."""
    data = lightgbm.Dataset(x, y, params={"num_threads": threads, "verbosity": -1}).construct()
    parameters = {"num_threads": threads, "num_leaves": 63, "verbosity": -1}
    return lambda objective, rounds: lightgbm.train({**parameters, "objective": objective}, data, rounds)


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
    libraries = {"xgboost": (xgboost_trainer, for_xgboost), "lightgbm": (lightgbm_trainer, for_lightgbm)}
    print("| library | objective | threads of its own | ms/call | ms/round | share of a round |")
    print("|---|---|---|---|---|---|")
    for library in options.library or libraries:
        trainer, adapter = libraries[library]
        train = trainer(x, y, options.threads)
        made: dict[tuple[str, str], Callable[..., Any]] = {
            ("focal", str(n)): adapter.objective(fl.BinaryFocal(), n_threads=n) for n in (1, 2)
        }
        made["focal as a formula", "1"] = adapter.objective(FORMULA, n_threads=1)
        if options.numpy:
            made["focal in NumPy", "1"] = numpy_focal
        best: dict[tuple[str, str], tuple[float, float]] = {}
        for _ in range(options.repeat):
            for key, function in made.items():
                objective = Timed(function)
                train(objective, options.rounds)
                best[key] = min(best.get(key, (np.inf, 0.0)), objective.medians())
        for (name, threads), (turn, call) in best.items():
            print(
                f"| {library} | {name} | {threads} | {1e3 * call:.2f} | {1e3 * turn:.1f} "
                f"| {100 * call / turn:.1f} % |",
                flush=True,
            )
    print(f"\nCatBoost, a block of 500 rows: {1e6 * catboost_call(500):.1f} µs a call")


if __name__ == "__main__":
    main()
