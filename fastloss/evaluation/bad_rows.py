"""Rows that a measure refuses, or warns of: where they are among all rows."""

from __future__ import annotations

import warnings
from typing import Any

from fastloss.errors import DomainError, RowSumWarning, Shift
from fastloss.evaluation.blocks import Array
from fastloss.evaluation.state import State


class shifted_warnings:
    """Passes on the first warning of each loss with the row's number in all rows.

    Parameters
    ----------
    rows : int or callable
        Where the rows at hand are among all.
    told : set or None
        The losses that have warned of other rows of the same; None where there is nothing to be warned of.
    place : str
        What the rows are of, before the argument's name.
    """

    def __init__(self, rows: Shift, told: set[str] | None, place: str = "") -> None:
        self.rows = rows
        self.told = told
        self.place = place
        self.catcher = None if told is None else warnings.catch_warnings(record=True)
        self.caught: Any = None

    def __enter__(self) -> None:
        if self.catcher is not None:
            self.caught = self.catcher.__enter__()
            warnings.simplefilter("always", UserWarning)

    def __exit__(self, *error: Any) -> None:
        if self.catcher is None or self.told is None:
            return
        self.catcher.__exit__(*error)
        for message in [] if error[0] is not None else [one.message for one in self.caught]:
            whose = message.loss if isinstance(message, RowSumWarning) else str(message)
            if whose not in self.told:
                self.told.add(whose)
                is_row = isinstance(message, RowSumWarning)
                warnings.warn(message.shifted(self.rows, self.place) if is_row else message, stacklevel=5)


def blamed(
    state: State, error: DomainError, y: Array, predictions: list[Array], weights: Array | None, by: list[Any]
) -> str:
    """Say which of several models an error is about."""
    if len(predictions) == 1 or error.argument != "y_pred":
        return ""
    for name, z in zip(state.model_names, predictions, strict=True):
        try:
            State(state.measured, 1).add(y, [z], weights, by)
        except (TypeError, ValueError):
            return f" (the model {name!r})"
    return ""


def add_good_rows(
    state: State, y: Array, predictions: list[Array], weights: Array | None, by: list[Any]
) -> None:
    """Add the rows that no measure refuses, and count the others."""
    piece = state.fresh()
    try:
        piece.add(y, predictions, weights, by)
    except DomainError:
        if len(y) == 1:
            state.skipped += 1
            return
        middle = len(y) // 2
        for half in (slice(0, middle), slice(middle, None)):
            add_good_rows(
                state, y[half], [z[half] for z in predictions], None if weights is None else weights[half],
                [column[half] for column in by],
            )  # fmt: skip
        return
    state.merge(piece)
