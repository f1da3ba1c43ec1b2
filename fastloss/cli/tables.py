"""Tables for people: coloured on a terminal, plain where they go to a file or a pipe."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastloss._extras import require

_WIDTH_OFF_TERMINAL = 120
#: Blanks beside the cells of a column.
_PADDING = 2
_NARROWEST_TEXT = 30


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
    spare: Sequence[int] = (),
) -> None:
    """Print a table on stdout; where it is too narrow for one, row by row. No number is ever cut or broken.

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
        The columns that are broken into lines where the terminal is narrow, after commas and colons.
    spare : sequence of int
        The columns that are left out where they do not fit, the first one first.
    """
    console = _console()
    natural = [max(_width(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    least = [
        max(len(piece) for cell in column for piece in _pieces(cell)) if i in folded else natural[i]
        for i, column in enumerate(zip(columns, *rows, strict=True))
    ]
    shown = list(range(len(columns)))
    for column in spare:
        if sum(least[i] + _PADDING for i in shown) > console.width:
            shown.remove(column)
    room = console.width - sum(least[i] + _PADDING for i in shown)
    if room >= 0:
        widths = {}
        for i in shown:
            widths[i] = least[i] + min(room, natural[i] - least[i])
            room -= widths[i] - least[i]
        _print_grid(console, columns, rows, widths, words)
    else:
        _print_stacked(console, rows, shown)
    if caption:
        print_text(caption, style="dim")


def _print_grid(
    console: Any,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Mapping[int, int],
    words: Collection[int],
) -> None:
    """Print the columns that have a width side by side."""
    text = require("rich.text", "cli", "a table").Text
    table = require("rich.table", "cli", "a table").Table(
        box=require("rich.box", "cli", "a table").SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for i, width in widths.items():
        table.add_column(columns[i], justify="left" if i in words else "right", no_wrap=True, min_width=width)
    for row in rows:
        table.add_row(*(text(_broken(row[i], width)) for i, width in widths.items()))
    console.print(table)


def _print_stacked(console: Any, rows: Sequence[Sequence[str]], shown: Sequence[int]) -> None:
    """Print each row as a paragraph: the first cell, and below it the others."""
    for row in rows:
        first, *others = (_broken(row[i], console.width) for i in shown)
        for line in (first, *(other for other in others if other), ""):
            console.print(line, markup=False, soft_wrap=True)


def _width(cell: str) -> int:
    """Return the length of the longest line."""
    return max(map(len, cell.split("\n")))


def _pieces(cell: str) -> list[str]:
    """Cut a cell where a line may end: after commas and colons."""
    return re.findall(r"[^,:\n]+[,:]?|\n", cell) or [""]


def _broken(cell: str, width: int) -> str:
    """Break a cell into lines of at most that width, or of one piece that is longer."""
    lines = [""]
    for piece in _pieces(cell):
        if piece == "\n" or (lines[-1] and len(lines[-1]) + len(piece) > width):
            lines.append("")
        lines[-1] += piece.strip("\n")
    return "\n".join(lines)


def print_labelled(lines: Sequence[tuple[str, str]]) -> None:
    """Print labels and texts on stdout; a text is broken into lines beside its label, or below it."""
    console = _console()
    if console.width - max(len(label) for label, _ in lines) < _NARROWEST_TEXT:
        for label, words in lines:
            print_text(label, style="dim")
            print_text(words)
        return
    text = require("rich.text", "cli", "a table").Text
    grid = require("rich.table", "cli", "a table").Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for i, (label, words) in enumerate(lines):
        grid.add_row(text(label, style="dim"), text(words, style="bold" if i == 0 else ""))
    console.print(grid)


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
