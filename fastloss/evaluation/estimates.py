"""Estimates: means of weighted rows with their uncertainty, from exact sums."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, NamedTuple

from fastloss import _core

#: Sums are integers of this unit.
UNIT_BITS: int = _core.EXACT_UNIT
_ONE = 1 << UNIT_BITS


@dataclass(frozen=True)
class Estimate:
    """A number computed from rows, and how far it is to be trusted.

    Attributes
    ----------
    value : float
        The number.
    standard_error : float
        The standard deviation of the value over samples of rows like these; NaN where it is not known.
    low, high : float
        The interval that holds the true value in the share `level` of samples.
    samples : int
        The number of rows.
    weight : float
        The sum of their weights.
    half_width : float
        By how much the value may differ at most from that of the rows themselves; 0.0 where it is exact.
    level : float
        The level of the interval.
    p_value : float or None
        Of a difference: how likely one at least so large is where there is none; otherwise None.

    Examples
    --------
    >>> import fastloss as fl
    >>> estimate = fl.evaluate([1.0, 2.0, 4.0, 3.0], [1.0, 3.0, 4.0, 2.0], ["mae"])["mae"]
    >>> estimate.value, estimate.standard_error, estimate.samples
    (0.5, 0.25, 4)
    """

    value: float
    standard_error: float
    low: float
    high: float
    samples: int
    weight: float
    half_width: float = 0.0
    level: float = 0.95
    p_value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes by their names; `p_value` where there is one.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.evaluate([0.0, 1.0], [0.0, 1.0], ["mse"])["mse"].to_dict()["value"]
        0.0
        """
        fields = dict(self.__dict__)
        if self.p_value is None:
            del fields["p_value"]
        return fields


class Scores(Mapping[str, Estimate]):
    """Several estimates that one measure gives, by name.

    Attributes
    ----------
    tables : dict
        Arrays that the measure has besides: counts, classes.

    Examples
    --------
    >>> import fastloss as fl
    >>> confusion = fl.evaluate([0, 1, 1, 1], [-1.0, 2.0, -0.5, 3.0], ["confusion"])["confusion"]
    >>> confusion["precision"].value, confusion.tables["matrix"].tolist()
    (1.0, [[1.0, 0.0], [1.0, 2.0]])
    """

    def __init__(self, estimates: Mapping[str, Estimate], tables: Mapping[str, Any]) -> None:
        self._estimates = dict(estimates)
        self.tables = dict(tables)

    def __getitem__(self, name: str) -> Estimate:
        return self._estimates[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._estimates)

    def __len__(self) -> int:
        return len(self._estimates)

    def __repr__(self) -> str:
        return f"Scores({', '.join(f'{name}={e.value:.6g}' for name, e in self.items())})"


class Total(NamedTuple):
    """An exact sum: an integer of 2^-2148, and how many numbers were infinite and NaN."""

    units: int
    above: int = 0
    below: int = 0
    nans: int = 0

    @property
    def is_finite(self) -> bool:
        """Whether every number was."""
        return not (self.above or self.below or self.nans)

    def __add__(self, other: object) -> Total:
        assert isinstance(other, Total)
        return Total(
            self.units + other.units, self.above + other.above, self.below + other.below,
            self.nans + other.nans,
        )  # fmt: skip

    def times(self, factor: int) -> Total:
        """Multiply by a whole number."""
        above, below = (self.above, self.below) if factor > 0 else (self.below, self.above)
        return Total(factor * self.units, above, below, self.nans) if factor else Total(0)

    def special(self) -> float:
        """Return the infinity or NaN that the numbers, not all finite, add up to."""
        if self.nans or (self.above and self.below):
            return math.nan
        return math.inf if self.above else -math.inf

    def rounded(self) -> float:
        """Round to the nearest double."""
        return quotient(self.units, _ONE) if self.is_finite else self.special()


def quotient(a: int, b: int) -> float:
    """Divide whole numbers and round once; infinite beyond the largest double, NaN by 0."""
    if b == 0:
        return math.nan
    try:
        return a / b
    except OverflowError:
        return math.inf if (a > 0) == (b > 0) else -math.inf


def root_of_quotient(a: int, b: int) -> float:
    """Return the square root of a / b, both whole and not negative, to within a rounding or two."""
    if b == 0:
        return math.nan
    if a <= 0:
        return 0.0
    shift = max(0, 132 - (a.bit_length() - b.bit_length()))
    shift += shift % 2
    return quotient(math.isqrt((a << shift) // b), 1 << (shift // 2))


def mean_of(p: Total, w: Total, scale: int = 1) -> float:
    """Return p / (w scale), rounded once; NaN without rows."""
    if not p.is_finite:
        return p.special() if w.units else math.nan
    return quotient(p.units, w.units * scale)


class Moments(NamedTuple):
    """Sums of p, p w and p² over rows, p being a weighted value times a scale, and of w and w²."""

    p: Total
    p_w: Total
    p_p: Total
    w: Total
    w_w: Total
    scale: int = 1

    def mean(self) -> float:
        """Return sum p / sum w, rounded once; NaN without rows."""
        return mean_of(self.p, self.w, self.scale)

    def standard_error(self) -> float:
        """Return the root of sum (p - m w)² / (sum w)², m being the mean: that of a ratio of two sums."""
        if not (self.p.is_finite and self.p_w.is_finite and self.p_p.is_finite):
            return math.nan
        p, w = self.p.units, self.w.units
        spread = self.p_p.units * w * w - 2 * p * w * self.p_w.units + p * p * self.w_w.units
        return root_of_quotient(spread << UNIT_BITS, w**4 * self.scale**2)


def combination(
    cells: Sequence[Total], n_values: int, weights: Sequence[Total], c: Sequence[float]
) -> Moments:
    """Return the moments of a weighted sum of several values from the values' own: c are its coefficients.

    `cells` are the sums of p_k, of p_k w, and of p_j p_k for j <= k, as the binding has them.
    """
    ratios = [x.as_integer_ratio() for x in c]
    scale = max(b for _, b in ratios)  # powers of two
    whole = [a * (scale // b) for a, b in ratios]
    p = p_w = p_p = Total(0)
    counting = [k for k in range(n_values) if whole[k]]
    for k in counting:
        p += cells[k].times(whole[k])
        p_w += cells[n_values + k].times(whole[k])
        for j in counting[: counting.index(k) + 1]:
            at = 2 * n_values + k * (k + 1) // 2 + j
            p_p += cells[at].times(whole[j] * whole[k] * (1 if j == k else 2))
    return Moments(p, p_w, p_p, weights[0], weights[1], scale)


def with_interval(
    value: float,
    standard_error: float,
    *,
    level: float,
    samples: int,
    weight: float,
    half_width: float = 0.0,
    limits: tuple[float, float] = (-math.inf, math.inf),
    is_difference: bool = False,
) -> Estimate:
    """Make an estimate with the interval of a normal distribution, within the limits that the number has."""
    reach = NormalDist().inv_cdf((1 + level) / 2) * standard_error + half_width
    p_value = None
    if is_difference:
        p_value = math.nan
        if standard_error > 0:
            p_value = math.erfc(abs(value) / standard_error / math.sqrt(2))
        elif standard_error == 0:
            p_value = 1.0 if value == 0 else 0.0
    return Estimate(
        value=value,
        standard_error=standard_error,
        low=max(limits[0], value - reach) if reach == reach else math.nan,
        high=min(limits[1], value + reach) if reach == reach else math.nan,
        samples=samples,
        weight=weight,
        half_width=half_width,
        level=level,
        p_value=p_value,
    )


def minus(a: Estimate, b: Estimate, standard_error: float) -> Estimate:
    """Return the difference of two estimates of the same rows."""
    value = a.value - b.value
    half_width = a.half_width + b.half_width
    made = with_interval(
        value, standard_error, level=a.level, samples=a.samples, weight=a.weight, half_width=half_width,
        is_difference=True,
    )  # fmt: skip
    return replace(made, value=value)
