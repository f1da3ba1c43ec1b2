"""What LinearObjective refuses, and what it says."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import fastloss as fl
import fastloss.linear

X = np.arange(12.0).reshape(6, 2) / 10
Y = np.array([0.0, 1, 0, 1, 1, 0])
SOFTMAX = fl.CrossEntropy()


def make(loss=None, X=X, y=Y, *arguments, **options):
    return fl.LinearObjective(fl.BinaryCrossEntropy() if loss is None else loss, X, y, *arguments, **options)


@pytest.mark.parametrize(
    ("error", "message", "arguments", "options"),
    [
        (TypeError, "ZeroOne.*not differentiable", [fl.ZeroOne()], {}),
        (TypeError, "loss must be a loss of predictions", ["huber"], {}),
        (TypeError, "loss must be a loss of predictions", [fl.L2()], {}),
        (TypeError, "penalty must be", [], {"penalty": 0.1}),
        (TypeError, "penalty must be", [], {"penalty": fl.Huber()}),
        (TypeError, "fit_intercept must be", [], {"fit_intercept": 1}),
        (ValueError, r"X has shape \(6,\)", [None, Y], {}),
        (ValueError, r"X has no rows: its shape is \(0, 2\)", [None, X[:0], Y[:0]], {}),
        (TypeError, "X has dtype complex128", [None, X + 0j], {}),
        (TypeError, "X has dtype object", [None, X.astype(object)], {}),
        (TypeError, "X has dtype <U", [None, X.astype(str)], {}),
        (ValueError, r"X has shape \(6,\)", [None, scipy.sparse.coo_array(Y), Y], {}),
        (TypeError, "y is a sparse", [None, X, scipy.sparse.csr_array(Y[:, None])], {}),
        (ValueError, r"y has shape \(5,\), expected \(6,\) for X of shape \(6, 2\)", [None, X, Y[:5]], {}),
        (ValueError, r"y has shape \(6, 1\), expected \(6,\)", [None, X, Y[:, None]], {}),
        (ValueError, r"y has shape \(\), expected \(6,\)", [None, X, 1.0], {}),
        (ValueError, r"y_true\[2\] = 2", [None, X, [0, 1, 2, 0, 0, 0]], {}),
        (ValueError, r"y_true\[1\] = -1", [fl.Poisson(), X, [0, -1, 2, 0, 0, 0]], {}),
        (TypeError, "y_true has dtype object", [fl.Huber(), X, Y.astype(object)], {}),
        (ValueError, r"y_true\[1\] = -1", [fl.CrossEntropy(), X, [0, -1, 2, 0, 0, 0]], {}),
        (ValueError, r"y_true\[5\] = 3", [fl.CrossEntropy(class_weight=[1, 1]), X, [0, 1, 1, 1, 0, 3]], {}),
        (ValueError, r"y_true\[2\] = nan", [fl.CrossEntropy(), X, [0, 1, np.nan, 0, 0, 0]], {}),
        (ValueError, r"y_true\[2\] = 0.5", [fl.CrossEntropy(), X, [0, 1, 0.5, 0, 0, 0]], {}),
        (TypeError, "y_true has dtype <U", [fl.CrossEntropy(), X, np.array(list("abcabc"))], {}),
        (ValueError, r"y has shape \(6, 3\), expected.*4", [SOFTMAX, X, np.ones((6, 3))], {"n_classes": 4}),
        (ValueError, "n_classes must be a positive integer", [SOFTMAX, X, [0] * 6], {"n_classes": 0}),
        (ValueError, "n_classes must be a positive integer", [SOFTMAX, X, [0] * 6], {"n_classes": 2.0}),
        (ValueError, "n_classes is more than memory", [SOFTMAX, X, [0] * 6], {"n_classes": 10**5000}),
        (ValueError, "n_classes is more than memory", [SOFTMAX, X, [0] * 6], {"n_classes": 2**62}),
        (ValueError, "n_classes is given", [], {"n_classes": 2}),
        (ValueError, r"sample_weight has shape \(5,\)", [], {"sample_weight": Y[:5]}),
        (ValueError, r"sample_weight has shape \(6, 1\)", [], {"sample_weight": Y[:, None]}),
        (ValueError, r"sample_weight\[3\] = -1", [], {"sample_weight": [1, 1, 1, -1, 1, 1]}),
        (ValueError, r"sample_weight\[0\] = nan", [], {"sample_weight": [np.nan] * 6}),
        (ValueError, "sum to 0|sums to 0", [], {"sample_weight": np.zeros(6)}),
        (ValueError, "sum to 0", [fl.CrossEntropy(), X, [0] * 6], {"sample_weight": np.zeros(6)}),
    ],
)  # fmt: skip
def test_refused(error, message, arguments, options):
    with pytest.raises(error, match=message):
        make(*arguments, **options)


def test_masked_X_is_refused():
    with pytest.raises(TypeError, match="masked"):
        make(None, np.ma.masked_array(X, X > 1))


@pytest.mark.parametrize(
    "call", [lambda o, w: o(w), lambda o, w: o.hessp(w, np.zeros(3)), lambda o, w: o.unpack(w)]
)
def test_parameters_of_another_length_or_kind(call):
    objective = make()
    for wrong in (np.zeros(2), np.zeros(4), np.zeros((3, 1)), 0.0, []):
        with pytest.raises(
            ValueError, match=r"w has shape .*, expected \(3,\): 2 coefficients and the intercept"
        ):
            call(objective, wrong)
    for wrong in (np.zeros(3, complex), np.array([1, 2, None]), np.array(["1", "2", "3"])):
        with pytest.raises(TypeError, match="w has dtype"):
            call(objective, wrong)
    with pytest.raises(ValueError, match=r"v has shape \(2,\)"):
        objective.hessp(np.zeros(3), np.zeros(2))
    many = make(fl.CrossEntropy(), y=[0, 1, 2, 0, 1, 2], fit_intercept=False)
    with pytest.raises(ValueError, match=r"expected \(6,\): 2 coefficients, for each of 3 classes"):
        call(many, np.zeros(3))


@pytest.mark.parametrize("chosen", [fl.Focal(), fl.MulticlassHinge(), fl.EuclideanError()], ids=repr)
def test_no_product_with_a_hessian_that_cannot_be_had(chosen):
    y = np.ones((6, 3)) if isinstance(chosen, fl.EuclideanError) else [0, 1, 2, 0, 1, 2]
    objective = make(chosen, y=y)
    with pytest.raises(TypeError, match=f"Hessian of {type(chosen).__name__}.*cannot be had"):
        objective.hessp(objective.initial(), objective.initial())


def test_predictions_outside_the_domain_are_named_by_their_row(monkeypatch):
    monkeypatch.setattr(fastloss.linear, "_BLOCK_BYTES", 1)
    X = np.zeros((200, 1))
    X[150] = -3
    for X_ in (X, scipy.sparse.csr_array(X)):
        objective = make(fl.SquaredLogError(), X_, np.ones(200))
        with pytest.raises(ValueError, match=r"y_pred\[150\] = -2.5"):
            objective.hessp([1.0, 0.5], [1.0, 0.5])
        assert objective([1.0, 0.5])[0] == np.inf
        assert objective([0.1, 0.5])[0] > 0


def test_missing_values_show_as_nan():
    for place, value in ((X, np.nan), (X, np.inf)):
        bad = place.copy()
        bad[3, 1] = value
        risk, gradient = make(fl.Huber(), bad)([1.0, -1.0, 0.0])
        assert not np.isfinite(risk)
        assert not np.isfinite(gradient).all()
    y = Y.copy()
    y[2] = np.nan
    risk, gradient = make(fl.Huber(), y=y)([1.0, -1.0, 0.0])
    assert np.isnan(risk)
    assert np.isnan(gradient).all()
    risk, gradient = make(fl.Huber())([np.nan, -1.0, 0.0])
    assert np.isnan(risk)
    assert np.isnan(gradient).all()


def test_a_sum_beyond_the_largest_number_is_infinite(monkeypatch):
    monkeypatch.setattr(fastloss.linear, "_BLOCK_BYTES", 1)
    objective = make(fl.SquaredError(), np.ones((200, 1)), np.zeros(200), fit_intercept=False)
    # The sum of a block overflows; and the sum of the blocks.
    assert objective([1e154])[0] == np.inf
    assert objective([1e153])[0] == np.inf
    assert objective([1e152])[0] == pytest.approx(1e304)


def test_repr():
    text = repr(make(None, X, Y, fl.L2(alpha=0.5)))
    assert text == (
        "LinearObjective(BinaryCrossEntropy(from_logits=True, pos_weight=1.0, label_smoothing=0.0,"
        " class_weight=None), X of shape (6, 2), penalty=L2(alpha=0.5), fit_intercept=True)"
    )
