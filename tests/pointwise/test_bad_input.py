"""Wrong input: an error that says what, where and what was expected; never a crash or a wrong number."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import processes
import pytest
from verbs import REDUCTIONS, array_results, verbs_of

import fastloss as fl

LOSS = fl.SquaredError()
Y, Z = np.zeros(10), np.ones(10)


# Shapes


@pytest.mark.parametrize(
    ("y_shape", "z_shape"),
    [
        ((10,), (9,)),
        ((9,), (10,)),
        ((10, 1), (10,)),
        ((10,), (10, 1)),
        ((2, 5), (5, 2)),
        ((1,), (10,)),
        ((0,), (1,)),
    ],
)
def test_shapes_that_differ(y_shape: tuple[int, ...], z_shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="y_true and y_pred") as caught:
        LOSS(np.zeros(y_shape), np.zeros(z_shape))
    assert str(y_shape) in str(caught.value)
    assert str(z_shape) in str(caught.value)


@pytest.mark.parametrize("scalar", [1.0, np.float64(1), np.array(1.0), np.float32(1), 3])
def test_no_dimension(scalar: Any) -> None:
    with pytest.raises(ValueError, match="0-dimensional"):
        LOSS(scalar, scalar)
    with pytest.raises(ValueError, match="y_true"):
        LOSS(scalar, [1.0])


@pytest.mark.parametrize("shape", [(9,), (11,), (0,), (10, 1), (1,), ()])
def test_weights_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sample_weight") as caught:
        LOSS(Y, Z, sample_weight=np.ones(shape))
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("shape", [(3,), (4, 2), (3, 4), (4, 1), (12,)])
def test_weights_of_another_shape_for_a_grid(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sample_weight"):
        LOSS(np.zeros((4, 3)), np.zeros((4, 3)), sample_weight=np.ones(shape))


def test_ragged_lists() -> None:
    with pytest.raises(ValueError, match="y_true"):
        LOSS([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0, 4.0]])


# Dtypes


@pytest.mark.parametrize(
    "bad",
    [
        np.array([object()] * 10),
        np.array([1.0] * 10, dtype=object),
        np.ones(10, complex),
        np.ones(10, np.complex64),
        np.array(["a"] * 10),
        np.array([b"a"] * 10),
        np.ones(10, "datetime64[s]"),
        np.ones(10, "timedelta64[s]"),
        np.ones(10, "V8"),
        np.ones(10, [("a", "f8")]),
        np.array(["a"] * 10, np.dtypes.StringDType()),
        ["a"] * 10,
        [None] * 10,
        [1j] * 10,
        [datetime.date(2000, 1, 1)] * 10,
    ],
    ids=lambda x: str(getattr(x, "dtype", x[0])),
)
def test_no_real_numbers(bad: Any) -> None:
    for name, call in [
        ("y_true", lambda: LOSS(bad, Z)),
        ("y_pred", lambda: LOSS(Y, bad)),
        ("sample_weight", lambda: LOSS(Y, Z, sample_weight=bad)),
    ]:
        with pytest.raises(TypeError, match=name):
            call()


def test_masked_arrays() -> None:
    masked = np.ma.masked_array(Z, mask=Z > 0)
    for call in [
        lambda: LOSS(masked, Z),
        lambda: LOSS(Y, masked),
        lambda: LOSS(Y, Z, sample_weight=masked),
        lambda: LOSS.gradient(Y, Z, out=masked.copy()),
    ]:
        with pytest.raises(TypeError, match=r"mask|MaskedArray"):
            call()


def test_sparse_matrices() -> None:
    scipy_sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="sparse"):
        LOSS(scipy_sparse.eye(3).tocsr(), np.eye(3))


@pytest.mark.parametrize("bad", ["avg", "MEAN", "", None, 1, b"mean", ["mean"]])
def test_reduction(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"reduction.*'mean', 'sum' or 'none'"):
        LOSS(Y, Z, reduction=bad)


def test_arguments_that_do_not_exist() -> None:
    with pytest.raises(TypeError):
        LOSS(Y, Z, None)
    with pytest.raises(TypeError):
        LOSS(Y)
    with pytest.raises(TypeError):
        LOSS(Y, Z, weight=Z)


# Labels, probabilities, weights

BAD_TARGETS = [
    (fl.Hinge(), [2, -2, 0.5, np.nan, np.inf, -np.inf]),
    (fl.Perceptron(), [2, -2, 0.5, np.nan, np.inf]),
    (fl.SquaredHinge(), [2, -2, 0.5, np.nan]),
    (fl.Exponential(), [2, -2, 0.5, np.nan]),
    (fl.WassersteinCritic(), [2, -2, 0.5, np.nan]),
    (fl.BinaryFocal(), [2, -1, 0.5, np.nan, np.inf]),
    (fl.BinaryFocal(gamma=0.5), [2, -1, 0.5, np.nan]),
    (fl.BinaryFocal(from_logits=False), [2, -1, 0.5, np.nan]),
    (fl.BinaryCrossEntropy(), [1.0001, -0.0001, 2, -1, np.nan, np.inf]),
    (fl.BinaryCrossEntropy(label_smoothing=0.5), [1.0001, -0.0001, np.nan]),
    (fl.BinaryCrossEntropy(from_logits=False), [1.0001, -0.0001, np.nan]),
    (fl.Poisson(), [-1, -1e-30, -np.inf]),
    (fl.Gamma(), [0, -0.0, -1, -1e-30]),
    (fl.Tweedie(), [-1, -1e-30]),
    (fl.Tweedie(power=2.0), [0, -1]),
    (fl.SquaredLogError(), [-1, -1.0001, -np.inf]),
]

BAD_PREDICTIONS = [
    (fl.BinaryCrossEntropy(from_logits=False), [1.0001, -0.0001, np.nan, np.inf, -1]),
    (fl.BinaryFocal(from_logits=False), [1.0001, -0.0001, np.nan, 2]),
    (fl.SquaredLogError(), [-1, -1.0001, -np.inf]),
]


def _good(loss: Any, n: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.ones(n, dtype), np.full(n, 0.5, dtype)


def _complains(loss: Any, argument: str, y: Any, z: Any, place: Any, value: Any) -> None:
    for verb in verbs_of(loss):
        for reduction in REDUCTIONS:
            with pytest.raises(ValueError, match=type(loss).__name__) as caught:
                getattr(loss, verb)(y, z, reduction=reduction)
            assert f"{argument}[{place}] = {value}" in str(caught.value)
            assert "expected" in str(caught.value)


@pytest.mark.parametrize(
    ("checked", "values"), BAD_TARGETS, ids=lambda x: repr(x) if isinstance(x, fl.Loss) else ""
)
def test_bad_targets(checked: Any, values: list[float], dtype: Any) -> None:
    for n in (1, 5, 16, 33, 1000, 5000):
        for place in {0, n // 2, n - 1}:
            for value in values:
                y, z = _good(checked, n, dtype)
                y[place] = value
                _complains(checked, "y_true", y, z, place, y[place])


@pytest.mark.parametrize(
    ("checked", "values"), BAD_PREDICTIONS, ids=lambda x: repr(x) if isinstance(x, fl.Loss) else ""
)
def test_bad_predictions(checked: Any, values: list[float], dtype: Any) -> None:
    for n in (1, 5, 16, 33, 1000, 5000):
        for place in {0, n // 2, n - 1}:
            for value in values:
                y, z = _good(checked, n, dtype)
                z[place] = value
                _complains(checked, "y_pred", y, z, place, z[place])


def test_the_first_of_several_is_named() -> None:
    y = np.zeros(9000)
    for place in (8000, 4097, 4096, 31, 30, 16, 15):
        y[place] = 5
        _complains(fl.Hinge(), "y_true", y, np.zeros(9000), place, 5.0)


def test_places_in_a_grid() -> None:
    for order in "CF":
        y = np.zeros((50, 40), order=order)
        y[37, 21] = 3
        _complains(fl.Hinge(), "y_true", y, np.zeros((50, 40), order=order), "37, 21", 3.0)
        _complains(fl.Hinge(), "y_true", y, np.zeros((50, 40)), "37, 21", 3.0)


@pytest.mark.parametrize("made", [np.int8, np.int64, np.uint8, np.float16, ">f8", ">i2"])
def test_bad_labels_of_other_dtypes(made: Any) -> None:
    y = np.zeros(3000, made)
    y[2049] = 7
    with pytest.raises(ValueError, match=r"y_true\[2049\] = 7"):
        fl.Hinge()(y, np.zeros(3000, np.float32))
    with pytest.raises(ValueError, match=r"y_true\[1949\] = 7"):
        fl.Hinge()(y[100:], np.zeros(2900))
    with pytest.raises(ValueError, match=r"y_true\[683\] = 7"):
        fl.Hinge()(y[::3], np.zeros(1000))


def test_booleans_of_other_bytes_are_no_labels() -> None:
    """A bool array made from raw memory may hold any byte."""
    y = np.array([0, 1, 7], np.uint8).view(bool)
    with pytest.raises(ValueError, match=r"y_true\[2\]"):
        fl.Hinge()(y, np.zeros(3))


@pytest.mark.parametrize("bad", [-1.0, -1e-30, np.nan, np.inf, -np.inf])
def test_bad_weights(default_loss: Any, dtype: Any, bad: float) -> None:
    for n in (1, 17, 5000):
        for place in {0, n // 2, n - 1}:
            y, z = _good(default_loss, n, dtype)
            w = np.ones(n, dtype)
            w[place] = bad
            for verb in verbs_of(default_loss):
                for reduction in REDUCTIONS:
                    with pytest.raises(ValueError, match="weights must be finite and not negative") as caught:
                        getattr(default_loss, verb)(y, z, sample_weight=w, reduction=reduction)
                    assert f"sample_weight[{place}] = {w[place]}" in str(caught.value)


def test_bad_weight_of_a_row() -> None:
    w = np.ones(30)
    w[17] = -2
    for order in "CF":
        z = np.zeros((30, 40), order=order)
        with pytest.raises(ValueError, match=r"sample_weight\[17\] = -2"):
            LOSS(z, z, sample_weight=w)


def test_weights_that_are_all_zero(default_loss: Any, dtype: Any) -> None:
    for n in (1, 100, 5000):
        y, z = _good(default_loss, n, dtype)
        for verb in verbs_of(default_loss):
            with pytest.raises(ValueError, match="sample_weight sums to 0"):
                getattr(default_loss, verb)(y, z, sample_weight=np.zeros(n, dtype))
        assert default_loss(y, z, sample_weight=np.zeros(n, dtype), reduction="sum") == 0


def test_no_gradient() -> None:
    for loss in (fl.ZeroOne(), fl.ZeroOne(threshold=0.5)):
        for verb in ("gradient", "value_and_gradient", "gradient_and_hessian", "value_gradient_and_hessian"):
            with pytest.raises(TypeError, match=r"ZeroOne is not differentiable"):
                getattr(loss, verb)(Y, Z)


# out


def test_out_for_a_float() -> None:
    for reduction in ("mean", "sum"):
        with pytest.raises(ValueError, match="out"):
            LOSS(Y, Z, reduction=reduction, out=np.empty(10))


@pytest.mark.parametrize("shape", [(9,), (11,), (0,), (10, 1), (1,), (), (2, 5)])
def test_out_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="out") as caught:
        LOSS.gradient(Y, Z, out=np.empty(shape))
    assert str(shape) in str(caught.value)
    with pytest.raises(ValueError, match=r"out\[1\]"):
        LOSS.gradient_and_hessian(Y, Z, out=(np.empty(10), np.empty(shape)))


@pytest.mark.parametrize(
    "dtype_", ["int64", "bool", "complex128", "object", "longdouble", "U8", "M8[s]", "V8"]
)
def test_out_of_another_kind(dtype_: str) -> None:
    with pytest.raises(TypeError, match="out"):
        LOSS.gradient(Y, Z, out=np.empty(10, dtype_))


@pytest.mark.parametrize("bad", [[0.0] * 10, memoryview(bytearray(80)), 3, "out"])
def test_out_that_is_no_array(bad: Any) -> None:
    with pytest.raises(TypeError, match="out"):
        LOSS.gradient(Y, Z, out=bad)


def test_read_only_out() -> None:
    out = np.empty(10)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        LOSS.gradient(Y, Z, out=out)
    with pytest.raises(ValueError, match="read-only"):
        LOSS.gradient(Y, Z, out=np.broadcast_to(np.empty(1), 10))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_tuples_of_another_length(n: int) -> None:
    with pytest.raises(ValueError, match=r"out must hold 2 arrays"):
        LOSS.gradient_and_hessian(Y, Z, out=tuple(np.empty(10) for _ in range(n)))


def test_one_array_for_two_results() -> None:
    with pytest.raises(TypeError, match="tuple of 2"):
        LOSS.gradient_and_hessian(Y, Z, out=np.empty(10))


def test_overlaps() -> None:
    buffer = np.zeros(40)
    z, y, w = buffer[0:10], buffer[10:20], buffer[20:30]
    w[:] = 1
    for name, out in [
        ("y_pred", buffer[1:11]),
        ("y_pred", buffer[0:10][::-1]),
        ("y_pred", buffer[0:20:2]),
        ("y_true", buffer[10:20]),
        ("y_true", buffer[19:29]),
        ("sample_weight", buffer[29:39]),
        ("sample_weight", buffer[20:30]),
        ("y_pred", buffer.view(np.float32)[:10]),
    ]:
        with pytest.raises(ValueError, match=f"out overlaps .*{name}|out overlaps {name}"):
            LOSS.gradient(y, z, sample_weight=w, out=out)
    assert (z == 0).all()
    np.testing.assert_array_equal(buffer[30:], 0)


def test_outputs_that_overlap_each_other() -> None:
    buffer = np.zeros(40)
    for other in (buffer[0:10], buffer[9:19], buffer[9::-1], buffer[0:20:2]):
        with pytest.raises(ValueError, match=r"out\[1\] overlaps out\[0\]"):
            LOSS.gradient_and_hessian(Y, Z, out=(buffer[0:10], other))
    z = Z.copy()
    with pytest.raises(ValueError, match=r"out\[1\]"):
        LOSS.gradient_and_hessian(Y, z, out=(z, z))


def test_interleaved_arrays_do_not_overlap() -> None:
    """Every second element of one buffer: their bounds overlap, their elements do not."""
    buffer = np.arange(20.0)
    expected = 2 * (buffer[::2] - Y)
    LOSS.gradient(Y, buffer[::2], reduction="sum", out=buffer[1::2])
    np.testing.assert_array_equal(buffer[1::2], expected)


def test_target_and_prediction_may_be_one_array() -> None:
    assert LOSS(Z, Z) == 0
    np.testing.assert_array_equal(LOSS.gradient(Z, Z), np.zeros(10))
    with pytest.raises(ValueError, match="overlaps y_true"):
        LOSS.gradient(Z, Z, out=Z)


@pytest.mark.parametrize("n", [10, 5000, 700_000])
def test_nothing_is_lost_in_place(n: int, dtype: Any) -> None:
    """An error leaves predictions that were to be overwritten as they were."""
    rng = np.random.default_rng(0)
    z = rng.random(n).astype(dtype)
    y, w = np.ones(n, dtype), np.ones(n, dtype)
    for spoil, loss in [
        ("y_true", fl.BinaryCrossEntropy()),
        ("y_pred", fl.BinaryCrossEntropy(from_logits=False)),
        ("sample_weight", fl.BinaryCrossEntropy()),
        ("zero weights", fl.SquaredError()),
        ("zero weights", fl.BinaryCrossEntropy()),
    ]:
        arrays = {"y_true": y.copy(), "y_pred": z.copy(), "sample_weight": w.copy()}
        if spoil == "zero weights":
            arrays["sample_weight"][:] = 0
        else:
            arrays[spoil][n - 1] = -5
        before = arrays["y_pred"].copy()
        for verb in ("gradient", "value_and_gradient"):
            with pytest.raises(ValueError, match="sample_weight" if "weight" in spoil else spoil):
                getattr(loss, verb)(
                    arrays["y_true"],
                    arrays["y_pred"],
                    sample_weight=arrays["sample_weight"],
                    out=arrays["y_pred"],
                    n_threads=2,
                )
            np.testing.assert_array_equal(arrays["y_pred"], before)


# What might crash runs in a process of its own.

CRASHERS = """
import itertools, gc
import numpy as np, fastloss as fl, conftest
from verbs import REDUCTIONS, VERBS
rng = np.random.default_rng(0)
shapes = [(), (0,), (1,), (7,), (16,), (17,), (4, 4), (16, 1), (2, 0)]
arrays = [np.ones(s, d) for s in shapes for d in ("f4", "f8", "i8", "O", "?", "c8", ">f4", "f2", "g")]
arrays += [np.full(16, np.nan), np.full(16, 7), np.full(17, -np.inf), np.broadcast_to(1.0, 16)]
arrays += [np.array([2**63], np.uint64), np.ones(34)[::-2], [], [1.0] * 16, None, "x", object(), range(16)]
losses = conftest.LOSSES
done = 0
for loss in losses:
    for _ in range(1500):
        y, z, w, out, out2 = (arrays[i] for i in rng.integers(len(arrays), size=5))
        if rng.random() < 0.5:
            y = z
        out = [None, out, (out,), (out, out2), (out, out2, z)][rng.integers(5)]
        verb = list(VERBS)[rng.integers(len(VERBS))]
        reduction = ["mean", "sum", "none", "none", 3][rng.integers(5)]
        threads = [None, 1, 2, 0, -1, 2.5, "2"][rng.integers(7)]
        w = [None, w][rng.integers(2)]
        try:
            getattr(loss, verb)(y, z, sample_weight=w, reduction=reduction, out=out, n_threads=threads)
            done += 1
        except (TypeError, ValueError):
            pass
gc.collect()
print(done)
"""


def test_random_arguments_never_crash() -> None:
    assert int(processes.output(CRASHERS)) > 500


HUGE = """
import numpy as np, fastloss as fl
n = 2**31 + 17
one, zero = np.broadcast_to(np.int8(1), n), np.broadcast_to(np.int8(0), n)
half = np.broadcast_to(np.float32(0.5), n)
assert fl.AbsoluteError()(zero, half, reduction="sum") == n / 2
assert fl.AbsoluteError()(zero, half, sample_weight=one) == 0.5
"""


def test_more_than_2_to_the_31_elements() -> None:
    processes.output(HUGE)


def test_a_bad_label_beyond_2_to_the_31() -> None:
    code = """
import numpy as np, fastloss as fl
n, place = 2**31 + 17, 2**31 + 5
y = np.zeros(n, np.int8)
y[place] = 7
try:
    fl.Hinge()(y, np.broadcast_to(np.float32(2), n))
except ValueError as error:
    print(error)
"""
    assert f"y_true[{2**31 + 5}] = 7" in processes.output(code)


def test_array_results_are_listed_for_every_verb() -> None:
    """The table that the tests of ``out`` go by."""
    for verb in verbs_of(LOSS):
        for reduction in REDUCTIONS:
            results = getattr(LOSS, verb)(Y, Z, reduction=reduction)
            results = results if isinstance(results, tuple) else (results,)
            assert sum(isinstance(x, np.ndarray) for x in results) == len(array_results(verb, reduction))
