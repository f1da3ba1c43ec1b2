"""The adapters of scikit-learn, SciPy and PyTorch."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence, Set
from typing import Any

import numpy as np
from embeddings import samples as embedding_samples
from rows import samples as row_samples
from verbs import REDUCTIONS

import fastloss as fl

from .boosting import METRICS, OBJECTIVES
from .memory import PLACES, WRITABLE, put
from .numbers import (
    BFLOAT16,
    DOUBLE,
    INTEGERS,
    LONG,
    NARROW,
    SINGLE,
    SIZES,
    cast,
    exactly,
    is_whole,
    native,
)
from .pointwise import prediction, target, weights
from .rows import labels
from .trial import Arrays, Choice, Subject, like, plain_like

CLASSES = 4
#: The vectors that a module of embeddings may take.
VECTORS = ("first", "second", "third")


def _plain(views: Arrays, precision: np.dtype) -> Arrays:
    return {
        name: np.ascontiguousarray(exactly(np.array(x, native(x.dtype)), precision))
        for name, x in views.items()
    }


class _OfPredictions(Subject):
    """Of targets, predictions and weights, in precisions that a library has."""

    inputs = ("y_true", "y_pred", "sample_weight")
    shapes: Sequence[Any] = tuple([n for n in SIZES if n])
    share = 2

    def draw_for(self, loss: Any, choice: Choice, rng: np.random.Generator) -> Arrays:
        n, of_y, of_z = choice["shape"], choice["dtype of y_true"], choice["dtype of y_pred"]
        if isinstance(loss, fl.PointwiseLoss):
            found = {"y_true": target(loss, (n,), of_y, rng), "y_pred": prediction(loss, (n,), of_z, rng)}
        else:
            form = row_samples.forms(loss)[0]
            y, z = row_samples.ordinary(loss, form, n, CLASSES, DOUBLE, rng)
            if form == "labels":
                y = labels(n, CLASSES, of_y, rng)
            elif is_whole(of_y):
                y = np.arange(CLASSES) == rng.integers(0, CLASSES, (n, 1))
            found = {"y_true": cast(y, of_y), "y_pred": cast(z, of_z)}
        if choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found


class SklearnLoss(_OfPredictions):
    """What boosting calls `closs`."""

    covers: Set[str]
    share = 4

    def __init__(self, name: str, losses: list[Any], ulps: int = 0) -> None:
        self.name = f"sklearn_loss.{name}"
        self.covers = {self.name}
        self.losses, self.ulps = losses, ulps

    def factors(self) -> dict[str, Sequence[Any]]:
        verbs = ["loss", "gradient", "loss_gradient", "gradient_hessian"]
        if hasattr(self.losses[0].closs, "gradient_proba"):
            verbs.append("gradient_proba")
        return {"loss": self.losses, "verb": verbs, "weighted": (False, True)}

    def dtypes(self, name: str) -> Sequence[np.dtype]:
        return [SINGLE, DOUBLE]

    def out_places(self) -> Sequence[str]:
        return WRITABLE

    def out_dtypes(self, choice: Choice) -> Sequence[np.dtype]:
        return [choice["dtype of y_pred"]]

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        return self.draw_for(choice["loss"].closs._loss, choice, rng)

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        return _plain(views, native(views["y_pred"].dtype))

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        z = plain["y_pred"]
        return [(z.shape[:1] if part == "loss" else z.shape, "") for part in choice["verb"].split("_")]

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        z = arrays["y_pred"]
        if out is None:
            out = tuple(np.empty(shape, native(z.dtype)) for shape, _ in self.outputs(choice, arrays))
        out = out if isinstance(out, tuple) else (out,)
        verb = getattr(choice["loss"].closs, choice["verb"])
        verb(arrays["y_true"], z, arrays.get("sample_weight"), *out)
        return out


class _Estimator:
    """Predicts what it was given."""

    classes_ = np.arange(CLASSES)

    def __init__(self, loss: Any, z: np.ndarray) -> None:
        if loss.family == "binary":
            self.classes_ = np.arange(2)
            self.decision_function = lambda X: z
            self.predict_proba = lambda X: np.stack([1 - z, z], axis=1)
        elif loss.family == "multiclass":
            self.decision_function = lambda X: z
        if loss.family != "multiclass":
            self.predict = lambda X: z


class Scorer(_OfPredictions):
    name = "sklearn.scorer"
    covers = frozenset({"sklearn.scorer", "sklearn.Scorer"})
    ulps = 64  # NumPy takes the logarithms that some losses are of

    def factors(self) -> dict[str, Sequence[Any]]:
        return {"loss": METRICS, "weighted": (False, True)}

    def dtypes(self, name: str) -> Sequence[np.dtype]:
        return [SINGLE, DOUBLE] if name == "y_pred" else [d for d in super().dtypes(name) if d != BFLOAT16]

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        found = self.draw_for(choice["loss"], choice, rng)
        if isinstance(choice["loss"], fl.Poisson | fl.Gamma | fl.Tweedie):
            found["y_pred"] = np.exp(found["y_pred"])
        if choice["loss"].family != "regression":  # every class once, and no halves
            classes = 2 if choice["loss"].family == "binary" else CLASSES
            found["y_true"] = cast(np.resize(np.arange(classes), choice["shape"]), found["y_true"].dtype)
        return found

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        plain = plain_like(views, "y_pred")
        if isinstance(choice["loss"], fl.ZeroOne):
            plain["y_true"] = np.array(views["y_true"], native(views["y_true"].dtype))
        return plain

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        from fastloss.adapters.sklearn import Scorer, scorer

        made = scorer(choice["loss"])
        assert isinstance(made, Scorer)
        estimator = _Estimator(choice["loss"], arrays["y_pred"])
        return [made(estimator, None, arrays["y_true"], sample_weight=arrays.get("sample_weight"))]


class Rho(Subject):
    name = "scipy.rho"
    covers = frozenset({"scipy.rho", "scipy.RobustLoss"})
    inputs = ("z",)
    shapes = tuple([(n,) for n in SIZES])

    def factors(self) -> dict[str, Sequence[Any]]:
        return {"loss": [i.cls() for i in fl.list_losses() if hasattr(i.cls, "_second_by_square")]}

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        dtype = choice["dtype of z"]
        z = rng.integers(0, 2, choice["shape"]) if is_whole(dtype) else rng.normal(0, 2, choice["shape"]) ** 2
        return {"z": cast(z, dtype)}

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        return _plain(views, DOUBLE)

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        from fastloss.adapters.scipy import RobustLoss, rho

        made = rho(choice["loss"])
        assert isinstance(made, RobustLoss)
        return [made(arrays["z"])]


class Module(_OfPredictions):
    """A module of PyTorch, and its gradients where a tensor can have one."""

    name = "torch.module"
    covers = frozenset({"torch.module", "torch.LossModule"})

    def __init__(self) -> None:
        import torch

        self.torch = torch
        self._places = [name for name in PLACES if self._holds(name)]

    def _holds(self, place: str) -> bool:
        """Whether a tensor can lie there: in native order, forwards, in steps of items."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tensors that cannot be written to
            try:
                self.torch.from_numpy(put(np.zeros((2, 3), SINGLE), place, "torch").view)
            except (TypeError, ValueError):
                return False
        return True

    def factors(self) -> dict[str, Sequence[Any]]:
        losses = [loss for loss in METRICS if loss.has_gradient]
        return {"loss": losses, "reduction": REDUCTIONS, "weighted": (False, True)}

    def places(self, name: str) -> Sequence[str]:
        return self._places

    def dtypes(self, name: str) -> Sequence[np.dtype]:
        unsigned = [d for d in INTEGERS if d.kind == "u" and d.itemsize > 1]
        kinds = [d for d in super().dtypes(name) if d != LONG and d not in unsigned]
        return [*NARROW, SINGLE, DOUBLE] if name in ("y_pred", *VECTORS) else kinds

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        return self.draw_for(choice["loss"], choice, rng)

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        return _plain(views, SINGLE if views["y_pred"].dtype in (*NARROW, SINGLE) else DOUBLE)

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return like(views, "y_pred")

    def _tensor(self, x: np.ndarray) -> Any:
        if x.dtype == BFLOAT16:
            return self.torch.from_numpy(x.view(np.int16)).view(self.torch.bfloat16)
        return self.torch.from_numpy(x)

    def _numbers(self, tensor: Any) -> np.ndarray:
        tensor = tensor.detach().reshape(-1) if tensor.ndim == 0 else tensor.detach()
        if tensor.dtype is self.torch.bfloat16:
            return tensor.view(self.torch.int16).numpy().view(BFLOAT16)
        return tensor.numpy()

    def evaluate(
        self, choice: Choice, inputs: list[np.ndarray], others: list[np.ndarray], **options: Any
    ) -> Any:
        from fastloss.adapters import torch as adapter

        made = adapter.module(choice["loss"], choice["reduction"])
        kind = adapter.EmbeddingModule if isinstance(choice["loss"], fl.EmbeddingLoss) else adapter.LossModule
        assert isinstance(made, kind)
        leaves = [self._tensor(x).requires_grad_() for x in inputs]
        value = made(*leaves, *map(self._tensor, others), **{k: self._tensor(x) for k, x in options.items()})
        value.sum().backward()
        return [self._numbers(value), *(self._numbers(leaf.grad) for leaf in leaves)]

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        weight = {name: x for name, x in arrays.items() if name == "sample_weight"}
        return self.evaluate(choice, [arrays["y_pred"]], [arrays["y_true"]], **weight)


class EmbeddingModule(Module):
    name = "torch.module of embeddings"
    covers = frozenset({"torch.EmbeddingModule"})
    inputs = (*VECTORS, "labels", "sample_weight")
    shapes = tuple(zip([n for n in SIZES if 0 < n < 2000], [3, 2, 1, 16, 5, 17, 4, 8, 130] * 5, strict=False))
    share = 4

    def factors(self) -> dict[str, Sequence[Any]]:
        return {
            "loss": embedding_samples.ALL,
            "reduction": ("mean", "sum"),
            "weighted": (False, True),
            "dtype": [*NARROW, SINGLE, DOUBLE],
        }

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        loss, (n, d) = choice["loss"], choice["shape"]
        drawn = embedding_samples.ordinary(loss, n, d, DOUBLE, rng)
        count = embedding_samples.n_gradients(loss)
        names = VECTORS
        found = {name: cast(x, choice["dtype"]) for name, x in zip(names, drawn[:count], strict=False)}
        if drawn[count:]:
            kind = choice["dtype of labels"]
            found["labels"] = cast(drawn[count] % 2 if kind.kind == "b" else drawn[count], kind)
        if choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        return _plain(views, SINGLE if choice["dtype"] in (*NARROW, SINGLE) else DOUBLE)

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        return native(choice["dtype"])

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        vectors = [arrays[name] for name in VECTORS if name in arrays]
        others = [arrays["labels"]] if "labels" in arrays else []
        weight = {name: x for name, x in arrays.items() if name == "sample_weight"}
        return self.evaluate(choice, vectors, others, **weight)


def _sklearn_losses() -> list[Subject]:
    from fastloss.adapters import sklearn_loss

    found: dict[str, list[Any]] = {cls.__name__: [cls()] for cls in sklearn_loss._LOSSES.values()}
    found["HalfTweedieLoss"] = [sklearn_loss.HalfTweedieLoss(power=p) for p in (1, 1.5, 2, 3)]
    found["HalfTweedieLossIdentity"] = [sklearn_loss.HalfTweedieLossIdentity(power=p) for p in (0, 1, 1.5)]
    made = []
    for loss in OBJECTIVES:
        n_classes = CLASSES if isinstance(loss, fl.RowLoss) else None
        try:
            made.append(sklearn_loss.as_sklearn_loss(loss, n_classes))
        except (TypeError, ValueError):
            continue
    return [
        *(SklearnLoss(name, losses) for name, losses in found.items()),
        # Through NumPy's exponential, from which the target is subtracted.
        SklearnLoss("HalfTweedieLoss", [sklearn_loss.HalfTweedieLoss(power=0)], ulps=1 << 12),
        SklearnLoss("as_sklearn_loss", made),
    ]


def subjects() -> list[Subject]:
    found: list[Subject] = [Scorer()]
    if importlib.util.find_spec("sklearn"):
        found += _sklearn_losses()
    if importlib.util.find_spec("scipy"):
        found.append(Rho())
    if importlib.util.find_spec("torch"):
        found += [Module(), EmbeddingModule()]
    return found
