"""Every function of fastloss.metrics meets every odd input, beside scikit-learn's function of that name."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sklearn
import sklearn.calibration
import sklearn.metrics

from fastloss import metrics
from metrics.odd_inputs import ODD, TOP

FUNCTIONS = [name for name in metrics.__all__ if name[0].islower()]
#: Ordinary arguments beside the odd one.
BINARY = ([1, 0, 1], [0.5, 0.25, 1.0])
PREDICTED = (
    *("accuracy_score", "balanced_accuracy_score", "cohen_kappa_score", "confusion_matrix", "f1_score"),
    *("fbeta_score", "matthews_corrcoef", "precision_score", "recall_score", "zero_one_loss"),
)
SCORED = (
    "average_precision_score",
    "calibration_curve",
    "precision_recall_curve",
    "roc_auc_score",
    "roc_curve",
)
#: Arguments that a function needs, or without which it has little to do.
KEYWORDS = {"fbeta_score": {"beta": 2.0}, "top_k_accuracy_score": {"k": 1}}
ORDINARY = {
    "mean_poisson_deviance": ([1.0, 0.0, 2.0], [1.0, 0.5, 1.0]),
    "mean_gamma_deviance": ([1.0, 0.5, 2.0], [1.0, 0.5, 1.0]),
    "hinge_loss": ([1, 0, 1], [0.5, -2.0, 0.25]),
    "log_loss": BINARY,
    "d2_log_loss_score": BINARY,
    "brier_score_loss": BINARY,
    **dict.fromkeys(PREDICTED, ([1, 0, 1], [1, 1, 1])),
    **dict.fromkeys(SCORED, BINARY),
    "ndcg_score": ([[1.0, 0, 2]] * 3, [[0.5, 0.25, 1.0]] * 3),
    "top_k_accuracy_score": ([1, 0, 2], [[0.5, 0.25, 1.0]] * 3),
}
OUTPUTS = ([[1.0, 2, 3]] * 2, [[2.0, 1, 5]] * 2)
#: Further arguments, and what is beside them.
OPTIONS = {
    "multioutput": (
        ["mean_absolute_error", "median_absolute_error", "d2_pinball_score", "r2_score"],
        OUTPUTS,
    ),
    "labels": (["log_loss", "d2_log_loss_score", "hinge_loss", "brier_score_loss"], BINARY),
    "labels ": (["confusion_matrix", "precision_score", "cohen_kappa_score"], ([1, 0, 1], [1, 1, 1])),
    "pos_label": (["brier_score_loss", "roc_curve", "average_precision_score", "calibration_curve"], BINARY),
    "pos_label ": (["precision_score"], ([1, 0, 1], [1, 1, 1])),
    "k": (["ndcg_score"], ([[1.0, 0, 2]] * 3, [[0.5, 0.25, 1.0]] * 3)),
    "max_fpr": (["roc_auc_score"], BINARY),
    "alpha": (["mean_pinball_loss", "d2_pinball_score"], ([1.0, 0.5, 2.0], [1.0, 2.0, 1.0])),
    "power": (["mean_tweedie_deviance", "d2_tweedie_score"], ([1.0, 0.5, 2.0], [1.0, 2.0, 1.0])),
    "normalize": (["zero_one_loss", "log_loss"], BINARY),
}

PROBABILITY = "(log_loss|d2_log_loss_score)"
OF_ROWS = ("hinge_loss", "top_k_accuracy_score", "ndcg_score")
OF_LABELS = f"(log_loss|d2_log_loss_score|brier_score_loss|{'|'.join((*OF_ROWS, *PREDICTED))})"
CURVES = "(average_precision_score|precision_recall_curve|roc_curve|calibration_curve)"
COUNTED = f"({'|'.join(PREDICTED[1:-1])})"
AVERAGED = f"({'|'.join(OF_ROWS)})"
NO_NUMBERS = "(.*words?.*|.*bytes.*|.*digits.*|categories.*|no strings|fields|void)"
EXACT = "(max_error|median_absolute_error)"
#: Where the two differ on purpose: patterns of "function argument=kind".
EXCEPTIONS = {
    # Differences, squares and sums of theirs overflow in the precision of the data.
    ".* .*=large float.*",
    "hinge_loss y_pred=int64 .*",
    f"{EXACT} .*=(int8|uint8|int32 ends|int64 .*|uint64 .*)",
    # They round integers beyond 2^53 before they subtract, all but two of them: tested below.
    "(mean_.*|root_.*|d2_.*) .*=(nanoseconds|uint64 (near|spread|far)|int64 ends|beyond uint64)",
    # The mask would be lost; they ignore it or cannot hash it.
    f"{OF_LABELS} (y_true|both)=masked",
    # Weights that are numbers, though NumPy cannot multiply them by floats; and real ones alone.
    f"{OF_LABELS} sample_weight=(decimals|fractions|.* as objects|beyond .*)",
    f"{AVERAGED} sample_weight=complex",
    # Weights that they do not look at before they divide.
    f"{AVERAGED} sample_weight=(.*infinity|.*NaN|.*missing.*|zeros|one zero|no columns|two columns)",
    # Strings and times, of which they make numbers in some places.
    f"{COUNTED} sample_weight=({NO_NUMBERS}|datetimes.*|timedeltas|boolean missing|frame with.*|matrix)",
    f"{COUNTED} sample_weight=longdouble",
    # Scores that are no numbers are sorted there, and fail where they are subtracted; or where theirs is
    # multiplied.
    f"{CURVES} (y_pred|both)=({NO_NUMBERS}|.*objects.*|fractions|longdouble|no rows in pandas)",
    "(roc_auc_score|top_k_accuracy_score) .*=(categories.*|fields|void)",
    "roc_auc_score sample_weight=(one zero|one word)",
    # Classes are looked up one by one there: what cannot be hashed or compared fails in Python's words.
    f"{COUNTED} labels=.*",
    "ndcg_score .*=(categories.*|bytes as objects)",
    # Mappings and sets are of no dimension; which error that is depends on where it is seen.
    ".* .*=(dict|set|array of no dimension)",
    f"({COUNTED}|{CURVES}|roc_auc_score|top_k_accuracy_score) (y_true|y_pred|both)=masked",
    # Integers beyond 2^53 are compared as they are; theirs become floats.
    f"{COUNTED} .*=uint64 (near|far)",
    "(r2_score|explained_variance_score) .*=(uint64 .*|nanoseconds|int64 ends|beyond uint64)",
    # They fail on lists without a shape, and where there is nothing.
    "average_precision_score (y_true|both)=(range|nanoseconds|three classes|int32 ends)",
    "average_precision_score .*=(nothing|no .*)",
    "ndcg_score y_pred=.*bools",
    # Which of two things is wrong is seen first.
    f"{OF_LABELS} sample_weight=(.*words.*|one word)",
    # They take times in most places, and fail where they make floats of differences.
    ".* (y_true|y_pred|both)=(datetimes.*|timedeltas)",
    # The error is that of Python's minus or less for what is no number; ours says what it is.
    f"({EXACT}|hinge_loss) .*=categories",
    ".* .*=(numbers and words|None inside|dates|datetimes of a zone|decimals|complex as objects)",
    # One column, which they cannot hash or compare, and labels of one that are more than they may be.
    f"{OF_LABELS} (y_true|y_pred|both|labels)=(lists|arrays in a list|scalars in a list)",
    f"{PROBABILITY} labels=(column.*|row|two columns|tuples|frame of .*|complex.*|.*polars)",
    # They make it a sparse matrix of objects.
    f"{OF_LABELS} (y_true|both)=frame of ints and bools",
    # No float, and in differences no need of one.
    ".* (y_pred|both)=beyond float64",
    "hinge_loss .*=beyond .*",
    # Arguments that they do not look at.
    ".* labels=array of no dimension",
    ".* multioutput=.*",
    f"{PROBABILITY} y_pred=None",
}


def _cases(name: str) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    y, z = ORDINARY.get(name, ([1.0, 0.5, 2.0], [1.0, 2.0, 1.0]))
    for kind, odd in ODD.items():
        n = min(3, *np.shape(odd)[:1], 3) if isinstance(odd, (list, np.ndarray)) and kind != "ragged" else 3
        needed = KEYWORDS.get(name, {})
        yield f"y_true={kind}", (odd, z[:n]), needed
        yield f"y_pred={kind}", (y[:n], odd), needed
        yield f"both={kind}", (odd, odd), needed
        if name not in ("max_error", "calibration_curve"):
            yield f"sample_weight={kind}", (y[:n], z[:n]), {**needed, "sample_weight": odd}
        for option, (functions, beside) in OPTIONS.items():
            if name in functions:
                yield f"{option.strip()}={kind}", beside, {**needed, option.strip(): odd}


def _outcome(module: Any, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = (
                sklearn.calibration if module is sklearn.metrics and name == "calibration_curve" else module
            )
            return getattr(module, name)(*arguments, **options)
        except Exception as error:
            return error


def _share_a_class(ours: Exception, theirs: Exception) -> bool:
    """Tell whether a handler of ValueError, TypeError or whatever theirs is catches both."""
    return any(
        isinstance(ours, cls) and isinstance(theirs, cls) for cls in (ValueError, TypeError, type(theirs))
    )


def _is_same(ours: Any, theirs: Any, kind: str) -> bool:
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        # Their classes may be narrower; the error of an argument of a wrong kind is of both classes.
        return isinstance(theirs, Exception) and _share_a_class(ours, theirs)
    tolerance = 2e-3 if "float16" in kind else 1e-6 if "float32" in kind else 1e-12
    if isinstance(ours, tuple):
        return all(_is_same(a, b, kind) for a, b in zip(ours, theirs, strict=True))
    if np.shape(ours) != np.shape(theirs):
        return False
    ours, theirs = (np.asarray(x, dtype=float) for x in (ours, theirs))
    return bool(np.allclose(ours, theirs, rtol=tolerance, atol=tolerance / 100, equal_nan=True))


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9), reason="other checks in other versions"
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_same_result_or_class_of_error(name: str) -> None:
    different = []
    for case, arguments, options in _cases(name):
        ours = _outcome(metrics, name, arguments, options)
        if isinstance(ours, Exception):
            # Nothing but these comes out, whatever scikit-learn does, and not without words.
            assert isinstance(ours, (ValueError, TypeError, ArithmeticError)), (case, ours)
            assert type(ours).__module__ != "fastloss.metrics._targets", (case, ours)
            assert str(ours), case
        theirs = _outcome(sklearn.metrics, name, arguments, options)
        known = any(re.fullmatch(pattern, f"{name} {case}") for pattern in EXCEPTIONS)
        if not (known or _is_same(ours, theirs, case)):
            different.append((case, ours, theirs))
    assert different == []


Y = np.array([2**60, 2**60 + 300, 2**60 + 7, -(2**61), 3])
#: Exact residuals, positive and negative, of which float64 rounds all but the last away.
R = [100, -50, 3, 1, -2]


def _exact(name: str, y: list[int], r: list[int]) -> float:
    """The metric in rational numbers."""
    distances = [Fraction(abs(d)) for d in r]
    squares = [d * d for d in distances]
    n = len(y)
    if name == "max_error":
        return float(max(distances))
    if name == "median_absolute_error":
        return float(sorted(distances)[n // 2])
    if name == "mean_absolute_percentage_error":
        return float(sum(d / abs(t) for d, t in zip(distances, y, strict=True)) / n)
    if name in ("d2_pinball_score", "d2_absolute_error_score"):
        median = sorted(y)[n // 2]
        return float(1 - sum(distances) / sum(abs(Fraction(t) - median) for t in y))
    if name == "d2_tweedie_score":
        mean = Fraction(sum(y), n)
        return float(1 - sum(squares) / sum((t - mean) ** 2 for t in y))
    mean_square = float(sum(squares) / n)
    return {
        "mean_absolute_error": float(sum(distances) / n),
        "mean_pinball_loss": float(sum(distances) / n / 2),
        "mean_squared_error": mean_square,
        "mean_tweedie_deviance": mean_square,
        "root_mean_squared_error": math.sqrt(mean_square),
    }[name]


OF_RESIDUALS = [
    "max_error",
    "median_absolute_error",
    "mean_absolute_percentage_error",
    "d2_pinball_score",
    "d2_absolute_error_score",
    "d2_tweedie_score",
    "mean_absolute_error",
    "mean_pinball_loss",
    "mean_squared_error",
    "mean_tweedie_deviance",
    "root_mean_squared_error",
]


@pytest.mark.parametrize("name", OF_RESIDUALS)
@pytest.mark.parametrize("offset", [0, TOP + 2**61 + 100], ids=["int64", "uint64"])
def test_integers_that_float64_does_not_hold(name: str, offset: int) -> None:
    """Times in nanoseconds, say: residuals are taken of the integers, not of their roundings."""
    function = getattr(metrics, name)
    y = [int(target) + offset for target in Y]
    z = [target + r for target, r in zip(y, R, strict=True)]
    dtype = np.uint64 if offset else np.int64
    expected = pytest.approx(_exact(name, y, R), rel=1e-15)
    targets, predictions = np.array(y, dtype), np.array(z, dtype)
    assert function(targets, predictions) == expected
    assert function(targets.astype(targets.dtype.newbyteorder()), predictions[:, None]) == expected
    if not offset:
        assert function(targets.view("M8[ns]"), predictions.view("M8[ns]")) == expected
    # Spread over little, what the scores compare with is exact as well.
    close = np.array([2**62 + 10 * k for k in range(5)], dtype)
    expected = pytest.approx(_exact(name, close.tolist(), R), rel=1e-15)
    assert function(close, close + np.array(R).astype(dtype)) == expected


def test_columns_and_weights_of_such_integers() -> None:
    y, z = np.column_stack([Y, Y[::-1]]), np.column_stack([Y + R, Y[::-1]])
    assert metrics.mean_absolute_error(y, z, multioutput="raw_values").tolist() == [156 / 5, 0]
    assert metrics.median_absolute_error(y, z, multioutput="raw_values").tolist() == [3, 0]
    assert metrics.mean_absolute_error(Y, Y + R, sample_weight=[1, 2, 0, 0, 0]) == 200 / 3
    assert metrics.mean_pinball_loss(Y, Y + R, alpha=0.25) == (0.75 * 104 + 0.25 * 52) / 5


def test_integers_with_and_without_sign() -> None:
    y = np.array([TOP, TOP + 300, 5, 0], np.uint64)
    z = np.array([TOP - 1, TOP - 100, TOP - 1, -TOP], np.int64)
    assert metrics.max_error(y[:2], z[:2]) == metrics.max_error(z[:2], y[:2]) == 400
    assert metrics.mean_absolute_error(y[:2], z[:2]) == metrics.mean_absolute_error(z[:2], y[:2]) == 401 / 2
    assert metrics.max_error(y, z) == metrics.max_error(z, y) == float(TOP)
    assert metrics.mean_pinball_loss(y[2:], z[2:], alpha=0.25) == pytest.approx((0.75 + 0.25) * TOP / 2)


def test_integers_beyond_every_dtype() -> None:
    assert metrics.max_error([2**64, 2**64 + 100], [2**64, 2**64]) == 100
    assert metrics.median_absolute_error([10**30, 10**30 + 7, 5], [10**30, 10**30, 5]) == 0


def test_differences_do_not_overflow() -> None:
    ends = np.array([127, -128], np.int8), np.array([-128, 127], np.int8)
    assert metrics.max_error(*ends) == metrics.median_absolute_error(*ends) == 255
    assert metrics.max_error(np.array([-TOP]), np.array([TOP - 1])) == 2.0**64


def test_negative_weights_of_a_narrow_dtype() -> None:
    # -128 has no opposite in int8: Σ w·|r| / Σ w = (127·0 − 128·1 + 127·2) / 126.
    w = np.array([127, -128, 127], np.int8)
    assert metrics.mean_absolute_error([0, 0, 0], [0, 1, 2], sample_weight=w) == 1.0


def test_halves_above_one_are_no_probabilities() -> None:
    for y, p in (([0, 1], [0.5, 1.5]), ([0, 1], [[0.5, 0.5], [-0.5, 1.5]])):
        with pytest.raises(ValueError, match=r"y_prob contains values greater than 1: 1\.5"):
            metrics.log_loss(y, np.array(p, np.float16))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_name_the_function_that_was_called(name: str) -> None:
    with pytest.raises((ValueError, TypeError), match=rf"parameter of {name} must be"):
        getattr(metrics, name)(1.0, 2.0, **({"beta": 1.0} if name == "fbeta_score" else {}))
