"""Losses from formulas as losses: against the library's own, by hand, and as objects."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from conftest import LOSSES

import fastloss as fl
from fastloss import functions as F
from fastloss.formulas import Formula
from formulas.truth import ulps

MARGIN = {"m": "(2*y - 1)*z"}
#: The library's losses, as a newcomer writes them.
NAIVE = [
    (fl.SquaredError(), "(z - y)**2", {}),
    (fl.HalfSquaredError(), "(z - y)**2/2", {}),
    (fl.AbsoluteError(), "abs(z - y)", {}),
    (fl.Huber(1.5), "where(abs(z - y) <= d, (z - y)**2/2, d*(abs(z - y) - d/2))", {"d": 1.5}),
    (fl.SmoothL1(0.5), "where(abs(z - y) < b, (z - y)**2/2/b, abs(z - y) - b/2)", {"b": 0.5}),
    (fl.LogCosh(), "log(cosh(z - y))", {}),
    (fl.PseudoHuber(2.0), "d**2*(sqrt(1 + ((z - y)/d)**2) - 1)", {"d": 2.0}),
    (fl.Quantile(0.9), "maximum(q*(y - z), (q - 1)*(y - z))", {"q": 0.9}),
    (fl.Expectile(0.8), "where(z > y, 1 - q, q)*(z - y)**2", {"q": 0.8}),
    (
        fl.GeneralRobust(0.5, 1.5),
        "abs(a - 2)/a*((((z - y)/c)**2/abs(a - 2) + 1)**(a/2) - 1)",
        {"a": 0.5, "c": 1.5},
    ),
    (fl.Cauchy(1.5), "c**2/2*log(1 + ((z - y)/c)**2)", {"c": 1.5}),
    (fl.Welsch(2.0), "c**2/2*(1 - exp(-((z - y)/c)**2))", {"c": 2.0}),
    (fl.Tukey(4.0), "where(abs(z - y) <= c, c**2/6*(1 - (1 - ((z - y)/c)**2)**3), c**2/6)", {"c": 4.0}),
    (fl.Poisson(), "exp(z) - y*z", {"targets": "[0, inf)"}),
    (fl.Gamma(), "z + y*exp(-z)", {"targets": "(0, inf)"}),
    (fl.Tweedie(1.5), "exp((2 - p)*z)/(2 - p) - y*exp((1 - p)*z)/(1 - p)", {"targets": "[0, inf)", "p": 1.5}),
    (
        fl.SquaredLogError(),
        "(log(1 + z) - log(1 + y))**2",
        {"targets": "(-1, inf)", "predictions": "(-1, inf)"},
    ),
    (fl.Hinge(), "maximum(0, 1 - m)", {"where": MARGIN, "targets": "{0, 1}"}),
    (fl.SquaredHinge(), "maximum(0, 1 - m)**2", {"where": MARGIN, "targets": "{0, 1}"}),
    (fl.Perceptron(), "maximum(0, -m)", {"where": MARGIN, "targets": "{0, 1}"}),
    (fl.Exponential(), "exp(-m)", {"where": MARGIN, "targets": "{0, 1}"}),
    (
        fl.BinaryCrossEntropy(),
        "-(y*log(1/(1 + exp(-z))) + (1 - y)*log(1 - 1/(1 + exp(-z))))",
        {"targets": "[0, 1]"},
    ),
    (
        fl.BinaryFocal(gamma=2.0, alpha=None),
        "-(1 - p)**2*log(p)",
        {"where": {**MARGIN, "p": "sigmoid(m)"}, "targets": "{0, 1}"},
    ),
    (
        fl.BinaryFocal(gamma=1.3, alpha=None),
        "-(1 - p)**g*log(p)",
        {"where": {**MARGIN, "p": "sigmoid(m)"}, "targets": "{0, 1}", "g": 1.3},
    ),
    (fl.EpsilonInsensitive(0.5), "maximum(0, abs(z - y) - e)", {"e": 0.5}),
    (fl.SquaredEpsilonInsensitive(0.5), "maximum(0, abs(z - y) - e)**2", {"e": 0.5}),
    (fl.AbsolutePercentageError(), "abs((z - y)/y)", {}),
    (fl.SymmetricAbsolutePercentageError(), "2*abs(z - y)/(abs(y) + abs(z))", {}),
    (fl.Linex(0.5), "exp(a*(z - y)) - a*(z - y) - 1", {"a": 0.5}),
    (fl.Fair(1.5), "c**2*(abs(z - y)/c - log(1 + abs(z - y)/c))", {"c": 1.5}),
    (
        fl.ModifiedHuber(),
        "where(m >= 1, 0, where(m >= -1, (1 - m)**2, -4*m))",
        {"where": MARGIN, "targets": "{0, 1}"},
    ),
    (
        fl.SmoothedHinge(2.0),
        "where(m >= 1, 0, where(m > 1 - g, (1 - m)**2/(2*g), 1 - m - g/2))",
        {"where": MARGIN, "targets": "{0, 1}", "g": 2.0},
    ),
    (fl.BrierScore(), "(1/(1 + exp(-z)) - y)**2", {"targets": "[0, 1]"}),
    (
        fl.AsymmetricLoss(1.0, 4.0, 0.05),
        "where(y > 0, -(1 - p)**gp*log(p), -q**gn*log(1 - q))",
        {
            "where": {"p": "sigmoid(z)", "q": "maximum(p - c, 0)"},
            "targets": "{0, 1}",
            "gp": 1.0,
            "gn": 4.0,
            "c": 0.05,
        },
    ),
    (fl.WassersteinCritic(), "-(2*y - 1)*z", {"targets": "{0, 1}"}),
]
#: Those that cancel as they stand, and the term in which they do.
CANCELS = {
    "SymmetricAbsolutePercentageError": r"sign\(z - y\)",
    "Linex": r"expm1\(0.5\*\(z - y\)\) - 0.5\*\(z - y\) cancels",
    "Fair": r"log1p\(abs\(z - y\)/1.5\) cancels",
    "GeneralRobust": r"\*\*0.25 - 1 cancels",
}
IDS = [f"{type(loss).__name__}-{i}" for i, (loss, _, _) in enumerate(NAIVE)]


def arguments(loss: Formula, dtype: type, n: int = 1003) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y, z = rng.normal(0, 2, (2, n))
    if loss.target_domain.integral:
        y = (y > 0) * 1.0
    elif loss.target_domain.high == 1:
        y = rng.uniform(0, 1, n)
    elif loss.target_domain.low > -np.inf:
        y = np.abs(y) + 0.1
    if loss.prediction_domain.low > -np.inf:
        z = np.abs(z) + 0.1
    return y.astype(dtype), z.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("own", "text", "options"), NAIVE, ids=IDS)
def test_the_librarys_losses_written_naively(own: fl.Loss, text: str, options: dict, dtype: type) -> None:
    loss = fl.formula(text, **options)
    y, z = arguments(loss, dtype)
    found = loss.value_gradient_and_hessian(y, z, reduction="none")
    expected = own.value_gradient_and_hessian(y, z, reduction="none")
    epsilon = np.finfo(dtype).eps
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=60 * epsilon, atol=30 * epsilon * np.abs(b).max())


def test_every_loss_of_a_formula_is_written_naively() -> None:
    known = {type(loss) for loss, _, _ in NAIVE}
    found = {type(loss) for loss in LOSSES if isinstance(loss, fl.PointwiseLoss)}
    assert found - known == {fl.ZeroOne}


@pytest.mark.parametrize(("own", "text", "options"), NAIVE, ids=IDS)
def test_an_audit_of_what_newcomers_write(own: fl.Loss, text: str, options: dict) -> None:
    """Within 4 ULP, or what a rounding of the inputs changes; it tells where the others lose digits."""
    found = fl.formula(text, **options).audit(seconds=0.15, show=False)
    place = CANCELS.get(type(own).__name__)
    if place is None:
        assert found.problems == ()
        assert all(a.ulp <= 4 or a.verdict == "ill-conditioned" for a in found.accuracy)
    else:
        assert any(re.search(place, problem) for problem in found.problems)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_difference_of_a_bell_and_one(dtype: type) -> None:
    z = np.linspace(0.01, 1.2, 400).astype(dtype)
    found = fl.formula("1 - exp(-(z - y)**2)")(np.zeros_like(z), z, reduction="none")
    with mpmath.workdps(50):
        assert ulps(found, [-mpmath.expm1(-(mpmath.mpf(float(x)) ** 2)) for x in z]).max() <= 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_where_the_naive_formula_has_no_digit(dtype: type) -> None:
    loss = fl.formula("softplus(z) - y*z", targets="[0, 1]")
    y, z = np.array([1, 1, 0, 1], dtype), np.array([80, -80, -80, 30], dtype)
    value, gradient, hessian = loss.value_gradient_and_hessian(y, z, reduction="none")
    small = np.exp(-80.0)
    np.testing.assert_allclose(value, [small, 80, small, np.exp(-30.0)], rtol=1e-6)
    np.testing.assert_allclose(gradient, [-small, -1, small, -np.exp(-30.0)], rtol=1e-6)
    np.testing.assert_allclose(hessian, [small, small, small, np.exp(-30.0)], rtol=1e-6)


def test_by_hand() -> None:
    loss = fl.formula("a*(z - y)**3", a=2.0)
    y, z = [1.0, 0.0], [3.0, -1.0]
    value, gradient, hessian = loss.value_gradient_and_hessian(y, z, reduction="none")
    np.testing.assert_array_equal(value, [16, -2])
    np.testing.assert_array_equal(gradient, [24, 6])
    np.testing.assert_array_equal(hessian, [24, -12])
    assert loss(y, z) == 7
    assert loss(y, z, sample_weight=[1.0, 3.0]) == 2.5
    np.testing.assert_array_equal(loss.gradient(y, z, reduction="mean"), [12, 3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_bits_for_any_number_of_threads_and_any_way_through(dtype: type) -> None:
    loss = fl.formula("softplus(-m)*sigmoid(-m)**g", where=MARGIN, targets="{0, 1}", g=1.5)
    rng = np.random.default_rng(1)
    n = (1 << 19) + 7
    y, z = rng.integers(0, 2, n).astype(dtype), rng.normal(0, 3, n).astype(dtype)
    one = loss.value_gradient_and_hessian(y, z, n_threads=1)
    two = loss.value_gradient_and_hessian(y, z, n_threads=2)
    apart = loss.value_gradient_and_hessian(np.repeat(y, 2)[::2], np.repeat(z, 2)[::2])
    each = loss.value_gradient_and_hessian(y, z, reduction="none")
    for other in (two, apart):
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])
        np.testing.assert_array_equal(one[2], other[2])
    assert one[0] == pytest.approx(float(np.mean(each[0], dtype=np.float64)), rel=1e-12)
    short = loss.value_gradient_and_hessian(y[:37], z[:37], reduction="none")
    for a, b in zip(short, each, strict=True):
        np.testing.assert_array_equal(a, b[:37])


@pytest.mark.parametrize(
    "text",
    [
        "(z - y)**2",
        "3*tanh(z - y)",
        "tanh(z)",
        "softplus(z)*tanh(y + z)",
        "3*(softplus(z)*tanh(y + z))",
        "where(abs(z - y) <= 1, (z - y)**2/2, abs(z - y) - 1/2)",
        "where(abs(z - y) <= 2, 3*(z - y)**2, 12*abs(z - y) - 12)",
        "where(z > y, 0.3, 0.7)*(z - y)**2",
        "where(z <= y, 0.3, 0.7)*(z - y)",
        "maximum(2*(z - y), 0.5*(y - z))",
        "minimum(2*(z - y), 0.5*(z - y))*(z - y)",
        "-log_cosh(z - y)",
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_are_of_what_each_sample_has(text: str, dtype: type) -> None:
    """Whatever an output is, a term, a product, a multiple, and whether the slope is of the same term."""
    loss = fl.formula(text)
    y, z = arguments(loss, dtype, 1600)
    n, rtol = len(y), 4 * np.finfo(dtype).eps
    value, gradient, hessian = loss.value_gradient_and_hessian(y, z, reduction="none")
    mean = pytest.approx(float(np.mean(value, dtype=np.float64)), rel=1e-12)
    assert loss(y, z) == mean
    for found, wanted in (
        (loss.value_and_gradient(y, z), (mean, gradient)),
        (loss.value_gradient_and_hessian(y, z), (mean, gradient, hessian)),
        ((None, loss.gradient(y, z)), (None, gradient)),
        ((None, *loss.gradient_and_hessian(y, z)), (None, gradient, hessian)),
    ):
        assert found[0] == wanted[0]
        for a, b in zip(found[1:], wanted[1:], strict=True):
            np.testing.assert_allclose(a * n, b, rtol=rtol)


@pytest.mark.parametrize(
    "text",
    [
        "(1 - y)*softplus(z) + z*softplus(-z)",
        "(1 - y*y)*softplus(z) + y*softplus(-z)",
        "(2 - y)*softplus(z) + y*softplus(-z)",
        "y*softplus(z) + (1 - y)*softplus(-z)",
        "(1 - y)*softplus(z) + y*softplus(-2*z)",
        "(1 - y)*sigmoid(z) - z*sigmoid(-z)",
        "y*sigmoid(-z) - (1 - y)*sigmoid(z)",
        "sigmoid(z)*sigmoid(-2*z)",
        "sigmoid(-z)**2.3 + sigmoid(z)**-0.7",
        "where(abs(z - y) <= 1, (z - y)**2/2, abs(z - y) - 0.4)",
        "where(abs(z - y) <= 1, (z - y)**2/2, 2*abs(z - y) - 1.5)",
        "where(abs(z - y) <= 1, (z - y)**2/2, 1.5 - abs(z - y))",
        "where(abs(z) <= 1, (z - y)**2/2, abs(z - y) - 0.5)",
        "where(abs(z + y) < 1.5, 2*(z + y)**2, 4.5 - 6*(1.5 - abs(z + y)))",
        "where(abs(z - y) <= 1, 2*(z - y), 3*sign(z - y))",
        "where(z < y, 1, where(z == 2*y, 2, 3))*z",
        "where(z < y, z, where(y == z, 2, 3))*z",
        "minimum(maximum(z, y), 1) + minimum(maximum(z, 1), y) + clip(z*y, -1, 0.5)",
        "where(z < y, 2, 3)*(y - z)",
        "where(z < y, 2, 3)*(z - y)",
        "minimum(0.2*(z - y), 0.7*(z - y))",
        "where(z < y, 2, 3)*(z - 2*y)",
        "where(2*(z - y) < 3*(z - y), 1 + z, 1 - y)*z",
        "where(3*(z - y) <= y - z, 1 + z, 1 - y)*z",
        "maximum(-2*(z - y), 3*(z - y))*sign(z - y)",
        "minimum(2*z, 3*z) + maximum(2*z, 3*y)",
        "sigmoid(z)*y*z + sigmoid(z)*z**2 - 3*z*sigmoid(z)",
        "2*z**2*y - 6*z**2*sigmoid(z)",
        "sigmoid(z)*sigmoid(-z)*y + 2*sigmoid(z)**2*z",
        "sigmoid(-z)*z - sigmoid(z)*sigmoid(-z)*(-z)",
        "where(z*y >= 1, 0, where(z*y >= -1, (1 - z*y)**2, -4*z*y))",
        "where(z*y >= 1, 0, where(z*y >= -1, (1 - z*y)**2, 0.25 - 4*z*y))",
        "where(z*y >= 1, 0, where(z*y >= -1, (1 - z*y)**2, 1 - 3*z*y))",
        "where(z*y >= 1, 0, where(z*y >= -1, (2 - z*y)**2, 2 - 4*z*y))",
        "where(z*y >= 1, 0.5, where(z*y >= -1, (1 - z*y)**2, -4*z*y))",
        "where(z >= 1, 0, where(y >= -1, (1 - z)**2, -4*z))",
        "where(z > 1, 0, where(z > 0.5, (1 - z)**2/3, (0.75 - z)/3)) + y*z",
        "where(z >= 1, 0, where(z >= -1, 2*(1 - z)*y, 4*y))",
        "where(z >= 1, 0, where(z >= -1, 2*(1 - z)*y, 3*y))",
        "where(z >= 1, 0, where(z >= -1, 2*(1 - z)*y, 4*z))",
        "where(0 < z*y, 2*z, 0) + maximum(0, z*y)",
        "where(0 < z*y, 2*z, 0)*maximum(0, z*y)",
        "3*(z*y)",
        "-2*z**2 + 0*y",
        "3*(z*sigmoid(y))",
        "3*(sigmoid(z)*sigmoid(y*z))",
    ],
)
def test_what_is_nearly_an_operation_of_the_machine(text: str) -> None:
    names = {name: getattr(np, name) for name in ("where", "abs", "sign", "minimum", "maximum", "clip")}
    names |= {"softplus": lambda x: np.logaddexp(0, x), "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
    loss = fl.formula(text)
    y, z = arguments(loss, np.float64)
    value, gradient = loss.value_and_gradient(y, z, reduction="none")
    h = 1e-6
    left, at, right = (eval(text, names | {"y": y, "z": x}) for x in (z - h, z, z + h))
    np.testing.assert_allclose(value, at, rtol=1e-12, atol=1e-14)
    smooth = np.abs(right - 2 * at + left) < 1e-9  # no kink in between
    assert smooth.mean() > 0.9
    np.testing.assert_allclose(gradient[smooth], ((right - left) / (2 * h))[smooth], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("where(z > y, 1, 3)*(z - y)**2", 1),
        ("maximum(3*(z - y), y - z)", 2),
        ("3*(z - y)**2", 1),
        ("where((2*y - 1)*z >= 1, 0, where((2*y - 1)*z >= -1, (1 - (2*y - 1)*z)**2, -4*(2*y - 1)*z))", 6),
        ("softplus(-(2*y - 1)*z)*sigmoid(-(2*y - 1)*z)**2", 10),
    ],
)
def test_value_and_gradient_take_few_steps(text: str, steps: int) -> None:
    _, _, both, *_ = fl.formula(text, backend="machine")._programs.listings
    assert len(both[0]) == steps


TIERS = """
import numpy as np, fastloss as fl, hashlib
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for dtype in (np.float32, np.float64):
    y, z = np.abs(rng.normal(0, 2, (2, 999))).astype(dtype)
    for name in fl.functions.__all__:
        n = {"where": 0, "clip": 3, "minimum": 2, "maximum": 2, "logaddexp": 2, "xlogy": 2}.get(name, 1)
        text = "where(z < y, z, y*z)" if n == 0 else f"{name}({', '.join(['z', 'y', '2'][:n])})"
        loss = fl.formula(text + "*z + z/(y + 3) - z**1.3")
        for part in loss.value_gradient_and_hessian(y, z, reduction="none"):
            digest.update(part.tobytes())
print(digest.hexdigest())
"""


def test_same_bits_on_both_tiers_of_fused_multiply_add() -> None:
    tiers = [tier for tier in fl.config()["isa_available"] if tier != "base"]
    if len(tiers) < 2:
        pytest.skip("one tier alone")
    digests = set()
    for tier in tiers:
        code = f"import os; os.environ['FASTLOSS_ISA'] = {tier!r}\n{TIERS}"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        digests.add(run.stdout)
    assert len(digests) == 1


def test_nan_stays_and_the_rest_is_not_touched() -> None:
    of_cases = [
        "where(z < y, 1, z)",
        "where(z < y, z, 1)",
        "where(z < 1, 1, z*y)",
        "where(y < z, z, y*z**2)",
        "-where(z < y, z, 2)",
        "where(2 <= z, 0, where(1 < z, z*y, y*z**2))",
        "where(z*z < y, where(z < y, 1, 2), 3)*z",
    ]
    for text in ("(z - y)**2", "maximum(0, z*y)", "abs(z - y)", *of_cases):
        loss = fl.formula(text)
        for y, z in ((np.nan, 1.0), (1.0, np.nan)):
            for part in loss.value_gradient_and_hessian([0.5, y], [0.25, z], reduction="none"):
                assert np.isfinite(part[0])
                assert np.isnan(part[1])


def test_a_case_that_is_not_taken_may_be_undefined() -> None:
    for text in (
        "where(z == y, 0, 2*abs(z - y)/(abs(y) + abs(z)))",
        "where(abs(y) + abs(z) > 0, z/(abs(y) + abs(z)), 0)",
        "where(y*z > 0, log(y*z), 0)",
        "where(z > y, sqrt(z)/y, 0)",
    ):
        for part in fl.formula(text).value_gradient_and_hessian([0.0, np.nan], [0.0, 1.0], reduction="none"):
            np.testing.assert_array_equal(part, [0, np.nan])


@pytest.mark.parametrize(
    "made",
    [
        fl.formula("softplus(z) - y*z", targets="[0, 1]"),
        fl.formula("where(z > y, 1, 3)*(z - y)**2"),
        fl.formula("y*z", gradient="where(abs(z - y) <= 1, (z - y)**2/2, abs(z - y) - 1/2)"),
        fl.formula("y*z", hessian="where(z > y, 1, 3)*(z - y)**2"),
    ],
)
def test_in_place(made: Formula) -> None:
    y, z = arguments(made, np.float64)
    expected = made.value_gradient_and_hessian(y, z, reduction="none")
    for k in range(3):
        outs = [np.empty_like(z) for _ in range(3)]
        outs[k] = z.copy()
        found = made.value_gradient_and_hessian(y, outs[k], reduction="none", out=tuple(outs))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_domains_are_checked() -> None:
    loss = fl.formula("softplus(z) - y*z", targets="{0, 1}")
    with pytest.raises(
        ValueError, match=r"y_true\[1\] = 0.5 is outside the domain of Formula: expected 0 or 1"
    ):
        loss([0, 0.5], [1, 1])
    loss = fl.formula("z - y*log(z)", targets="[0, inf)", predictions="(0, inf)")
    with pytest.raises(ValueError, match=r"y_pred\[0\] = 0.0 is outside .* greater than 0"):
        loss([1.0], [0.0])
    with pytest.raises(ValueError, match=r"y_true\[0\] = -1.0 is outside"):
        loss([-1.0], [1.0])


OBJECTS = [
    fl.formula("softplus(z) - y*z", targets="[0, 1]"),
    fl.formula(
        "a*softplus(-m)*sigmoid(-m)**g", where=MARGIN, targets="{0, 1}", a=1.0, g=1.5, name="my_focal"
    ),
    fl.formula(lambda y, z, c: c * c * F.log1p(((z - y) / c) ** 2) / 2, c=1.0),
    fl.formula("(z - y)**2", gradient="z - y", hessian="1"),
]


@pytest.mark.parametrize("made", OBJECTS)
def test_repr_and_pickle_make_it_again(made: Formula) -> None:
    again = eval(repr(made), {"formula": fl.formula})
    unpickled = pickle.loads(pickle.dumps(made))
    assert again == made == unpickled
    assert hash(again) == hash(made)
    assert again.name == made.name == unpickled.name
    y, z = [0.0, 1.0], [0.3, -2.0]
    assert again(y, z) == made(y, z) == unpickled(y, z)
    assert made != fl.formula("z*y")
    with pytest.raises(AttributeError, match="cannot be changed"):
        made.name = "other"


def test_parameters() -> None:
    loss = OBJECTS[1]
    assert loss.parameters == {"a": 1.0, "g": 1.5}
    other = loss.with_parameters(g=2.0)
    assert other.parameters == {"a": 1.0, "g": 2.0}
    assert other.name == "my_focal"
    assert other([1.0], [0.0]) == pytest.approx(np.log(2) / 4)
    with pytest.raises(TypeError, match="no parameter 'b'"):
        loss.with_parameters(b=1.0)
    assert "g" in loss.gradient_expression


def test_tracing() -> None:
    loss = fl.formula(lambda y, z, c=2.0: np.log1p(np.square((z - y) / c)) * c)
    assert loss.parameters == {"c": 2.0}
    assert loss([0.0], [2.0]) == pytest.approx(2 * np.log(2))
    huber = fl.formula(lambda y, z: F.where(abs(z - y) <= 1, (z - y) ** 2 / 2, abs(z - y) - 0.5))
    np.testing.assert_array_equal(huber([0, 0], [0.5, 3], reduction="none"), [0.125, 2.5])
    with pytest.raises(TypeError, match="take where"):
        fl.formula(lambda y, z: max(y, z))
    with pytest.raises(TypeError, match="has no place in a formula"):
        fl.formula(lambda y, z: np.sin(z))
    with pytest.raises(TypeError, match="has no value"):
        fl.formula(lambda y, z, c: c * z)
    with pytest.raises(TypeError, match="no parameter 'd'"):
        fl.formula(lambda y, z: z, d=1.0)
    with pytest.raises(fl.FormulaError, match="does not depend on z"):
        fl.formula(lambda y, z: y + 1)
    chain = fl.formula(lambda y, z: sum((F.tanh(z * k) for k in range(1, 30)), start=z))
    assert eval(repr(chain), {"formula": fl.formula}) == chain


def test_parameters_beyond_float32_compute_in_float64() -> None:
    loss = fl.formula("a*(z - y)**2", a=1e-50)
    found = loss(np.zeros(2, np.float32), np.full(2, 1e25, np.float32))
    assert found == pytest.approx(float(np.float32(1e25)) ** 2 * 1e-50)


def test_a_wide_formula_has_registers_enough() -> None:
    terms = [f"tanh({k}*z)" for k in range(1, 12)]
    while len(terms) > 1:
        terms = [f"({a})*({b})" for a, b in zip(terms[::2], terms[1::2], strict=False)] + terms[
            len(terms) // 2 * 2 :
        ]
    loss = fl.formula(terms[0])
    assert loss([0.0], [0.4]) == pytest.approx(np.prod([np.tanh(0.4 * k) for k in range(1, 12)]))


def test_more_registers_than_there_are() -> None:
    with pytest.raises(fl.FormulaError, match="more than 128 numbers at a time"):
        fl.formula(lambda y, z: sum((F.tanh(z * k) for k in range(1, 150)), start=z))
