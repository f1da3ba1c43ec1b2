"""Which term of a formula its error comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import PointwiseLoss
from fastloss.formulas.derivatives import derivative
from fastloss.formulas.graph import LEAVES, Graph
from fastloss.formulas.programs import compiled
from fastloss.formulas.text import write

if TYPE_CHECKING:
    from fastloss.formulas.loss import Formula
    from fastloss.formulas.truth import Truth

_ANY = (-np.inf, np.inf, False, False, True)
#: A term is to blame if its error is so many times those of its operands, none counted below 1 ULP.
_GROWS = 8


class _Term(PointwiseLoss):
    """A term of a formula, computed as the formula computes it."""

    name = "term"

    def __init__(self, graph: Graph, node: int) -> None:
        programs = compiled(graph, node, node, node)
        self._bind_formula(_ANY, _ANY, programs.cost, programs.constants, programs.programs)


def culprit(loss: Formula, truth: Truth, output: int, y: npt.NDArray[Any], z: npt.NDArray[Any]) -> str:
    """Say which term loses the digits of an output at one sample, and how."""
    symbolic, roots = loss._graph
    g = Graph()
    given = [root for root in roots[: output + 1] if root is not None]
    nodes = symbolic.copy_into(g, given, loss.parameters)
    root = nodes[0]
    for _ in range(output - len(given) + 1):
        root = derivative(g, root)
    if len(given) > 1:
        root = nodes[-1]
    needed = g.needed([root])
    mp = truth.mp
    with mp.workdps(400):
        leaves = {"y": mp.mpf(float(y[0])), "z": mp.mpf(float(z[0]))}
        true = dict(zip(needed, g.evaluate(needed, leaves, truth.functions), strict=True))
    errors: dict[int, float] = {}
    worst, place = 0.0, root
    for i in needed:
        if g.nodes[i][0] in LEAVES:
            errors[i] = 0.0
            continue
        with np.errstate(all="ignore"):
            result = float(_Term(g, i)(y, z, reduction="none", n_threads=1)[0])
        errors[i] = _relative(result, true[i], mp) / float(np.finfo(z.dtype).eps)
        before = max((errors[a] for a in g.operands(i)), default=0.0)
        growth = errors[i] / max(before, 1.0)
        if growth > max(worst, _GROWS) and not np.isinf(before):
            worst, place = growth, i
    text = write(g, place)[1]
    return f"{text if len(text) < 200 else text[:200] + '…'} {_how(g, place, errors[place])}"


def _relative(result: float, true: Any, mp: Any) -> float:
    if not mp.isfinite(true):
        return 0.0
    if not np.isfinite(result):
        return np.inf
    if true == 0:
        return 0.0 if result == 0 else np.inf
    return float(abs(mp.mpf(result) - true) / abs(true))


def _how(g: Graph, i: int, error: float) -> str:
    op = g.nodes[i][0]
    if np.isinf(error):
        return "overflows or is not defined in between: write it so that no term is larger than the whole"
    if op in ("add", "sub"):
        return "cancels: a difference of nearly equal numbers, whose roundings remain"
    if op in ("exp", "pow", "sinh", "cosh"):
        return "magnifies the rounding of its large argument"
    return "magnifies the rounding of its argument"
