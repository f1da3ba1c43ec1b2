"""Derivatives of formulas, as difference quotients in many digits have them, and what the traps become."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

import fastloss as fl
from fastloss.formulas import truth
from fastloss.formulas.derivatives import derivative
from fastloss.formulas.graph import Graph, RawGraph
from fastloss.formulas.parse import parse
from fastloss.formulas.text import write

#: One formula for each rule, and the classic traps.
FORMULAS = [
    *("z + y", "y - z", "z*y", "y/z", "z/(1 + z*z)", "-z", "abs(z - y)", "sqrt(z)", "exp(-z*y)", "expm1(z)"),
    *(
        "log(z)",
        "log1p(z)",
        "sinh(z)",
        "cosh(z - y)",
        "tanh(z)",
        "sigmoid(z)",
        "log_sigmoid(z)",
        "softplus(z)",
    ),
    *("log_cosh(z)", "logaddexp(z, y*z)", "xlogy(y, z)", "xlogy(z, z)", "erf(z)", "normal_cdf(z)"),
    *("normal_log_cdf(-z)", "lgamma(z)", "digamma(z)", "z**y", "y**z", "z**z", "z**2.5", "z**-3", "z**0.3"),
    *("sigmoid(-z)**1.7", "maximum(z, y)", "minimum(z*z, y)", "clip(z, 0.2, 0.4)", "where(z < y, z*z, y*z)"),
    *("sqrt(1 + z*z) - 1", "sqrt(4 + (z - y)**2) - 2", "1 - tanh(z)**2", "log(1 + z) - log(1 + y)"),
    *("log(z) - log(y)", "1 - (1 - z)**3", "1 - (1 - z*z)**2", "y*log(y/z)", "z*log(z/y)", "z**2 - y**2"),
    *("log(exp(z) + exp(y))", "exp(z)/(1 + exp(z))", "log((exp(z - y) + exp(y - z))/2)", "sign(z)*z**3"),
    *(
        "exp(y*z) - y*z - 1",
        "y*z + exp(z) - 1",
        "y - y*exp(z)",
        "2 - 2*exp(z)",
        "y*exp(-z) - y",
        "2*exp(z) - 2",
    ),
    *("softplus(z) - y*z", "-(y*log(sigmoid(z)) + (1 - y)*log(1 - sigmoid(z)))", "sqrt(z**2 + 1e-6)"),
]


def derivatives(text: str) -> tuple[Graph, list[int]]:
    g = Graph()
    value = parse(g, text, {name: g.leaf("input", name) for name in "yz"})
    gradient = derivative(g, value)
    return g, [value, gradient, derivative(g, gradient)]


@pytest.mark.parametrize("text", FORMULAS)
def test_difference_quotients(text: str) -> None:
    g, roots = derivatives(text)
    raw = RawGraph()
    root = parse(raw, text, {name: raw.leaf("input", name) for name in "yz"})
    true = truth.Truth(raw, root, {})
    for y, z in ((0.75, 0.31), (0.3, 1.7), (1.25, 2.2)):
        with mpmath.workdps(60):
            found = g.evaluate(roots, {"y": mpf(y), "z": mpf(z)}, truth.functions(mp))
            expected = true.derivatives(y, z)
            for a, b in zip(found, expected, strict=False):
                assert abs(a - b) <= mpf(10) ** -15 * (1 + abs(b)), (y, z, a, b)


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("log(1 + exp(z))", "softplus(z)"),
        ("log1p(exp(-z))", "softplus(-z)"),
        ("log(sigmoid(z))", "-softplus(-z)"),
        ("log(1 - sigmoid(z))", "-softplus(z)"),
        ("1 - sigmoid(z)", "sigmoid(-z)"),
        ("1/(1 + exp(-z))", "sigmoid(z)"),
        ("exp(z)/(exp(z) + exp(y))", "sigmoid(z - y)"),
        ("exp(z) - 1", "expm1(z)"),
        ("1 - exp(-z*z)", "-expm1(-(z*z))"),
        ("log(1 + z)", "log1p(z)"),
        ("sqrt(1 + z*z) - 1", "root_minus_one(z)"),
        ("3*sqrt(1 + (z/3)**2) - 3", "3*root_minus_one(z/3)"),
        ("sqrt(z**2 + 9) - 3", "3*root_minus_one(z/3)"),
        ("log(cosh(z))", "log_cosh(z)"),
        ("log((exp(z) + exp(-z))/2)", "log_cosh(z)"),
        ("z*log(z)", "xlogy(z, z)"),
        ("y*log(y/z)", "xlogy(y, y/z)"),
        ("log(exp(z) + exp(y))", "logaddexp(z, y)"),
        ("z**2 - y**2", "(z - y)*(y + z)"),
        ("softplus(z) - z", "softplus(-z)"),
        ("softplus(z) - y*z", "softplus(z)*(1 - y) + y*softplus(-z)"),
        ("log(z) - log(y)", "log_difference(z, y)"),
    ],
)
def test_traps_are_rewritten(text: str, rewritten: str) -> None:
    g, roots = derivatives(text)
    assert write(g, roots[0])[1] == rewritten


def test_kinks_have_the_subgradient_nearest_to_zero() -> None:
    for text, y, z, gradient in [
        ("abs(z - y)", 1.0, 1.0, 0.0),
        ("maximum(0, 1 - z)", 0.0, 1.0, 0.0),
        ("maximum(1 - z, 0)", 0.0, 1.0, 0.0),
        ("maximum(0.9*(y - z), -0.1*(y - z))", 2.0, 2.0, 0.0),
        ("maximum(z, 3*z)", 0.0, 0.0, 1.0),
        ("maximum(-z, -3*z)", 0.0, 0.0, -1.0),
        ("minimum(z*z, 1)", 0.0, 1.0, 0.0),
        ("clip(z, -1, 1)", 0.0, -1.0, 0.0),
    ]:
        assert fl.formula(text).gradient([y], [z], reduction="sum")[0] == gradient, text


def test_shared_terms_are_one_node() -> None:
    g, roots = derivatives("softplus(z) - y*z")
    operations = [g.nodes[i][0] for i in g.needed(roots)]
    assert operations.count("sigmoid") == 2
    assert operations.count("softplus") == 2
    np.testing.assert_equal(len(g.needed(roots)), len(set(g.needed(roots))))


@pytest.mark.parametrize(
    "text", ["(exp(a*(y - z)) - a*(y - z) - 1)/a**2", "(expm1(a*(y - z)) - a*(y - z))/a**2"]
)
@pytest.mark.parametrize("a", [0.5, 1.0, 2.0])
def test_the_slope_of_linex_near_its_minimum(text: str, a: float) -> None:
    """(1 − e^{a(y − z)})/a has no digit left there as it stands."""
    y, z = np.array([3.0, 3.0]), np.array([3.0 + 2**-30, 3.0 - 2**-40])
    gradient = fl.formula(text, a=a).gradient(y, z, reduction="sum")
    np.testing.assert_allclose(gradient, -np.expm1(a * (y - z)) / a, rtol=1e-15)
