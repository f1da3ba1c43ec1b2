"""Classification into C classes: rows of C scores or probabilities, of which ``p = softmax(z)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastloss.reference._base import Array, Domain
from fastloss.reference.rows import NOT_NEGATIVE, PROBABILITY, RowLoss, log_softmax, one_hot, softmax, total

__all__ = ["CrossEntropy", "Focal", "GeneralizedCrossEntropy", "Poly1CrossEntropy", "MulticlassHinge"]

Numbers = Sequence[float] | Mapping[int, float]


def per_class(numbers: float | Numbers | None, n_classes: int) -> Array:
    """Give a number for each class, 1 for those that a dict does not name."""
    if isinstance(numbers, Mapping):
        return np.array([numbers.get(k, 1.0) for k in range(n_classes)], dtype=float)
    return np.ones(n_classes) * (1.0 if numbers is None else np.array(numbers, dtype=float))


class _ProbabilityLoss(RowLoss):
    family = "multiclass"
    _takes_labels = True
    _targets = NOT_NEGATIVE
    from_logits: bool

    @property
    def prediction_domain(self) -> Domain:
        """Any number as a logit, else a probability."""
        return Domain() if self.from_logits else PROBABILITY

    def probabilities(self, y_pred: Any) -> Any:
        """Give the softmax of each row of logits."""
        return softmax(np.asarray(y_pred))

    def log_probabilities(self, y_pred: Any) -> Any:
        """Give the logarithm of the softmax of each row of logits."""
        return log_softmax(np.asarray(y_pred))


class CrossEntropy(_ProbabilityLoss):
    """-sum of t·log p; the targets t, one-hot or given, become w(t(1 - s) + s/C) with class weights w."""

    _takes_rows = True

    def __init__(
        self,
        from_logits: bool = True,
        class_weight: Numbers | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
    ) -> None:
        self.from_logits = from_logits
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.ignore_index = ignore_index

    def _ignored(self, y: Array) -> Array:
        if y.ndim == 2 or self.ignore_index is None:
            return np.zeros(len(y), bool)
        return y == self.ignore_index

    def _weights(self, z: Array) -> Array:
        return per_class(self.class_weight, z.shape[1])

    def _weightless(self, y: Array, z: Array) -> Array:
        if y.ndim == 2 or self.label_smoothing:
            return np.zeros(len(y), bool)
        return self._counts(y, z) == 0

    def _counts(self, y: Array, z: Array) -> Array:
        if y.ndim == 2 and self.class_weight is None:
            return np.ones(len(y))
        return np.sum(self._weights(z) * (y if y.ndim == 2 else one_hot(y, z)), axis=1)

    def _spread(self, y: Array, z: Array) -> Array:
        """Targets t of all classes, after smoothing and class weights."""
        t = y if y.ndim == 2 else one_hot(y, z)
        return self._weights(z) * ((1 - self.label_smoothing) * t + self.label_smoothing / z.shape[1])

    def _value(self, y: Array, z: Array) -> Array:
        t = self._spread(y, z)
        log_p = log_softmax(z) if self.from_logits else np.log(np.clip(z, self.machine_epsilon, 1.0))
        return -np.sum(np.where(t == 0, 0.0, t * np.where(t == 0, 0.0, log_p)), axis=1)

    def _gradient(self, y: Array, z: Array) -> Array:
        t = self._spread(y, z)
        if not self.from_logits:
            return -t / np.clip(z, self.machine_epsilon, 1.0)
        p = softmax(z)
        return total(t) * p - t

    def _hessian(self, y: Array, z: Array) -> Array:
        t = self._spread(y, z)
        if not self.from_logits:
            return t / np.clip(z, self.machine_epsilon, 1.0) ** 2
        p = softmax(z)
        return total(t) * p * (1 - p)


class Focal(_ProbabilityLoss):
    """-alpha_y·(1 - p_y)^gamma·log p_y, p_y the probability of the true class (Lin et al. 2017)."""

    def __init__(
        self, gamma: float = 2.0, alpha: float | Numbers | None = None, from_logits: bool = True
    ) -> None:
        self.gamma = gamma
        self.alpha = alpha
        self.from_logits = from_logits

    def _weightless(self, y: Array, z: Array) -> Array:
        return np.sum(per_class(self.alpha, z.shape[1]) * one_hot(y, z), axis=1) == 0

    def _terms(self, y: Array, z: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
        """alpha_y, r = p_y, q = 1 - r, L = -log r as columns, p, and which class is the true one."""
        true = one_hot(y, z) == 1
        alpha = total(np.where(true, per_class(self.alpha, z.shape[1]), 0.0))
        if self.from_logits:
            p = softmax(z)
            q = total(np.where(true, 0.0, p))
            L = -total(np.where(true, log_softmax(z), 0.0))
        else:
            p = np.clip(z, self.machine_epsilon, 1 - self.machine_epsilon)
            q = total(np.where(true, 1 - p, 0.0))
            L = -total(np.where(true, np.log(p), 0.0))
        return alpha, total(np.where(true, p, 0.0)), q, L, p, true

    def _value(self, y: Array, z: Array) -> Array:
        alpha, _, q, L, _, _ = self._terms(y, z)
        return (alpha * q**self.gamma * L)[:, 0]

    def _slope(self, y: Array, z: Array) -> Array:
        """F = alpha·q^gamma·(gamma·r·L/q + 1), where L/q is 1 in the limit q = 0."""
        alpha, r, q, L, _, _ = self._terms(y, z)
        ratio = np.where(q > 0, L / np.where(q > 0, q, 1.0), 1.0)
        return alpha * q**self.gamma * (self.gamma * r * ratio + 1)

    def _gradient(self, y: Array, z: Array) -> Array:
        # dr/dp_y = 1 and dL/dr = -1/r; by the logits, dL/dz = p - [true].
        alpha, r, q, L, p, true = self._terms(y, z)
        if self.from_logits:
            return self._slope(y, z) * np.where(true, -q, p)
        return np.where(true, -alpha * (self.gamma * q ** (self.gamma - 1) * L + q**self.gamma / r), 0.0)

    def _hessian(self, y: Array, z: Array) -> Array:
        alpha, r, q, L, p, true = self._terms(y, z)
        g = self.gamma
        if self.from_logits:
            # dF/dz = -alpha·gamma·q^(gamma-2)·r·((1 - gamma)·r·L + q·L - 2q)·(p - [true])
            u = np.where(true, -1.0, p / np.where(q > 0, q, 1.0))
            return self._slope(y, z) * p * (1 - p) + alpha * g * q**g * r * ((g * r - 1) * L + 2 * q) * u**2
        second = q**g / r**2 + 2 * g * q ** (g - 1) / r + g * (g - 1) * q ** (g - 2) * L
        return np.where(true, alpha * second, 0.0)


class GeneralizedCrossEntropy(_ProbabilityLoss):
    """(1 - p_y^q)/q, p_y the softmax of the true class (Zhang and Sabuncu 2018)."""

    from_logits = True

    def __init__(self, q: float = 0.7) -> None:
        self.q = q

    def _terms(self, y: Array, z: Array) -> tuple[Array, Array, Array, Array]:
        """-q·log p_y and 1 - p_y as columns, p, and which class is the true one."""
        true, p = one_hot(y, z) == 1, softmax(z)
        return self.q * total(np.where(true, log_softmax(z), 0.0)), total(np.where(true, 0.0, p)), p, true

    def _value(self, y: Array, z: Array) -> Array:
        return (-np.expm1(self._terms(y, z)[0]) / self.q)[:, 0]

    def _gradient(self, y: Array, z: Array) -> Array:
        exponent, rest, p, true = self._terms(y, z)
        return np.exp(exponent) * np.where(true, -rest, p)

    def _hessian(self, y: Array, z: Array) -> Array:
        exponent, rest, p, true = self._terms(y, z)
        return np.exp(exponent) * np.where(true, rest * (p - self.q * rest), p * (1 - p - self.q * p))


class Poly1CrossEntropy(_ProbabilityLoss):
    """-log p_y + epsilon·(1 - p_y), p_y the probability of the true class (Leng et al. 2022)."""

    from_logits = True

    def __init__(self, epsilon: float = 1.0) -> None:
        self.epsilon = epsilon

    def _terms(self, y: Array, z: Array) -> tuple[Array, Array, Array, Array]:
        """Give r = p_y and 1 - r as columns, p, and which class is the true one."""
        true = one_hot(y, z) == 1
        p = softmax(z)
        return total(np.where(true, p, 0.0)), total(np.where(true, 0.0, p)), p, true

    def _value(self, y: Array, z: Array) -> Array:
        _, q, _, true = self._terms(y, z)
        return (self.epsilon * q - total(np.where(true, log_softmax(z), 0.0)))[:, 0]

    def _gradient(self, y: Array, z: Array) -> Array:
        r, q, p, true = self._terms(y, z)
        return np.where(true, -q, p) * (1 + self.epsilon * r)

    def _hessian(self, y: Array, z: Array) -> Array:
        r, q, p, true = self._terms(y, z)
        own = p * q * (1 + self.epsilon * (r - q))
        return np.where(true, own, p * (1 - p + self.epsilon * r * (1 - 2 * p)))


class MulticlassHinge(RowLoss):
    """[1 + max of the other z - z_y]₊, or the sum of all [1 + z_j - z_y]₊ of the others."""

    family = "multiclass"
    _takes_labels = True

    def __init__(self, kind: str = "crammer-singer") -> None:
        self.kind = kind

    def _margins(self, y: Array, z: Array) -> tuple[Array, Array]:
        """1 + z_j - z_y of every class, minus infinity for the true one itself; and which that is."""
        true = one_hot(y, z) == 1
        own = total(np.where(true, z, 0.0))
        return np.where(true, -np.inf, 1 + (np.where(true, 0.0, z) - own)), true

    def _value(self, y: Array, z: Array) -> Array:
        margins, _ = self._margins(y, z)
        kept = np.maximum(margins, 0)
        return np.max(kept, axis=1) if self.kind == "crammer-singer" else np.sum(kept, axis=1)

    def _gradient(self, y: Array, z: Array) -> Array:
        margins, true = self._margins(y, z)
        active = np.where(margins > 0, 1.0, 0.0)
        if self.kind == "crammer-singer":
            active = active * one_hot(np.argmax(np.where(true, -np.inf, z), axis=1), z)
        return active - np.where(true, total(active), 0.0)

    def _hessian(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z)
