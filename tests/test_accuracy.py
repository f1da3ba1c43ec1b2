"""Every value, gradient and Hessian against the truth of multi-precision arithmetic, in ULPs."""

from __future__ import annotations

from typing import Any

import multiprecision
import numpy as np
import pytest
import samples

#: The contract of the library.
BOUND = 4

OUTPUTS = ("value", "gradient", "hessian")

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


def _cross_entropy_gradient(t: Any, y: Any, z: Any) -> Any:
    positive, negative = _shares(t, y)
    if t.from_logits:
        return negative / (1 + np_.exp(-z)) + positive / (1 + np_.exp(z))
    p = t._clip(z)
    return positive / p + negative / (1 - p)


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
    ("Welsch", "hessian"): lambda t, y, z: (1 + 2 * _square(t, y, z)) * np_.exp(-_square(t, y, z)),
    # A double root at |r| = c, where r·(1 - 2x² + x⁴) is all cancellation.
    ("Tukey", "gradient"): lambda t, y, z: np.abs(z - y) * (1 + t._inside(y, z)) ** 2,
    ("Tukey", "hessian"): lambda t, y, z: (1 + t._inside(y, z)) * (1 + 5 * t._inside(y, z)),
    # 1 - log((1 + z)/(1 + y)) is 0 at 1 + z = e·(1 + y).
    ("SquaredLogError", "hessian"): lambda t, y, z: 2 * (1 + _log_ratio(y, z)) / (1 + z) / (1 + z),
    # A soft label's gradient is 0 where the prediction equals it; at labels 0 and 1 this is the gradient.
    ("BinaryCrossEntropy", "gradient"): _cross_entropy_gradient,
    # The focal loss is concave where badly wrong: near z = -2.8 for gamma = 2 and label 1.
    ("BinaryFocal", "hessian"): _focal_hessian,
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_within_4_ulp(loss: Any, dtype: Any, output: str, rng: Any, worst: Any) -> None:
    if output != "value" and not loss.has_gradient:
        pytest.skip("not differentiable")
    y, z = samples.hard(loss, dtype, rng)
    if output == "value":
        result = loss(y, z, reduction="none")
    else:
        gradient, hessian = loss.gradient_and_hessian(y, z, reduction="none")
        result = gradient if output == "gradient" else hessian
    twin = multiprecision.twin(loss, epsilon=float(np.finfo(dtype).eps))
    true = multiprecision.truth(getattr(twin, f"_{output}"), y, z)
    scale = CROSSES_ZERO.get((type(loss).__name__, output))
    if scale is not None:
        scale = multiprecision.truth(lambda y, z: CROSSES_ZERO[type(loss).__name__, output](twin, y, z), y, z)
    error = multiprecision.ulps(result, true, scale)
    i = int(np.argmax(error))
    worst.setdefault((repr(loss), np.dtype(dtype).name), {})[output] = (error[i], float(y[i]), float(z[i]))
    with np.errstate(over="ignore"):
        expected = np.ldexp(true.high[i], true.exponent[i])
    assert error[i] <= BOUND, f"{error[i]:.3g} ULP at y={y[i]!r}, z={z[i]!r}: {result[i]!r}, not {expected!r}"
