"""Rows worked out by hand, for the library and for the reference alike.

An entry is (y, z, value, gradient, Hessian) of one row. Logits are logarithms of whole numbers, so that their
softmax is a row of fractions.
"""

from __future__ import annotations

from math import exp, inf, log, sqrt
from typing import Any

import numpy as np
import pytest

import fastloss as fl
from fastloss import reference
from rows import samples as row_samples

LOG2, LOG3, LOG4, LOG10 = log(2), log(3), log(4), log(10)
EPS = 2.0**-52
nan = float("nan")
#: softmax of it is (1, 2, 3, 4)/10.
TENTHS = [0.0, LOG2, LOG3, LOG4]
#: p·(1 - p) of that.
SPREAD = [0.09, 0.16, 0.21, 0.24]

LITERALS: list[tuple[str, dict[str, Any], list[tuple[Any, Any, Any, Any, Any]]]] = [
    (
        "CrossEntropy",
        {},
        [
            (0, [0.0, 0.0], LOG2, [-0.5, 0.5], [0.25, 0.25]),
            (0, TENTHS, LOG10, [-0.9, 0.2, 0.3, 0.4], SPREAD),
            (3, TENTHS, log(2.5), [0.1, 0.2, 0.3, -0.6], SPREAD),
            ([0.5, 0.0, 0.0, 0.5], TENTHS, log(5), [-0.4, 0.2, 0.3, -0.1], SPREAD),
            # Targets that sum to 2 count twice.
            ([1.0, 1.0], [0.0, LOG3], 2 * LOG4 - LOG3, [-0.5, 0.5], [0.375, 0.375]),
            ([0.0, 0.0], [0.0, LOG3], 0, [0, 0], [0, 0]),
            (0, [7.0], 0, [0], [0]),
            # One class far ahead: log1p(e^-100) is e^-100, and 1 - p too.
            (0, [100.0, 0.0], exp(-100), [-exp(-100), exp(-100)], [exp(-100), exp(-100)]),
            (1, [700.0, 0.0], 700, [1, -1], [exp(-700), exp(-700)]),
            (1, [1e30, -1e30], 2e30, [1, -1], [0, 0]),
            # Masked classes
            (0, [0.0, -inf, LOG3], LOG4, [-0.75, 0, 0.75], [3 / 16, 0, 3 / 16]),
            (1, [0.0, -inf], inf, [1, -1], [0, 0]),
            ([0.5, 0.0, 0.5], [0.0, -inf, 0.0], LOG2, [0, 0, 0], [0.25, 0, 0.25]),
            (0, [-inf, -inf], nan, [nan, nan], [nan, nan]),
            (0, [inf, 0.0], nan, [nan, nan], [nan, nan]),
            (0, [0.0, inf], nan, [nan, nan], [nan, nan]),
            (1, [nan, 0.0], nan, [nan, nan], [nan, nan]),
            (0, [0.0, -inf], 0, [0, 0], [0, 0]),
            (0, [0.0, 100.0], 100, [-1, 1], [exp(-100), exp(-100)]),
            (0, [0.0, nan], nan, [nan, nan], [nan, nan]),
        ],
    ),
    (
        "CrossEntropy",
        {"class_weight": [3.0, 0.5]},
        [
            (0, [0.0, 0.0], 3 * LOG2, [-1.5, 1.5], [0.75, 0.75]),
            (1, [0.0, 0.0], 0.5 * LOG2, [0.25, -0.25], [0.125, 0.125]),
            ([0.5, 0.5], [0.0, 0.0], 1.75 * LOG2, [-0.625, 0.625], [0.4375, 0.4375]),
        ],
    ),
    # A target 1 becomes 1 - s + s/C = 5/8, the others s/C = 1/8.
    (
        "CrossEntropy",
        {"label_smoothing": 0.5},
        [
            (0, [0.0, 0.0, 0.0, 0.0], LOG4, [-0.375, 0.125, 0.125, 0.125], [3 / 16] * 4),
            (0, TENTHS, LOG10 - (LOG2 + LOG3 + LOG4) / 8, [-0.525, 0.075, 0.175, 0.275], SPREAD),
            ([0.0, 1.0], [0.0, LOG3], LOG4 - 0.75 * LOG3, [0, 0], [3 / 16, 3 / 16]),
            (0, [0.0, -inf, 0.0, 0.0], inf, [1 / 3 - 0.625, -0.125, 1 / 3 - 0.125, 1 / 3 - 0.125], None),
        ],
    ),
    # Both: targets 2·5/8 and 1·1/8, in PyTorch's way.
    (
        "CrossEntropy",
        {"label_smoothing": 0.5, "class_weight": [2.0, 1.0]},
        [
            (
                0,
                [0.0, LOG3],
                1.5 * LOG4 + 0.25 * (LOG4 - LOG3),
                [1.75 / 4 - 1.5, 0.75 * 1.75 - 0.25],
                [21 / 64] * 2,
            )
        ],
    ),
    (
        "CrossEntropy",
        {"ignore_index": -1},
        [
            (-1, [3.0, 4.0], 0, [0, 0], [0, 0]),
            (-1, [nan, inf], 0, [0, 0], [0, 0]),
            (0, [0.0, 0.0], LOG2, [-0.5, 0.5], None),
        ],
    ),
    (
        "CrossEntropy",
        {"from_logits": False},
        [
            (1, [0.75, 0.25], LOG4, [0, -4], [0, 16]),
            ([0.5, 0.5], [0.75, 0.25], LOG4 - LOG3 / 2, [-2 / 3, -2], [8 / 9, 8]),
            # Clipped to the machine epsilon
            (1, [1.0, 0.0], 52 * LOG2, [0, -1 / EPS], [0, 1 / EPS**2]),
            (0, [1.0, 0.0], 0, [-1, 0], [1, 0]),
        ],
    ),
    # r = ½: value α·q²·L; F = q^γ(γ·r·L/q + 1) = ¼(2L + 1); Hessian F/4 + 2·¼·½·(0·L + 1)
    (
        "Focal",
        {},
        [
            (0, [0.0, 0.0], LOG2 / 4, [-(2 * LOG2 + 1) / 8, (2 * LOG2 + 1) / 8], [(2 * LOG2 + 5) / 16] * 2),
            (0, [0.0, -inf], 0, [0, 0], [0, 0]),
            (0, [5.0], 0, [0], [0]),
            (1, [100.0, 0.0], 100, [1, -1], None),
            (0, [nan, 0.0], nan, [nan, nan], [nan, nan]),
        ],
    ),
    ("Focal", {"gamma": 0.0}, [(3, TENTHS, log(2.5), [0.1, 0.2, 0.3, -0.6], SPREAD)]),
    ("Focal", {"gamma": 0.0, "alpha": 0.25}, [(0, [0.0, 0.0], LOG2 / 4, [-0.125, 0.125], [1 / 16, 1 / 16])]),
    ("Focal", {"gamma": 0.0, "alpha": [3.0, 5.0]}, [(1, [0.0, 0.0], 5 * LOG2, [2.5, -2.5], [1.25, 1.25])]),
    # -(½ - ...) by r: gradient -(2qL + q²/r), Hessian 2L + 4q/r + q²/r²
    (
        "Focal",
        {"from_logits": False},
        [(1, [0.75, 0.25], 9 / 16 * LOG4, [0, -(1.5 * LOG4 + 2.25)], [0, 2 * LOG4 + 12 + 9])],
    ),
    # r = ½: (1 - ½)/1, ½·(p - e), and ½·½·(½ - ½·1) of both classes; with q = ½ the root of ½, √½, for r^q
    ("GeneralizedCrossEntropy", {"q": 1.0}, [(0, [0.0, 0.0], 0.5, [-0.25, 0.25], [0, 0])]),
    (
        "GeneralizedCrossEntropy",
        {"q": 0.5},
        [
            (1, [0.0, 0.0], 2 - 2 * 0.5**0.5, [0.5**1.5, -(0.5**1.5)], [0.5**0.5 / 8] * 2),
            (0, [0.0, -inf], 0, [0, 0], [0, 0]),
            (1, [0.0, -inf], 2, [0, 0], [0, 0]),
            (0, [nan, 0.0], nan, [nan, nan], [nan, nan]),
        ],
    ),
    # ε = 2, r = ½: value log 2 + 2·½; gradient ∓½·(1 + 2·½); Hessian of either class ¼·(1 + 0)·...
    (
        "Poly1CrossEntropy",
        {"epsilon": 2.0},
        [
            (0, [0.0, 0.0], LOG2 + 1, [-1, 1], [0.25, 0.25]),
            # r = ¼: ¼·¾·(1 + 2·(¼ - ¾)) = 0; of the other p(1 - p) + 2·r·p·(1 - 2p)
            (1, [LOG3, 0.0], LOG4 + 1.5, [1.125, -1.125], [0, 0]),
            (2, [0.0, 0.0, LOG2], LOG2 + 1, [0.5, 0.5, -1], [5 / 16, 5 / 16, 0.25]),
            (0, [5.0], 0, [0], [0]),
            (1, [100.0, 0.0], 102, [1, -1], None),
            (0, [0.0, -inf], 0, [0, 0], [0, 0]),
            (0, [nan, 0.0], nan, [nan, nan], [nan, nan]),
        ],
    ),
    (
        "MulticlassHinge",
        {},
        [
            (0, [1.0, 0.5, 0.75], 0.75, [-1, 0, 1], [0, 0, 0]),
            (0, [0.0, 5.0, 5.0], 6, [-1, 1, 0], [0, 0, 0]),  # the first maximum
            (1, [5.0, 0.0, 5.0], 6, [1, -1, 0], [0, 0, 0]),
            (2, [5.0, 5.0, 5.0], 1, [1, 0, -1], [0, 0, 0]),
            (0, [2.0, 1.0], 0, [0, 0], [0, 0]),  # the kink
            (0, [2.0, 1.25], 0.25, [-1, 1], [0, 0]),
            (0, [9.0, 1.0], 0, [0, 0], [0, 0]),
            (0, [9.0], 0, [0], [0]),
            (0, [0.0, -inf, 3.0], 4, [-1, 0, 1], [0, 0, 0]),
            (0, [0.0, nan], nan, [nan, nan], [nan, nan]),
        ],
    ),
    (
        "MulticlassHinge",
        {"kind": "weston-watkins"},
        [
            (0, [1.0, 0.5, 0.75], 1.25, [-2, 1, 1], [0, 0, 0]),
            (0, [0.0, 5.0, 5.0, -1.0], 12, [-2, 1, 1, 0], [0] * 4),  # the last one is at its kink
            (1, [-9.0, 2.0], 0, [0, 0], [0, 0]),
            (0, [9.0], 0, [0], [0]),
        ],
    ),
    (
        "KLDivergence",
        {},
        [
            ([0.5, 0.5], [0.25, 0.75], LOG2 - LOG3 / 2, [-2, -2 / 3], [8, 8 / 9]),
            ([0.25, 0.75], [0.25, 0.75], 0, [-1, -1], [4, 4 / 3]),
            ([0.0, 1.0], [0.5, 0.5], LOG2, [0, -2], [0, 4]),
            ([0.0, 1.0], [0.0, 1.0], 0, [0, -1], [0, 1]),
            ([0.5, 0.5], [0.0, 1.0], inf, [-inf, -0.5], [inf, 0.5]),
            ([0.0, 0.0], [0.0, 0.0], 0, [0, 0], [0, 0]),
            ([3.0], [1.0], 3 * LOG3, [-3], [3]),  # used as given
            ([1e-100, 1.0], [1e100, 1.0], -200e-100 * LOG10, [-1e-200, -1], [1e-300, 1]),
        ],
    ),
    (
        "KLDivergence",
        {"from_logits": True},
        [
            ([0.5, 0.5], [0.0, LOG3], LOG2 - LOG3 / 2, [-0.25, 0.25], [3 / 16, 3 / 16]),
            ([1.0, 0.0], [0.0, -inf], 0, [0, 0], [0, 0]),
            ([0.5, 0.5], [0.0, -inf], inf, [0.5, -0.5], [0, 0]),
            ([0.5, 0.5], [nan, 0.0], nan, [nan, nan], [nan, nan]),
        ],
    ),
    (
        "JSDivergence",
        {},
        [
            ([1.0, 0.0], [0.0, 1.0], LOG2, [-inf, LOG2 / 2], [inf, 0]),
            ([0.5, 0.5], [0.5, 0.5], 0, [0, 0], [0.5, 0.5]),
            # m = (½, ½): ½(½log½ + 3/2·log(3/2)) twice
            (
                [0.25, 0.75],
                [0.75, 0.25],
                0.25 * log(0.5) + 0.75 * log(1.5),
                [log(1.5) / 2, log(0.5) / 2],
                [1 / 6, 1.5],
            ),
            ([0.0, 0.0], [0.0, 0.0], 0, [0, 0], [0, 0]),
            ([0.0, 1.0], [0.0, 1.0], 0, [0, 0], [0, 0.25]),
        ],
    ),
    ("JSDivergence", {"base": 2.0}, [([1.0, 0.0], [0.0, 1.0], 1, [-inf, 0.5], [inf, 0])]),
    ("JSDivergence", {"base": 4.0, "distance": True}, [([1.0, 0.0], [0.0, 1.0], sqrt(0.5), None, None)]),
    (
        "JSDivergence",
        {"distance": True},
        [
            ([0.5, 0.5], [0.5, 0.5], 0, [0, 0], [0, 0]),
            # J' = ½·log 2 at the second class, where J'' is 0
            ([1.0, 0.0], [0.0, 1.0], sqrt(LOG2), [-inf, sqrt(LOG2) / 4], None),
        ],
    ),
    (
        "EuclideanError",
        {},
        [
            ([0.0, 0.0], [3.0, 4.0], 5, [0.6, 0.8], None),
            ([3.0, -4.0], [0.0, 0.0], 5, [-0.6, 0.8], None),
            ([1.0, 2.0], [1.0, 2.0], 0, [0, 0], None),
            ([0.0], [-2.0], 2, [-1], None),
            ([0.0, 0.0], [3e300, 4e300], 5e300, [0.6, 0.8], None),
            ([0.0, 0.0], [3e-300, -4e-300], 5e-300, [0.6, -0.8], None),
            ([0.0, 0.0], [3e-320, 4e-320], 5e-320, [0.6, 0.8], None),
            ([1.0, 1.0], [nan, 1.0], nan, [nan, nan], None),
        ],
    ),
]

CASES = [
    pytest.param(name, parameters, row, id=f"{name}{i}-{j}")
    for i, (name, parameters, rows) in enumerate(LITERALS)
    for j, row in enumerate(rows)
]


@pytest.mark.filterwarnings("ignore:.*rows are used as given")
@pytest.mark.parametrize("kit", [fl, reference], ids=["fastloss", "reference"])
@pytest.mark.parametrize(("name", "parameters", "row"), CASES)
def test_by_hand(kit: Any, name: str, parameters: dict[str, Any], row: Any) -> None:
    y, z, *expected = row
    # The inexact logarithms in the logits, and subnormal numbers, leave some ULPs.
    loss, tolerance = getattr(kit, name)(**parameters), 1e-4 if 0 < max(np.abs(z)) < 1e-310 else 4e-15
    if kit is reference and (expected[0] == exp(-100) or np.isnan(expected[0])):
        tolerance = 1e-40  # the plain formulas give 0 for the value, and 1 - 1 = 0 for the gradient
        expected = [x if np.isnan(expected[0]) else None for x in expected]
    results = [loss([y], [z], reduction="none"), loss.gradient([y], [z], reduction="none")]
    if loss.has_hessian:
        results.append(loss.gradient_and_hessian([y], [z], reduction="none")[1])
    for found, wanted in zip(results, expected, strict=False):
        if wanted is not None:
            zero = 1e-300 if kit is fl else 1e-15
            np.testing.assert_allclose(found[0], wanted, rtol=tolerance, atol=zero)
    if not np.isnan(results[0]).any():
        assert loss([y], [z], reduction="sum") == results[0][0]


def test_every_row_loss_is_here() -> None:
    assert {name for name, _, _ in LITERALS} == {cls.__name__ for cls in row_samples.ROWS}


@pytest.mark.parametrize("kit", [fl, reference], ids=["fastloss", "reference"])
def test_no_hessian_of_a_distance(kit: Any) -> None:
    for verb in ("gradient_and_hessian", "value_gradient_and_hessian"):
        with pytest.raises(TypeError, match="not diagonal"):
            getattr(kit.EuclideanError(), verb)([[0.0]], [[1.0]])


@pytest.mark.parametrize("kit", [fl, reference], ids=["fastloss", "reference"])
def test_links_by_hand(kit: Any) -> None:
    loss = kit.CrossEntropy()
    z = np.array([TENTHS, [-inf, 0.0, -inf, LOG3]])
    expected = np.array([[0.1, 0.2, 0.3, 0.4], [0, 0.25, 0, 0.75]])
    np.testing.assert_allclose(loss.probabilities(z), expected, rtol=4e-16)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(loss.log_probabilities(z), np.log(expected), rtol=4e-16)


def test_weights_and_reductions_by_hand() -> None:
    """Class weight times sample weight, and nothing for ignored rows, is what a mean divides by."""
    loss = fl.CrossEntropy(class_weight=[3.0, 1.0], ignore_index=7)
    y, z, w = [0, 1, 7, 0], np.zeros((4, 2)), [1.0, 2.0, 9.0, 0.5]
    counted = 3 + 2 + 1.5
    np.testing.assert_allclose(loss(y, z, sample_weight=w, reduction="sum"), counted * LOG2, rtol=1e-15)
    np.testing.assert_allclose(loss(y, z, sample_weight=w), LOG2, rtol=1e-15)
    gradient = np.array([[-1.5, 1.5], [1, -1], [0, 0], [-0.75, 0.75]])
    np.testing.assert_array_equal(loss.gradient(y, z, sample_weight=w, reduction="sum"), gradient)
    np.testing.assert_allclose(loss.gradient(y, z, sample_weight=w), gradient / counted, rtol=4e-16)
