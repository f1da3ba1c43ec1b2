"""The losses of rows: class indices or rows of targets, and a row of predictions for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rows import samples as row_samples
from verbs import REDUCTIONS, VERBS, array_results

import fastloss as fl
from fastloss._loss import ParameterLoss

from .memory import WRITABLE
from .numbers import BFLOAT16, DOUBLE, SIZES, cast, is_whole
from .pointwise import CURVED, LINKS, weights
from .trial import Arrays, Choice, Subject, like, plain_like

#: Many short rows, and few long ones.
SHAPES = [
    *[(n, c) for n, c in zip(SIZES, [3, 2, 10, 1, 17, 4, 33, 5, 16, 8] * 4, strict=False)],
    *[(n, c) for c, n in zip(SIZES[1:], [1, 2, 17, 5, 3, 33, 16, 9] * 5, strict=False)],
    *[(2, 1500), (3, 2047), (1, 2049), (33, 300), (130, 128), (129, 129), (20, 5000)],
]
#: Class indices up to 255 only fit there, and those beyond 256 only into numbers of more bits.
NARROW_LABELS = {
    np.dtype("?"): 2,
    np.dtype("i1"): 128,
    np.dtype("u1"): 256,
    BFLOAT16: 256,
    np.dtype("f2"): 2048,
}


def labels(n: int, n_classes: int, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    return cast(rng.integers(0, min(n_classes, NARROW_LABELS.get(dtype, n_classes)), n), dtype)


def one_hot(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    return cast(np.arange(shape[1]) == rng.integers(0, shape[1], (shape[0], 1)), dtype)


class Rows(Subject):
    inputs = ("y_true", "y_pred", "sample_weight")
    shapes = SHAPES
    share = 2

    def __init__(self, cls: type[Any], form: str) -> None:
        self.form = form
        self.name = f"{cls.__name__} {form}"
        settings = [case for case in row_samples.CASES if case[0] is cls]
        self.cases = [case for case in settings if form in row_samples.forms(row_samples.make(case, 2))]
        self.verbs = [*VERBS, CURVED, "weight_sum", *(link for link in LINKS if hasattr(cls, link))]
        self.covers = {f"{cls.__name__}.{verb}" for verb in self.verbs}

    def factors(self) -> dict[str, Sequence[Any]]:
        return {
            "case": self.cases,
            "verb": self.verbs,
            "reduction": REDUCTIONS,
            "weighted": (False, True),
        }

    def out_places(self) -> Sequence[str]:
        return ["over", *WRITABLE]

    def _loss(self, choice: Choice) -> Any:
        return row_samples.make(choice["case"], choice["shape"][1])

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        loss, (n, n_classes) = self._loss(choice), choice["shape"]
        of_y, of_z = choice["dtype of y_true"], choice["dtype of y_pred"]
        y, z = row_samples.ordinary(loss, self.form, n, n_classes, DOUBLE, rng)
        if self.form == "labels":
            low = y < 0 if of_y.kind != "u" and of_y.kind != "b" else np.zeros(n, bool)
            y = np.where(low, y, labels(n, n_classes, of_y, rng).astype(np.int64))
        elif is_whole(of_y):
            y = one_hot((n, n_classes), of_y, rng)
        if is_whole(of_z):
            z = one_hot((n, n_classes), of_z, rng)
            if not row_samples.of_probabilities(loss):
                z = cast(rng.integers(0, 2 if of_z.kind == "b" else 5, (n, n_classes)), of_z)
        found = {"y_true": cast(y, of_y), "y_pred": cast(z, of_z)}
        if choice["verb"] in LINKS:
            del found["y_true"]
        elif choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        """C order, whatever the predictions' own is: it makes no difference to rows."""
        plain = plain_like(views, "y_pred")
        return {name: np.ascontiguousarray(x) for name, x in plain.items()}

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        z = plain["y_pred"]
        if choice["verb"] in LINKS:
            return [(z.shape, "y_pred")]
        if choice["verb"] == "weight_sum":
            return []
        if choice["verb"] == CURVED:
            return [(z.shape, "y_pred")] * 2
        names = array_results(choice["verb"], choice["reduction"])
        return [(z.shape[:1], "") if name == "value" else (z.shape, "y_pred") for name in names]

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return like(views, "y_pred")

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        verb = getattr(self._loss(choice), choice["verb"])
        if choice["verb"] in LINKS:
            return [verb(arrays["y_pred"], out=out)]
        weight = {"sample_weight": arrays["sample_weight"]} if "sample_weight" in arrays else {}
        if choice["verb"] == "weight_sum":
            return [verb(arrays["y_true"], arrays["y_pred"], **weight)]
        if choice["verb"] == CURVED:
            return verb(arrays["y_true"], arrays["y_pred"], out=out, **weight)
        found = verb(arrays["y_true"], arrays["y_pred"], reduction=choice["reduction"], out=out, **weight)
        return found if len(VERBS[choice["verb"]]) > 1 else [found]


class Parameters(Rows):
    """Losses of a number for each row by the parameters that are predicted of its distribution."""

    shapes: Sequence[Any] = [*SIZES, 1500, 4099]

    def __init__(self, loss: Any) -> None:
        cls = type(loss)
        self.loss = loss
        self.name = repr(loss)
        self.cases = [loss]
        self.verbs = [*VERBS, CURVED, "weight_sum"]
        self.covers = {f"{cls.__name__}.{verb}" for verb in self.verbs}

    def _loss(self, choice: Choice) -> Any:
        return self.loss

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        n, k = choice["shape"], len(self.loss.columns)
        of_y, of_z = choice["dtype of y_true"], choice["dtype of y_pred"]
        y = rng.integers(0, 2, n) if is_whole(of_y) else rng.normal(0, 2, n)
        z = rng.integers(0, 2, (n, k)) if is_whole(of_z) else rng.normal(0, 1, (n, k))
        found = {"y_true": cast(y, of_y), "y_pred": cast(z, of_z)}
        if choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found


def subjects() -> list[Subject]:
    of_parameters = [info.cls() for info in fl.list_losses() if issubclass(info.cls, ParameterLoss)]
    of_parameters.append(fl.MultiQuantile([(i + 0.5) / 150 for i in range(150)]))
    return [Parameters(loss) for loss in of_parameters] + [
        Rows(cls, form)
        for cls in row_samples.ROWS
        for form in ("labels", "dense")
        if any(form in row_samples.forms(row_samples.make(c, 2)) for c in row_samples.CASES if c[0] is cls)
    ]
