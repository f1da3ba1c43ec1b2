"""Tables for people: coloured on a terminal, plain where they go to a file or a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from typing import Any

from fastloss.cli.errors import require

_WIDTH_OFF_TERMINAL = 120


def require_tables(instead: str) -> None:
    """Make sure that tables can be printed, before any long work.

    Parameters
    ----------
    instead : str
        What works without, for the message.

    Raises
    ------
    CommandError
        rich is not installed.
    """
    require("rich.table", "cli", f"a table (without it, use {instead})")


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str = "",
    words: Collection[int] = (0,),
    folded: Collection[int] = (0,),
) -> None:
    """Print a table on stdout.

    Parameters
    ----------
    columns : sequence of str
        The headings.
    rows : sequence of sequence of str
        The cells.
    caption : str
        A paragraph below the table.
    words : collection of int
        The columns that hold words; the others hold numbers and are set flush right.
    folded : collection of int
        The columns that are broken into lines where the terminal is narrow.
    """
    rich_table = require("rich.table", "cli", "a table")
    text = require("rich.text", "cli", "a table").Text
    table = rich_table.Table(
        box=require("rich.box", "cli", "a table").SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for i, heading in enumerate(columns):
        justify = "left" if i in words else "right"
        table.add_column(heading, justify=justify, no_wrap=i not in folded, overflow="fold")
    for row in rows:
        table.add_row(*(text(cell) for cell in row))
    _console().print(table)
    if caption:
        print_text(caption, style="dim")


def print_labelled(lines: Sequence[tuple[str, str]]) -> None:
    """Print labels and texts on stdout, side by side; a text is broken into lines beside its label."""
    text = require("rich.text", "cli", "a table").Text
    grid = require("rich.table", "cli", "a table").Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for i, (label, words) in enumerate(lines):
        grid.add_row(text(label, style="dim"), text(words, style="bold" if i == 0 else ""))
    _console().print(grid)


def print_text(words: str, style: str = "") -> None:
    """Print a paragraph on stdout, broken into lines at the console's width."""
    _console().print(require("rich.text", "cli", "a table").Text(words, style=style))


def format_rate(per_second: float) -> str:
    """Write a rate with three digits and a unit.

    Examples
    --------
    >>> format_rate(2.5e9), format_rate(81234.0)
    ('2.50 G/s', '81.2 k/s')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if per_second >= size:
            number = per_second / size
            return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f} {unit}/s"
    return f"{per_second:.0f} /s"


def format_value(value: float) -> str:
    """Write a loss with nine digits."""
    return f"{value:.9g}"


def _console() -> Any:
    """Make the console for stdout; off a terminal it is wide, unless COLUMNS says otherwise."""
    console = require("rich.console", "cli", "a table").Console(file=sys.stdout, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_OFF_TERMINAL
    return console
