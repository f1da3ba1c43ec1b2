"""The errors and warnings of scikit-learn's metrics, with or without scikit-learn."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np


class InvalidParameterError(ValueError, TypeError):
    """An argument of the wrong kind; scikit-learn's class of that name where scikit-learn is imported."""


class UndefinedMetricWarning(UserWarning):
    """A metric that is not defined for the data; scikit-learn's class where scikit-learn is imported."""


def _class_of(module: str, own: type[Any]) -> Any:
    # Whoever catches scikit-learn's class has imported it; it is not imported for its own sake.
    return getattr(sys.modules.get(module), own.__name__, own)


def invalid(function: str, name: str, expected: str, value: Any) -> Exception:
    """Return the error of an argument that is not what the function takes."""
    cls = _class_of("sklearn.utils._param_validation", InvalidParameterError)
    error: Exception = cls(f"The {name!r} parameter of {function} must be {expected}. Got {value!r} instead.")
    return error


def warn_undefined(message: str) -> None:
    """Warn that a metric is not defined; called by the metric itself."""
    warnings.warn(message, _class_of("sklearn.exceptions", UndefinedMetricWarning), stacklevel=3)


def is_sparse(value: Any) -> bool:
    """Tell whether a value is one of SciPy's sparse matrices, without importing SciPy."""
    return hasattr(value, "toarray") and hasattr(value, "tocsr")


def is_array_like(value: Any) -> bool:
    """Tell whether a value is a dense container of numbers or labels, and no scalar or string."""
    if type(value) is np.ndarray:
        return value.ndim > 0
    if np.isscalar(value) or (isinstance(value, np.ndarray) and value.ndim == 0) or is_sparse(value):
        return False
    return any(hasattr(value, attribute) for attribute in ("__len__", "shape", "__array__"))


def require_arrays(function: str, **arguments: Any) -> None:
    """Raise the error of the first argument that is no array."""
    for name, value in arguments.items():
        if not is_array_like(value):
            raise invalid(function, name, "an array-like", value)


def require_arrays_or_none(function: str, **arguments: Any) -> None:
    """Raise the error of the first argument that is neither an array nor None."""
    for name, value in arguments.items():
        if value is not None and not is_array_like(value):
            raise invalid(function, name, "an array-like or None", value)


def is_flag(value: Any) -> bool:
    """Tell whether a value is True or False."""
    return isinstance(value, (bool, np.bool_))


def require_flag(function: str, name: str, value: Any) -> None:
    """Raise the error of an argument that is neither True nor False."""
    if not is_flag(value):
        raise invalid(function, name, "an instance of 'bool' or an instance of 'numpy.bool'", value)


def require_multioutput(function: str, value: Any, names: Sequence[str]) -> None:
    """Raise the error of a `multioutput` that is neither one of its names nor an array."""
    if not (value in names if isinstance(value, str) else is_array_like(value)):
        listed = ", ".join(map(repr, names))
        raise invalid(function, "multioutput", f"a str among {{{listed}}} or an array-like", value)
