"""Distances that move mass, as one would compute them by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fastloss.reference._base import Array, Loss

__all__ = ["TransportLoss", "Wasserstein", "Sinkhorn", "EarthMover"]


class TransportLoss(Loss):
    """Base of the twins that compare two distributions; a subclass gives ``_pair``."""

    family: ClassVar[str] = "transport"
    has_hessian: ClassVar[bool] = False

    def _pair(self, u: Array, v: Array, a: Array, b: Array) -> tuple[float, Array]:
        """Value and gradient by `v` of one pair; `a` and `b` are their weights as given."""
        raise NotImplementedError

    def value_and_gradient(  # type: ignore[override]
        self,
        u: ArrayLike,
        v: ArrayLike,
        u_weights: ArrayLike | None = None,
        v_weights: ArrayLike | None = None,
    ) -> tuple[float, Array]:
        """Give the pair of value and gradient by `v`."""
        x, y = np.asarray(u, float), np.asarray(v, float)
        a = np.ones(len(x)) if u_weights is None else np.asarray(u_weights, float)
        b = np.ones(len(y)) if v_weights is None else np.asarray(v_weights, float)
        return self._pair(x, y, a, b)

    def __call__(  # type: ignore[override]
        self,
        u: ArrayLike,
        v: ArrayLike,
        u_weights: ArrayLike | None = None,
        v_weights: ArrayLike | None = None,
    ) -> float:
        """Give the value."""
        return self.value_and_gradient(u, v, u_weights, v_weights)[0]

    def gradient(  # type: ignore[override]
        self,
        u: ArrayLike,
        v: ArrayLike,
        u_weights: ArrayLike | None = None,
        v_weights: ArrayLike | None = None,
    ) -> Array:
        """Give the gradient by `v`."""
        return self.value_and_gradient(u, v, u_weights, v_weights)[1]


def _levels(x: Array, w: Array) -> tuple[Array, Array]:
    """Sorting order of the points and the mass up to each."""
    order = np.argsort(x, kind="stable")
    upto = np.cumsum(w[order]) / np.sum(w)
    upto[-1] = 1
    return order, upto


class Wasserstein(TransportLoss):
    """(∫|F⁻¹(t) − G⁻¹(t)|^p dt)^(1/p): the mass at a level t of u moves to the level t of v."""

    def __init__(self, p: float = 1.0, positions: Sequence[float] | None = None) -> None:
        self.p = p
        self.positions = positions

    def _pair(self, u: Array, v: Array, a: Array, b: Array) -> tuple[float, Array]:
        if self.positions is not None:
            return self._histograms(np.asarray(self.positions, float), u, v)
        (i, upto_u), (j, upto_v) = _levels(u, a), _levels(v, b)
        ends = np.unique(np.concatenate([upto_u, upto_v]))
        mass = np.diff(ends, prepend=0)
        middle = ends - mass / 2
        to = j[np.searchsorted(upto_v, middle)]
        d = v[to] - u[i[np.searchsorted(upto_u, middle)]]
        value = float(np.sum(mass * np.abs(d) ** self.p) ** (1 / self.p))
        gradient = np.zeros(len(v))
        if value > 0:
            np.add.at(gradient, to, value ** (1 - self.p) * mass * np.abs(d) ** (self.p - 1) * np.sign(d))
        return value, gradient

    def _histograms(self, x: Array, P: Array, Q: Array) -> tuple[float, Array]:
        """By the masses: the potential says what moving mass to the next position costs."""
        value = Wasserstein(self.p)(x, x, P, Q)
        f, g = np.cumsum(P / P.sum()), np.cumsum(Q / Q.sum())
        if self.p == 1:
            steps = np.sign(f - g)[:-1] * np.diff(x)
        else:
            # Rounded, the last sum may fall short of the level sought.
            y = x[np.minimum(np.searchsorted(f, np.minimum(g, 1 - 1e-15)), len(x) - 1)]
            steps = np.abs(x[1:] - y[:-1]) ** self.p - np.abs(x[:-1] - y[:-1]) ** self.p
            steps *= value ** (1 - self.p) / self.p if value > 0 else 0.0
        potential = np.concatenate([[0], np.cumsum(steps)])
        return value, (potential - Q @ potential / Q.sum()) / Q.sum()


def _log_sum_exp(x: Array, axis: int) -> Array:
    largest = np.max(x, axis=axis, keepdims=True)
    return np.squeeze(largest, axis) + np.log(np.sum(np.exp(x - largest), axis=axis))


def _costs(x: Array, y: Array, cost: str) -> tuple[Array, Array]:
    """Give the cost of every pair of points, and its gradient by y."""
    difference = y[None, :, :] - x[:, None, :]
    costs = np.sum(difference**2, axis=2)
    if cost == "sqeuclidean":
        return costs, 2 * difference
    costs = np.sqrt(costs)
    return costs, difference / np.where(costs > 0, costs, math.inf)[:, :, None]


class Sinkhorn(TransportLoss):
    """OT(X, Y) − ½OT(X, X) − ½OT(Y, Y), each by alternate updates of its two potentials."""

    def __init__(
        self,
        reg: float = 0.05,
        cost: str = "sqeuclidean",
        debiased: bool = True,
        tol: float = 1e-6,
        max_iter: int = 1000,
    ) -> None:
        self.reg = reg
        self.cost = cost
        self.debiased = debiased
        self.tol = tol
        self.max_iter = max_iter

    def _transport(self, x: Array, y: Array, a: Array, b: Array) -> tuple[float, Array]:
        """OT and its gradient by y, the plan held fixed."""
        costs, slope = _costs(x, y, self.cost)
        f = np.zeros(len(x))
        for _ in range(self.max_iter):
            g = -self.reg * _log_sum_exp((f[:, None] - costs) / self.reg + np.log(a)[:, None], axis=0)
            plan = a[:, None] * b * np.exp((f[:, None] + g - costs) / self.reg)
            f = -self.reg * _log_sum_exp((g - costs) / self.reg + np.log(b), axis=1)
            if np.sum(np.abs(plan.sum(axis=1) - a)) <= self.tol:
                break
        plan = a[:, None] * b * np.exp((f[:, None] + g - costs) / self.reg)
        return float(a @ f + b @ g), np.sum(plan[:, :, None] * slope, axis=0)

    def _pair(self, u: Array, v: Array, a: Array, b: Array) -> tuple[float, Array]:
        x, y, a, b = u.reshape(len(u), -1), v.reshape(len(v), -1), a / a.sum(), b / b.sum()
        value, gradient = self._transport(x, y, a, b)
        if self.debiased:
            own, own_gradient = self._transport(y, y, a=b, b=b)
            # Both arguments of OT(y, y) move; half of twice its derivative by one.
            value -= (self._transport(x, x, a, a)[0] + own) / 2
            gradient = gradient - own_gradient
        return value, gradient.reshape(v.shape)


def _shortest_paths(costs: Array, plan: Array, supply: Array) -> tuple[Array, Array, Array]:
    """Find the costs to the targets from any source with supply, and what comes before each node.

    A path goes from sources to targets at their costs and back along what the plan moves, which it undoes
    (Bellman and Ford).
    """
    to_x, to_y = np.where(supply > 0, 0.0, math.inf), np.full(costs.shape[1], math.inf)
    before_x, before_y = np.full(len(supply), -1), np.full(costs.shape[1], -1)
    rounding = 1e-12 * costs.max()  # no gain: it would close cycles
    for _ in range(len(supply)):
        there = to_x[:, None] + costs
        shorter = there.min(axis=0) < to_y - rounding
        to_y[shorter], before_y[shorter] = there.min(axis=0)[shorter], there.argmin(axis=0)[shorter]
        back = np.where(plan > 0, to_y - costs, math.inf)
        shorter = back.min(axis=1) < to_x - rounding
        to_x[shorter], before_x[shorter] = back.min(axis=1)[shorter], back.argmin(axis=1)[shorter]
        if not shorter.any():
            break
    return to_y, before_x, before_y


def _cheapest_plan(costs: Array, a: Array, b: Array) -> Array:
    """Give what goes from where to where at the least cost: fill the cheapest path until nothing is left."""
    plan, supply, demand = np.zeros(costs.shape), a.copy(), b.copy()
    while supply.max() > 1e-15 and demand.max() > 1e-15:
        to_y, before_x, before_y = _shortest_paths(costs, plan, supply)
        end = j = int(np.argmin(np.where(demand > 0, to_y, math.inf)))
        path = []
        while j >= 0:
            i = int(before_y[j])
            path.append((i, j, int(before_x[i])))
            j = int(before_x[i])
        amount = min(supply[path[-1][0]], demand[end], *(plan[i, back] for i, _, back in path if back >= 0))
        for i, j, back in path:
            plan[i, j] += amount
            if back >= 0:
                plan[i, back] -= amount
        supply[path[-1][0]] -= amount
        demand[end] -= amount
    return plan


class EarthMover(TransportLoss):
    """The least mean cost of moving one cloud onto the other."""

    def __init__(self, cost: str = "euclidean") -> None:
        self.cost = cost

    def _pair(self, u: Array, v: Array, a: Array, b: Array) -> tuple[float, Array]:
        costs, slope = _costs(u.reshape(len(u), -1), v.reshape(len(v), -1), self.cost)
        plan = _cheapest_plan(costs, a / a.sum(), b / b.sum())
        return float(np.sum(plan * costs)), np.sum(plan[:, :, None] * slope, axis=0).reshape(v.shape)
