"""Rows in which one logit is far below the others.

At certain depths terms are no normal numbers any more, and long rows take another way; that must not be seen.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import fastloss as fl

# Around the depth at which a term is no normal number any more, and at which a chunk is known to have none.
DEPTHS = {
    np.float32: (1.5, 80, 99.5, 100, 100.5, 104, 105.5, 110, 149.5, 151, 400, np.inf),
    np.float64: (1.5, 600, 699.5, 700, 700.5, 740, 748, 760, 799.5, 801, 4000, np.inf),
}
LARGE = {np.float32: 70000, np.float64: 2**21}  # beyond it the row's maximum is subtracted
N_CLASSES = {np.float32: (5, 129, 200, 1000, 1500), np.float64: (5, 121, 200, 500, 700)}


def _assert_near(found: Any, expected: Any, what: str) -> None:
    """Within 8 ULP; below the normal numbers within a few of the least ones, or zero."""
    info = np.finfo(found.dtype)
    least = float(info.smallest_subnormal)
    with mpmath.workdps(50):
        for x in np.unique(found):
            error = abs(mpmath.mpf(float(x)) - expected)
            ulp = max(abs(expected) * float(info.eps), least)
            small = abs(expected) < float(info.tiny)
            assert error <= (4 * least if small else 8 * ulp) or (small and x == 0), (what, x, expected)


@pytest.mark.parametrize("shift", [0, -40, 90, "large"])
def test_one_logit_far_below_the_others(shift: Any, dtype: Any) -> None:
    loss = fl.CrossEntropy()
    for n_classes in N_CLASSES[dtype]:
        for place in sorted({0, 3, n_classes // 2, n_classes - 2, n_classes - 1}):
            z = np.full((len(DEPTHS[dtype]), n_classes), LARGE[dtype] if shift == "large" else shift, dtype)
            z[:, place] -= np.array(DEPTHS[dtype], dtype)
            others = np.arange(n_classes) != place
            own = (place + 1) % n_classes
            for y in (place, own):
                value, gradient = loss.value_and_gradient(np.full(len(z), y), z, reduction="none")
                shares = loss.probabilities(z)
                for i, depth in enumerate(DEPTHS[dtype]):
                    what = f"{n_classes} classes, {place} lower by {depth}, class {y}"
                    with mpmath.workdps(50):
                        term = mpmath.exp(-mpmath.mpf(depth))
                        total = n_classes - 1 + term
                        low, high = term / total, 1 / total
                        loss_of = mpmath.log(total) + (depth if y == place else 0)
                        slope = -(n_classes - 1) / total if y == place else -(n_classes - 2 + term) / total
                    _assert_near(shares[i, others], high, what)
                    _assert_near(shares[i, [place]], low, what)
                    if np.isfinite(depth) or y != place:
                        _assert_near(value[[i]], loss_of, what)
                    _assert_near(gradient[i, [y]], slope, what)
                    rest = others & (np.arange(n_classes) != y)
                    _assert_near(gradient[i, rest], high, what)
                    if y != place:
                        _assert_near(gradient[i, [place]], low, what)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n_classes", [3, 150, 500])
def test_a_masked_logit_of_a_class_without_weight(n_classes: int, order: Any, dtype: Any) -> None:
    """The smoothed target's share in it is 0·∞: nothing."""
    weights = np.ones(n_classes)
    weights[0] = 0
    loss = fl.CrossEntropy(label_smoothing=0.25, class_weight=weights)
    z = np.zeros((40, n_classes), dtype, order=order)
    z[:, 0] = -np.inf
    value, gradient = loss.value_and_gradient(np.zeros(40, int), z, reduction="none")
    with mpmath.workdps(50):
        expected = mpmath.mpf("0.25") / n_classes * (n_classes - 1) * mpmath.log(n_classes - 1)
        _assert_near(value, expected, "value")
    assert np.all(gradient[:, 0] == 0)
    assert np.all(np.abs(gradient) < 1e-6)  # what is left of the target is the same for all other classes


@pytest.mark.parametrize("n_classes", [1025, 4097])
def test_rounding_errors_of_long_sums_do_not_grow_with_gamma(n_classes: int, rng: Any) -> None:
    """Four exponentials that repeat along a row are rounded alike each time they are added up.

    Of -(1 - p)^5·log p, p near 1, an error of 1 - p would come six times.
    """
    n = n_classes - 1
    logits = np.empty((600, n_classes), np.float32)
    for every, some in ((16, slice(300)), (32, slice(300, 600))):
        four = rng.uniform(-3, 0, (300, 4)).astype(np.float32)
        logits[some, :n] = four[:, np.arange(n) // every % 4]
    exponentials = np.exp(logits[:, :n].astype(np.longdouble))
    logits[:, n] = np.log(exponentials.sum(1) * rng.uniform(5, 30, 600))
    rest = exponentials.sum(1) / np.exp(logits[:, n].astype(np.longdouble))
    wrong = rest / (1 + rest)
    expected = -(wrong**5) * np.log1p(-wrong)
    found = fl.Focal(gamma=5.0)(np.full(600, n), logits, reduction="none")
    error = abs(found - expected) / np.spacing(expected.astype(np.float32))
    assert error.max() < 4


def test_hessians_of_divergences_by_subnormal_masses(dtype: Any) -> None:
    """p/q² and half of p/(q·(p + q)) keep their digits where p/q is subnormal on the way."""
    least, eps = float(np.finfo(dtype).smallest_subnormal), float(np.finfo(dtype).eps)
    for size in (2.0**-17, 2.0**-40, least * 2.0**49):
        p, q = np.array([[3 * least, 1]], dtype), np.array([[1.7 * size, 1 - 1.7 * size]], dtype)
        for loss, share in ((fl.KLDivergence(), 1), (fl.JSDivergence(), 0.5)):
            found = loss.value_gradient_and_hessian(p, q, reduction="none")[2][0, 0]
            mass, other = mpmath.mpf(3 * least), mpmath.mpf(float(q[0, 0]))
            expected = share * mass / other / (other if share == 1 else mass + other)
            assert float(found) == pytest.approx(float(expected), rel=4 * eps, abs=0)
