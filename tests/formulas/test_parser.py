"""Formulas as text: what is refused, where the mistake is said to be, and that no string does harm."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

import fastloss as fl
from fastloss.formulas.graph import Graph, RawGraph
from fastloss.formulas.parse import FUNCTIONS, parse

REFUSED = {
    "sofplus(z)": (1, "unknown function 'sofplus': did you mean softplus?"),
    "z + w": (5, "unknown name 'w'"),
    "z.real": (1, "an attribute has no place"),
    "z + z.__class__": (5, "an attribute has no place"),
    "__import__('os')": (1, "unknown function '__import__'"),
    "z[0]": (1, "an index has no place"),
    "(lambda: z)()": (1, "a function cannot be called"),
    "exp(z)(z)": (1, "a Call cannot be called"),
    "z if z else y": (1, "take where(condition, a, b)"),
    "where(z, 1, 2)": (7, "begins with a comparison"),
    "where(0 < z < 1, z, y)": (7, "expected one comparison"),
    "z + (z < y)": (6, "a comparison has its place in where"),
    "(z < 1) and z": (1, "and, or has no place"),
    "exp(z, y)": (1, "exp takes 1 arguments, got 2"),
    "exp(x=z)": (1, "one after the other"),
    "exp(*z)": (1, "one after the other"),
    "exp": (1, "it takes arguments in brackets"),
    "z + 1j": (5, "expected a number, got complex"),
    "z + 'a'": (5, "expected a number, got str"),
    "z + True": (5, "expected a number, got bool"),
    "z + 9**9**9**9": (8, "beyond the range of numbers"),
    "z*1e999": (3, "beyond the range of numbers"),
    "z + 1/0": (5, "divided by 0"),
    "z + log(-1)": (5, "not defined at this constant"),
    "z @ y": (1, "has no place"),
    "z // y": (1, "has no place"),
    "~z": (1, "has no place"),
    "z +": (4, "not a formula"),
    "": (1, "not a formula"),
    "(z": (1, "not a formula"),
    "z; y": (2, "not a formula"),
    "z := y": (3, "not a formula"),
    "é + z": (1, "unknown name 'é'"),
    "exp(é)": (5, "unknown name 'é'"),
    "  z + w": (7, "unknown name 'w'"),
    "z\n + w": (6, "unknown name 'w'"),
    "(" * 201 + "z" + ")" * 201: (201, "deeper than 200"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_the_mistake_and_its_column(text: str) -> None:
    column, message = REFUSED[text]
    with pytest.raises(fl.FormulaError) as caught:
        fl.formula(text)
    assert message in str(caught.value)
    if message == "not a formula":  # Pythons differ in where they miss something
        assert 1 <= caught.value.column <= len(text) + 1
    else:
        assert caught.value.column == column
    assert caught.value.text == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y + 1", "does not depend on z"),
        ("3", "does not depend on z"),
        ("0*z + y", "does not depend on z"),
        ("-" * 5000 + "z", "deeper than 200"),
        ("+".join(["z"] * 300), "deeper than 200"),
        ("z*" * 6000 + "z", "characters"),
        ("9" * 5000 + "*z", "not a formula|beyond the range"),
        ("z\0", "not a formula"),
    ],
)
def test_refused_without_a_place(text: str, message: str) -> None:
    with pytest.raises(fl.FormulaError, match=message):
        fl.formula(text)


def test_names() -> None:
    for name in ("y", "exp", "class", "a b", "name"):
        with pytest.raises((ValueError, TypeError)):
            fl.formula("z", **{name: 1.0} if name != "name" else {"name": 1.0})
    with pytest.raises(ValueError, match="defined twice"):
        fl.formula("z*m", where={"m": "z"}, m=1.0)
    with pytest.raises(ValueError, match="has a meaning already"):
        fl.formula("z", where={"exp": "z"})
    with pytest.raises(ValueError, match="targets must be one of"):
        fl.formula("z", targets="[0, 2]")
    with pytest.raises(TypeError, match="a must be a number"):
        fl.formula("a*z", a="1")


def test_definitions_do_not_multiply() -> None:
    """Twenty names that each occur twice in the next are twenty nodes, not 2^20."""
    where = {"m0": "z"}
    for i in range(1, 20):
        where[f"m{i}"] = f"tanh(m{i - 1} + m{i - 1}*y)"
    start = time.perf_counter()
    loss = fl.formula("m19", where=where)
    assert np.isfinite(loss([0.5], [0.1]))
    assert time.perf_counter() - start < 20
    assert len(loss.hessian_expression) < 200_000


PIECES = [
    *("y", "z", "a", "1", "2.5", "1e300", "0", "-", "+", "*", "/", "**", "(", ")", ",", " ", "<", ">=", "=="),
    *FUNCTIONS,
    *(
        "[",
        "]",
        ".",
        "'",
        '"',
        "\\",
        "\n",
        "\0",
        "é",
        "∞",
        "lambda",
        "if",
        "else",
        ":=",
        "for",
        "in",
        "_",
        "#",
    ),
    *(
        "9**9**9",
        "where(z<y,",
        "__class__",
        "{",
        "}",
        ":",
        ";",
        "@",
        "~",
        "%",
        "//",
        "1j",
        "0x10",
        "1_0",
        "...",
    ),
]


def grown(rng: random.Random, depth: int) -> str:
    """A formula of the grammar."""
    if depth == 0:
        return rng.choice(["y", "z", "a", "1", "2", "0.5", "1e200", "0"])
    kind = rng.random()
    if kind < 0.45:
        op = rng.choice(["+", "-", "*", "/", "**"])
        return f"({grown(rng, depth - 1)} {op} {grown(rng, depth - 1)})"
    if kind < 0.5:
        return f"-{grown(rng, depth - 1)}"
    name = rng.choice(FUNCTIONS)
    if name == "where":
        test = rng.choice(["<", "<=", ">", ">=", "==", "!="])
        parts = [grown(rng, depth - 1) for _ in range(4)]
        return f"where({parts[0]} {test} {parts[1]}, {parts[2]}, {parts[3]})"
    count = {"clip": 3, "minimum": 2, "maximum": 2, "logaddexp": 2, "xlogy": 2}.get(name, 1)
    return f"{name}({', '.join(grown(rng, depth - 1) for _ in range(count))})"


def damaged(rng: random.Random, text: str) -> str:
    for _ in range(rng.randrange(3)):
        i = rng.randrange(len(text) + 1)
        text = text[:i] + rng.choice(PIECES) + text[i + rng.randrange(3) :]
    return text


def test_any_string_is_a_loss_or_refused() -> None:
    rng = random.Random(7)
    made = 0
    for round_ in range(600):
        if round_ % 3:
            text = damaged(rng, grown(rng, rng.randrange(1, 5)))
        else:
            text = "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 30)))
        try:
            loss = fl.formula(text, a=1.5)
        except fl.FormulaError:
            continue
        made += 1
        v, g, h = loss.value_gradient_and_hessian([0.5, 1.0], [0.25, -3.0], reduction="none")
        assert v.shape == g.shape == h.shape == (2,)
        assert len(repr(loss)) < 100_000
    assert made > 30


def test_rewriting_ends_and_keeps_the_value() -> None:
    """What a formula is rewritten to has the value that it had, where that is well-conditioned."""
    rng = random.Random(3)
    compared = 0
    functions = np_functions()
    for _ in range(600):
        text = grown(rng, rng.randrange(1, 4)).replace("1e200", "3")
        raw, g = RawGraph(), Graph()
        try:
            roots = []
            for graph in (raw, g):
                names = {x: graph.leaf("input", x) for x in "yz"} | {"a": graph.const(1.5)}
                roots.append(parse(graph, text, names))
        except fl.FormulaError:
            continue
        leaves = {"y": 0.75, "z": 1.25}
        with np.errstate(all="ignore"):
            before = raw.evaluate([roots[0]], leaves, functions)[0]
            after = g.evaluate([roots[1]], leaves, functions)[0]
        if np.isfinite(before) and 1e-9 < abs(before) < 1e9:
            compared += 1
            assert after == pytest.approx(before, rel=1e-6, abs=1e-7), text
    assert compared > 150


def np_functions() -> dict:
    scipy = pytest.importorskip("scipy.special")
    f = np.float64
    return {
        "const": f,
        **{
            n: getattr(np, n) for n in ("abs", "sign", "sqrt", "exp", "expm1", "log", "log1p", "sinh", "cosh")
        },
        **{n: getattr(np, n) for n in ("tanh", "minimum", "maximum", "logaddexp", "less", "less_equal")},
        **{n: getattr(np, n) for n in ("equal", "not_equal", "where")},
        **{"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative},
        **{"pow": np.power, "sigmoid": scipy.expit, "softplus": lambda x: np.logaddexp(0, x)},
        **{"erf": scipy.erf, "normal_cdf": scipy.ndtr, "normal_log_cdf": scipy.log_ndtr},
        "lgamma": lambda x: scipy.gammaln(x) if x > 0 else f("nan"),
        "digamma": lambda x: scipy.digamma(x) if x > 0 else f("nan"),
        "xlogy": scipy.xlogy,
        "log_cosh": lambda x: np.logaddexp(x, -x) - np.log(2),
        "gauss": lambda x: np.exp(-x * x),
        "root": lambda x: np.sqrt(1 + x * x),
        "root_minus_one": lambda x: np.sqrt(1 + x * x) - 1,
        "one_minus_square": lambda x: 1 - x * x,
        "one_minus_cube": lambda x: 1 - x**3,
        "lorentz": lambda x: x / (1 + x * x),
        "log_difference": lambda a, b: np.log(a) - np.log(b),
        "log1p_difference": lambda a, b: np.log1p(a) - np.log1p(b),
    }
