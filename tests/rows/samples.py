"""The row losses with several settings, and rows for them: ordinary ones, and the hard ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from pointwise import samples

import fastloss as fl
from fastloss._loss import ParameterLoss

#: Settings besides the defaults; a function of the number of classes where there is a number for each.
SETTINGS = {
    "CrossEntropy": [
        {"label_smoothing": 0.1},
        {"ignore_index": -100},
        {"class_weight": True},
        {"class_weight": True, "label_smoothing": 0.25, "ignore_index": 1},
        {"from_logits": False},
        {"from_logits": False, "class_weight": True, "label_smoothing": 0.1, "ignore_index": 0},
    ],
    "Focal": [
        {"gamma": 0.0},
        {"gamma": 0.5},
        {"gamma": 1.0, "alpha": 0.25},
        {"gamma": 5.0, "alpha": True},
        {"from_logits": False},
        {"gamma": 0.5, "alpha": True, "from_logits": False},
    ],
    "GeneralizedCrossEntropy": [{"q": 0.01}, {"q": 1.0}],
    "Poly1CrossEntropy": [{"epsilon": -1.0}, {"epsilon": 3.0}],
    "MulticlassHinge": [{"kind": "weston-watkins"}],
    "KLDivergence": [{"from_logits": True}],
    "JSDivergence": [{"base": 2.0}, {"distance": True}],
}

ROWS = [
    i.cls
    for i in fl.list_losses()
    if issubclass(i.cls, fl.RowLoss) and not issubclass(i.cls, ParameterLoss)  # test_likelihood.py has these
]

#: A loss and its settings; `True` stands for a number for each class.
CASES = [(cls, settings) for cls in ROWS for settings in [{}, *SETTINGS.get(cls.__name__, [])]]


def case_name(case: tuple[type, dict[str, Any]]) -> str:
    return f"{case[0].__name__}({', '.join(f'{k}={v}' for k, v in case[1].items())})"


def make(case: tuple[type, dict[str, Any]], n_classes: int) -> Any:
    cls, settings = case
    for_each = [k for k, v in settings.items() if v is True and k in ("class_weight", "alpha")]
    return cls(**{**settings, **{k: _numbers(n_classes) for k in for_each}})


def _numbers(n_classes: int) -> list[float]:
    """Thirds and the like, which binary fractions only come near; one class counts twice, none for 0."""
    return [1 + (k % 5) / 3 for k in range(n_classes)]


def takes_labels(loss: Any) -> bool:
    return loss.targets == "classes"


def takes_dense(loss: Any) -> bool:
    """Whether targets may be rows of numbers; an index to be ignored is a class index."""
    return not takes_labels(loss) or (isinstance(loss, fl.CrossEntropy) and loss.ignore_index is None)


def forms(loss: Any) -> list[str]:
    return ["labels"] * takes_labels(loss) + ["dense"] * takes_dense(loss)


def of_probabilities(loss: Any) -> bool:
    """Whether predictions are probabilities."""
    return isinstance(loss, fl.JSDivergence) or not getattr(loss, "from_logits", True)


def _normalised(x: np.ndarray, dtype: Any) -> np.ndarray:
    return (x / x.sum(axis=1, keepdims=True)).astype(dtype)


def labels(loss: Any, n: int, n_classes: int, rng: np.random.Generator) -> np.ndarray:
    y = rng.integers(0, n_classes, n)
    if getattr(loss, "ignore_index", None) is not None:
        y[rng.random(n) < 0.2] = loss.ignore_index
        y[: n // 2 + 1] %= n_classes  # where -100 comes first, one row still counts
    return y


def ordinary(
    loss: Any, form: str, n: int, n_classes: int, dtype: Any, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions such as data have."""
    if of_probabilities(loss):
        z = _normalised(rng.exponential(size=(n, n_classes)) + 1e-3, dtype)
    else:
        z = rng.normal(0, 3, (n, n_classes)).astype(dtype)
    if form == "labels":
        return labels(loss, n, n_classes, rng), z
    if isinstance(loss, fl.EuclideanError):
        return rng.normal(0, 3, (n, n_classes)).astype(dtype), z
    y = _normalised(rng.exponential(size=(n, n_classes)) + 1e-3, dtype)
    # One-hot rows, and zeros here and there.
    hot = rng.random(n) < 0.3
    y[hot] = np.arange(n_classes) == rng.integers(0, n_classes, (int(hot.sum()), 1))
    return y, z


def _logits(n: int, n_classes: int, dtype: Any, rng: np.random.Generator) -> np.ndarray:
    """Rows of all magnitudes, one class ahead of all others, ties, masks, and shifted rows."""
    shape = (n, n_classes)
    info = np.finfo(dtype)
    tail = 1.05 * np.log(float(info.max))
    ahead = np.arange(n_classes) == rng.integers(0, n_classes, (n, 1))
    kinds = [
        rng.normal(0, 3, shape),
        rng.uniform(-tail, 0, shape),
        rng.normal(0, 1, shape) + ahead * rng.uniform(0, tail, (n, 1)),
        rng.normal(0, 1e-3, shape) + rng.choice([-1e4, 1e4, 100.0], (n, 1)),
        samples._log_uniform(rng, 1e-6, 1e30, n * n_classes).reshape(shape) * rng.choice([-1, 1], shape),
        np.round(rng.normal(0, 1, shape)),
        np.where(rng.random(shape) < 0.4, -np.inf, rng.normal(0, 3, shape)),
        np.where(rng.random(shape) < 0.4, -np.inf, rng.normal(0, 3, shape) + ahead * 40),
        rng.normal(0, 1, shape) + ahead * 1e30,
        np.zeros(shape),
    ]
    z = np.concatenate([kind[rng.permutation(n)[: max(1, n // len(kinds))]] for kind in kinds])
    # No row is masked altogether.
    z[:, 0] = np.where(np.isneginf(z).all(axis=1), 1.0, z[:, 0])
    return z.astype(dtype)


def _probabilities(n: int, n_classes: int, dtype: Any, rng: np.random.Generator) -> np.ndarray:
    """Rows that sum to 1 but for a rounding, with entries of all magnitudes, 0, 1 and near 1 among them."""
    info = np.finfo(dtype)
    shape = (n, n_classes)
    small = samples._log_uniform(rng, float(info.tiny), 0.1 / n_classes, n * n_classes).reshape(shape)
    ahead = np.arange(n_classes) == rng.integers(0, n_classes, (n, 1))
    gap = samples._log_uniform(rng, float(info.eps) / 4, 0.5, n)[:, None]
    kinds = [
        _normalised(rng.exponential(size=shape), dtype),
        np.where(ahead, 1 - np.where(ahead, 0, small).sum(axis=1, keepdims=True), small),
        np.where(ahead, 1 - gap, gap / max(n_classes - 1, 1)),
        ahead.astype(float),
        _normalised(np.where(ahead | (rng.random(shape) < 0.5), rng.random(shape) + 0.1, 0), dtype),
    ]
    return np.concatenate([kind[: max(1, n // len(kinds))] for kind in kinds]).astype(dtype)


def _vectors(n: int, n_classes: int, dtype: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose squares overflow or vanish, mixed magnitudes, and equal rows."""
    info = np.finfo(dtype)
    shape = (n, n_classes)
    huge, tiny = float(info.max) / 8 / np.sqrt(n_classes), float(info.tiny) / float(info.eps)
    signs = rng.choice([-1, 1], shape)
    wide = samples._log_uniform(rng, tiny, huge, n * n_classes).reshape(shape) * signs
    normal = rng.normal(0, 3, shape)
    pairs = [
        (normal, rng.normal(0, 3, shape)),
        (np.zeros(shape), wide),
        (wide, np.zeros(shape)),
        (np.zeros(shape), rng.uniform(0.1, 1, shape) * signs * huge),
        (np.zeros(shape), rng.uniform(1, 9, shape) * signs * tiny),
        (normal, normal),
        (normal, normal * (1 + float(info.eps) * rng.integers(-4, 5, shape))),
    ]
    rows = max(1, n // len(pairs))
    y, z = (np.concatenate([p[i][:rows] for p in pairs]).astype(dtype) for i in (0, 1))
    return y, z


def hard(
    loss: Any, form: str, n: int, n_classes: int, dtype: Any, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows over the whole domain, infinite results excepted."""
    if isinstance(loss, fl.EuclideanError):
        return _vectors(n, n_classes, dtype, rng)
    if of_probabilities(loss):
        z = _probabilities(n, n_classes, dtype, rng)
    else:
        z = _logits(n, n_classes, dtype, rng)
    n = len(z)
    if form == "labels":
        y = labels(loss, n, n_classes, rng)
        # Half of the rows are predicted rightly, however the losses' magnitudes fall.
        right = rng.random(n) < 0.5
        ignored = y == (loss.ignore_index if getattr(loss, "ignore_index", None) is not None else -1)
        y = np.where(right & ~ignored, np.argmax(z, axis=1), y)
        if isinstance(loss, fl.MulticlassHinge):
            z = np.where(np.isneginf(z), dtype(-1e30), z)
        if getattr(loss, "label_smoothing", 0) > 0:
            z = np.where(np.isneginf(z), dtype(-5), z)
        # A true class that is masked has an infinite loss, which is tested apart.
        own = np.take_along_axis(z, np.maximum(y, 0)[:, None] % n_classes, axis=1)
        z = np.where(np.isneginf(own), dtype(1), z)
        return y, z.astype(dtype)
    y = np.resize(_probabilities(n, n_classes, dtype, rng), z.shape)[rng.permutation(n)]
    if isinstance(loss, fl.JSDivergence):
        y[: n // 5] = z[: n // 5] * (1 + np.finfo(dtype).eps * rng.integers(-3, 4, z[: n // 5].shape))
        # (p - q)/(p + q) around 1/4, where a series may give way to logarithms that cancel.
        third = slice(n // 5, n // 3)
        y[third] = z[third] * rng.uniform(0.5, 0.62, z[third].shape)
        return y.astype(dtype), np.where((z == 0) & (y > 0), np.finfo(dtype).tiny, z)
    if isinstance(loss, fl.KLDivergence) and not loss.from_logits:
        z = np.where((z == 0) & (y > 0), np.finfo(dtype).tiny, z)
        y[: n // 5] = np.where(z[: n // 5] > 0, y[: n // 5], 0)
    elif not of_probabilities(loss):
        smoothed = getattr(loss, "label_smoothing", 0) > 0
        z = np.where(np.isneginf(z) & ((y > 0) | smoothed), dtype(-5), z)
    return y.astype(dtype), z.astype(dtype)
