"""Arrays of targets and predictions that honour a loss's domains: ordinary ones, and the hard ones."""

from __future__ import annotations

from typing import Any

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


def ordinary(loss: Any, n: int | tuple[int, ...], dtype: Any, rng: np.random.Generator) -> Pair:
    """Targets and predictions such as data have, in the loss's domains."""
    target, prediction = loss.target_domain, loss.prediction_domain
    if target.integral:
        y = rng.integers(int(target.low), int(target.high) + 1, n).astype(np.float64)
    elif target.high == 1:
        y = np.where(rng.random(n) < 0.5, rng.integers(0, 2, n), rng.random(n))
    elif np.isfinite(target.low):
        y = np.abs(rng.normal(0, 2, n)) + 0.01
    else:
        y = rng.normal(0, 3, n)
        if loss.family == "binary":
            y = np.round(y)
    if np.isfinite(prediction.high):
        z = rng.random(n)
    elif np.isfinite(prediction.low):
        z = np.abs(rng.normal(0, 2, n))
    else:
        z = rng.normal(0, 3, n)
        # Some predictions are exactly right, as after a perfect fit.
        z = np.where(rng.random(n) < 0.05, y, z)
    return y.astype(dtype), z.astype(dtype)


def _inside(x: np.ndarray, domain: Any) -> np.ndarray:
    return (x > domain.low if domain.open_low else x >= domain.low) & (x <= domain.high)


def _log_uniform(rng: np.random.Generator, low: float, high: float, n: int) -> np.ndarray:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def _signs(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.choice([-1.0, 1.0], n)


def _near(x: np.ndarray, eps: float, rng: np.random.Generator) -> np.ndarray:
    """Numbers a few units in the last place around each of `x`."""
    return x * (1 + eps * rng.integers(-6, 7, x.size))


def _residuals(loss: Any, info: np.finfo, rng: np.random.Generator, n: int) -> Pair:
    tiny, huge, eps = float(info.tiny), float(info.max) / 4, float(info.eps)
    tail = 1.05 * np.log(float(info.max))
    zero = np.zeros(n)
    # A parameter that the precision cannot hold is a kink between two of its numbers.
    kinks = [
        1.0,
        *(v for v in loss.parameters.values() if isinstance(v, float) and float(info.dtype.type(v)) == v > 0),
    ]
    kinks = np.array([k * f for k in kinks for f in (1, 0.5**0.5, 0.2**0.5)])
    at_kink = _near(rng.choice(kinks, n), eps, rng) * _signs(rng, n)
    spread = _log_uniform(rng, 1e-6, 1e6, n) * _signs(rng, n)
    normal = rng.normal(0, 3, n)
    wide = _log_uniform(rng, tiny, huge, n) * _signs(rng, n)
    pairs = [
        (zero, wide),
        (_log_uniform(rng, tiny, huge, n) * _signs(rng, n), rng.permutation(wide)),
        (zero, rng.uniform(-tail, tail, n)),
        (np.abs(spread) ** 0.3, rng.uniform(-tail, tail, n)),
        (spread, _log_uniform(rng, 1e-6, 1e6, n) * _signs(rng, n)),
        (normal, normal + rng.normal(0, 1, n)),
        (spread, _near(spread, eps, rng)),
        (zero, at_kink),
        (at_kink, zero),
        (np.abs(normal), _near(np.log(np.abs(normal)), eps, rng)),
        (np.array([0.0, -0.0, tiny, 1.0, -huge]), np.array([0.0, -0.0, -tiny, 1.0, huge])),
    ]
    return np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])


def _scores(info: np.finfo, rng: np.random.Generator, n: int) -> np.ndarray:
    tiny, huge = float(info.tiny), float(info.max) / 4
    tail = 1.05 * np.log(float(info.max))
    return np.concatenate(
        [
            _log_uniform(rng, tiny, huge, n) * _signs(rng, n),
            _log_uniform(rng, 1e-3, 1e3, 2 * n) * _signs(rng, 2 * n),
            rng.uniform(-tail, tail, 2 * n),
            rng.uniform(-6, 6, 2 * n),
            _near(np.full(n, 1.0), float(info.eps), rng) * _signs(rng, n),
            np.array([0.0, -0.0, 1.0, -1.0, huge, -huge, tiny, -tiny]),
        ]
    )


def _probabilities(info: np.finfo, rng: np.random.Generator, n: int) -> np.ndarray:
    eps = float(info.eps)
    small = _log_uniform(rng, float(info.tiny), 0.5, n)
    return np.concatenate(
        [
            rng.random(3 * n),
            small,
            1 - _log_uniform(rng, eps / 4, 0.5, n),
            eps * rng.integers(0, 9, n),
            1 - eps / 2 * rng.integers(0, 9, n),
            np.array([0.0, 1.0, 0.5]),
        ]
    )


def _above_minus_one(info: np.finfo, rng: np.random.Generator, n: int) -> Pair:
    eps = float(info.eps)
    y = np.concatenate(
        [
            _log_uniform(rng, float(info.tiny), 0.5, n) * _signs(rng, n),
            -1 + _log_uniform(rng, eps, 1, n),
            _log_uniform(rng, 1e-3, 1e6, n),
            rng.random(n),
        ]
    )
    z = np.concatenate([rng.permutation(y), rng.permutation(y), _near(y, eps, rng)])
    return np.concatenate([y, y, y]), z


def hard(loss: Any, dtype: Any, rng: np.random.Generator, n: int = 100) -> Pair:
    """Points over the whole domain: all magnitudes, tails, and a few units around kinks and roots."""
    info = np.finfo(dtype)
    target, prediction = loss.target_domain, loss.prediction_domain
    if prediction.low == -np.inf and not np.isfinite(target.high):
        y, z = _residuals(loss, info, rng, n)
    elif prediction.low > -np.inf and not np.isfinite(target.high):
        y, z = _above_minus_one(info, rng, n)
    else:
        z = (_probabilities if np.isfinite(prediction.high) else _scores)(info, rng, n)
        if target.integral:
            y = rng.integers(int(target.low), int(target.high) + 1, z.size).astype(np.float64)
        else:
            soft = rng.choice(_probabilities(info, rng, n), z.size)
            y = np.where(rng.random(z.size) < 0.5, rng.integers(0, 2, z.size), soft)
    with np.errstate(all="ignore"):
        y, z = y.astype(dtype), z.astype(dtype)
    if target.low >= 0 and not target.integral:
        y = np.abs(y)
        if target.open_low:
            y = np.maximum(y, info.tiny)
    inside = _inside(y, target) & _inside(z, prediction)
    return y[inside], z[inside]
