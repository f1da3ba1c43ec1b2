"""Sums and multiples of losses of single predictions: formulas, computed in one pass."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from fastloss._loss import Domain, PointwiseLoss, number, positive
from fastloss.formulas.graph import Graph, RawGraph
from fastloss.formulas.loss import _RESERVED, DOMAINS, Formula
from fastloss.formulas.parse import FUNCTIONS
from fastloss.formulas.text import write

#: +1 or -1 times the prediction, for labels that are 1 and 0 or -1.
_MARGIN = "where(y > 0, z, -z)"
_SMOOTH_L1 = "where(abs(z - y) < beta, (z - y)**2/(2*beta), abs(z - y) - beta/2)"
_ROBUST = "abs(alpha - 2)/alpha*expm1(alpha/2*log1p(((z - y)/c)**2/abs(alpha - 2)))"
_ROBUST_LIMITS = {
    math.inf: "expm1(((z - y)/c)**2/2)",
    2.0: "((z - y)/c)**2/2",
    0.0: "log1p(((z - y)/c)**2/2)",
    -math.inf: "-expm1(-((z - y)/c)**2/2)",
}
_TWEEDIE = "exp((2 - power)*z)/(2 - power) - y*exp((1 - power)*z)/(1 - power)"

_SHORTFALL = f"maximum(0, 1 - {_MARGIN})"


def _cross_entropy(loss: Any) -> str | None:
    if not loss.from_logits or isinstance(loss.pos_weight, tuple) or loss.class_weight is not None:
        return None
    if loss.pos_weight == 1 and not loss.label_smoothing:
        return "softplus(z) - y*z"
    t = "(y*(1 - label_smoothing) + label_smoothing/2)" if loss.label_smoothing else "y"
    return f"pos_weight*{t}*softplus(-z) + (1 - {t})*softplus(z)"


def _brier(loss: Any) -> str:
    return "((1 - y)*sigmoid(z) - y*sigmoid(-z))**2" if loss.from_logits else "(z - y)**2"


def _focal(loss: Any) -> str | None:
    if not loss.from_logits or isinstance(loss.alpha, tuple) or loss.class_weight is not None:
        return None
    alpha = "" if loss.alpha is None else "where(y > 0, alpha, 1 - alpha)*"
    return f"{alpha}softplus(-{_MARGIN})*sigmoid(-{_MARGIN})**gamma"


def _asymmetric(loss: Any) -> str:
    wrong = "softplus(z)*sigmoid(z)**gamma_neg"
    if loss.clip:
        rest = f"(sigmoid(z) - {loss.clip!r})"
        wrong = f"where(sigmoid(z) > {loss.clip!r}, -log1p(-{rest})*{rest}**gamma_neg, 0)"
    return f"where(y > 0, softplus(-z)*sigmoid(-z)**gamma_pos, {wrong})"


#: The losses whose formulas follow from their names and their parameters.
_TEXTS: dict[str, str | Callable[[Any], str | None]] = {
    "squared_error": "(z - y)**2",
    "half_squared_error": "(z - y)**2/2",
    "absolute_error": "abs(z - y)",
    "huber": "where(abs(z - y) <= delta, (z - y)**2/2, delta*(abs(z - y) - delta/2))",
    "smooth_l1": lambda loss: _SMOOTH_L1 if loss.beta else "abs(z - y)",
    "log_cosh": "log_cosh(z - y)",
    "pseudo_huber": "delta**2*(sqrt(1 + ((z - y)/delta)**2) - 1)",
    "quantile": "maximum(q*(y - z), (1 - q)*(z - y))",
    "expectile": "where(z > y, 1 - q, q)*(z - y)**2",
    "epsilon_insensitive": "maximum(0, abs(z - y) - epsilon)",
    "squared_epsilon_insensitive": "maximum(0, abs(z - y) - epsilon)**2",
    "absolute_percentage_error": "abs(z - y)/maximum(abs(y), 2**-52)",
    "symmetric_absolute_percentage_error": "where(z == y, 0, 2*abs(z - y)/(abs(y) + abs(z)))",
    "linex": "exp(a*(z - y)) - a*(z - y) - 1",
    "fair": "c**2*(abs(z - y)/c - log1p(abs(z - y)/c))",
    "general_robust": lambda loss: _ROBUST_LIMITS.get(loss.alpha, _ROBUST),
    "cauchy": "c**2/2*log1p(((z - y)/c)**2)",
    "welsch": "c**2/2*(1 - exp(-((z - y)/c)**2))",
    "tukey": "where(abs(z - y) <= c, c**2/6*(1 - (1 - ((z - y)/c)**2)**3), c**2/6)",
    "poisson": "exp(z) - y*z",
    "gamma": "z + y*exp(-z)",
    "tweedie": lambda loss: {1: "exp(z) - y*z", 2: "z + y*exp(-z)"}.get(loss.power, _TWEEDIE),
    "squared_log_error": "(log1p(z) - log1p(y))**2",
    "perceptron": f"maximum(0, -{_MARGIN})",
    "hinge": f"maximum(0, 1 - {_MARGIN})",
    "squared_hinge": f"maximum(0, 1 - {_MARGIN})**2",
    "modified_huber": f"where({_MARGIN} < -1, -4*{_MARGIN}, {_SHORTFALL}**2)",
    "smoothed_hinge": f"where({_SHORTFALL} < gamma, {_SHORTFALL}**2/(2*gamma), {_SHORTFALL} - gamma/2)",
    "exponential": f"exp(-{_MARGIN})",
    "wasserstein_critic": f"-{_MARGIN}",
    "binary_cross_entropy": _cross_entropy,
    "brier_score": _brier,
    "binary_focal": _focal,
    "asymmetric_loss": _asymmetric,
}


def _text(loss: PointwiseLoss) -> str | None:
    """Return a loss's formula, None where there is none."""
    text = _TEXTS.get(loss.name)
    return text if text is None or isinstance(text, str) else text(loss)


def as_formula(loss: PointwiseLoss) -> Formula:
    """Return a loss as a formula.

    Raises
    ------
    TypeError
        If the loss is none of those that have one.
    """
    if isinstance(loss, Formula):
        return loss
    text = _text(loss)
    if text is None:
        raise TypeError(f"{loss!r} has no formula: write it, as fastloss.formula(...), to add it to others")
    used = {name: value for name, value in loss.parameters.items() if _occurs(text, name)}
    domains = [_written(domain) for domain in (loss.target_domain, loss.prediction_domain)]
    return Formula(text, targets=domains[0], predictions=domains[1], name=loss.name, **used)


def _occurs(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None and name not in FUNCTIONS


def _written(domain: Domain) -> str | None:
    text = next(text for text, known in DOMAINS.items() if known == domain)
    return None if text == "(-inf, inf)" else text


def add(first: PointwiseLoss, second: PointwiseLoss) -> Formula:
    """Return the sum of two losses; parameters of one name and different values become two."""
    a, b = as_formula(first), as_formula(second)
    parameters = dict(a.parameters)
    renamed: dict[str, str] = {}
    for name, value in b.parameters.items():
        new, count = name, 2
        while new in parameters and parameters[new] != value:
            new, count = f"{name}_{count}", count + 1
        parameters[new] = value
        renamed[name] = new
    g = RawGraph()
    left = _copied(a, g, {})
    total = g.make("add", left, _copied(b, g, renamed))
    domains = {
        what: _narrower(getattr(a, f"_{what}"), getattr(b, f"_{what}"), what)
        for what in ("targets", "predictions")
    }
    return _formula(g, total, parameters, domains)


def times(loss: PointwiseLoss, factor: Any) -> Formula:
    """Return a multiple of a loss."""
    a = as_formula(loss)
    g = RawGraph()
    node = g.make("mul", g.const(number("the factor of a loss", factor)), _copied(a, g, {}))
    return _formula(g, node, a.parameters, {"targets": a._targets, "predictions": a._predictions})


def clipped(loss: PointwiseLoss, most: Any) -> Formula:
    """Return a loss that is at most so large, flat beyond."""
    a = as_formula(loss)
    g = RawGraph()
    node = g.make("minimum", _copied(a, g, {}), g.const(positive("max", most)))
    return _formula(g, node, a.parameters, {"targets": a._targets, "predictions": a._predictions})


def _copied(loss: Formula, g: Graph, renamed: dict[str, str]) -> int:
    raw, roots = loss._raw()
    if any(root is not None for root in roots[1:]):
        raise TypeError(f"{loss!r} has derivatives of its own: they cannot be composed")
    assert roots[0] is not None
    (node,) = raw.copy_into(g, [roots[0]], {}, renamed)
    return node


def _narrower(a: str | None, b: str | None, what: str) -> str | None:
    """Return the values that both of two losses take."""
    if a is None or b is None or a == b:
        return b if a is None else a
    if {a, b} <= {"[0, 1]", "{0, 1}", "{-1, 0, 1}"}:
        return "{0, 1}"
    bounded = [text for text in (a, b) if DOMAINS[text].high == 1]
    if (
        len(bounded) == 1
        and {a, b} - {bounded[0]} <= {"[0, inf)", "(-1, inf)"}
        and bounded[0] != "{-1, 0, 1}"
    ):
        return bounded[0]
    if not bounded:
        order = ["(-1, inf)", "[0, inf)", "(0, inf)"]
        return max(a, b, key=order.index)
    raise ValueError(f"the {what} of the two losses have nothing in common: {a} and {b}")


def _formula(g: Graph, node: int, parameters: dict[str, float], domains: dict[str, str | None]) -> Formula:
    where, text = write(g, node, (*_RESERVED, *FUNCTIONS, *parameters))
    options: dict[str, Any] = {**domains, **parameters}
    return Formula(text, where=where, **options)
