"""The graph of a formula: numbers, inputs and operations, each term of it once.

A node is a tuple: ``("const", 2.0)``, ``("input", "z")``, ``("parameter", "c")``, or an operation and the
places of its operands, which come before it. What is the same is the same node, so that a value, its gradient
and its Hessian share their terms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastloss.formulas import rewrites
from fastloss.formulas.folding import FOLD

Node = tuple[Any, ...]

#: The operations and how many operands each has. Those below the line are what derivatives need beside them.
ARITY = {
    **dict.fromkeys(("add", "sub", "mul", "div", "pow", "minimum", "maximum", "logaddexp", "xlogy"), 2),
    **dict.fromkeys(("neg", "abs", "sign", "sqrt", "exp", "expm1", "log", "log1p", "sinh", "cosh"), 1),
    **dict.fromkeys(("tanh", "sigmoid", "softplus", "log_cosh", "erf", "normal_cdf", "normal_log_cdf"), 1),
    **dict.fromkeys(("lgamma", "digamma"), 1),
    **dict.fromkeys(("less", "less_equal", "equal", "not_equal"), 2),
    "where": 3,
    # -----
    # √(1 + x²), that − 1, its derivative x/√(1 + x²); x/(1 + x²); 1 − x² and 1 − x³; e^(−x²); differences of
    # logarithms
    **dict.fromkeys(("root", "root_minus_one", "bend", "lorentz", "one_minus_square", "one_minus_cube"), 1),
    "gauss": 1,
    **dict.fromkeys(("log_difference", "log1p_difference"), 2),
    **dict.fromkeys(("trigamma", "tetragamma", "normal_pdf", "normal_hazard", "normal_excess"), 1),
    "nearest_zero": 2,
}
LEAVES = ("const", "input", "parameter")
#: Nodes that a formula may have, and that may become of it by derivatives.
MOST_NODES, MOST_DERIVED_NODES = 2000, 60_000


class TooLargeError(ValueError):
    """A formula with more terms than there may be."""


class Graph:
    """Nodes, each of which has its operands before it."""

    def __init__(self, most: int = MOST_DERIVED_NODES) -> None:
        self.nodes: list[Node] = []
        self._index: dict[Node, int] = {}
        self._most = most

    def _intern(self, node: Node) -> int:
        found = self._index.get(node)
        if found is None:
            if len(self.nodes) >= self._most:
                raise TooLargeError(f"the formula has more than {self._most} terms")
            found = self._index[node] = len(self.nodes)
            self.nodes.append(node)
        return found

    def const(self, value: float) -> int:
        """Return the node of a number, which must be finite."""
        if not math.isfinite(value):
            raise OverflowError(f"a constant is {value}")
        return self._intern(("const", float(value) + 0.0))

    def leaf(self, kind: str, name: str) -> int:
        """Return the node of an input or a parameter."""
        return self._intern((kind, name))

    def make(self, op: str, *args: int) -> int:
        """Return the node of an operation, or what it is rewritten to."""
        values = [self.value(a) for a in args]
        if op in FOLD and None not in values:
            return self.const(FOLD[op](*values))
        found = rewrites.rewrite(self, op, args)
        return self._intern((op, *args)) if found is None else found

    def plain(self, op: str, *args: int) -> int:
        """Return the node of an operation as it is."""
        return self._intern((op, *args))

    def has(self, node: Node) -> bool:
        """Tell whether there is such a node."""
        return node in self._index

    def value(self, i: int) -> float | None:
        """Return the number that a node is, or None."""
        node = self.nodes[i]
        return node[1] if node[0] == "const" else None

    def operands(self, i: int) -> tuple[int, ...]:
        """Return the places of a node's operands."""
        node = self.nodes[i]
        return () if node[0] in LEAVES else node[1:]

    def needed(self, roots: Iterable[int]) -> list[int]:
        """Return the nodes that these need, operands first."""
        marked = [False] * len(self.nodes)
        stack = list(roots)
        while stack:
            i = stack.pop()
            if not marked[i]:
                marked[i] = True
                stack.extend(self.operands(i))
        return [i for i, used in enumerate(marked) if used]

    def leaves(self, root: int, kind: str) -> list[str]:
        """Return the names of the inputs or parameters that a node depends on."""
        return [self.nodes[i][1] for i in self.needed([root]) if self.nodes[i][0] == kind]

    def copy_into(
        self,
        other: Graph,
        roots: Iterable[int],
        numbers: Mapping[str, float],
        renamed: Mapping[str, str] | None = None,
    ) -> list[int]:
        """Build these nodes in another graph, parameters replaced by numbers or by others."""
        roots, renamed = list(roots), renamed or {}
        new: dict[int, int] = {}
        for i in self.needed(roots):
            op, *rest = self.nodes[i]
            if op == "const":
                new[i] = other.const(rest[0])
            elif op == "parameter" and rest[0] in numbers:
                new[i] = other.const(numbers[rest[0]])
            elif op in LEAVES:
                new[i] = other.leaf(op, renamed.get(rest[0], rest[0]))
            else:
                new[i] = other.make(op, *(new[a] for a in rest))
        return [new[i] for i in roots]

    def evaluate(
        self, roots: Iterable[int], leaves: Mapping[str, Any], functions: Mapping[str, Any]
    ) -> list[Any]:
        """Compute nodes by somebody's numbers and functions of them: NumPy's, mpmath's."""
        roots = list(roots)
        number: Callable[[float], Any] = functions["const"]
        found: dict[int, Any] = {}
        for i in self.needed(roots):
            op, *rest = self.nodes[i]
            if op == "const":
                found[i] = number(rest[0])
            elif op in LEAVES:
                found[i] = leaves[rest[0]]
            else:
                found[i] = functions[op](*(found[a] for a in rest))
        return [found[i] for i in roots]


class RawGraph(Graph):
    """A graph of what is written, in which nothing is rewritten."""

    def make(self, op: str, *args: int) -> int:
        """Return the node of an operation as it is."""
        return self.plain(op, *args)
