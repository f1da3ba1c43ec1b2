"""How many threads a call may use."""

from __future__ import annotations

import math
import operator
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastloss import _core
from fastloss._validation import shown


def set_num_threads(n: int) -> None:
    """Set how many threads a call uses at most, in the whole process.

    Parameters
    ----------
    n : int
        At least 1. Small arrays are computed on one thread whatever `n` is.

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer, or below 1.

    Examples
    --------
    >>> import fastloss as fl
    >>> before = fl.get_num_threads()
    >>> fl.set_num_threads(1)
    >>> fl.get_num_threads()
    1
    >>> fl.set_num_threads(before)
    """
    _core.set_default_threads(_checked(n))


def get_num_threads() -> int:
    """Return how many threads a call made here uses at most.

    Inside ``with threadpoolctl.threadpool_limits(n)`` that is no more than `n`.
    In a child of ``fork()`` that is 1: the threads of OpenMP did not come with it.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.get_num_threads() >= 1
    True
    """
    return _core.threads()


@contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Limit the threads of the calls inside a ``with`` block, for this Python thread alone.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer, or below 1.

    Examples
    --------
    >>> import fastloss as fl
    >>> with fl.num_threads(1):
    ...     fl.get_num_threads()
    1
    """
    before = _core.local_threads()
    _core.set_local_threads(_checked(n))
    try:
        yield
    finally:
        _core.set_local_threads(before)


def _checked(n: int) -> int:
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"the number of threads must be an integer, got {shown(n)}") from None
    if not 1 <= count <= 4096:
        raise ValueError(f"the number of threads must be between 1 and 4096, got {shown(count)}")
    return count


def _from_environment(variable: str) -> int | None:
    text = os.environ.get(variable, "").split(",")[0].strip()
    if not text:
        return None
    # Python refuses to convert thousands of digits.
    if text.isdecimal() and (n := int(text[-5000:].lstrip("0")[:5] or 0)) >= 1:
        return min(n, 4096)
    warnings.warn(f"{variable}={text!r} is not a positive integer: ignored", RuntimeWarning, stacklevel=4)
    return None


def _container_quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Return the processors that the container may use, by version 2 or 1 of Linux's control groups."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return math.inf
    try:
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except ValueError:  # "max"
        return math.inf


def default_num_threads() -> int:
    """Return the number of threads to begin with.

    That is FASTLOSS_NUM_THREADS, else OMP_NUM_THREADS, else the processors that the affinity mask and the
    container's quota leave.
    """
    for variable in ("FASTLOSS_NUM_THREADS", "OMP_NUM_THREADS"):
        n = _from_environment(variable)
        if n is not None:
            return n
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(processors, _container_quota())))
