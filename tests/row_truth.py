"""The true results of the row losses: the reference's formulas in multi-precision, row by row."""

from __future__ import annotations

from typing import Any

import mpmath
import multiprecision
import numpy as np
from mpmath import mp
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
    found = cls(**{k: mp.mpf(v) if isinstance(v, float) else v for k, v in loss.parameters.items()})
    found.epsilon = mp.mpf(epsilon)
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
        with mpmath.workdps(int(d)):
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
        parts[:, i] = multiprecision._split(mp.mpf(number))
    return parts.reshape(3, *x.shape)


def as_float(true: Truth) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.ldexp(true.high, np.clip(true.exponent, -BEYOND, 5000))
