"""Small linear problems for every loss, and numerical derivatives, for the tests of LinearObjective."""

from __future__ import annotations

import numpy as np

import fastloss as fl


def targets(loss, n, n_classes, rng):
    """Targets in the domain of a loss."""
    if isinstance(loss, fl.RowLoss):
        if loss.family == "multiclass":
            return rng.integers(0, n_classes, n)
        y = rng.random((n, n_classes))
        return y / y.sum(axis=1, keepdims=True)
    domain = loss.target_domain
    if domain.integral:
        return rng.integers(0, 2, n)
    if domain.high == 1:
        return rng.random(n)
    return np.abs(rng.normal(0, 1, n)) + 0.1 if domain.low > -np.inf else rng.normal(0, 1, n)


def problem(loss, rng, n=40, n_features=3, n_classes=4):
    """X, y and weights."""
    return rng.normal(0, 1, (n, n_features)), targets(loss, n, n_classes, rng), rng.random(n) + 0.1


def start(objective, rng):
    """Parameters at which every loss is defined: predictions stay within its domain."""
    w = rng.uniform(-0.05, 0.05, objective.size)
    if objective.fit_intercept and isinstance(objective.loss, fl.PointwiseLoss):
        w[-1] = 0.5
    return w


def slope(f, w, step=1e-6):
    """The derivative of f by each parameter, by central differences, one row a parameter."""
    rows = []
    for j in range(w.size):
        e = np.zeros_like(w)
        e[j] = step
        rows.append((f(w + e) - f(w - e)) / (2 * step))
    return np.array(rows)
