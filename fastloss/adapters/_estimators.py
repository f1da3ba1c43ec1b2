"""What the boosting estimators share: losses by name, labels, starts, probabilities, metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import Loss, RowLoss
from fastloss._validation import as_array
from fastloss.adapters._boosting import raw_score_loss
from fastloss.adapters._constant import NoConstantError, constant_score
from fastloss.adapters._metric import checked_metric
from fastloss.measures import Measure, list_measures
from fastloss.registry import get_loss

Array = npt.NDArray[Any]

#: Beyond such scores, and differences of them, probabilities are 0 and 1 to the last digits.
_LARGEST_SCORE = 300.0
_LARGEST_DIFFERENCE = 30.0


def loss_of(loss: Any) -> Loss:
    """Return a loss given as itself or by its name."""
    return raw_score_loss(get_loss(loss) if isinstance(loss, str) else loss)


def loss_of_numbers(loss: Any) -> Loss:
    """Return the loss of a regressor."""
    found = loss_of(loss)
    if found.family != "regression":
        raise ValueError(f"{found!r} is no loss of numbers: take a Classifier, or a loss of regression")
    return found


def loss_of_classes(loss: Any, n_classes: int) -> Loss:
    """Return the loss of a classifier; where it is the one of another number of classes, its counterpart."""
    found = loss_of(loss)
    if found.family not in ("binary", "multiclass"):
        raise ValueError(f"{found!r} is no loss of classes: take a Regressor, or a loss of classification")
    if (found.family == "multiclass") == (n_classes > 2):
        return found
    other = found._counterpart()
    if other is None:
        remedy = "CrossEntropy()" if n_classes > 2 else "BinaryCrossEntropy()"
        raise ValueError(f"{found!r} is not for {n_classes} classes: take a loss such as {remedy}")
    return other


def targets(y: Any) -> Array:
    """Return a regressor's targets as an array of finite numbers."""
    from sklearn.utils.validation import check_array

    _require(y)
    return np.asarray(check_array(y, ensure_2d=False, dtype="numeric", input_name="y"))


def _require(y: Any) -> None:
    if y is None:
        raise ValueError("this estimator requires y to be passed, but the target y is None")


def encoded(y: Any) -> tuple[Array, Array]:
    """Return the classes in order, and each label's index among them."""
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import column_or_1d

    _require(y)
    labels = column_or_1d(y, warn=True)
    if labels.dtype.kind not in "biuUS":
        check_classification_targets(labels)
    return _classes_of_integers(labels) or np.unique(labels, return_inverse=True)


def _classes_of_integers(labels: Array) -> tuple[Array, Array] | None:
    """Return the same for integers of a small range, by counting: sorting takes longer than a fit does."""
    if labels.dtype.kind not in "iu" or not labels.size:
        return None
    low, high = int(labels.min()), int(labels.max())
    if high - low >= max(len(labels), 1024):
        return None
    wide = labels if labels.dtype.kind == "u" else labels.astype(np.int64)
    least = wide.dtype.type(low)
    places = (wide - least).astype(np.intp)
    present = np.bincount(places) > 0
    classes = (np.flatnonzero(present).astype(wide.dtype) + least).astype(labels.dtype)
    return classes, (np.cumsum(present) - 1)[places]


def codes_of(y: Any, classes: Array) -> Array:
    """Return each label's index among the classes that the model is trained with."""
    labels = np.asarray(y).ravel()
    codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    strange = classes[codes] != labels
    if np.any(strange):
        raise ValueError(f"eval_set has the label {labels[strange][0]!r}, but y has none such")
    return codes


def with_class_weight(class_weight: Any, y: Any, sample_weight: Any) -> Any:
    """Return sample weights times those of the samples' classes."""
    if class_weight is None:
        return sample_weight
    from sklearn.utils.class_weight import compute_sample_weight

    weight = compute_sample_weight(class_weight, y)
    return weight if sample_weight is None else weight * np.asarray(sample_weight)


def start_of(loss: Loss, y: Array, weight: Any, n_classes: int | None = None) -> float | Array:
    """Return the score that training starts from: 0 where a loss has no best one."""
    if weight is not None:
        weight = np.asarray(weight)
        if not weight.any():
            raise ValueError("sample_weight is zero everywhere: nothing is to be learnt")
    try:
        return constant_score(loss, y, weight, n_classes if isinstance(loss, RowLoss) else None)
    except NoConstantError:
        return 0.0


def rows_of(start: Any, n: int) -> Array:
    """Return the start for n rows, as libraries take initial scores."""
    return np.tile(start, (n, 1)) if np.ndim(start) else np.full(n, start)


def has_probabilities(loss: Loss) -> bool:
    """Whether the best score says more of a probability than on which side of one half it is."""
    if isinstance(loss, RowLoss):
        return hasattr(loss, "probabilities")
    scores = np.array([-0.5, -0.25, 0.25, 0.5])
    if not loss.gradient([1.0], [0.0], reduction="sum")[0]:
        return False  # nothing is learnt from the score that prefers no class
    return bool(np.all(np.diff(_probability(loss, scores)[:, 1]) > 0))


def probabilities(loss: Any, raw: Any) -> Array:
    """Return rows of the classes' probabilities: those for which the scores are the best ones.

    The best score z of a sample of the class 1 with probability p has p·l'(1, z) + (1 − p)·l'(0, z) = 0. Of a
    cross-entropy that is the logistic function or softmax, of others another one. Weights of the classes,
    which would shift them, are taken as those of samples: as part of what the probabilities are of.
    """
    raw = as_array(raw, "raw")
    if loss.link == "softmax":
        return np.asarray(loss.probabilities(raw)) if loss.canonical else _of_true_class(loss, raw)
    if loss.link == "logit" and loss.canonical:
        other = np.asarray(loss.probabilities(-raw))
        return np.column_stack([other, np.asarray(loss.probabilities(raw))])
    return _probability(loss, raw)


def _probability(loss: Loss, raw: Array) -> Array:
    z = np.append(np.clip(raw, -_LARGEST_SCORE, _LARGEST_SCORE), 0.0).astype(np.float64)
    of_one = -loss.gradient(np.ones(len(z)), z, reduction="sum")
    of_zero = loss.gradient(np.zeros(len(z)), z, reduction="sum")
    # Both classes weigh as much: their slopes are as large where neither is preferred.
    of_one /= of_one[-1]
    of_zero /= of_zero[-1]
    rows = np.column_stack([of_one, of_zero])[:-1]
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def _of_true_class(loss: Any, raw: Array) -> Array:
    """Solve Σ pₖ·∇l(k, z) = 0 for a loss of the true class's sₖ alone, with the softmax s.

    Its gradient is ∇l(k, z) = wₖ·(s − eₖ): pₖ is as sₖ/wₖ.
    """
    z = np.asarray(raw - raw.max(axis=1, keepdims=True), np.float64).clip(min=-_LARGEST_DIFFERENCE)
    s = np.asarray(loss.probabilities(z))
    rows = np.arange(len(z))
    even = np.zeros((1, z.shape[1]))
    p = np.empty_like(s)
    for k in range(z.shape[1]):
        others = np.where(np.arange(z.shape[1]) == k, -1.0, s)
        j = others.argmax(axis=1)
        slope = loss.gradient(np.full(len(z), k), z, reduction="sum")[rows, j] / s[rows, j]
        at_even = -loss.gradient([k], even, reduction="sum")[0, k]
        p[:, k] = s[:, k] * at_even / slope
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def tells_probabilities(classifier: Any) -> bool:
    """Whether a classifier's loss has probabilities; if not, say so."""
    loss = loss_of(classifier.loss)
    if not has_probabilities(loss):
        raise AttributeError(f"{loss!r} has no probabilities: calibrate the model, or take another loss")
    return True


def decisions(raw: Array) -> Array:
    """Return the index of the class that scores are for."""
    return raw.argmax(axis=1) if raw.ndim == 2 else (raw > 0).astype(np.intp)


def refuse(parameters: dict[str, Any], *names: str) -> None:
    """Raise an error where a parameter is given for which there is the loss."""
    for name in names:
        if name in parameters:
            raise TypeError(f"the loss is the objective: give loss instead of {name}")


def metric_of(eval_metric: Any, loss: Any) -> tuple[Loss | Measure, Loss | None] | None:
    """Return the metric to stop by, and the loss whose predictions it takes; None for what is the library's.

    That is the loss itself, unless a loss or a measure is given, or the name of one.
    """
    if eval_metric is None:
        return loss, None
    if isinstance(eval_metric, str):
        measures = {name: info.cls for info in list_measures() for name in (info.name, *info.aliases)}
        eval_metric = measures[eval_metric]() if eval_metric in measures else get_loss(eval_metric)
    if not isinstance(eval_metric, Loss | Measure):
        return None
    metric = checked_metric(eval_metric)
    # Scores go to what takes scores such as those that were trained.
    scores = metric == loss or (
        metric.family not in ("binary", "multiclass", "regression")
        if loss.family != "regression"
        else isinstance(metric, Loss) and (metric.link == "log") == (loss.link == "log")
    )
    of_logits = loss.family != "regression" and getattr(metric, "from_logits", True)
    return metric, None if scores or of_logits else loss
