"""A sample of weight 0 is as if it were not there: its results are 0, whatever it holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from embeddings import samples as embedding_samples
from pointwise import samples
from rows import samples as row_samples
from verbs import REDUCTIONS, VERBS, ask, verbs_of

import fastloss as fl

nan, inf = np.nan, np.inf


def is_absent(n: int) -> np.ndarray:
    """Some samples in each of a few blocks, and the first and the last."""
    absent = np.arange(n) % 3 == 1
    absent[[0, -1]] = True
    return absent


def check(found: dict[str, Any], without: dict[str, Any], absent: np.ndarray, dtype: Any) -> None:
    """As without the absent rows, and 0 there; sums to the rounding of another order."""
    for name, x in found.items():
        if np.ndim(x) == 0:
            np.testing.assert_allclose(x, without[name], rtol=1e-12, err_msg=name)
            continue
        assert not x[absent].any(), name
        np.testing.assert_allclose(x[~absent], without[name], rtol=32 * np.finfo(dtype).eps, err_msg=name)


def test_pointwise(loss: Any, dtype: Any, rng: np.random.Generator) -> None:
    free = [nan, inf, -inf] if np.isinf(loss.prediction_domain.low) else [0.0, 1.0]
    for n in (5, 40, 2500):
        y, z = samples.ordinary(loss, n, dtype, rng)
        w, absent = rng.uniform(0.5, 2, n), is_absent(n)
        z[absent] = rng.choice(free, absent.sum())
        if np.isinf(loss.target_domain.low):
            y[absent] = rng.choice([nan, inf, -inf, 1], absent.sum())
        w[absent] = rng.choice([0.0, -0.0], absent.sum())
        for verb in verbs_of(loss):
            for reduction in REDUCTIONS:
                options = {"reduction": reduction}
                found = ask(loss, verb, y, z, sample_weight=w, **options)
                without = ask(loss, verb, y[~absent], z[~absent], sample_weight=w[~absent], **options)
                check(found, without, absent, dtype)
        if loss.has_gradient:
            out = z.copy()
            loss.gradient(y, out, sample_weight=w, out=out)
            check(
                {"": out},
                {"": loss.gradient(y[~absent], z[~absent], sample_weight=w[~absent])},
                absent,
                dtype,
            )


def test_by_hand() -> None:
    value, g = fl.Poisson().value_and_gradient([1, 2], [800, 1], sample_weight=[0, 1])
    assert value == pytest.approx(np.e - 2, rel=1e-15)
    np.testing.assert_allclose(g, [0, np.e - 2], rtol=1e-15)


@pytest.mark.parametrize("case", row_samples.CASES, ids=row_samples.case_name)
@pytest.mark.parametrize("n_classes", [2, 3, 7, 130, 2500])
def test_rows(case: Any, n_classes: int, dtype: Any, rng: np.random.Generator) -> None:
    loss, n = row_samples.make(case, n_classes), 37 if n_classes < 1000 else 9
    for form in row_samples.forms(loss):
        y, z = row_samples.ordinary(loss, form, n, n_classes, dtype, rng)
        w, absent = rng.uniform(0.5, 2, n), is_absent(n)
        if row_samples.of_probabilities(loss):
            z[absent] = 0  # not 1 in sum, infinite losses
        else:
            z[absent] = rng.choice([nan, inf, -inf, 1e30, 0], (absent.sum(), n_classes))
        if isinstance(loss, fl.EuclideanError):
            y[absent] = inf
        w[absent] = 0
        verbs = [v for v, names in VERBS.items() if loss.has_hessian or "hessian" not in names]
        for order in "CF":
            rows = np.array(z, order=order)
            for verb in verbs:
                for reduction in REDUCTIONS:
                    options = {"reduction": reduction}
                    found = ask(loss, verb, y, rows, sample_weight=w, **options)
                    without = ask(loss, verb, y[~absent], z[~absent], sample_weight=w[~absent], **options)
                    check(found, without, absent, dtype)
        out = z.copy()
        loss.gradient(y, out, sample_weight=w, out=out)
        check({"": out}, {"": loss.gradient(y[~absent], z[~absent], sample_weight=w[~absent])}, absent, dtype)


@pytest.mark.parametrize("n_classes", [2, 3, 7, 130, 2500])
def test_classes_of_weight_zero(n_classes: int, dtype: Any, rng: np.random.Generator) -> None:
    """Rows of such a class are absent; smoothed targets and dense ones have other classes, too."""
    n, few = 21, np.ones(n_classes)
    few[1] = 0
    y = np.arange(n) % min(n_classes, 3)
    absent = y == 1
    z = rng.normal(size=(n, n_classes)).astype(dtype)
    z[absent] = rng.choice([nan, inf, -inf], (absent.sum(), n_classes))
    for loss in (
        fl.CrossEntropy(class_weight=few),
        fl.CrossEntropy(class_weight={1: 0}),
        fl.Focal(alpha=few),
    ):
        mean = isinstance(loss, fl.CrossEntropy)
        for reduction in REDUCTIONS[:] if mean else REDUCTIONS[1:]:
            for verb in VERBS:
                found = ask(loss, verb, y, z, reduction=reduction)
                without = ask(loss, verb, y[~absent], z[~absent], reduction=reduction)
                check(found, without, absent, dtype)


@pytest.mark.parametrize("case", embedding_samples.ROW_BY_ROW, ids=repr)
def test_embeddings(case: Any, dtype: Any, rng: np.random.Generator) -> None:
    for n, d in [(5, 1), (37, 3), (300, 2), (20, 40)]:
        arguments = embedding_samples.ordinary(case, n, d, dtype, rng)
        w, absent = rng.uniform(0.5, 2, n), is_absent(n)
        w[absent] = 0
        for x in embedding_samples.embeddings(case, arguments):
            if len(x) == n:
                x[absent] = rng.choice([nan, inf, 1e30], (absent.sum(), d))
        some = tuple(x[~absent] if len(x) == n else x for x in arguments)
        for reduction in REDUCTIONS:
            found = embedding_samples.ask(case, arguments, sample_weight=w, reduction=reduction)
            without = embedding_samples.ask(case, some, sample_weight=w[~absent], reduction=reduction)
            if isinstance(case, fl.CenterLoss):
                by_center = found.pop("gradient 1")
                np.testing.assert_allclose(by_center, without.pop("gradient 1"), rtol=1e-5, atol=1e-6)
            check({k: x[()] if x.ndim == 0 else x for k, x in found.items()}, without, absent, dtype)


def test_a_pair_against_a_batch_keeps_its_vectors() -> None:
    """Its own loss is left out, and it still is what others are told from."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 3))
    pairs = fl.NTXent()(a, b, reduction="none")
    assert fl.NTXent()(a, b, sample_weight=[0, 1, 1, 1]) == pytest.approx(pairs[1:].mean(), rel=1e-12)


def test_wasserstein() -> None:
    u, v = np.array([[0.0, 1.0], [-1.7e308, -1.7e308]]), np.array([[2.0, 3.0], [1.7e308, 1.7e308]])
    for p in (1.0, 2.0):
        value, g = fl.Wasserstein(p=p).value_and_gradient(u, v, sample_weight=[3, 0])
        assert value == 2
        np.testing.assert_allclose(g, [[0.5, 0.5], [0, 0]])
        np.testing.assert_array_equal(
            fl.Wasserstein(p=p)(u, v, sample_weight=[3, 0], reduction="none"), [6, 0]
        )


@pytest.mark.parametrize("weight", [0, 1, 1e-300])
def test_a_label_outside_its_domain_is_an_error_all_the_same(weight: float) -> None:
    w = np.array([weight, 1.0])
    calls = [
        (fl.Hinge(), ([7, 1], [0.0, 1.0])),
        (fl.BinaryCrossEntropy(), ([nan, 1], [0.0, 1.0])),
        (fl.BinaryCrossEntropy(from_logits=False), ([1, 1], [1.5, 1.0])),
        (fl.Poisson(), ([-1, 1], [0.0, 1.0])),
        (fl.CrossEntropy(), ([3, 1], np.zeros((2, 3)))),
        (fl.CrossEntropy(), ([[-1.0, 2.0], [0.0, 1.0]], np.zeros((2, 2)))),
        (fl.Contrastive(), (np.zeros((2, 2)), np.ones((2, 2)), [3, 1])),
        (fl.CenterLoss(), (np.zeros((2, 2)), np.ones((2, 2)), [2, 1])),
    ]
    for loss, arguments in calls:
        for reduction in REDUCTIONS:
            for verb in (loss.__call__, loss.gradient):
                with pytest.raises(ValueError, match=r"\[0(, 0)?\] = "):
                    verb(*arguments, sample_weight=w, reduction=reduction)


def test_what_is_too_small_for_float32_is_not_zero() -> None:
    """An infinite loss stays infinite at a weight of 1e-50, which float32 rounds to 0."""
    y, z = np.zeros(40, np.float32), np.zeros(40, np.float32)
    z[3] = inf
    w = np.ones(40)
    w[3] = 1e-50
    assert fl.SquaredError()(y, z, sample_weight=w) == inf
    w[3] = 0
    assert fl.SquaredError()(y, z, sample_weight=w) == 0
    rows = np.zeros((40, 2), np.float32)
    rows[3] = [-inf, 0]
    w[3] = 1e-50
    assert fl.CrossEntropy()(np.zeros(40, int), rows, sample_weight=w) == inf


@pytest.mark.parametrize(
    "trained", [fl.SquaredError(), fl.Huber(), fl.Poisson(), fl.CrossEntropy()], ids=repr
)
@pytest.mark.parametrize("layout", ["C", "F", "csr", "csc"])
def test_linear_objective(trained: Any, layout: str) -> None:
    loss = trained
    rng = np.random.default_rng(1)
    X, n = rng.normal(size=(30, 3)), 30
    y = rng.integers(0, 3, n).astype(int if isinstance(loss, fl.CrossEntropy) else float)
    w, absent = rng.uniform(0.5, 2, n), is_absent(n)
    w[absent] = 0
    X[absent] = rng.choice([nan, inf, 1.0], (absent.sum(), 3))
    if isinstance(loss, fl.Huber):
        y[absent] = nan
    kept = X[~absent], y[~absent]
    if layout in "CF":
        X = np.array(X, order=layout)
    else:
        sparse = pytest.importorskip("scipy.sparse")
        X = sparse.csr_array(X) if layout == "csr" else sparse.csc_array(X)
    options = {"n_classes": 3} if isinstance(loss, fl.CrossEntropy) else {}
    objective = fl.LinearObjective(loss, X, y, sample_weight=w, **options)
    without = fl.LinearObjective(loss, *kept, sample_weight=w[~absent], **options)
    at = np.linspace(-0.5, 0.5, objective.size)
    for a, b in zip(objective(at), without(at), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(objective.hessp(at, at + 1), without.hessp(at, at + 1), rtol=1e-12, atol=1e-14)


def test_boosting_objectives() -> None:
    from fastloss.adapters import xgboost

    y, z = np.array([1.0, nan, 3.0, 7.0]), np.array([0.0, 1.0, 1.0, 2.0])
    w, kept = np.array([1.0, 0.0, 2.0, 1.0]), [0, 2, 3]
    for loss in (fl.SquaredError(), fl.AbsoluteError(), fl.Huber(), fl.AbsolutePercentageError()):
        objective = xgboost.sklearn_objective(loss)
        for found, wanted in zip(objective(y, z, w), objective(y[kept], z[kept], w[kept]), strict=True):
            assert found[1] == 0
            np.testing.assert_allclose(found[kept], wanted, rtol=1e-6)


def test_torch_modules() -> None:
    torch = pytest.importorskip("torch")
    from fastloss.adapters.torch import module

    z = torch.tensor([800.0, 1.0], requires_grad=True)
    value = module(fl.Poisson())(z, torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0]))
    value.backward()
    assert value.item() == pytest.approx(np.e - 2, rel=1e-6)
    np.testing.assert_allclose(z.grad, [0, np.e - 2], rtol=1e-6)


def test_scikit_learn_losses() -> None:
    pytest.importorskip("sklearn")
    from fastloss.adapters.sklearn_loss import HalfPoissonLoss, HalfTweedieLoss

    y, z, w = np.array([1.0, 2.0]), np.array([800.0, 1.0]), np.array([0.0, 1.0])
    loss = HalfPoissonLoss()
    value, g = loss.loss_gradient(y, z, sample_weight=w)
    assert value[0] == 0
    assert g[0] == 0
    value, g = HalfTweedieLoss(power=0).loss_gradient(y, z, sample_weight=w)
    np.testing.assert_array_equal(np.isfinite([value, g]), True)
    assert value[0] == g[0] == 0
