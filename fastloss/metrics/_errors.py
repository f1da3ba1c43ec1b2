"""The errors and warnings of scikit-learn's metrics, with or without scikit-learn."""

from __future__ import annotations

import numbers
import sys
import warnings
from collections.abc import Callable, Sequence
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


def require_arrays_or_sparse(function: str, **arguments: Any) -> None:
    """Raise the error of the first argument that is neither an array nor a sparse matrix."""
    for name, value in arguments.items():
        if not (is_array_like(value) or is_sparse(value)):
            raise invalid(function, name, "an array-like or a sparse array or matrix", value)


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


def require_choice(function: str, name: str, value: Any, options: Sequence[str], *, or_none: bool) -> None:
    """Raise the error of an argument that is none of these strings, nor None where that may be."""
    if (value is None and or_none) or (isinstance(value, str) and value in options):
        return
    listed = ", ".join(map(repr, sorted(options)))
    raise invalid(function, name, f"a str among {{{listed}}}{' or None' if or_none else ''}", value)


def require_pos_label(function: str, value: Any, *, or_none: bool = True) -> None:
    """Raise the error of a positive class that is no number, string or boolean."""
    if (value is None and or_none) or isinstance(value, (numbers.Real, str, np.bool_)):
        return
    kinds = (
        "an instance of 'float', an instance of 'str', an instance of 'bool' or an instance of 'numpy.bool'"
    )
    raise invalid(function, "pos_label", kinds + (" or None" if or_none else ""), value)


def require_number(
    function: str, name: str, value: Any, expected: str, allowed: Callable[[Any], bool]
) -> None:
    """Raise the error of an argument that is no real number of those allowed."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not (is_number and allowed(value)):
        raise invalid(function, name, expected, value)


def require_count(function: str, name: str, value: Any, *, or_none: bool = False) -> None:
    """Raise the error of an argument that is no whole number from 1 on."""
    if value is None and or_none:
        return
    if not (isinstance(value, numbers.Integral) and int(value) >= 1):
        expected = "an int in the range [1, inf)" + (" or None" if or_none else "")
        raise invalid(function, name, expected, value)
