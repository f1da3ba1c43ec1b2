"""The adapters of the gradient boosting libraries, called as these call them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._loss import ParameterLoss

from .numbers import DOUBLE, NARROW, SINGLE, SIZES, cast, is_whole, native
from .pointwise import prediction, target, weights
from .rows import labels
from .trial import Arrays, Choice, Subject, like

CLASSES = 4


class Data:
    """Stands for a DMatrix or a Dataset."""

    def __init__(self, label: Any, weight: Any) -> None:
        self.label, self.weight = label, weight

    def get_label(self) -> Any:
        return self.label

    def get_weight(self) -> Any:
        return self.weight


def _can_train(loss: Any) -> bool:
    """Whether a loss can be an objective, of labels where it is one of classes."""
    from fastloss.adapters._boosting import raw_score_loss

    try:
        raw_score_loss(loss)
    except (TypeError, ValueError):
        return False
    return isinstance(loss, fl.PointwiseLoss) or loss.family == "multiclass"


OBJECTIVES = [loss for info in fl.list_losses() if _can_train(loss := info.cls())]
METRICS = [
    loss
    for info in fl.list_losses()
    if issubclass(info.cls, fl.PointwiseLoss | fl.RowLoss) and info.family != "distribution"
    if not issubclass(info.cls, ParameterLoss)
    for loss in [info.cls()]
]
WITH_CONSTANT = [loss for loss in OBJECTIVES if not isinstance(loss, fl.WassersteinCritic | fl.Perceptron)]
Call = Callable[[Any, Any, Arrays], Sequence[Any]]


class Adapted(Subject):
    """What an adapter's function makes of a loss, called with targets, predictions and weights."""

    inputs = ("y_true", "y_pred", "sample_weight")
    share = 4

    def __init__(
        self, module: str, name: str, losses: list[Any], call: Call, options: Sequence[dict[str, Any]] = ({},)
    ) -> None:
        self.name = f"{module}.{name}"
        self.covers = {self.name}
        self.function = getattr(importlib.import_module(f"fastloss.adapters.{module}"), name)
        self.losses, self._call, self.options = losses, call, options
        self.shapes = [n for n in SIZES if n]

    def factors(self) -> dict[str, Sequence[Any]]:
        return {"loss": self.losses, "weighted": (False, True), "options": self.options}

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        loss, n = choice["loss"], choice["shape"]
        of_y, of_z = choice["dtype of y_true"], choice["dtype of y_pred"]
        if isinstance(loss, fl.PointwiseLoss):
            y, z = target(loss, (n,), of_y, rng), prediction(loss, (n,), of_z, rng)
        else:
            shape = (n, CLASSES)
            z = rng.integers(0, 2, shape) if is_whole(of_z) else rng.normal(0, 2, shape)
            y = labels(n, CLASSES, of_y, rng)
            if loss.family != "multiclass":
                y = rng.integers(0, 2, shape) if is_whole(of_y) else rng.normal(0, 2, shape)
        found = {"y_true": cast(y, of_y), "y_pred": cast(z, of_z)}
        if choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found

    def dtypes(self, name: str) -> Sequence[np.dtype]:
        # Derivatives of 16 bits would be rounded before they are scaled: no library has such scores.
        return [d for d in super().dtypes(name) if name != "y_pred" or d not in NARROW]

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        """Targets and weights in a precision of their own, as means of them are taken."""
        return {
            name: np.ascontiguousarray(cast(x, SINGLE if native(x.dtype) == SINGLE else DOUBLE))
            for name, x in views.items()
        }

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return like(views, "y_pred")

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        made = self.function(choice["loss"], **choice["options"])
        return self._call(choice["loss"], made, arrays)


class OfTargets(Adapted):
    """A function of a loss and its targets alone."""

    inputs = ("y_true", "sample_weight")
    share = 8

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        found = super().draw(choice | {"dtype of y_pred": DOUBLE}, rng)
        del found["y_pred"]
        return found

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return result.dtype

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        n_classes = {"n_classes": CLASSES} if isinstance(choice["loss"], fl.RowLoss) else {}
        return [self.function(choice["loss"], arrays["y_true"], arrays.get("sample_weight"), **n_classes)]


class OfScores(Adapted):
    """A function of a loss and raw scores alone."""

    inputs = ("y_pred",)
    ulps = 4  # NumPy's exponential of numbers that lie apart is another one

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        given = choice | {"dtype of y_true": DOUBLE, "weighted": False}
        return {"y_pred": super().draw(given, rng)["y_pred"]}

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        # NumPy's functions keep the dtype.
        return {
            "y_pred": np.ascontiguousarray(views["y_pred"]).astype(views["y_pred"].dtype.newbyteorder("="))
        }

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return result.dtype

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        return [self.function(choice["loss"], arrays["y_pred"])]


class InFloat32(Adapted):
    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return result.dtype


def _native(loss: Any, made: Any, a: Arrays) -> Sequence[Any]:
    found = made(a["y_pred"], Data(a["y_true"], a.get("sample_weight")))
    return found if isinstance(found[0], np.ndarray) else found[1:2]


def _sklearn(loss: Any, made: Any, a: Arrays) -> Sequence[Any]:
    found = made(a["y_true"], a["y_pred"], a.get("sample_weight"))
    if isinstance(found, float):
        return [found]
    return found if isinstance(found[0], np.ndarray) else found[1:2]


def _derivatives_of_catboost(loss: Any, made: Any, a: Arrays) -> Sequence[Any]:
    weight = a.get("sample_weight")
    if isinstance(loss, fl.PointwiseLoss):
        return [made.calc_ders_range(a["y_pred"], a["y_true"], weight)]
    rows = range(min(len(a["y_true"]), 20))
    found = [
        made.calc_ders_multi(list(a["y_pred"][i]), a["y_true"][i], 1.0 if weight is None else weight[i])
        for i in rows
    ]
    return [np.array([gradient for gradient, _ in found]), np.array([hessian for _, hessian in found])]


def _metric_of_catboost(loss: Any, made: Any, a: Arrays) -> Sequence[Any]:
    z = a["y_pred"]
    error, weight = made.evaluate(list(z.T) if z.ndim == 2 else [z], a["y_true"], a.get("sample_weight"))
    return [error, weight, made.get_final_error(error, weight), float(made.is_max_optimal())]


CURVATURES = [{}, {"curvature": "unit"}]


def subjects() -> list[Subject]:
    found: list[Subject] = []
    for module, constant, kind in (("xgboost", "base_score", Adapted), ("lightgbm", "init_score", InFloat32)):
        found += [
            kind(module, "objective", OBJECTIVES, _native, CURVATURES),
            kind(module, "sklearn_objective", OBJECTIVES, _sklearn, CURVATURES),
            Adapted(module, "metric", METRICS, _native),
            Adapted(module, "sklearn_metric", METRICS, _sklearn),
            OfTargets(module, constant, WITH_CONSTANT, _sklearn),
            OfScores(module, "predictions", OBJECTIVES, _sklearn),
        ]
    return [
        *found,
        InFloat32("catboost", "objective", OBJECTIVES, _derivatives_of_catboost, CURVATURES),
        Adapted("catboost", "metric", METRICS, _metric_of_catboost),
        OfTargets("catboost", "baseline", WITH_CONSTANT, _sklearn),
        OfScores("catboost", "predictions", OBJECTIVES, _sklearn),
    ]
