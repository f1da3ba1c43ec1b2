"""The losses of one prediction and one target, and the penalties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import conftest
import numpy as np
from pointwise import samples
from verbs import REDUCTIONS, VERBS, array_results

import fastloss as fl

from .memory import WRITABLE
from .numbers import DOUBLE, SIZES, cast, is_whole
from .trial import Arrays, Choice, Subject, like, plain_like

SHAPES = [
    *[(n,) for n in SIZES],
    (0, 3),
    (3, 0),
    (1, 1),
    (5, 17),
    (64, 65),
    (17, 3, 5),
    (2, 129, 4),
    (300, 3),
]
#: Verbs that map predictions alone.
LINKS = ("probabilities", "log_probabilities")
#: The verb of gradients and curvatures, which has no reduction.
CURVED = "gradient_and_curvature"


def target(loss: Any, shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    domain = loss.target_domain
    if is_whole(dtype):
        low = 1 if domain.open_low and domain.low == 0 else 0
        high = 2 if np.isfinite(domain.high) or dtype.kind == "b" else 5
        return cast(rng.integers(low, high, shape), dtype)
    return cast(samples.ordinary(loss, shape, DOUBLE, rng)[0], dtype)


def prediction(loss: Any, shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    if is_whole(dtype):
        few = np.isfinite(loss.prediction_domain.high) or dtype.kind == "b"
        return cast(rng.integers(0, 2 if few else 5, shape), dtype)
    return cast(samples.ordinary(loss, shape, DOUBLE, rng)[1], dtype)


def weights(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    if is_whole(dtype):
        w = rng.integers(0, 2 if dtype.kind == "b" else 4, shape)
        w[(0,) * (w.size > 0) * w.ndim] = 1
        return cast(w, dtype)
    return cast(rng.uniform(0.25, 2, shape), dtype)


class Pointwise(Subject):
    inputs = ("y_true", "y_pred", "sample_weight")
    shapes = SHAPES
    share = 4

    def __init__(self, cls: type[Any]) -> None:
        self.name = cls.__name__
        settings = [{}, *conftest.SETTINGS.get(cls.__name__, [])]
        self.losses = [cls(**s) for s in settings]
        self.verbs = [*VERBS, CURVED, "weight_sum", *(link for link in LINKS if hasattr(cls, link))]
        self.covers = {f"{self.name}.{verb}" for verb in self.verbs}

    def factors(self) -> dict[str, Sequence[Any]]:
        return {
            "loss": self.losses,
            "verb": self.verbs,
            "reduction": REDUCTIONS,
            "weights": ("none", "each", "rows"),
        }

    def out_places(self) -> Sequence[str]:
        return ["over", *WRITABLE]

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        loss, shape = choice["loss"], choice["shape"]
        found = {
            "y_true": target(loss, shape, choice["dtype of y_true"], rng),
            "y_pred": prediction(loss, shape, choice["dtype of y_pred"], rng),
        }
        if choice["verb"] in LINKS:
            del found["y_true"]
        elif choice["weights"] != "none":
            shape = shape[:1] if choice["weights"] == "rows" else shape
            found["sample_weight"] = weights(shape, choice["dtype of sample_weight"], rng)
        return found

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        return plain_like(views, "y_pred")

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        shape = plain["y_pred"].shape
        if choice["verb"] in LINKS:
            return [(shape, "y_pred")]
        return [(shape, "y_pred") for _ in self._arrays(choice)]

    def _arrays(self, choice: Choice) -> Sequence[str]:
        if choice["verb"] == CURVED:
            return ("gradient", "curvature")
        return () if choice["verb"] == "weight_sum" else array_results(choice["verb"], choice["reduction"])

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return like(views, "y_pred")

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        verb = getattr(choice["loss"], choice["verb"])
        if choice["verb"] in LINKS:
            return [verb(arrays["y_pred"], out=out)]
        weight = {"sample_weight": arrays["sample_weight"]} if "sample_weight" in arrays else {}
        if choice["verb"] == "weight_sum":
            return [verb(arrays["y_true"], arrays["y_pred"], **weight)]
        if choice["verb"] == CURVED:
            return verb(arrays["y_true"], arrays["y_pred"], out=out, **weight)
        found = verb(arrays["y_true"], arrays["y_pred"], reduction=choice["reduction"], out=out, **weight)
        return found if len(VERBS[choice["verb"]]) > 1 else [found]


class Penalty(Subject):
    inputs = ("w",)
    shapes = SHAPES

    def __init__(self, cls: type[Any]) -> None:
        self.name = cls.__name__
        self.penalties = [cls(), cls(alpha=0.3)]
        self.verbs = {
            "__call__": ("value",),
            "gradient": ("gradient",),
            "hessian": ("hessian",),
            "value_and_gradient": ("value", "gradient"),
            "gradient_and_hessian": ("gradient", "hessian"),
            "value_gradient_and_hessian": ("value", "gradient", "hessian"),
        }
        self.covers = {f"{self.name}.{verb}" for verb in self.verbs}

    def factors(self) -> dict[str, Sequence[Any]]:
        return {"penalty": self.penalties, "verb": list(self.verbs)}

    def out_places(self) -> Sequence[str]:
        return ["over", *WRITABLE]

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        dtype = choice["dtype of w"]
        whole = rng.integers(0, 2, choice["shape"])
        return {"w": cast(whole if is_whole(dtype) else rng.normal(0, 2, choice["shape"]), dtype)}

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        return plain_like(views, "w")

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        return [(plain["w"].shape, "w") for result in self.verbs[choice["verb"]] if result != "value"]

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return like(views, "w")

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        options = {} if choice["verb"] == "__call__" else {"out": out}
        found = getattr(choice["penalty"], choice["verb"])(arrays["w"], **options)
        return found if len(self.verbs[choice["verb"]]) > 1 else [found]


def subjects() -> list[Subject]:
    penalties = [cls for cls in vars(fl).values() if isinstance(cls, type) and issubclass(cls, fl.Penalty)]
    return [
        *map(Pointwise, conftest.POINTWISE),
        *(Penalty(cls) for cls in penalties if cls is not fl.Penalty),
    ]
