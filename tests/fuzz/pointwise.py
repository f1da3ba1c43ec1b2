"""The pointwise losses: random parameters, data, weights, layouts, precisions, verbs, threads and tiers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._loss import PointwiseLoss

from . import arrays, truth
from .session import THREADS, Session, Unchanged, some_weights, wrong_entries

VERBS = {
    "__call__": (0,),
    "gradient": (1,),
    "value_and_gradient": (0, 1),
    "gradient_and_hessian": (1, 2),
    "value_gradient_and_hessian": (0, 1, 2),
}
LOSSES = [info.cls for info in fl.list_losses() if issubclass(info.cls, PointwiseLoss)]

#: Units in the last place: twice the contract, as tests.worst looks for the last one.
ULPS = 8

#: Losses with a jump at a residual that a rounding may carry over it.
JUMPS = (
    *(fl.Huber, fl.SmoothL1, fl.EpsilonInsensitive, fl.SquaredEpsilonInsensitive, fl.SmoothedHinge),
    fl.ZeroOne,
)


def positive(r: random.Random) -> float:
    """A number such as users set, or one of any size."""
    return r.choice((0.3, 1.0, 1.5, 2.0, 4.685, 10.0)) if r.random() < 0.8 else 10.0 ** r.uniform(-6, 6)


def fraction(r: random.Random) -> float:
    """A number in (0, 1)."""
    return r.choice((0.1, 0.25, 0.5, 0.9, 0.999)) if r.random() < 0.8 else r.uniform(1e-6, 1 - 1e-6)


def parameters(cls: type, r: random.Random) -> dict[str, Any]:
    """Arguments of a constructor."""
    name = cls.__name__
    if name in ("Huber", "PseudoHuber"):
        return {"delta": positive(r)}
    if name in ("EpsilonInsensitive", "SquaredEpsilonInsensitive"):
        return {"epsilon": r.choice((0.0, positive(r)))}
    if name == "SmoothedHinge":
        return {"gamma": positive(r)}
    if name == "SmoothL1":
        return {"beta": r.choice((0.0, positive(r)))}
    if name == "Linex":
        return {"a": r.choice((-1, 1)) * positive(r)}
    if name == "BrierScore":
        return {"from_logits": r.random() < 0.6}
    if name in ("Fair", "Cauchy", "Welsch", "Tukey"):
        return {"c": positive(r)}
    if name == "GeneralRobust":
        return {"alpha": r.choice((-np.inf, -2.0, 0.0, 1.0, 2.0, r.uniform(-9, 4))), "c": positive(r)}
    if name in ("Quantile", "Expectile"):
        return {"q": fraction(r)}
    if name == "Tweedie":
        return {"power": r.choice((1.0, 2.0, 1.5, r.uniform(1.01, 1.99)))}
    if name == "ZeroOne":
        return {"threshold": r.choice((None, 0.5, positive(r)))}
    if name == "BinaryCrossEntropy":
        smoothing = r.choice((0.0, 0.0, 0.1, 1.0))
        return {
            "from_logits": r.random() < 0.6,
            "pos_weight": r.choice((1.0, 1.0, positive(r))),
            "label_smoothing": smoothing,
        }
    if name == "AsymmetricLoss":
        gammas = {k: r.choice((0.0, 1.0, 2.0, r.uniform(0, 5))) for k in ("gamma_pos", "gamma_neg")}
        return {**gammas, "clip": r.choice((0.0, 0.05, r.uniform(0, 0.9)))}
    if name == "BinaryFocal":
        gamma, alpha = r.choice((0.0, 0.5, 1.0, 2.0, 5.0)), r.choice((None, 0.25, fraction(r)))
        return {"gamma": gamma, "alpha": alpha, "from_logits": r.random() < 0.6}
    return {}


def make(cls: Any, r: random.Random, single: bool) -> Any:
    """A loss, with parameters that its precision holds exactly."""
    given = parameters(cls, r)
    if single:
        given = {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in given.items()}
    return cls(**given) if given or r.random() < 0.5 else fl.get_loss(cls.name)


def data(loss: Any, r: random.Random, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions in the domains of a loss."""
    target, prediction = loss.target_domain, loss.prediction_domain
    if target.integral:
        y = arrays.whole(r, n, int(target.low), 1)
    elif target.high == 1:
        y = arrays.fractions(r, n)
    elif target.low == -1:
        y = arrays.positive(r, n) - 0.9
    elif target.open_low:
        y = arrays.positive(r, n)
    elif target.low == 0:
        y = np.abs(arrays.numbers(r, n))
    else:
        y = arrays.numbers(r, n)
    if prediction.high == 1:
        z = arrays.fractions(r, n)
    elif prediction.low == -1:
        z = arrays.positive(r, n) - 0.9
    else:
        z = arrays.numbers(r, n)
    if loss.family == "regression" and n and r.random() < 0.2:
        z = np.where(arrays.fractions(r, n) < 0.3, y, z)
    return y, z


def kept_in(y: np.ndarray, loss: Any) -> np.ndarray:
    """Targets that a narrower dtype may have rounded out of the domain, put back."""
    target = loss.target_domain
    if target.open_low:
        return np.where(y > target.low, y, 1).astype(y.dtype)
    return y


def case(s: Session) -> None:
    """One loss and its data, by one call that is held against the truth and by others that are held to it."""
    r = s.r
    dtype = r.choice(arrays.FLOATS[1:3]) if r.random() < 0.85 else r.choice(arrays.FLOATS)
    single = dtype != np.float64
    n = arrays.size(r) if r.random() > 0.0007 else (1 << 20) + r.randrange(5)
    loss = make(r.choice(LOSSES), r, single)
    shape = some_shape(r, n)
    y, z = data(loss, r, n)
    target_dtype = r.choice(arrays.REAL) if r.random() < 0.3 else dtype
    y = kept_in(arrays.as_dtype(y, target_dtype), loss).reshape(shape)
    z = arrays.as_dtype(z, dtype)
    if loss.prediction_domain.low == -1:
        z = np.where(z > -1, z, 1).astype(dtype)
    z = z.reshape(shape)
    w = some_weights(r, n, dtype)
    w = None if w is None else (w.reshape(shape) if len(shape) == 1 or r.random() < 0.7 else w[: shape[0]])
    if w is not None and w.size and not w.any():
        w = np.ones_like(w)
    weights = truth.Weights(w, shape, single)
    if r.random() < 0.7:
        _take_away(loss, r, y, z, weights.is_absent)
    n_outputs = 3 if loss.has_gradient else 1
    verb = loss.value_gradient_and_hessian if n_outputs == 3 else loss
    first = s.call(verb, y, z, sample_weight=w, reduction="none")
    first = first if n_outputs == 3 else (first,)
    unchanged = Unchanged(y, z, w)
    if n < 5000:
        _hold_to_truth(s, loss, y, z, weights, first, single)
    _repeat(s, loss, y, z, w, weights, first)
    unchanged.check()


def _take_away(loss: Any, r: random.Random, y: np.ndarray, z: np.ndarray, absent: np.ndarray) -> None:
    """Put what no number is where the weight is 0: a sample that is as if it were not there."""
    if np.isinf(loss.prediction_domain.low):
        z[absent] = r.choice((np.nan, np.inf, -np.inf))
    if np.isinf(loss.target_domain.low) and y.dtype.kind not in "biu":
        y[absent] = r.choice((np.nan, np.inf, -np.inf))


def some_shape(r: random.Random, n: int) -> tuple[int, ...]:
    """One axis mostly, else two or three."""
    if r.random() < 0.8:
        return (n,)
    rows = next((k for k in (7, 5, 4, 3, 2) if n % k == 0), 1)
    return (rows, n // rows) if r.random() < 0.7 else (rows, 1, n // rows)


def _hold_to_truth(
    s: Session, loss: Any, y: Any, z: Any, weights: truth.Weights, first: Any, single: bool
) -> None:
    # Targets are taken in the precision of the computation.
    exact_y = y.astype(np.float32 if single else np.float64).astype(truth.WIDE)
    exact_z = z.astype(np.float32 if single else np.float64).astype(truth.WIDE)
    t, weight = truth.twin(loss, single), weights.of_all
    near_jump: Any = False
    if isinstance(loss, JUMPS):
        eps = 2.0**-22 if single else 2.0**-51
        edge = next(iter(loss.parameters.values())) or 0.0
        with np.errstate(invalid="ignore"):
            away = np.abs(exact_z - exact_y)
            near_jump = np.abs(away - edge) <= eps * np.maximum(np.abs(exact_z), np.abs(exact_y))
            near_jump &= ~weights.is_absent
    compute = np.float32 if single else np.float64
    # Within a factor of four of the largest number products and differences may be infinite too soon.
    largest = float(np.finfo(compute).max)
    near_end = np.maximum(np.abs(exact_y), np.abs(exact_z)) > largest / 4
    truths = truth.pointwise(loss, t, exact_y, exact_z, len(first))
    for name, found, (true, scale) in zip(truth.OUTPUTS, first, truths, strict=False):
        # What the precision of the computation cannot hold stays so times a weight.
        with np.errstate(all="ignore"):
            weighted, scale = weights.times(true), weights.times(np.asarray(scale))
            size = np.abs(true)
            bound = ULPS if found.dtype == compute else 1
            slack = 0.0 if found.dtype == compute else ULPS * 2.0**-23 * np.maximum(size, scale) * weight
            lost = near_end | (size > largest * (1 - 1e-6))
            lost |= (size < 2 * float(np.finfo(compute).tiny)) & (weight != 1)
            lost &= ~weights.is_absent
        wrong = wrong_entries(found, weighted, bound, scale, slack=slack) & np.logical_not(near_jump | lost)
        if wrong.any():
            i = tuple(np.argwhere(wrong)[0])
            s.near(f"{name} at y={y[i]!r}, z={z[i]!r}", found[i], weighted[i], 0)


def _repeat(
    s: Session, loss: Any, y: Any, z: Any, w: Any, weights: truth.Weights, first: tuple[np.ndarray, ...]
) -> None:
    """The same numbers, asked for in other ways."""
    r = s.r
    plain = first
    if w is not None:
        plain = s.call(loss.value_gradient_and_hessian if len(first) == 3 else loss, y, z, reduction="none")
        plain = plain if len(first) == 3 else (plain,)
    seen: dict[str, float] = {}
    means: dict[str, np.ndarray] = {}
    verbs = list(VERBS) if len(first) == 3 else ["__call__"]
    calls = 4 if z.size > 5000 else 12
    for i in range(calls):
        if i == calls // 2:
            s.choose_tier()
        verb, reduction = r.choice(verbs), r.choice(("mean", "sum", "none", "none"))
        if z.size == 0 and reduction == "mean":
            continue
        yy, zz = arrays.some_layout(y, r), arrays.some_layout(z, r)
        ww = w if w is None else arrays.some_layout(w, r)
        kinds = [k for k in VERBS[verb] if k > 0 or reduction == "none"]
        outputs: tuple[np.ndarray, ...] = ()
        if kinds and r.random() < 0.4:
            outputs = tuple(arrays.some_output(z.shape, z.dtype, r) for _ in kinds)
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
                # Which sum comes first is the memory's order, that of more axes than one.
                key = f"{reduction} {zz.strides if z.ndim > 1 else ''}"
                s.same(what, x, seen.setdefault(key, x))
                truth.hold_to_sum(what, x, plain[0], weights, weights.total if reduction == "mean" else 1.0)
            elif reduction != "mean":
                s.same(what, x, first[k])
            else:
                key = f"{k} {zz.strides if z.ndim > 1 else ''}"
                s.same(what, x, means.setdefault(key, x.astype(x.dtype.newbyteorder("="))))
                if x.dtype.itemsize >= 4:
                    hold_to_mean(s, what, x, *truth.mean_of(first[k], plain[k], weights, weights.total))


def hold_to_mean(s: Session, what: str, found: np.ndarray, true: np.ndarray, slack: Any) -> None:
    """A mean's derivatives against the sum's over the weights, but where they over- or underflow."""
    limits = np.finfo(found.dtype)
    size = np.abs(true)
    kept = np.isfinite(true) & (size < float(limits.max) / 1e6) & (size > float(limits.tiny) * 1e12)
    s.near(what, found, np.where(kept, true, found.astype(truth.WIDE)), 8, slack=slack)
