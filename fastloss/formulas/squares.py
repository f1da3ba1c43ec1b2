"""Formulas of a squared residual: L(z − y) as w((z − y)²), which has derivatives where L'(r)/r is 0/0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastloss.formulas.graph import LEAVES, RawGraph
from fastloss.formulas.text import write

if TYPE_CHECKING:
    from fastloss.formulas.loss import Formula


def by_square(loss: Formula) -> Formula:
    """Return the formula of the squared residual, as its prediction.

    Raises
    ------
    ValueError
        If the formula is not written in terms of squares and magnitudes of the residual.
    """
    from fastloss.formulas.loss import _RESERVED, Formula

    raw, roots = loss._raw()
    if any(root is not None for root in roots[1:]):
        raise ValueError("it has derivatives of its own")
    assert roots[0] is not None
    copy = _Copy(raw)
    node = copy.of(roots[0])
    if copy.g.leaves(node, "input") != ["z"] or copy.is_bare:
        raise ValueError("it is no function of (z - y)**2")
    where, text = write(copy.g, node, (*_RESERVED, *loss.parameters))
    options: dict[str, Any] = {"predictions": "[0, inf)", **loss.parameters}
    return Formula(text, where=where, **options)


class _Copy:
    """Copies the nodes of a graph with the square of the residual in its place."""

    def __init__(self, raw: RawGraph) -> None:
        self.raw, self.g = raw, RawGraph()
        self.t = self.g.leaf("input", "z")
        self.is_bare = False  # whether an input occurs outside of squares and magnitudes

    def of(self, i: int) -> int:
        op, *rest = self.raw.nodes[i]
        if op in LEAVES:
            self.is_bare |= op == "input"
            return self.g.const(rest[0]) if op == "const" else self.g.leaf(op, rest[0])
        base = self.base_of_square(i)
        square = None if base is None else self.square(base)
        if square is not None:
            return square
        if op == "abs" and (square := self.square(rest[0])) is not None:
            return self.g.make("sqrt", square)
        return self.g.make(op, *(self.of(a) for a in rest))

    def base_of_square(self, i: int) -> int | None:
        op, *rest = self.raw.nodes[i]
        if op == "pow" and self.raw.value(rest[1]) == 2:
            return int(rest[0])
        return int(rest[0]) if op == "mul" and rest[0] == rest[1] else None

    def square(self, i: int) -> int | None:
        """Return the square of a residual that may have a sign and a factor, None of anything else."""
        op, *rest = self.raw.nodes[i]
        if op == "sub" and {self.raw.nodes[a] for a in rest} == {("input", "y"), ("input", "z")}:
            return self.t
        if op in ("neg", "abs"):
            return self.square(rest[0])
        if op not in ("mul", "div"):
            return None
        for inner, factor in (rest, rest[::-1])[: 2 if op == "mul" else 1]:
            if not self.raw.leaves(factor, "input") and (square := self.square(inner)) is not None:
                c = self.of(factor)
                return self.g.make(op, square, self.g.make("mul", c, c))
        return None
