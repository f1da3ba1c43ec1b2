"""The true results of the pointwise losses, and the errors of the kernels."""

from __future__ import annotations

import functools
from typing import Any

import multiprecision
import numpy as np
from multiprecision import Truth

from fastloss.adapters._boosting import curvature_code

# Where a result crosses zero, no bound relative to it is possible; the error is then held to ULPs of the sum
# of the magnitudes of its terms. These are all the results with such a root; t is the multi-precision twin.
np_ = multiprecision.Functions()


def _log_ratio(y: Any, z: Any) -> Any:
    return np.abs(np_.log1p(z) - np_.log1p(y))


def _square(t: Any, y: Any, z: Any) -> Any:
    return ((z - y) / t.c) ** 2


def _shares(t: Any, y: Any) -> Any:
    positive, negative = t._shares(y)
    return np.abs(positive), np.abs(negative)


def _tweedie_value(t: Any, y: Any, z: Any) -> Any:
    if t.power in (1, 2):
        return CROSSES_ZERO["Poisson" if t.power == 1 else "Gamma", "value"](t, y, z)
    return 0 * z


def _of_smallest(t: Any, y: Any) -> Any:
    """The smallest normal number times both weights: e^-|z| below it has no more bits to be multiplied."""
    positive, negative = _shares(t, y)
    return (positive + negative) * (2.0**-126 if t.machine_epsilon == 2.0**-23 else 2.0**-1022)


def _cross_entropy_gradient(t: Any, y: Any, z: Any) -> Any:
    positive, negative = _shares(t, y)
    if t.from_logits:
        return negative / (1 + np_.exp(-z)) + positive / (1 + np_.exp(z)) + _of_smallest(t, y)
    p = t._clip(z)
    return positive / p + negative / (1 - p)


def _brier_error(t: Any, y: Any, z: Any) -> Any:
    if not t.from_logits:
        return np.abs(z - y)
    return (1 - y) / (1 + np_.exp(-z)) + y / (1 + np_.exp(z))


def _focal_hessian(t: Any, y: Any, z: Any) -> Any:
    alpha, p, q, log_p, _ = t._terms(y, z)
    if not t.from_logits and t.gamma >= 1:
        return 0 * z  # every term of it is positive
    if not t.from_logits:
        g = t.gamma
        return alpha * (q**g / p**2 + 2 * g * q ** (g - 1) / p + g * (1 - g) * q ** (g - 2) * log_p)
    return alpha * q**t.gamma * p * (t.gamma * log_p * (t.gamma * p + q) + (2 * t.gamma + 1) * q)


CROSSES_ZERO = {
    # e^z - y·z: 0 twice for y > e; its gradient at z = log y.
    ("Poisson", "value"): lambda t, y, z: np_.exp(z) + np.abs(y * z),
    ("Poisson", "gradient"): lambda t, y, z: np_.exp(z) + y,
    # z + y·e^-z: 0 for y < 1/e; its gradient at z = log y.
    ("Gamma", "value"): lambda t, y, z: np.abs(z) + y * np_.exp(-z),
    ("Gamma", "gradient"): lambda t, y, z: 1 + y * np_.exp(-z),
    # Between the ends Poisson and gamma the value is positive; the gradient is 0 at z = log y.
    ("Tweedie", "value"): _tweedie_value,
    ("Tweedie", "gradient"): lambda t, y, z: np_.exp((2 - t.power) * z) + y * np_.exp((1 - t.power) * z),
    # Redescending: negative curvature beyond |r| = c, c/√2 and c/√5.
    ("Cauchy", "hessian"): lambda t, y, z: 1 / (1 + _square(t, y, z)),
    ("GeneralRobust", "hessian"): lambda t, y, z: (
        t._bend((z - y) / t.c, 1) * t._falling((z - y) / t.c) / t.c**2
    ),
    ("Welsch", "hessian"): lambda t, y, z: (1 + 2 * _square(t, y, z)) * np_.exp(-_square(t, y, z)),
    ("Tukey", "hessian"): lambda t, y, z: (1 - t._inside(y, z)) * (1 + 5 * t._inside(y, z)),
    # 1 - log((1 + z)/(1 + y)) is 0 at 1 + z = e·(1 + y).
    ("SquaredLogError", "hessian"): lambda t, y, z: 2 * (1 + _log_ratio(y, z)) / (1 + z) / (1 + z),
    # A soft label's gradient is 0 where the prediction equals it; at labels 0 and 1 this is the gradient.
    ("BinaryCrossEntropy", "gradient"): _cross_entropy_gradient,
    ("BinaryCrossEntropy", "value"): lambda t, y, z: _of_smallest(t, y),
    ("BinaryCrossEntropy", "hessian"): lambda t, y, z: _of_smallest(t, y),
    # 0 where the prediction equals a soft label; from logits it is concave far from there.
    ("BrierScore", "value"): lambda t, y, z: _brier_error(t, y, z) ** 2,
    ("BrierScore", "gradient"): lambda t, y, z: 2 * _brier_error(t, y, z) * t._slope(z),
    ("BrierScore", "hessian"): lambda t, y, z: 2 * t._slope(z) * (t._slope(z) + _brier_error(t, y, z)),
    # The focal loss is concave where badly wrong: near z = -2.8 for gamma = 2 and label 1.
    ("BinaryFocal", "hessian"): _focal_hessian,
}


def _asymmetric(t: Any, y: Any, z: Any) -> Any:
    """(q + c)/(q - c): an error of the probability, of which c is taken off, in units of what is left."""
    _, wrong, _, m, _, _ = t._terms(y, z)
    clip = np.where(y == 1, 0.0, t.clip)
    return np.where(m > 0, (wrong + clip) / np.where(m > 0, m, 1.0), 0.0)


def _asymmetric_hessian(t: Any, y: Any, z: Any) -> Any:
    gamma, q, r, m, loss, _ = t._terms(y, z)
    kept = np.where(m > 0, m, 1.0)
    share = np.where(q == m, 1.0, r / np.where(q == m, 1.0, r + (q - m)))
    terms = q * (gamma * loss * r / kept + share) * (r + q)
    terms += (
        q * q * (gamma * abs(gamma - 1) * loss * (r / kept) ** 2 + 2 * gamma * r / kept * share + share**2)
    )
    return m**gamma * terms * _asymmetric(t, y, z)


CROSSES_ZERO |= {
    # Near q = c, where absent labels are dropped, all that is left of q is its rounding error.
    ("AsymmetricLoss", "value"): lambda t, y, z: t._value(y, z) * _asymmetric(t, y, z),
    ("AsymmetricLoss", "gradient"): lambda t, y, z: np.abs(t._gradient(y, z)) * _asymmetric(t, y, z),
    ("AsymmetricLoss", "hessian"): _asymmetric_hessian,
    ("AsymmetricLoss", "gauss-newton"): lambda t, y, z: (
        np.abs(t._gradient(y, z)) * t._terms(y, z)[2] * _asymmetric(t, y, z)
    ),
}


def results(loss: Any, y: np.ndarray, z: np.ndarray) -> dict[str, np.ndarray]:
    """What the kernels say: value, gradient and Hessian of each sample."""
    found = {"value": loss(y, z, reduction="none")}
    if loss.has_gradient:
        found["gradient"], found["hessian"] = loss.gradient_and_hessian(y, z, reduction="none")
    return found


def errors(
    loss: Any, output: str, y: np.ndarray, z: np.ndarray, result: np.ndarray
) -> tuple[np.ndarray, Truth]:
    """Errors of `result` in ULPs, and the true numbers."""
    twin = multiprecision.twin(loss, epsilon=float(np.finfo(z.dtype).eps))
    true = multiprecision.truth(getattr(twin, f"_{output}"), y, z)
    scale = CROSSES_ZERO.get((type(loss).__name__, output))
    if scale is not None:
        scale = multiprecision.truth(lambda y, z: CROSSES_ZERO[type(loss).__name__, output](twin, y, z), y, z)
    return multiprecision.ulps(result, true, scale), true


def _secant(t: Any, y: Any, z: Any) -> Any:
    r = z - y
    return np.where(r == 0, t._hessian(y, z), t._gradient(y, z) / np.where(r == 0, 1.0, r))


def _logistic_bound(t: Any, y: Any, z: Any) -> Any:
    a = np.where(z == 0, 2.0**-200, z)
    return sum(t._shares(y)) * np_.tanh(a / 2) / (2 * a)


def _focal_bound(t: Any, y: Any, z: Any) -> Any:
    margin = np.where(y == 1, z, -z)
    return (t.gamma + 1) * np.abs(t._gradient(y, z)) * np.minimum(np.maximum(margin, 0) / 4 + 0.5, 1.0)


def _at_mean(t: Any, y: Any) -> Any:
    return np.where(y > 0, np_.exp((2 - t.power) * np_.log(np.where(y > 0, y, 1.0))), 0.0)


#: The curvatures besides |h| and 1 that do not depend on other samples, as curvature_blocks.h derives them.
CURVATURES = {
    **{
        (name, "majorizer"): _secant
        for name in (
            "Huber",
            "SmoothL1",
            "LogCosh",
            "PseudoHuber",
            "Fair",
            "GeneralRobust",
            "Cauchy",
            "Welsch",
            "Tukey",
        )
    },
    ("Expectile", "majorizer"): lambda t, y, z: 2 * max(t.q, 1 - t.q) + 0 * z,
    ("AsymmetricLoss", "gauss-newton"): lambda t, y, z: np.abs(t._gradient(y, z)) * t._terms(y, z)[2],
    ("SquaredHinge", "majorizer"): lambda t, y, z: 2 + 0 * z,
    ("SquaredEpsilonInsensitive", "majorizer"): lambda t, y, z: 2 + 0 * z,
    ("ModifiedHuber", "majorizer"): lambda t, y, z: 2 + 0 * z,
    ("SmoothedHinge", "majorizer"): lambda t, y, z: 1 / t.gamma + 0 * z,
    ("Exponential", "majorizer"): lambda t, y, z: np.maximum(t._hessian(y, z), 1.0),
    ("Gamma", "majorizer"): lambda t, y, z: np.maximum(t._hessian(y, z), 1.0),
    ("Poisson", "majorizer"): lambda t, y, z: np.maximum(t._hessian(y, z), y),
    ("Tweedie", "majorizer"): lambda t, y, z: np.maximum(t._hessian(y, z), _at_mean(t, y)),
    ("Tweedie", "gauss-newton"): lambda t, y, z: np_.exp((2 - t.power) * z),
    ("SquaredLogError", "majorizer"): lambda t, y, z: np.maximum(t._hessian(y, z), 2 / (1 + y) ** 2),
    ("SquaredLogError", "gauss-newton"): lambda t, y, z: 2 / (1 + z) ** 2,
    ("BinaryCrossEntropy", "majorizer"): _logistic_bound,
    ("BinaryFocal", "majorizer"): _focal_bound,
    ("BinaryFocal", "gauss-newton"): lambda t, y, z: np.abs(t._gradient(y, z)) * t._terms(y, z)[1],
}


def curvature_errors(loss: Any, name: str, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Errors in ULPs of the curvature of that name."""
    result = loss._gradient_and_curvature(y, z, None, curvature_code(loss, name), None, 1)[1]
    twin = multiprecision.twin(loss)
    formula = CURVATURES[type(loss).__name__, name]
    scale = CROSSES_ZERO.get((type(loss).__name__, name))
    if scale is not None:
        scale = multiprecision.truth(functools.partial(scale, twin), y, z)
    return multiprecision.ulps(
        result, multiprecision.truth(functools.partial(formula, twin), y, z), scale, gradual=False
    )
