"""What is wrong with a formula, and where."""

from __future__ import annotations


class FormulaError(ValueError):
    """A formula that is refused.

    Attributes
    ----------
    column : int or None
        Where in the formula the mistake is, from 1 on.
    text : str or None
        The formula, or the definition of a name in it.
    """

    def __init__(self, message: str, text: str | None = None, column: int | None = None) -> None:
        self.column, self.text = column, text
        if text is not None and column is not None:
            message = f"{message} (column {column})\n    {_around(text, column)}"
        super().__init__(message)


def _around(text: str, column: int) -> str:
    """Return a line that shows the place, and a caret below it."""
    start = max(0, column - 1 - 40)
    piece = "".join(c if c.isprintable() else " " for c in text[start : column + 30])
    return f"{piece}\n    {' ' * (column - 1 - start)}^"
