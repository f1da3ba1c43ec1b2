"""Where a formula's slope or value jumps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastloss.formulas.text import write

if TYPE_CHECKING:
    from fastloss._loss import Domain
    from fastloss.formulas.graph import Graph
    from fastloss.formulas.loss import Formula
    from fastloss.formulas.truth import Truth

#: Kinks that are looked for in one formula, and targets that they are looked for at.
_MOST, _TARGETS = 20, 3
_COMPARISONS = ("less", "less_equal", "equal", "not_equal")


@dataclass(frozen=True)
class Kink:
    """A place where two branches of a formula meet with different slopes or values.

    Attributes
    ----------
    term : str
        The term that has the branches.
    y, z : float
        An example.
    left, right : float
        The slopes on both sides.
    gradient : float
        The gradient that the loss gives there.
    jumps : bool
        Whether the value itself jumps.
    """

    term: str
    y: float
    z: float
    left: float
    right: float
    gradient: float
    jumps: bool

    @property
    def convex(self) -> bool:
        """Whether a convex loss may have it: the slope grows."""
        return not self.jumps and self.left <= self.right

    def __str__(self) -> str:
        what = "jump" if self.jumps else "kink"
        return (
            f"{what} of {self.term}, as at y = {self.y:.6g}, z = {self.z:.6g}: slopes {self.left:.6g} and"
            f" {self.right:.6g}, gradient {self.gradient:.6g}"
        )


def find_kinks(loss: Formula, truth: Truth) -> tuple[Kink, ...]:
    """Find the kinks of a formula, an example of each."""
    g = truth.graph
    found = []
    for node, difference in _switches(g, truth.root):
        kink = _first_kink(loss, truth, node, difference)
        if kink is not None:
            found.append(kink)
    return tuple(found[:_MOST])


def _switches(g: Graph, root: int) -> list[tuple[int, tuple[int, ...]]]:
    """Return nodes that have branches, and the operands whose difference changes its sign between them."""
    found: list[tuple[int, tuple[int, ...]]] = []
    for i in g.needed([root]):
        op, *args = g.nodes[i]
        if op in ("abs", "sign"):
            found.append((i, (args[0],)))
        elif op in ("minimum", "maximum"):
            found.append((i, (args[0], args[1])))
        elif op == "where" and g.nodes[args[0]][0] in _COMPARISONS:
            found.append((i, g.operands(args[0])))
    return found[:_MOST]


def _first_kink(loss: Formula, truth: Truth, node: int, operands: tuple[int, ...]) -> Kink | None:
    mp = truth.mp
    for y in _targets(loss.target_domain):
        places = _predictions(loss.prediction_domain)
        signs = [_side(truth, operands, y, z) for z in places]
        for a, b, left, right in zip(places, places[1:], signs, signs[1:], strict=False):
            if left * right < 0:
                z = _bisected(truth, operands, y, a, b, left)
                kink = _kink_at(loss, truth, node, y, z)
                if kink is not None:
                    return kink
            elif right == 0 and mp.isfinite(b):
                kink = _kink_at(loss, truth, node, y, mp.mpf(b))
                if kink is not None:
                    return kink
    return None


def _side(truth: Truth, operands: tuple[int, ...], y: float, z: Any) -> float:
    leaves = {"y": truth.mp.mpf(y), "z": truth.mp.mpf(z), **truth.parameters}
    values = truth.graph.evaluate(list(operands), leaves, truth.functions)
    difference = values[0] - values[1] if len(values) == 2 else values[0]
    return float(truth.mp.sign(difference)) if truth.mp.isfinite(difference) else 0.0


def _bisected(truth: Truth, operands: tuple[int, ...], y: float, a: float, b: float, left: float) -> Any:
    mp = truth.mp
    with mp.workdps(60):
        low, high = mp.mpf(a), mp.mpf(b)
        for _ in range(140):
            middle = (low + high) / 2
            side = _side(truth, operands, y, middle)
            if side == 0:
                return middle
            low, high = (middle, high) if side == left else (low, middle)
        return middle


def _kink_at(loss: Formula, truth: Truth, node: int, y: float, z: Any) -> Kink | None:
    mp = truth.mp
    left, right = (truth.slope(y, z, side) for side in (-1, 1))
    with mp.workdps(60):
        step = (abs(z) if z else mp.mpf(1)) * mp.mpf(10) ** -25
        below, above = truth.value(mp.mpf(y), z - step), truth.value(mp.mpf(y), z + step)
        size = 1 + abs(below)
        jumps = bool(abs(above - below) > size * mp.mpf(10) ** -15)
        bends = bool(abs(left - right) > (1 + abs(left)) * mp.mpf(10) ** -12)
    if not (jumps or bends) or not mp.isfinite(left + right):
        return None
    gradient = float(loss.gradient([y], [float(z)], reduction="none", n_threads=1)[0])
    text = write(truth.graph, node)[1]
    return Kink(text, y, float(z), float(left), float(right), gradient, jumps)


def _targets(domain: Domain) -> list[float]:
    if domain.integral:
        return [0.0, 1.0]
    if domain.high < np.inf:
        return [0.25, 1.0, 0.0]
    return [1.0, 2.5] if domain.low > -np.inf else [0.0, 1.0, -2.5][:_TARGETS]


def _predictions(domain: Domain) -> list[float]:
    if domain.high < np.inf:
        return list(np.linspace(domain.low + 1e-3, domain.high - 1e-3, 40))
    if domain.low > -np.inf:
        return list(domain.low + np.geomspace(1.1e-3, 1.3e3, 40))
    wide = np.geomspace(10.3, 1.1e3, 6)
    return [*(-wide[::-1]), *np.linspace(-9.73, 9.71, 60), *wide]
