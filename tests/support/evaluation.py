"""Evaluations: their measures of awkward arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import fastloss as fl

from .memory import in_memory_order
from .numbers import SIZES, cast, is_whole
from .pointwise import weights
from .trial import Arrays, Choice, Subject

ONE_SCORE = ["mse", "roc_auc", "ks", "accuracy", "confusion", "calibration", "r2", "bias", "max_error"]
OF_ROWS = ["cross_entropy", "accuracy:top_k=2", "confusion", "calibration"]


class Evaluated(Subject):
    inputs = ("y_true", "y_pred", "sample_weight")
    shapes = tuple([n for n in SIZES if n])
    share = 16

    def __init__(self, name: str, columns: int) -> None:
        self.name = f"{name} of {columns}"
        self.covers = {name}
        self.columns = columns

    def factors(self) -> dict[str, Sequence[Any]]:
        return {"weighted": (False, True)}

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        n, of_z = choice["shape"], choice["dtype of y_pred"]
        shape = (n,) if self.columns == 1 else (n, self.columns)
        y = np.resize(np.arange(max(self.columns, 2)), n)
        y = y % 2 if choice["dtype of y_true"].kind == "b" else y
        z = rng.integers(0, 2, shape) if is_whole(of_z) else rng.normal(0, 2, shape)
        found = {"y_true": cast(y, choice["dtype of y_true"]), "y_pred": cast(z, of_z)}
        if choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        z = views["y_pred"]
        return {name: in_memory_order(x, z if x.ndim == z.ndim else x) for name, x in views.items()}

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        measures = ONE_SCORE if self.columns == 1 else OF_ROWS
        if "Evaluation" in self.covers:
            found = fl.Evaluation(measures).update(*arrays.values()).result()
        else:
            found = fl.evaluate(
                arrays["y_true"], arrays["y_pred"], measures, sample_weight=arrays.get("sample_weight")
            )
        kept = ("value", "standard_error", "weight")
        return [np.array([[row[name] for name in kept] for row in found.records()])]


def subjects() -> list[Subject]:
    return [Evaluated(name, columns) for name in ("evaluate", "Evaluation") for columns in (1, 3)]
