"""Errors of the command line."""


class CommandError(Exception):
    """An error that the user can mend: printed as one line, exit status 2, no traceback."""
