"""The losses of rows: classes and distributions, class indices of every dtype, dense targets, both orders."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._loss import ParameterLoss, RowLoss

from . import arrays, truth
from .pointwise import VERBS, hold_to_mean
from .session import THREADS, Session, Unchanged, some_weights, wrong_entries

LOSSES = [
    info.cls
    for info in fl.list_losses()
    if issubclass(info.cls, RowLoss) and not issubclass(info.cls, ParameterLoss)
]

#: Units in the last place: twice the contract.
ULPS = 16

LABELS = [np.dtype(c) for c in "bBhHiIqQefd"]


def parameters(cls: type, r: random.Random, n_classes: int) -> dict[str, Any]:
    """Arguments of a constructor."""
    name = cls.__name__
    size = r.choice((*[1.0] * 9, 2.0**-1000, 2.0**-140, 2.0**100, 2.0**900))
    several = tuple(size * float(np.float32(x)) for x in np.round(arrays.positive(r, n_classes), 2))
    if name == "CrossEntropy":
        return {
            "from_logits": r.random() < 0.7,
            "class_weight": r.choice((None, None, several)),
            "label_smoothing": r.choice((0.0, 0.0, 0.1, 1.0)),
            "ignore_index": r.choice((None, None, -1, 0, 2**40)),
        }
    if name == "Focal":
        alpha = r.choice((None, 0.25, several))
        return {"gamma": r.choice((0.0, 0.5, 1.0, 2.0, 5.0)), "alpha": alpha, "from_logits": r.random() < 0.7}
    if name == "GeneralizedCrossEntropy":
        return {"q": r.choice((0.7, 1.0, r.uniform(1e-3, 1)))}
    if name == "Poly1CrossEntropy":
        return {"epsilon": r.choice((-1.0, 0.0, 1.0, 3.0))}
    if name == "MulticlassHinge":
        return {"kind": r.choice(("crammer-singer", "weston-watkins"))}
    if name == "KLDivergence":
        return {"from_logits": r.random() < 0.5}
    if name == "JSDivergence":
        return {"base": r.choice((np.e, 2.0, 10.0)), "distance": r.random() < 0.3}
    return {}


def _make(cls: Any, r: random.Random, n_classes: int, single: bool) -> Any:
    given = parameters(cls, r, n_classes)
    if single:
        given = {
            k: float(np.float32(v)) if isinstance(v, float) and k != "base" else v for k, v in given.items()
        }
    return cls(**given)


def _shape(r: random.Random) -> tuple[int, int]:
    rows, classes = arrays.size(r), arrays.size(r) or 1
    if r.random() < 0.0007:
        return 3000, 101
    while rows * classes > 3000:
        if r.random() < 0.5:
            rows = max(1, rows // 3)
        else:
            classes = max(1, classes // 3)
    return rows, classes


def _of_probabilities(loss: Any) -> bool:
    return isinstance(loss, fl.JSDivergence) or not getattr(loss, "from_logits", True)


def _distribution(r: random.Random, n: int, n_classes: int) -> np.ndarray:
    p = arrays.fractions(r, n * n_classes).reshape(n, n_classes) + r.choice((0.0, 1e-3))
    total = p.sum(axis=1, keepdims=True)
    return np.where(total > 0, p / np.where(total > 0, total, 1), 1 / n_classes)


def _targets(s: Session, loss: Any, n: int, n_classes: int, dtype: np.dtype) -> np.ndarray:
    r = s.r
    ignored = getattr(loss, "ignore_index", None)
    takes_labels = loss.targets == "classes"
    takes_dense = isinstance(loss, fl.CrossEntropy) or not takes_labels
    if takes_labels and (not takes_dense or ignored is not None or r.random() < 0.6):
        y = arrays.whole(r, n, 0, n_classes - 1).astype(np.int64)
        if ignored is not None and r.random() < 0.7:
            y[arrays.fractions(r, n) < 0.3] = ignored
        with np.errstate(all="ignore"):
            fitting = [d for d in LABELS if (y.astype(d).astype(np.float64) == y).all()]
        return y.astype(r.choice(fitting))
    if isinstance(loss, fl.EuclideanError):
        return arrays.as_dtype(arrays.numbers(r, n * n_classes), dtype).reshape(n, n_classes)
    return _distribution(r, n, n_classes).astype(dtype if r.random() < 0.8 else r.choice(arrays.FLOATS[1:3]))


def case(s: Session) -> None:
    """One loss and its rows, by one call that is held against the truth and by others that are held to it."""
    r = s.r
    dtype = r.choice(arrays.FLOATS[1:3]) if r.random() < 0.9 else r.choice(arrays.FLOATS)
    single = dtype != np.float64
    n, n_classes = _shape(r)
    loss = _make(r.choice(LOSSES), r, n_classes, single)
    y = _targets(s, loss, n, n_classes, dtype)
    if _of_probabilities(loss):
        z = _distribution(r, n, n_classes).astype(dtype)
        z = np.minimum(z, np.ones(1, dtype))
    else:
        z = arrays.as_dtype(arrays.numbers(r, n * n_classes), dtype).reshape(n, n_classes)
        if (
            r.random() < 0.1
            and n_classes > 1
            and not isinstance(loss, fl.EuclideanError | fl.MulticlassHinge)
        ):
            z[:, r.randrange(n_classes)] = -np.inf
    w = some_weights(r, n, dtype)
    weights = truth.Weights(w, (n,), single, np.max(_factor(loss)))
    if r.random() < 0.7:
        _take_away(loss, r, y, z, weights.is_absent)
    n_outputs = 3 if loss.has_hessian else 2
    verb = loss.value_gradient_and_hessian if n_outputs == 3 else loss.value_and_gradient
    first = s.call(verb, y, z, sample_weight=w, reduction="none")
    unchanged = Unchanged(y, z, w)
    if z.size < 5000:
        _hold_to_truth(s, loss, y, z, weights, first, single)
    _repeat(s, loss, y, z, w, weights, first)
    unchanged.check()


def _take_away(loss: Any, r: random.Random, y: np.ndarray, z: np.ndarray, absent: np.ndarray) -> None:
    """Put what no number is into rows of weight 0, which are as if they were not there."""
    if _of_probabilities(loss):
        z[absent] = 0
        return
    for i in np.flatnonzero(absent):
        z[i, r.randrange(z.shape[1])] = r.choice((np.nan, np.inf, -np.inf))
    if isinstance(loss, fl.EuclideanError):
        y[absent] = r.choice((np.nan, np.inf))


def _hold_to_truth(
    s: Session, loss: Any, y: Any, z: Any, weights: truth.Weights, first: Any, single: bool
) -> None:
    if isinstance(loss, fl.JSDivergence) or not len(z):
        return  # its plain formula cancels where the rows are alike, in every precision
    compute = np.float32 if single else np.float64
    exact_z = z.astype(compute).astype(truth.WIDE)
    exact_y = y.astype(compute if y.ndim == 2 else np.float64).astype(truth.WIDE)
    t = truth.twin(loss, single)
    ignored = t._ignored(exact_y)
    limits = np.finfo(compute)
    truths = truth.rows(loss, t, exact_y, exact_z, len(first))
    # Where one class is all but certain the plain formulas cancel, in the longest type too.
    largest = np.max(np.abs(exact_z), axis=1, initial=1, where=np.isfinite(exact_z))
    plain = 2.0**-58 * largest * np.max(_factor(loss), initial=0)
    if (
        isinstance(loss, fl.MulticlassHinge)
        and (np.abs(t._margins(exact_y, exact_z)[0]) <= 1e-12 * largest[:, None]).any()
    ):
        return  # a rounding decides whether a class counts
    for name, found, (true, scale) in zip(truth.OUTPUTS, first, truths, strict=False):
        columns = (-1,) + (1,) * (true.ndim - 1)
        by = weights.of_all.reshape(columns)
        with np.errstate(all="ignore"):
            size = np.abs(true)
            scale = np.maximum(scale, size)
            lost = (size > float(limits.max) * (1 - 1e-6)) | ~np.isfinite(true)
            lost |= (size < 2 * float(limits.tiny)) & (by != 1)
            bound = ULPS if found.dtype == compute else 1
            slack = plain.reshape(columns) * by
            if found.dtype != compute:
                slack = slack + ULPS * 2.0**-23 * scale * by
            true = weights.times(np.where(ignored.reshape(columns), 0.0, true))
            scale = weights.times(scale)
            # A sample's weight times a class's may leave float64's range, though results do not.
            share = by * np.max(_factor(loss))
            lost |= (share > np.finfo(np.float64).max) & ~np.isnan(found)
            lost |= share < np.finfo(np.float64).tiny
            lost &= by != 0
            wrong = wrong_entries(found, true, bound, scale, slack=slack) & ~lost
        if wrong.any():
            i = tuple(int(k) for k in np.argwhere(wrong)[0])
            s.near(f"{name}{list(i)} at y={y[i[0]]!r}, z={z[i[0]]!r:.300}", found[i], true[i], 0)


def _factor(loss: Any) -> Any:
    """What a row's terms are multiplied by."""
    return getattr(loss, "class_weight", None) or getattr(loss, "alpha", None) or 1.0


def _total(loss: Any, y: Any, z: Any, w: Any) -> Any:
    """What a mean divides by, of weights whose sum float64 need not hold."""
    if w is None:
        return truth.WIDE(loss.weight_sum(y, z))
    scale = truth.WIDE(2.0) ** -int(np.frexp(w.astype(truth.WIDE).max(initial=0))[1])
    near_one = (w.astype(truth.WIDE) * scale).astype(np.float64)
    return truth.WIDE(loss.weight_sum(y, z, sample_weight=near_one)) / scale


def _repeat(
    s: Session, loss: Any, y: Any, z: Any, w: Any, weights: truth.Weights, first: tuple[np.ndarray, ...]
) -> None:
    """The same rows, asked for in other ways."""
    r = s.r
    total = _total(loss, y, z, w)
    plain = first
    if w is not None:
        verb = loss.value_gradient_and_hessian if len(first) == 3 else loss.value_and_gradient
        plain = s.call(verb, y, z, reduction="none")
    seen: dict[Any, Any] = {}
    verbs = list(VERBS) if len(first) == 3 else list(VERBS)[:3]
    calls = 4 if z.size > 5000 else 10
    for i in range(calls):
        if i == calls // 2:
            s.choose_tier()
        verb, reduction = r.choice(verbs), r.choice(("mean", "sum", "none", "none"))
        if reduction == "mean" and not total > 0:
            continue
        yy, zz = arrays.some_layout(y, r), arrays.some_layout(z, r)
        ww = w if w is None else arrays.some_layout(w, r)
        kinds = [k for k in VERBS[verb] if k > 0 or reduction == "none"]
        outputs: tuple[np.ndarray, ...] = ()
        if kinds and r.random() < 0.4:
            shapes = [z.shape if k else z.shape[:1] for k in kinds]
            outputs = tuple(arrays.some_output(shape, z.dtype, r) for shape in shapes)
        found = s.call_into(
            outputs,
            getattr(loss, verb),
            yy,
            zz,
            sample_weight=ww,
            reduction=reduction,
            n_threads=r.choice(THREADS),
        )
        found = found if len(VERBS[verb]) > 1 else (found,)
        for k, x in zip(VERBS[verb], found, strict=True):
            what = f"{truth.OUTPUTS[k]} ({reduction})"
            if k == 0 and reduction != "none":
                s.same(what, x, seen.setdefault(reduction, x))
                truth.hold_to_sum(what, x, plain[0], weights, total if reduction == "mean" else 1.0)
            elif reduction != "mean":
                s.same(what, x, first[k])
            else:
                s.same(what, x, seen.setdefault(k, x.astype(x.dtype.newbyteorder("="))))
                # These Hessians cross zero: each of their terms is rounded.
                crosses = k == 2 and isinstance(loss, fl.Focal | fl.Poly1CrossEntropy | fl.JSDivergence)
                if x.dtype.itemsize >= 4 and not crosses:
                    hold_to_mean(s, what, x, *truth.mean_of(first[k], plain[k], weights, total))
