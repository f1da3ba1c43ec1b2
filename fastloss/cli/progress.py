"""A progress bar for work that turns out to be long."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from fastloss._extras import MissingExtra, require

_PATIENCE_SECONDS = 1.0
_STEPS = 1000


class LongWorkBar:
    """Shows a bar on stderr once the work has taken a second; shows nothing where stderr is not a terminal.

    Parameters
    ----------
    quiet : bool
        Never show it.
    """

    def __init__(self, quiet: bool) -> None:
        self._began = time.perf_counter()
        self._wanted = not quiet and sys.stderr.isatty()
        self._bar: Any = None

    def __enter__(self) -> LongWorkBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, fraction: float, rows: int) -> None:
        """Tell how far the work is.

        Parameters
        ----------
        fraction : float
            The part that is done, from 0 to 1.
        rows : int
            The number of rows scored.
        """
        if self._wanted and self._bar is None and time.perf_counter() - self._began > _PATIENCE_SECONDS:
            self._start()
        if self._bar is not None:
            self._bar.update(self._task, completed=fraction * _STEPS, rows=f"{rows:,}")

    def _start(self) -> None:
        """Show the bar; go without where rich is not installed."""
        try:
            progress = require("rich.progress", "cli", "a progress bar")
            console = require("rich.console", "cli", "a progress bar").Console(stderr=True)
        except MissingExtra:
            self._wanted = False
            return
        self._bar = progress.Progress(
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TextColumn("{task.fields[rows]} rows"),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=_STEPS, rows="")
        self._bar.start()
