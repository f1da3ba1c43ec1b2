"""Every pointwise loss as a careful user writes it, for NumPy, torch and jax alike.

A formula takes an array namespace ``xp``, the loss object (for its parameters), targets and predictions,
computes what its results have in common, and returns three functions without arguments: the value, the
gradient and the Hessian of each sample. A peer calls those it needs, so nothing else is computed.

Margin losses get labels -1 and +1. Kinks follow the same rules as the library's. Scalars stay Python
numbers and ``where`` always has an array branch: both keep float32 data in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Formula = Callable[[Any, Any, Any, Any], tuple[Callable[[], Any], ...]]


def squared_error(xp, loss, y, z):
    r = z - y
    return lambda: r * r, lambda: 2 * r, lambda: xp.full_like(r, 2)


def half_squared_error(xp, loss, y, z):
    r = z - y
    return lambda: 0.5 * r * r, lambda: r, lambda: xp.full_like(r, 1)


def absolute_error(xp, loss, y, z):
    r = z - y
    return lambda: xp.abs(r), lambda: xp.sign(r), lambda: xp.zeros_like(r)


def huber(xp, loss, y, z):
    r, delta = z - y, loss.delta
    a = xp.abs(r)
    return (
        lambda: xp.where(a <= delta, 0.5 * r * r, delta * (a - 0.5 * delta)),
        lambda: xp.clip(r, -delta, delta),
        lambda: xp.where(a <= delta, xp.full_like(r, 1), 0),
    )


def smooth_l1(xp, loss, y, z):
    r, beta = z - y, loss.beta
    a = xp.abs(r)
    return (
        lambda: xp.where(a < beta, (0.5 / beta) * r * r, a - 0.5 * beta),
        lambda: xp.clip(r * (1 / beta), -1, 1),
        lambda: xp.where(a < beta, xp.full_like(r, 1 / beta), 0),
    )


def log_cosh(xp, loss, y, z):
    r = z - y
    a = xp.abs(r)
    return (
        lambda: a + xp.log1p(xp.exp(-2 * a)) - math.log(2),
        lambda: xp.tanh(r),
        lambda: 1 - xp.tanh(r) ** 2,
    )


def pseudo_huber(xp, loss, y, z):
    r, delta = z - y, loss.delta
    s = xp.sqrt(1 + (r * (1 / delta)) ** 2)
    return lambda: delta**2 * (s - 1), lambda: r / s, lambda: 1 / (s * s * s)


def quantile(xp, loss, y, z):
    r, q = z - y, loss.q
    return (
        lambda: xp.where(r > 0, (1 - q) * r, -q * r),
        lambda: xp.where(r > 0, (1 - q) * xp.sign(r), q * xp.sign(r)),
        lambda: xp.zeros_like(r),
    )


def expectile(xp, loss, y, z):
    r, q = z - y, loss.q
    return (
        lambda: xp.where(r > 0, (1 - q) * r, q * r) * r,
        lambda: xp.where(r > 0, (2 - 2 * q) * r, 2 * q * r),
        lambda: xp.where(r > 0, xp.full_like(r, 2 - 2 * q), 2 * q),
    )


def squared_epsilon_insensitive(xp, loss, y, z):
    r = z - y
    t = xp.clip(xp.abs(r) - loss.epsilon, 0, None)
    return lambda: t * t, lambda: 2 * xp.sign(r) * t, lambda: xp.where(t > 0, xp.full_like(t, 2), 0)


def epsilon_insensitive(xp, loss, y, z):
    r = z - y
    t = xp.clip(xp.abs(r) - loss.epsilon, 0, None)
    return lambda: t, lambda: xp.where(t > 0, xp.sign(r), 0), lambda: xp.zeros_like(r)


def linex(xp, loss, y, z):
    r, a = z - y, loss.a
    return lambda: xp.expm1(a * r) - a * r, lambda: a * xp.expm1(a * r), lambda: a**2 * xp.exp(a * r)


def fair(xp, loss, y, z):
    r, c = z - y, loss.c
    u = xp.abs(r) * (1 / c)
    return lambda: c**2 * (u - xp.log1p(u)), lambda: r / (1 + u), lambda: 1 / (1 + u) ** 2


def general_robust(xp, loss, y, z):
    r, c, alpha, b = z - y, loss.c, loss.alpha, abs(loss.alpha - 2)
    v = (r * (1 / c)) ** 2 / b + 1
    slope, curvature = v ** (alpha / 2 - 1), v ** (alpha / 2 - 2)
    return (
        lambda: b / alpha * (v ** (alpha / 2) - 1),
        lambda: r / c**2 * slope,
        lambda: curvature * (1 + (alpha - 1) * (v - 1)) / c**2,
    )


def cauchy(xp, loss, y, z):
    r, c = z - y, loss.c
    u = (r * (1 / c)) ** 2
    return lambda: 0.5 * c**2 * xp.log1p(u), lambda: r / (1 + u), lambda: (1 - u) / (1 + u) ** 2


def welsch(xp, loss, y, z):
    r, c = z - y, loss.c
    u = (r * (1 / c)) ** 2
    e = xp.exp(-u)
    return lambda: 0.5 * c**2 * (1 - e), lambda: r * e, lambda: (1 - 2 * u) * e


def tukey(xp, loss, y, z):
    r, c = z - y, loss.c
    u = (r * (1 / c)) ** 2
    w = xp.clip(1 - u, 0, None)
    return lambda: c**2 / 6 * (1 - w * w * w), lambda: r * w * w, lambda: w * xp.where(u < 1, 1 - 5 * u, 0)


def poisson(xp, loss, y, z):
    e = xp.exp(z)
    return lambda: e - y * z, lambda: e - y, lambda: e


def gamma(xp, loss, y, z):
    e = y * xp.exp(-z)
    return lambda: z + e, lambda: 1 - e, lambda: e


def tweedie(xp, loss, y, z):
    a, b = 2 - loss.power, 1 - loss.power
    e, f = xp.exp(a * z), y * xp.exp(b * z)
    return lambda: e * (1 / a) - f * (1 / b), lambda: e - f, lambda: a * e - b * f


def squared_log_error(xp, loss, y, z):
    d = xp.log1p(z) - xp.log1p(y)
    return lambda: d * d, lambda: 2 * d / (1 + z), lambda: 2 * (1 - d) / (1 + z) ** 2


def absolute_percentage_error(xp, loss, y, z):
    r, scale = z - y, xp.clip(xp.abs(y), 2.0**-52, None)
    return lambda: xp.abs(r) / scale, lambda: xp.sign(r) / scale, lambda: xp.zeros_like(r)


def symmetric_absolute_percentage_error(xp, loss, y, z):
    r, d = z - y, xp.abs(y) + xp.abs(z)
    d = xp.where(d == 0, xp.full_like(d, 1), d)
    sign, side = xp.sign(r), xp.sign(z)
    return (
        lambda: 2 * xp.abs(r) / d,
        lambda: 2 * (sign * d - xp.abs(r) * side) / d**2,
        lambda: 4 * (xp.abs(r * side) - sign * side * d) / d**3,
    )


def zero_one(xp, loss, y, z):
    wrong = y != z if loss.threshold is None else xp.abs(y - z) >= loss.threshold
    return (lambda: xp.where(wrong, xp.ones_like(z), 0),)


def perceptron(xp, loss, y, z):
    m = y * z
    return lambda: xp.clip(-m, 0, None), lambda: xp.where(m < 0, -y, 0), lambda: xp.zeros_like(m)


def hinge(xp, loss, y, z):
    m = y * z
    return lambda: xp.clip(1 - m, 0, None), lambda: xp.where(m < 1, -y, 0), lambda: xp.zeros_like(m)


def squared_hinge(xp, loss, y, z):
    s = xp.clip(1 - y * z, 0, None)
    return lambda: s * s, lambda: -2 * y * s, lambda: xp.where(s > 0, xp.full_like(s, 2), 0)


def modified_huber(xp, loss, y, z):
    m = y * z
    s, is_square = xp.clip(1 - m, 0, None), m >= -1
    return (
        lambda: xp.where(is_square, s * s, -4 * m),
        lambda: xp.where(is_square, -2 * y * s, -4 * y),
        lambda: xp.where(is_square & (s > 0), xp.full_like(s, 2), 0),
    )


def smoothed_hinge(xp, loss, y, z):
    t = xp.clip(1 - y * z, 0, None)
    c = xp.clip(t, None, loss.gamma)
    return (
        lambda: c / loss.gamma * (t - c / 2),
        lambda: -y * c / loss.gamma,
        lambda: xp.where((t > 0) & (t < loss.gamma), xp.full_like(t, 1 / loss.gamma), 0),
    )


def exponential(xp, loss, y, z):
    e = xp.exp(-y * z)
    return lambda: e, lambda: -y * e, lambda: e


def wasserstein_critic(xp, loss, y, z):
    return lambda: -y * z, lambda: -y, lambda: xp.zeros_like(z)


def binary_cross_entropy(xp, loss, y, z):
    if not loss.from_logits:
        p = xp.clip(z, 2.0**-23, 1 - 2.0**-23)
        return (
            lambda: -(y * xp.log(p) + (1 - y) * xp.log1p(-p)),
            lambda: (1 - y) / (1 - p) - y / p,
            lambda: (1 - y) / (1 - p) ** 2 + y / p**2,
        )
    e = xp.exp(-xp.abs(z))
    return (
        lambda: xp.clip(z, 0, None) - y * z + xp.log1p(e),
        lambda: xp.where(z > 0, 1 / (1 + e), e / (1 + e)) - y,
        lambda: e / (1 + e) ** 2,
    )


def brier_score(xp, loss, y, z):
    if not loss.from_logits:
        return lambda: (z - y) ** 2, lambda: 2 * (z - y), lambda: xp.full_like(z, 2)
    p = 1 / (1 + xp.exp(-z))
    d, s = p - y, p * (1 - p)
    return lambda: d * d, lambda: 2 * d * s, lambda: 2 * s * (s + d * (1 - 2 * p))


def binary_focal(xp, loss, y, z):
    """With t = ±z, q = σ(-t), L = softplus(-t): value q^γ·L, and L' = -q, q' = -q(1-q)."""
    gamma, sign = loss.gamma, 2 * y - 1
    t = sign * z
    e = xp.exp(-xp.abs(t))
    p = xp.where(t > 0, 1 / (1 + e), e / (1 + e))
    q = xp.where(t > 0, e / (1 + e), 1 / (1 + e))
    power, soft = q**gamma, xp.clip(-t, 0, None) + xp.log1p(e)
    return (
        lambda: power * soft,
        lambda: -sign * power * (gamma * p * soft + q),
        lambda: power * p * (gamma**2 * p * soft + 2 * gamma * q - gamma * q * soft + q),
    )


def asymmetric_loss(xp, loss, y, z):
    q, r = 1 / (1 + xp.exp(xp.where(y > 0, z, -z))), 1 / (1 + xp.exp(xp.where(y > 0, -z, z)))
    m = xp.where(y > 0, q, xp.clip(q - loss.clip, 0, None))
    gamma = xp.where(y > 0, xp.full_like(m, loss.gamma_pos), loss.gamma_neg)
    rest, kept = 1 - m, xp.where(m > 0, m, 1)
    value, s = -(m**gamma) * xp.log(rest), q * r
    first = xp.where(m > 0, gamma * value / kept + m**gamma / rest, 0)

    def hessian():
        second = gamma * (gamma - 1) * value / kept**2 + m**gamma * (2 * gamma / kept + 1 / rest) / rest
        return s * (xp.where(m > 0, second, 0) * s + first * (r - q))

    return lambda: value, lambda: xp.where(y > 0, -first * s, first * s), hessian


FORMULAS: dict[str, Formula] = {
    f.__name__: f
    for f in (
        squared_error, half_squared_error, absolute_error, huber, smooth_l1, log_cosh, pseudo_huber,
        quantile, expectile, epsilon_insensitive, squared_epsilon_insensitive, linex, fair, general_robust,
        cauchy, welsch, tukey, poisson, gamma, tweedie, squared_log_error, absolute_percentage_error,
        symmetric_absolute_percentage_error, zero_one, perceptron, hinge, squared_hinge, modified_huber,
        smoothed_hinge, exponential, wasserstein_critic, binary_cross_entropy, brier_score, binary_focal,
        asymmetric_loss,
    )
}  # fmt: skip
