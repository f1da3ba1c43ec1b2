"""fastloss.metrics refuses what scikit-learn refuses, by the same class of error, with the same words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.metrics
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils._param_validation import InvalidParameterError

from fastloss import metrics

NAN, INF = np.nan, np.inf
OLD = tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9)

#: A call, and a part of the message, where it is scikit-learn's word for word.
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("mean_squared_error", ([1.0, NAN], [1, 2]), {}, "Input contains NaN."),
    ("mean_squared_error", ([1.0, 2], [1, -INF]), {}, "Input contains infinity or a value too large"),
    ("mean_squared_error", ([1.0, 2], [[1, 2], [1, 2]]), {}, "different number of output (1!=2)"),
    ("mean_squared_error", ([1.0, 2], [1.0]), {}, "inconsistent numbers of samples: [2, 1]"),
    ("mean_squared_error", (["a"], [1.0]), {}, "could not convert string to float: 'a'"),
    ("mean_squared_error", ([], []), {}, "Found array with 0 sample(s) (shape=(0,))"),
    (
        "mean_squared_error",
        (np.zeros((1, 1, 1)), np.zeros((1, 1, 1))),
        {},
        "dim 3, while dim <= 2 is required",
    ),
    ("mean_squared_error", ([1, 2.0], [1, 2]), {"multioutput": [1.0]}, "useful only in multi-output cases"),
    ("mean_squared_error", ([[1, 2.0]], [[1, 2]]), {"multioutput": [1.0]}, "(1) as outputs (2)"),
    ("mean_squared_error", ([1.0], [1.0]), {"sample_weight": [0]}, "at least one non-zero number"),
    ("mean_squared_error", ([1.0], [1.0]), {"sample_weight": [NAN]}, "Input sample_weight contains NaN."),
    ("mean_squared_error", ([1.0], [1.0]), {"sample_weight": [[1.0]]}, "must be 1D array or scalar, got 2D"),
    ("mean_squared_error", ([1.0], [1.0]), {"sample_weight": 1.0}, "must be an array-like or None. Got 1.0"),
    (
        "mean_squared_error",
        (5.0, [1.0]),
        {},
        "The 'y_true' parameter of mean_squared_error must be an array-like",
    ),
    ("mean_squared_error", (sp.csr_array([[1.0]]), [1.0]), {}, "must be an array-like"),
    ("mean_squared_error", (np.matrix([1.0]), [1.0]), {}, "np.matrix is not supported"),
    ("mean_squared_error", ([1.0], [1.0]), {"multioutput": "mean"}, "or an array-like. Got 'mean' instead."),
    ("mean_absolute_error", ([1.0, NAN], [1, 2]), {"multioutput": "raw_values"}, "Input contains NaN."),
    ("root_mean_squared_error", ([[1.0, NAN]], [[1, 2]]), {}, "Input contains NaN."),
    ("median_absolute_error", ([INF], [1.0]), {}, "Input contains infinity"),
    ("max_error", ([INF], [1.0]), {}, "Input contains infinity"),
    ("max_error", ([[1.0, 2]], [[1.0, 2]]), {}, "Multioutput not supported in max_error"),
    (
        "mean_squared_log_error",
        ([-1.0], [1.0]),
        {},
        "Mean Squared Logarithmic Error cannot be used when targets",
    ),
    ("mean_squared_log_error", ([-INF], [1.0]), {}, "Input contains infinity"),
    (
        "root_mean_squared_log_error",
        ([1.0], [-2.0]),
        {},
        "Root Mean Squared Logarithmic Error cannot be used",
    ),
    ("mean_pinball_loss", ([1.0], [1.0]), {"alpha": 2}, "must be a float in the range [0.0, 1.0]. Got 2"),
    (
        "mean_tweedie_deviance",
        ([1.0], [1.0]),
        {"power": 0.5},
        "(-inf, 0.0] or a float in the range [1.0, inf)",
    ),
    ("mean_tweedie_deviance", ([1.0], [1.0]), {"power": "a"}, "Got 'a' instead."),
    ("mean_tweedie_deviance", ([1.0], [1.0]), {"power": INF}, "Got inf instead."),
    ("d2_tweedie_score", ([1.0, 2.0], [1.0, 1.0]), {"power": -INF}, "Got -inf instead."),
    (
        "mean_tweedie_deviance",
        ([[1.0, 2]], [[1.0, 2]]),
        {},
        "Multioutput not supported in mean_tweedie_deviance",
    ),
    (
        "mean_tweedie_deviance",
        ([1.0], [0.0]),
        {"power": -1},
        "power=-1 can only be used on strictly positive y_pred",
    ),
    ("mean_tweedie_deviance", ([-1.0], [1]), {"power": 1.5}, "non-negative y and strictly positive y_pred."),
    ("mean_tweedie_deviance", ([0.0], [1.0]), {"power": 2}, "strictly positive y and y_pred."),
    ("mean_tweedie_deviance", ([1.0], [INF]), {"power": 1.5}, "Input contains infinity"),
    ("mean_poisson_deviance", ([-1.0], [1.0]), {}, "non-negative y and strictly positive y_pred."),
    ("d2_tweedie_score", ([0.0, 0], [1.0, 1]), {"power": 2}, "strictly positive y and y_pred."),
    ("zero_one_loss", (3, [1]), {}, "must be an array-like or a sparse array or matrix. Got 3 instead."),
    ("zero_one_loss", ([0.5, 1.2], [0, 1]), {}, "can't handle a mix of continuous and binary targets"),
    ("zero_one_loss", (["a", "b"], [0, 1]), {}, "Mix of label input types (string and number)"),
    ("zero_one_loss", ([[1, 2], [3, 4]], [[1, 2], [3, 5]]), {}, "multiclass-multioutput is not supported"),
    ("zero_one_loss", ([0, NAN], [0, 1]), {}, "Input y_true contains NaN."),
    ("zero_one_loss", ([], []), {}, "Found empty input array"),
    ("zero_one_loss", ([0, 1], [[0, 1], [1, 0]]), {}, "a mix of binary and multilabel-indicator targets"),
    ("zero_one_loss", (sp.csr_array([[0, 1]]), [1]), {}, "a mix of multilabel-indicator and binary targets"),
    ("zero_one_loss", ([None, 1], [1, 1]), {}, "a mix of unknown and binary targets"),
    (
        "zero_one_loss",
        (np.array([b"a"]), np.array([b"b"])),
        {},
        "labels represented as bytes is not supported",
    ),
    ("zero_one_loss", ([0, 1], [0, 1, 1]), {}, "inconsistent numbers of samples: [2, 3]"),
    ("zero_one_loss", ([0, 1], [0, 1]), {"sample_weight": [1, INF]}, "Input sample_weight contains infinity"),
    (
        "zero_one_loss",
        ([0, 1], [0, 1]),
        {"normalize": 1},
        "an instance of 'bool' or an instance of 'numpy.bool'",
    ),
    ("hinge_loss", ([0, 1], [0.1, INF]), {}, "Input contains infinity"),
    ("hinge_loss", ([0, 1.5], [0.1, 0.2]), {}, "Unknown label type: (array([0. , 1.5]),)"),
    (
        "hinge_loss",
        ([0, 1], [[0.1, 2], [3, 0.4]]),
        {},
        "y should be a 1d array, got an array of shape (2, 2)",
    ),
    ("hinge_loss", ([0, 1, 2], [0.1, 0.2, 0.3]), {}, "that is (3, 3). Got: (3,)"),
    ("hinge_loss", ([0, 1, 2, 2], np.ones((4, 4))), {}, "Please include all labels in y_true or pass labels"),
    (
        "hinge_loss",
        ([0, 1, 5], np.ones((3, 3))),
        {"labels": [0, 1, 2]},
        "previously unseen labels: [np.int64(5)]",
    ),
    ("log_loss", (None, [1.0]), {}, "The 'y_true' parameter of log_loss must be an array-like. Got None"),
    ("log_loss", ([0, 1], "ab"), {}, "The 'y_proba' parameter of log_loss must be an array-like. Got 'ab'"),
    ("log_loss", ([0, 1], [0.1, 1.2]), {}, "y_prob contains values greater than 1: 1.2"),
    ("log_loss", ([0, 1], [0.1, -0.2]), {}, "y_prob contains values lower than 0: -0.2"),
    ("log_loss", ([0, 1], [0.1, NAN]), {}, "Input contains NaN."),
    ("log_loss", ([0, 9], [0.1, NAN]), {"labels": [0, 1]}, "Input contains NaN."),
    ("log_loss", ([0.5, 1], [0.1, 0.2]), {}, "Unknown label type: ([0.5, 1],)"),
    ("log_loss", ([0, NAN], [0.1, 0.2]), {}, "Input y contains NaN."),
    ("log_loss", ([0, 1, 2], [0.1, 0.2, 0.3]), {}, "different number of classes: 3 vs 2"),
    ("log_loss", ([], []), {}, "Found array with 0 sample(s)"),
    ("log_loss", ([0, 1], [0.1, 0.2]), {"sample_weight": [1]}, "inconsistent numbers of samples: [2, 2, 1]"),
    ("log_loss", ([0, 1], [0.1, 0.2]), {"sample_weight": [1, NAN]}, "Input sample_weight contains NaN."),
    ("log_loss", ([0, 2], [0.1, 0.2]), {"labels": [0, 1]}, "y_true contains values {2} not belonging to the"),
    ("log_loss", (["a", "b"], [0.1, 0.2]), {"labels": [0, 1]}, "not belonging to the passed labels [0, 1]."),
    ("log_loss", ([1, 1], [0.1, 0.2]), {}, "y_true contains only one label (1). Please provide"),
    ("log_loss", ([1, 1], [0.1, 0.2]), {"labels": [1]}, "at least two labels, got [1]."),
    (
        "brier_score_loss",
        (["a", "b"], [0.1, 0.2]),
        {},
        "y_true takes value in {'a', 'b'} and pos_label is not",
    ),
    ("brier_score_loss", ([0, 1], [0.1, 0.2]), {"pos_label": [1]}, "or None. Got [1] instead."),
    ("brier_score_loss", ([0, 1], [0.1, 0.2]), {"scale_by_half": "x"}, "or a str among {'auto'}. Got 'x'"),
    (
        "brier_score_loss",
        ([0.5, 1], [0.1, 0.2]),
        {},
        "inferred from y_true is continuous but should be binary",
    ),
    (
        "brier_score_loss",
        ([0, 1, 2], [0.1, 0.2, 0.3]),
        {},
        "inferred from y_true is multiclass but should be",
    ),
    ("brier_score_loss", ([0, NAN], [0.1, 0.2]), {}, "Input contains NaN."),
    ("brier_score_loss", ([0, 1], [0.1, 1.2]), {}, "y_prob contains values greater than 1: 1.2"),
    ("brier_score_loss", ([0, 1], [0.1, -1.2]), {}, "y_prob contains values less than 0: -1.2"),
    ("brier_score_loss", ([0, 1], [[0.1, -1.2], [1, 1]]), {}, "y_prob contains values lower than 0: -1.2"),
]


@pytest.mark.parametrize(("name", "arguments", "options", "part"), CASES)
def test_same_error(name: str, arguments: Any, options: Any, part: str) -> None:
    function, peer = getattr(metrics, name), getattr(sklearn.metrics, name)
    with pytest.raises((ValueError, TypeError), match=re.escape(part)) as ours:
        function(*arguments, **options)
    if OLD:
        return  # its words and argument names are those of another version
    with np.errstate(invalid="ignore"), pytest.raises((ValueError, TypeError)) as theirs:
        peer(*arguments, **options)  # converts NaN to an integer on its way
    assert ours.type is theirs.type
    words, their_words = (" ".join(str(error.value).split()) for error in (ours, theirs))
    if "str among" not in words:  # names are listed in the order of a set
        assert words == their_words


def test_classes_of_errors_are_scikit_learns_where_it_is_imported() -> None:
    with pytest.raises(InvalidParameterError):
        metrics.log_loss(1, 2)
    for score in (metrics.d2_pinball_score, metrics.d2_tweedie_score, metrics.d2_absolute_error_score):
        with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
            assert np.isnan(score([1.0], [1.0]))
    with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
        assert np.isnan(metrics.d2_log_loss_score([1], [0.5]))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("score", [metrics.log_loss, metrics.brier_score_loss])
def test_rows_that_are_no_distribution_warn(score: Any, kind: Any) -> None:
    p = np.array([[0.25, 0.75], [0.5, 0.25]], dtype=kind)
    with pytest.warns(UserWarning, match="The y_prob values do not sum to one") as caught:
        score([0, 1], p)
    assert len(caught) == 1
    score([0, 1], np.array([[0.3, 0.7], [0.9, 0.1]], dtype=kind))  # rounding is no reason to warn


def test_unsorted_labels_warn() -> None:
    with pytest.warns(UserWarning, match=r"Pass the ordered labels=\['a', 'b'\]") as caught:
        assert metrics.log_loss(["a", "b"], [0.5, 0.5], labels=["b", "a"]) == pytest.approx(np.log(2))
    assert caught[0].filename == __file__


def test_former_name_of_the_probabilities() -> None:
    for score in (metrics.log_loss, metrics.d2_log_loss_score):
        with pytest.warns(FutureWarning, match="`y_pred` was renamed to `y_proba`"):
            value = score([0, 1], y_pred=[0.25, 0.5])
        assert value == score([0, 1], [0.25, 0.5])
        with pytest.raises(ValueError, match="Cannot use both"):
            score([0, 1], [0.25, 0.5], y_pred=[0.25, 0.5])


def test_complex_numbers_are_refused() -> None:
    for score in (metrics.mean_squared_error, metrics.log_loss, metrics.hinge_loss):
        with pytest.raises(ValueError, match="Complex data not supported"):
            score([0, 1], [1j, 0])
