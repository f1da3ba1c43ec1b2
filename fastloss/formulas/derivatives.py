"""Derivatives by the prediction: rules that stay among the operations there are."""

from __future__ import annotations

import math
from collections.abc import Callable

from fastloss.formulas.graph import LEAVES, Graph


def derivative(g: Graph, root: int) -> int:
    """Return the node of the derivative of a node by the input z.

    At a kink it is the subgradient nearest to 0.
    """
    zero = g.const(0)
    found: dict[int, int] = {}
    for i in g.needed([root]):
        op, *args = g.nodes[i]
        if op in LEAVES:
            found[i] = g.const(1) if g.nodes[i] == ("input", "z") else zero
            continue
        inner = [found[a] for a in args]
        if all(d == zero for d in inner) or op in _FLAT:
            found[i] = zero
        else:
            found[i] = _Rules(g, i, found).apply(op, args, inner)
    return found[root]


#: Constant but for jumps.
_FLAT = ("sign", "less", "less_equal", "equal", "not_equal", "nearest_zero")


class _Rules:
    """The rules of differentiation, for the node i, of whose operands the derivatives have been found."""

    def __init__(self, g: Graph, i: int, found: dict[int, int]) -> None:
        self.g, self.i, self.found = g, i, found
        self.zero, self.one, self.two = g.const(0), g.const(1), g.const(2)

    def apply(self, op: str, args: list[int], inner: list[int]) -> int:
        of_one = _OF_ONE.get(op)
        if of_one is not None:
            return self.g.make("mul", of_one(self.g, args[0], self.i), inner[0])
        rule: Callable[..., int] = getattr(self, f"of_{op}")
        return rule(*args, *inner)

    def of_add(self, a: int, b: int, da: int, db: int) -> int:
        return self.g.make("add", da, db)

    def of_sub(self, a: int, b: int, da: int, db: int) -> int:
        return self.g.make("sub", da, db)

    def of_mul(self, a: int, b: int, da: int, db: int) -> int:
        if a == b:
            return self.g.make("mul", self.two, self.g.make("mul", a, da))
        return self.g.make("add", self.g.make("mul", da, b), self.g.make("mul", a, db))

    def of_div(self, a: int, b: int, da: int, db: int) -> int:
        if db == self.zero:
            return self.g.make("div", da, b)
        down = self.g.make("mul", self.i, self.g.make("div", db, b))
        return self.g.make("sub", self.g.make("div", da, b), down)

    def of_pow(self, a: int, p: int, da: int, dp: int) -> int:
        g = self.g
        result = self.zero
        if da != self.zero:
            if g.nodes[a][0] == "sigmoid":  # σ^p by a: p·σ^p·σ(−x), whose power is there already
                x = g.operands(a)[0]
                grown = g.make("mul", self.i, g.make("sigmoid", g.make("neg", x)))
                inside = g.make("mul", g.make("mul", p, grown), self.found[x])
            else:
                lower = g.make("pow", a, g.make("sub", p, self.one))
                inside = g.make("mul", g.make("mul", p, lower), da)
            result = inside
        if dp != self.zero:
            result = g.make("add", result, g.make("mul", g.make("mul", self.i, g.make("log", a)), dp))
        return result

    def _of_extreme(self, op: str, a: int, b: int, da: int, db: int) -> int:
        g = self.g
        if da == db:
            return da
        if db == self.zero:  # with equal operands 0 is chosen
            return g.make("where", g.make("less", *((a, b) if op == "minimum" else (b, a))), da, db)
        first = g.make("less", *((a, b) if op == "minimum" else (b, a)))
        if da == self.zero:
            return g.make("where", g.make("less", *((b, a) if op == "minimum" else (a, b))), db, da)
        tie = g.make("where", g.make("equal", a, b), g.make("nearest_zero", da, db), db)
        return g.make("where", first, da, tie)

    def of_minimum(self, a: int, b: int, da: int, db: int) -> int:
        return self._of_extreme("minimum", a, b, da, db)

    def of_maximum(self, a: int, b: int, da: int, db: int) -> int:
        return self._of_extreme("maximum", a, b, da, db)

    def of_logaddexp(self, a: int, b: int, da: int, db: int) -> int:
        g = self.g
        first = g.make("mul", g.make("sigmoid", g.make("sub", a, b)), da)
        return g.make("add", first, g.make("mul", g.make("sigmoid", g.make("sub", b, a)), db))

    def of_xlogy(self, a: int, b: int, da: int, db: int) -> int:
        g = self.g
        first = g.make("mul", da, g.make("log", b))
        if g.nodes[b][0] == "div" and g.operands(b)[0] == a and da == self.zero:
            # x·log(x/t): by t −x/t, which is −b
            t = g.operands(b)[1]
            return g.make("neg", g.make("mul", b, self.found[t]))
        return g.make("add", first, g.make("mul", g.make("div", a, b), db))

    def of_log_difference(self, a: int, b: int, da: int, db: int) -> int:
        return self.g.make("sub", self.g.make("div", da, a), self.g.make("div", db, b))

    def of_log1p_difference(self, a: int, b: int, da: int, db: int) -> int:
        a, b = self.g.make("add", self.one, a), self.g.make("add", self.one, b)
        return self.g.make("sub", self.g.make("div", da, a), self.g.make("div", db, b))

    def of_log1p(self, a: int, da: int) -> int:
        """As a rule of its own where a is x²: 2·x'·x/(1 + x²)."""
        g, node = self.g, self.g.nodes[a]
        if node[0] == "mul" and node[1] == node[2]:
            slope = g.make("mul", self.two, self.found[node[1]])
            return g.make("mul", slope, g.make("lorentz", node[1]))
        return g.make("div", da, g.make("add", self.one, a))

    def of_where(self, c: int, a: int, b: int, dc: int, da: int, db: int) -> int:
        return self.g.make("where", c, da, db)


def _sech2(g: Graph, a: int, i: int) -> int:
    u = g.make("mul", g.const(2), a)
    both = g.make("mul", g.make("sigmoid", u), g.make("sigmoid", g.make("neg", u)))
    return g.make("mul", g.const(4), both)


def _lorentz(g: Graph, a: int, i: int) -> int:
    """(x/(1 + x²))' = (1 − x²)/(1 + x²)²."""
    inverse = g.make("div", g.const(1), g.make("add", g.const(1), g.make("mul", a, a)))
    return g.make("mul", g.make("one_minus_square", a), g.make("mul", inverse, inverse))


def _bend(g: Graph, a: int, i: int) -> int:
    """(x/√(1 + x²))' = 1/((1 + x²)·√(1 + x²))."""
    square = g.make("add", g.const(1), g.make("mul", a, a))
    return g.make("div", g.const(1), g.make("mul", g.make("root", a), square))


#: Derivatives of functions of one number: of the graph, the operand and the function's own node.
_OF_ONE: dict[str, Callable[[Graph, int, int], int]] = {
    "neg": lambda g, a, i: g.const(-1),
    "abs": lambda g, a, i: g.make("sign", a),
    "sqrt": lambda g, a, i: g.make("div", g.const(0.5), i),
    "exp": lambda g, a, i: i,
    "expm1": lambda g, a, i: g.make("exp", a),
    "log": lambda g, a, i: g.make("div", g.const(1), a),
    "lorentz": _lorentz,
    "sinh": lambda g, a, i: g.make("cosh", a),
    "cosh": lambda g, a, i: g.make("sinh", a),
    "tanh": _sech2,
    "sigmoid": lambda g, a, i: g.make("mul", i, g.make("sigmoid", g.make("neg", a))),
    "softplus": lambda g, a, i: g.make("sigmoid", a),
    "log_cosh": lambda g, a, i: g.make("tanh", a),
    "root": lambda g, a, i: g.make("bend", a),
    "root_minus_one": lambda g, a, i: g.make("bend", a),
    "bend": _bend,
    "one_minus_square": lambda g, a, i: g.make("mul", g.const(-2), a),
    "one_minus_cube": lambda g, a, i: g.make("mul", g.const(-3), g.make("mul", a, a)),
    "erf": lambda g, a, i: g.make("mul", g.const(2 / math.sqrt(math.pi)), g.make("gauss", a)),
    "gauss": lambda g, a, i: g.make("mul", g.make("mul", g.const(-2), a), i),
    "normal_cdf": lambda g, a, i: g.make("normal_pdf", a),
    "normal_pdf": lambda g, a, i: g.make("neg", g.make("mul", a, i)),
    # (log Φ)' = φ/Φ =: λ, λ' = −λ·(λ + a), of which λ + a =: δ is a function of its own, δ' = 1 − λδ.
    "normal_log_cdf": lambda g, a, i: g.make("normal_hazard", a),
    "normal_hazard": lambda g, a, i: g.make("neg", g.make("mul", i, g.make("normal_excess", a))),
    "normal_excess": lambda g, a, i: g.make("sub", g.const(1), g.make("mul", g.make("normal_hazard", a), i)),
    "lgamma": lambda g, a, i: g.make("digamma", a),
    "digamma": lambda g, a, i: g.make("trigamma", a),
    "trigamma": lambda g, a, i: g.make("tetragamma", a),
}
