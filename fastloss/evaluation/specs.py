"""Losses and measures from what users give for them: objects, names, specifications."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastloss import measures
from fastloss._loss import Loss, PointwiseLoss, RowLoss
from fastloss._validation import shown
from fastloss.measures import Measure
from fastloss.registry import find_loss, formula_line, get_loss, list_losses, near_names

Measured = Loss | Measure


def find_measure(name: str) -> measures.MeasureInfo | None:
    """Find a measure by its name, an alias, or its class's name."""
    for info in measures.list_measures():
        if name.lower() in (info.name, *info.aliases) or name == info.cls.__name__:
            return info
    return None


def parse(text: str) -> Measured:
    """Make what ``name[:parameter=value,...]`` says.

    Raises
    ------
    ValueError
        Nothing has that name, or a parameter is wrong.

    Examples
    --------
    >>> parse("huber:delta=1.5"), parse("accuracy:threshold=0.5")
    (Huber(delta=1.5), Accuracy(threshold=0.5, top_k=1, from_logits=True))
    """
    from fastloss.cli.errors import CommandError
    from fastloss.cli.spec import parse_parameters

    if formula_line(text) is not None:
        return get_loss(text)
    name, colon, rest = text.partition(":")
    info = find_measure(name.strip()) or find_loss(name.strip())
    if info is None:
        known = [n for i in measures.list_measures() for n in (i.name, *i.aliases)]
        known += [n for other in list_losses() for n in (other.name, *other.aliases)]
        near = near_names(name.strip().lower(), known)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else (
            "see fastloss.list_losses() and fastloss.measures.list_measures()"
        )  # fmt: skip
        raise ValueError(f"no loss or measure is named {name.strip()!r}: {hint}")
    try:
        parameters = parse_parameters(repr(text), info.name, info.parameters, rest if colon else None)
    except CommandError as error:
        raise ValueError(str(error)) from None
    try:
        return info.cls(**parameters)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{text!r}: {error}") from None


def as_measured(things: Any) -> list[Measured]:
    """Return the losses and measures of a list of them, of names, or of one.

    Raises
    ------
    TypeError
        One of them is neither, or is a loss that no single row has.
    """
    if isinstance(things, str | Loss | Measure):
        things = [things]
    if not isinstance(things, Iterable):
        raise TypeError(f"measures must be a list of losses and measures, got {shown(things)}")
    found: list[Measured] = []
    for thing in things:
        one = parse(thing) if isinstance(thing, str) else thing
        if isinstance(one, Loss) and not isinstance(one, PointwiseLoss | RowLoss):
            raise TypeError(f"{one.name} does not compare rows of predictions with targets")
        if not isinstance(one, Loss | Measure):
            raise TypeError(f"expected a loss or a measure, or the name of one, got {shown(one)}")
        if one in found:
            raise ValueError(f"{spec_of(one)} is there twice")
        found.append(one)
    if not found:
        raise ValueError("measures is empty: there is nothing to compute")
    return found


def spec_of(one: Measured) -> str:
    """Write a loss or measure as `parse` reads it: its shortest name and what differs from the defaults."""
    from fastloss.cli.spec import format_loss

    return format_loss(one)


def keys_of(measured: list[Measured], given: list[Any]) -> list[str]:
    """Return the keys of the results: names, or specifications where two share one; strings as given."""
    names = [one.name for one in measured]
    keys = []
    for one, thing in zip(measured, given, strict=True):
        shared = names.count(one.name) > 1
        if isinstance(thing, str) and formula_line(thing) is None:
            keys.append(thing.strip() if shared else thing.partition(":")[0].strip())
        else:
            keys.append(spec_of(one) if shared else one.name)
    return keys
