"""A graph in the operations that the machine has: what belongs together is computed together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from fastloss.formulas.graph import LEAVES, Graph

#: Operations of which NaN makes a number; of where its condition is one.
_LOSE = ("less", "less_equal", "equal", "not_equal")


def lowered(g: Graph, low: Graph, roots: Sequence[int]) -> list[int]:
    """Build nodes again out of what the machine has operations for; NaN of either input comes out of all."""
    new: dict[int, int] = {}
    for i in g.needed(roots):
        op, *rest = g.nodes[i]
        if op == "const":
            new[i] = low.const(rest[0])
        elif op in LEAVES:
            new[i] = low.leaf(op, rest[0])
        elif op.startswith("one_minus") and g.nodes[rest[0]][0] == "one_minus_square":
            new[i] = _one_minus_power(low, op, new[rest[0]], new[g.operands(rest[0])[0]])
        else:
            new[i] = _lower(low, op, [new[a] for a in rest])
    return _keeping_nan(low, [new[i] for i in roots])


def _keeping_nan(g: Graph, roots: list[int]) -> list[int]:
    """Let a NaN of either input into results that would not depend on it, by a term that keeps both."""
    inputs = [g.leaf("input", name) for name in "yz"]
    both = frozenset(inputs)
    kept: dict[int, frozenset[int]] = {}
    for i in g.needed([*roots, *inputs]):
        op, *args = g.nodes[i]
        if op in LEAVES:
            kept[i] = frozenset([i]) & both
        elif op in ("where_less", "where_less_equal"):  # of NaN no comparison holds: the last one is taken
            p, q, first, last = args
            kept[i] = kept[last] & (kept[first] | kept[p] | kept[q])
        elif op == "where":
            kept[i] = kept[args[-2]] & kept[args[-1]]
        else:
            kept[i] = frozenset().union(*(kept[a] for a in args)) if op not in _LOSE else frozenset()
    found = []
    for root in roots:
        if kept[root] != both:
            own = [i for i in g.needed([root]) if kept[i] == both and _is_a_number(g, i)]
            negated = g.nodes[root][0] == "neg"  # the last step, which an output takes over
            root = g.operands(root)[0] if negated else root
            for i in own[-1:] or sorted(both - kept[root]):
                root = g.plain("keep_nan", i, root)
            root = g.plain("neg", root) if negated else root
        found.append(root)
    return found


def _is_a_number(g: Graph, i: int) -> bool:
    """Whether a node of finite inputs is one: a few sums and products."""
    needed = g.needed([i])
    never_undefined = (*LEAVES, "add", "sub", "mul", "neg", "abs")
    return len(needed) <= 12 and all(g.nodes[j][0] in never_undefined for j in needed)


def _lower(g: Graph, op: str, args: list[int]) -> int:
    rule: Callable[..., int | None] | None = _RULES.get(op)
    found = None if rule is None else rule(g, *args)
    return g.make(op, *args) if found is None else found


def _of_exponential(op: str, g: Graph, x: int) -> int:
    """Return a sigmoid or a softplus, of e^−|x|."""
    if g.nodes[x][0] == "neg":
        x = g.operands(x)[0]
        op = f"{op}_minus"
    return g.plain(f"{op}_of", x, g.make("exp_minus_abs", x))


def _of_decay(op: str, g: Graph, x: int) -> int:
    return g.plain(f"{op}_of", x, g.make("decay", x))


def _expm1(g: Graph, x: int) -> int | None:
    """Of −b², from e^(−b²), which the slope has."""
    square = g.nodes[g.operands(x)[0]] if g.nodes[x][0] == "neg" else ("",)
    return g.plain("expm1_of_gauss", square[1], g.make("gauss", square[1])) if square[0] == "square" else None


def _mul(g: Graph, a: int, b: int) -> int | None:
    if a == b:
        return g.plain("square", a)
    for x, y in ((a, b), (b, a)):
        if (leaky := _leaky(g, x, y)) is not None:
            return leaky
        node = g.nodes[y]
        if node[0] == "mul" and g.value(node[1]) is not None and g.value(x) is None:
            return g.make("mul", node[1], _lower(g, "mul", [x, node[2]]))
        if node[0] == "square" and g.nodes[x][0].startswith("where"):  # the slope has a factor of it
            return g.make("mul", _lower(g, "mul", [x, node[1]]), node[1])
    pair = {g.nodes[i][0]: g.operands(i) for i in (a, b) if g.nodes[i][0].startswith("sigmoid_")}
    if len(pair) == 2 and pair.get("sigmoid_of") == pair.get("sigmoid_minus_of"):
        return g.plain("sigmoid_slope", pair["sigmoid_of"][1])
    return None


def _leaky(g: Graph, slope: int, x: int) -> int | None:
    """Return a difference times a constant where it is above 0, and another below."""
    op, *args = g.nodes[slope]
    if op not in ("where_less", "where_less_equal") or g.nodes[x][0] != "sub":
        return None
    p, q, c, d = args
    if None in (g.value(c), g.value(d)) or sorted((p, q)) != sorted(g.operands(x)):
        return None
    return g.plain("leaky_difference", *g.operands(x), *((c, d) if g.operands(x) == (q, p) else (d, c)))


def _add(g: Graph, a: int, b: int) -> int | None:
    """(1 − t)·softplus(x) + t·softplus(−x)."""
    for _, x, t, u in _mixtures(g, a, b, "softplus"):
        if _is_rest(g, t, u):
            return g.plain("cross_entropy_of", *x, u)
        if _is_rest(g, u, t):  # of −x
            return g.plain("cross_entropy_of", g.plain("neg", x[0]), x[1], t)
    return _factored(g, a, b, 1)


def _sub(g: Graph, a: int, b: int) -> int | None:
    for first, x, t, u in _mixtures(g, a, b, "sigmoid"):
        if _is_rest(g, t, u):
            slope = g.plain("cross_entropy_slope_of", *x, u)
            return slope if first == a else g.plain("neg", slope)
    turned = ("sub", b, a)
    return g.plain("neg", g.plain(*turned)) if g.has(turned) else _factored(g, a, b, -1)


def _factored(g: Graph, a: int, b: int, sign: float) -> int | None:
    """Return p·(q + r) for a = p·q and b = p·r, where that takes fewer products; `sign` is that of b."""
    (c, first), (d, second) = _factors(g, a), _factors(g, b)
    _split_slopes(g, first, second)
    _split_slopes(g, second, first)
    common = first & second
    rests = first - common, second - common
    if common.total() <= sum(not rest for rest in rests):  # as many products
        return None
    q, r = (_product(g, rest) for rest in rests)
    total = [g.make("mul", g.const(c), q), g.make("mul", g.const(d * sign), r)]
    return _lower(g, "mul", [_product(g, common), _lower(g, "add", total)])


def _factors(g: Graph, i: int) -> tuple[float, Counter[int]]:
    """Return what a node is a product of: a constant, and other nodes."""
    op, *args = g.nodes[i]
    if op in ("mul", "square"):
        (c, first), (d, second) = _factors(g, args[0]), _factors(g, args[-1])
        return c * d, first + second
    if op == "neg":
        c, found = _factors(g, args[0])
        return -c, found
    return (1.0, Counter([i])) if (value := g.value(i)) is None else (value, Counter())


def _split_slopes(g: Graph, factors: Counter[int], others: Counter[int]) -> None:
    """Take the product of both sigmoids apart, where one of them is among other factors."""
    for i in list(factors):
        op, *args = g.nodes[i]
        for x in others:
            if op == "sigmoid_slope" and g.nodes[x][0] == "sigmoid_of" and g.nodes[x][2] == args[0]:
                factors[x] += factors[i]
                factors[g.plain("sigmoid_minus_of", *g.operands(x))] += factors.pop(i)
                break


def _product(g: Graph, factors: Counter[int]) -> int:
    """Return the product of nodes: squares of those that are there twice."""
    found = None
    for i, times in factors.items():
        for power in [g.plain("square", i)] * (times // 2) + [i] * (times % 2):
            found = power if found is None else g.plain("mul", found, power)
    return g.const(1) if found is None else found


def _mixtures(g: Graph, a: int, b: int, op: str) -> Iterator[tuple[int, tuple[int, ...], int, int]]:
    """Yield which of a and b is t·op(x), the other one being u·op(−x), the operands of x, t and u."""
    for first, second in ((a, b), (b, a)):
        for x, t in _shares(g, first, f"{op}_of"):
            for other, u in _shares(g, second, f"{op}_minus_of"):
                if x == other:
                    yield first, x, t, u


def _shares(g: Graph, i: int, op: str) -> list[tuple[tuple[int, ...], int]]:
    """Return operands of an operation, and what it is multiplied by in a node, neither a constant."""
    node = g.nodes[i]
    pairs = ((node[1], node[2]), (node[2], node[1])) if node[0] == "mul" else ()
    return [(g.operands(f), t) for t, f in pairs if g.nodes[f][0] == op and g.value(t) is None]


def _is_rest(g: Graph, t: int, u: int) -> bool:
    """Whether t is 1 − u."""
    node = g.nodes[t]
    return bool(node[0] == "sub" and g.value(node[1]) == 1 and node[2] == u)


def _pow(g: Graph, a: int, p: int) -> int | None:
    power, node = g.value(p), g.nodes[a]
    if power is None:
        return None
    if power > 0 and node[0] in ("sigmoid_of", "sigmoid_minus_of"):
        x = node[1] if node[0] == "sigmoid_of" else g.make("neg", node[1])
        return g.plain("power_of_sigmoid", x, p)
    return g.plain("power", a, p)


def _xlogy(g: Graph, a: int, b: int) -> int | None:
    """Return the product where a constant keeps 0·log 0 from it."""
    of_constant = g.value(a) is not None or (g.value(b) or 0) > 0
    return g.make("mul", a, g.make("log", b)) if of_constant else None


def _extreme(op: str, g: Graph, a: int, b: int) -> int | None:
    (c, x), (d, y) = _multiple(g, a), _multiple(g, b)
    if x == y and g.nodes[x][0] == "sub":  # c·x and d·x
        above, below = sorted((c, d), reverse=op == "at_least")
        return g.plain("leaky_difference", *g.operands(x), g.const(above), g.const(below))
    for x, c in ((a, b), (b, a)):
        if g.value(c) is not None:
            if op == "at_most" and g.nodes[x][0] == "at_least":
                return g.plain("clip", *g.operands(x), c)
            return g.plain(op, x, c)
    return None


def _compared(op: str, g: Graph, a: int, b: int) -> int | None:
    """Compare multiples of one difference by what it is a difference of."""
    (c, x), (d, y) = _multiple(g, a), _multiple(g, b)
    if x != y or g.nodes[x][0] != "sub" or c == d:
        return None
    p, q = g.operands(x)
    return g.plain(op, q, p) if c < d else g.plain(op, p, q)


def _where(g: Graph, condition: int, a: int, b: int) -> int | None:
    if g.nodes[a][0] == "neg" and (value := g.value(b)) is not None:
        return g.make("neg", _lower(g, "where", [condition, g.operands(a)[0], g.const(-value)]))
    for rule in (_hubers, _hinge, _above_zero):
        if (found := rule(g, condition, a, b)) is not None:
            return found
    first, second = g.nodes[condition], g.nodes[b]
    if first[0] not in ("less", "less_equal"):
        return None
    p, q = first[1:]
    if (
        first[0] == "less"
        and second[0] == "where"
        and g.nodes[second[1]] in (("equal", p, q), ("equal", q, p))
    ):
        values = [g.value(x) for x in (a, *second[2:], p, q)]
        if None not in values[:3] and values[3:] == [None, None]:
            return g.plain("by_order", p, q, a, *second[2:])
    return g.plain(f"where_{first[0]}", p, q, a, b)


def _hubers(g: Graph, condition: int, a: int, b: int) -> int | None:
    """Return a parabola that goes on as its tangents, or its slope: of |x| ≤ d, by x between −d and d."""
    node = g.nodes[condition]
    if node[0] not in ("less", "less_equal") or g.nodes[node[1]][0] != "abs":
        return None
    size, d, (x,) = node[1], g.value(node[2]), g.operands(node[1])
    if d is None or not d > 0:
        return None
    factor, inside = _multiple(g, a)
    if inside == x:  # 2k·x, then ±2k·d
        slope, sign = _multiple(g, b)
        if g.nodes[sign] != ("sign", x) or not _near(slope, factor * d):
            return None
        return g.make("mul", g.const(factor), _clipped(g, x, d))
    if g.nodes[inside] == ("square", x):  # k·x², then 2k·d·|x| − k·d²
        line = _line(g, b, size)
        if line is None or not (_near(line[0], 2 * factor * d) and _near(line[1], -factor * d * d)):
            return None
        c = _clipped(g, x, d)
        if g.nodes[x][0] == "sub":
            return g.make("mul", g.const(2 * factor), g.plain("parabola", c, *g.operands(x)))
        rest = g.plain("sub", x, g.make("mul", g.const(0.5), c))
        return g.make("mul", g.const(2 * factor), g.plain("mul", c, rest))
    return None


def _hinge(g: Graph, condition: int, a: int, b: int) -> int | None:
    """Return a parabola of t = k − x that is 0 below t = 0 and its tangent from t = d on, or its slope."""
    node, inner = g.nodes[condition], g.nodes[b]
    if node[0] not in ("less", "less_equal") or g.value(a) != 0:
        return None
    if inner[0] not in ("where_less", "where_less_equal") or inner[2] != node[2]:
        return None
    k, x, low, bent, straight = g.value(node[1]), node[2], g.value(inner[1]), *inner[3:]
    if k is None or low is None or not low < k:
        return None
    t, d, zero = g.make("sub", g.const(k), x), k - low, g.const(0)
    c = g.plain("clip", t, zero, g.const(d))
    factor, square = _multiple(g, bent)
    if g.nodes[square] == ("square", t):
        line = _line(g, straight, x)
        if line is None or not (
            _near(line[0], -2 * factor * d) and abs(line[1] - factor * d * (k + low)) <= 1e-15 * abs(line[0])
        ):
            return None
        rest = g.plain("sub", g.plain("at_least", t, zero), g.make("mul", g.const(0.5), c))
        return g.make("mul", g.const(2 * factor), g.plain("mul", c, rest))
    (factor, bend), (end, slope) = _factors(g, bent), _factors(g, straight)
    if bend != slope + Counter([t]) or not _near(end, factor * d):
        return None
    if slope:  # infinite, it would make NaN of 0
        c = g.plain("mul", c, g.plain("where_less", zero, c, _product(g, slope), c))
    return g.make("mul", g.const(factor), c)


def _above_zero(g: Graph, condition: int, a: int, b: int) -> int | None:
    """Return a where x is above 0, and max(x, 0), which is 0 or NaN, elsewhere, if that is there."""
    node = g.nodes[condition]
    if node[0] != "less" or g.value(node[1]) != 0 or g.value(b) != 0:
        return None
    larger = ("at_least", node[2], node[1])
    if not g.has(larger):
        return None
    return g.plain("where_less", node[1], g.plain(*larger), a, g.plain(*larger))


def _clipped(g: Graph, x: int, d: float) -> int:
    if g.nodes[x][0] == "sub":
        return g.plain("clip_difference", *g.operands(x), g.const(d))
    return g.plain("clip", x, g.const(-d), g.const(d))


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-15 * abs(b)


def _multiple(g: Graph, i: int) -> tuple[float, int]:
    """Return a factor and what it multiplies."""
    op, *args = g.nodes[i]
    if op == "neg":
        factor, inner = _multiple(g, args[0])
        return -factor, inner
    if op == "mul" and (c := g.value(args[0])) is not None:
        factor, inner = _multiple(g, args[1])
        return c * factor, inner
    if op == "div" and (c := g.value(args[1])) is not None:
        factor, inner = _multiple(g, args[0])
        return factor / c, inner
    return 1.0, i


def _line(g: Graph, i: int, x: int) -> tuple[float, float] | None:
    """Return a and b of a·x + b."""
    factor, inner = _multiple(g, i)
    op, *args = g.nodes[inner]
    if inner == x:
        return factor, 0.0
    if op not in ("add", "sub"):
        return None
    values = [g.value(a) for a in args]
    sign = -1.0 if op == "sub" else 1.0
    if values[1] is not None and (line := _line(g, args[0], x)) is not None:
        return factor * line[0], factor * (line[1] + sign * values[1])
    if values[0] is not None and (line := _line(g, args[1], x)) is not None:
        return factor * sign * line[0], factor * (values[0] + sign * line[1])
    return None


def _root(g: Graph, x: int) -> int:
    return g.plain("sqrt", g.make("add", g.const(1), g.plain("square", x)))


def _root_minus_one(g: Graph, x: int) -> int:
    return g.make("div", g.plain("square", x), g.make("add", g.const(1), _root(g, x)))


def _bend(g: Graph, x: int) -> int:
    return g.make("div", x, _root(g, x))


def _lorentz(g: Graph, x: int) -> int:
    return g.make("div", x, g.make("add", g.const(1), g.plain("square", x)))


def _one_minus_square(g: Graph, x: int) -> int:
    return g.make("mul", g.make("sub", g.const(1), x), g.make("add", g.const(1), x))


def _one_minus_cube(g: Graph, x: int) -> int:
    sums = g.make("add", g.make("add", g.const(1), x), g.plain("square", x))
    return g.make("mul", g.make("sub", g.const(1), x), sums)


def _one_minus_power(g: Graph, op: str, p: int, x: int) -> int:
    """1 − p² or 1 − p³ of p = 1 − x² is x²·(1 + p + ...)."""
    sums = g.make("add", g.const(1), p)
    if op == "one_minus_cube":
        sums = g.make("add", sums, g.plain("square", p))
    return g.make("mul", g.plain("square", x), sums)


def _difference(log: str, g: Graph, p: int, q: int) -> int:
    """Log p − log q = log1p((p − q)/q) where they are near each other, otherwise as it is."""
    base = q if log == "log" else g.make("add", g.const(1), q)
    ratio = g.make("div", g.make("sub", p, q), base)
    near = g.make("less", g.make("abs", ratio), g.const(0.5))
    apart = g.plain("sub", g.make(log, p), g.make(log, q))
    return g.make("where", near, g.make("log1p", ratio), apart)


_RULES: dict[str, Callable[..., int | None]] = {
    "sigmoid": lambda g, x: _of_exponential("sigmoid", g, x),
    "softplus": lambda g, x: _of_exponential("softplus", g, x),
    "tanh": lambda g, x: _of_decay("tanh", g, x),
    "log_cosh": lambda g, x: _of_decay("log_cosh", g, x),
    "expm1": _expm1,
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "pow": _pow,
    "xlogy": _xlogy,
    "minimum": lambda g, a, b: _extreme("at_most", g, a, b),
    "maximum": lambda g, a, b: _extreme("at_least", g, a, b),
    **{op: partial(_compared, op) for op in _LOSE},
    "where": _where,
    "root": _root,
    "root_minus_one": _root_minus_one,
    "bend": _bend,
    "lorentz": _lorentz,
    "one_minus_square": _one_minus_square,
    "one_minus_cube": _one_minus_cube,
    "log_difference": lambda g, p, q: _difference("log", g, p, q),
    "log1p_difference": lambda g, p, q: _difference("log1p", g, p, q),
}
