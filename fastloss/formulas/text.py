"""Writing a graph as a formula."""

from __future__ import annotations

from collections.abc import Iterable

from fastloss.formulas.graph import LEAVES, Graph

_SYMBOLS = {"add": ("+", 1), "sub": ("-", 1), "mul": ("*", 2), "div": ("/", 2), "pow": ("**", 4)}
_COMPARISONS = {"less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!="}
_UNARY, _ATOM = 3, 5
#: A formula of more terms is written with names for what occurs in it more than once.
_MOST_TERMS = 60
#: So deep are the brackets before a term gets a name.
_MOST_DEPTH = 50


def _number(value: float) -> str:
    whole = value.is_integer() and abs(value) < 1e15
    return str(int(value)) if whole else repr(value)


def _bracketed(text: str, binding: int, needed: int) -> str:
    return text if binding >= needed else f"({text})"


def write(g: Graph, root: int, taken: Iterable[str] = ()) -> tuple[dict[str, str], str]:
    """Return definitions of names for shared terms, none where the formula is short, and the formula.

    No name is one of those taken.
    """
    needed = g.needed([root])
    sizes: dict[int, int] = {}
    uses = dict.fromkeys(needed, 0)
    for i in needed:
        sizes[i] = 1 + sum(sizes[a] for a in g.operands(i))
        for a in g.operands(i):
            uses[a] += 1
    long = sizes[root] > _MOST_TERMS
    definitions: dict[str, str] = {}
    texts: dict[int, tuple[str, int]] = {}
    depths: dict[int, int] = {}
    reserved = set(taken)
    for i in needed:
        texts[i] = _written(g, i, texts)
        depths[i] = 1 + max((depths[a] for a in g.operands(i)), default=0)
        is_term = g.nodes[i][0] not in (*LEAVES, *_COMPARISONS)
        if long and is_term and i != root and (uses[i] > 1 or depths[i] > _MOST_DEPTH):
            count = len(definitions)
            name = f"t{count}"
            while name in reserved:
                name = f"t_{name[1:]}"
            definitions[name] = texts[i][0]
            texts[i], depths[i] = (name, _ATOM), 0
    return definitions, texts[root][0]


def _written(g: Graph, i: int, texts: dict[int, tuple[str, int]]) -> tuple[str, int]:
    op, *rest = g.nodes[i]
    if op == "const":
        return _number(rest[0]), _ATOM if rest[0] >= 0 else _UNARY
    if op in LEAVES:
        return str(rest[0]), _ATOM
    parts = [texts[a] for a in rest]
    if op == "neg":
        return "-" + _bracketed(*parts[0], _UNARY), _UNARY
    if op in _SYMBOLS:
        symbol, binding = _SYMBOLS[op]
        # Python's operators are taken from left to right, but for **.
        left = _bracketed(*parts[0], binding + (op == "pow"))
        right = _bracketed(*parts[1], binding + (op != "pow"))
        gap = "" if binding > 1 else " "
        return f"{left}{gap}{symbol}{gap}{right}", binding
    if op in _COMPARISONS:
        return f"{parts[0][0]} {_COMPARISONS[op]} {parts[1][0]}", 0
    return f"{op}({', '.join(text for text, _ in parts)})", _ATOM
