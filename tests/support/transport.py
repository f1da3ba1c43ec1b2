"""The transport distances: samples and histograms on the line, and clouds of points."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
from verbs import REDUCTIONS

import fastloss as fl

from .embeddings import UNDEFINED, VERBS
from .memory import WRITABLE
from .numbers import DOUBLE, cast, is_whole
from .pointwise import weights
from .trial import Arrays, Choice, Subject, like, refused

LINE_SHAPES = [
    *[(n, n + 1) for n in range(18)],
    *[(1, n) for n in (31, 33, 63, 64, 65, 127, 129, 255, 257, 300, 1023, 1025, 4095, 4097)],
    *[(5, 130), (17, 64), (65, 9), (129, 3), (300, 5), (1025, 2)],
    *[(n,) for n in (1, 2, 3, 15, 16, 17, 64, 65, 300, 1025)],
]
#: Points of the one and the other cloud, and their coordinates; no coordinates: numbers.
CLOUD_SHAPES = [
    *[(n, m, d) for n, m, d in zip(range(1, 18), range(17, 0, -1), [1, 2, 3, 5, 8, 17] * 3, strict=False)],
    *[(33, 31, 2), (64, 65, 3), (65, 9, 17), (5, 129, 1), (3, 4, 300), (2, 3, 1025), (40, 30, 31)],
    *[(5, 7, 0), (17, 16, 0), (65, 33, 0)],
]


def points(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    if is_whole(dtype):
        return cast(rng.integers(0, 2 if dtype.kind == "b" else 9, shape), dtype)
    return cast(rng.normal(0, 1, shape), dtype)


def _doubles(views: Arrays) -> Arrays:
    """Everything is computed in float64, and so the plain arguments are."""
    return {name: np.array(x, DOUBLE, order="C") for name, x in views.items()}


class Transport(Subject):
    """What the distances have in common."""

    def __init__(self, cls: type[Any], losses: list[Any]) -> None:
        self.losses = losses
        self.covers = {f"{cls.__name__}.{verb}" for verb in (*VERBS, *UNDEFINED)}

    def out_places(self) -> Sequence[str]:
        return ["over", *WRITABLE]

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        return _doubles(views)

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return like(views, self.inputs[1])


class Line(Transport):
    inputs = ("u", "v", "u_weights", "v_weights", "sample_weight")
    shapes = LINE_SHAPES
    share = 2

    def __init__(self, histograms: bool) -> None:
        super().__init__(fl.Wasserstein, [fl.Wasserstein(), fl.Wasserstein(p=2), fl.Wasserstein(p=1.5)])
        self.histograms = histograms
        self.name = f"Wasserstein {'histograms' if histograms else 'samples'}"

    def factors(self) -> dict[str, Sequence[Any]]:
        return {
            "p": (1, 2, 1.5),
            "verb": [*VERBS, *UNDEFINED],
            "reduction": REDUCTIONS,
            "masses": ("none", "u", "v", "both", "shared"),
            "weighted": (False, True),
        }

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        shape = choice["shape"]
        other = shape if self.histograms else (*shape[:-1], shape[-1] // 2 + 1)
        make = weights if self.histograms else points
        found = {
            "u": make(other, choice["dtype of u"], rng),
            "v": make(shape, choice["dtype of v"], rng),
        }
        if self.histograms and shape[0]:
            for x in found.values():
                x[..., 0] = 1  # some mass in every row
        for name, x in (("u", other), ("v", shape)):
            if choice["masses"] in (name, "both", "shared") and not self.histograms:
                of = x[-1:] if choice["masses"] == "shared" else x
                w = weights(of, choice[f"dtype of {name}_weights"], rng)
                w[..., :1] = 1
                found[f"{name}_weights"] = w
        if choice["weighted"] and len(shape) == 2:
            found["sample_weight"] = weights(shape[:1], choice["dtype of sample_weight"], rng)
        return found

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        value, gradient = VERBS.get(choice["verb"], (False, False))
        v = plain["v"]
        slots = [(v.shape[:1], "")] if value and v.ndim == 2 and choice["reduction"] == "none" else []
        return slots + [(v.shape, "v")] * gradient

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        positions = np.cumsum(np.arange(1, choice["shape"][-1] + 1)) if self.histograms else None
        loss = fl.Wasserstein(p=choice["p"], positions=positions)
        if choice["verb"] in UNDEFINED:
            return refused(getattr(loss, choice["verb"]), arrays["u"], arrays["v"])
        options: dict[str, Any] = {"reduction": choice["reduction"], "out": out}
        options |= {name: x for name, x in arrays.items() if name not in ("u", "v")}
        found = getattr(loss, choice["verb"])(arrays["u"], arrays["v"], **options)
        return found if choice["verb"] == "value_and_gradient" else [found]


class Clouds(Transport):
    inputs = ("X", "Y", "x_weights", "y_weights")
    shapes = CLOUD_SHAPES
    share = 2

    def __init__(self, cls: type[Any], losses: list[Any]) -> None:
        super().__init__(cls, losses)
        self.name = cls.__name__

    def factors(self) -> dict[str, Sequence[Any]]:
        return {
            "loss": self.losses,
            "verb": [*VERBS, *UNDEFINED],
            "masses": ("none", "x", "y", "both"),
        }

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        n, m, d = choice["shape"]
        found = {}
        for name, count in (("X", n), ("Y", m)):
            found[name] = points((count, d) if d else (count,), choice[f"dtype of {name}"], rng)
            of = name.lower()
            if choice["masses"] in (of, "both"):
                found[f"{of}_weights"] = weights((count,), choice[f"dtype of {of}_weights"], rng)
        return found

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        return [(plain["Y"].shape, "Y")] * VERBS.get(choice["verb"], (False, False))[1]

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        if choice["verb"] in UNDEFINED:
            return refused(getattr(choice["loss"], choice["verb"]), arrays["X"], arrays["Y"])
        options = {name: x for name, x in arrays.items() if name not in ("X", "Y")}
        if out is not None:
            options["out"] = out
        found = getattr(choice["loss"], choice["verb"])(arrays["X"], arrays["Y"], **options)
        return found if choice["verb"] == "value_and_gradient" else [found]


class RoundedOnce(Clouds):
    """EarthMover, whose results NumPy writes."""

    def rounded(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return cast(x, dtype)


def subjects() -> list[Subject]:
    sinkhorn = [
        fl.Sinkhorn(reg=1.0, tol=1e-3),
        fl.Sinkhorn(reg=1.0, tol=1e-3, cost="euclidean"),
        fl.Sinkhorn(reg=2.0, tol=1e-3, debiased=False),
    ]
    found: list[Subject] = [Line(False), Line(True), Clouds(fl.Sinkhorn, sinkhorn)]
    if importlib.util.find_spec("ot"):
        found.append(RoundedOnce(fl.EarthMover, [fl.EarthMover(), fl.EarthMover(cost="sqeuclidean")]))
    return found
