"""What all twins share: the verbs, the weights, the reductions and the checks of the input."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastloss._validation import written

#: What the formulas compute on: a NumPy array, or anything that has its arithmetic.
Array = Any
Out = NDArray[Any] | Sequence[NDArray[Any]] | None


class Domain(NamedTuple):
    """The interval from `low`, itself excluded with `open_low`, to `high`; `integral`: its whole numbers."""

    low: float = -math.inf
    high: float = math.inf
    integral: bool = False
    open_low: bool = False


class Twin:
    """An object that is known by its constructor's arguments."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments, which are all that a twin stores."""
        return dict(vars(self))

    def __repr__(self) -> str:
        """Write the constructor's call."""
        return f"{type(self).__name__}({', '.join(f'{k}={written(v)}' for k, v in self.parameters.items())})"


class Loss(Twin):
    """Base of the twins: a subclass gives ``_value``, ``_gradient`` and ``_hessian`` for every sample.

    These three take arrays `y` (targets) and `z` (predictions) and are written in the functions of the
    module's ``np`` alone, so that they work on arrays of any kind of number that has those functions.
    """

    family: ClassVar[str] = "regression"
    has_gradient: ClassVar[bool] = True
    has_hessian: ClassVar[bool] = True
    _targets: ClassVar[Domain] = Domain()
    _predictions: ClassVar[Domain] = Domain()

    #: The weights of labels, the last axis of the predictions.
    class_weight: Any = None
    #: Machine epsilon of the precision computed in: float32 for float32 and narrower, else float64.
    machine_epsilon = float(np.finfo(np.float64).eps)

    @property
    def target_domain(self) -> Domain:
        """The targets that the loss is defined for."""
        return self._targets

    @property
    def prediction_domain(self) -> Domain:
        """The predictions that the loss is defined for."""
        return self._predictions

    def _value(self, y: Array, z: Array) -> Array:
        raise NotImplementedError

    def _gradient(self, y: Array, z: Array) -> Array:
        raise TypeError(f"{type(self).__name__} is not differentiable: it has no gradient")

    def _hessian(self, y: Array, z: Array) -> Array:
        raise TypeError(f"{type(self).__name__} is not differentiable: it has no Hessian")

    def __call__(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        out: Out = None,
        n_threads: int | None = None,
    ) -> Any:
        """Give the reduced value: a float, or with ``reduction="none"`` an array."""
        return self._evaluate("v", y_true, y_pred, sample_weight, reduction, out)

    def gradient(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        out: Out = None,
        n_threads: int | None = None,
    ) -> Any:
        """Give the gradient of the reduced value by the predictions."""
        return self._evaluate("g", y_true, y_pred, sample_weight, reduction, out)

    def value_and_gradient(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        out: Out = None,
        n_threads: int | None = None,
    ) -> Any:
        """Give the pair of value and gradient."""
        return self._evaluate("vg", y_true, y_pred, sample_weight, reduction, out)

    def gradient_and_hessian(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        out: Out = None,
        n_threads: int | None = None,
    ) -> Any:
        """Give the pair of gradient and Hessian diagonal."""
        return self._evaluate("gh", y_true, y_pred, sample_weight, reduction, out)

    def value_gradient_and_hessian(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        out: Out = None,
        n_threads: int | None = None,
    ) -> Any:
        """Give the triple of value, gradient and Hessian diagonal."""
        return self._evaluate("vgh", y_true, y_pred, sample_weight, reduction, out)

    def _evaluate(
        self,
        outputs: str,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None,
        reduction: str,
        out: Out,
    ) -> Any:
        """Compute in float64 what the letters of `outputs` name; arrays get the dtype of `y_pred`."""
        _check_reduction(reduction)
        dtype = _result_dtype(np.asarray(y_pred))
        y = np.asarray(y_true).astype(np.float64)
        z = np.asarray(y_pred).astype(np.float64)
        if y.shape != z.shape or z.ndim == 0:
            raise ValueError(f"y_true {y.shape} and y_pred {z.shape} must have one shape, not 0-d")
        self._check("y_true", y, self.target_domain)
        self._check("y_pred", z, self.prediction_domain)
        w = _weights(sample_weight, z.shape)
        if self.class_weight is not None:
            w = w * np.array(self.class_weight)
        if reduction == "mean" and not w.sum() > 0:
            raise ValueError("the mean needs at least one sample of positive weight")

        # A 16-bit prediction is computed in float32, so its epsilon is that of float32.
        self = copy.copy(self)
        self.machine_epsilon = float(np.finfo(np.float64 if dtype == np.float64 else np.float32).eps)
        formulas = {"v": self._value, "g": self._gradient, "h": self._hessian}
        total = w.sum() if reduction == "mean" else 1.0
        missing = np.isnan(y) | np.isnan(z)
        results: list[Any] = []
        with np.errstate(all="ignore"):
            for letter in outputs:
                # A sample of weight 0 is as if it were not there.
                weighted = np.where(w == 0, 0.0, w * np.where(missing, np.nan, formulas[letter](y, z)))
                if letter == "v" and reduction != "none":
                    results.append(float(weighted.sum() / total))
                else:
                    results.append((weighted / total).astype(dtype))
        results = _store(results, out)
        return results[0] if len(results) == 1 else tuple(results)

    def _check(self, name: str, x: Array, domain: Domain) -> None:
        """Raise for the first value outside `domain`; NaN is let through where it is a missing number."""
        if domain == Domain():
            return
        inside = (x > domain.low if domain.open_low else x >= domain.low) & (x <= domain.high)
        if domain.integral:
            inside &= x == np.floor(x)
        if self.family == "regression":
            inside |= np.isnan(x)
        if not inside.all():
            first = int(np.flatnonzero(~inside)[0])
            raise ValueError(f"{name}[{first}] is {x.flat[first]}, which is outside {domain}")


def _result_dtype(y_pred: NDArray[Any]) -> np.dtype[Any]:
    keeps = y_pred.dtype.name in ("float16", "bfloat16", "float32", "float64")
    return y_pred.dtype.newbyteorder("=") if keeps else np.dtype(np.float64)


def _check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")


def _weights(sample_weight: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[Any]:
    if sample_weight is None:
        return np.ones(shape)
    w = np.asarray(sample_weight).astype(np.float64)
    if w.shape != shape and w.shape != shape[:1]:
        raise ValueError(f"sample_weight {w.shape} fits neither {shape} nor {shape[:1]}")
    bad = ~((w >= 0) & np.isfinite(w))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueError(f"sample_weight[{first}] is {w.flat[first]}, but must be finite and not negative")
    return np.broadcast_to(w.reshape(w.shape + (1,) * (len(shape) - w.ndim)), shape)


def _store(results: list[Any], out: Out) -> list[Any]:
    """Copy the array results into the arrays of `out`, and give those instead."""
    if out is None:
        return results
    slots = iter([out] if isinstance(out, np.ndarray) else out)
    for k, result in enumerate(results):
        if isinstance(result, np.ndarray):
            target = next(slots)
            target[...] = result
            results[k] = target
    return results
