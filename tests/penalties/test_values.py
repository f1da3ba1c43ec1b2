"""Penalties: worked by hand, in 50 digits, by finite differences; for any array, at any number of threads."""

from __future__ import annotations

import doctest
import pickle

import mpmath
import numpy as np
import pytest
from mpmath import mp
from multiprecision import exact

import fastloss as fl
from fastloss import reference
from penalties import truth as penalty_truth
from penalties.truth import PENALTIES, shares


@pytest.fixture(params=PENALTIES, ids=repr)
def penalty(request):
    return request.param


def test_by_hand():
    w = [3.0, 0.0, -4.0]
    value, gradient, hessian = fl.L1(alpha=2.0).value_gradient_and_hessian(w)
    assert value == 14
    assert gradient.tolist() == [2, 0, -2]
    assert hessian.tolist() == [0, 0, 0]
    value, gradient, hessian = fl.L2(alpha=2.0).value_gradient_and_hessian(w)
    assert value == 25
    assert gradient.tolist() == [6, 0, -8]
    assert hessian.tolist() == [2, 2, 2]
    # 2·(0.75·7 + 0.125·25), 2·(0.75·sign w + 0.25·w)
    value, gradient, hessian = fl.ElasticNet(alpha=2.0, l1_ratio=0.75).value_gradient_and_hessian(w)
    assert value == 16.75
    assert gradient.tolist() == [3, 0, -3.5]
    assert hessian.tolist() == [0.5, 0.5, 0.5]


def test_fifty_digits(penalty, dtype, rng):
    w = penalty_truth.hard(dtype, rng)
    for output, result in penalty_truth.results(penalty, w).items():
        assert penalty_truth.errors(penalty, output, w, result).max() <= 4


def test_sums_keep_their_digits(penalty, rng):
    w = np.exp(rng.uniform(-20, 20, 5_003)) * rng.choice([-1, 1], 5_003)
    with mpmath.workdps(50):
        a, b = shares(penalty)
        true = mp.fsum(a * abs(x) + b * x**2 / 2 for x in exact(w.astype(object)))
        assert abs(penalty(w) - true) <= 1e-15 * true


def test_gradient_is_the_slope_of_the_value(penalty, rng):
    w = rng.normal(0, 1, 20)
    w[np.abs(w) < 1e-3] = 0.5
    gradient, step = penalty.gradient(w), 1e-6
    for j in range(w.size):
        e = np.zeros_like(w)
        e[j] = step
        assert (penalty(w + e) - penalty(w - e)) / (2 * step) == pytest.approx(
            gradient[j], rel=1e-6, abs=1e-8
        )
        bend = (penalty.gradient(w + e) - penalty.gradient(w - e)) / (2 * step)
        assert bend == pytest.approx(penalty.hessian(w) * (e != 0), rel=1e-6, abs=1e-8)


def test_missing_and_infinite_parameters(dtype):
    for penalty in (fl.L1(alpha=0.5), fl.L2(alpha=0.5), fl.ElasticNet(alpha=0.5)):
        w = np.array([1, np.nan, np.inf, -np.inf], dtype)
        value, gradient, hessian = penalty.value_gradient_and_hessian(w)
        assert np.isnan(value)
        assert np.isnan([gradient[1], hessian[1]]).all()
        assert penalty(w[2:]) == np.inf
        assert np.isfinite(gradient[0])
        assert gradient[2] > 0 > gradient[3]


def test_every_verb_says_the_same(penalty, dtype, rng):
    w = rng.normal(0, 1, 1_234).astype(dtype)
    value, gradient, hessian = penalty.value_gradient_and_hessian(w)
    assert type(value) is float
    assert gradient.dtype == hessian.dtype == dtype
    assert penalty(w) == value
    assert np.array_equal(penalty.gradient(w), gradient)
    assert np.array_equal(penalty.hessian(w), hessian)
    assert penalty.value_and_gradient(w)[0] == value
    assert np.array_equal(penalty.value_and_gradient(w)[1], gradient)
    for one, other in zip(penalty.gradient_and_hessian(w), (gradient, hessian), strict=True):
        assert np.array_equal(one, other)


def test_reference_agrees(penalty, rng):
    twin = getattr(reference, type(penalty).__name__)(**penalty.parameters)
    assert repr(twin) == repr(penalty)
    w = np.concatenate([rng.normal(0, 1, 500), [0.0, np.nan]])
    assert twin(w[:-1]) == pytest.approx(penalty(w[:-1]), rel=1e-14)
    for verb in ("gradient", "hessian"):
        np.testing.assert_allclose(getattr(twin, verb)(w), getattr(penalty, verb)(w), rtol=1e-15)
    value, gradient, hessian = twin.value_gradient_and_hessian(w[:-1].astype(np.float32), out=None)
    assert gradient.dtype == hessian.dtype == np.float32
    assert twin.value_and_gradient(w[:-1].astype(np.float32))[0] == value
    assert np.array_equal(twin.gradient_and_hessian(w)[0], twin.gradient(w), equal_nan=True)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 511, 512, 513, 1_025, 70_000])
def test_sizes(n):
    w = np.arange(n) - 2.0
    assert fl.L1(alpha=0.5)(w) == 0.5 * np.abs(w).sum()
    assert np.array_equal(fl.L2(alpha=0.5).gradient(w), 0.5 * w)
    assert fl.L2().hessian(w).shape == (n,)


def test_threads_leave_the_bits_alone(penalty, dtype, rng):
    w = rng.normal(0, 1, (1 << 20) + 77).astype(dtype)
    one = penalty.value_and_gradient(w, n_threads=1)
    two = penalty.value_and_gradient(w, n_threads=3)
    assert one[0] == two[0]
    assert np.array_equal(one[1], two[1])


def test_out(penalty, rng):
    w = rng.normal(0, 1, 1_000)
    value, gradient, hessian = penalty.value_gradient_and_hessian(w)
    g, h = np.empty_like(w), np.empty(1_000, np.float32)
    result = penalty.value_gradient_and_hessian(w, out=(g, h))
    assert result[1] is g
    assert result[2] is h
    assert np.array_equal(g, gradient)
    assert np.array_equal(h, hessian.astype(np.float32))
    matrix = np.zeros((1_000, 3))
    penalty.gradient(w, out=matrix[:, 1])
    assert np.array_equal(matrix, np.column_stack([0 * w, gradient, 0 * w]))
    assert penalty.value_and_gradient(w, out=w)[0] == value
    assert np.array_equal(w, gradient)


def test_bad_arrays():
    penalty, w = fl.L2(), np.zeros(6)
    with pytest.raises(ValueError, match="w is 0-dim"):
        penalty(3.0)
    with pytest.raises(TypeError, match="w has dtype complex128"):
        penalty(w + 0j)
    with pytest.raises(TypeError, match="w has dtype object"):
        penalty.gradient(np.array([None, 1]))
    with pytest.raises(ValueError, match=r"out has shape \(5,\), expected \(6,\)"):
        penalty.gradient(w, out=np.zeros(5))
    with pytest.raises(TypeError, match="out has dtype int64"):
        penalty.gradient(w, out=np.zeros(6, np.int64))
    with pytest.raises(ValueError, match="out overlaps w without"):
        penalty.gradient(w[:-1], out=w[1:])
    with pytest.raises(ValueError, match=r"out\[1\] overlaps out\[0\]"):
        penalty.gradient_and_hessian(np.zeros(6), out=(w, w))
    with pytest.raises(TypeError, match="out must be a tuple of 2"):
        penalty.gradient_and_hessian(w, out=np.zeros(6))
    with pytest.raises(ValueError, match="read-only"):
        penalty.gradient(w, out=np.broadcast_to(0.0, 6))
    with pytest.raises(ValueError, match="n_threads"):
        penalty(w, n_threads=0)


def test_bad_parameters():
    for value in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="alpha"):
            fl.L1(alpha=value)
        with pytest.raises(ValueError, match="alpha"):
            fl.ElasticNet(alpha=value)
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="l1_ratio"):
            fl.ElasticNet(l1_ratio=value)
    with pytest.raises(TypeError, match="alpha"):
        fl.L2(alpha="1")


def test_objects(penalty):
    twin = pickle.loads(pickle.dumps(penalty))
    assert twin == penalty
    assert hash(twin) == hash(penalty)
    assert twin([1.0, -2.0]) == penalty([1.0, -2.0])
    assert eval(repr(penalty), vars(fl)) == penalty
    with pytest.raises(AttributeError):
        penalty.alpha = 7.0
    with pytest.raises(AttributeError):
        penalty._bind("l1_penalty", (1.0,))
    assert fl.L1(alpha=1) != fl.L2(alpha=1)
    assert (fl.ElasticNet().name, fl.L1().name, fl.L2().family) == ("elastic_net", "l1", "penalty")


def test_penalties_are_no_losses():
    assert type(fl.get_loss("l1")) is fl.AbsoluteError
    assert not {"elastic_net", "L1", "L2"} & {info.name for info in fl.list_losses()}


def test_a_subclass_without_a_kernel_is_refused():
    class Nothing(fl.L2):
        def __init__(self):
            pass

    with pytest.raises(TypeError, match="Nothing"):
        Nothing()([1.0])


def test_examples_of_the_verbs():
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    verbs = (
        "gradient",
        "hessian",
        "value_and_gradient",
        "gradient_and_hessian",
        "value_gradient_and_hessian",
    )
    for verb in verbs:
        for example in finder.find(getattr(fl.Penalty, verb), name=verb, globs={}):
            assert example.examples
            assert runner.run(example).failed == 0
