"""Errors and warnings that say as data what they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["DomainError", "RowSumWarning"]

#: How many rows come before the first one of a part; or what row of the whole a row of the part is.
Shift = int | Callable[[int], int]


def _moved(row: int, rows: Shift) -> int:
    return rows(row) if callable(rows) else row + rows


class DomainError(ValueError):
    """A number in an argument is outside what the argument may hold.

    Attributes
    ----------
    argument : str
        The argument's name, such as ``"y_true"``.
    index : int or tuple of int
        Where in it the number is; the first one is that of its row.
    value : Any
        The number.
    expected : str
        What was expected, in words.

    Examples
    --------
    >>> import fastloss as fl
    >>> try:
    ...     fl.Hinge()([1, 7], [0.5, 2.0])
    ... except fl.DomainError as error:
    ...     print(error.argument, error.index, error.value, "|", error.expected)
    ...     print(error.shifted(1000))
    y_true 1 7 | -1, 0 or 1
    y_true[1001] = 7 is outside the domain of Hinge: expected -1, 0 or 1
    """

    def __init__(
        self,
        argument: str,
        index: int | tuple[int, ...],
        value: Any,
        expected: str,
        saying: str,
        place: str = "",
    ) -> None:
        super().__init__(argument, index, value, expected, saying, place)
        self.argument = argument
        self.index = index
        self.value = value
        self.expected = expected
        self._saying = saying
        self._place = place

    def __str__(self) -> str:
        index = self.index if isinstance(self.index, int) else ", ".join(map(str, self.index))
        return f"{self._place}{self.argument}[{index}] = {self.value}{self._saying}"

    def shifted(self, rows: Shift, place: str = "", end: str = "") -> DomainError:
        """Return the same error about a whole of which the argument was a part.

        Parameters
        ----------
        rows : int or callable
            How many rows come before the part's first; or a function from rows of the part to rows of the
            whole.
        place : str, optional
            What the message begins with, such as a file's name.
        end : str, optional
            What it ends with.

        Returns
        -------
        DomainError
        """
        if isinstance(self.index, int):
            index: int | tuple[int, ...] = _moved(self.index, rows)
        else:
            index = (_moved(self.index[0], rows), *self.index[1:])
        place += self._place
        return DomainError(self.argument, index, self.value, self.expected, self._saying + end, place)


DomainError.__module__ = "fastloss"  # where it is known by


class RowSumWarning(UserWarning):
    """A row of probabilities does not sum to 1; its `row` is a number in `y_pred`."""

    def __init__(self, loss: str, row: int, total: str, place: str = "") -> None:
        super().__init__(loss, row, total, place)
        self.loss = loss
        self.row = row
        self.total = total
        self._place = place

    def __str__(self) -> str:
        at = f"{self._place}y_pred[{self.row}]"
        return f"{self.loss}: {at} sums to {self.total} instead of 1; rows are used as given"

    def shifted(self, rows: Shift, place: str = "") -> RowSumWarning:
        """Return the same warning about a whole of which the argument was a part, as of an error."""
        return RowSumWarning(self.loss, _moved(self.row, rows), self.total, place + self._place)
