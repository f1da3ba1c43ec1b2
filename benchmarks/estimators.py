"""Held out: the boosting estimators beside the libraries' own losses, and beside the bare objective.

``python -m benchmarks.estimators`` prints the table of docs/boosting.md, in about a minute. Each cell is the
mean over seeds of the loss on the third of the rows that was held out, divided by that of the library's own
loss; *own* is that loss itself, with its standard deviation over the seeds. *bare* is `objective(loss)` in
the library's own estimator, without a start, but with the right link.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import catboost
import lightgbm
import numpy as np
import xgboost
from sklearn import datasets

import fastloss as fl
from fastloss.adapters import catboost as for_catboost
from fastloss.adapters import lightgbm as for_lightgbm
from fastloss.adapters import xgboost as for_xgboost

ROUNDS, RATE = 50, 0.1
PARAMETERS: dict[str, dict[str, Any]] = {
    "XGBoost": {"n_estimators": ROUNDS, "learning_rate": RATE, "n_jobs": 1},
    "LightGBM": {"n_estimators": ROUNDS, "learning_rate": RATE, "n_jobs": 1, "verbose": -1},
    "CatBoost": {
        "iterations": ROUNDS,
        "learning_rate": RATE,
        "thread_count": 1,
        "verbose": 0,
        "allow_writing_files": False,
    },
}
MODULES = {"XGBoost": for_xgboost, "LightGBM": for_lightgbm, "CatBoost": for_catboost}
OWN = {
    "XGBoost": (xgboost.XGBRegressor, xgboost.XGBClassifier),
    "LightGBM": (lightgbm.LGBMRegressor, lightgbm.LGBMClassifier),
    "CatBoost": (catboost.CatBoostRegressor, catboost.CatBoostClassifier),
}


@dataclass(frozen=True)
class Task:
    """A data set and a loss, and what each library calls it."""

    data: str
    loss: fl.Loss
    own: dict[str, dict[str, Any]]

    @property
    def is_classifier(self) -> bool:
        return self.loss.family != "regression"


def _own(xgboost: Any, lightgbm: Any, catboost: Any) -> dict[str, dict[str, Any]]:
    return {"XGBoost": xgboost, "LightGBM": lightgbm, "CatBoost": catboost}


TASKS = [
    Task("diabetes", fl.HalfSquaredError(), _own({}, {}, {})),
    Task(
        "diabetes",
        fl.AbsoluteError(),
        _own({"objective": "reg:absoluteerror"}, {"objective": "l1"}, {"loss_function": "MAE"}),
    ),
    Task(
        "diabetes",
        fl.Quantile(q=0.9),
        _own(
            {"objective": "reg:quantileerror", "quantile_alpha": 0.9},
            {"objective": "quantile", "alpha": 0.9},
            {"loss_function": "Quantile:alpha=0.9"},
        ),
    ),
    Task(
        "diabetes",
        fl.Poisson(),
        _own({"objective": "count:poisson"}, {"objective": "poisson"}, {"loss_function": "Poisson"}),
    ),
    Task("breast_cancer", fl.BinaryCrossEntropy(), _own({}, {}, {})),
    Task("wine", fl.CrossEntropy(), _own({}, {}, {})),
    Task("digits", fl.CrossEntropy(), _own({}, {}, {})),
]


def held_out(task: Task, library: str, route: str, x: Any, y: Any, seed: int) -> float:
    """Return the loss on the rows held out, by what the model predicts."""
    order = np.random.default_rng(seed).permutation(len(y))
    cut = 2 * len(order) // 3
    train, test = order[:cut], order[cut:]
    module, kind = MODULES[library], OWN[library][task.is_classifier]
    parameters = {**PARAMETERS[library]}
    if route == "own":
        model = kind(**parameters, **task.own[library]).fit(x[train], y[train])
    elif route == "estimator":
        estimator = module.Classifier if task.is_classifier else module.Regressor
        model = estimator(loss=task.loss, **parameters).fit(x[train], y[train])
    else:
        model = bare(task, library, kind, parameters).fit(x[train], y[train])
    return by_prediction(task, predicted(task, library, route, model, x[test]), y[test])


def bare(task: Task, library: str, kind: Any, parameters: dict[str, Any]) -> Any:
    """Return the library's estimator with the loss as an objective."""
    objective = MODULES[library].objective(task.loss)
    if library == "CatBoost":
        n = (
            {"classes_count": {"wine": 3, "digits": 10}[task.data]}
            if task.loss.family == "multiclass"
            else {}
        )
        metric = for_catboost.metric(task.loss)
        return kind(loss_function=objective, eval_metric=metric, **n, **parameters)
    return kind(objective=objective, **parameters)


def predicted(task: Task, library: str, route: str, model: Any, x: Any) -> Any:
    """Return predictions, of bare objectives through the loss's link."""
    if route == "bare" and library == "LightGBM":
        return MODULES[library].predictions(task.loss, model.predict(x, raw_score=True))
    if route == "bare" and library == "CatBoost":
        return MODULES[library].predictions(task.loss, model.predict(x, prediction_type="RawFormulaVal"))
    if task.is_classifier:
        p = model.predict_proba(x)
        return p[:, 1] if task.loss.family == "binary" else p
    if library == "CatBoost" and isinstance(task.loss, fl.Poisson) and route == "own":
        return model.predict(x, prediction_type="Exponent")
    p = model.predict(x)
    return MODULES[library].predictions(task.loss, p) if route == "bare" else p


def by_prediction(task: Task, p: Any, y: Any) -> float:
    """Return the loss of predictions: of probabilities, of means."""
    p = np.asarray(p, np.float64)
    if task.loss.family == "binary":
        return float(fl.BinaryCrossEntropy(from_logits=False)(y, p))
    if task.loss.family == "multiclass":
        return float(fl.CrossEntropy()(y, np.log(np.maximum(p, 1e-15))))
    if isinstance(task.loss, fl.Poisson):
        return float(2 * np.mean(np.where(y > 0, y * np.log(y / p), 0) - y + p))  # the deviance
    return float(task.loss(y, p))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args(arguments).seeds)
    warnings.simplefilter("ignore")
    print("| data | loss |" + "".join(f" {name}: own | bare | estimator |" for name in MODULES))
    print("|---|---|" + "---|---|---|" * len(MODULES))
    for task in TASKS:
        load: Callable[..., Any] = getattr(datasets, f"load_{task.data}")
        x, y = load(return_X_y=True)
        cells = []
        for library in MODULES:
            routes = ("own", "bare", "estimator")
            found = {r: np.array([held_out(task, library, r, x, y, s) for s in seeds]) for r in routes}
            own = found["own"]
            ratios = [f"{np.mean(found[r]) / np.mean(own):.3f}" for r in routes[1:]]
            cells += [f"{np.mean(own):.4g} ± {np.std(own, ddof=min(1, len(own) - 1)):.2g}", *ratios]
        name = repr(task.loss).partition("(from_logits")[0].removesuffix("()")
        print(f"| {task.data} | `{name}` | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
