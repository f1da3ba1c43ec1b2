"""Errors of the command line, and the libraries that its extras bring."""

from __future__ import annotations

import importlib
from types import ModuleType


class CommandError(Exception):
    """An error that the user can mend: printed as one line, exit status 2, no traceback."""


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional library, or say which extra brings it.

    Parameters
    ----------
    module : str
        The dotted name of the module.
    extra : str
        The extra of fastloss that installs it.
    purpose : str
        What it is needed for, as the subject of the error's sentence ("a .parquet file needs ...").

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    CommandError
        The module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        raise CommandError(f'{purpose} needs {library}: pip install "fastloss[{extra}]"') from error
