"""Losses of embeddings: rows that are vectors, in pairs, in triplets, or against centres; of codes alone."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fastloss.reference._base import Array, Loss, Out, _check_reduction, _result_dtype, _store, _weights

__all__ = [
    "EmbeddingLoss",
    "Contrastive",
    "CosineEmbedding",
    "Triplet",
    "CenterLoss",
    "NTXent",
    "Entropy",
    "GaussianKL",
]


def _length(x: Array) -> Array:
    """Norm of each row, as a column. Divided by the largest entry first, no square over- or underflows."""
    largest = np.max(np.abs(x), axis=1, keepdims=True)
    scale = np.where(largest > 0, largest, 1.0)
    return scale * np.sqrt(np.sum((x / scale) ** 2, axis=1, keepdims=True))


def _direction(x: Array) -> Array:
    """Each row over its norm; 0 for a zero row."""
    length = _length(x)
    return x / np.where(length > 0, length, 1.0)


def _squares(x: Array) -> Array:
    return np.sum(x**2, axis=1)


class EmbeddingLoss(Loss):
    """Base of the twins that take embeddings (n, d), and of some labels (n,) after them.

    A subclass gives ``_values``, one for each row, and ``_gradients``, one array for each embedding argument,
    of the sum of the rows' values, each times its weight `w`.
    """

    family = "embedding"
    has_hessian = False
    _labels: ClassVar[tuple[float, ...] | None] = None

    def _values(self, *arguments: Array) -> Array:
        raise NotImplementedError

    def _gradients(self, w: Array, *arguments: Array) -> tuple[Array, ...]:
        raise NotImplementedError

    def __call__(
        self,
        *arguments: ArrayLike,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        out: Out = None,
        n_threads: int | None = None,
    ) -> Any:
        """Give the reduced value: a float, or with ``reduction="none"`` an array."""
        return self._compute("v", arguments, sample_weight, reduction, out)

    def gradient(
        self,
        *arguments: ArrayLike,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        out: Out = None,
        n_threads: int | None = None,
    ) -> Any:
        """Give the gradients of the reduced value, a tuple where there are several embedding arguments."""
        return self._compute("g", arguments, sample_weight, reduction, out)

    def value_and_gradient(
        self,
        *arguments: ArrayLike,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        out: Out = None,
        n_threads: int | None = None,
    ) -> Any:
        """Give the pair of value and tuple of gradients."""
        return self._compute("vg", arguments, sample_weight, reduction, out)

    def gradient_and_hessian(self, *arguments: Any, **options: Any) -> Any:
        """Raise: there is no Hessian."""
        raise TypeError(f"the Hessian of {type(self).__name__} is not diagonal: it is not given")

    value_gradient_and_hessian = gradient_and_hessian

    def _compute(
        self,
        outputs: str,
        arguments: tuple[ArrayLike, ...],
        sample_weight: ArrayLike | None,
        reduction: str,
        out: Out,
    ) -> Any:
        _check_reduction(reduction)
        given = [np.asarray(x) for x in arguments]
        embeddings = [x for x in given if x.ndim == 2]
        dtypes = [_result_dtype(x) for x in embeddings]
        arrays = [x.astype(np.float64) for x in given]
        self._check_labels(arrays)
        n = len(arrays[0])
        w = _weights(sample_weight, (n,))
        divisor = float(w.sum()) if reduction == "mean" else 1.0
        if not divisor > 0:
            raise ValueError("the mean needs at least one row of positive weight")
        results: list[Any] = []
        with np.errstate(all="ignore"):
            if "v" in outputs:
                values = w * self._values(*arrays)
                reduced = float(values.sum() / divisor)
                results.append(values.astype(np.result_type(*dtypes)) if reduction == "none" else reduced)
            if "g" in outputs:
                found = self._gradients(w / divisor, *arrays)
                results += [g.astype(dtype) for g, dtype in zip(found, dtypes, strict=True)]
        results = _store(results, out)
        if "g" not in outputs:
            return results[0]
        found = tuple(results["v" in outputs :])
        gradients = found if len(found) > 1 else found[0]
        return (results[0], gradients) if "v" in outputs else gradients

    def _check_labels(self, arrays: list[Array]) -> None:
        if self._labels is not None:
            bad = ~np.isin(arrays[-1], self._labels)
            if bad.any():
                first = int(np.argmax(bad))
                raise ValueError(f"label {first} is {arrays[-1][first]}, not one of {self._labels}")


class Contrastive(EmbeddingLoss):
    """y·D² + (1 - y)·[margin - D]₊², D = ‖a - b‖₂."""

    _labels = (0, 1)

    def __init__(self, margin: float = 1.0) -> None:
        self.margin = margin

    def _values(self, a: Array, b: Array, y: Array) -> Array:
        short_of = self.margin - _length(a - b)[:, 0]
        return np.where(y == 1, _squares(a - b), np.where(short_of <= 0, 0.0, short_of) ** 2)

    def _gradients(self, w: Array, a: Array, b: Array, y: Array) -> tuple[Array, ...]:
        short_of = self.margin - _length(a - b)
        apart = -np.where(short_of <= 0, 0.0, short_of) * _direction(a - b)
        gradient = 2 * w[:, None] * np.where(y[:, None] == 1, a - b, np.where(short_of <= 0, 0.0, apart))
        return gradient, -gradient


class CosineEmbedding(EmbeddingLoss):
    """1 - cos(a, b) of similar pairs, [cos(a, b) - margin]₊ of others."""

    _labels = (-1, 0, 1)

    def __init__(self, margin: float = 0.0) -> None:
        self.margin = margin

    def _values(self, a: Array, b: Array, y: Array) -> Array:
        cosine = np.sum(_direction(a) * _direction(b), axis=1)
        over = cosine - self.margin
        return np.where(y == 1, 1 - cosine, np.where(over <= 0, 0.0, over))

    def _gradients(self, w: Array, a: Array, b: Array, y: Array) -> tuple[Array, ...]:
        u, v = _direction(a), _direction(b)
        cosine = np.sum(u * v, axis=1, keepdims=True)
        slope = w[:, None] * np.where(y[:, None] == 1, -1.0, np.where(cosine <= self.margin, 0.0, 1.0))
        lengths = [np.where(_length(x) > 0, _length(x), 1.0) for x in (a, b)]
        some = (_length(a) > 0) & (_length(b) > 0)
        by_a, by_b = (v - cosine * u) / lengths[0], (u - cosine * v) / lengths[1]
        return np.where(some, slope * by_a, 0.0), np.where(some, slope * by_b, 0.0)


class Triplet(EmbeddingLoss):
    """[‖a - p‖² - ‖a - n‖² + margin]₊, or the same of the norms."""

    def __init__(self, margin: float = 1.0, squared: bool = True) -> None:
        self.margin = margin
        self.squared = squared

    def _over(self, a: Array, p: Array, n: Array) -> Array:
        if self.squared:
            return _squares(a - p) - _squares(a - n) + self.margin
        return _length(a - p)[:, 0] - _length(a - n)[:, 0] + self.margin

    def _values(self, a: Array, p: Array, n: Array) -> Array:
        over = self._over(a, p, n)
        return np.where(over <= 0, 0.0, over)

    def _gradients(self, w: Array, a: Array, p: Array, n: Array) -> tuple[Array, ...]:
        by_p = 2 * (p - a) if self.squared else _direction(p - a)
        by_n = 2 * (a - n) if self.squared else _direction(a - n)
        flat = (self._over(a, p, n) <= 0)[:, None]
        by_a = 2 * (n - p) if self.squared else -(by_p + by_n)
        return tuple(np.where(flat, 0.0, w[:, None] * g) for g in (by_a, by_p, by_n))


class CenterLoss(EmbeddingLoss):
    """½‖x - c_y‖², c_y the centre of the row's class."""

    def _classes(self, centers: Array, labels: Array) -> Array:
        classes = np.asarray(labels).astype(int)
        bad = (classes < 0) | (classes >= len(centers)) | (classes != labels)
        if bad.any():
            first = int(np.argmax(bad))
            raise ValueError(f"label {first} is {labels[first]}, not one of {len(centers)} classes")
        return classes

    def _values(self, x: Array, centers: Array, labels: Array) -> Array:
        return _squares(x - centers[self._classes(centers, labels)]) / 2

    def _gradients(self, w: Array, x: Array, centers: Array, labels: Array) -> tuple[Array, ...]:
        classes = self._classes(centers, labels)
        by_x = w[:, None] * (x - centers[classes])
        by_centers = centers * 0
        np.add.at(by_centers, classes, -by_x)
        return by_x, by_centers


class NTXent(EmbeddingLoss):
    """Cross-entropy of each vector's partner among all others, by cosine similarity over the temperature."""

    def __init__(self, temperature: float = 0.1) -> None:
        self.temperature = temperature

    def _logits(self, a: Array, b: Array) -> tuple[Array, Array, Array]:
        """Directions of all vectors, their similarities over the temperature, and who is whose partner."""
        u = _direction(np.concatenate([a, b]))
        partner = np.roll(np.eye(len(u), dtype=bool), len(a), axis=1)
        logits = np.where(np.eye(len(u), dtype=bool), -np.inf, u.dot(u.T) / self.temperature)
        return u, logits, partner

    def _probabilities(self, logits: Array) -> Array:
        e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
        return e / np.sum(e, axis=1, keepdims=True)

    def _values(self, a: Array, b: Array) -> Array:
        _, logits, partner = self._logits(a, b)
        largest = np.max(logits, axis=1, keepdims=True)
        levels = largest[:, 0] + np.log(np.sum(np.exp(logits - largest), axis=1))
        losses = levels - np.sum(np.where(partner, logits, 0.0), axis=1)
        return (losses[: len(a)] + losses[len(a) :]) / 2

    def _gradients(self, w: Array, a: Array, b: Array) -> tuple[Array, ...]:
        u, logits, partner = self._logits(a, b)
        share = np.concatenate([w, w])[:, None] / 2
        slopes = share * (self._probabilities(logits) - np.where(partner, 1.0, 0.0)) / self.temperature
        by_u = (slopes + slopes.T).dot(u)
        along = np.sum(by_u * u, axis=1, keepdims=True) * u
        length = _length(np.concatenate([a, b]))
        gradient = np.where(length > 0, (by_u - along) / np.where(length > 0, length, 1.0), 0.0)
        return gradient[: len(a)], gradient[len(a) :]


class Entropy(EmbeddingLoss):
    """-Σ p·log p, p given or the softmax of logits."""

    family = "distribution"

    def __init__(self, from_logits: bool = False) -> None:
        self.from_logits = from_logits

    def _logarithms(self, z: Array) -> Array:
        """Logarithms of the probabilities."""
        if not self.from_logits:
            return np.log(np.where(z > 0, z, 1.0))  # whose products with 0 are 0
        # The sum of the others first: beside the largest it may be too small to be seen.
        first = np.arange(z.shape[1]) == np.argmax(z, axis=1)[:, None]
        shifted = z - np.max(z, axis=1, keepdims=True)
        others = np.sum(np.where(first, 0 * shifted, np.exp(shifted)), axis=1, keepdims=True)
        return shifted - np.log1p(others)

    def _probabilities(self, z: Array) -> Array:
        return np.exp(self._logarithms(z)) if self.from_logits else z

    def _values(self, *arguments: Array) -> Array:
        (z,) = arguments
        return -np.sum(self._probabilities(z) * self._logarithms(z), axis=1)

    def _gradients(self, w: Array, *arguments: Array) -> tuple[Array, ...]:
        (z,) = arguments
        if not self.from_logits:
            return (w[:, None] * np.where(z > 0, -self._logarithms(z) - 1, np.inf),)
        values = self._values(z)
        return (-w[:, None] * self._probabilities(z) * (self._logarithms(z) + values[:, None]),)


class GaussianKL(EmbeddingLoss):
    """½Σ(μ² + e^v - 1 - v) for means μ and logarithms v of variances."""

    family = "distribution"

    def _values(self, *arguments: Array) -> Array:
        mean, v = arguments
        return np.sum(mean**2 + np.exp(v) - 1 - v, axis=1) / 2

    def _gradients(self, w: Array, *arguments: Array) -> tuple[Array, ...]:
        mean, v = arguments
        return w[:, None] * mean, w[:, None] * np.expm1(v) / 2
