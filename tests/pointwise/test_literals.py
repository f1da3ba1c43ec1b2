"""Values, gradients and Hessians worked out by hand, for the library and for the reference alike.

A row is (y, z, value, gradient, Hessian). The numbers follow from the definitions alone: closed forms at
points where the elementary functions are known, both sides of every kink, and the kink itself.
"""

from __future__ import annotations

from math import cosh, e, exp, inf, log, sqrt, tanh
from typing import Any

import numpy as np
import pytest
from conftest import POINTWISE

import fastloss as fl
from fastloss import reference

LOG2, LOG3 = log(2), log(3)
EPS = 2.0**-52
#: Of a label 0 and the logit log 3: p = 3/4, s = 3/16, 2ps, and 2s(s + p(1 - 2p)).
BRIER = (9 / 16, 9 / 32, 3 / 8 * (3 / 16 - 3 / 8))
nan = float("nan")

LITERALS: list[tuple[str, dict[str, Any], list[tuple[float, float, float, float, float]]]] = [
    ("SquaredError", {}, [(1, 4, 9, 6, 2), (4, 1, 9, -6, 2), (2, 2, 0, 0, 2), (-1.5, 0, 2.25, 3, 2)]),
    ("HalfSquaredError", {}, [(1, 4, 4.5, 3, 1), (4, 1, 4.5, -3, 1), (2, 2, 0, 0, 1)]),
    ("AbsoluteError", {}, [(1, 4, 3, 1, 0), (4, 1, 3, -1, 0), (2, 2, 0, 0, 0), (0, -0.0, 0, 0, 0)]),
    (
        "Huber",
        {"delta": 2.0},
        [(0, 1, 0.5, 1, 1), (0, 2, 2, 2, 1), (0, -2, 2, -2, 1), (1, 6, 8, 2, 0), (6, 1, 8, -2, 0)],
    ),
    ("Huber", {}, [(0, 1, 0.5, 1, 1), (0, 1.25, 0.75, 1, 0), (0, 0, 0, 0, 1)]),
    (
        "SmoothL1",
        {"beta": 2.0},
        [(0, 1, 0.25, 0.5, 0.5), (0, 2, 1, 1, 0), (0, -2, 1, -1, 0), (1, 6, 4, 1, 0), (6, 1, 4, -1, 0)],
    ),
    ("SmoothL1", {"beta": 0.0}, [(0, 3, 3, 1, 0), (3, 0, 3, -1, 0), (3, 3, 0, 0, 0)]),
    # cosh(log 2) = (2 + ½)/2 = 5/4, tanh(log 2) = (2 - ½)/(2 + ½) = 3/5
    (
        "LogCosh",
        {},
        [
            (0, LOG2, log(5 / 4), 3 / 5, 16 / 25),
            (LOG3, 0, log(5 / 3), -4 / 5, 9 / 25),
            (7, 7, 0, 0, 1),
            (0, 1e-9, 0.5e-18, 1e-9, 1),
            (0, -1000, 1000 - LOG2, -1, 0),
            (1, 3, log(cosh(2)), tanh(2), 1 - tanh(2) ** 2),
        ],
    ),
    # 3-4-5 triangles: √(1 + (3/4)²) = 5/4
    (
        "PseudoHuber",
        {},
        [(0, 0.75, 0.25, 0.6, 0.512), (0.75, 0, 0.25, -0.6, 0.512), (1, 1, 0, 0, 1), (0, 1e200, 1e200, 1, 0)],
    ),
    ("PseudoHuber", {"delta": 4.0}, [(0, 3, 4, 2.4, 0.512), (5, 2, 4, -2.4, 0.512)]),
    ("Quantile", {"q": 0.25}, [(1, 3, 1.5, 0.75, 0), (3, 1, 0.5, -0.25, 0), (2, 2, 0, 0, 0)]),
    ("Quantile", {}, [(1, 3, 1, 0.5, 0), (3, 1, 1, -0.5, 0)]),
    ("Expectile", {"q": 0.25}, [(1, 3, 3, 3, 1.5), (3, 1, 1, -1, 0.5)]),
    (
        "Cauchy",
        {},
        [
            (0, 1, LOG2 / 2, 0.5, 0),
            (1, 0, LOG2 / 2, -0.5, 0),
            (0, 3, log(10) / 2, 0.3, -0.08),
            (5, 5, 0, 0, 1),
        ],
    ),
    ("Cauchy", {"c": 2.0}, [(0, 2, 2 * LOG2, 1, 0), (0, 1, 2 * log(1.25), 0.8, 0.48)]),
    (
        "Welsch",
        {},
        [(0, 1, (1 - 1 / e) / 2, 1 / e, -1 / e), (1, 0, (1 - 1 / e) / 2, -1 / e, -1 / e), (3, 3, 0, 0, 1)],
    ),
    ("Welsch", {"c": 2.0}, [(0, 2, 2 * (1 - 1 / e), 2 / e, -1 / e), (0, 1e6, 2, 0, 0)]),
    (
        "Tukey",
        {"c": 2.0},
        [
            (0, 1, 4 / 6 * (1 - 27 / 64), 9 / 16, 0.75 * -0.25),
            (1, 0, 4 / 6 * (1 - 27 / 64), -9 / 16, 0.75 * -0.25),
            (0, 0, 0, 0, 1),
            (0, 2, 4 / 6, 0, 0),
            (0, 3, 4 / 6, 0, 0),
            (3, 0, 4 / 6, 0, 0),
        ],
    ),
    (
        "Poisson",
        {},
        [
            (3, 0, 1, -2, 1),
            (0, 0, 1, 1, 1),
            (2, LOG2, 2 - 2 * LOG2, 0, 2),
            (5, -LOG2, 0.5 + 5 * LOG2, -4.5, 0.5),
        ],
    ),
    ("Gamma", {}, [(3, 0, 3, -2, 3), (2, LOG2, LOG2 + 1, 0, 1), (1, -LOG3, 3 - LOG3, -2, 3)]),
    # 2·e^(z/2) + 2y·e^(-z/2), at z = 2·log 2
    ("Tweedie", {}, [(2, 2 * LOG2, 4 + 2, 2 - 1, 1 + 0.5), (0, 0, 2, 1, 0.5), (9, 2 * LOG3, 12, 0, 3)]),
    ("Tweedie", {"power": 1.0}, [(2, LOG2, 2 - 2 * LOG2, 0, 2), (0, 0, 1, 1, 1)]),
    ("Tweedie", {"power": 2.0}, [(2, LOG2, LOG2 + 1, 0, 1), (3, 0, 3, -2, 3)]),
    # ¾·e^(z/4)·… with p = 7/4: 4e^(z/4) + (4/3)y·e^(-3z/4), at z = 4·log 2
    ("Tweedie", {"power": 1.75}, [(6, 4 * LOG2, 8 + 1, 2 - 0.75, 0.5 + 0.5625)]),
    (
        "SquaredLogError",
        {},
        [
            (0, 1, LOG2**2, LOG2, (1 - LOG2) / 2),
            (1, 0, LOG2**2, -2 * LOG2, 2 * (1 + LOG2)),
            (0, e - 1, 1, 2 / e, 0),
            (-0.5, -0.5, 0, 0, 8),
        ],
    ),
    (
        "AbsolutePercentageError",
        {},
        [(2, 3, 0.5, 0.5, 0), (-2, -3, 0.5, -0.5, 0), (4, 4, 0, 0, 0), (0, 1, 1 / EPS, 1 / EPS, 0)],
    ),
    (
        "SymmetricAbsolutePercentageError",
        {},
        [
            (3, 5, 0.5, 12 / 64, -24 / 512),
            (-3, -5, 0.5, -12 / 64, -24 / 512),
            (3, 1, 1, -12 / 16, 24 / 64),
            (-3, -1, 1, 12 / 16, 24 / 64),
            (3, -1, 2, 0, 0),
            (-1, 3, 2, 0, 0),
            (2, 2, 0, 0, 0),
            (0, 0, 0, 0, 0),
            (0, -0.0, 0, 0, 0),
            (0, 7, 2, 0, 0),
            # a kink, 0 below and -4/y above
            (4, 0, 2, -0.5, 0),
            (-4, 0, 2, 0.5, 0),
            (3e200, 5e200, 0.5, 12 / 64e200, 0),
        ],
    ),
    (
        "ZeroOne",
        {},
        [(1, 1, 0, nan, nan), (1, 0, 1, nan, nan), (3, 3.5, 1, nan, nan), (-0.0, 0, 0, nan, nan)],
    ),
    (
        "ZeroOne",
        {"threshold": 0.5},
        [(1, 1.5, 1, nan, nan), (1, 0.5, 1, nan, nan), (1, 1.25, 0, nan, nan), (1, 1, 0, nan, nan)],
    ),
    (
        "ZeroOne",
        {"from_logits": True},
        [(1, 2, 0, nan, nan), (1, -1e-30, 1, nan, nan), (0, 0, 1, nan, nan), (-1, -1e-30, 0, nan, nan)],
    ),
    (
        # log(0.9/0.1) = 2.197
        "ZeroOne",
        {"from_logits": True, "threshold": 0.9},
        [(1, -2.19, 0, nan, nan), (1, -2.2, 1, nan, nan), (0, 2.19, 0, nan, nan), (0, 2.2, 1, nan, nan)],
    ),
    (
        "Perceptron",
        {},
        [
            (1, 2, 0, 0, 0),
            (1, -2, 2, -1, 0),
            (-1, 2, 2, 1, 0),
            (0, 2, 2, 1, 0),
            (0, -2, 0, 0, 0),
            (1, 0, 0, 0, 0),
        ],
    ),
    (
        "Hinge",
        {},
        [
            (1, 2, 0, 0, 0),
            (1, 1, 0, 0, 0),
            (1, 0.5, 0.5, -1, 0),
            (-1, 0, 1, 1, 0),
            (0, 3, 4, 1, 0),
            (0, -1, 0, 0, 0),
        ],
    ),
    (
        "SquaredHinge",
        {},
        [(1, 2, 0, 0, 0), (1, 1, 0, 0, 0), (1, 0.5, 0.25, -1, 2), (-1, 0, 1, 2, 2), (0, 3, 16, 8, 2)],
    ),
    (
        "ModifiedHuber",
        {},
        [(1, 2, 0, 0, 0), (1, 0.5, 0.25, -1, 2), (-1, 0, 1, 2, 2), (0, 1, 4, 4, 2), (1, -3, 12, -4, 0)],
    ),
    (
        "BrierScore",
        {},
        [(1, 0, 0.25, -0.25, 0.125), (0, 0, 0.25, 0.25, 0.125), (0.5, 0, 0, 0, 0.125), (0, LOG3, *BRIER)],
    ),
    ("BrierScore", {"from_logits": False}, [(1, 0.75, 1 / 16, -0.5, 2), (0, 0.5, 0.25, 1, 2)]),
    ("Linex", {}, [(1, 1, 0, 0, 1), (1, 1 + LOG2, 1 - LOG2, 1, 2), (LOG2, 0, LOG2 - 0.5, -0.5, 0.5)]),
    ("Linex", {"a": -2.0}, [(1, 1, 0, 0, 4), (LOG2, 0, 3 - 2 * LOG2, -6, 16)]),
    (
        "Fair",
        {"c": 2.0},
        [(0, 0, 0, 0, 1), (0, 2, 4 - 4 * LOG2, 1, 0.25), (6, 0, 12 - 8 * LOG2, -1.5, 1 / 16)],
    ),
    (
        "GeneralRobust",
        {},
        [(0, 0, 0, 0, 1), (0, 3**0.5, 1, 3**0.5 / 2, 1 / 8), (sqrt(8), 0, 2, -sqrt(8) / 3, 1 / 27)],
    ),
    ("GeneralRobust", {"alpha": 2.0, "c": 2.0}, [(1, 5, 2, 1, 0.25), (1, 0, 0.125, -0.25, 0.25)]),
    ("GeneralRobust", {"alpha": 0.0}, [(0, 2, log(3), 2 / 3, -1 / 9), (0, -(2**0.5), LOG2, -(0.5**0.5), 0)]),
    ("GeneralRobust", {"alpha": -2.0, "c": 3.0}, [(0, 6, 1, 1 / 6, -1 / 36), (0, 0, 0, 0, 1 / 9)]),
    ("GeneralRobust", {"alpha": 4.0, "c": 0.5}, [(0, 1, 4, 12, 28), (0, -0.5, 0.625, -3, 10)]),
    (
        "GeneralRobust",
        {"alpha": -inf},
        [(0, 1, 1 - exp(-0.5), exp(-0.5), 0), (0, 2, 1 - exp(-2), 2 * exp(-2), -3 * exp(-2))],
    ),
    (
        "EpsilonInsensitive",
        {"epsilon": 0.5},
        [(1, 1, 0, 0, 0), (1, 1.5, 0, 0, 0), (1, 0.75, 0, 0, 0), (1, 3, 1.5, 1, 0), (0, -2.5, 2, -1, 0)],
    ),
    (
        "SmoothedHinge",
        {"gamma": 0.5},
        [
            (1, 2, 0, 0, 0),
            (1, 1, 0, 0, 0),
            (1, 0.75, 1 / 16, -0.5, 2),
            (1, 0.5, 0.25, -1, 0),
            (-1, 0, 0.75, 1, 0),
            (0, -0.75, 1 / 16, 0.5, 2),
            (0, 3, 3.75, 1, 0),
        ],
    ),
    (
        "SquaredEpsilonInsensitive",
        {"epsilon": 0.5},
        [(1, 1, 0, 0, 0), (1, 1.5, 0, 0, 0), (1, 0.75, 0, 0, 0), (1, 3, 2.25, 3, 2), (0, -2.5, 4, -4, 2)],
    ),
    (
        "Exponential",
        {},
        [
            (1, 0, 1, -1, 1),
            (0, 0, 1, 1, 1),
            (1, LOG2, 0.5, -0.5, 0.5),
            (-1, LOG3, 3, 3, 3),
            (1, -1, e, -e, e),
        ],
    ),
    # sigmoid(log 3) = 3/4, of which 1/4 is clipped
    (
        "AsymmetricLoss",
        {"gamma_pos": 0.0, "gamma_neg": 2.0, "clip": 0.25},
        [
            (1, LOG3, log(4 / 3), -0.25, 3 / 16),
            # m = 1/2: m²·log 2, (2m·log 2 + m²/(1 - m))·3/16, f''·(3/16)² + f'·3/16·(1/4 - 3/4)
            (
                0,
                LOG3,
                LOG2 / 4,
                (LOG2 + 0.5) * 3 / 16,
                (2 * LOG2 + 4 + 1) * 9 / 256 - (LOG2 + 0.5) * 3 / 32,
            ),
            (0, -LOG3 - 1e-9, 0, 0, 0),
            (0, -800, 0, 0, 0),
        ],
    ),
    (
        "AsymmetricLoss",
        {"gamma_pos": 2.0, "gamma_neg": 2.0, "clip": 0.0},
        [
            (1, 0, LOG2 / 4, -LOG2 / 4 - 1 / 8, (LOG2 + 2.5) / 8),
            (0, 0, LOG2 / 4, LOG2 / 4 + 1 / 8, (LOG2 + 2.5) / 8),
        ],
    ),
    ("WassersteinCritic", {}, [(1, 3, -3, -1, 0), (-1, 3, 3, 1, 0), (0, 3, 3, 1, 0), (0, -2, -2, 1, 0)]),
    # sigmoid(log 3) = 3/4
    (
        "BinaryCrossEntropy",
        {},
        [
            (1, 0, LOG2, -0.5, 0.25),
            (0, 0, LOG2, 0.5, 0.25),
            (1, LOG3, log(4 / 3), -0.25, 3 / 16),
            (0, LOG3, log(4), 0.75, 3 / 16),
            (0.75, LOG3, 2 * LOG2 - 0.75 * LOG3, 0, 3 / 16),
            (0.5, 0, LOG2, 0, 0.25),
            (0, 100, 100, 1, exp(-100)),
            (1, 100, exp(-100), -exp(-100), exp(-100)),
            (1, -1000, 1000, -1, 0),
        ],
    ),
    (
        "BinaryCrossEntropy",
        {"pos_weight": 3.0},
        [(1, 0, 3 * LOG2, -1.5, 0.75), (0, 0, LOG2, 0.5, 0.25), (0.5, 0, 2 * LOG2, -0.5, 0.5)],
    ),
    # Labels 1 and 0 become 7/8 and 1/8.
    (
        "BinaryCrossEntropy",
        {"label_smoothing": 0.25},
        [
            (1, 0, LOG2, -3 / 8, 0.25),
            (0, 0, LOG2, 3 / 8, 0.25),
            (1, LOG3, 2 * LOG2 - 7 / 8 * LOG3, -1 / 8, 3 / 16),
        ],
    ),
    (
        "BinaryCrossEntropy",
        {"from_logits": False},
        [
            (1, 0.25, 2 * LOG2, -4, 16),
            (0, 0.25, log(4 / 3), 4 / 3, 16 / 9),
            (0.5, 0.5, LOG2, 0, 4),
            (1, 0, 52 * LOG2, -1 / EPS, 1 / EPS**2),
            (0, 1, 52 * LOG2, 1 / EPS, 1 / EPS**2),
            (1, 1, EPS, -1, 1),
            (0, 0, EPS, 1, 1),
        ],
    ),
    # p = ¾, q = ¼, L = log(4/3) and the other way round; derivatives by the product rule.
    (
        "BinaryFocal",
        {},
        [
            (1, 0, LOG2 / 4, -(LOG2 + 0.5) / 4, (2.5 + LOG2) / 8),
            (0, 0, LOG2 / 4, (LOG2 + 0.5) / 4, (2.5 + LOG2) / 8),
            (1, LOG3, log(4 / 3) / 16, -(1.5 * log(4 / 3) + 0.25) / 16, 3 / 64 * (2.5 * log(4 / 3) + 1.25)),
            (0, LOG3, 9 / 16 * log(4), 9 / 16 * (0.5 * log(4) + 0.75), 9 / 64 * (3.75 - 0.5 * log(4))),
            (1, -1000, 1000, -1, 0),
            (1, 1000, 0, 0, 0),
        ],
    ),
    (
        "BinaryFocal",
        {"gamma": 0.0, "alpha": 0.25},
        [(1, 0, LOG2 / 4, -0.125, 1 / 16), (0, 0, 0.75 * LOG2, 0.375, 3 / 16)],
    ),
    (
        "BinaryFocal",
        {"gamma": 0.5},
        [(1, 0, sqrt(0.5) * LOG2, -sqrt(0.5) * (LOG2 / 4 + 0.5), sqrt(0.5) / 2 * (1 - LOG2 / 8))],
    ),
    (
        "BinaryFocal",
        {"from_logits": False},
        [
            (1, 0.5, LOG2 / 4, -LOG2 - 0.5, 1 + 4 + 2 * LOG2),
            (0, 0.5, LOG2 / 4, LOG2 + 0.5, 1 + 4 + 2 * LOG2),
            (1, 0.25, 9 / 16 * log(4), -1.5 * log(4) - 9 / 4, 9 + 12 + 2 * log(4)),
            (0, 0.75, 9 / 16 * log(4), 1.5 * log(4) + 9 / 4, 9 + 12 + 2 * log(4)),
        ],
    ),
]


@pytest.mark.parametrize("kit", [fl, reference], ids=["fastloss", "reference"])
@pytest.mark.parametrize(
    ("name", "parameters", "rows"), LITERALS, ids=lambda x: str(x) if type(x) is not list else ""
)
def test_literals(kit: Any, name: str, parameters: dict[str, Any], rows: Any) -> None:
    loss = getattr(kit, name)(**parameters)
    y, z, value, gradient, hessian = np.array(rows, dtype=np.float64).T
    check = {"rtol": 4e-15, "atol": 1e-30}
    np.testing.assert_allclose(loss(y, z, reduction="none"), value, **check)
    if not loss.has_gradient:
        return
    # At a root, such as z = log y, the terms cancel to within their own rounding.
    check = {"rtol": 8e-15, "atol": 4e-15}
    np.testing.assert_allclose(loss.gradient(y, z, reduction="none"), gradient, **check)
    np.testing.assert_allclose(loss.gradient_and_hessian(y, z, reduction="none")[1], hessian, **check)


def test_every_loss_has_literals() -> None:
    assert {cls.__name__ for cls in POINTWISE} == {name for name, _, _ in LITERALS}


@pytest.mark.parametrize("kit", [fl, reference], ids=["fastloss", "reference"])
def test_float32_clips_at_its_own_epsilon(kit: Any) -> None:
    y, p = np.float32([1, 0, 1]), np.float32([0, 1, 1])
    value = kit.BinaryCrossEntropy(from_logits=False)(y, p, reduction="none")
    np.testing.assert_allclose(value, [23 * LOG2, 23 * LOG2, 2.0**-23], rtol=2e-7)


@pytest.mark.parametrize("kit", [fl, reference], ids=["fastloss", "reference"])
def test_percentage_epsilon_is_that_of_float64(kit: Any) -> None:
    value = kit.AbsolutePercentageError()(np.float32([0]), np.float32([1]), reduction="none")
    assert value[0] == np.float32(2.0**52)
