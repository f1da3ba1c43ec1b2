"""Binary classification: ``m = y·z`` is the margin with labels ±1, ``sigmoid(z) = 1/(1 + e^-z)``."""

from __future__ import annotations

import numpy as np

from fastloss.reference._base import Array, Domain, Loss

__all__ = [
    "ZeroOne",
    "Perceptron",
    "Hinge",
    "SquaredHinge",
    "ModifiedHuber",
    "SmoothedHinge",
    "Exponential",
    "WassersteinCritic",
    "BrierScore",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "AsymmetricLoss",
]

PROBABILITY = Domain(low=0.0, high=1.0)


def sigmoid(x: Array) -> Array:
    """sigmoid(x); the relative accuracy is kept where it is small."""
    return 1 / (1 + np.exp(-x))


def softplus(x: Array) -> Array:
    """log(1 + e^x)."""
    return np.logaddexp(0, x)


class ZeroOne(Loss):
    """1 where y ≠ z, or with a threshold where |y - z| ≥ T, or of scores where |y - σ(z)| ≥ T; else 0."""

    family = "binary"
    has_gradient = False
    has_hessian = False

    def __init__(self, threshold: float | None = None, from_logits: bool = False) -> None:
        self.threshold = threshold
        self.from_logits = from_logits

    @property
    def target_domain(self) -> Domain:
        """The targets that the loss is defined for."""
        return Domain(low=-1.0, high=1.0, integral=True) if self.from_logits else Domain()

    def _value(self, y: Array, z: Array) -> Array:
        if self.from_logits:
            share = 0.5 if self.threshold is None else self.threshold
            wrong = np.where(y == 1, z, -z) <= np.log1p(-share) - np.log(share)
            return np.where(wrong, 1.0, 0.0)
        wrong = y != z if self.threshold is None else np.abs(y - z) >= self.threshold
        return np.where(wrong, 1.0, 0.0)


class _Margin(Loss):
    """Labels {-1, 0, 1}, of which 0 and -1 both are the negative class."""

    family = "binary"
    _targets = Domain(low=-1.0, high=1.0, integral=True)

    def _sign(self, y: Array) -> Array:
        return np.where(y == 1, 1.0, -1.0)


class Perceptron(_Margin):
    """[-m]₊."""

    def _value(self, y: Array, z: Array) -> Array:
        return np.maximum(-self._sign(y) * z, 0)

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.where(self._sign(y) * z < 0, -self._sign(y), 0.0)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z)


class Hinge(_Margin):
    """[1 - m]₊."""

    def _value(self, y: Array, z: Array) -> Array:
        return np.maximum(1 - self._sign(y) * z, 0)

    def _gradient(self, y: Array, z: Array) -> Array:
        return np.where(self._sign(y) * z < 1, -self._sign(y), 0.0)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z)


class SquaredHinge(_Margin):
    """[1 - m]₊²."""

    def _value(self, y: Array, z: Array) -> Array:
        return np.maximum(1 - self._sign(y) * z, 0) ** 2

    def _gradient(self, y: Array, z: Array) -> Array:
        return -2 * self._sign(y) * np.maximum(1 - self._sign(y) * z, 0)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.where(self._sign(y) * z < 1, 2.0, 0.0)


class ModifiedHuber(_Margin):
    """[1 - m]₊² where m ≥ -1, -4m below."""

    def _value(self, y: Array, z: Array) -> Array:
        m = self._sign(y) * z
        return np.where(m < -1, -4 * m, np.maximum(1 - m, 0) ** 2)

    def _gradient(self, y: Array, z: Array) -> Array:
        return -2 * self._sign(y) * np.clip(1 - self._sign(y) * z, 0, 2)

    def _hessian(self, y: Array, z: Array) -> Array:
        m = self._sign(y) * z
        return np.where((m < 1) & (m >= -1), 2.0, 0.0)


class SmoothedHinge(_Margin):
    """0, t²/(2·gamma) or t - gamma/2 for t = 1 - m up to 0, up to gamma, and above."""

    def __init__(self, gamma: float = 1.0) -> None:
        self.gamma = gamma

    def _value(self, y: Array, z: Array) -> Array:
        t = np.maximum(1 - self._sign(y) * z, 0)
        return np.where(t < self.gamma, t * (t / self.gamma) / 2, t - self.gamma / 2)

    def _gradient(self, y: Array, z: Array) -> Array:
        return -self._sign(y) * np.clip((1 - self._sign(y) * z) / self.gamma, 0, 1)

    def _hessian(self, y: Array, z: Array) -> Array:
        m = self._sign(y) * z
        return np.where((m < 1) & (m > 1 - self.gamma), 1 / self.gamma, 0.0)


class Exponential(_Margin):
    """e^-m."""

    def _value(self, y: Array, z: Array) -> Array:
        return np.exp(-self._sign(y) * z)

    def _gradient(self, y: Array, z: Array) -> Array:
        return -self._sign(y) * np.exp(-self._sign(y) * z)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.exp(-self._sign(y) * z)


class AsymmetricLoss(Loss):
    """-q^gamma·log(1 - q), q the wrong class's probability, of label 0 less `clip` (Ridnik et al. 2021)."""

    family = "binary"
    _targets = Domain(low=0.0, high=1.0, integral=True)

    def __init__(self, gamma_pos: float = 1.0, gamma_neg: float = 4.0, clip: float = 0.05) -> None:
        self.gamma_pos = gamma_pos
        self.gamma_neg = gamma_neg
        self.clip = clip

    def _terms(self, y: Array, z: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
        """gamma, the wrong class's probability, 1 less that, what is left of it, -log(1 - that), its sign."""
        sign = np.where(y == 1, -1.0, 1.0)
        wrong, right = sigmoid(sign * z), sigmoid(-sign * z)
        clip = np.where(y == 1, 0.0, self.clip)
        m = np.where(wrong > clip, wrong - clip, 0.0)
        loss = np.where(m == 0, 0.0, np.where(clip == 0, softplus(sign * z), -np.log(right + clip)))
        return np.where(y == 1, self.gamma_pos, self.gamma_neg), wrong, right, m, loss, sign

    def _value(self, y: Array, z: Array) -> Array:
        gamma, _, _, m, loss, _ = self._terms(y, z)
        return m**gamma * loss

    def _slopes(self, y: Array, z: Array) -> tuple[Array, Array]:
        """Give derivatives by m of the value, times the right class's probability and its square.

        They are 0 where nothing is left.
        """
        gamma, wrong, right, m, loss, _ = self._terms(y, z)
        kept = np.where(m > 0, m, 1.0)
        # right/(1 - m): 1 without a clip, also where both are too small to be had.
        share = np.where(wrong == m, 1.0, right / np.where(wrong == m, 1.0, right + (wrong - m)))
        of_loss = loss * right / kept
        first = kept**gamma * (gamma * of_loss + share)
        second = (
            gamma * (gamma - 1) * of_loss * right / kept + 2 * gamma * right / kept * share + share**2
        ) * kept**gamma
        return np.where(m > 0, first, 0.0), np.where(m > 0, second, 0.0)

    def _gradient(self, y: Array, z: Array) -> Array:
        _, wrong, _, _, _, sign = self._terms(y, z)
        return sign * self._slopes(y, z)[0] * wrong

    def _hessian(self, y: Array, z: Array) -> Array:
        _, wrong, right, _, _, _ = self._terms(y, z)
        first, second = self._slopes(y, z)
        return wrong * (second * wrong + first * (right - wrong))


class WassersteinCritic(_Margin):
    """-m, the critic's loss of a Wasserstein GAN: label 1 is real, -1 or 0 generated."""

    def _value(self, y: Array, z: Array) -> Array:
        return -self._sign(y) * z

    def _gradient(self, y: Array, z: Array) -> Array:
        return -self._sign(y) * np.ones_like(z)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z)


class BrierScore(Loss):
    """(p - y)², p = sigmoid(z) or given."""

    family = "binary"
    _targets = PROBABILITY

    def __init__(self, from_logits: bool = True) -> None:
        self.from_logits = from_logits

    @property
    def prediction_domain(self) -> Domain:
        """Any number as a logit, else a probability."""
        return Domain() if self.from_logits else PROBABILITY

    def _error(self, y: Array, z: Array) -> Array:
        return (1 - y) * sigmoid(z) - y * sigmoid(-z) if self.from_logits else z - y

    def _slope(self, z: Array) -> Array:
        return sigmoid(z) * sigmoid(-z) if self.from_logits else 1 + 0 * z

    def _value(self, y: Array, z: Array) -> Array:
        return self._error(y, z) ** 2

    def _gradient(self, y: Array, z: Array) -> Array:
        return 2 * self._error(y, z) * self._slope(z)

    def _hessian(self, y: Array, z: Array) -> Array:
        s = self._slope(z)
        bend = self._error(y, z) * (sigmoid(-z) - sigmoid(z)) if self.from_logits else 0 * z
        return 2 * s * (s + bend)


class BinaryCrossEntropy(Loss):
    """-a·y·log p - (1 - y)·log(1 - p), p = sigmoid(z) or given; smoothing makes y into y(1 - s) + s/2."""

    family = "binary"
    _targets = PROBABILITY

    def __init__(
        self,
        from_logits: bool = True,
        pos_weight: float | tuple[float, ...] = 1.0,
        label_smoothing: float = 0.0,
        class_weight: tuple[float, ...] | None = None,
    ) -> None:
        self.from_logits = from_logits
        self.pos_weight = pos_weight
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    @property
    def prediction_domain(self) -> Domain:
        """Any number as a logit, else a probability."""
        return Domain() if self.from_logits else PROBABILITY

    def _shares(self, y: Array) -> tuple[Array, Array]:
        """Weights of the two logarithms: a·y and 1 - y after smoothing."""
        y = y * (1 - self.label_smoothing) + self.label_smoothing / 2
        a = np.array(self.pos_weight) if isinstance(self.pos_weight, tuple) else self.pos_weight
        return a * y, 1 - y

    def _clip(self, p: Array) -> Array:
        return np.clip(p, self.machine_epsilon, 1 - self.machine_epsilon)

    def _value(self, y: Array, z: Array) -> Array:
        positive, negative = self._shares(y)
        if self.from_logits:
            return positive * softplus(-z) + negative * softplus(z)
        p = self._clip(z)
        return -positive * np.log(p) - negative * np.log1p(-p)

    def _gradient(self, y: Array, z: Array) -> Array:
        positive, negative = self._shares(y)
        if self.from_logits:
            return negative * sigmoid(z) - positive * sigmoid(-z)
        p = self._clip(z)
        return -positive / p + negative / (1 - p)

    def _hessian(self, y: Array, z: Array) -> Array:
        positive, negative = self._shares(y)
        if self.from_logits:
            return (positive + negative) * sigmoid(z) * sigmoid(-z)
        p = self._clip(z)
        return positive / p**2 + negative / (1 - p) ** 2


class BinaryFocal(Loss):
    """-alpha_t·(1 - p_t)^gamma·log p_t, p_t the probability of the true class (Lin et al. 2017)."""

    family = "binary"
    _targets = Domain(low=0.0, high=1.0, integral=True)

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | tuple[float, ...] | None = None,
        from_logits: bool = True,
        class_weight: tuple[float, ...] | None = None,
    ) -> None:
        self.gamma = gamma
        self.alpha = alpha
        self.from_logits = from_logits
        self.class_weight = class_weight

    @property
    def prediction_domain(self) -> Domain:
        """Any number as a logit, else a probability."""
        return Domain() if self.from_logits else PROBABILITY

    def _terms(self, y: Array, z: Array) -> tuple[Array, Array, Array, Array, Array]:
        """alpha_t, p_t, q = 1 - p_t, L = -log p_t, and the sign of dp_t/dz."""
        of_one = np.array(self.alpha) if isinstance(self.alpha, tuple) else self.alpha
        alpha = 1.0 if of_one is None else np.where(y == 1, of_one, 1 - of_one)
        sign = np.where(y == 1, 1.0, -1.0)
        if self.from_logits:
            return alpha, sigmoid(sign * z), sigmoid(-sign * z), softplus(-sign * z), sign
        p = np.clip(z, self.machine_epsilon, 1 - self.machine_epsilon)
        true, false = np.where(y == 1, p, 1 - p), np.where(y == 1, 1 - p, p)
        return alpha, true, false, np.where(y == 1, -np.log(p), -np.log1p(-p)), sign

    def _value(self, y: Array, z: Array) -> Array:
        alpha, _, q, L, _ = self._terms(y, z)
        return alpha * q**self.gamma * L

    def _gradient(self, y: Array, z: Array) -> Array:
        # dL/dp = -1/p and dq/dp = -1; a logit brings the factor dp/dz = ±p·q.
        alpha, p, q, L, sign = self._terms(y, z)
        if self.from_logits:
            return -sign * alpha * q**self.gamma * (self.gamma * p * L + q)
        return -sign * alpha * (self.gamma * q ** (self.gamma - 1) * L + q**self.gamma / p)

    def _hessian(self, y: Array, z: Array) -> Array:
        alpha, p, q, L, _ = self._terms(y, z)
        g = self.gamma
        if self.from_logits:
            return alpha * q**g * p * (g * L * (g * p - q) + (2 * g + 1) * q)
        return alpha * (q**g / p**2 + 2 * g * q ** (g - 1) / p + g * (g - 1) * q ** (g - 2) * L)
