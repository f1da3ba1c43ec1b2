"""Losses of a location and a scale, and of several quantiles: by hand, against others, in 50 digits."""

from __future__ import annotations

import math
from typing import Any

import multiprecision
import numpy as np
import pytest
from pointwise import samples
from verbs import VERBS

import fastloss as fl
from fastloss import reference
from fastloss._loss import ParameterLoss
from fastloss.adapters._boosting import CURVATURES, curvature_code
from rows import truth as row_truth

LOG2, LOG3, LOG5 = math.log(2), math.log(3), math.log(5)
LOSSES = [
    fl.GaussianNLL(),
    fl.GaussianNLL(full=True),
    fl.LaplaceNLL(),
    fl.LaplaceNLL(full=True),
    fl.StudentTNLL(),
    fl.StudentTNLL(df=1.0, full=True),
    fl.StudentTNLL(df=0.3),
    fl.StudentTNLL(df=1e6),
    fl.MultiQuantile(),
    fl.MultiQuantile([0.3]),
    fl.MultiQuantile([0.999, 0.001, 0.5, 0.25, 0.75]),
    fl.MultiQuantile([(i + 0.5) / 130 for i in range(130)]),
]
NLLS = [fl.GaussianNLL(), fl.LaplaceNLL(), fl.StudentTNLL(), fl.StudentTNLL(df=1.0)]
nan, inf = float("nan"), float("inf")


def name_of(loss: Any) -> str:
    return repr(loss)[:60]


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> type:
    return request.param


def data(loss: Any, n: int, rng: np.random.Generator, dtype: Any = np.float64) -> tuple[Any, Any]:
    y, z = rng.normal(0, 2, n), rng.normal(0, 1, (n, len(loss.columns)))
    z[: n // 10, 0] = y[: n // 10]
    return y.astype(dtype), z.astype(dtype)


@pytest.mark.parametrize("kit", [fl, reference], ids=["fastloss", "reference"])
@pytest.mark.parametrize(
    ("name", "parameters", "y", "z", "value", "gradient", "hessian"),
    [
        ("GaussianNLL", {}, 1, [3, 0], 2, [2, -3], [1, 8]),
        # e^-s = 1/2, u = 1
        ("GaussianNLL", {}, 1, [3, LOG2], LOG2 + 0.5, [0.5, 0], [0.25, 2]),
        ("GaussianNLL", {"full": True}, 5, [5, 0], math.log(2 * math.pi) / 2, [0, 1], [1, 0]),
        ("LaplaceNLL", {}, 1, [3, LOG2], LOG2 + 1, [0.5, 0], [0, 1]),
        ("LaplaceNLL", {"full": True}, 3, [1, 0], 2 + LOG2, [-1, -1], [0, 2]),
        ("LaplaceNLL", {}, 3, [3, 0], 0, [0, 1], [0, 0]),
        # u = 2, n = 8: 5/2·log 2; 5/8·2, 4·(-3)/8; 5·0/64, 2·4·5·4/64
        ("StudentTNLL", {}, 1, [3, 0], 2.5 * LOG2, [1.25, -1.5], [0, 2.5]),
        (
            "StudentTNLL",
            {"df": 1.0, "full": True},
            0,
            [2, 0],
            LOG5 + math.log(math.pi),
            [0.8, -0.6],
            [-0.24, 0.64],
        ),
        ("MultiQuantile", {"levels": (0.25, 0.75)}, 2, [0, 4], 1, [-0.25, 0.25], [0, 0]),
        ("MultiQuantile", {"levels": (0.25, 0.75)}, 2, [3, 2], 0.75, [0.75, 0], [0, 0]),
    ],
)
def test_by_hand(kit, name, parameters, y, z, value, gradient, hessian):
    loss = getattr(kit, name)(**parameters)
    found = loss.value_gradient_and_hessian([y], [z], reduction="none")
    for x, expected in zip(found, (value, gradient, hessian), strict=True):
        np.testing.assert_allclose(x[0], expected, rtol=1e-14, atol=1e-15)
    assert loss([y], [z]) == found[0][0]


def test_scipys_densities(rng):
    stats = pytest.importorskip("scipy.stats")
    y, z = rng.normal(0, 3, 200), rng.normal(0, 2, (200, 2))
    place = {"loc": z[:, 0], "scale": np.exp(z[:, 1])}
    for loss, density in [
        (fl.GaussianNLL(full=True), stats.norm(**place)),
        (fl.LaplaceNLL(full=True), stats.laplace(**place)),
        *((fl.StudentTNLL(df=df, full=True), stats.t(df, **place)) for df in (0.5, 3.0, 39.0, 41.0, 2e5)),
    ]:
        np.testing.assert_allclose(loss(y, z, reduction="none"), -density.logpdf(y), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("full", [False, True])
def test_torchs_gaussian_loss(rng, full):
    torch = pytest.importorskip("torch")
    y, z = rng.normal(0, 3, 100), rng.normal(0, 1, (100, 2))
    t = torch.tensor(z, requires_grad=True)
    value = torch.nn.GaussianNLLLoss(full=full, eps=1e-300)(t[:, 0], torch.tensor(y), torch.exp(2 * t[:, 1]))
    value.backward()
    found, gradient = fl.GaussianNLL(full=full).value_and_gradient(y, z)
    assert found == pytest.approx(value.item(), rel=1e-13)
    np.testing.assert_allclose(gradient, t.grad.numpy(), rtol=1e-11, atol=1e-15)


def test_columns_of_quantiles_are_quantiles(rng, dtype):
    loss = fl.MultiQuantile([0.1, 0.5, 0.95])
    y, z = data(loss, 333, rng, dtype)
    w = rng.random(333).astype(dtype)
    value, gradient = loss.value_and_gradient(y, z, sample_weight=w)
    parts = [
        fl.Quantile(q=q).value_and_gradient(y, z[:, k].copy(), sample_weight=w)
        for k, q in enumerate(loss.levels)
    ]
    assert value == pytest.approx(sum(p[0] for p in parts), rel=1e-6 if dtype == np.float32 else 1e-14)
    np.testing.assert_allclose(gradient, np.stack([p[1] for p in parts], axis=1), rtol=3e-7)


def hard(loss: Any, dtype: Any, rng: np.random.Generator, n: int = 60) -> tuple[Any, Any]:
    """Rows whose residuals and scales are of all magnitudes, and near what crosses zero."""
    info, k = np.finfo(dtype), len(loss.columns)
    tail = 0.45 * np.log(float(info.max))
    wide = samples._log_uniform(rng, float(info.tiny) * 2**30, float(info.max) / 2**40, n)
    wide *= rng.choice([-1, 1], n)
    r = np.concatenate([rng.normal(0, 2, 3 * n), wide, np.zeros(n // 6), np.array([1.0, -1.0, 0.5])])
    y = np.where(rng.random(len(r)) < 0.5, 0.0, rng.normal(0, 1, len(r)))
    z = np.empty((len(r), k))
    if isinstance(loss, fl.MultiQuantile):
        z[:] = y[:, None] + r[:, None] * rng.normal(0, 1, (len(r), k))
        return y.astype(dtype), z.astype(dtype)
    z[:, 0] = y + r
    s = rng.choice([0.0, 1.0, 1.0, tail], len(r)) * rng.uniform(-1, 1, len(r))
    z[:, 1] = np.where(rng.random(len(r)) < 0.3, np.log(np.maximum(np.abs(r), 1e-30)), s)
    y, z = y.astype(dtype), z.astype(dtype)
    # No result is infinite.
    size = np.log(np.abs(z[:, 0].astype(float) - y) + 1e-300) - z[:, 1]
    kept = (size < tail) & (np.abs(z[:, 1]) < tail)
    return y[kept], z[kept]


np_ = multiprecision.Functions()


def _scales(t: Any, y: Any, z: Any) -> dict[str, Any]:
    """The sum of the magnitudes of the terms of what crosses zero."""
    if isinstance(t, ParameterTwins["MultiQuantile"]):
        return {}
    u2, s = t._u(y, z) ** 2, np.abs(z[:, 1])
    nothing = 0 * s
    if type(t).__name__ == "StudentTNLL":
        nu, n, e2 = t.df, t.df + u2, np_.exp(-2 * z[:, 1])
        value = s + (nu + 1) / 2 * np_.log1p(u2 / nu)
        slope, bent = nu * (1 + u2) / n, (nu + 1) * (nu + u2) / n**2 * e2
    else:
        of_u = u2 if type(t).__name__ == "GaussianNLL" else np.abs(t._u(y, z))
        value, slope, bent = s + of_u, 1 + of_u, nothing
    constant = 2 if t.full else 0
    columns = lambda *a: np.stack(a, axis=1)  # noqa: E731
    return {
        "value": value + constant,
        "gradient": columns(nothing, slope),
        "hessian": columns(bent, nothing),
    }


_MODULE = multiprecision._copy_of(reference.likelihood)
ParameterTwins = {
    name: getattr(_MODULE, name) for name in ("GaussianNLL", "LaplaceNLL", "StudentTNLL", "MultiQuantile")
}


def errors(loss: Any, y: Any, z: Any) -> dict[str, np.ndarray]:
    """Errors of the kernels in ULPs against 50 digits."""
    names = ("value", "gradient", "hessian")
    results = dict(zip(names, loss.value_gradient_and_hessian(y, z, reduction="none"), strict=True))
    if hasattr(reference.twin(loss), "_information"):
        code = curvature_code(loss, "gauss-newton")
        results["information"] = loss._gradient_and_curvature(y, z, None, code, None, 1)[1]
    parameters = {k: v for k, v in multiprecision.exact_parameters(loss).items() if k != "levels"}
    found = {}
    with multiprecision.precision(60):
        t = ParameterTwins[type(loss).__name__](**parameters)
        if isinstance(loss, fl.MultiQuantile):
            t.levels = multiprecision.exact(np.array(loss.levels).astype(object))
        big = multiprecision.exact(y.astype(object)), multiprecision.exact(z.astype(object))
        scales = _scales(t, *big)
        for name, result in results.items():
            parts = row_truth._split_all(getattr(t, f"_{name}")(*big))
            scale = row_truth._split_all(scales[name]) if name in scales else None
            truths = [
                None
                if p is None
                else multiprecision.Truth(p[0].astype(float), p[1].astype(float), p[2].astype(int))
                for p in (parts, scale)
            ]
            found[name] = multiprecision.ulps(result, truths[0], truths[1], gradual=False)
    return found


@pytest.mark.parametrize("of", LOSSES, ids=name_of)
def test_within_8_ulp(of, dtype, rng, worst):
    if isinstance(of, fl.StudentTNLL) and of.full:
        of = fl.StudentTNLL(df=of.df)  # whose constant NumPy's twin has in float64 alone
    y, z = hard(of, dtype, rng)
    for name, error in errors(of, y, z).items():
        i = np.unravel_index(int(np.argmax(error)), error.shape)
        worst.setdefault((name_of(of), np.dtype(dtype).name), {})[name] = (error[i], float(y[i[0]]), 0.0)
        assert error[i] <= 8, f"{name}: {error[i]:.3g} ULP at y={y[i[0]]!r}, z={z[i[0]]!r}"


@pytest.mark.parametrize("of", LOSSES, ids=name_of)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_all_verbs_as_the_reference(of, reduction, dtype, rng):
    twin = reference.twin(of)
    tolerance = {"rtol": 2e-5, "atol": 1e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-13}
    for n in (1, 17, 300):
        y, z = data(of, n, rng, dtype)
        y, w = y.astype(np.float32), np.where(rng.random(n) < 0.2, 0, rng.random(n))
        w[0] = 1.0
        for weight in (None, w):
            options = {"sample_weight": weight, "reduction": reduction}
            for verb, kinds in VERBS.items():
                found, expected = getattr(of, verb)(y, z, **options), getattr(twin, verb)(y, z, **options)
                pairs = zip(found, expected, strict=True) if len(kinds) > 1 else [(found, expected)]
                for a, b in pairs:
                    np.testing.assert_allclose(a, b, **tolerance)


@pytest.mark.parametrize("of", LOSSES, ids=name_of)
def test_gradient_is_that_of_the_value(of, rng):
    y, z = data(of, 9, rng)
    z = np.where(np.abs(z - y[:, None]) < 0.05, z + 0.13, z)
    w, step = rng.uniform(0.5, 2, 9), 1e-5
    gradient, hessian = of.gradient_and_hessian(y, z, sample_weight=w)
    for k in range(min(z.shape[1], 5)):
        for i in range(9):
            e = np.zeros_like(z)
            e[i, k] = step
            above, below = (of.value_and_gradient(y, z + d, sample_weight=w) for d in (e, -e))
            assert (above[0] - below[0]) / (2 * step) == pytest.approx(gradient[i, k], abs=1e-8)
            assert (above[1] - below[1])[i, k] / (2 * step) == pytest.approx(hessian[i, k], abs=1e-7)


@pytest.mark.parametrize("of", NLLS, ids=name_of)
def test_information_is_the_mean_hessian(of):
    """By quadrature over the quantiles of the density that the value is minus the logarithm of."""
    stats = pytest.importorskip("scipy.stats")
    density = {
        "GaussianNLL": stats.norm(),
        "LaplaceNLL": stats.laplace(),
        "StudentTNLL": stats.t(getattr(of, "df", 1.0)),
    }[type(of).__name__]
    y = density.ppf((np.arange(100_000) + 0.5) / 100_000) * 0.5 + 3
    z = np.broadcast_to([3.0, -LOG2], (len(y), 2))
    gradient, hessian = of.gradient_and_hessian(y, z)
    information = of._gradient_and_curvature(y[:1], z[:1], None, curvature_code(of, "auto"), None, 1)[1]
    assert np.all(information > 0)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=2e-3)
    # The mean outer product of the gradient is the same; of the Laplace density's kink no Hessian knows.
    square = ((gradient * len(y)) ** 2).mean(axis=0)
    np.testing.assert_allclose(square, information[0], rtol=2e-3)
    if not isinstance(of, fl.LaplaceNLL):
        np.testing.assert_allclose(hessian.sum(axis=0), information[0], rtol=2e-3)


def test_curvatures():
    for loss in NLLS:
        names = {CURVATURES[c] for c in loss._curvatures()[0]}
        assert names == {"exact", "absolute", "unit", "gauss-newton"}
        assert curvature_code(loss, "auto") == CURVATURES.index("gauss-newton")
    loss, y, z = fl.MultiQuantile([0.5, 0.75]), np.zeros(2), np.array([[0.0, 1.0], [2.0, -5.0]])
    assert curvature_code(loss, "auto") == CURVATURES.index("majorizer")
    # The mean pinball loss of a column is (0.25 + 1 + 3.75)/4; a tenth of it is the width of the kink.
    found = loss._gradient_and_curvature(y, z, None, curvature_code(loss, "auto"), None, 1)[1]
    np.testing.assert_allclose(found, [[0.5 / 0.125, 0.5], [0.25, 0.1]], rtol=1e-12)


@pytest.mark.parametrize("of", LOSSES[:9], ids=name_of)
def test_missing_and_far(of, dtype):
    k = len(of.columns)
    y, z = np.zeros(5, dtype), np.ones((5, k), dtype)
    y[0], z[1, 0], z[2, k - 1] = nan, nan, nan
    for x in of.value_gradient_and_hessian(y, z, reduction="none"):
        assert np.isnan(x[:3]).all()
        assert np.isfinite(x[3:]).all()
    w = np.array([0, 0, 0, 1, 1], dtype)
    value, gradient = of.value_and_gradient(y, z, sample_weight=w)
    assert np.isfinite(value)
    assert not gradient[:3].any()


def test_students_value_beyond_the_range_of_the_ratio(dtype):
    # u is e^-s times the residual, which may be beyond the largest number; its logarithm is not.
    s = -80.0 if dtype == np.float32 else -700.0
    r = 1e20 if dtype == np.float32 else 1e100
    value, gradient, hessian = fl.StudentTNLL(df=2.0).value_gradient_and_hessian(
        np.zeros(1, dtype), np.array([[r, s]], dtype)
    )
    expected = s + 1.5 * (2 * (math.log(r) - s) - LOG2)
    assert value == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 1e-14)
    np.testing.assert_allclose(gradient[0], [3 / r, -2], rtol=1e-6)
    np.testing.assert_allclose(hessian[0], [-3 / r / r, 0], rtol=1e-6)


def test_threads_and_order_change_no_bit(rng, dtype):
    for loss in LOSSES[::3]:
        y, z = data(loss, 40_000 if len(loss.columns) < 9 else 3000, rng, dtype)
        first = loss.value_gradient_and_hessian(y, z, n_threads=1)
        for other in (
            loss.value_gradient_and_hessian(y, z, n_threads=3),
            loss.value_gradient_and_hessian(y[::-1][::-1], np.asfortranarray(z), n_threads=2),
            loss.value_gradient_and_hessian(
                y.astype(y.dtype.newbyteorder()), z.astype(z.dtype.newbyteorder())
            ),
        ):
            for a, b in zip(first, other, strict=True):
                np.testing.assert_array_equal(a, b)


def test_writes_over_the_predictions(rng):
    loss = fl.GaussianNLL()
    y, z = data(loss, 100, rng)
    expected = loss.gradient(y, z)
    assert loss.gradient(y, z, out=z) is z
    np.testing.assert_array_equal(z, expected)


@pytest.mark.parametrize("of", [fl.GaussianNLL(), fl.StudentTNLL(), fl.MultiQuantile()], ids=name_of)
def test_bad_input(of):
    k = len(of.columns)
    y, z = np.zeros(4), np.zeros((4, k))
    with pytest.raises(
        ValueError, match=rf"y_pred has shape \(4, {k + 1}\), expected \(4, {k}\): {of.columns[0]}, "
    ):
        of(y, np.zeros((4, k + 1)))
    with pytest.raises(ValueError, match=r"y_pred has shape \(4,\)"):
        of(y, np.zeros(4))
    with pytest.raises(ValueError, match=r"y_true has shape \(3,\), expected \(4,\), a number for each row"):
        of(np.zeros(3), z)
    with pytest.raises(ValueError, match=r"y_true has shape \(4, 1\).*y_true.ravel\(\) is it"):
        of(np.zeros((4, 1)), z)
    with pytest.raises(ValueError, match=r"y_true has shape"):
        of(z, z)
    with pytest.raises(ValueError, match="empty"):
        of(y[:0], z[:0])
    assert of(y[:0], z[:0], reduction="sum") == 0
    with pytest.raises(ValueError, match=r"sample_weight\[2\] = -1"):
        of(y, z, sample_weight=[1, 1, -1, 1])


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: fl.GaussianNLL(full=1), TypeError, "full must be True or False"),
        (lambda: fl.StudentTNLL(df=0), ValueError, "df must be in"),
        (lambda: fl.StudentTNLL(df=1e7), ValueError, "df must be in"),
        (lambda: fl.StudentTNLL(df=nan), ValueError, "df must be in"),
        (lambda: fl.MultiQuantile([]), ValueError, "at least one"),
        (lambda: fl.MultiQuantile([0.5, 0.0]), ValueError, r"levels\[1\] must be in \(0, 1\)"),
        (lambda: fl.MultiQuantile([1.0]), ValueError, r"levels\[0\]"),
        (lambda: fl.MultiQuantile(0.5), TypeError, "levels must be a sequence"),
    ],
)
def test_bad_parameters(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_every_loss_of_parameters_is_here():
    of_parameters = {i.cls for i in fl.list_losses() if issubclass(i.cls, ParameterLoss)}
    assert {type(loss) for loss in LOSSES} == of_parameters
