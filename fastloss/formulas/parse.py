"""Reading a formula: Python's grammar of expressions, of which a few kinds of nodes are let through.

Nothing is ever evaluated as Python, and there is a limit on everything that costs time or memory: the length,
the depth, the number of terms.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping

from fastloss.formulas.errors import FormulaError
from fastloss.formulas.graph import ARITY, Graph, TooLargeError
from fastloss.registry import near_names

#: Functions that a formula may call.
FUNCTIONS = (
    *("abs", "sign", "minimum", "maximum", "clip", "where", "sqrt", "exp", "expm1", "log", "log1p"),
    *("sinh", "cosh", "tanh", "sigmoid", "log_sigmoid", "softplus", "log_cosh", "logaddexp", "xlogy", "erf"),
    *("normal_cdf", "normal_log_cdf", "lgamma", "digamma"),
)
_N_ARGUMENTS = {**{name: ARITY[name] for name in FUNCTIONS if name in ARITY}, "clip": 3, "log_sigmoid": 1}
_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
_COMPARISONS = {ast.Lt: "less", ast.LtE: "less_equal", ast.Eq: "equal", ast.NotEq: "not_equal"}
_TURNED = {ast.Gt: "less", ast.GtE: "less_equal"}
_TRUTHS = ("less", "less_equal", "equal", "not_equal")
MOST_CHARACTERS, MOST_DEPTH = 10_000, 200


def call(g: Graph, name: str, args: list[int]) -> int:
    """Return the node of a function of the grammar."""
    if name == "clip":
        x, low, high = args
        return g.make("minimum", g.make("maximum", x, low), high)
    if name == "log_sigmoid":
        return g.make("neg", g.make("softplus", g.make("neg", args[0])))
    return g.make(name, *args)


def parse(g: Graph, text: str, names: Mapping[str, int]) -> int:
    """Return the node of a formula in which these names stand for nodes.

    Raises
    ------
    FormulaError
        With the column of what is not in the grammar, unknown, too deep or beyond the range of numbers.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"the formula has {len(text)} characters, more than {MOST_CHARACTERS}")
    _check_brackets(text)
    line = "".join(" " if c in "\n\r\t" else c for c in text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1if", "'a' is 2": what is wrong with them is said below
            tree = ast.parse(line.lstrip(), mode="eval")
    except SyntaxError as error:
        start = len(line) - len(line.lstrip())
        column = max(1, min(start + (error.offset or len(line)), len(line) + 1))
        raise FormulaError(f"not a formula: {error.msg}", text, column) from None
    except (RecursionError, MemoryError):
        raise FormulaError(f"the formula is nested deeper than {MOST_DEPTH}") from None
    except ValueError as error:
        raise FormulaError(f"not a formula: {error}") from None
    return _Reader(g, text, line, names).read_number(tree.body, 0)


def _check_brackets(text: str) -> None:
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if depth > MOST_DEPTH:
            raise FormulaError(f"the formula is nested deeper than {MOST_DEPTH}", text, i + 1)


class _Reader:
    """Turns a syntax tree into nodes."""

    def __init__(self, g: Graph, text: str, line: str, names: Mapping[str, int]) -> None:
        self.g, self.text, self.names = g, text, names
        self.stripped = line.lstrip()
        self.offset = len(line) - len(self.stripped)

    def error(self, message: str, node: ast.AST) -> FormulaError:
        before = self.stripped.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore")
        return FormulaError(message, self.text, self.offset + len(before) + 1)

    def read(self, node: ast.expr, depth: int) -> int:
        if depth > MOST_DEPTH:
            raise self.error(f"the formula is nested deeper than {MOST_DEPTH}", node)
        try:
            found = self.read_kind(node, depth + 1)
        except OverflowError:
            raise self.error("a constant is beyond the range of numbers", node) from None
        except ZeroDivisionError:
            raise self.error("a constant is divided by 0", node) from None
        except TooLargeError as error:
            raise self.error(str(error), node) from None
        except FormulaError:
            raise
        except ValueError:
            raise self.error("a function is not defined at this constant", node) from None
        return found

    def read_number(self, node: ast.expr, depth: int) -> int:
        """Read what must not be a comparison."""
        found = self.read(node, depth)
        if self.g.nodes[found][0] in _TRUTHS or isinstance(node, ast.Compare):
            raise self.error("a comparison has its place in where(condition, a, b) alone", node)
        return found

    def read_kind(self, node: ast.expr, depth: int) -> int:
        g = self.g
        if isinstance(node, ast.Constant):
            number = node.value
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                raise self.error(f"expected a number, got {type(number).__name__}", node)
            return g.const(float(number))
        if isinstance(node, ast.Name):
            return self.read_name(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            left = self.read_number(node.left, depth)
            return g.make(_BINARY[type(node.op)], left, self.read_number(node.right, depth))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            inner = self.read_number(node.operand, depth)
            return g.make("neg", inner) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.Compare):
            return self.read_comparison(node, depth)
        if isinstance(node, ast.Call):
            return self.read_call(node, depth)
        raise self.error(f"{_described(node)} has no place in a formula", node)

    def read_name(self, node: ast.Name) -> int:
        if node.id in self.names:
            return self.names[node.id]
        if node.id in FUNCTIONS:
            raise self.error(f"{node.id} is a function: it takes arguments in brackets", node)
        near = near_names(node.id, (*self.names, *FUNCTIONS))
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(self.names)}"
        raise self.error(f"unknown name {node.id!r}: {hint}", node)

    def read_comparison(self, node: ast.Compare, depth: int) -> int:
        kind = type(node.ops[0])
        if len(node.ops) > 1 or kind not in {*_COMPARISONS, *_TURNED}:
            raise self.error("expected one comparison of two numbers: <, <=, >, >=, == or !=", node)
        a = self.read_number(node.left, depth)
        b = self.read_number(node.comparators[0], depth)
        return self.g.make(_TURNED[kind], b, a) if kind in _TURNED else self.g.make(_COMPARISONS[kind], a, b)

    def read_call(self, node: ast.Call, depth: int) -> int:
        if not isinstance(node.func, ast.Name):
            raise self.error(f"{_described(node.func)} cannot be called", node)
        name = node.func.id
        if name not in FUNCTIONS:
            near = near_names(name, FUNCTIONS)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(FUNCTIONS)}"
            raise self.error(f"unknown function {name!r}: {hint}", node)
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise self.error(f"{name} takes arguments one after the other", node)
        if len(node.args) != _N_ARGUMENTS[name]:
            raise self.error(f"{name} takes {_N_ARGUMENTS[name]} arguments, got {len(node.args)}", node)
        if name == "where":
            if not isinstance(node.args[0], ast.Compare):
                raise self.error("where(condition, a, b) begins with a comparison", node.args[0])
            condition = self.read(node.args[0], depth)
            return self.g.make("where", condition, *(self.read_number(a, depth) for a in node.args[1:]))
        return call(self.g, name, [self.read_number(a, depth) for a in node.args])


def _described(node: ast.AST) -> str:
    known = {
        ast.Attribute: "an attribute",
        ast.Subscript: "an index",
        ast.Lambda: "a function",
        ast.IfExp: "an if (take where(condition, a, b))",
        ast.BoolOp: "and, or",
        ast.NamedExpr: "an assignment",
        ast.JoinedStr: "a string",
    }
    kind = node.op if isinstance(node, (ast.BinOp, ast.UnaryOp)) else node
    return known.get(type(node), f"a {type(kind).__name__}")
