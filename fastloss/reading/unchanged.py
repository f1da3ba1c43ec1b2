"""Whether a file is still what it was when reading began."""

from __future__ import annotations

import os
import stat

from fastloss.reading.locations import SourceError


class Unchanged:
    """Remembers the size and the time of a file.

    Parameters
    ----------
    path : str
        The file; of what is none, such as a pipe, nothing is said.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._was = self._now()

    def check(self) -> None:
        """Raise a SourceError if the file has been written to or replaced."""
        if self._now() != self._was:
            raise SourceError(f"{self._path}: the file has changed while it was read")

    def _now(self) -> tuple[int, ...] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return ()
        if not stat.S_ISREG(found.st_mode):
            return None
        return found.st_size, found.st_mtime_ns, found.st_ino
