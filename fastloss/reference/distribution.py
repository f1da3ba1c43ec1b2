"""Divergences between distributions: rows of C probabilities, p the target's and q the predicted ones."""

from __future__ import annotations

import math

import numpy as np

from fastloss.reference._base import Array, Domain
from fastloss.reference.rows import NOT_NEGATIVE, RowLoss, log_softmax, softmax, total

__all__ = ["KLDivergence", "JSDivergence"]


class _Divergence(RowLoss):
    family = "distribution"
    _takes_rows = True
    _targets = NOT_NEGATIVE
    _predictions = NOT_NEGATIVE

    def _relative(self, p: Array, q: Array) -> Array:
        """p·log(p/q), 0 at p = 0."""
        some = p > 0
        return np.where(some, p * np.log(np.where(some, p, 1.0) / np.where(some, q, 1.0)), 0.0)


class KLDivergence(_Divergence):
    """Sum of p·log(p/q), q given or the softmax of logits."""

    def __init__(self, from_logits: bool = False) -> None:
        self.from_logits = from_logits

    @property
    def prediction_domain(self) -> Domain:
        """Any number as a logit, else what is not negative."""
        return Domain() if self.from_logits else NOT_NEGATIVE

    def _value(self, y: Array, z: Array) -> Array:
        if not self.from_logits:
            return np.sum(self._relative(y, z), axis=1)
        cross = np.where(y > 0, y * np.where(y > 0, log_softmax(z), 0.0), 0.0)
        return np.sum(self._relative(y, np.ones_like(y)) - cross, axis=1)

    def _gradient(self, y: Array, z: Array) -> Array:
        if self.from_logits:
            return total(y) * softmax(z) - y
        return np.where(y > 0, -y / np.where(y > 0, z, 1.0), 0.0)

    def _hessian(self, y: Array, z: Array) -> Array:
        if self.from_logits:
            q = softmax(z)
            return total(y) * q * (1 - q)
        return np.where(y > 0, y / np.where(y > 0, z, 1.0) ** 2, 0.0)


class JSDivergence(_Divergence):
    """½KL(p‖m) + ½KL(q‖m) with m = ½(p + q), in logarithms to `base`; or the square root of that."""

    def __init__(self, base: float = math.e, distance: bool = False) -> None:
        self.base = base
        self.distance = distance

    def _plain(self, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Value, gradient and Hessian of the divergence itself."""
        m, either = (y + z) / 2, y + z > 0
        value = np.sum(self._relative(y, m) + self._relative(z, m), axis=1) / 2
        gradient = np.where(either, np.log(np.where(either, z, 1.0) / np.where(either, m, 1.0)) / 2, 0.0)
        hessian = np.where(y > 0, y / np.where(y > 0, z * (y + z), 1.0) / 2, 0.0)
        log_base = np.log(self.base)
        return np.maximum(value, 0) / log_base, gradient / log_base, hessian / log_base

    def _value(self, y: Array, z: Array) -> Array:
        value, _, _ = self._plain(y, z)
        return np.sqrt(value) if self.distance else value

    def _gradient(self, y: Array, z: Array) -> Array:
        value, gradient, _ = self._plain(y, z)
        root = np.sqrt(np.where(value > 0, value, 1.0))[:, None]
        return np.where(value[:, None] > 0, gradient / root / 2, 0.0) if self.distance else gradient

    def _hessian(self, y: Array, z: Array) -> Array:
        value, gradient, hessian = self._plain(y, z)
        if not self.distance:
            return hessian
        root = np.sqrt(np.where(value > 0, value, 1.0))[:, None]
        return np.where(value[:, None] > 0, hessian / root / 2 - gradient**2 / root**3 / 4, 0.0)
