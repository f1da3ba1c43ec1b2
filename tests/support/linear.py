"""The objective of a linear model: dense and sparse matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse
from linear import data as linear_data

import fastloss as fl
from fastloss._loss import ParameterLoss

from .memory import PLACES
from .numbers import DOUBLE, FLOATS, SINGLE, cast, exactly, is_whole, native
from .pointwise import target, weights
from .trial import Arrays, Choice, Subject

CLASSES = 4
#: Rows and features; 2000 rows of 100 features are several blocks.
SHAPES = [
    *[(n, d) for n, d in zip(range(1, 18), [1, 3, 2, 5, 0, 8, 17] * 3, strict=False)],
    *[(n, 3) for n in (63, 64, 65, 127, 128, 129, 255, 256, 257, 300, 1023, 1024, 1025, 4097)],
    *[(64, d) for d in (31, 33, 64, 65, 129, 300, 1025)],
    *[(1400, 130), (70, 5000)],
]
PENALTIES = [None, fl.L1(0.1), fl.L2(0.1), fl.ElasticNet(0.1)]
LOSSES = [
    info.cls()
    for info in fl.list_losses()
    if issubclass(info.cls, fl.PointwiseLoss | fl.RowLoss) and info.has_gradient
    if not issubclass(info.cls, ParameterLoss)
]


def precision_of(dtype: np.dtype) -> np.dtype:
    return SINGLE if native(dtype) == SINGLE else DOUBLE


class _Objective(Subject):
    covers = frozenset(f"LinearObjective.{v}" for v in ("__call__", "hessp", "initial", "unpack"))
    shapes = SHAPES

    def factors(self) -> dict[str, Sequence[Any]]:
        return {
            "loss": LOSSES,
            "penalty": PENALTIES,
            "fit_intercept": (True, False),
            "weighted": (False, True),
            "verb": ("__call__", "hessp", "unpack", "initial"),
        }

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        loss, (n, d) = choice["loss"], choice["shape"]
        of_x, of_y = choice["dtype of X"], choice["dtype of y"]
        x = rng.integers(0, 2, (n, d)) if is_whole(of_x) else rng.normal(0, 1, (n, d))
        if isinstance(loss, fl.PointwiseLoss):
            y = target(loss, (n,), of_y, rng)
        else:
            y = linear_data.targets(loss, n, CLASSES, rng)
            y = np.eye(CLASSES)[rng.integers(0, CLASSES, n)] if y.ndim == 2 and is_whole(of_y) else y
            y = y % 2 if of_y.kind == "b" else y
        n_outputs = CLASSES if isinstance(loss, fl.RowLoss) else 1
        size = n_outputs * (d + choice["fit_intercept"])
        w = (
            rng.integers(0, 2, size) * 1.0
            if is_whole(choice["dtype of w"])
            else rng.uniform(-0.05, 0.05, size)
        )
        found = {
            "X": cast(x, of_x),
            "y": cast(y, of_y),
            "w": cast(w, choice["dtype of w"]),
            "v": cast(rng.integers(0, 2, size), choice["dtype of v"]),
        }
        if choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        precision = precision_of(views["X"].dtype)
        plain = {}
        for name, x in views.items():
            wanted = DOUBLE if name in "wv" else precision
            plain[name] = np.ascontiguousarray(exactly(np.array(x, native(x.dtype)), wanted))
        return plain

    def matrix(self, choice: Choice, arrays: Arrays) -> Any:
        raise NotImplementedError

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        n_classes = CLASSES if isinstance(choice["loss"], fl.RowLoss) else None
        objective = fl.LinearObjective(
            choice["loss"],
            self.matrix(choice, arrays),
            arrays["y"],
            choice["penalty"],
            choice["fit_intercept"],
            arrays.get("sample_weight"),
            n_classes=n_classes,
        )
        if choice["verb"] == "hessp":
            return [objective.hessp(arrays["w"], arrays["v"])]
        if choice["verb"] == "unpack":
            return objective.unpack(arrays["w"])
        return [objective.initial()] if choice["verb"] == "initial" else objective(arrays["w"])


class Dense(_Objective):
    name = "LinearObjective dense"
    inputs = ("X", "y", "sample_weight", "w", "v")

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        plain, x = super().plain(choice, views), views["X"]
        # BLAS adds up in another order along columns than along rows, and where these are apart. Those that
        # it can go along keep their strides, and numbers that are converted their order.
        if x.dtype != plain["X"].dtype:
            in_columns = x.copy("K").flags.f_contiguous and not x.flags.c_contiguous
            plain["X"] = np.asfortranarray(plain["X"]) if in_columns else plain["X"]
        elif x.flags.aligned and x.size:
            for turned, rows in ((x, plain["X"]), (x.T, plain["X"].T)):
                apart, within = (stride // x.itemsize for stride in turned.strides)
                if within == 1 and apart >= turned.shape[1]:
                    wide = np.zeros((turned.shape[0], apart), x.dtype)[:, : turned.shape[1]]
                    wide[:] = rows
                    plain["X"] = wide if turned is x else wide.T
                    break
        return plain

    def matrix(self, choice: Choice, arrays: Arrays) -> Any:
        return arrays["X"]


class Sparse(_Objective):
    """Indices in any order, some twice, of 32 or 64 bits."""

    name = "LinearObjective sparse"
    inputs = ("X", "y", "sample_weight", "w", "v")

    def factors(self) -> dict[str, Sequence[Any]]:
        return {
            **super().factors(),
            "format": ("csr", "csc", "coo", "csr_array", "csc_array"),
            "index": ("i4", "i8"),
            "shuffled": (False, True),
        }

    def places(self, name: str) -> Sequence[str]:
        return (
            ["C", "read-only", "mapped", "spaced", "off by 4", "page's end"] if name == "X" else list(PLACES)
        )

    def dtypes(self, name: str) -> Sequence[np.dtype]:
        # What scipy.sparse multiplies.
        kinds = super().dtypes(name)
        return [d for d in kinds if d not in FLOATS or d in (SINGLE, DOUBLE)] if name == "X" else kinds

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        # scipy adds up what is there twice when it converts, in the order of its own.
        return super().plain(choice, views) | {"X": np.array(views["X"], native(views["X"].dtype))}

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        found = super().draw(choice, rng)
        x = found["X"]
        rows, columns = np.nonzero(rng.random(x.shape) < 0.4)
        if choice["shuffled"]:
            # Some entries are there twice, and count as their sum.
            again = rng.random(rows.size) < 0.3
            order = rng.permutation(rows.size + int(again.sum()))
            rows, columns = (np.concatenate([i, i[again]])[order] for i in (rows, columns))
        self._structure = rows, columns, x.shape
        found["X"] = x[rows, columns]
        return found

    def matrix(self, choice: Choice, arrays: Arrays) -> Any:
        rows, columns, shape = self._structure
        data, name = arrays["X"], choice["format"]
        if name == "coo":
            return scipy.sparse.coo_matrix((data, (rows, columns)), shape)
        by_row = name.startswith("csr")
        major, minor = (rows, columns) if by_row else (columns, rows)
        order = np.argsort(major, kind="stable")
        starts = np.searchsorted(major[order], np.arange(shape[0 if by_row else 1] + 1))
        make = getattr(scipy.sparse, name if "array" in name else f"{name}_matrix")
        x = make(shape, dtype=np.float64)
        # As they are: the constructors would convert and copy. The data's own order is the entries'.
        x.data, x.indices, x.indptr = (
            data,
            minor[order].astype(choice["index"]),
            starts.astype(choice["index"]),
        )
        return x


def subjects() -> list[Subject]:
    return [Dense(), Sparse()]
