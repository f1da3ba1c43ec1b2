"""Sub-interpreters are refused when the package is imported, before NumPy is, which fails in other words.

NumPy and the binding keep state that is one for the process: which interpreter came first would decide where
they can be loaded.
"""

from __future__ import annotations

import importlib


def is_main() -> bool:
    """Tell whether this is the interpreter that the process began with."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # Python 3.13, and older ones
        try:
            interpreters = importlib.import_module(name)
        except ImportError:
            continue
        return bool(interpreters.get_current() == interpreters.get_main())
    return True


if not is_main():
    raise ImportError(
        "fastloss cannot be loaded in a sub-interpreter, because NumPy cannot: import it in the main"
        " interpreter of the process, or use processes or threads instead"
    )
