"""Tracing a Python function: it is called with objects that write down what is done with them."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from fastloss.formulas.errors import FormulaError
from fastloss.formulas.graph import Graph
from fastloss.formulas.parse import FUNCTIONS, call

#: NumPy's functions and those of other names that are of the grammar.
_UFUNCS = {
    **{name: name for name in FUNCTIONS},
    **{"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div"},
    **{"power": "pow", "negative": "neg", "absolute": "abs", "fabs": "abs", "square": "square"},
    **{"less": "less", "less_equal": "less_equal", "equal": "equal", "not_equal": "not_equal"},
    **{"greater": "greater", "greater_equal": "greater_equal", "positive": "positive"},
}


class Traced:
    """A term of a formula that is being traced."""

    __slots__ = ("graph", "node")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, graph: Graph, node: int) -> None:
        self.graph, self.node = graph, node

    def __add__(self, other: Any) -> Traced:
        return apply("add", self, other)

    def __radd__(self, other: Any) -> Traced:
        return apply("add", other, self)

    def __sub__(self, other: Any) -> Traced:
        return apply("sub", self, other)

    def __rsub__(self, other: Any) -> Traced:
        return apply("sub", other, self)

    def __mul__(self, other: Any) -> Traced:
        return apply("mul", self, other)

    def __rmul__(self, other: Any) -> Traced:
        return apply("mul", other, self)

    def __truediv__(self, other: Any) -> Traced:
        return apply("div", self, other)

    def __rtruediv__(self, other: Any) -> Traced:
        return apply("div", other, self)

    def __pow__(self, other: Any) -> Traced:
        return apply("pow", self, other)

    def __rpow__(self, other: Any) -> Traced:
        return apply("pow", other, self)

    def __neg__(self) -> Traced:
        return apply("neg", self)

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Traced:
        return apply("abs", self)

    def __lt__(self, other: Any) -> Traced:
        return apply("less", self, other)

    def __le__(self, other: Any) -> Traced:
        return apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Traced:
        return apply("less", other, self)

    def __ge__(self, other: Any) -> Traced:
        return apply("less_equal", other, self)

    def __eq__(self, other: object) -> Any:
        return apply("equal", self, other)

    def __ne__(self, other: object) -> Any:
        return apply("not_equal", self, other)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "what a formula compares is not known while it is traced: take where(condition, a, b)"
        )

    def __float__(self) -> NoReturn:
        raise TypeError("a term of a formula is no number: take functions from fastloss.functions")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Traced:
        name = _UFUNCS.get(ufunc.__name__)
        if name is None or method != "__call__" or options:
            raise TypeError(f"numpy.{ufunc.__name__} has no place in a formula: see fastloss.functions")
        if name in ("greater", "greater_equal"):
            name, inputs = name.replace("greater", "less"), inputs[::-1]
        if name == "square":
            return apply("mul", inputs[0], inputs[0])
        return self if name == "positive" else apply(name, *inputs)


def apply(name: str, *args: Any) -> Traced:
    """Write down a function or an operation, of terms and numbers."""
    graph = next(a.graph for a in args if isinstance(a, Traced))
    nodes = []
    for a in args:
        if isinstance(a, Traced):
            if a.graph is not graph:
                raise TypeError("terms of two formulas cannot be mixed")
            nodes.append(a.node)
        elif isinstance(a, numbers.Real) and not isinstance(a, bool):
            nodes.append(graph.const(float(a)))
        else:
            raise TypeError(f"a formula is made of terms and numbers, got {type(a).__name__}")
    return Traced(graph, call(graph, name, nodes))


def trace(function: Callable[..., Any], g: Graph, given: Mapping[str, float]) -> tuple[int, dict[str, float]]:
    """Call a function of y, z and parameters; return its node, and the parameters with their values."""
    signature = list(inspect.signature(function).parameters.values())
    if len(signature) < 2 or any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in signature):
        raise TypeError("a formula is a function of the target y, the prediction z and parameters by name")
    values: dict[str, float] = {}
    for p in signature[2:]:
        if p.name not in given and p.default is p.empty:
            raise TypeError(f"the parameter {p.name} of the formula has no value")
        values[p.name] = given.get(p.name, p.default)
    unknown = [name for name in given if name not in values]
    if unknown:
        raise TypeError(f"the formula has no parameter {unknown[0]!r}")
    leaves = {name: Traced(g, g.leaf("parameter", name)) for name in values}
    y, z = Traced(g, g.leaf("input", "y")), Traced(g, g.leaf("input", "z"))
    try:
        found = function(y, z, **leaves)
    except (ArithmeticError, ValueError) as error:
        raise FormulaError(f"the formula cannot be traced: {error}") from error
    if not isinstance(found, Traced):
        raise FormulaError(f"a formula must give a term that depends on z, got {type(found).__name__}")
    return found.node, values
