"""Errors of the command line, and the libraries that its extras bring."""

from __future__ import annotations

from types import ModuleType

from fastloss import _extras


class CommandError(Exception):
    """An error that the user can mend: printed as one line, exit status 2, no traceback."""


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional library as `fastloss._extras.require` does, or raise a CommandError."""
    try:
        found: ModuleType = _extras.require(module, extra, purpose)
    except _extras.MissingExtra as error:
        raise CommandError(str(error)) from error
    return found
