"""The functions that a formula may be written with, for :func:`fastloss.formula` of a Python function.

They take terms of a formula and numbers. NumPy's functions of the same names do as well where there are any.

Examples
--------
>>> import fastloss as fl
>>> from fastloss.functions import log1p
>>> fl.formula(lambda y, z, c: c * c * log1p(((z - y) / c) ** 2) / 2, c=1.0)
formula('c*c*log1p(((z - y)/c)**2)/2', c=1.0)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastloss.formulas.folding import FOLD
from fastloss.formulas.parse import FUNCTIONS
from fastloss.formulas.trace import Traced, apply

__all__ = [*FUNCTIONS]


def _function(name: str) -> Callable[..., Any]:
    def function(*args: Any) -> Any:
        if any(isinstance(a, Traced) for a in args):
            return apply(name, *args)
        if name not in FOLD:
            raise TypeError(f"{name} of numbers alone has no place in a formula")
        return FOLD[name](*args)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return {name} of terms of a formula."
    return function


def __getattr__(name: str) -> Callable[..., Any]:
    if name not in FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = _function(name)
    found: Callable[..., Any] = globals()[name]
    return found
