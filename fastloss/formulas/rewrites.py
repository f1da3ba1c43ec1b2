"""What an operation is written as instead: the classic traps, and plain simplifications.

Each rule is an identity between real numbers whose right side is computed without cancelling, over- or
underflowing. They hold wherever a node is made, in what a user writes and in derivatives alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastloss.formulas.graph import Graph

Rule = Callable[..., "int | None"]


def rewrite(g: Graph, op: str, args: tuple[int, ...]) -> int | None:
    """Return the node that an operation is rewritten to, or None where it stays as it is."""
    rule = _RULES.get(op)
    return None if rule is None else rule(g, *args)


def _is(g: Graph, i: int, op: str) -> bool:
    return bool(g.nodes[i][0] == op)


def _inner(g: Graph, i: int, op: str) -> int | None:
    """Return the first operand of a node of this operation, None for another node."""
    node = g.nodes[i]
    return node[1] if node[0] == op else None


def _sign_of(g: Graph, i: int) -> tuple[int, int | None]:
    """Return a node without its sign, and -1 or 1; None where it is a number below 0."""
    inner = _inner(g, i, "neg")
    if inner is not None:
        return -1, inner
    value = g.value(i)
    return (-1, None) if value is not None and value < 0 else (1, i)


def _negative(g: Graph, i: int) -> int | None:
    """Return the node that a node is the negative of, None where it is none."""
    sign, inner = _sign_of(g, i)
    if sign > 0:
        return None
    return g.make("neg", i) if inner is None else inner


def _one_plus(g: Graph, i: int) -> int | None:
    """Return x of a node 1 + x."""
    node = g.nodes[i]
    if node[0] == "add":
        for one, x in ((node[1], node[2]), (node[2], node[1])):
            if g.value(one) == 1:
                return int(x)
    return None


def _square_root(g: Graph, i: int) -> int | None:
    """Return a of a node a·a."""
    node = g.nodes[i]
    return node[1] if node[0] == "mul" and node[1] == node[2] else None


def _cube_root(g: Graph, i: int) -> int | None:
    """Return a of a node a·(a·a)."""
    node = g.nodes[i]
    if node[0] == "mul":
        for a, square in ((node[1], node[2]), (node[2], node[1])):
            if _square_root(g, square) == a:
                return int(a)
    return None


def _exponent(g: Graph, i: int) -> int | None:
    """Return a of a node that is e^a: exp(a), or the number 1."""
    if g.value(i) == 1:
        return g.const(0)
    return _inner(g, i, "exp")


def _terms(g: Graph, i: int) -> tuple[int, int] | None:
    node = g.nodes[i]
    return node[1:] if node[0] == "add" else None


def _neg(g: Graph, a: int) -> int | None:
    inner = _inner(g, a, "neg")
    if inner is not None:
        return inner
    if _is(g, a, "sub"):
        x, y = g.operands(a)
        return g.make("sub", y, x)
    if _is(g, a, "mul") or _is(g, a, "div"):
        op, x, y = g.nodes[a]
        value = g.value(x)
        if value is not None:
            return g.make(op, g.const(-value), y)
    return None


def _add(g: Graph, a: int, b: int) -> int | None:
    if g.value(a) == 0:
        return b
    if g.value(b) == 0:
        return a
    if a == b:
        return g.make("mul", g.const(2), a)
    for x, y in ((a, b), (b, a)):
        inner = _negative(g, y)
        if inner is not None:
            return g.make("sub", x, inner)
        if _is(g, x, "sub") and g.operands(x)[1] == y:  # (u − y) + y
            return g.operands(x)[0]
        value = g.value(x)
        if value is not None and (excess := _times_expm1(g, y, g.const(-value))) is not None:
            return excess  # c + (−c)·e^u
    common = _common_factor(g, "add", a, b)
    return _in_order(g, "add", a, b) if common is None else common


def _common_factor(g: Graph, op: str, a: int, b: int) -> int | None:
    """Return (t + u)·x for t·x + u·x."""
    if _is(g, a, "mul") and _is(g, b, "mul"):
        for x in g.operands(a):
            if g.value(x) is None and x in g.operands(b):
                t, u = _times_of(g, a, x), _times_of(g, b, x)
                if t is not None and u is not None and t != u:
                    return g.make("mul", g.make(op, t, u), x)
    return None


def _in_order(g: Graph, op: str, a: int, b: int) -> int | None:
    """Give the operands of a commutative operation one order."""
    return None if a <= b else g.plain(op, b, a)


def _times_of(g: Graph, i: int, factor: int) -> int | None:
    """Return t of a node t·factor, a constant in between included."""
    if i == factor:
        return g.const(1)
    node = g.nodes[i]
    if node[0] == "mul":
        for t, x in ((node[1], node[2]), (node[2], node[1])):
            if x == factor:
                return int(t)
    return None


def _sub(g: Graph, a: int, b: int) -> int | None:
    if a == b:
        return g.const(0)
    if g.value(b) == 0:
        return a
    if g.value(a) == 0:
        return g.make("neg", b)
    inner = _negative(g, b)
    if inner is not None:
        return g.make("add", a, inner)
    inner = _inner(g, a, "neg")
    if inner is not None:
        return g.make("neg", g.make("add", inner, b))
    if _is(g, b, "sub") and g.operands(b)[0] == a:  # a − (a − u)
        return g.operands(b)[1]
    return _stable_difference(g, a, b)


def _stable_difference(g: Graph, a: int, b: int) -> int | None:
    """Rewrite differences that would cancel."""
    if (excess := _times_expm1(g, a, b)) is not None:
        return excess
    if (excess := _times_expm1(g, b, a)) is not None:
        return g.make("neg", excess)
    if g.value(b) == 1:
        if (x := _inner(g, a, "exp")) is not None:
            return g.make("expm1", x)
        if g.nodes[a][0] in ("add", "sub"):  # (e^u ± v) − 1
            op, first, second = g.nodes[a]
            if (x := _inner(g, first, "exp")) is not None:
                return g.make(op, g.make("expm1", x), second)
            if op == "add" and (x := _inner(g, second, "exp")) is not None:
                return g.make(op, g.make("expm1", x), first)
        if (x := _inner(g, a, "root")) is not None:
            return g.make("root_minus_one", x)
    if g.value(a) == 1:
        if (x := _inner(g, b, "sigmoid")) is not None:
            return g.make("sigmoid", g.make("neg", x))
        if (x := _inner(g, b, "exp")) is not None:
            return g.make("neg", g.make("expm1", x))
        if (x := _inner(g, b, "gauss")) is not None:
            return g.make("neg", g.make("expm1", g.make("neg", g.make("mul", x, x))))
        square = _square_root(g, b)
        if square is not None and (x := _inner(g, square, "tanh")) is not None:
            return _sech2(g, x)
        if square is not None:
            return g.make("one_minus_square", square)
        if (x := _cube_root(g, b)) is not None:
            return g.make("one_minus_cube", x)
    x = _inner(g, a, "softplus")
    if x is not None:
        # softplus(x) − t·x = (1 − t)·softplus(x) + t·softplus(−x)
        for argument, softplus in ((x, g.make("neg", x)), (g.make("neg", x), g.make("neg", x))):
            t = _times_of(g, b, argument)
            if t is None:
                continue
            if argument != x:
                t = g.make("neg", t)
            against = g.make("mul", g.make("sub", g.const(1), t), a)
            return g.make("add", against, g.make("mul", t, g.make("softplus", softplus)))
    if _is(g, b, "div") and g.operands(b)[0] == a and (t := _one_plus(g, g.operands(b)[1])) is not None:
        return g.make("mul", a, g.make("div", t, g.operands(b)[1]))  # a − a/(1 + t)
    p, q = _square_root(g, a), _square_root(g, b)
    if p is not None and q is not None:
        return g.make("mul", g.make("sub", p, q), g.make("add", p, q))
    node = g.nodes[a]
    if node[0] == "mul" and node[1] == b and (x := _inner(g, node[2], "root")) is not None:
        return g.make("mul", b, g.make("root_minus_one", x))  # c·√(1 + x²) − c
    logs = _difference_of_logs(g, a, b)
    return _common_factor(g, "sub", a, b) if logs is None else logs


def _times_expm1(g: Graph, product: int, factor: int) -> int | None:
    """Return c·(e^u − 1) for a product c·e^u, less its factor c."""
    node = g.nodes[product]
    if node[0] == "mul":
        for c, e in ((node[1], node[2]), (node[2], node[1])):
            if c == factor and (u := _inner(g, e, "exp")) is not None:
                return g.make("mul", c, g.make("expm1", u))
    return None


def _difference_of_logs(g: Graph, a: int, b: int) -> int | None:
    for op in ("log", "log1p"):
        p, q = _inner(g, a, op), _inner(g, b, op)
        if p is not None and q is not None:
            return g.make(f"{op}_difference", p, q)
    return None


def _sech2(g: Graph, x: int) -> int:
    """Return 1 − tanh² x = 4·σ(2x)·σ(−2x)."""
    u = g.make("mul", g.const(2), x)
    both = g.make("mul", g.make("sigmoid", u), g.make("sigmoid", g.make("neg", u)))
    return g.make("mul", g.const(4), both)


def _mul(g: Graph, a: int, b: int) -> int | None:
    va, vb = g.value(a), g.value(b)
    if va is None and vb is not None:
        return g.make("mul", b, a)
    if va == 0:
        return g.const(0)
    if va == 1:
        return b
    if va == -1:
        return g.make("neg", b)
    na, nb = _inner(g, a, "neg"), _inner(g, b, "neg")
    if va is not None and nb is not None:
        return g.make("mul", g.const(-va), nb)
    if na is not None:
        return g.make("neg", g.make("mul", na, b))
    if nb is not None:
        return g.make("neg", g.make("mul", a, nb))
    if va is not None and _is(g, b, "mul"):
        first, rest = g.operands(b)
        inner = g.value(first)
        if inner is not None:
            return g.make("mul", g.const(va * inner), rest)
    for x, y in ((a, b), (b, a)):
        argument = _inner(g, y, "log")
        if argument is not None and (
            argument == x
            or _times_of(g, argument, x) is not None
            or (_is(g, argument, "div") and g.operands(argument)[0] == x)
        ):
            return g.make("xlogy", x, argument)
    return _in_order(g, "mul", a, b) if va is None else None


def _div(g: Graph, a: int, b: int) -> int | None:
    va, vb = g.value(a), g.value(b)
    if va == 0:
        return g.const(0)
    if vb == 1:
        return a
    if vb is not None and vb in (0.5, 0.25, 2.0, 4.0, 8.0):  # exact
        return g.make("mul", g.const(1 / vb), a)
    na, nb = _inner(g, a, "neg"), _inner(g, b, "neg")
    if na is not None:
        return g.make("neg", g.make("div", na, b))
    if nb is not None:
        return g.make("neg", g.make("div", a, nb))
    return _sigmoid_of_exponentials(g, a, b)


def _sigmoid_of_exponentials(g: Graph, a: int, b: int) -> int | None:
    """e^p/(e^p + e^q) = σ(p − q), where e^0 may be written 1."""
    terms = _terms(g, b)
    if terms is None:
        return None
    exponents = [_exponent(g, t) for t in terms]
    mine = _exponent(g, a)
    if None in exponents or mine not in exponents:
        return None
    other = exponents[1] if mine == exponents[0] else exponents[0]
    assert mine is not None
    assert other is not None
    return g.make("sigmoid", g.make("sub", mine, other))


def _pow(g: Graph, a: int, p: int) -> int | None:
    power = g.value(p)
    if power == 0:
        return g.const(1)
    if power == 1:
        return a
    if power == 2:
        inner = _inner(g, a, "neg")
        inner = _inner(g, a, "abs") if inner is None else inner
        a = a if inner is None else inner
        return g.make("mul", a, a)
    if power == 3:
        return g.make("mul", a, g.make("mul", a, a))
    if power == 4:
        square = g.make("mul", a, a)
        return g.make("mul", square, square)
    if power == 0.5:
        return g.make("sqrt", a)
    if power == 1.5:
        return g.make("mul", a, g.make("sqrt", a))
    if power is not None and power in (-0.5, -1, -2):
        return g.make("div", g.const(1), g.make("pow", a, g.const(-power)))
    return None


def _log(g: Graph, a: int) -> int | None:
    if (x := _inner(g, a, "exp")) is not None:
        return x
    if (x := _inner(g, a, "sigmoid")) is not None:
        return g.make("neg", g.make("softplus", g.make("neg", x)))
    if (x := _inner(g, a, "cosh")) is not None:
        return g.make("log_cosh", x)
    if (x := _one_plus(g, a)) is not None:
        return g.make("log1p", x)
    terms = _terms(g, a)
    if terms is not None and all(_is(g, t, "exp") for t in terms):
        return g.make("logaddexp", *(g.operands(t)[0] for t in terms))
    node = g.nodes[a]
    if node[0] == "mul" and g.value(node[1]) == 0.5 and (terms := _terms(g, node[2])) is not None:
        x, y = (_inner(g, t, "exp") for t in terms)
        if x is not None and y is not None and g.make("neg", x) == y:
            return g.make("log_cosh", x)  # ½(e^x + e^−x)
    return None


def _log1p(g: Graph, a: int) -> int | None:
    if (x := _inner(g, a, "exp")) is not None:
        return g.make("softplus", x)
    if (x := _inner(g, a, "expm1")) is not None:
        return x
    inner = _inner(g, a, "neg")
    if inner is not None and (x := _inner(g, inner, "sigmoid")) is not None:
        return g.make("neg", g.make("softplus", x))
    return None


def _exp(g: Graph, a: int) -> int | None:
    inner = _inner(g, a, "neg")
    if inner is not None and (x := _square_root(g, inner)) is not None:
        return g.make("gauss", x)
    return _inner(g, a, "log")


def _sqrt(g: Graph, a: int) -> int | None:
    """√(c² + x²) is c·√(1 + (x/c)²), which is a function of its own."""
    square = _square_root(g, a)
    if square is not None:
        return g.make("abs", square)
    terms = _terms(g, a)
    if terms is None:
        return None
    for c2, x2 in permutations(terms):
        value, c, x = g.value(c2), _square_root(g, c2), _square_root(g, x2)
        if x is None or (value is not None and not value > 0):
            continue
        if value is not None:
            root = g.const(math.sqrt(value))
        elif c is not None and not g.leaves(c, "input"):
            root = g.make("abs", c)
        else:
            continue
        return g.make("mul", root, g.make("root", g.make("div", x, root)))
    return None


def _place(g: Graph, i: int) -> tuple[bool, int]:
    """Return what operands of a difference are put in the order of: z − y, z − c, as residuals are."""
    return g.nodes[i][0] in ("const", "parameter"), -i


def _even(op: str) -> Rule:
    def rule(g: Graph, a: int) -> int | None:
        if op == "abs" and _is(g, a, "abs"):
            return a
        if _is(g, a, "sub"):
            x, y = g.operands(a)
            return g.make(op, g.make("sub", y, x)) if _place(g, x) > _place(g, y) else None
        if _is(g, a, "mul") and (value := g.value(g.operands(a)[0])) is not None and value < 0:
            return g.make(op, g.make("neg", a))
        inner = _negative(g, a)
        return None if inner is None else g.make(op, inner)

    return rule


def _odd(op: str) -> Rule:
    def rule(g: Graph, a: int) -> int | None:
        inner = _negative(g, a)
        return None if inner is None else g.make("neg", g.make(op, inner))

    return rule


def _where(g: Graph, condition: int, a: int, b: int) -> int | None:
    if a == b:
        return a
    value = g.value(condition)
    return None if value is None else (a if value else b)


def _same(g: Graph, a: int, b: int) -> int | None:
    return a if a == b else None


def _logaddexp(g: Graph, a: int, b: int) -> int | None:
    if g.value(a) == 0:
        return g.make("softplus", b)
    return g.make("softplus", a) if g.value(b) == 0 else None


def _xlogy(g: Graph, a: int, b: int) -> int | None:
    if g.value(a) == 0:
        return g.const(0)
    return g.make("log", b) if g.value(a) == 1 else None


_RULES: dict[str, Rule] = {
    "neg": _neg,
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "log": _log,
    "log1p": _log1p,
    "exp": _exp,
    "sqrt": _sqrt,
    "where": _where,
    "logaddexp": _logaddexp,
    "xlogy": _xlogy,
    **{
        op: _even(op)
        for op in (
            "abs",
            "cosh",
            "log_cosh",
            "normal_pdf",
            "root",
            "root_minus_one",
            "exp_minus_abs",
            "gauss",
        )
    },
    **{op: _odd(op) for op in ("sinh", "tanh", "erf", "sign", "bend", "lorentz")},
    **dict.fromkeys(("minimum", "maximum", "nearest_zero"), _same),
}
