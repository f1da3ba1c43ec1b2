"""The true results of the row losses: the reference's formulas in multi-precision, row by row."""

from __future__ import annotations

from typing import Any

import multiprecision
import numpy as np
from multiprecision import BEYOND, DIGITS, Truth, exact

from fastloss import reference


def _remembered(f: Any) -> Any:
    """`f`, which is not computed again for the very arrays that it was last given."""
    last: list[Any] = [(), None]

    def of(*arrays: Any) -> Any:
        if len(last[0]) != len(arrays) or any(a is not b for a, b in zip(last[0], arrays, strict=True)):
            last[:] = arrays, f(*arrays)
        return last[1]

    return of


_ROWS = multiprecision._copy_of(reference.rows)
softmax, log_softmax = _remembered(_ROWS.softmax), _remembered(_ROWS.log_softmax)
_MODULES = [_ROWS, *(multiprecision._copy_of(m) for m in (reference.multiclass, reference.distribution))]
for _module in _MODULES[1:]:
    _module.softmax, _module.log_softmax = softmax, log_softmax


def twin(loss: Any, epsilon: float = 2.0**-52) -> reference.RowLoss:
    """The multi-precision twin of a loss, whose parameters are the exact values of the loss's floats."""
    cls = next(getattr(m, type(loss).__name__) for m in _MODULES if hasattr(m, type(loss).__name__))
    found = cls(**multiprecision.exact_parameters(loss))
    found.machine_epsilon = multiprecision.exact(epsilon)
    for name in ("_plain", "_terms", "_slope"):
        if hasattr(found, name):
            setattr(found, name, _remembered(getattr(found, name)))
    return found


def digits_for(z: np.ndarray) -> np.ndarray:
    """The digits for each row: formulas cancel by as many as the spread of its logits and its size have."""
    # e^-spread of more than that is 0 in z's precision.
    most = 110.0 if z.dtype == np.float32 else 760.0
    z = np.where(np.isinf(z), 0.0, z.astype(np.float64))
    with np.errstate(over="ignore"):
        spread = np.minimum(z.max(axis=1) - z.min(axis=1), most)
    digits = DIGITS + 0.45 * spread + np.log10(1 + np.abs(z).max(axis=1))
    return (np.ceil(digits / 50) * 50).astype(int)


def _object(x: np.ndarray) -> Any:
    return x if x.dtype.kind in "iu" else exact(x.astype(object))


def evaluate(formula: Any, y: np.ndarray | None, z: np.ndarray) -> tuple[np.ndarray, ...]:
    """What `formula(y, z)` gives, a Truth for each array in the tuple it returns."""
    digits = digits_for(z)
    pieces: list[tuple[np.ndarray, list[Any]]] = []
    for d in np.unique(digits):
        (at,) = np.nonzero(digits == d)
        with multiprecision.precision(int(d)):
            results = formula(None if y is None else _object(y[at]), _object(z[at]))
            pieces.append((at, [_split_all(x) for x in results]))
    truths = []
    for k in range(len(pieces[0][1])):
        shape = (3, len(z), *pieces[0][1][k].shape[2:])
        parts = np.empty(shape, dtype=object)
        for at, results in pieces:
            parts[:, at] = results[k]
        truths.append(Truth(parts[0].astype(float), parts[1].astype(float), parts[2].astype(int)))
    return tuple(truths)


def _split_all(x: Any) -> np.ndarray:
    x = np.asarray(x, dtype=object)
    parts = np.empty((3, x.size), dtype=object)
    for i, number in enumerate(x.ravel()):
        parts[:, i] = multiprecision._split(number)
    return parts.reshape(3, *x.shape)


def as_float(true: Truth) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.ldexp(true.high, np.clip(true.exponent, -BEYOND, 5000))


np_ = multiprecision.Functions()


def _sum(x: Any) -> Any:
    return np.sum(x, axis=1)


def _entropy_terms(t: Any, y: Any, z: Any) -> Any:
    """|p·log p| + p·|log q| of Σp·log p - Σp·log q."""
    some = y > 0
    own = np.abs(t._relative(y, np.ones_like(y)))
    return _sum(own - np.where(some, y * np.where(some, log_softmax(z), 0.0), 0.0))


def _soft_gradient(t: Any, y: Any, z: Any) -> Any:
    """T·p_k + t_k, whose difference is the gradient; all relative accuracy is kept for one-hot rows."""
    target = t._spread(y, z) if hasattr(t, "_spread") else y
    total = np.sum(target, axis=1, keepdims=True)
    hot = np.max(target, axis=1, keepdims=True) == total
    return np.where(hot, 0.0, total * softmax(z) + target)


def _generalized_hessian(t: Any, y: Any, z: Any) -> Any:
    exponent, rest, p, true = t._terms(y, z)
    return np_.exp(exponent) * np.where(true, rest * (p + t.q * rest), p * (1 - p + t.q * p))


def _focal_hessian(t: Any, y: Any, z: Any) -> Any:
    """The sum of the terms' magnitudes, r at least the smallest normal number: below, it has few digits."""
    alpha, r, q, L, p, true = t._terms(y, z)
    r = np.where(r > 0, np.maximum(r, 2.0**-126 if t.machine_epsilon == 2.0**-23 else 2.0**-1022), r)
    g = t.gamma
    if not t.from_logits:
        second = q**g / r**2 + 2 * g * q ** (g - 1) / r + g * np.abs(g - 1) * q ** (g - 2) * L
        return np.where(true, alpha * second, 0.0)
    u = np.where(true, -1.0, p / np.where(q > 0, q, 1.0))
    return t._slope(y, z) * p * (1 - p) + alpha * g * q**g * r * ((g * r + 1) * L + 2 * q) * u**2


def _poly1_hessian(t: Any, y: Any, z: Any) -> Any:
    r, q, p, true = t._terms(y, z)
    rest = np.where(true, q, 1 - p)
    return p * (rest + np.abs(t.epsilon) * r * np.where(true, q, 1))


def _distance_hessian(t: Any, y: Any, z: Any) -> Any:
    value, gradient, hessian = t._plain(y, z)
    root = np_.sqrt(np.where(value > 0, value, 1.0))[:, None]
    return np.where(value[:, None] > 0, hessian / root / 2 + gradient**2 / root**3 / 4, 0.0)


# Where a result crosses zero, no bound relative to it is possible; the error is then held to ULPs of the sum
# of the magnitudes of its terms. These are all the results with such a root; t is the multi-precision twin.
CROSSES_ZERO = {
    # A soft target's gradient is 0 where the prediction equals it; with class indices alone it is not soft.
    ("CrossEntropy", "gradient"): lambda t, y, z: (
        _soft_gradient(t, y, z)
        if t.from_logits and (y.ndim == 2 or t.label_smoothing > 0)
        else np.zeros(z.shape)
    ),
    ("KLDivergence", "gradient"): lambda t, y, z: (
        _soft_gradient(t, y, z) if t.from_logits else np.zeros(z.shape)
    ),
    # A divergence is 0 at p = q, its terms are not.
    ("KLDivergence", "value"): lambda t, y, z: (
        _entropy_terms(t, y, z) if t.from_logits else _sum(np.abs(t._relative(y, z)))
    ),
    # Concave where badly wrong.
    ("GeneralizedCrossEntropy", "hessian"): _generalized_hessian,
    # The focal loss is concave where badly wrong.
    ("Focal", "hessian"): _focal_hessian,
    # Its first term may count less than nothing, and is bent the other way.
    ("Poly1CrossEntropy", "value"): lambda t, y, z: (
        t._value(y, z) + 2 * np.abs(t.epsilon) * t._terms(y, z)[1][:, 0]
    ),
    ("Poly1CrossEntropy", "hessian"): _poly1_hessian,
    # The square root of a convex function.
    ("JSDivergence", "hessian"): lambda t, y, z: (
        _distance_hessian(t, y, z) if t.distance else np.zeros(z.shape)
    ),
}


def results(loss: Any, y: np.ndarray, z: np.ndarray) -> dict[str, np.ndarray]:
    """What the kernels say: the value of each row, gradient and Hessian of each class."""
    found = dict(zip(("value", "gradient"), loss.value_and_gradient(y, z, reduction="none"), strict=True))
    if loss.has_hessian:
        found["hessian"] = loss.value_gradient_and_hessian(y, z, reduction="none")[2]
    return found


def errors(
    loss: Any, y: np.ndarray, z: np.ndarray, results: dict[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, Truth], np.ndarray]:
    """Errors in ULPs and true numbers of the rows that count, and which rows these are."""
    found = twin(loss, epsilon=float(np.finfo(z.dtype).eps))
    counted = ~found._ignored(y)
    scales = {
        o: CROSSES_ZERO[type(loss).__name__, o] for o in results if (type(loss).__name__, o) in CROSSES_ZERO
    }
    truths = evaluate(
        lambda y, z: [
            *(getattr(found, f"_{o}")(y, z) for o in results),
            *(scale(found, y, z) for scale in scales.values()),
        ],
        y[counted],
        z[counted],
    )
    true = dict(zip(results, truths, strict=False))
    scale = dict(zip(scales, truths[len(results) :], strict=True))
    error = {
        o: multiprecision.ulps(x[counted], true[o], scale.get(o), gradual=False) for o, x in results.items()
    }
    return error, true, counted
