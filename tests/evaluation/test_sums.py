"""Exact sums: the integer that fractions give, whatever the order, the cut and the tier."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from fastloss import _core
from fastloss.evaluation.estimates import Total

UNIT = Fraction(1, 1 << _core.EXACT_UNIT)
ONE_RUN = np.zeros(1, dtype=np.intp)


def runs(n):
    return np.array([0, n], dtype=np.intp)


def sums_of(values, weights=None, counted=None):
    sums = _core.ExactSums(len(values))
    sums.grow(1)
    sums.add_values(values, weights, counted, runs(len(values[0])), ONE_RUN)
    return sums


def cells(sums, group=0):
    return [sums.cell(group, i) for i in range(sums.width)]


def fraction(cell):
    assert cell[1:] == (0, 0, 0)
    return cell[0] * UNIT


def expected(values, weights, counted):
    """The cells by fractions: sums of p, of p c, of p_j p_k."""
    n = len(values[0])
    w = np.ones(n) if weights is None else weights
    c = np.ones(n) if counted is None else counted
    p = [
        [Fraction(float(x) * float(a)) if a else Fraction(0) for x, a in zip(v, w, strict=True)]
        for v in values
    ]
    found = [sum(q) for q in p]
    found += [sum(x * Fraction(float(a)) for x, a in zip(q, c, strict=True)) for q in p]
    found += [
        sum(a * b for a, b in zip(p[j], p[k], strict=True)) for k in range(len(p)) for j in range(k + 1)
    ]
    return found


def draw(rng, n, kind, dtype):
    x = rng.standard_normal(n)
    if kind == "wide":
        x = x * 2.0 ** rng.integers(-60, 60, n)
    if kind == "extreme":
        low, high = (-149, 120) if dtype is np.float32 else (-1074, 1000)
        x = np.ldexp(rng.uniform(-2, 2, n), rng.integers(low, high, n))
    if kind == "subnormal":
        x = rng.integers(-9, 9, n) * (2.0**-149 if dtype is np.float32 else 2.0**-1074)
    if kind == "apart":  # what the levels of a sum leave has few bits, and the lowest ones
        x = np.where(rng.random(n) < 0.5, x, draw(rng, n, "subnormal", dtype))
    if kind == "cancel":
        x = np.concatenate([x, -x[: n - n // 2]])[:n]
    if kind == "zeros":
        x = np.where(rng.random(n) < 0.7, 0.0, x)
    if kind == "short":  # so few bits that products have no more than a double, or a few too many
        x = np.rint(x * 2.0 ** rng.integers(19, 30)) * 2.0**-9
    return x.astype(dtype)


KINDS = ("plain", "wide", "extreme", "subnormal", "cancel", "zeros", "short", "apart")


@pytest.mark.parametrize("weighted", [False, True, "counted"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_cells_are_what_fractions_give(kind, dtype, weighted):
    rng = np.random.default_rng(KINDS.index(kind))
    for n in (1, 33, 1100, 50, 70):
        values = [draw(rng, n, kind, dtype) for _ in range(2)]
        weights = rng.uniform(0, 3, n) * (rng.random(n) < 0.9) if weighted else None
        counted = weights * rng.integers(0, 3, n) if weighted == "counted" else weights
        found = [fraction(cell) for cell in cells(sums_of(values, weights, counted))]
        assert found == expected(values, weights, counted)


@pytest.mark.parametrize("bits", [(26, 27), (27, 27), (28, 27), (26, 28), (1, 53), (2, 53), (3, 52), (53, 2)])
def test_products_of_as_many_bits_as_a_double_has_or_more(bits):
    rng = np.random.default_rng(sum(bits))
    values = [(rng.integers(2 ** (b - 1), 2**b, 600) | 1) * 2.0**-b for b in bits]
    assert [fraction(cell) for cell in cells(sums_of(values, None, None))] == expected(values, None, None)


def test_sum_is_that_of_fsum():
    rng = np.random.default_rng(5)
    for _ in range(20):
        x = rng.standard_normal(3000) * 10.0 ** rng.integers(-12, 12, 3000)
        total = Total(*sums_of([x]).cell(0, 0)).rounded()
        assert total == math.fsum(x)


def test_rounding_is_to_nearest_even():
    for x, y in (
        (1.0, 2.0**-53),
        (1.0 + 2.0**-52, 2.0**-53),
        (1.0, 2.0**-53 + 2.0**-80),
        (2.0**-1074, 2.0**-1074),
    ):
        assert Total(*sums_of([np.array([x, y])]).cell(0, 0)).rounded() == float(Fraction(x) + Fraction(y))
    largest = np.finfo(np.float64).max
    assert Total(*sums_of([np.array([largest, largest])]).cell(0, 0)).rounded() == math.inf
    assert Total(*sums_of([np.array([largest, largest, -largest])]).cell(0, 0)).rounded() == largest


def test_specials_are_counted_apart():
    x = np.array([1.0, np.inf, -np.inf, np.nan, np.inf, 2.0])
    cell = sums_of([x]).cell(0, 0)
    assert cell[0] * UNIT == 3
    assert cell[1:] == (2, 1, 1)
    assert math.isnan(Total(*cell).rounded())
    assert Total(*sums_of([np.array([np.inf, 1e300])]).cell(0, 0)).rounded() == math.inf
    # What has no weight is left out, whatever it is.
    weighted = sums_of([x], np.array([1.0, 0, 0, 0, 0, 3]), np.array([1.0, 0, 0, 0, 0, 3]))
    assert [fraction(c) for c in cells(weighted)] == [7, 19, 37]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_any_order_split_and_tree_gives_the_same_cells(dtype, weighted):
    rng = np.random.default_rng(7)
    n = 5000
    values = [draw(rng, n, "wide", dtype) for _ in range(2)]
    values[0][17] = np.inf
    weights = rng.uniform(0, 2, n) if weighted else None
    whole = cells(sums_of(values, weights, weights))
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(n)
        pieces = []
        cuts = sorted(random.Random(seed).sample(range(n), 12))
        for a, b in zip([0, *cuts], [*cuts, n], strict=True):
            rows = order[a:b]
            w = None if weights is None else weights[rows]
            pieces.append(sums_of([v[rows] for v in values], w, w))
        while len(pieces) > 1:
            a = pieces.pop(random.Random(seed).randrange(len(pieces)))
            b = pieces[random.Random(seed + 1).randrange(len(pieces))]
            b.merge(a, ONE_RUN)
        assert cells(pieces[0]) == whole


def test_groups_are_apart():
    rng = np.random.default_rng(8)
    x, w = rng.standard_normal(300), rng.uniform(0, 1, 300)
    sums = _core.ExactSums(1)
    sums.grow(3)
    starts, groups = np.array([0, 100, 100, 300]), np.array([2, 1, 0])
    sums.add_values([x], w, w, starts, groups)
    for group, rows in ((2, slice(0, 100)), (1, slice(0, 0)), (0, slice(100, 300))):
        assert cells(sums, group) == cells(sums_of([x[rows]], w[rows], w[rows])) or rows == slice(0, 0)
    assert [c[0] for c in cells(sums, 1)] == [0, 0, 0]


def test_weights_and_counts():
    w = np.random.default_rng(9).uniform(0, 5, 2000)
    sums = _core.ExactSums(0)
    sums.grow(1)
    sums.add_weights(w, runs(2000), ONE_RUN)
    sums.add_counts(np.array([7]), ONE_RUN)
    assert fraction(sums.cell(0, 0)) == 7 + sum(map(Fraction, w))
    assert fraction(sums.cell(0, 1)) == 7 + sum(Fraction(x) ** 2 for x in w)


def test_a_cell_can_be_set_again():
    for cell in ((0, 0, 0, 0), (-1, 1, 2, 3), ((1 << 4300) - 1, 0, 0, 0), (-(1 << 4300), 5, 0, 2**63)):
        sums = _core.ExactSums(0)
        sums.grow(2)
        sums.set_cell(1, 1, *cell)
        assert sums.cell(1, 1) == cell
        assert sums.cell(0, 1) == (0, 0, 0, 0)
    with pytest.raises(OverflowError):
        sums.set_cell(0, 0, 1 << 5000, 0, 0, 0)
    with pytest.raises(IndexError):
        sums.set_cell(2, 0, 0, 0, 0, 0)


def test_many_additions_pass_on_their_carries():
    """Limbs that are never carried would overflow after 2^31 additions of full ones."""
    x = np.full(1024, np.nextafter(1.0, 0))
    sums = sums_of([x])
    for _ in range(50):
        copy = _core.ExactSums(1)
        copy.grow(1)
        copy.merge(sums, ONE_RUN)
        sums.merge(copy, ONE_RUN)
    assert fraction(sums.cell(0, 0)) == 1024 * 2**50 * Fraction(x[0])


def test_runs_that_do_not_fit_are_errors():
    sums = _core.ExactSums(1)
    sums.grow(2)
    x = np.zeros(4)
    for starts, groups in (
        ([0, 5], [0]),
        ([0, 4], [2]),
        ([0, 4], [-1]),
        ([1, 4], [0]),
        ([0, 3, 2, 4], [0, 1, 0]),
    ):
        with pytest.raises(ValueError, match="run"):
            sums.add_values([x], None, None, np.array(starts), np.array(groups))
    with pytest.raises(ValueError, match="length"):
        sums.add_values([x], np.ones(3), np.ones(3), runs(4), ONE_RUN)
    with pytest.raises(TypeError, match="contiguous"):
        sums.add_values([x[::2]], None, None, runs(2), ONE_RUN)


@pytest.mark.parametrize("n", [0, 1, 511, 512, 513, 2000])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (0,)])
def test_rows_are_brought_together_as_by_a_stable_sort(n, shape):
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 7, n).astype(np.uint32)
    rows = rng.integers(0, 100, (2 * n, *shape))
    given = [rows[::2].astype(dtype) for dtype in ("u1", "f2", "f4", ">f8", "c16", "?")] + [rows[1::2]]
    found, starts = _core.bring_together(codes, 9, given)
    order = np.argsort(codes, kind="stable")
    for before, after in zip(given, found, strict=True):
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before[order])
    np.testing.assert_array_equal(starts, np.searchsorted(np.sort(codes), np.arange(10)))


def test_rows_that_cannot_be_brought_together():
    codes = np.array([0, 3], np.uint32)
    with pytest.raises(ValueError, match="code"):
        _core.bring_together(codes, 3, [])
    for array in (np.zeros(3), np.array([None, None])):
        with pytest.raises(TypeError, match="rows"):
            _core.bring_together(codes, 4, [array])
    with pytest.raises(ValueError, match="too many"):
        _core.bring_together(codes, 4, [np.zeros(2)] * 65)


@pytest.mark.parametrize("span", [17, 18, 19, 20, 39, 40, 41, 42])
@pytest.mark.parametrize("n", [2, 31, 32, 33, 1023, 1024, 1025, 2049])
def test_floats_of_every_span_of_exponents(span, n):
    """The lowest bits of the smallest number are those that a level too few would lose."""
    rng = np.random.default_rng(span)
    for top in (-149 + span, 0, 127):
        exponents = rng.integers(top - span, top + 1, n)
        exponents[[0, -1]] = top, top - span
        x = np.ldexp(1 + rng.integers(0, 2**23, n) * 2.0**-23, exponents) * rng.choice([-1, 1], n)
        x = x.astype(np.float32)
        assert [fraction(cell) for cell in cells(sums_of([x]))] == expected([x], None, None)


@pytest.mark.parametrize("low", [-500, -481, -480, -479, -100, 0])
@pytest.mark.parametrize("high", [0, 100, 479, 480, 481, 500, 990])
def test_products_at_the_ends_of_the_range(low, high):
    rng = np.random.default_rng(high - low)
    x, w = (np.ldexp(rng.uniform(1, 2, 1030), rng.choice([low, high], 1030)) for _ in range(2))
    w = np.where(rng.random(1030) < 0.2, 0, w)
    if 2 * high < 1000:
        assert [fraction(cell) for cell in cells(sums_of([x], w, w))] == expected([x], w, w)
    weights = _core.ExactSums(0)
    weights.grow(1)
    weights.add_weights(w, runs(1030), ONE_RUN)
    exact = list(map(Fraction, w.tolist()))
    assert [fraction(weights.cell(0, i)) for i in range(2)] == [sum(exact), sum(x * x for x in exact)]


def test_what_is_left_of_a_block_is_summed_again():
    """Numbers so far apart that no few levels take all of their bits, with infinity and NaN beside."""
    rng = np.random.default_rng(1)
    x = np.ldexp(rng.uniform(1, 2, 1024), rng.permutation(1024) * 2 - 1074)
    assert fraction(sums_of([x[np.abs(x) < 2.0**400]]).cell(0, 0)) == sum(
        map(Fraction, x[np.abs(x) < 2.0**400].tolist())
    )
    for special, wanted in ((np.inf, (1, 0, 0)), (-np.inf, (0, 1, 0)), (np.nan, (0, 0, 1))):
        y = np.append(x[:500], special)
        cell = sums_of([y]).cell(0, 0)
        assert cell[1:] == wanted
        assert cell[0] * UNIT == sum(map(Fraction, y[:500].tolist()))
