"""The losses by name."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, NamedTuple

from fastloss import (
    binary,
    distribution,
    earth_mover,
    embedding,
    likelihood,
    multiclass,
    penalty,
    regression,
    transport,
)
from fastloss._loss import Loss
from fastloss._traits import TRAITS, traits_of
from fastloss._validation import shown


class LossInfo(NamedTuple):
    """A loss as :func:`list_losses` tells of it; its traits are those at the default parameters."""

    name: str
    cls: type[Loss]
    family: str
    aliases: tuple[str, ...]
    parameters: dict[str, Any]
    has_gradient: bool
    has_hessian: bool

    @property
    def traits(self) -> dict[str, Any]:
        """What the loss says of itself: its link, whether it is convex, and so on."""
        return traits_of(self.cls())


def _info(cls: type[Loss]) -> LossInfo:
    signature = inspect.signature(cls)
    parameters = {name: parameter.default for name, parameter in signature.parameters.items()}
    return LossInfo(cls.name, cls, cls.family, cls.aliases, parameters, cls.has_gradient, cls.has_hessian)


_LOSSES = [
    _info(getattr(module, name))
    for module in (
        regression,
        likelihood,
        binary,
        multiclass,
        distribution,
        embedding,
        transport,
        earth_mover,
    )
    for name in module.__all__
]
_BY_CLASS_NAME: dict[str, LossInfo] = {info.cls.__name__: info for info in _LOSSES}
_BY_NAME: dict[str, LossInfo] = {name: info for info in _LOSSES for name in (info.name, *info.aliases)}
_PENALTIES = penalty.__all__


def find_loss(name: str) -> LossInfo | None:
    """Find a loss by its name or an alias in letters of any case, or by its class's name.

    Raises
    ------
    ValueError
        If the name as it is written is that of one thing, and in small letters that of another.
    """
    named, of_class = _BY_NAME.get(name.lower()), _BY_CLASS_NAME.get(name)
    if named is None or named is of_class:
        return of_class
    if of_class is not None:
        raise ValueError(
            f"{name!r} is ambiguous: {name.lower()!r} is {named.cls.__name__},"
            f" {of_class.name!r} the class {name}"
        )
    if name in _PENALTIES:
        raise ValueError(
            f"{name!r} is ambiguous: {name.lower()!r} is the loss {named.cls.__name__},"
            f" fastloss.{name} a penalty, which is no loss"
        )
    return named


def list_losses(**traits: Any) -> list[LossInfo]:
    """Return what there is: name, class, family, aliases, parameters and derivatives of every loss.

    Parameters
    ----------
    **traits
        Only losses of which these hold at their default parameters: `family`, `has_gradient`, `has_hessian`,
        or any of ``info.traits``, such as ``convex=True`` or ``link="log"``.

    Returns
    -------
    list of LossInfo
        ``info.traits`` is what a loss says of itself.

    Raises
    ------
    TypeError
        If there is no such trait.

    Examples
    --------
    >>> import fastloss as fl
    >>> [info.name for info in fl.list_losses()][:3]
    ['squared_error', 'half_squared_error', 'absolute_error']
    >>> [info.name for info in fl.list_losses(link="log", canonical=True)]
    ['poisson']
    >>> [info.name for info in fl.list_losses(family="regression", convex=True, lipschitz=True)][:3]
    ['absolute_error', 'huber', 'smooth_l1']
    """
    known = ("family", "has_gradient", "has_hessian", *TRAITS)
    for name in traits:
        if name not in known:
            near = near_names(name, known)
            hint = f"did you mean {near[0]!r}?" if near else f"the traits: {', '.join(known)}"
            raise TypeError(f"no trait of losses is named {name!r}: {hint}")
    return [
        info
        for info in _LOSSES
        if not traits or all(getattr(info.cls(), name) == value for name, value in traits.items())
    ]


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Return at most three names that a misspelt one may stand for: few edits away, or begun by it.

    Examples
    --------
    >>> near_names("bec", ["cauchy", "bce"]), near_names("auc", ["cauchy", "bce"])
    (['bce'], [])
    """
    allowed = 0 if len(name) < 3 else 1 if len(name) < 5 else 2
    ranked = sorted(
        (0 if len(name) > 2 and other.startswith(name) else _edits(name, other), other) for other in names
    )
    return [other for edits, other in ranked if edits <= allowed][:3]


def _edits(a: str, b: str) -> int:
    """Count the letters inserted, left out, replaced or swapped with the next between two words."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        rows.append([i])
        for j, y in enumerate(b, 1):
            best = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (x != y))
            if i > 1 and j > 1 and (x, a[i - 2]) == (b[j - 2], y):
                best = min(best, rows[i - 2][j - 2] + 1)
            rows[i].append(best)
    return rows[-1][-1]


def formula_line(text: str) -> str | None:
    """Return what follows ``formula:``, the name of losses that are written."""
    name, colon, line = text.partition(":")
    return line if colon and name.strip().lower() == "formula" else None


def get_loss(name: str, **parameters: Any) -> Loss:
    """Make a loss by its name, its class's name or an alias.

    Names and aliases may have capital letters, which mean nothing. So three names that only those tell from
    an alias are errors: ``"Focal"``, as ``"focal"`` is `BinaryFocal` and ``"multiclass_focal"`` the class
    `Focal`, and ``"L1"`` and ``"L2"``, as ``"l1"`` and ``"l2"`` are losses and the classes penalties.

    Parameters
    ----------
    name : str
        Such as ``"huber"``, ``"mse"`` or ``"BinaryCrossEntropy"``. Or ``"formula:"`` and an expression, after
        which there may be definitions, parameters and domains between semicolons:
        ``"formula:a*(z - y)**2; a=0.5"``.
    **parameters
        The constructor's arguments; of a formula new values of its parameters.

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        If no loss has that name; the message names the nearest ones. If it could be two; the message has
        names for both.
    TypeError
        If the loss has no such parameter.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.get_loss("huber", delta=1.5)
    Huber(delta=1.5)
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {shown(name)}")
    if (line := formula_line(name)) is not None:
        from fastloss.formulas.specification import read_line

        return read_line(line).with_parameters(**parameters)
    info = find_loss(name)
    if info is None:
        near = near_names(name.lower(), _BY_NAME)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "see fastloss.list_losses()"
        raise ValueError(f"no loss is named {name!r}: {hint}")
    cls = info.cls
    try:
        inspect.signature(cls).bind(**parameters)
    except TypeError as error:
        known = ", ".join(inspect.signature(cls).parameters) or "none"
        raise TypeError(f"{cls.__name__}: {error}; its parameters: {known}") from None
    return cls(**parameters)
