"""The losses of embeddings: pairs, triplets, centres, batches."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import fastloss as fl

from . import arrays, truth
from .pointwise import positive
from .session import THREADS, Session, Unchanged, some_weights

VERBS = ("__call__", "gradient", "value_and_gradient")
ULPS = 8


def make(r: random.Random) -> Any:
    kind = r.randrange(6)
    if kind == 0:
        return fl.Contrastive(margin=positive(r))
    if kind == 1:
        return fl.CosineEmbedding(margin=r.choice((0.0, 0.5, -1.0, 1.0)))
    if kind in (2, 3):
        return fl.Triplet(margin=r.choice((0.0, positive(r))), squared=kind == 2)
    return (
        fl.CenterLoss()
        if kind == 4 or r.random() < 0.6
        else fl.NTXent(temperature=r.choice((0.05, 0.1, 1.0, 10.0)))
    )


def _rows(r: random.Random, n: int, d: int, dtype: np.dtype) -> np.ndarray:
    found = arrays.numbers(r, n * d) if r.random() < 0.2 else arrays.fractions(r, n * d) * 2 - 1
    # Squares of so large numbers overflow, which is tested elsewhere.
    with np.errstate(under="ignore"):
        return np.clip(found, -1e9, 1e9).astype(dtype).reshape(n, d)


def case(s: Session) -> None:
    """One loss and its rows, held against the truth and against itself."""
    r = s.r
    loss = make(r)
    dtype = r.choice(arrays.FLOATS[1:3])
    n, d = arrays.size(r), max(arrays.size(r), 1)
    while n * d > 3000:
        n, d = (max(1, n // 3), d) if r.random() < 0.5 else (n, max(1, d // 3))
    if isinstance(loss, fl.NTXent):
        n = max(1, n % 40)
    elif r.random() < 0.0007:
        n, d = 9001, 32
    mixed = r.random() < 0.15
    n_inputs = 3 if isinstance(loss, fl.Triplet) else 2
    n_centers = r.randrange(1, 9) if isinstance(loss, fl.CenterLoss) else n
    dtypes = [r.choice(arrays.FLOATS[1:3]) if mixed else dtype for _ in range(n_inputs)]
    inputs = [_rows(r, n_centers if i == 1 else n, d, t) for i, t in enumerate(dtypes)]
    labels: list[np.ndarray] = []
    if isinstance(loss, fl.CenterLoss):
        labels = [arrays.whole(r, n, 0, n_centers - 1).astype(r.choice("bBhHiIqQfd"))]
    elif not isinstance(loss, fl.Triplet | fl.NTXent):
        low = -1 if isinstance(loss, fl.CosineEmbedding) and r.random() < 0.5 else 0
        labels = [arrays.whole(r, n, low, 1).astype(r.choice("bhiqfd" if low else "?bBhHiIqQfd"))]
    w = some_weights(r, n, dtype)
    single = all(x.dtype == np.float32 for x in inputs)
    weights = truth.Weights(w, (n,), single)
    if r.random() < 0.7 and not isinstance(loss, fl.NTXent):
        for x in inputs[: 1 if isinstance(loss, fl.CenterLoss) else 3]:
            x[weights.is_absent] = r.choice((np.nan, np.inf, 1e30))
    first = s.call(loss.value_and_gradient, *inputs, *labels, sample_weight=w, reduction="none")
    first = (first[0], *first[1])
    unchanged = Unchanged(*inputs, *labels, w)
    _hold_to_truth(s, loss, inputs, labels, weights, first, single)
    if n:
        _repeat(s, loss, inputs, labels, w, weights, first)
    unchanged.check()


def _hold_to_truth(
    s: Session, loss: Any, inputs: Any, labels: Any, weights: truth.Weights, first: Any, single: bool
) -> None:
    if not len(inputs[0]) or isinstance(loss, fl.NTXent) or inputs[0].size > 5000:
        return
    t = truth.twin(loss, single)
    exact = [x.astype(np.float32 if single else np.float64).astype(truth.WIDE) for x in inputs]
    rest = [x.astype(np.int64) for x in labels]
    weight = weights.of_all
    # Rows of weight 0 are replaced by another one, which is multiplied by 0.
    for x in exact[: 1 if isinstance(loss, fl.CenterLoss) else 3]:
        x[weights.is_absent] = x[np.argmax(weight)]
    with np.errstate(all="ignore"):
        values, gradients = t._values(*exact, *rest), t._gradients(weight, *exact, *rest)
        value_size, sizes = truth.magnitudes(loss, (*exact, *rest))
        largest = [np.maximum(np.abs(x).max(axis=0), 0) for x in gradients]
    compute = np.dtype(np.float32 if single else np.float64)
    eps = float(np.finfo(compute).eps)
    if not np.isfinite(values).all() or any(not np.isfinite(g).all() for g in gradients):
        return
    value_size = np.nan_to_num(np.asarray(value_size, np.float64), posinf=np.inf)
    slack: Any = (1e-36 if single else 1e-300) * np.maximum(weight, 1)
    # The square of a difference that is rounded.
    squared = (4 * eps * loss.margin) ** 2 * weight if isinstance(loss, fl.Contrastive) else 0.0
    s.near("values", first[0], values * weight, ULPS, value_size * weight, slack=slack + squared)
    # At its margin a loss has two slopes, and a rounding decides.
    at_margin = (np.abs(values) <= 16 * eps * value_size) & isinstance(loss, fl.Triplet | fl.CosineEmbedding)
    for i, (found, true, size) in enumerate(zip(first[1:], gradients, sizes, strict=True)):
        size = np.nan_to_num(np.asarray(size, np.float64), posinf=np.inf)
        by = 1.0 if size.shape[0] != len(weight) or isinstance(loss, fl.CenterLoss) else weight[:, None]
        at = np.where(at_margin, np.inf, slack)[:, None]
        if isinstance(loss, fl.CenterLoss) and i == 1:
            at = 4 * eps * (size * weight.max() + largest[i])
            # Sums of large terms may be infinite too soon.
            if np.any(size * weight.max() + largest[i] > float(np.finfo(found.dtype).max) / 4):
                continue
        s.near(f"gradient {i}", found, true, ULPS, size * by, slack=at)


def _repeat(
    s: Session, loss: Any, inputs: Any, labels: Any, w: Any, weights: truth.Weights, first: Any
) -> None:
    r = s.r
    batch = isinstance(loss, fl.NTXent)
    total, largest = weights.total, weights.of_all.max(initial=0)
    plain = first
    if w is not None:
        value, gradients = s.call(loss.value_and_gradient, *inputs, *labels, reduction="none")
        plain = value, *gradients
    seen: dict[Any, Any] = {}
    calls = 3 if batch else 8
    for i in range(calls):
        if i == calls // 2 and not batch:
            s.choose_tier()
        verb, reduction = r.choice(VERBS), r.choice(("mean", "sum", "none"))
        xx = [arrays.some_layout(x, r) for x in inputs]
        yy = [arrays.some_layout(y, r) for y in labels]
        ww = w if w is None else arrays.some_layout(w, r)
        kinds = [0] * (verb != "gradient") + list(range(1, len(first))) * (verb != "__call__")
        stored = [k for k in kinds if k > 0 or reduction == "none"]
        outputs: tuple[np.ndarray, ...] = ()
        if r.random() < 0.4:
            outputs = tuple(arrays.some_output(first[k].shape, first[k].dtype, r) for k in stored)
        found = s.call_into(
            outputs,
            getattr(loss, verb),
            *xx,
            *yy,
            sample_weight=ww,
            reduction=reduction,
            n_threads=r.choice(THREADS),
        )
        if verb == "value_and_gradient":
            found = (found[0], *found[1])
        elif verb == "__call__":
            found = (found,)
        for k, x in zip(kinds, found, strict=True):
            what = f"{'gradient ' if k else 'value '}{k} ({reduction})"
            if k == 0 and reduction != "none":
                s.same(what, x, seen.setdefault(reduction, x))
                truth.hold_to_sum(what, x, plain[0], weights, total if reduction == "mean" else 1.0)
            elif reduction != "mean":
                s.same(what, x, first[k])
            else:
                s.same(what, x, seen.setdefault(k, x.astype(x.dtype.newbyteorder("="))))
                if weights.usual or not (batch or (isinstance(loss, fl.CenterLoss) and k == 2)):
                    true, slack = truth.mean_of(first[k], plain[k], weights, total)
                    _hold_to_mean(s, what, x, true, k, loss, inputs, largest / total, slack)


def _hold_to_mean(
    s: Session, what: str, x: Any, true: Any, k: int, loss: Any, inputs: Any, share: Any, slack: Any
) -> None:
    """A mean's gradient against the sum's: the same terms but for roundings of each."""
    if np.isfinite(true).all():
        many = isinstance(loss, fl.NTXent) or (isinstance(loss, fl.CenterLoss) and k == 2)
        size: Any = float(np.abs(true).max(initial=0.0))
        if isinstance(loss, fl.Triplet):  # the anchor's gradient is a difference of two unit vectors
            size = max(size, 2 * share)
        if isinstance(loss, fl.CosineEmbedding):  # a projection's two terms are as long as 1 over the vector
            with np.errstate(all="ignore"):
                length = np.sqrt((inputs[k - 1].astype(truth.WIDE) ** 2).sum(axis=1, keepdims=True))
                size = np.maximum(size, np.where(length > 0, 2 * share / length, 0))
        s.near(
            what,
            x,
            true,
            300 if many else 40,
            size,
            slack=slack + (1e-36 if x.dtype == np.float32 else 1e-300),
        )
