"""A formula in many digits: the truth that an audit compares with. Imports mpmath, which is an extra."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from fastloss._extras import require

if TYPE_CHECKING:
    from fastloss.formulas.graph import Graph

#: Digits of a difference quotient, and the most that a value may need beside them.
_DIGITS, _MOST_DIGITS = 110, 900
#: The step of difference quotients beside the prediction's size.
_STEP_DIGITS = 30


class Derivatives(NamedTuple):
    """A value and its derivatives by z; NaN where there is none."""

    value: Any
    gradient: Any
    hessian: Any
    third: Any


def load() -> Any:
    """Return mpmath's context, or raise an error that says how to get it."""
    return require("mpmath", "formula", "an audit").mp


def functions(mp: Any) -> dict[str, Callable[..., Any]]:
    """Return the operations of graphs for mpmath's numbers; what is not defined is NaN."""

    def real(function: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any) -> Any:
            try:
                found = function(*args)
            except (ValueError, ZeroDivisionError, OverflowError):
                return mp.nan
            return mp.nan if isinstance(found, mp.mpc) else found

        return guarded

    def of_positive(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: function(x) if x > 0 else mp.nan

    def truth(holds: bool) -> Any:
        return mp.mpf(1 if holds else 0)

    def cdf(x: Any) -> Any:
        return mp.erfc(-x / mp.sqrt(2)) / 2

    def density(x: Any) -> Any:
        return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)

    def hazard(x: Any) -> Any:
        return density(x) / cdf(x)

    def power(a: Any, b: Any) -> Any:
        if a == 0:
            return mp.inf if b < 0 else mp.mpf(0 if b > 0 else 1)
        if a < 0 and b != int(b):
            return mp.nan
        return mp.power(a, b)

    table: dict[str, Callable[..., Any]] = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "pow": power,
        "minimum": min,
        "maximum": max,
        "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
        "xlogy": lambda a, b: mp.mpf(0) if a == 0 else a * mp.log(b),
        "neg": lambda a: -a,
        "abs": abs,
        "sign": mp.sign,
        "log_cosh": lambda x: mp.log(mp.cosh(x)),
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: mp.log1p(mp.exp(x)),
        "normal_cdf": cdf,
        "normal_log_cdf": lambda x: mp.log(cdf(x)),
        "normal_pdf": density,
        "normal_hazard": hazard,
        "normal_excess": lambda x: hazard(x) + x,
        "lgamma": of_positive(mp.loggamma),
        "digamma": of_positive(mp.digamma),
        "trigamma": of_positive(lambda x: mp.polygamma(1, x)),
        "tetragamma": of_positive(lambda x: mp.polygamma(2, x)),
        "gauss": lambda x: mp.exp(-x * x),
        "root": lambda x: mp.sqrt(1 + x * x),
        "root_minus_one": lambda x: mp.sqrt(1 + x * x) - 1,
        "bend": lambda x: x / mp.sqrt(1 + x * x),
        "one_minus_square": lambda x: 1 - x * x,
        "one_minus_cube": lambda x: 1 - x**3,
        "lorentz": lambda x: x / (1 + x * x),
        "log_difference": lambda a, b: mp.log(a) - mp.log(b),
        "log1p_difference": lambda a, b: mp.log1p(a) - mp.log1p(b),
        "less": lambda a, b: truth(a < b),
        "less_equal": lambda a, b: truth(a <= b),
        "equal": lambda a, b: truth(a == b),
        "not_equal": lambda a, b: truth(a != b),
        "where": lambda c, a, b: a if c else b,
        "nearest_zero": lambda a, b: max(min(a, b), min(max(a, b), mp.mpf(0))),
        **{
            name: getattr(mp, name)
            for name in ("sqrt", "exp", "expm1", "log", "log1p", "sinh", "cosh", "tanh")
        },
        "erf": mp.erf,
    }
    return {"const": mp.mpf, **{name: real(function) for name, function in table.items()}}


class Truth:
    """The formula as it was written, with derivatives by difference quotients: no rule of ours is in them."""

    def __init__(self, graph: Graph, root: int, parameters: dict[str, float]) -> None:
        self.mp = load()
        self.graph, self.root = graph, root
        self.functions = functions(self.mp)
        self.parameters = {name: self.mp.mpf(value) for name, value in parameters.items()}

    def value(self, y: Any, z: Any) -> Any:
        """Return the value at mpmath's numbers, in the precision that is set."""
        leaves = {"y": y, "z": z, **self.parameters}
        return self.graph.evaluate([self.root], leaves, self.functions)[0]

    def derivatives(self, y: float, z: float) -> Derivatives:
        """Return the value and derivatives of one sample, to 20 digits and more."""
        mp = self.mp
        # What a formula cancels by is at most about e^(2|z|).
        digits = _DIGITS + min(int(0.9 * max(abs(z), abs(y))), _MOST_DIGITS)
        while True:
            with mp.workdps(digits):
                y_here, z_here = mp.mpf(y), mp.mpf(z)
                size = abs(z_here) if z else mp.mpf(10) ** -20
                h = size * mp.mpf(10) ** -_STEP_DIGITS
                values = [self.value(y_here, z_here + k * h) for k in (2, 1, 0, -1, -2)]
                far, near, at, left, left2 = values
                differences = near - left, near - 2 * at + left, far - 2 * near + 2 * left - left2
                # Differences of which only roundings remain are of numbers that need more digits, or 0.
                noise = max(abs(value) for value in values) * mp.mpf(10) ** (10 - digits)
                lost = [abs(difference) <= noise for difference in differences]
                if digits > _MOST_DIGITS or not any(lost[:2]):
                    first, second, third = (
                        mp.mpf(0) if gone else difference
                        for difference, gone in zip(differences, lost, strict=True)
                    )
                    return Derivatives(at, first / (2 * h), second / (h * h), third / (2 * h**3))
            digits *= 3

    def slope(self, y: Any, z: Any, side: int) -> Any:
        """Return the slope on one side of z."""
        mp = self.mp
        with mp.workdps(_DIGITS):
            y, z = mp.mpf(y), mp.mpf(z)
            h = side * (abs(z) if z else mp.mpf(1)) * mp.mpf(10) ** -_STEP_DIGITS
            return (self.value(y, z + 2 * h) - self.value(y, z + h)) / h
