"""Losses of embeddings against numbers worked out by hand, and the cases that divide by zero elsewhere."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import fastloss as fl
from embeddings.samples import ALL, ROW_BY_ROW, ordinary
from fastloss import reference

nan, inf = float("nan"), float("inf")


@pytest.fixture(params=[fl, reference], ids=["fastloss", "reference"])
def kit(request: pytest.FixtureRequest) -> Any:
    return request.param


def _check(loss: Any, arguments: tuple[Any, ...], value: list[float], *gradients: list[list[float]]) -> None:
    found, slopes = loss.value_and_gradient(*arguments, reduction="none")
    np.testing.assert_allclose(found, value, rtol=1e-15, atol=1e-300)
    assert len(slopes) == len(gradients)
    for actual, expected in zip(slopes, gradients, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=2e-15, atol=1e-300)


def test_contrastive(kit: Any) -> None:
    """Points 5 and 0.5 apart, alike and not, with margin 1."""
    a, b = np.zeros((4, 2)), np.array([[3.0, 4], [3, 4], [0, 0.5], [0, 0.5]])
    by_a = [[-6.0, -8], [0, 0], [0, -1], [0, 1]]
    _check(kit.Contrastive(), (a, b, [1, 0, 1, 0]), [25, 0, 0.25, 0.25], by_a, -np.array(by_a))
    # Margin 7: [7 - 5]² = 4, slope -2·2 along (a - b)/5.
    _check(kit.Contrastive(7.0), (a[:1], b[:1], [0]), [4], [[2.4, 3.2]], [[-2.4, -3.2]])


def test_triplet(kit: Any) -> None:
    a, p, n = np.zeros((2, 2)), np.array([[3.0, 4], [3, 4]]), np.array([[0.0, 5], [6, 8]])
    zero = [0, 0]
    # 25 - 25 + 1, and 25 - 100 + 1 < 0.
    _check(kit.Triplet(), (a, p, n), [1, 0], [[-6, 2], zero], [[6, 8], zero], [[0, -10], zero])
    # 5 - 5 + 1, and 5 - 10 + 1 < 0.
    _check(
        kit.Triplet(squared=False),
        (a, p, n),
        [1, 0],
        [[-0.6, 0.2], zero],
        [[0.6, 0.8], zero],
        [[0, -1], zero],
    )


def test_center(kit: Any) -> None:
    x, centers = np.array([[1.0, 2], [3, 0], [5, 5]]), np.array([[0.0, 0], [3, 4], [9, 9]])
    by_centers = [[-6, -7], [0, 4], [0, 0]]
    _check(kit.CenterLoss(), (x, centers, [0, 1, 0]), [2.5, 8, 25], [[1, 2], [0, -4], [5, 5]], by_centers)


def test_cosine(kit: Any) -> None:
    """(3, 4) and (8, 6): the cosine is 48/50; its gradient by a is (8, 6)/50 - 0.96 (3, 4)/25."""
    a, b = np.array([[3.0, 4]] * 3), np.array([[8.0, 6]] * 3)
    by_a, by_b = np.array([0.0448, -0.0336]), np.array([-0.0168, 0.0224])
    loss, labels = kit.CosineEmbedding(margin=0.5), [1, -1, 0]
    value, (first, second) = loss.value_and_gradient(a, b, labels, reduction="none")
    np.testing.assert_allclose(value, [0.04, 0.46, 0.46], rtol=1e-14)
    np.testing.assert_allclose(first, [-by_a, by_a, by_a], rtol=1e-14)
    np.testing.assert_allclose(second, [-by_b, by_b, by_b], rtol=1e-14)


def test_nt_xent(kit: Any) -> None:
    """Two orthogonal pairs: each anchor sees its partner at 1/τ and two others at 0."""
    a, b = np.array([[1.0, 0], [0, 3]]), np.array([[2.0, 0], [0, 5]])
    each = math.log1p(2 * math.exp(-1 / 0.4))
    value, gradients = kit.NTXent(temperature=0.4).value_and_gradient(a, b, reduction="none")
    np.testing.assert_allclose(value, [each, each], rtol=1e-14)
    # By a_1 only what is orthogonal to it counts: both others' similarity, which slopes by p/τ each, from
    # either side, p = e^0/(e^(1/τ) + 2); half of each anchor's loss counts.
    p = 1 / (math.exp(1 / 0.4) + 2)
    np.testing.assert_allclose(gradients[0], [[0, 2 * p / 0.4], [2 * p / 0.4 / 3, 0]], rtol=1e-13, atol=1e-15)
    assert kit.NTXent(temperature=0.4)(a, b) == pytest.approx(each, rel=1e-14)


def test_one_pair_has_no_others(kit: Any) -> None:
    value, gradients = kit.NTXent().value_and_gradient([[1.0, 2]], [[2.0, 1]])
    assert value == 0
    np.testing.assert_array_equal(gradients, np.zeros((2, 1, 2)))


@pytest.mark.parametrize("d", [1, 3, 16, 40])
def test_coinciding_points(d: int, dtype: Any) -> None:
    """Exactly 0, where a quotient by the distance would be NaN."""
    x = np.linspace(0.1, 3, 2 * d).reshape(2, d).astype(dtype)
    value, gradients = fl.Contrastive(1.5).value_and_gradient(x, x, [1, 0], reduction="none")
    np.testing.assert_array_equal(value, [0, 2.25])
    np.testing.assert_array_equal(gradients, np.zeros((2, 2, d)))
    for squared in (True, False):
        value, gradients = fl.Triplet(0.5, squared).value_and_gradient(x, x, x, reduction="none")
        np.testing.assert_array_equal(value, [0.5, 0.5])
        np.testing.assert_array_equal(gradients, np.zeros((3, 2, d)))
    for y in ([1, 1], [-1, -1]):
        value, gradients = fl.CosineEmbedding().value_and_gradient(x, x, y, reduction="none")
        np.testing.assert_array_equal(value, [0, 0] if y[0] == 1 else [1, 1])
        np.testing.assert_array_equal(gradients, np.zeros((2, 2, d)))
    assert fl.CenterLoss()(x, x, [0, 1]) == 0


def test_zero_vectors(kit: Any, dtype: Any) -> None:
    """Their cosine is 0, and so is their gradient."""
    a, b = np.array([[0, 0], [3, 4], [0, 0]], dtype), np.array([[3, 4], [0, 0], [0, 0]], dtype)
    value, gradients = kit.CosineEmbedding(-0.5).value_and_gradient(a, b, [1, -1, -1], reduction="none")
    np.testing.assert_array_equal(value, [1, 0.5, 0.5])
    np.testing.assert_array_equal(gradients, np.zeros((2, 3, 2)))
    value, gradients = kit.NTXent(1.0).value_and_gradient(a, b, reduction="none")
    np.testing.assert_allclose(value[2], math.log(5), rtol=1e-6)
    assert np.isfinite(gradients).all()
    for gradient, x in zip(gradients, (a, b), strict=True):
        np.testing.assert_array_equal(gradient[(x == 0).all(axis=1)], 0)


def test_nt_xent_does_not_read_what_the_memory_held() -> None:
    """A BLAS for aarch64 does, where it should overwrite: seen in NumPy 2.4."""
    a, b = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)
    for _ in range(5):
        junk = [np.full(1 << size, np.nan, np.float32) for size in (16, 18, 18, 20)]
        del junk
        assert np.isfinite(fl.NTXent().value_and_gradient(a, b, reduction="none")[0]).all()


@pytest.mark.parametrize("size", [1e-320, 1e-310, 1e-200, 1e-160, 1e150, 1e300])
def test_no_overflow_no_underflow(size: float) -> None:
    """Directions and distances where squares leave double's range."""
    a, b = np.array([[3.0, 4.0]]) * size, np.zeros((1, 2))
    # Subnormal numbers have few bits.
    exact = 1e-13 if size > 1e-300 else 1e-3
    value, (by_a, _) = fl.Contrastive(1.0).value_and_gradient(a, b, [0])
    if size < 1:
        assert value == pytest.approx(1, abs=1e-15)
        np.testing.assert_allclose(by_a, [[-1.2, -1.6]], rtol=exact)
    else:
        assert value == 0
    value, (_, by_p, by_n) = fl.Triplet(1.0, squared=False).value_and_gradient(a, b, b)
    assert value == pytest.approx(1, rel=1e-15)
    np.testing.assert_allclose(by_p, [[-0.6, -0.8]], rtol=exact)
    np.testing.assert_allclose(by_n, [[0.6, 0.8]], rtol=exact)
    other = np.array([[8.0, 6.0]])
    assert fl.CosineEmbedding()(a, other, [1]) == pytest.approx(0.04, rel=100 * exact)
    assert fl.CosineEmbedding()(a, a * 0.5, [1]) == pytest.approx(0, abs=exact)
    (by_other,) = fl.CosineEmbedding().gradient(a, other, [1])[1]
    np.testing.assert_allclose(by_other, [0.0168, -0.0224], rtol=1000 * exact)
    pairs = [np.vstack([a, other]), np.vstack([other, a])]
    expected = fl.NTXent().value_and_gradient([[3.0, 4], [8, 6]], [[8.0, 6], [3, 4]])
    found = fl.NTXent().value_and_gradient(*pairs)
    assert found[0] == pytest.approx(expected[0], rel=1e4 * exact)
    np.testing.assert_allclose(found[1][0][1], expected[1][0][1], rtol=1e5 * exact, atol=1e-12)


@pytest.mark.parametrize("size", [1e-44, 1e-38, 1e-25, 1e25, 1e37])
def test_no_overflow_no_underflow_float32(size: float) -> None:
    a, b = (np.array([[3, 4]]) * size).astype(np.float32), np.zeros((1, 2), np.float32)
    exact = 1e-6 if size > 1e-37 else 0.1
    direction = a.astype(float) / np.hypot(*a[0].astype(float))
    _, by_p, _ = fl.Triplet(1.0, squared=False).gradient(a, b, b)
    np.testing.assert_allclose(by_p, -direction, rtol=1e-6)
    assert fl.CosineEmbedding()(a, np.array([[8, 6]], np.float32), [1]) == pytest.approx(
        0.04, rel=100 * exact
    )
    with np.errstate(over="ignore"):
        square = np.float32(25 * size**2)
    np.testing.assert_allclose(fl.Contrastive()(a, b, [1]), square, rtol=max(exact, 1e-6), atol=1e-40)


@pytest.mark.parametrize("width", [100, 600, 2100])
@pytest.mark.parametrize("size", [1e-42, 1e-25, 1e-21, 1e19, 1e25])
def test_no_overflow_no_underflow_of_wide_rows(size: float, width: int) -> None:
    """The differences are equal: the direction is 1/√d everywhere. Their squares leave float32's range."""
    a, b = np.full((1, width), size, np.float32), np.zeros((1, width), np.float32)
    _, by_positive, by_negative = fl.Triplet(1.0, squared=False).gradient(a, b, b)
    np.testing.assert_allclose(by_positive, np.full((1, width), -1 / math.sqrt(width)), rtol=1e-6)
    np.testing.assert_allclose(by_negative, np.full((1, width), 1 / math.sqrt(width)), rtol=1e-6)
    (by_a, _) = fl.Contrastive(1.0).gradient(a, b, [0])
    np.testing.assert_allclose(by_a, np.full((1, width), -2 / math.sqrt(width) if size < 1 else 0), rtol=1e-6)


@pytest.mark.parametrize("case", ROW_BY_ROW, ids=repr)
@pytest.mark.parametrize("argument", [0, 1])
def test_nan_in_nan_out(case: Any, argument: int, dtype: Any, rng: Any) -> None:
    """At that row alone; a centre's NaN reaches all rows of its class."""
    arguments = ordinary(case, 20, 5, dtype, rng)
    clean = case.value_and_gradient(*arguments, reduction="none")
    spoilt = list(arguments)
    spoilt[argument] = arguments[argument].copy()
    spoilt[argument][3, 2] = nan
    value, gradients = case.value_and_gradient(*spoilt, reduction="none")
    hit = np.arange(20) == 3
    if isinstance(case, fl.CenterLoss) and argument == 1:
        hit = arguments[2] == 3
    assert hit.any()
    np.testing.assert_array_equal(np.isnan(value), hit)
    np.testing.assert_array_equal(np.isnan(gradients[0]), np.repeat(hit[:, None], 5, axis=1))
    np.testing.assert_array_equal(value[~hit], clean[0][~hit])
    np.testing.assert_array_equal(gradients[0][~hit], clean[1][0][~hit])
    assert math.isnan(case(*spoilt))


def test_nan_in_a_batch(dtype: Any, rng: Any) -> None:
    a, b = ordinary(fl.NTXent(), 6, 4, dtype, rng)
    a[2, 1] = nan
    value, gradients = fl.NTXent().value_and_gradient(a, b)
    assert math.isnan(value)
    assert np.isnan(gradients).all()


def test_infinite_distances() -> None:
    """Far beyond every margin costs nothing and pulls nowhere; a similar pair costs infinity."""
    a, b = np.array([[inf, 1.0]] * 2), np.zeros((2, 2))
    value, (by_a, _) = fl.Contrastive().value_and_gradient(a, b, [0, 1], reduction="none")
    np.testing.assert_array_equal(value, [0, inf])
    np.testing.assert_array_equal(by_a, [[0, 0], [inf, 2]])
    value, gradients = fl.Triplet().value_and_gradient(b, b, a, reduction="none")
    np.testing.assert_array_equal(value, [0, 0])
    np.testing.assert_array_equal(gradients, np.zeros((3, 2, 2)))


def test_labels_of_all_kinds() -> None:
    a, b = np.zeros((2, 3)), np.ones((2, 3))
    for labels in ([True, False], np.array([1, 0], np.uint8), [1.0, 0.0], np.array([1, 0], ">i8")):
        assert fl.Contrastive()(a, b, labels) == 1.5
    for dtype in (np.int8, np.uint16, np.int32, np.uint64, np.float32, bool):
        assert fl.CenterLoss()(a, [[0.0, 0, 0], [2, 2, 2]], np.array([0, 1], dtype)) == 3


def test_objects() -> None:
    assert repr(fl.Triplet(margin=0.5)) == "Triplet(margin=0.5, squared=True)"
    names = {info.name: info for info in fl.list_losses() if issubclass(info.cls, fl.EmbeddingLoss)}
    alone = ["entropy", "gaussian_kl"]
    assert list(names) == [*alone, "contrastive", "triplet", "center_loss", "cosine_embedding", "nt_xent"]
    for info in names.values():
        assert info.family == ("distribution" if info.name in alone else "embedding")
    for loss in ALL:
        assert fl.get_loss(loss.name, **loss.parameters) == loss
        arguments = ordinary(loss, 4, 3, np.float64, np.random.default_rng(0))
        for other in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss)):
            assert other == loss
            assert hash(other) == hash(loss)
            assert other(*arguments) == loss(*arguments)
        with pytest.raises(AttributeError):
            loss.margin = 3.0
        twin = reference.twin(loss)
        assert (repr(twin), twin.has_hessian, twin.family) == (repr(loss), False, loss.family)
        for verb in ("gradient_and_hessian", "value_gradient_and_hessian"):
            for kind in (loss, twin):
                with pytest.raises(TypeError, match="not diagonal"):
                    getattr(kind, verb)(*arguments)
    assert fl.get_loss("info_nce", temperature=0.2) == fl.NTXent(0.2)


def test_distances_of_very_different_sizes_have_slopes_of_their_own() -> None:
    a, p, n = np.zeros((1, 2)), np.array([[3e-300, 4e-300]]), np.array([[6.0, 8.0]])
    value, gradients = fl.Triplet(margin=11, squared=False).value_and_gradient(a, p, n, reduction="sum")
    assert value == 1
    for found, expected in zip(gradients, [[0, 0], [0.6, 0.8], [-0.6, -0.8]], strict=True):
        np.testing.assert_allclose(found, [expected], rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("label", [1, 0])
def test_cosine_beside_nan_is_nan_even_of_a_zero_vector(label: int) -> None:
    a, b = np.zeros((1, 2)), np.array([[1.0, np.nan]])
    for pair in ((a, b), (b, a)):
        for gradient in fl.CosineEmbedding().gradient(*pair, [label], reduction="sum"):
            assert np.isnan(gradient).any()
