"""Negative log likelihoods of a target by a location and the logarithm of a scale, and several quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastloss.reference._base import Array
from fastloss.reference.rows import RowLoss

__all__ = ["GaussianNLL", "LaplaceNLL", "MultiQuantile", "StudentTNLL"]


def columns(*of_each: Array) -> Array:
    """Arrays (n,) as the columns of one."""
    return np.stack(of_each, axis=1)


class ParameterLoss(RowLoss):
    """Targets (n,), predictions (n, k) with a fixed k."""

    def _n_columns(self) -> int:
        return 2

    def _check_rows(self, y: NDArray[Any], z: NDArray[Any]) -> None:
        if z.ndim != 2 or z.shape[1] != self._n_columns():
            raise ValueError(f"y_pred has shape {z.shape}, not (n, {self._n_columns()})")
        if y.shape != z.shape[:1]:
            raise ValueError(f"y_true has shape {y.shape}, which does not fit y_pred's {z.shape}")


class GaussianNLL(ParameterLoss):
    """s + u²/2, u = (μ - y)·e^-s, and with `full` ½·log 2π."""

    def __init__(self, full: bool = False) -> None:
        self.full = full

    def _value(self, y: Array, z: Array) -> Array:
        return z[:, 1] + self._u(y, z) ** 2 / 2 + (np.log(2 * math.pi) / 2 if self.full else 0)

    def _u(self, y: Array, z: Array) -> Array:
        return (z[:, 0] - y) * np.exp(-z[:, 1])

    def _gradient(self, y: Array, z: Array) -> Array:
        u = self._u(y, z)
        return columns(u * np.exp(-z[:, 1]), 1 - u**2)

    def _hessian(self, y: Array, z: Array) -> Array:
        return columns(np.exp(-2 * z[:, 1]), 2 * self._u(y, z) ** 2)

    def _information(self, y: Array, z: Array) -> Array:
        """Give the expected Hessian."""
        return columns(np.exp(-2 * z[:, 1]), 2 + 0 * z[:, 1])


class LaplaceNLL(GaussianNLL):
    """s + |u|, u = (μ - y)·e^-s, and with `full` log 2."""

    def _value(self, y: Array, z: Array) -> Array:
        return z[:, 1] + np.abs(self._u(y, z)) + (np.log(2.0) if self.full else 0)

    def _gradient(self, y: Array, z: Array) -> Array:
        return columns(np.sign(z[:, 0] - y) * np.exp(-z[:, 1]), 1 - np.abs(self._u(y, z)))

    def _hessian(self, y: Array, z: Array) -> Array:
        return columns(0 * z[:, 0], np.abs(self._u(y, z)))

    def _information(self, y: Array, z: Array) -> Array:
        return columns(np.exp(-2 * z[:, 1]), 1 + 0 * z[:, 1])


class StudentTNLL(GaussianNLL):
    """s + (ν + 1)/2·log(1 + u²/ν), u = (μ - y)·e^-s, and with `full` the constant of the density."""

    def __init__(self, df: float = 4.0, full: bool = False) -> None:
        self.df = df
        self.full = full

    def _value(self, y: Array, z: Array) -> Array:
        nu = self.df
        value = z[:, 1] + (nu + 1) / 2 * np.log1p(self._u(y, z) ** 2 / nu)
        if self.full:
            value = value + (math.lgamma(nu / 2) - math.lgamma((nu + 1) / 2) + math.log(math.pi * nu) / 2)
        return value

    def _gradient(self, y: Array, z: Array) -> Array:
        nu, u = self.df, self._u(y, z)
        n = nu + u**2
        return columns((nu + 1) / n * u * np.exp(-z[:, 1]), nu * (1 - u**2) / n)

    def _hessian(self, y: Array, z: Array) -> Array:
        nu, u = self.df, self._u(y, z)
        n = nu + u**2
        return columns((nu + 1) * (nu - u**2) / n**2 * np.exp(-2 * z[:, 1]), 2 * nu * (nu + 1) * u**2 / n**2)

    def _information(self, y: Array, z: Array) -> Array:
        nu = self.df
        return columns((nu + 1) / (nu + 3) * np.exp(-2 * z[:, 1]), 2 * nu / (nu + 3) + 0 * z[:, 1])


class MultiQuantile(ParameterLoss):
    """Sum over the levels q of q·[y - z]₊ + (1 - q)·[z - y]₊, each with its column."""

    def __init__(self, levels: Sequence[float] = (0.1, 0.5, 0.9)) -> None:
        self.levels = tuple(levels)

    def _n_columns(self) -> int:
        return len(self.levels)

    def _slope(self, y: Array, z: Array) -> Array:
        r, q = z - y[:, None], np.array(self.levels)[None, :]
        return np.where(r > 0, 1 - q, np.where(r < 0, -q, 0 * r))

    def _value(self, y: Array, z: Array) -> Array:
        return np.sum(self._slope(y, z) * (z - y[:, None]), axis=1)

    def _gradient(self, y: Array, z: Array) -> Array:
        return self._slope(y, z)

    def _hessian(self, y: Array, z: Array) -> Array:
        return 0 * z
