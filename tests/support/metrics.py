"""The metrics of `fastloss.metrics`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastloss import metrics

from .memory import in_memory_order
from .numbers import BFLOAT16, SIZES, cast, is_whole
from .pointwise import weights
from .trial import Arrays, Choice, Subject

#: What some metrics take for targets and predictions; those that are not here take any numbers.
POSITIVE = {"mean_gamma_deviance", "mean_poisson_deviance", "mean_tweedie_deviance", "d2_tweedie_score"}
NOT_NEGATIVE = {"mean_squared_log_error", "root_mean_squared_log_error", "ndcg_score"}
PREDICTED = (
    *("accuracy_score", "balanced_accuracy_score", "cohen_kappa_score", "confusion_matrix", "f1_score"),
    *("fbeta_score", "matthews_corrcoef", "precision_score", "recall_score", "zero_one_loss"),
)
SCORED = ("average_precision_score", "hinge_loss", "precision_recall_curve", "roc_auc_score", "roc_curve")
LABELS = {
    **dict.fromkeys(PREDICTED, "labels"),
    **dict.fromkeys((*SCORED, "top_k_accuracy_score"), "scores"),
    **dict.fromkeys(("log_loss", "brier_score_loss", "d2_log_loss_score"), "probabilities"),
    "calibration_curve": "probabilities",
}
#: Metrics of scores that take one column, and of several alone.
OF_ONE = ("calibration_curve", "precision_recall_curve", "roc_auc_score", "roc_curve", *PREDICTED)
OF_SEVERAL = ("ndcg_score", "top_k_accuracy_score")
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "mean_tweedie_deviance": [{"power": p} for p in (0, 1, 1.5, 2, 3)],
    "d2_tweedie_score": [{"power": p} for p in (0, 1, 1.5, 2)],
    "mean_pinball_loss": [{"alpha": a} for a in (0.5, 0.9)],
    "d2_pinball_score": [{"alpha": a} for a in (0.5, 0.9)],
    "zero_one_loss": [{}, {"normalize": False}],
    "log_loss": [{}, {"normalize": False}],
    "accuracy_score": [{}, {"normalize": False}],
    "calibration_curve": [{}, {"n_bins": 40}, {"strategy": "quantile"}],
    "cohen_kappa_score": [{}, {"weights": "linear"}],
    "confusion_matrix": [{}, {"normalize": "all"}],
    "fbeta_score": [{"beta": 2.0}],
    "ndcg_score": [{}, {"k": 2}, {"ignore_ties": True}],
    "precision_recall_curve": [{}, {"drop_intermediate": True}],
    "precision_score": [{}, {"average": "macro"}],
    "roc_auc_score": [{}, {"max_fpr": 0.5}],
    "roc_curve": [{}, {"drop_intermediate": False}],
    "top_k_accuracy_score": [{"k": 1}],
}
CLASSES = 3


class Metric(Subject):
    inputs = ("y_true", "y_pred", "sample_weight")
    shapes = tuple([n for n in SIZES if n])
    share = 4
    ulps = 32  # NumPy adds up weights, and does so in another order where they lie apart

    def __init__(self, name: str) -> None:
        self.name = name
        self.covers = {f"metrics.{name}"}
        self.function = getattr(metrics, name)
        self.parameters = inspect.signature(self.function).parameters

    def factors(self) -> dict[str, Sequence[Any]]:
        columns = (1, 2, CLASSES) if "multioutput" in self.parameters else (1,)
        if self.name in LABELS:
            columns = (1,) if self.name in OF_ONE else (1, CLASSES)
        if self.name in OF_SEVERAL:
            columns = (CLASSES,)
        found: dict[str, Sequence[Any]] = {
            "columns": columns,
            "weighted": (False, True),
            "options": OPTIONS.get(self.name, [{}]),
        }
        if "multioutput" in self.parameters:
            found["multioutput"] = ("uniform_average", "raw_values")
        return found

    def dtypes(self, name: str) -> Sequence[np.dtype]:
        return [d for d in super().dtypes(name) if d != BFLOAT16]

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        n, columns = choice["shape"], choice["columns"]
        of_y, of_z = choice["dtype of y_true"], choice["dtype of y_pred"]
        shape = (n,) if columns == 1 else (n, columns)
        if self.name in LABELS:
            y = np.resize(np.arange(max(columns, 2)), n)
            y = y % 2 if of_y.kind == "b" else y
            z = self._scores(LABELS[self.name], shape, of_z, rng)
        else:
            least = 1 if self.name in POSITIVE else 0
            y, z = (self._numbers(shape, dtype, least, rng) for dtype in (of_y, of_z))
        found = {"y_true": cast(y, of_y), "y_pred": cast(z, of_z)}
        if choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found

    def _numbers(self, shape: tuple[int, ...], dtype: np.dtype, least: int, rng: Any) -> np.ndarray:
        if is_whole(dtype):
            return np.minimum(rng.integers(least, 6, shape), 1 if dtype.kind == "b" else 5)
        x = rng.normal(0, 2, shape)
        return np.abs(x) + 0.1 if self.name in POSITIVE | NOT_NEGATIVE else x

    def _scores(self, kind: str, shape: tuple[int, ...], dtype: np.dtype, rng: Any) -> np.ndarray:
        if kind == "labels":
            return rng.integers(0, 2, shape)
        if kind == "scores":
            return rng.integers(0, 2, shape) if is_whole(dtype) else rng.normal(0, 2, shape)
        if len(shape) == 1:
            # Some are quite sure, and wrong: they are clipped.
            p = np.where(rng.random(shape) < 0.2, rng.integers(0, 2, shape), rng.random(shape))
            return rng.integers(0, 2, shape) if is_whole(dtype) else p
        if is_whole(dtype):
            return np.arange(shape[1]) == rng.integers(0, shape[1], (shape[0], 1))
        p = rng.exponential(size=shape) + 1e-2
        return p / p.sum(axis=1, keepdims=True)

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        # The dtypes stay, since scikit-learn's precision depends on them.
        z = views["y_pred"]
        return {name: in_memory_order(x, z if x.ndim == z.ndim else x) for name, x in views.items()}

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        options = dict(choice["options"])
        if "multioutput" in choice:
            options["multioutput"] = choice["multioutput"]
        if "sample_weight" in arrays and "sample_weight" in self.parameters:
            options["sample_weight"] = arrays["sample_weight"]
        if self.name == "top_k_accuracy_score":
            options["labels"] = np.arange(CLASSES)
        found = self.function(arrays["y_true"], arrays["y_pred"], **options)
        return list(found) if isinstance(found, tuple) else [found]


def subjects() -> list[Subject]:
    return [Metric(name) for name in metrics.__all__ if not isinstance(getattr(metrics, name), type)]
