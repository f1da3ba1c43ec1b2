"""Regression targets and predictions: checked, in one precision, and their losses by output."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastloss._loss import Loss
from fastloss.metrics._arrays import (
    Array,
    blocks,
    check_finite,
    check_lengths,
    numeric,
    numeric_as_given,
    reduce,
    total_weight,
    weights,
)
from fastloss.metrics._errors import require_arrays, require_arrays_or_none, require_multioutput
from fastloss.metrics._integers import differences, is_beyond_floats

_ALLOWED = ("raw_values", "uniform_average")


class Outputs(NamedTuple):
    """Targets and predictions of shape (n, k) or (n,), weights, and how the k errors become one."""

    y_true: Array
    y_pred: Array
    sample_weight: Array | None
    multioutput: Any

    @property
    def how(self) -> str:
        """`multioutput` where that is a name, otherwise "weights"."""
        return self.multioutput if isinstance(self.multioutput, str) else "weights"

    @property
    def n_outputs(self) -> int:
        """The number k of outputs."""
        return 1 if self.y_true.ndim == 1 else self.y_true.shape[1]

    def check_values(self) -> None:
        """Raise the error of a value that is not finite."""
        check_finite(self.y_true)
        check_finite(self.y_pred)
        if self.sample_weight is not None:
            check_finite(self.sample_weight, "sample_weight")

    def residuals(self) -> Outputs:
        """Return targets of 0 and exact residuals of integers that float64 does not hold; otherwise the same.

        They are as good for a loss of the residual.
        """
        y, z = self.y_true, self.y_pred
        if y.dtype.kind not in "iu" or z.dtype.kind not in "iu":
            return self
        if not (is_beyond_floats(y) or is_beyond_floats(z)):
            return self
        return self._replace(y_true=np.broadcast_to(np.float64(0), y.shape), y_pred=differences(z, y))

    def shifted_targets(self) -> Array:
        """Return the targets as floats; integers that float64 does not hold less the least of them."""
        y = self.y_true
        if is_beyond_floats(y):
            return differences(y, y.min(axis=0))
        return y if y.dtype.kind == "f" else y.astype(np.float64)

    def averaged(self, errors: Array) -> Any:
        """Return the errors of the outputs, or their average as a float."""
        if self.how == "raw_values":
            return errors.astype(float_of(self.y_true, self.y_pred), copy=False)
        return float(np.average(errors, weights=self.multioutput if self.how == "weights" else None))


def float_of(y_true: Any, y_pred: Any) -> Any:
    """Return the precision that scikit-learn computes in: that of the arrays of floats among the two."""
    floats = [a.dtype for a in (y_true, y_pred) if getattr(getattr(a, "dtype", None), "kind", "") == "f"]
    return np.result_type(*floats) if floats else np.dtype(np.float64)


def outputs(
    function: str,
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    multioutput: Any = "uniform_average",
    read: Callable[[Any], Array] = numeric,
    averages: Sequence[str] = _ALLOWED,
) -> Outputs:
    """Check the arguments that the regression metrics share, all but the values themselves."""
    require_arrays(function, y_true=y_true, y_pred=y_pred)
    require_arrays_or_none(function, sample_weight=sample_weight)
    require_multioutput(function, multioutput, averages)
    check_lengths(y_true, y_pred, sample_weight)
    target, prediction = read(y_true), read(y_pred)
    w = weights(sample_weight, len(prediction))
    dtype = float_of(target, prediction)
    if prediction.dtype.kind == "f" and prediction.dtype.itemsize < dtype.itemsize:
        prediction = prediction.astype(dtype)
    target, prediction = (a[:, 0] if a.shape[1:] == (1,) else a for a in (target, prediction))
    given = Outputs(target, prediction, w, multioutput)
    k, k_pred = given.n_outputs, 1 if prediction.ndim == 1 else prediction.shape[1]
    if k != k_pred:
        raise ValueError(f"y_true and y_pred have different number of output ({k}!={k_pred})")
    if given.how != "weights":
        return given
    shares = numeric_as_given(multioutput)
    check_finite(shares)
    is_odd = shares.dtype == object and not all(isinstance(share, numbers.Real) for share in shares.flat)
    if is_odd or shares.dtype.kind in "mM":
        raise TypeError(f"multioutput holds {shares.dtype}, expected real numbers")
    # scikit-learn takes this root's mean over the outputs, of which there may be one, afterwards.
    if k == 1 and function != "root_mean_squared_error":
        raise ValueError("Custom weights are useful only in multi-output cases.")
    if k != len(shares):
        raise ValueError(f"There must be equally many custom weights ({len(shares)}) as outputs ({k}).")
    return given._replace(multioutput=shares)


def mean_loss(loss: Loss, given: Outputs) -> Any:
    """Compute a loss's mean over the samples, by output or averaged over them as `multioutput` says."""
    # All outputs have the same weights: the mean of their means is the mean of all.
    pooled = given.n_outputs == 1 or given.how == "uniform_average"
    return given.averaged(mean_by_output(loss, given, pooled=pooled))


def mean_by_output(loss: Loss, given: Outputs, *, pooled: bool = False) -> Array:
    """Compute a loss's mean over the samples for each output, or a single one for all."""
    try:
        errors = np.array([reduce(loss, *given[:3])]) if pooled else _column_means(loss, *given[:3])
    except (ValueError, ZeroDivisionError):
        given.check_values()
        raise
    if not np.isfinite(errors).all():
        given.check_values()
    return errors


def _column_means(loss: Loss, y: Array, z: Array, w: Array | None) -> Array:
    """Compute the mean of each column; a block of rows is read while it is in cache."""
    y, z = y.reshape(len(y), -1), z.reshape(len(z), -1)
    totals = np.zeros(y.shape[1])
    for rows in blocks(len(y), y.shape[1]):
        part = None if w is None else w[rows]
        totals += [reduce(loss, y[rows, k], z[rows, k], part, "sum") for k in range(y.shape[1])]
    return totals / (len(y) if w is None else total_weight(w))
