"""The metrics against scikit-learn: its numbers, or its kind of error."""

from __future__ import annotations

import inspect
import random
import warnings
from typing import Any

import numpy as np
import sklearn.metrics

from fastloss import metrics

from . import arrays
from .session import FindingError, Session

_PREDICTED = (
    *("accuracy_score", "balanced_accuracy_score", "cohen_kappa_score", "confusion_matrix", "f1_score"),
    *("fbeta_score", "matthews_corrcoef", "precision_score", "recall_score"),
)
_RANKED = ("average_precision_score", "precision_recall_curve", "roc_auc_score", "roc_curve")
_WITHIN = ("ndcg_score", "top_k_accuracy_score")
#: What odd arguments do to these is tried one by one, by tests/metrics/test_odd_input.py.
_IN_ORDER = (*_PREDICTED, *_RANKED, *_WITHIN, "explained_variance_score", "r2_score")
_CLASSIFIERS = (
    *("brier_score_loss", "d2_log_loss_score", "hinge_loss", "log_loss", "zero_one_loss"),
    *(*_PREDICTED, *_RANKED, *_WITHIN),
)
_FUNCTIONS = [
    name
    for name in metrics.__all__
    if inspect.isfunction(getattr(metrics, name)) and hasattr(sklearn.metrics, name)
]


def _labels(r: random.Random, n: int, classes: int) -> np.ndarray:
    y = arrays.whole(r, n, 0, classes - 1).astype(np.int64)
    y[:classes] = np.arange(classes)[:n]
    kind = r.randrange(4)
    return np.array(["no", "yes", "maybe", "b", "c", "d"])[y] if kind == 0 else y.astype(r.choice("bhiqd"))


def _classification(name: str, r: random.Random, n: int) -> tuple[list[Any], dict[str, Any]]:
    classes = r.randrange(2, 5)
    y = _labels(r, n, classes)
    if name == "zero_one_loss" or name in _PREDICTED:
        other = y.copy()
        r.shuffle(other)
        options: dict[str, Any] = {"normalize": r.random() < 0.7} if name == "zero_one_loss" else {}
        if name in ("f1_score", "fbeta_score", "precision_score", "recall_score"):
            options["average"] = r.choice(("macro", "micro", "weighted", None))
        if name == "fbeta_score":
            options["beta"] = r.choice((0.5, 2))
        return [y, other], options
    if name in _WITHIN:
        classes += 1
        scores = arrays.fractions(r, n * classes).reshape(n, classes).round(1)
        if name == "ndcg_score":
            return [scores[::-1].copy(), scores], {"k": r.choice((None, 1, 3))}
        return [np.arange(n) % classes, scores], {"k": 1, "labels": list(range(classes))}
    if classes == 2 or name in _RANKED:
        y = (arrays.fractions(r, n) < 0.5).astype(np.int64)
        y[:2] = [0, 1][:n]
        p = arrays.fractions(r, n) if name != "hinge_loss" else arrays.fractions(r, n) * 4 - 2
        return [y, p], {}
    p = arrays.fractions(r, n * classes).reshape(n, classes) + 0.01
    return [y, p if name == "hinge_loss" else p / p.sum(axis=1, keepdims=True)], {}


def _regression(name: str, r: random.Random, n: int) -> tuple[list[Any], dict[str, Any]]:
    options: dict[str, Any] = {}
    several = r.random() < 0.3 and "deviance" not in name and "tweedie" not in name and name != "max_error"
    shape = (n, r.randrange(1, 4)) if several else (n,)
    size = int(np.prod(shape))
    y = (
        arrays.positive(r, size)
        if "log" in name or "dev" in name or "tweedie" in name
        else arrays.fractions(r, size) * 9
    )
    z = arrays.positive(r, size)
    if several and r.random() < 0.6:
        options["multioutput"] = r.choice(("raw_values", "uniform_average", [0.5] * shape[1]))
    if "pinball" in name:
        options["alpha"] = r.choice((0.1, 0.5, 0.9))
    if "tweedie" in name:
        options["power"] = r.choice((0, 1, 1.5, 2, 3, -1))
    return [y.reshape(shape), z.reshape(shape)], options


_ODD = (
    None,
    "a",
    [],
    [1.0],
    np.zeros((2, 2, 2)),
    float("nan"),
    [float("nan")] * 5,
    [float("inf")] * 5,
    -1,
    1e400,
)


def _outcome(function: Any, args: list[Any], options: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **options)
        except Exception as error:
            return error


def case(s: Session) -> None:
    """One metric of ordinary arguments, of which one is odd now and then."""
    r = s.r
    name, n = r.choice(_FUNCTIONS), r.randrange(2, 30)
    make = _classification if name in _CLASSIFIERS else _regression
    args, options = make(name, r, n)
    if r.random() < 0.4 and "median" not in name and name != "max_error":
        options["sample_weight"] = arrays.fractions(r, n) + 0.1
        if name in ("r2_score", "explained_variance_score") and not np.ptp(args[0], axis=0).all():
            return  # scikit-learn rounds the weighted mean of equal numbers to another one
    odd = r.random() < 0.3 and name not in _IN_ORDER
    if odd:
        i = r.randrange(len(args) + len(options))
        if i < len(args):
            args[i] = r.choice(_ODD)
        else:
            options[list(options)[i - len(args)]] = r.choice(_ODD)
    args = [
        arrays.some_layout(x, r) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in args
    ]
    function = getattr(metrics, name)
    found = _outcome(s.call, [function, *args], options)
    expected = _outcome(getattr(sklearn.metrics, name), args, options)
    if isinstance(expected, Exception) != isinstance(found, Exception):
        raise FindingError(f"{found!r}, scikit-learn {expected!r}")
    if isinstance(expected, Exception):
        # Some of scikit-learn's errors are of both kinds.
        kinds = [kind for kind in (ValueError, TypeError) if isinstance(expected, kind)]
        # NumPy's complaint of shares that root_mean_squared_error leaves to it.
        of_average = "Axis must be specified" in str(expected)
        if not isinstance(found, tuple(kinds) if kinds and not of_average else (ValueError, TypeError)):
            raise FindingError(f"{found!r}, scikit-learn {expected!r}")
        return
    several = isinstance(expected, tuple)
    for a, b in zip(found, expected, strict=True) if several else [(found, expected)]:
        if np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True):
            raise FindingError(f"{found!r}, scikit-learn {expected!r}")
