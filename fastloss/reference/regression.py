"""Regression: the residual is ``r = z - y``."""

from __future__ import annotations

import math

import numpy as np

from fastloss.reference._base import Array, Domain, Loss

__all__ = [
    "SquaredError",
    "HalfSquaredError",
    "AbsoluteError",
    "Huber",
    "SmoothL1",
    "LogCosh",
    "PseudoHuber",
    "Quantile",
    "Expectile",
    "EpsilonInsensitive",
    "SquaredEpsilonInsensitive",
    "Linex",
    "Fair",
    "GeneralRobust",
    "Cauchy",
    "Welsch",
    "Tukey",
    "Poisson",
    "Gamma",
    "Tweedie",
    "SquaredLogError",
    "AbsolutePercentageError",
    "SymmetricAbsolutePercentageError",
]

NOT_NEGATIVE = Domain(low=0.0)
POSITIVE = Domain(low=0.0, open_low=True)
ABOVE_MINUS_ONE = Domain(low=-1.0, open_low=True)


class SquaredError(Loss):
    """r²."""

    def _value(self, y: Array, z: Array) -> Array:
        return (z - y) ** 2

    def _gradient(self, y: Array, z: Array) -> Array:
        return 2 * (z - y)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.full_like(z, 2)


class HalfSquaredError(Loss):
    """½r²."""

    def _value(self, y: Array, z: Array) -> Array:
        return (z - y) ** 2 / 2

    def _gradient(self, y: Array, z: Array) -> Array:
        return z - y

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.ones_like(z)


class AbsoluteError(Loss):
    """|r|."""

    def _value(self, y: Array, z: Array) -> Array:
        return np.abs(z - y)

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.sign(z - y)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z)


class Huber(Loss):
    """½r² where |r| ≤ delta, else delta(|r| - ½delta)."""

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    def _value(self, y: Array, z: Array) -> Array:
        r = np.abs(z - y)
        return np.where(r <= self.delta, r**2 / 2, self.delta * (r - self.delta / 2))

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.clip(z - y, -self.delta, self.delta)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.where(np.abs(z - y) <= self.delta, 1.0, 0.0)


class SmoothL1(Loss):
    """½r²/beta where |r| < beta, else |r| - ½beta; beta = 0 is the absolute error."""

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def _value(self, y: Array, z: Array) -> Array:
        r = np.abs(z - y)
        return r if self.beta == 0 else np.where(r < self.beta, r * (r / self.beta) / 2, r - self.beta / 2)

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.sign(z - y) if self.beta == 0 else np.clip((z - y) / self.beta, -1, 1)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z) if self.beta == 0 else np.where(np.abs(z - y) < self.beta, 1 / self.beta, 0.0)


class LogCosh(Loss):
    """The logarithm of cosh r."""

    def _value(self, y: Array, z: Array) -> Array:
        # cosh² = 1 + sinh² for small |r|; cosh r = e^|r|·(1 + e^-2|r|)/2 where sinh² might overflow.
        r = np.abs(z - y)
        small = np.log1p(np.sinh(np.minimum(r, 1)) ** 2) / 2
        return np.where(r < 1, small, r + np.log1p(np.exp(-2 * r)) - np.log(2))

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.tanh(z - y)

    def _hessian(self, y: Array, z: Array) -> Array:
        # 1 - tanh²r = 1/cosh²r, with numerator and denominator divided by e^2|r|.
        e = np.exp(-2 * np.abs(z - y))
        return 4 * e / (1 + e) ** 2


class PseudoHuber(Loss):
    """delta²(√(1 + (r/delta)²) - 1)."""

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    def _value(self, y: Array, z: Array) -> Array:
        # √(1+x²) - 1 = x·x/(1 + √(1+x²)), which neither cancels nor squares a large x twice.
        x = (z - y) / self.delta
        return self.delta**2 * x * (x / (1 + np.hypot(1, x)))

    def _gradient(self, y: Array, z: Array) -> Array:
        r = z - y
        return r / np.hypot(1, r / self.delta)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.hypot(1, (z - y) / self.delta) ** -3


class Quantile(Loss):
    """q·[y - z]₊ + (1 - q)·[z - y]₊, the pinball loss."""

    def __init__(self, q: float = 0.5) -> None:
        self.q = q

    def _value(self, y: Array, z: Array) -> Array:
        return self.q * np.maximum(y - z, 0) + (1 - self.q) * np.maximum(z - y, 0)

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.where(z < y, -self.q, np.where(z > y, 1 - self.q, 0.0))

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z)


class Expectile(Loss):
    """|q - 1{y < z}|·r²."""

    def __init__(self, q: float = 0.5) -> None:
        self.q = q

    def _asymmetry(self, y: Array, z: Array) -> Array:
        return np.where(y < z, 1 - self.q, self.q)

    def _value(self, y: Array, z: Array) -> Array:
        return self._asymmetry(y, z) * (z - y) ** 2

    def _gradient(self, y: Array, z: Array) -> Array:
        return 2 * self._asymmetry(y, z) * (z - y)

    def _hessian(self, y: Array, z: Array) -> Array:
        return 2 * self._asymmetry(y, z)


class EpsilonInsensitive(Loss):
    """[|r| - ε]₊."""

    def __init__(self, epsilon: float = 0.1) -> None:
        self.epsilon = epsilon

    def _value(self, y: Array, z: Array) -> Array:
        return np.maximum(np.abs(z - y) - self.epsilon, 0)

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.where(np.abs(z - y) > self.epsilon, np.sign(z - y), 0.0)

    def _hessian(self, y: Array, z: Array) -> Array:
        return 0 * z


class SquaredEpsilonInsensitive(Loss):
    """[|r| - epsilon]₊²."""

    def __init__(self, epsilon: float = 0.1) -> None:
        self.epsilon = epsilon

    def _value(self, y: Array, z: Array) -> Array:
        return np.maximum(np.abs(z - y) - self.epsilon, 0) ** 2

    def _gradient(self, y: Array, z: Array) -> Array:
        return 2 * np.sign(z - y) * np.maximum(np.abs(z - y) - self.epsilon, 0)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.where(np.abs(z - y) > self.epsilon, 2.0, 0.0)


class Linex(Loss):
    """e^(a·r) - a·r - 1."""

    def __init__(self, a: float = 1.0) -> None:
        self.a = a

    def _value(self, y: Array, z: Array) -> Array:
        # Near 0, where the terms cancel, by the series x²/2 + x³/6 + ...
        x = self.a * (z - y)
        near = np.where(np.abs(x) < 1e-3, x, 0.0)
        series = sum(near**k / math.factorial(k + 2) for k in range(14))
        return np.where(np.abs(x) < 1e-3, near * near * series, np.expm1(x) - x)

    def _gradient(self, y: Array, z: Array) -> Array:
        return self.a * np.expm1(self.a * (z - y))

    def _hessian(self, y: Array, z: Array) -> Array:
        return self.a**2 * np.exp(self.a * (z - y))


class Fair(Loss):
    """c²·(|r|/c - log(1 + |r|/c))."""

    def __init__(self, c: float = 1.3998) -> None:
        self.c = c

    def _value(self, y: Array, z: Array) -> Array:
        # Near 0, where the terms cancel, by the series u²/2 - u³/3 + ...
        u = np.abs(z - y) / self.c
        near = np.where(u < 1e-3, u, 0.0)
        series = sum((-near) ** k / (k + 2) for k in range(16))
        return self.c**2 * np.where(u < 1e-3, near * near * series, u - np.log1p(u))

    def _gradient(self, y: Array, z: Array) -> Array:
        return (z - y) / (1 + np.abs(z - y) / self.c)

    def _hessian(self, y: Array, z: Array) -> Array:
        return 1 / (1 + np.abs(z - y) / self.c) ** 2


class GeneralRobust(Loss):
    """(b/α)·((1 + x²/b)^(α/2) - 1), x = r/c, b = |α - 2|, or its limit."""

    def __init__(self, alpha: float = 1.0, c: float = 1.0) -> None:
        self.alpha, self.c = alpha, c

    @property
    def _b(self) -> float:
        """|α - 2|, or 1 at α = 2, where any number serves."""
        return abs(self.alpha - 2) or 1.0

    def _power(self, x: Array, exponent: float) -> Array:
        """exponent·b·log(1 + x²/b), whatever b: exponent·x² for an infinite one, and 1 for b = 0."""
        b = self._b
        if b == np.inf:
            return exponent * np.abs(x) * np.abs(x)
        # Beyond 1e40·√b the 1 is below the last bit, and x² need not be formed, nor overflow.
        u = np.abs(x) / np.sqrt(b)
        inner = np.log1p(np.minimum(u, 1e40) ** 2)
        return exponent * b * np.where(u < 1e40, inner, 2 * np.log(np.maximum(u, 1)))

    def _value(self, y: Array, z: Array) -> Array:
        x, b = (z - y) / self.c, self._b
        if self.alpha == 0:
            return self._power(x, 0.5)
        share = np.sign(self.alpha) if b == np.inf else self.alpha / b
        return np.expm1(self._power(x, share / 2)) / share

    def _falling(self, x: Array) -> Array:
        """(1 + x²/b)^(α/2 - 1)."""
        return np.exp(self._power(x, np.sign(self.alpha - 2) / 2))

    def _gradient(self, y: Array, z: Array) -> Array:
        x = (z - y) / self.c
        return x * self._falling(x) / self.c

    def _bend(self, x: Array, sign: float) -> Array:
        """(1 + (α - 1)·q)/(1 + q), q = x²/b, by its terms; with sign 1 the sum of their sizes."""
        b = self._b
        if b == np.inf:
            return 1 + (sign or np.sign(self.alpha)) * x * x
        share = 1 / (1 + x * x / b)
        return share + (abs(self.alpha - 1) if sign else self.alpha - 1) * (1 - share)

    def _hessian(self, y: Array, z: Array) -> Array:
        x = (z - y) / self.c
        return self._bend(x, 0) * self._falling(x) / self.c**2


class Cauchy(Loss):
    """½c²·log(1 + (r/c)²)."""

    def __init__(self, c: float = 1.0) -> None:
        self.c = c

    def _value(self, y: Array, z: Array) -> Array:
        # Beyond 1e8 the 1 is below the last bit of float64, and x² need not be formed, nor overflow.
        x = np.abs((z - y) / self.c)
        inner = np.log1p(np.minimum(x, 1e40) ** 2)
        return self.c**2 / 2 * np.where(x < 1e40, inner, 2 * np.log(np.maximum(x, 1)))

    def _gradient(self, y: Array, z: Array) -> Array:
        # r/(1 + x²), with numerator and denominator divided by max(1, |x|).
        x = (z - y) / self.c
        big = np.maximum(np.abs(x), 1)
        return self.c * (x / big) / (1 / big + np.abs(x) * (np.abs(x) / big))

    def _hessian(self, y: Array, z: Array) -> Array:
        # (1 - x²)/(1 + x²)², where 1/(1 + x²) = h² with h = 1/√(1 + x²) and x²h² ≤ 1.
        x = (z - y) / self.c
        h = 1 / np.hypot(1, x)
        return (h - x * (x * h)) * h * h * h


class Welsch(Loss):
    """½c²(1 - e^-(r/c)²)."""

    def __init__(self, c: float = 1.0) -> None:
        self.c = c

    def _value(self, y: Array, z: Array) -> Array:
        return -(self.c**2) / 2 * np.expm1(-(((z - y) / self.c) ** 2))

    def _gradient(self, y: Array, z: Array) -> Array:
        return (z - y) * np.exp(-(((z - y) / self.c) ** 2))

    def _hessian(self, y: Array, z: Array) -> Array:
        # Beyond |x| = 100 the exponential is 0 in every precision, while x² may overflow.
        x2 = np.minimum(np.abs((z - y) / self.c), 100) ** 2
        return (1 - 2 * x2) * np.exp(-x2)


class Tukey(Loss):
    """c²/6·(1 - (1 - (r/c)²)³) where |r| ≤ c, else c²/6: the biweight."""

    def __init__(self, c: float = 4.685) -> None:
        self.c = c

    def _inside(self, y: Array, z: Array) -> Array:
        """(r/c)², at most 1."""
        return np.minimum(np.abs((z - y) / self.c), 1) ** 2

    def _value(self, y: Array, z: Array) -> Array:
        # 1 - (1 - t)³ = t(3 - 3t + t²)
        t = self._inside(y, z)
        return self.c**2 / 6 * t * (3 - 3 * t + t**2)

    def _gradient(self, y: Array, z: Array) -> Array:
        t = self._inside(y, z)
        return np.where(t < 1, z - y, 0.0) * (1 - t) ** 2

    def _hessian(self, y: Array, z: Array) -> Array:
        t = self._inside(y, z)
        return (1 - t) * (1 - 5 * t)


class Poisson(Loss):
    """e^z - y·z: deviance of the Poisson distribution with log link, halved, less a constant."""

    _targets = NOT_NEGATIVE

    def _value(self, y: Array, z: Array) -> Array:
        return np.exp(z) - y * z

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.exp(z) - y

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.exp(z)


class Gamma(Loss):
    """z + y·e^-z: deviance of the gamma distribution with log link, halved, less a constant."""

    _targets = POSITIVE

    def _value(self, y: Array, z: Array) -> Array:
        return z + y * np.exp(-z)

    def _gradient(self, y: Array, z: Array) -> Array:
        return 1 - y * np.exp(-z)

    def _hessian(self, y: Array, z: Array) -> Array:
        return y * np.exp(-z)


class Tweedie(Loss):
    """e^((2-p)z)/(2 - p) - y·e^((1-p)z)/(1 - p); p = 1 is Poisson, p = 2 gamma."""

    def __init__(self, power: float = 1.5) -> None:
        self.power = power

    @property
    def target_domain(self) -> Domain:
        """As of the gamma loss at p = 2, where its deviance is infinite for y = 0."""
        return POSITIVE if self.power == 2 else NOT_NEGATIVE

    def _exponentials(self, y: Array, z: Array) -> tuple[Array, Array]:
        """Both terms of the gradient; the second is 0 at y = 0, even where the exponential overflows."""
        return np.exp((2 - self.power) * z), np.where(y == 0, 0.0, y * np.exp((1 - self.power) * z))

    def _value(self, y: Array, z: Array) -> Array:
        # The term whose exponent vanishes integrates to z.
        a, b = 2 - self.power, 1 - self.power
        first, second = self._exponentials(y, z)
        return (z if a == 0 else first / a) - (y * z if b == 0 else second / b)

    def _gradient(self, y: Array, z: Array) -> Array:
        first, second = self._exponentials(y, z)
        return first - second

    def _hessian(self, y: Array, z: Array) -> Array:
        first, second = self._exponentials(y, z)
        return (2 - self.power) * first - (1 - self.power) * second


class SquaredLogError(Loss):
    """(log(1 + z) - log(1 + y))²."""

    _targets = ABOVE_MINUS_ONE
    _predictions = ABOVE_MINUS_ONE

    def _value(self, y: Array, z: Array) -> Array:
        return (np.log1p(z) - np.log1p(y)) ** 2

    def _gradient(self, y: Array, z: Array) -> Array:
        return 2 * (np.log1p(z) - np.log1p(y)) / (1 + z)

    def _hessian(self, y: Array, z: Array) -> Array:
        return 2 * (1 - (np.log1p(z) - np.log1p(y))) / (1 + z) / (1 + z)


class AbsolutePercentageError(Loss):
    """|r|/max(|y|, eps), eps the machine epsilon of float64 in every precision, as in scikit-learn."""

    def _scale(self, y: Array) -> Array:
        return np.maximum(np.abs(y), 2.0**-52)

    def _value(self, y: Array, z: Array) -> Array:
        return np.abs(z - y) / self._scale(y)

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.sign(z - y) / self._scale(y)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z)


class SymmetricAbsolutePercentageError(Loss):
    """2|r|/(|y| + |z|), 0 where both are 0."""

    def _size(self, y: Array, z: Array) -> Array:
        d = np.abs(y) + np.abs(z)
        return np.where(d == 0, 1.0, d)

    def _value(self, y: Array, z: Array) -> Array:
        return 2 * np.abs(z - y) / self._size(y, z)

    def _gradient(self, y: Array, z: Array) -> Array:
        # 2·sign(r)/d - 2|r|·sign(z)/d², and |r| is d less twice the smaller magnitude, where signs agree.
        agree = 1 + np.sign(y) * np.sign(z)
        return np.sign(z - y) * agree * 2 * np.abs(y) / self._size(y, z) ** 2

    def _hessian(self, y: Array, z: Array) -> Array:
        agree = 1 + np.sign(y) * np.sign(z)
        return -np.sign(z - y) * np.sign(z) * agree * 4 * np.abs(y) / self._size(y, z) ** 3
