"""Penalties, distances that move mass, linear models, and what makes losses."""

from __future__ import annotations

import copy
import pickle
import random
from typing import Any

import numpy as np
import scipy.sparse

import fastloss as fl
from fastloss import reference

from . import arrays, pointwise, rows, truth
from .session import THREADS, FindingError, Session, Unchanged, some_weights

_VERBS = {
    "__call__": "v",
    "gradient": "g",
    "hessian": "h",
    "value_and_gradient": "vg",
    "gradient_and_hessian": "gh",
    "value_gradient_and_hessian": "vgh",
}


def _penalty(r: random.Random) -> Any:
    alpha = r.choice((0.0, pointwise.positive(r)))
    kind = r.randrange(3)
    if kind == 2:
        return fl.ElasticNet(alpha=alpha, l1_ratio=r.choice((0.0, 0.5, 1.0, r.random())))
    return (fl.L1, fl.L2)[kind](alpha=alpha)


def penalties(s: Session) -> None:
    """A penalty of parameters in any order, against its formula."""
    r = s.r
    loss = _penalty(r)
    dtype = r.choice(arrays.FLOATS[1:3])
    w = arrays.as_dtype(arrays.numbers(r, arrays.size(r)), dtype)
    w = w.reshape(pointwise.some_shape(r, w.size))
    if dtype == np.float32:
        loss = type(loss)(**{k: float(np.float32(v)) for k, v in loss.parameters.items()})
    t = getattr(reference, type(loss).__name__)(**loss.parameters)
    wide = w.astype(truth.WIDE)
    with np.errstate(all="ignore"):
        true = {"v": t._value(wide), "g": t._gradient(wide), "h": t._hessian(wide)}
    unchanged = Unchanged(w)
    for _ in range(6):
        verb = r.choice(list(_VERBS))
        letters = _VERBS[verb]
        stored = [x for x in letters if x != "v"]
        outputs = tuple(arrays.some_output(w.shape, w.dtype, r) for _ in stored if r.random() < 0.4)
        found = s.call_into(
            outputs if len(outputs) == len(stored) else (),
            getattr(loss, verb),
            arrays.some_layout(w, r),
            n_threads=r.choice(THREADS),
        )
        for letter, x in zip(letters, found if len(letters) > 1 else (found,), strict=True):
            if letter == "v":
                total, size = true["v"].sum(), np.abs(true["v"]).sum()
                eps = float(np.finfo(dtype).eps)
                if not size < float(np.finfo(dtype).max):
                    continue  # a term may be infinite in the precision of the parameters
                s.near(
                    "value",
                    np.float64(x),
                    total,
                    4,
                    slack=4 * eps * size + w.size * float(np.finfo(dtype).tiny),
                )
            else:
                s.near(letter, x, true[letter], pointwise.ULPS)
    unchanged.check()


def _line(r: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    found = arrays.fractions(r, int(np.prod(shape))) * 10 - 5
    if r.random() < 0.3:
        found = np.round(found)
    return found.reshape(shape).astype(r.choice("fd"))


def wasserstein(s: Session) -> None:
    """Distances on the line, of samples and histograms, against the reference."""
    r = s.r
    p = r.choice((1.0, 1.0, 2.0, 1.5, 3.0))
    n, m, k = r.randrange(1, 5), arrays.size(r) % 70 + 1, arrays.size(r) % 70 + 1
    histogram = r.random() < 0.4
    k = m if histogram else k
    loss = fl.Wasserstein(p=p, positions=np.cumsum(arrays.fractions(r, m) + 0.01) if histogram else None)
    if histogram:
        u, v = (arrays.fractions(r, n * m).reshape(n, m) + 0.01 for _ in range(2))
        a = b = None
    else:
        u, v = _line(r, (n, m)), _line(r, (n, k))
        a = arrays.fractions(r, n * m).reshape(n, m) + 0.1 if r.random() < 0.4 else None
        b = arrays.fractions(r, n * k).reshape(n, k) + 0.1 if r.random() < 0.4 else None
    w = some_weights(r, n, np.dtype(np.float64))
    weights = truth.Weights(w, (n,), False)
    unchanged = Unchanged(u, v, a, b, w)
    t = reference.Wasserstein(p=p, positions=loss.positions)
    first = s.call(loss.value_and_gradient, u, v, a, b, reduction="none")
    by_weight = s.call(loss.value_and_gradient, u, v, a, b, sample_weight=w, reduction="none")
    for name, found, plain in zip(truth.OUTPUTS, by_weight, first, strict=False):
        # A factor of a share near the largest number may be infinite too soon.
        slack = np.where(weights.of_all > 1e305, np.inf, 0).reshape((-1,) + (1,) * (plain.ndim - 1))
        s.near(f"{name} by weight", found, weights.times(plain), 8, slack=slack)
    ties = not histogram and len(np.unique(np.concatenate([u.ravel(), v.ravel()]))) < u.size + v.size
    reach = loss.positions[-1] if histogram else 1.0
    for i in range(n if not ties else 0):
        given = (None if a is None else a[i], None if b is None else b[i])
        with np.errstate(all="ignore"):
            value = t(u[i], v[i], *given)
        # A rounding of equal masses is moved: its p-th root.
        if not abs(first[0][i] - value) <= 1e-6 * abs(value) + 40 * 1e-15 ** (1 / p) * reach:
            raise FindingError(f"value[{i}] is {first[0][i]!r}, not {value!r}")
    for _ in range(6):
        reduction = r.choice(("mean", "sum", "none"))
        uu, vv = arrays.some_layout(u, r), arrays.some_layout(v, r)
        aa, bb = (x if x is None else arrays.some_layout(x, r) for x in (a, b))
        outputs = (arrays.some_output(v.shape, first[1].dtype, r),) if r.random() < 0.4 else ()
        gradient = s.call_into(
            outputs,
            loss.gradient,
            uu,
            vv,
            aa,
            bb,
            sample_weight=w,
            reduction=reduction,
            n_threads=r.choice(THREADS),
        )
        if reduction == "mean":
            s.near("gradient (mean)", gradient, weights.times(first[1]) / weights.total, 8, slack=1e-30)
        else:
            s.same(f"gradient ({reduction})", gradient, by_weight[1])
        value = s.call(
            loss, uu, vv, aa, bb, sample_weight=w, reduction=reduction, n_threads=r.choice(THREADS)
        )
        if reduction == "none":
            s.same("value (none)", value, by_weight[0])
        else:
            by = weights.total if reduction == "mean" else 1.0
            truth.hold_to_sum(f"value ({reduction})", value, first[0], weights, by)
    unchanged.check()


def sinkhorn(s: Session) -> None:
    """Entropic distances between clouds: the same bits in every layout, and what must hold."""
    r = s.r
    n, m, d = r.randrange(1, 12), r.randrange(1, 12), r.choice((1, 2, 3, 5, 17))
    x, y = _line(r, (n, d)), _line(r, (m, d))
    a = arrays.fractions(r, n) + 0.1 if r.random() < 0.3 else None
    b = arrays.fractions(r, m) + 0.1 if r.random() < 0.3 else None
    reg, cost = r.choice((0.5, 2.0, 20.0)), r.choice(("sqeuclidean", "euclidean"))
    loss = fl.Sinkhorn(reg=reg, cost=cost, debiased=r.random() < 0.7, max_iter=r.choice((1, 50, 300)))
    first = s.call(loss.value_and_gradient, x, y, a, b, n_threads=1)
    if not np.isfinite(first[0]) or not np.isfinite(first[1]).all():
        raise FindingError(f"{first} is not finite")
    for _ in range(2):
        s.choose_tier()
        xx, yy = arrays.some_layout(x, r), arrays.some_layout(y, r)
        outputs = (arrays.some_output(y.shape, first[1].dtype, r),)
        found = s.call_into(outputs, loss.value_and_gradient, xx, yy, a, b, n_threads=r.choice(THREADS))
        s.same("value", found[0], first[0])
        s.same("gradient", found[1], first[1])


def linear(s: Session) -> None:
    """A linear model's objective against the loss of its predictions, X dense or sparse."""
    r = s.r
    n, features = r.randrange(1, 40), r.randrange(1, 8)
    is_rows = r.random() < 0.4
    n_classes = r.randrange(2, 6)
    if is_rows:
        cls = r.choice((fl.CrossEntropy, fl.Focal, fl.Poly1CrossEntropy, fl.MulticlassHinge))
        loss: Any = cls()
        y = arrays.whole(r, n, 0, n_classes - 1).astype(np.int64)
    else:
        loss = pointwise.make(r.choice(pointwise.LOSSES), r, False)
        while not loss.has_gradient or np.isfinite(loss.prediction_domain.low):
            loss = pointwise.make(r.choice(pointwise.LOSSES), r, False)
        y = np.clip(pointwise.data(loss, r, n)[0], -1e6, 1e6)
        y = np.where(y > loss.target_domain.low, y, 1.0) if loss.target_domain.open_low else y
    X = (arrays.fractions(r, n * features) * 4 - 2).reshape(n, features)
    X = np.maximum(X, r.choice((-3, 0)))
    w = arrays.fractions(r, n) + 0.1 if r.random() < 0.4 else None
    penalty, intercept = r.choice((None, _penalty(r))), r.random() < 0.7
    given: Any = arrays.some_layout(X, r)
    if r.random() < 0.5:
        given = r.choice((scipy.sparse.csr_array, scipy.sparse.csc_array, scipy.sparse.coo_array))(X)
    options = {"penalty": penalty, "fit_intercept": intercept, "sample_weight": w}
    if is_rows:
        options["n_classes"] = n_classes
    objective = s.call(fl.LinearObjective, loss, given, y, **options)
    at = arrays.fractions(r, objective.size) * 2 - 1
    value, gradient = s.call(objective, at)
    coef, b = s.call(objective.unpack, at)
    z = X @ coef.T + b
    expected, of_z = loss.value_and_gradient(y, z, sample_weight=w)
    by_coef = of_z.T @ X
    by_b = of_z.sum(axis=0)
    if penalty is not None:
        expected += penalty(coef)
        by_coef = by_coef + penalty.gradient(coef)
    matrix = gradient.reshape(n_classes, -1) if is_rows else gradient
    if not abs(value - expected) <= 1e-9 * (1 + abs(expected)):
        raise FindingError(f"the value is {value!r}, not {expected!r}")
    whole = np.concatenate([by_coef, np.atleast_1d(by_b)[..., None] if is_rows else [by_b]], axis=-1)
    whole = whole if intercept else by_coef
    # A kink may lie between predictions that differ by a rounding.
    if hasattr(loss, "has_hessian") and not np.allclose(
        matrix, whole, rtol=1e-8, atol=1e-8 * (1 + abs(whole).max())
    ):
        second = loss.gradient(y, z * (1 + 1e-14), sample_weight=w)
        if np.allclose(second, of_z, rtol=1e-6, atol=1e-9):
            raise FindingError(f"the gradient is {matrix!r}, not {whole!r}")


_ODD = (
    None,
    True,
    "a",
    b"a",
    10**400,
    -(10**400),
    2**63,
    np.zeros(2),
    np.array(["a", "b"]),
    {0: 1},
    0,
    1,
    -1,
    0.5,
    2.0,
    1e308,
    -0.0,
    float("nan"),
    float("inf"),
    1j,
    (),
    [0.5, 0.5],
)


def objects(s: Session) -> None:
    """Constructors with right and odd arguments, names, copies, comparison."""
    r = s.r
    info = r.choice(fl.list_losses())
    if r.random() < 0.5:
        odd = {k: r.choice(_ODD) for k in info.parameters if r.random() < 0.6}
        try:
            loss = s.call(info.cls, **odd)
        except (ValueError, TypeError) as error:
            if not any(k in str(error) for k in odd):
                raise FindingError(f"no argument's name in {error!r}") from error
            return
    elif issubclass(info.cls, fl.RowLoss):
        loss = s.call(info.cls, **rows.parameters(info.cls, r, 3))
    else:
        loss = s.call(info.cls, **pointwise.parameters(info.cls, r))
    again = s.call(fl.get_loss, r.choice((info.name, *info.aliases)), **loss.parameters)
    if type(again) is type(loss) and again != loss and loss == copy.copy(loss):
        raise FindingError(f"{again!r} is not {loss!r}")
    for other in (copy.copy(loss), copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        s.calls += 1
        if other.parameters == loss.parameters and (other != loss or hash(other) != hash(loss)):
            raise FindingError(f"{other!r} is not {loss!r}")
    if r.random() < 0.8:
        return
    name = "".join(r.choice("abcdehlmrsu_1 é") for _ in range(r.randrange(6)))
    try:
        s.call(fl.get_loss, name)
    except ValueError as error:
        if repr(name) not in str(error):
            raise FindingError(f"no name in {error!r}") from error
