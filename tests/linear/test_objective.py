"""LinearObjective: its value is the definition, its derivatives are the slopes; for any layout of X."""

from __future__ import annotations

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse

import fastloss as fl
import fastloss.linear
from linear.data import problem, slope, start

POINTWISE = [i.cls() for i in fl.list_losses() if issubclass(i.cls, fl.PointwiseLoss) and i.has_gradient]
SOFTMAX = [
    fl.CrossEntropy(),
    fl.CrossEntropy(class_weight=[0.5, 1.0, 2.0, 3.0]),
    fl.CrossEntropy(label_smoothing=0.2, class_weight=[0.5, 1.0, 2.0, 3.0], ignore_index=1),
    fl.KLDivergence(from_logits=True),
]
ROWS = [fl.Focal(gamma=1.5), fl.MulticlassHinge(), fl.MulticlassHinge(kind="weston-watkins")]
TWICE = [
    *(loss for loss in POINTWISE if loss.has_hessian),
    fl.BinaryCrossEntropy(pos_weight=3.0, label_smoothing=0.1),
    *SOFTMAX,
]
PENALTY = fl.ElasticNet(alpha=0.3, l1_ratio=0.25)


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch):
    """Blocks of some sixty rows: small problems have several."""
    monkeypatch.setattr(fastloss.linear, "_BLOCK_BYTES", 1_600)
    monkeypatch.setattr(fastloss.linear, "_FEWEST_ROWS", 1)


def dense_predictions(objective, X, w):
    coef, intercept = objective.unpack(w)
    return X @ coef.T + intercept


@pytest.mark.parametrize("chosen", [*POINTWISE, *SOFTMAX, *ROWS], ids=repr)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_value_is_mean_loss_plus_penalty(chosen, fit_intercept, rng):
    X, y, weight = problem(chosen, rng, n=150)
    objective = fl.LinearObjective(chosen, X, y, PENALTY, fit_intercept, weight)
    w = start(objective, rng)
    coef, _ = objective.unpack(w)
    risk = chosen(y, dense_predictions(objective, X, w), sample_weight=weight)
    value, gradient = objective(w)
    assert type(value) is float
    assert value == pytest.approx(risk + PENALTY(coef), rel=1e-13)
    assert gradient.shape == w.shape


@pytest.mark.parametrize("chosen", [*POINTWISE, *SOFTMAX, *ROWS, fl.EuclideanError()], ids=repr)
def test_gradient_is_the_slope_of_the_value(chosen, rng):
    X, y, weight = problem(chosen, rng)
    objective = fl.LinearObjective(chosen, X, y, PENALTY, sample_weight=weight)
    w = start(objective, rng)
    numerical = slope(lambda w: objective(w)[0], w)
    np.testing.assert_allclose(objective(w)[1], numerical, rtol=2e-6, atol=1e-8)


@pytest.mark.parametrize("chosen", TWICE, ids=repr)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_hessian_is_the_slope_of_the_gradient(chosen, fit_intercept, rng):
    X, y, weight = problem(chosen, rng, n=70)
    objective = fl.LinearObjective(chosen, X, y, PENALTY, fit_intercept, weight)
    w = start(objective, rng)
    numerical = slope(lambda w: objective(w)[1], w)
    ours = np.array([objective.hessp(w, e) for e in np.eye(w.size)])
    np.testing.assert_allclose(ours, numerical, rtol=2e-6, atol=2e-8)
    v = rng.normal(0, 1, w.size)
    np.testing.assert_allclose(objective.hessp(w, v), v @ ours, rtol=1e-10, atol=1e-14)


def test_binary_cross_entropy_is_cross_entropy_of_two_classes(rng):
    X, y, weight = problem(fl.BinaryCrossEntropy(), rng)
    y = (y > 0.5).astype(int)
    two = fl.LinearObjective(fl.CrossEntropy(), X, y, sample_weight=weight)
    one = fl.LinearObjective(fl.BinaryCrossEntropy(), X, y, sample_weight=weight)
    w, v = rng.normal(0, 1, (2, 4))
    stacked, direction = (np.concatenate([0 * x, x]) for x in (w, v))
    assert two(stacked)[0] == pytest.approx(one(w)[0], rel=1e-13)
    np.testing.assert_allclose(two(stacked)[1][4:], one(w)[1], rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(two.hessp(stacked, direction)[4:], one.hessp(w, v), rtol=1e-12, atol=1e-16)


def test_parameters_are_raveled_class_by_class():
    # One sample of class 2: the gradient by its intercept is p − 1, by its coefficients (p − 1)·x.
    objective = fl.LinearObjective(fl.CrossEntropy(), [[3.0, 5.0]], [2])
    assert objective.size == 9
    _, gradient = objective(objective.initial())
    expected = np.array([[1, 1, 1 / 3], [1, 1, 1 / 3], [-2, -2, -2 / 3]]) * [1, 5 / 3, 1]
    np.testing.assert_allclose(gradient, expected.ravel(), rtol=1e-15)
    coef, intercept = objective.unpack(np.arange(9.0))
    assert coef.tolist() == [[0, 1], [3, 4], [6, 7]]
    assert intercept.tolist() == [2, 5, 8]


def test_intercept_is_not_penalised(rng):
    X = rng.normal(0, 1, (30, 2))
    plain = fl.LinearObjective(fl.HalfSquaredError(), X, X[:, 0])
    ridge = fl.LinearObjective(fl.HalfSquaredError(), X, X[:, 0], fl.L2(alpha=2.0))
    w = np.array([1.0, -2.0, 7.0])
    assert ridge(w)[0] - plain(w)[0] == pytest.approx(5.0, rel=1e-12)
    np.testing.assert_allclose(ridge(w)[1] - plain(w)[1], [2, -4, 0], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(ridge.hessp(w, w) - plain.hessp(w, w), [2, -4, 0], rtol=1e-12, atol=1e-12)


def _in_any_order(make, index):
    """A sparse matrix whose entries are in no order, each there twice, as halves of it."""

    def convert(X):
        major, minor = np.nonzero(X) if "csr" in make.__name__ else np.nonzero(X.T)[:2]
        numbers = X[major, minor] if "csr" in make.__name__ else X[minor, major]
        order = np.concatenate([np.arange(major.size)[::-1]] * 2)
        order = order[np.argsort(major[order], kind="stable")]
        sparse = make(X.shape)
        n_lines = X.shape[0 if "csr" in make.__name__ else 1]
        sparse.data, sparse.indices = numbers[order] / 2, minor[order].astype(index)
        sparse.indptr = np.searchsorted(major[order], np.arange(n_lines + 1)).astype(index)
        return sparse

    return convert


LAYOUTS = {
    "F": np.asfortranarray,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "swapped bytes": lambda X: X.astype(">f8"),
    "misaligned": lambda X: np.frombuffer(b"x" + X.tobytes(), "u1")[1:].view("f8").reshape(X.shape),
    "read-only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape),
    "list": lambda X: X.tolist(),
    "long double": lambda X: X.astype(np.longdouble),
    "csr_array": scipy.sparse.csr_array,
    "csc_array": scipy.sparse.csc_array,
    "csr_matrix": scipy.sparse.csr_matrix,
    "csc_matrix": scipy.sparse.csc_matrix,
    "coo_array": scipy.sparse.coo_array,
    "csr in any order": _in_any_order(scipy.sparse.csr_array, np.int64),
    "csc in any order": _in_any_order(scipy.sparse.csc_matrix, np.int32),
    "csr of long double": lambda X: scipy.sparse.csr_array(X.astype(np.longdouble)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("chosen", [fl.Huber(), fl.CrossEntropy()], ids=repr)
def test_layouts_agree(chosen, layout, rng):
    X, y, weight = problem(chosen, rng, n=200)
    X[rng.random(X.shape) < 0.5] = 0
    plain = fl.LinearObjective(chosen, X, y, PENALTY, sample_weight=weight)
    other = fl.LinearObjective(chosen, LAYOUTS[layout](X), y, PENALTY, sample_weight=weight)
    w, v = rng.normal(0, 1, (2, plain.size))
    assert other(w)[0] == pytest.approx(plain(w)[0], rel=1e-13)
    np.testing.assert_allclose(other(w)[1], plain(w)[1], rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(other.hessp(w, v), plain.hessp(w, v), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("convert", [np.asarray, np.asfortranarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("chosen", [fl.BinaryCrossEntropy(), fl.CrossEntropy()], ids=repr)
def test_float32(chosen, convert, rng):
    X, y, weight = problem(chosen, rng, n=200)
    X = X.astype(np.float32)
    single = fl.LinearObjective(chosen, convert(X), y, PENALTY, sample_weight=weight)
    double = fl.LinearObjective(chosen, X.astype(np.float64), y, PENALTY, sample_weight=weight)
    w, v = rng.normal(0, 1, (2, single.size))
    assert single(w)[1].dtype == single.hessp(w, v).dtype == np.float64
    assert single(w)[0] == pytest.approx(double(w)[0], rel=1e-6)
    np.testing.assert_allclose(single(w)[1], double(w)[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(single.hessp(w, v), double.hessp(w, v), rtol=1e-5, atol=1e-6)
    # The products were made in float32 indeed: they are off by its rounding.
    assert single(w)[0] != double(w)[0]


def test_integers_and_flags_are_exact(rng):
    X, y, _ = problem(fl.Huber(), rng)
    whole = rng.integers(-9, 9, X.shape)
    w = rng.normal(0, 1, 4)
    expected = fl.LinearObjective(fl.Huber(), whole.astype(float), y)(w)[0]
    assert fl.LinearObjective(fl.Huber(), whole.astype(np.int8), y)(w)[0] == expected
    assert fl.LinearObjective(fl.Huber(), scipy.sparse.csr_array(whole), y)(w)[0] == pytest.approx(expected)
    expected = fl.LinearObjective(fl.Huber(), (whole > 0).astype(float), y)(w)[0]
    assert fl.LinearObjective(fl.Huber(), whole > 0, y)(w)[0] == expected


@pytest.mark.parametrize("chosen", [fl.Poisson(), fl.CrossEntropy(class_weight=[1, 2, 3, 4])], ids=repr)
def test_weights_are_repetitions(chosen, rng):
    X, y, _ = problem(chosen, rng)
    times = rng.integers(0, 4, len(X))
    weighted = fl.LinearObjective(chosen, X, y, PENALTY, sample_weight=times, **classes(chosen))
    repeated = fl.LinearObjective(
        chosen, np.repeat(X, times, axis=0), np.repeat(y, times, axis=0), PENALTY, **classes(chosen)
    )
    w, v = rng.normal(0, 0.5, (2, weighted.size))
    assert weighted(w)[0] == pytest.approx(repeated(w)[0], rel=1e-13)
    np.testing.assert_allclose(weighted(w)[1], repeated(w)[1], rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(weighted.hessp(w, v), repeated.hessp(w, v), rtol=1e-11, atol=1e-14)


def classes(loss):
    return {"n_classes": 4} if isinstance(loss, fl.RowLoss) else {}


def test_ignored_rows_do_not_count(rng):
    X, y, _ = problem(fl.CrossEntropy(), rng)
    loss = fl.CrossEntropy(ignore_index=-1)
    hidden = np.where(np.arange(len(y)) % 3 == 0, -1, y)
    seen = hidden >= 0
    all_rows = fl.LinearObjective(loss, X, hidden, n_classes=4)
    some_rows = fl.LinearObjective(fl.CrossEntropy(), X[seen], y[seen], n_classes=4)
    w, v = rng.normal(0, 1, (2, all_rows.size))
    assert all_rows(w)[0] == pytest.approx(some_rows(w)[0], rel=1e-13)
    np.testing.assert_allclose(all_rows(w)[1], some_rows(w)[1], rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(all_rows.hessp(w, v), some_rows.hessp(w, v), rtol=1e-11, atol=1e-14)
    value, gradient = fl.LinearObjective(loss, X, np.full(len(y), -1), fl.L2(), n_classes=4)(w)
    coef, _ = all_rows.unpack(w)
    assert value == fl.L2()(coef)
    np.testing.assert_array_equal(gradient.reshape(4, 4), np.column_stack([coef, np.zeros(4)]))


def test_number_of_classes(rng):
    X, y = rng.normal(0, 1, (6, 2)), np.array([0, 1, 2, 1, 0, 255])
    sizes = {
        3: fl.LinearObjective(fl.CrossEntropy(), X[:5], y[:5]),
        4: fl.LinearObjective(fl.CrossEntropy(class_weight=[1, 1, 1, 1]), X[:5], y[:5]),
        5: fl.LinearObjective(fl.Focal(alpha=[1, 1, 1, 1, 1]), X[:5], y[:5].astype(np.float32)),
        6: fl.LinearObjective(fl.CrossEntropy(), X[:5], y[:5], n_classes=6),
        7: fl.LinearObjective(fl.CrossEntropy(), X, np.full((6, 7), 1 / 7)),
        2: fl.LinearObjective(fl.CrossEntropy(), X, np.zeros(6, bool)),
    }
    assert {c: o.size // 3 for c, o in sizes.items()} == {c: c for c in sizes}
    ignoring = fl.LinearObjective(fl.CrossEntropy(ignore_index=255), X, y.astype(np.uint8))
    assert ignoring.size == 3 * 3


def test_every_gradient_is_a_new_array(rng):
    X, y, _ = problem(fl.Huber(), rng)
    for objective in (
        fl.LinearObjective(fl.Huber(), X, y),
        fl.LinearObjective(fl.Huber(), X, y, fl.L2()),
        fl.LinearObjective(fl.CrossEntropy(), X, (y > 0).astype(int)),
    ):
        w = start(objective, rng)
        first, kept = objective(w)[1], objective(w)[1].copy()
        product, kept_product = objective.hessp(w, w), objective.hessp(w, w).copy()
        assert not np.shares_memory(first, w)
        objective(w + 1)
        objective.hessp(w + 1, w)
        assert np.array_equal(first, kept)
        assert np.array_equal(product, kept_product)
        first[:] = 77
        assert np.array_equal(objective(w)[1], kept)


def test_hessp_follows_parameters_that_change_in_place(rng):
    for loss in (fl.LogCosh(), fl.CrossEntropy()):
        X, y, _ = problem(loss, rng)
        objective, w = (
            fl.LinearObjective(loss, X, y),
            rng.normal(0, 1, 4 if loss.family != "multiclass" else 16),
        )
        v = rng.normal(0, 1, w.size)
        before = objective.hessp(w, v)
        w *= 2
        after = objective.hessp(w, v)
        assert np.array_equal(after, fl.LinearObjective(loss, X, y).hessp(w.copy(), v))
        assert not np.allclose(before, after)
        w /= 2
        assert np.array_equal(objective.hessp(w, v), before)


def test_curvature_is_computed_once_at_each_point(rng, monkeypatch):
    X, y, _ = problem(fl.LogCosh(), rng)
    objective, computed = fl.LinearObjective(fl.LogCosh(), X, y), []
    compute = fl.LinearObjective._compute_curvature

    def counted(self, *arguments):
        computed.append(1)
        compute(self, *arguments)

    monkeypatch.setattr(fl.LinearObjective, "_compute_curvature", counted)
    w = rng.normal(0, 1, 4)
    for at, times in ((w, 1), (w.copy(), 1), (w + 1, 2), (w, 3), (np.full(4, np.nan), 4)):
        objective.hessp(at, w)
        objective(at + 1)
        assert len(computed) == times


def test_first_parameters_may_be_float32_or_integers(rng):
    X, y, _ = problem(fl.Huber(), rng)
    objective = fl.LinearObjective(fl.Huber(), X, y, fl.L2())
    w = np.array([1.0, 2.0, -1.0, 0.5])
    value, gradient = objective(w)
    for other in (w.astype(np.float32), w.tolist(), np.repeat(w, 2)[::2], w.astype(">f8")):
        assert objective(other)[0] == value
        assert np.array_equal(objective(other)[1], gradient)
        assert objective(other)[1].dtype == np.float64
        assert np.array_equal(objective.hessp(other, other), objective.hessp(w, w))


def test_no_features_and_many(rng):
    y = rng.normal(0, 1, 200)
    constant = fl.LinearObjective(fl.HalfSquaredError(), np.zeros((200, 0)), y, fl.L1())
    value, gradient = constant([2.0])
    assert value == pytest.approx(np.mean((2 - y) ** 2) / 2, rel=1e-14)
    assert gradient[0] == pytest.approx(2 - y.mean(), rel=1e-14)
    X = rng.normal(0, 1, (100, 5_000))
    w = rng.normal(0, 0.1, 5_000)
    for X_ in (X, np.asfortranarray(X)):
        wide = fl.LinearObjective(fl.HalfSquaredError(), X_, y[:100], fit_intercept=False)
        np.testing.assert_allclose(wide(w)[1], X.T @ (X @ w - y[:100]) / 100, rtol=1e-10, atol=1e-11)


def test_no_temporary_is_larger_than_the_predictions(rng, monkeypatch):
    monkeypatch.undo()
    n = 200_000
    X, y = rng.normal(0, 1, (n, 8)), rng.integers(0, 2, n).astype(float)
    for X_, most in ((X, n * 8 / 2), (scipy.sparse.csr_array(X), 2.1 * n * 8)):
        objective = fl.LinearObjective(fl.BinaryCrossEntropy(), X_, y, fl.L2())
        w = objective.initial()
        tracemalloc.start()
        objective(w)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < most


def test_blocks_give_what_one_block_gives(rng, monkeypatch):
    X, y, weight = problem(fl.BinaryCrossEntropy(), rng, n=1_000)
    in_blocks = fl.LinearObjective(fl.BinaryCrossEntropy(), X, y, sample_weight=weight)
    monkeypatch.undo()
    at_once = fl.LinearObjective(fl.BinaryCrossEntropy(), X, y, sample_weight=weight)
    assert len(in_blocks._blocks) > 10
    assert len(at_once._blocks) == 1
    w, v = rng.normal(0, 1, (2, 4))
    assert in_blocks(w)[0] == pytest.approx(at_once(w)[0], rel=1e-14)
    np.testing.assert_allclose(in_blocks(w)[1], at_once(w)[1], rtol=1e-12)
    np.testing.assert_allclose(in_blocks.hessp(w, v), at_once.hessp(w, v), rtol=1e-12)
    assert in_blocks(w)[0] == in_blocks(w)[0]
    assert np.array_equal(in_blocks(w)[1], in_blocks(w)[1])


def test_pickled_without_its_blocks(rng):
    for loss in (fl.Huber(), fl.CrossEntropy()):
        X, y, weight = problem(loss, rng, n=300)
        objective = fl.LinearObjective(loss, X, y, PENALTY, False, weight)
        w = rng.normal(0, 1, objective.size)
        data = pickle.dumps(objective)
        assert len(data) < X.nbytes + y.nbytes + weight.nbytes + 2_000
        assert pickle.loads(data)(w)[0] == objective(w)[0]


def test_python_threads_share_an_objective(rng):
    X, y, _ = problem(fl.LogCosh(), rng, n=20_000)
    objective = fl.LinearObjective(fl.LogCosh(), X, y, PENALTY)
    points = rng.normal(0, 1, (40, 4))

    def ask(w):
        return [*objective(w)[1], *objective.hessp(w, w)]

    expected = [ask(w) for w in points]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, points)) == expected


def test_weight_sum_is_what_a_mean_divides_by(rng):
    n = 50
    z, weight = rng.normal(0, 1, (n, 3)), rng.random(n)
    y = rng.integers(0, 3, n)
    assert fl.Huber().weight_sum(z, z) == 3 * n
    assert fl.Huber().weight_sum(z, z, sample_weight=weight) == pytest.approx(3 * weight.sum(), rel=1e-14)
    assert fl.CrossEntropy().weight_sum(y, z) == n
    loss = fl.CrossEntropy(class_weight=[1, 2, 4], ignore_index=1)
    true = weight[y == 0].sum() + 4 * weight[y == 2].sum()
    assert loss.weight_sum(y, z, sample_weight=weight) == pytest.approx(true, rel=1e-14)
    assert fl.Huber().weight_sum([], []) == fl.CrossEntropy().weight_sum(y[:0], z[:0]) == 0
    assert fl.Huber().weight_sum([1.0], [1.0], sample_weight=[0.0]) == 0
    with pytest.raises(ValueError, match=r"y_true\[1\]"):
        fl.BinaryCrossEntropy().weight_sum([0, 2], [0.0, 0.0])
    with pytest.raises(ValueError, match=r"y_true\[1\]"):
        fl.CrossEntropy().weight_sum([0, 7], z[:2])
