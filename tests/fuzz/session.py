"""What the cases of every family use: calls that are counted, comparisons, and findings."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import fastloss as fl
from fastloss import _core

from .arrays import BFLOAT16, REAL, as_dtype, outside, source, weights

#: Tiers with the same bits; base has none of its kind.
FUSED = [tier for tier in fl.config()["isa_available"] if tier != "base"]
THREADS = (None, 1, 2, 3, 8)

#: Of every dtype: epsilon, smallest normal number, smallest number, largest.
_LIMITS = {
    **{
        np.dtype(c): tuple(
            float(getattr(np.finfo(c), a)) for a in ("eps", "tiny", "smallest_subnormal", "max")
        )
        for c in "efd"
    },
    BFLOAT16: (2.0**-7, 2.0**-126, 2.0**-133, 3.3895313892515355e38),
}


class FindingError(Exception):
    """Something that should not be."""


class Session:
    """One case: its random numbers, its calls, and what they are held against."""

    def __init__(self, seed: str, echo: bool = False) -> None:
        self.seed = seed
        self.r = random.Random(seed)
        self.echo = echo
        self.calls = 0
        self.last: tuple[Any, ...] = ()
        self.fused = bool(FUSED) and self.r.random() < 0.85
        self.choose_tier()

    def choose_tier(self) -> None:
        """Take one of the tiers that give the case's bits."""
        tier = self.r.choice(FUSED) if self.fused else "base"
        if tier != _core.isa():  # which asks the processor, for a tenth of a millisecond on a virtual machine
            _core.select_isa(tier)

    def line(self) -> str:
        """Python that makes the last call again."""
        function, args, options = self.last
        name = getattr(function, "__name__", repr(function))
        owner = getattr(function, "__self__", None)
        if owner is None:
            text = f"fl.{name}" if hasattr(fl, name) else f"{function.__module__}.{name}"
        else:
            text = f"fl.{owner!r}" if name == "__call__" else f"fl.{owner!r}.{name}"
        given = [source(x) for x in args] + [f"{k}={source(v)}" for k, v in options.items()]
        return f"{text}({', '.join(given)})"

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Make a correct call."""
        self.calls += 1
        self.last = function, args, options
        if self.echo:
            sys.stdout.write(self.line() + "\n")
            sys.stdout.flush()
        return function(*args, **options)

    def call_into(
        self, outputs: tuple[np.ndarray, ...], function: Callable[..., Any], *args: Any, **options: Any
    ) -> Any:
        """Make a correct call that writes to these outputs, if any, and to nothing around them."""
        if not outputs:
            return self.call(function, *args, **options)
        guarded = Guarded(outputs)
        found = self.call(function, *args, out=outputs[0] if len(outputs) == 1 else outputs, **options)
        guarded.check()
        return found

    def refused(self, names: str, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Make a wrong call, whose error must be a ValueError or TypeError that has one of the names."""
        try:
            self.call(function, *args, **options)
        except (ValueError, TypeError) as error:
            if type(error) not in (ValueError, TypeError) and type(error).__module__ == "builtins":
                raise FindingError(f"{type(error).__name__}: {error}") from error
            if not re.search(rf"(?<![a-z_])({names})(?![a-z])", str(error)):
                raise FindingError(f"no name of an argument in {error!r}, expected {names}") from error
        else:
            raise FindingError(f"no error that names {names}")

    # Comparisons.

    def same(self, what: str, found: Any, expected: Any) -> None:
        """The same dtype, shape and bits; NaN equals NaN."""
        if isinstance(expected, np.ndarray):
            if not isinstance(found, np.ndarray) or found.dtype.newbyteorder("=") != expected.dtype:
                raise FindingError(
                    f"{what} is {type(found)} {getattr(found, 'dtype', '')}, not {expected.dtype}"
                )
            if found.shape != expected.shape:
                raise FindingError(f"{what} has shape {found.shape}, not {expected.shape}")
            if found.tobytes() == expected.tobytes():
                return
            with np.errstate(all="ignore"):
                a, b = found.astype(np.float64), expected.astype(np.float64)
            equal = (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))
            if not equal.all():
                i = tuple(int(k) for k in np.argwhere(~equal)[0])
                raise FindingError(f"{what}{list(i)} is {found[i]!r}, elsewhere {expected[i]!r}")
        elif type(found) is not type(expected):
            raise FindingError(f"{what} is {found!r:.100}, not {expected!r:.100}")
        elif found != expected and (found == found or expected == expected):
            raise FindingError(f"{what} is {found!r}, elsewhere {expected!r}")

    def near(
        self,
        what: str,
        found: Any,
        true: Any,
        ulps: float,
        scale: Any = 0.0,
        dtype: Any = None,
        slack: Any = 0.0,
    ) -> None:
        """Within so many units in the last place of what is true, or of the scale where that is larger."""
        wrong = wrong_entries(found, true, ulps, scale, dtype, slack)
        if wrong.any():
            i = tuple(int(k) for k in np.argwhere(wrong)[0])
            x, expected = np.asarray(found)[i], np.broadcast_to(true, wrong.shape)[i]
            raise FindingError(f"{what}{list(i) or ''} is {x!r}, not {expected!r}")


def wrong_entries(
    found: Any, true: Any, ulps: float, scale: Any = 0.0, dtype: Any = None, slack: Any = 0.0
) -> np.ndarray:
    """Which entries are farther from the true ones than they may be."""
    found = np.asarray(found)
    eps, tiny, least, largest = _LIMITS[np.dtype(dtype or found.dtype).newbyteorder("=")]
    with np.errstate(all="ignore"):
        x = (found.astype(np.float32) if found.dtype == BFLOAT16 else found).astype(np.longdouble)
        size = np.abs(true)
        allowed = ulps * eps * np.maximum(size, scale) + (4 * least + slack)
        good = np.abs(x - true) <= allowed
        if good.all():
            return ~good
        good |= (size <= tiny) & (np.abs(x) <= tiny)
        # Beyond the largest number infinity is right, and near it either.
        good |= np.isinf(x) & (np.sign(x) * true + allowed >= largest * (1 - ulps * eps))
        good |= x == true
        good |= np.isnan(true) & np.isnan(x)
    return ~good


class Guarded:
    """Arrays for results, whose surroundings are watched."""

    def __init__(self, outputs: tuple[np.ndarray, ...]) -> None:
        self.outputs = outputs
        self.around = [outside(x) for x in outputs]

    def check(self) -> None:
        """Raise if a call wrote beside them."""
        for i, (x, around) in enumerate(zip(self.outputs, self.around, strict=True)):
            if outside(x) != around:
                raise FindingError(f"something beside out[{i}] was written to")


class Unchanged:
    """Arguments that a call may only read."""

    def __init__(self, *arrays: Any) -> None:
        self.arrays = [(x, x.tobytes()) for x in arrays if isinstance(x, np.ndarray)]

    def check(self) -> None:
        """Raise if one was written to."""
        for x, before in self.arrays:
            if x.tobytes() != before:
                raise FindingError("an argument was written to")


def some_weights(r: random.Random, n: int, dtype: np.dtype) -> np.ndarray | None:
    """Weights in the precision of the predictions or in another one, or none."""
    kind = r.randrange(6)
    if kind < 3:
        return None
    given = (dtype, np.dtype(r.choice("fd")), r.choice(REAL))[kind - 3]
    found = as_dtype(weights(r, n), given)
    return found if found.any() or not n else np.ones(n, given)
