"""Losses as they are written on the command line: ``name[:param=value[,param=value]]``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import fastloss as fl
from fastloss.cli.errors import CommandError
from fastloss.formulas import Formula
from fastloss.formulas.specification import write_line
from fastloss.measures import Measure
from fastloss.registry import find_loss, formula_line, near_names

Parameter = float | int | bool | str | tuple[float, ...] | None

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "none": None}


def parse_loss(text: str) -> fl.Loss:
    """Make the loss that a specification such as ``huber:delta=1.5`` stands for.

    Parameters
    ----------
    text : str
        A name, alias or class name, as `fastloss.get_loss` takes it; after a colon, parameters separated by
        commas. A value is read as a whole number, a number, several numbers separated by colons, ``true``,
        ``false`` or ``none`` where it looks like one, and as a string otherwise. Or ``formula:`` and an
        expression, and after semicolons its parameters, definitions and domains.

    Returns
    -------
    Loss
        The loss.

    Raises
    ------
    CommandError
        The name or a parameter is unknown, a piece is malformed, or the loss refuses a value.

    Examples
    --------
    >>> parse_loss("huber:delta=1.5")
    Huber(delta=1.5)
    >>> parse_loss("cross_entropy:class_weight=1:2.5,label_smoothing=0.1").class_weight
    (1.0, 2.5)
    >>> parse_loss("formula:softplus(z) - y*z; targets = [0, 1]")
    formula('softplus(z) - y*z', targets='[0, 1]')
    """
    if formula_line(text) is not None:
        return _of_formula(text)
    name, colon, rest = text.partition(":")
    info = _find(name.strip(), text)
    parameters = parse_parameters(f"loss {text!r}", info.name, info.parameters, rest if colon else None)
    try:
        return info.cls(**parameters)
    except (TypeError, ValueError) as error:
        raise CommandError(f"loss {text!r}: {error}") from error


def _of_formula(text: str) -> fl.Loss:
    try:
        return fl.get_loss(text)
    except (TypeError, ValueError) as error:
        raise CommandError(f"loss {text!r}: {error}") from error


def parse_parameters(what: str, name: str, known: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    """Read ``param=value[,param=value]``.

    Parameters
    ----------
    what : str
        The specification, as errors name it.
    name : str
        What the parameters are of.
    known : mapping
        The parameters that there are, and their defaults.
    text : str or None
        The parameters; None where there are none.

    Returns
    -------
    dict
        The values by name.

    Raises
    ------
    CommandError
        A parameter is unknown or given twice, or a piece is malformed.

    Examples
    --------
    >>> parse_parameters("accuracy", "accuracy", {"top_k": 1}, "top_k=5")
    {'top_k': 5}
    """
    parameters: dict[str, Parameter] = {}
    for piece in [] if text is None else text.split(","):
        key, equals, value = (part.strip() for part in piece.partition("="))
        if not (key and equals and value):
            raise CommandError(f"{what}: expected param=value, got {piece!r}")
        if key not in known:
            raise CommandError(f"{what}: {name} has no parameter {key!r}; {_describe(known)}")
        if key in parameters:
            raise CommandError(f"{what}: parameter {key!r} is given twice")
        parameters[key] = parse_value(value)
    return parameters


def parse_value(text: str) -> Parameter:
    """Read a parameter's value: a number, several, ``true``, ``false``, ``none`` or a string.

    Examples
    --------
    >>> [parse_value(text) for text in ("2", "1e-3", "1:2.5", "True", "none", "mean")]
    [2, 0.001, (1, 2.5), True, None, 'mean']
    """
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        numbers = tuple(_parse_number(piece) for piece in text.split(":"))
    except ValueError:
        return text
    return numbers if ":" in text else numbers[0]


def format_loss(loss: fl.Loss | Measure) -> str:
    """Write a loss as a specification that `parse_loss` reads back: name and what differs from the defaults.

    The name is the first alias where that is no more than half as long. Measures are written likewise.

    Examples
    --------
    >>> format_loss(fl.Huber(delta=1.5)), format_loss(fl.BinaryCrossEntropy(from_logits=False))
    ('huber:delta=1.5', 'bce:from_logits=false')
    """
    if isinstance(loss, Formula):
        return f"formula:{write_line(loss)}"
    defaults = {name: p.default for name, p in inspect.signature(type(loss)).parameters.items()}
    changed = [
        f"{key}={format_parameter(value)}" for key, value in loss.parameters.items() if value != defaults[key]
    ]
    name = next((alias for alias in loss.aliases[:1] if 2 * len(alias) <= len(loss.name)), loss.name)
    return name + (":" + ",".join(changed) if changed else "")


def format_parameter(value: Parameter) -> str:
    """Write a value as `parse_value` reads it back, a number without needless digits.

    Examples
    --------
    >>> [format_parameter(value) for value in (1.0, 0.1, (1.0, 2.5), True, None)]
    ['1', '0.1', '1:2.5', 'true', 'none']
    """
    if isinstance(value, tuple):
        return ":".join(format_parameter(number) for number in value)
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _parse_number(text: str) -> float:
    """Read a number, a whole one as an integer."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _find(name: str, text: str) -> fl.LossInfo:
    """Find a loss by its class's name, its name or an alias; suggest the nearest names if there is none."""
    try:
        info = find_loss(name)
    except ValueError as error:
        raise CommandError(f"loss {text!r}: {error}") from error
    if info is None:
        names = [key for other in fl.list_losses() for key in (*other.aliases, other.name)]
        near = near_names(name.lower(), names)
        hint = f"did you mean {' or '.join(near)}?" if near else "`fastloss list` shows them all"
        raise CommandError(f"loss {text!r}: there is no loss {name!r}; {hint}")
    return info


def _describe(parameters: Mapping[str, Any]) -> str:
    """Say which parameters there are."""
    if not parameters:
        return "it has none"
    return "it has " + ", ".join(f"{key} (default {value})" for key, value in parameters.items())
