"""What was built, and what of it is in use."""

from __future__ import annotations

import os
import platform
import sys
import warnings
from typing import Any

import numpy as np

from fastloss import _core
from fastloss._version import __version__
from fastloss.threads import default_num_threads


def config() -> dict[str, Any]:
    """Return version, instruction set, threads and OpenMP as a dictionary.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.config()["isa"] in fl.config()["isa_available"]
    True
    """
    return {
        "version": __version__,
        "isa": _core.isa(),
        "isa_available": _core.isa_available(),
        "openmp": _core.has_openmp(),
        "num_threads": _core.threads(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
    }


def show_config() -> None:
    """Print version, instruction set, threads and OpenMP.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.show_config()  # doctest: +ELLIPSIS
    version        ...
    """
    for key, value in config().items():
        text = ", ".join(value) if isinstance(value, list) else value
        sys.stdout.write(f"{key:<14} {text}\n")


def initialise() -> None:
    """Take the fastest instruction-set tier, or the one that FASTLOSS_ISA names, and the default threads."""
    available = _core.isa_available()
    wanted = os.environ.get("FASTLOSS_ISA", "").strip()
    if wanted and wanted not in available:
        warnings.warn(
            f"FASTLOSS_ISA={wanted!r} is not available: using {available[-1]}, of {', '.join(available)}",
            RuntimeWarning,
            stacklevel=3,
        )
        wanted = ""
    _core.select_isa(wanted or available[-1])
    _core.set_default_threads(default_num_threads())
