"""Which curvature trains: every loss, every curvature it has, in XGBoost and LightGBM.

``python -m benchmarks.curvature`` prints the table of docs/boosting.md; it takes some minutes on one thread.

A cell is one training: data set, seed, scale of the targets (1 and 100 for regression), library and
regularisation (the defaults; none; strong), 50 rounds from the best constant score, where the libraries' own
objectives start too. It *fails* by diverging (the training loss is not finite or above that of the constant)
or by collapsing (it is hardly below it).
What the others reach is compared on held-out rows, relative to the best constant.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import xgboost
from sklearn import datasets

import fastloss as fl
from fastloss.adapters import lightgbm as for_lightgbm
from fastloss.adapters import xgboost as for_xgboost
from fastloss.adapters._boosting import CURVATURES

ROUNDS = 50
#: A training loss above this share of the best constant's is a collapse.
COLLAPSED = 0.97

XGBOOST = {
    "default": {},
    "weak": {"lambda": 0, "min_child_weight": 0},
    "strong": {"lambda": 10, "max_depth": 4},
}
# At 0 LightGBM stops with an error where it splits a leaf whose sum of Hessians is a rounding error.
LIGHTGBM = {
    "default": {},
    "weak": {"lambda_l2": 0, "min_sum_hessian_in_leaf": 1e-6, "min_data_in_leaf": 5},
    "strong": {"lambda_l2": 10, "min_sum_hessian_in_leaf": 0.01, "num_leaves": 15},
}


@dataclass(frozen=True)
class Problem:
    """A data set, split in two."""

    name: str
    x: np.ndarray
    y: np.ndarray
    n_classes: int = 1

    def halves(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Indices to train on (two thirds) and to test on."""
        order = np.random.default_rng(seed).permutation(len(self.y))
        cut = 2 * len(order) // 3
        return order[:cut], order[cut:]


def _heavy_tailed(seed: int, n: int = 900) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random((n, 6))
    signal = np.sin(np.pi * x[:, 0] * x[:, 1]) * 2 + 4 * (x[:, 2] - 0.5) ** 2 + x[:, 3]
    return x, (signal - signal.mean()) / signal.std() + 0.5 * rng.standard_t(2, n)


def _imbalanced(share: float, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    score = x[:, 0] + x[:, 1] * x[:, 2] + 0.7 * rng.normal(size=n)
    return x, (score > np.quantile(score, 1 - share)).astype(float)


def _standardised(y: np.ndarray) -> np.ndarray:
    return (y - y.mean()) / y.std()


def problems(task: str) -> list[Problem]:
    """The data sets of a kind of task."""
    diabetes, digits, cancer = datasets.load_diabetes(), datasets.load_digits(), datasets.load_breast_cancer()
    iris = datasets.load_iris()
    rng = np.random.default_rng(7)
    if task == "regression":
        return [
            Problem("diabetes", diabetes.data, _standardised(diabetes.target)),
            Problem("digits, ink", digits.data[:, :32:3], _standardised(digits.data[:, 32:].sum(1))),
            Problem("Student t, 2 dof", *_heavy_tailed(1)),
        ]
    if task in ("positive", "ratios"):
        x, y = _heavy_tailed(2)
        mean = np.exp(y.clip(-2, 2))
        return [
            Problem("diabetes", diabetes.data, diabetes.target / diabetes.target.mean()),
            Problem("digits, ink", digits.data[:, :32:3], (digits.data[:, 32:].sum(1) + 1) / 150),
            Problem("gamma, heavy", x, mean * rng.gamma(0.7, 1 / 0.7, len(y)) + 1e-3),
        ]
    if task == "counts":
        x, y = _heavy_tailed(3)
        return [
            Problem("digits, label", digits.data[:, ::3], digits.target.astype(float)),
            Problem("Poisson", x, rng.poisson(np.exp(y.clip(-2, 2))).astype(float)),
            Problem("90 % zeros", x, rng.poisson(0.1 * np.exp(y.clip(-2, 3))).astype(float)),
        ]
    if task == "binary":
        return [
            Problem("breast cancer", cancer.data, cancer.target.astype(float)),
            Problem("digits, is it 8", digits.data[:, ::2], (digits.target == 8).astype(float)),
            Problem("3 % positive", *_imbalanced(0.03, 3000, 4)),
            Problem("1 % positive", *_imbalanced(0.01, 4000, 5)),
        ]
    x, y = _imbalanced(0.02, 2500, 6)
    return [
        Problem("iris", iris.data, iris.target.astype(float), 3),
        Problem("digits", digits.data[:600, 17:47:2], digits.target[:600].astype(float), 10),
        Problem("2 % in a class", x, y + (y == 0) * 2.0 * (x[:, 3] > 0.5), 3),
    ]


#: Losses by task, from the scale of the targets. Those whose slope vanishes far away know their own scale.
LOSSES: dict[str, list[Callable[[float], Any]]] = {
    "regression": [
        lambda s: fl.SquaredError(),
        lambda s: fl.HalfSquaredError(),
        lambda s: fl.AbsoluteError(),
        lambda s: fl.Huber(),
        lambda s: fl.SmoothL1(),
        lambda s: fl.LogCosh(),
        lambda s: fl.PseudoHuber(),
        lambda s: fl.Quantile(0.5),
        lambda s: fl.Quantile(0.9),
        lambda s: fl.Expectile(0.9),
        lambda s: fl.Cauchy(c=s),
        lambda s: fl.Welsch(c=2 * s),
        lambda s: fl.Tukey(c=4.685 * s),
    ],
    "positive": [lambda s: fl.Gamma()],
    "counts": [lambda s: fl.Poisson(), lambda s: fl.Tweedie(1.5)],
    "ratios": [lambda s: fl.SquaredLogError(), lambda s: fl.AbsolutePercentageError()],
    "binary": [
        lambda s: fl.BinaryCrossEntropy(),
        lambda s: fl.BinaryCrossEntropy(pos_weight=10.0),
        lambda s: fl.BinaryFocal(gamma=1.0),
        lambda s: fl.BinaryFocal(gamma=2.0),
        lambda s: fl.BinaryFocal(gamma=5.0),
        lambda s: fl.BinaryFocal(gamma=2.0, alpha=0.75),
        lambda s: fl.Hinge(),
        lambda s: fl.SquaredHinge(),
        lambda s: fl.Exponential(),
    ],
    "multiclass": [
        lambda s: fl.CrossEntropy(),
        lambda s: fl.Focal(gamma=1.0),
        lambda s: fl.Focal(gamma=2.0),
        lambda s: fl.Focal(gamma=5.0),
        lambda s: fl.MulticlassHinge(),
    ],
}


def curvatures(loss: Any) -> list[str]:
    """The names of the curvatures a loss has, "auto" first."""
    return ["auto", *(CURVATURES[code] for code in loss._curvatures()[0])]


def train_xgboost(objective: Any, x: Any, y: Any, test: Any, start: Any, setting: str) -> Any:
    """Raw scores of training and test rows."""
    train, unseen = xgboost.DMatrix(x, y, nthread=1), xgboost.DMatrix(test, nthread=1)
    parameters = {"nthread": 1, "verbosity": 0, "max_bin": 32, **XGBOOST[setting]}
    if np.ndim(start):
        parameters["num_class"] = len(start)
    for matrix in (train, unseen):
        matrix.set_base_margin(np.broadcast_to(start, (matrix.num_row(), *np.shape(start))))
    model = xgboost.train(parameters, train, ROUNDS, obj=objective)
    return model.predict(train, output_margin=True), model.predict(unseen, output_margin=True)


def train_lightgbm(objective: Any, x: Any, y: Any, test: Any, start: Any, setting: str) -> Any:
    """Raw scores of training and test rows."""
    parameters = {
        "objective": objective,
        "num_threads": 1,
        "max_bin": 32,
        "verbosity": -1,
        **LIGHTGBM[setting],
    }
    if np.ndim(start):
        parameters["num_class"] = len(start)
    scores = np.broadcast_to(start, (len(y), *np.shape(start)))
    model = lightgbm.train(parameters, lightgbm.Dataset(x, y, init_score=scores.ravel(order="F")), ROUNDS)
    return start + model.predict(x, raw_score=True), start + model.predict(test, raw_score=True)


LIBRARIES = {
    "XGBoost": (train_xgboost, for_xgboost.objective),
    "LightGBM": (train_lightgbm, for_lightgbm.objective),
}


@dataclass(frozen=True)
class Cell:
    """One training and what came of it: losses relative to the best constant's."""

    problem: str
    library: str
    setting: str
    scale: float
    train: float
    test: float

    @property
    def diverged(self) -> bool:
        return not self.train <= 1

    @property
    def collapsed(self) -> bool:
        return COLLAPSED < self.train <= 1


def _loss_of(loss: Any, y: np.ndarray, z: Any) -> float:
    """The mean loss above that of perfect scores, which is 0 but for those with a logarithmic link."""
    perfect = 0.0
    if isinstance(loss, (fl.Poisson, fl.Gamma, fl.Tweedie)):
        perfect = loss(y, np.log(np.maximum(y, 1e-300)))
    try:
        return float(loss(y, np.asarray(z, dtype=np.float64))) - perfect
    except ValueError:  # a score outside the domain
        return np.inf


def cells(loss_at: Callable[[float], Any], task: str, curvature: str, seeds: int) -> Iterator[Cell]:
    """Train in every cell of a loss and a curvature."""
    for problem in problems(task):
        for scale in (1.0,) if task in ("binary", "multiclass") else (1.0, 100.0):
            loss = loss_at(scale)
            for seed in range(seeds):
                train, test = problem.halves(seed)
                x, y = problem.x[train], scale * problem.y[train]
                x_test, y_test = problem.x[test], scale * problem.y[test]
                classes = {"n_classes": problem.n_classes} if problem.n_classes > 1 else {}
                constant = for_xgboost.base_score(loss, y, **classes)
                shape = np.shape(constant)
                base = _loss_of(loss, y, np.broadcast_to(constant, (len(y), *shape)))
                base_test = _loss_of(loss, y_test, np.broadcast_to(constant, (len(y_test), *shape)))
                for library, (fit, objective) in LIBRARIES.items():
                    for setting in XGBOOST:
                        try:
                            with warnings.catch_warnings():
                                warnings.simplefilter("ignore")
                                z, z_test = fit(objective(loss, curvature), x, y, x_test, constant, setting)
                            result = _loss_of(loss, y, z) / base, _loss_of(loss, y_test, z_test) / base_test
                        except (ValueError, lightgbm.basic.LightGBMError):
                            # Scores outside the domain; sums of Hessians that LightGBM cannot split.
                            result = np.inf, np.inf
                        yield Cell(problem.name, library, setting, scale, *result)


def taken_by(loss: Any, curvature: str) -> float:
    """The share of the libraries whose "auto" is this curvature, scaled or not."""
    made = [objective for _, objective in LIBRARIES.values()]
    return float(np.mean([o(loss).curvature == o(loss, curvature).curvature for o in made]))


def _label(loss: Any) -> str:
    """The class, and the parameters that are not its defaults."""
    defaults = type(loss)().parameters
    changed = [f"{name}={value:g}" for name, value in loss.parameters.items() if value != defaults[name]]
    return type(loss).__name__ + (f"({', '.join(changed)})" if changed else "")


def main(arguments: list[str] | None = None) -> None:
    """Print the table: for each loss and curvature the failures and the held-out loss."""
    columns = ["auto", *CURVATURES]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--loss", action="append", help="only losses whose repr contains this")
    parser.add_argument("--curvature", action="append", choices=columns)
    parser.add_argument("--failures", action="store_true", help="list the cells that failed")
    options = parser.parse_args(arguments)
    print("| loss | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for task, losses in LOSSES.items():
        for loss_at in losses:
            loss = loss_at(1.0)
            if options.loss and not any(part in repr(loss) for part in options.loss):
                continue
            texts, failures = [], []
            for curvature in columns:
                if curvature not in curvatures(loss) or curvature not in (options.curvature or columns):
                    texts.append("")
                    continue
                found = list(cells(loss_at, task, curvature, options.seeds))
                diverged, collapsed = sum(c.diverged for c in found), sum(c.collapsed for c in found)
                median = np.median([c.test for c in found])
                text = f"{median:.3f}" if median < 1e3 else f"{median:.0e}"
                if diverged or collapsed:
                    text += f" ({diverged} div, {collapsed} col of {len(found)})"
                share = taken_by(loss, curvature) if curvature != "auto" else 0
                mark = "**" if share == 1 else "*" if share else ""
                texts.append(mark + text + mark)
                failures += [(curvature, c) for c in found if c.diverged or c.collapsed]
            print(f"| `{_label(loss)}` | " + " | ".join(texts) + " |", flush=True)
            for curvature, cell in failures if options.failures else []:
                print("   ", curvature, cell)


if __name__ == "__main__":
    main()
