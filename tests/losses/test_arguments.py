"""What is no argument is refused in words that name it and say what it was."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import fastloss as fl

Y, Z = np.zeros(4), np.ones(4)
ROWS, LABELS = np.zeros((4, 3)), np.zeros(4, int)

#: What holds no numbers, by what an error calls it.
NO_ARRAYS = [
    (None, "None"),
    (map(float, "123"), "a map"),
    ((x for x in Z), "a generator"),
    ({1: 2.0}.values(), r"dict_values\(\[2.0\]\)"),
    ({1.0, 2.0}, r"\{1.0, 2.0\}"),
    ({1: 2.0}, r"\{1: 2.0\}"),
    ("1.0", "'1.0'"),
    (b"1.0", "b'1.0'"),
    (object(), "an object"),
]


def calls_with(bad: Any) -> list[tuple[str, Any]]:
    huber, rows, pairs = fl.Huber(), fl.CrossEntropy(), fl.Contrastive()
    triplet, center, line, cloud = fl.Triplet(), fl.CenterLoss(), fl.Wasserstein(), fl.Sinkhorn()
    calls = [
        ("y_pred", lambda: huber(Y, bad)),
        ("y_true", lambda: huber(bad, Z)),
        ("y_pred", lambda: rows(LABELS, bad)),
        ("y_true", lambda: rows.gradient(bad, ROWS)),
        ("y_pred", lambda: rows.probabilities(bad)),
        ("y_pred", lambda: fl.BinaryCrossEntropy().probabilities(bad)),
        ("a", lambda: pairs(bad, ROWS, LABELS)),
        ("b", lambda: pairs(ROWS, bad, LABELS)),
        ("y", lambda: pairs(ROWS, ROWS, bad)),
        ("negative", lambda: triplet(ROWS, ROWS, bad)),
        ("labels", lambda: center(ROWS, ROWS, bad)),
        ("b", lambda: fl.NTXent()(ROWS, bad)),
        ("u", lambda: line(bad, Z)),
        ("v", lambda: line.gradient(Z, bad)),
        ("X", lambda: cloud(bad, ROWS)),
        ("Y", lambda: cloud.gradient(ROWS, bad)),
        ("w", lambda: fl.L2()(bad)),
        ("X", lambda: fl.LinearObjective(huber, bad, Y)),
        ("y", lambda: fl.LinearObjective(huber, ROWS, bad)),
    ]
    if bad is not None:
        calls += [
            ("sample_weight", lambda: huber(Y, Z, sample_weight=bad)),
            ("sample_weight", lambda: rows(LABELS, ROWS, sample_weight=bad)),
            ("sample_weight", lambda: pairs(ROWS, ROWS, LABELS, sample_weight=bad)),
            ("sample_weight", lambda: fl.NTXent()(ROWS, ROWS, sample_weight=bad)),
            ("sample_weight", lambda: line(ROWS, ROWS, sample_weight=bad)),
            ("u_weights", lambda: line(Z, Z, bad)),
            ("y_weights", lambda: cloud(ROWS, ROWS, None, bad)),
            ("sample_weight", lambda: fl.LinearObjective(huber, ROWS, Y, sample_weight=bad)),
            ("positions", lambda: fl.Wasserstein(positions=bad)),
        ]
    return calls


@pytest.mark.parametrize(("bad", "words"), NO_ARRAYS, ids=[words for _, words in NO_ARRAYS])
def test_what_is_no_array(bad: Any, words: str) -> None:
    for name, call in calls_with(bad):
        with pytest.raises(TypeError, match=rf"^{name} is {words}, expected an array of numbers"):
            call()


def test_weights_that_are_a_column() -> None:
    column = np.ones((4, 1))
    calls = [
        ("sample_weight", lambda: fl.Huber()(Y, Z, sample_weight=column)),
        ("sample_weight", lambda: fl.Huber()(ROWS, ROWS, sample_weight=column)),
        ("sample_weight", lambda: fl.CrossEntropy()(LABELS, ROWS, sample_weight=column)),
        ("sample_weight", lambda: fl.Contrastive()(ROWS, ROWS, LABELS, sample_weight=column)),
        ("sample_weight", lambda: fl.NTXent()(ROWS, ROWS, sample_weight=column)),
        ("sample_weight", lambda: fl.Wasserstein()(ROWS, ROWS, sample_weight=column)),
        ("x_weights", lambda: fl.Sinkhorn()(ROWS, ROWS, column)),
        ("sample_weight", lambda: fl.LinearObjective(fl.Huber(), ROWS, Y, sample_weight=column)),
    ]
    for name, call in calls:
        with pytest.raises(ValueError, match=rf"{name} has shape \(4, 1\), expected .*{name}\.ravel\(\)"):
            call()
    with pytest.raises(ValueError, match=r"expected \(4,\) like y_pred; sample_weight"):
        calls[0][1]()


@pytest.mark.parametrize("bad", [np.ones(3), ["mean"], None, 3, b"mean", {"mean"}, np.array("mean")])
def test_names(bad: Any) -> None:
    calls = [
        ("reduction", lambda: fl.Huber()(Y, Z, reduction=bad)),
        ("reduction", lambda: fl.CrossEntropy().gradient(LABELS, ROWS, reduction=bad)),
        ("reduction", lambda: fl.Contrastive()(ROWS, ROWS, LABELS, reduction=bad)),
        ("reduction", lambda: fl.NTXent()(ROWS, ROWS, reduction=bad)),
        ("reduction", lambda: fl.Wasserstein()(ROWS, ROWS, reduction=bad)),
        ("cost", lambda: fl.Sinkhorn(cost=bad)),
        ("cost", lambda: fl.EarthMover(cost=bad)),
        ("kind", lambda: fl.MulticlassHinge(kind=bad)),
    ]
    for name, call in calls:
        with pytest.raises(ValueError, match=rf"{name} must be .*'.* or '.*, got ") as caught:
            call()
        shown = "an array of shape (3,)" if isinstance(bad, np.ndarray) and bad.ndim else repr(bad)
        assert str(caught.value).endswith(f"got {shown}")


#: Constructors of one number, and its name.
NUMBERS: list[tuple[type, str]] = [
    (fl.Huber, "delta"),
    (fl.SmoothL1, "beta"),
    (fl.Quantile, "q"),
    (fl.Expectile, "q"),
    (fl.Cauchy, "c"),
    (fl.Tweedie, "power"),
    (fl.ZeroOne, "threshold"),
    (fl.BinaryCrossEntropy, "pos_weight"),
    (fl.BinaryCrossEntropy, "label_smoothing"),
    (fl.BinaryFocal, "gamma"),
    (fl.BinaryFocal, "alpha"),
    (fl.CrossEntropy, "label_smoothing"),
    (fl.Focal, "gamma"),
    (fl.Contrastive, "margin"),
    (fl.CosineEmbedding, "margin"),
    (fl.Triplet, "margin"),
    (fl.NTXent, "temperature"),
    (fl.JSDivergence, "base"),
    (fl.Wasserstein, "p"),
    (fl.Sinkhorn, "reg"),
    (fl.L1, "alpha"),
    (fl.ElasticNet, "l1_ratio"),
]

#: Numbers that may be one for each label.
FOR_EACH_LABEL = [(fl.BinaryCrossEntropy, "pos_weight"), (fl.BinaryFocal, "alpha")]


@pytest.mark.parametrize(("cls", "name"), FOR_EACH_LABEL)
def test_numbers_for_each_label(cls: type, name: str) -> None:
    for bad, error, words in [
        ([0.5, "a"], TypeError, rf"{name}\[1\] must be a number, got 'a'"),
        ([True], TypeError, rf"{name}\[0\] must be a number, got True"),
        ([-1.0], ValueError, rf"{name}\[0\] must be in .*, got -1.0"),
        ([0.5, np.nan], ValueError, rf"{name}\[1\] must be .*, got nan"),
        ([], ValueError, f"{name} must have at least one number"),
        (np.ones((2, 2)), TypeError, rf"{name} must be .* got an array of shape \(2, 2\)"),
    ]:
        with pytest.raises(error, match=words):
            cls(**{name: bad})


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
def test_numbers(cls: type, name: str) -> None:
    sequences = [(np.ones(3), r"an array of shape \(3,\)"), ([0.5], r"\[0.5\]")]
    for bad, words in [
        *([] if (cls, name) in FOR_EACH_LABEL else sequences),
        ("0.5", "'0.5'"),
        ({0.5}, r"\{0.5\}"),
        (True, "True"),
        (1j, "1j"),
    ]:
        with pytest.raises(TypeError, match=rf"{name} must be a number(, or a sequence.*)?, got {words}"):
            cls(**{name: bad})
    for bad in (10**400, 10**5000, -(10**400)):
        with pytest.raises(
            ValueError, match=rf"{name} is beyond float64's largest number, got an integer of"
        ):
            cls(**{name: bad})


def test_thread_counts() -> None:
    for bad, error in [(np.ones(2), TypeError), ("2", TypeError), (1.0, TypeError), (10**5000, ValueError)]:
        for call in (
            lambda n: fl.Huber()(Y, Z, n_threads=n),
            lambda n: fl.CrossEntropy()(LABELS, ROWS, n_threads=n),
            lambda n: fl.Contrastive()(ROWS, ROWS, LABELS, n_threads=n),
            lambda n: fl.Wasserstein()(Z, Z, n_threads=n),
        ):
            with pytest.raises(error, match="n_threads must be"):
                call(bad)
        for setting in (fl.set_num_threads, lambda n: fl.num_threads(n).__enter__()):
            with pytest.raises(error, match="the number of threads must be"):
                setting(bad)


def test_a_name_that_is_none() -> None:
    for bad in (10**5000, np.ones(3), None, b"mse"):
        with pytest.raises(TypeError, match="name must be a string, got"):
            fl.get_loss(bad)


# A number for each class


def test_a_dict_of_class_weights() -> None:
    """scikit-learn's meaning: classes that are missing weigh 1."""
    z = np.array([[1.0, 0.0, -1.0], [0.5, 2.0, 0.0], [0.0, 0.0, 3.0]])
    y = [0, 1, 2]
    for given, same in [
        ({0: 1, 1: 5}, [1, 5, 1]),
        ({2: 0.25}, [1, 1, 0.25]),
        ({}, [1, 1, 1]),
        ({np.int64(1): np.float32(3)}, [1, 3, 1]),
        ({1.0: 3}, [1, 3, 1]),
    ]:
        for loss, plain in [
            (fl.CrossEntropy(class_weight=given), fl.CrossEntropy(class_weight=same)),
            (fl.Focal(alpha=given), fl.Focal(alpha=same)),
        ]:
            for a, b in zip(
                loss.value_gradient_and_hessian(y, z), plain.value_gradient_and_hessian(y, z), strict=True
            ):
                np.testing.assert_array_equal(a, b)
    by_hand = -np.log([np.exp(1) / (np.exp(1) + 1 + np.exp(-1)), np.exp(2) / (np.exp(0.5) + np.exp(2) + 1)])
    loss = fl.CrossEntropy(class_weight={0: 1, 1: 5})
    assert loss(y[:2], z[:2]) == pytest.approx(by_hand @ [1, 5] / 6, rel=1e-14)


def test_scikit_learn_agrees_on_a_dict() -> None:
    weights = pytest.importorskip("sklearn.utils.class_weight")
    y, z = np.array([0, 2, 1, 1, 2]), np.linspace(-1, 2, 15).reshape(5, 3)
    given = {1: 4.0, 2: 0.5}
    by_sample = weights.compute_sample_weight(given, y)
    assert fl.CrossEntropy(class_weight=given)(y, z) == pytest.approx(
        fl.CrossEntropy()(y, z, sample_weight=by_sample), rel=1e-14
    )


def test_a_loss_with_a_dict_is_an_object_like_others() -> None:
    loss, alike = fl.CrossEntropy(class_weight={0: 1, 1: 5}), fl.CrossEntropy(class_weight={1: 5.0, 0: 1.0})
    assert loss == alike != fl.CrossEntropy(class_weight={0: 1, 1: 4})
    assert hash(loss) == hash(alike)
    assert loss.class_weight == {0: 1.0, 1: 5.0}
    assert eval(repr(loss), {"CrossEntropy": fl.CrossEntropy}) == loss
    assert pickle.loads(pickle.dumps(loss)) == copy.deepcopy(loss) == loss
    with pytest.raises(TypeError):
        loss.class_weight[0] = 7.0
    with pytest.raises(TypeError):
        loss.class_weight.update({0: 7.0})
    given = {0: 2.0}
    loss = fl.Focal(alpha=given)
    given[0] = 3.0
    assert loss.alpha == {0: 2.0}


@pytest.mark.parametrize(
    "bad",
    [
        {1.0, 2.0, 3.0},
        frozenset([1.0]),
        (x for x in (1.0, 2.0, 3.0)),
        map(float, "123"),
        iter([1.0, 2.0, 3.0]),
        {0: 1.0, 1: 2.0, 2: 3.0}.values(),
        {0: 1.0, 1: 2.0, 2: 3.0}.keys(),
        "balanced",
        "123",
        b"123",
        object(),
        np.ones((3, 1)),
        np.ones((1, 3)),
        np.array(1.0),
        {"a": 1.0},
        {-1: 1.0},
        {0.5: 1.0},
        {True: 1.0},
        {(0,): 1.0},
        {0: "1"},
        {0: None},
        ["1", "2", "3"],
        [[1.0], [2.0], [3.0]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_for_each_class(bad: Any) -> None:
    for name, make in [("class_weight", fl.CrossEntropy), ("alpha", fl.Focal)]:
        with pytest.raises(TypeError, match=name):
            make(**{name: bad})


def test_values_by_class_out_of_range() -> None:
    for name, make in [("class_weight", fl.CrossEntropy), ("alpha", fl.Focal)]:
        for bad in (-1.0, np.inf, np.nan, 10**400):
            with pytest.raises(ValueError, match=rf"{name}\[1\]"):
                make(**{name: {1: bad}})
            with pytest.raises(ValueError, match=rf"{name}\[1\]"):
                make(**{name: [1.0, bad]})
        with pytest.raises(ValueError, match=rf"{name} has class 3, but y_pred has 3 classes"):
            make(**{name: {3: 1.0}})(LABELS, ROWS)
    with pytest.raises(TypeError, match="class_weight"):
        fl.CrossEntropy(class_weight=2.0)


def test_sequences_of_class_weights() -> None:
    numbers = [1.0, 2.0, 3.0]
    given: list[Any] = [
        tuple(numbers),
        range(1, 4),
        np.array(numbers),
        np.array(numbers, np.float16),
        [1, 2, 3],
    ]
    pandas = pytest.importorskip("pandas")
    given.append(pandas.Series(numbers, index=[5, 6, 7]))
    for x in given:
        assert fl.CrossEntropy(class_weight=x).class_weight == tuple(numbers)
        assert fl.Focal(alpha=x).alpha == tuple(numbers)
    with pytest.raises(TypeError, match="class_weight"):
        fl.CrossEntropy(class_weight=pandas.DataFrame({0: [1.0], 1: [2.0]}))


# What is wrong, and where


def test_rows_of_a_softmax_in_float32_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    for n_classes in (3, 10, 1000):
        e = np.exp(rng.normal(0, 3, (200, n_classes))).astype(np.float32)
        z = (e / e.sum(axis=1, keepdims=True)).astype(np.float64)
        assert np.abs(z.sum(axis=1) - 1).max() > 3e-8
        y = np.arange(200) % 3
        for loss in (fl.CrossEntropy(from_logits=False), fl.Focal(from_logits=False)):
            loss.value_and_gradient(y, z)
        fl.KLDivergence()(z[::-1], z)
        # One row is off by more, and the first that is off by less comes before it.
        z[150, 0] += 1e-3
        with pytest.warns(UserWarning, match=r"y_pred\[150\] sums to 1\.001 instead of 1"):
            fl.CrossEntropy(from_logits=False)(y, z)
        w = np.ones(200)
        w[150] = 0
        fl.CrossEntropy(from_logits=False)(y, z, sample_weight=w)


def test_the_warning_shows_the_difference() -> None:
    z = np.array([[0.3, 0.7 + 2e-7]])
    with pytest.warns(
        UserWarning, match=r"y_pred\[0\] sums to 1 \+ 2e-07 instead of 1; rows are used as given"
    ):
        fl.CrossEntropy(from_logits=False)([0], z)
    with pytest.warns(UserWarning, match=r"sums to 1 - 3e-07 instead of 1"):
        fl.CrossEntropy(from_logits=False)([0], z - [[0.0, 5e-7]])


@pytest.mark.parametrize(
    "trained", [fl.KLDivergence(), fl.JSDivergence(), fl.JSDivergence(distance=True)], ids=repr
)
@pytest.mark.parametrize("n_classes", [2, 5, 130, 300])
def test_divergences_of_rows_that_do_not_sum_to_one(trained: Any, n_classes: int, dtype: Any) -> None:
    loss, p = trained, np.full((20, n_classes), 1 / n_classes, dtype)
    q = p.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss(p, q)
    q[7, 1] += 0.4
    for verb in (loss.__call__, loss.gradient):
        with pytest.warns(
            UserWarning, match=rf"{type(loss).__name__}: y_pred\[7\] sums to 1\.4 instead of 1"
        ):
            verb(p, q)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fl.KLDivergence(from_logits=True)(p, q)


def test_kl_by_hand() -> None:
    with pytest.warns(UserWarning, match=r"KLDivergence: y_pred\[0\] sums to 1\.4 instead of 1"):
        value = fl.KLDivergence()([[0.5, 0.5]], [[0.5, 0.9]])
    assert value == pytest.approx(0.5 * np.log(0.5 / 0.9), rel=1e-15)


def test_a_target_beyond_float32() -> None:
    y, z = np.array([[0.0, 1.0], [0.0, 1e300]]), np.zeros((2, 2), np.float32)
    for loss in (fl.CrossEntropy(), fl.KLDivergence(from_logits=True)):
        with pytest.raises(
            ValueError, match=r"y_true\[1, 1\] = 1e\+300 is beyond float32, the precision that y_pred"
        ):
            loss(y, z)


def test_an_index_that_is_no_class() -> None:
    X = np.zeros((3, 2))
    with pytest.raises(
        ValueError, match=r"y\[1\] = 1000000000 would make 1000000001 classes.*give n_classes"
    ):
        fl.LinearObjective(fl.CrossEntropy(), X, [0, 10**9, 1])
    with pytest.raises(ValueError, match=r"y\[2\] = 1e\+30 would make"):
        fl.LinearObjective(fl.Focal(), X, [0.0, 1.0, 1e30])
    objective = fl.LinearObjective(fl.CrossEntropy(class_weight={4: 2.0}), X, [0, 1, 1])
    assert objective.size == 15
