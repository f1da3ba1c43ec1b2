"""Formulas on one line, for the command line: ``expression; name = value; ...``."""

from __future__ import annotations

from typing import Any

from fastloss.formulas.loss import Formula

_OPTIONS = ("targets", "predictions", "gradient", "hessian", "name")


def read_line(line: str) -> Formula:
    """Make the loss that a line stands for.

    After the expression come options of :func:`fastloss.formula`, parameters, which are numbers, and
    definitions, which are anything else.

    Examples
    --------
    >>> read_line("a*softplus(-m); m = (2*y - 1)*z; a = 2; targets = {0, 1}")
    formula('a*softplus(-m)', targets='{0, 1}', where={'m': '(2*y - 1)*z'}, a=2.0)
    """
    expression, *rest = (piece.strip() for piece in line.split(";"))
    options: dict[str, Any] = {}
    where: dict[str, str] = {}
    for piece in rest:
        name, equals, value = (part.strip() for part in piece.partition("="))
        if not (name and equals and value):
            raise ValueError(f"expected name = value, got {piece!r}")
        if name in options or name in where:
            raise ValueError(f"{name!r} is given twice")
        if name in _OPTIONS:
            options[name] = value
            continue
        if _is_number(value):
            options[name] = float(value)
        else:
            where[name] = value
    return Formula(expression, where=where, **options)


def write_line(loss: Formula) -> str:
    """Write a formula as `read_line` reads it.

    Examples
    --------
    >>> import fastloss as fl
    >>> write_line(fl.formula("a*(z - y)**2", a=0.5))
    'a*(z - y)**2; a=0.5'
    """
    options = loss._options()
    where = {k: f"({v})" if _is_number(v) else v for k, v in options.pop("where", {}).items()}
    terms = {**where, **options}
    return "; ".join([loss.expression, *(f"{k}={_short(v)}" for k, v in terms.items())])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
