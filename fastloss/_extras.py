"""Libraries that extras bring."""

from __future__ import annotations

import importlib
from typing import Any


class MissingExtra(ImportError):
    """A library is not installed that something needs; the message says which extra brings it."""


def require(module: str, extra: str, purpose: str, library: str = "") -> Any:
    """Import an optional library, or say which extra brings it.

    Parameters
    ----------
    module : str
        The dotted name of the module.
    extra : str
        The extra of fastloss that installs it.
    purpose : str
        What it is needed for, as the subject of the error's sentence ("a .parquet file needs ...").
    library : str, optional
        The library's name, where it is not that of the module.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    MissingExtra
        The module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = library or module.partition(".")[0]
        raise MissingExtra(f'{purpose} needs {library}: pip install "fastloss[{extra}]"') from error
