"""The true results of the losses of embeddings that go row by row, and the errors of the kernels.

Where terms cancel no relative bound is possible: there the unit is that of the sum of their magnitudes.
"""

from __future__ import annotations

from typing import Any

import multiprecision
import numpy as np
from multiprecision import DIGITS, Truth, exact, ulps

import fastloss as fl
from embeddings.samples import embeddings
from fastloss import reference

_MODULE = multiprecision._copy_of(reference.embedding)


def _truth(numbers: Any) -> Truth:
    parts = np.array([multiprecision._split(x) for x in np.ravel(numbers)], dtype=object)
    high, low, exponent = parts.T.reshape(3, *np.shape(numbers))
    return Truth(high.astype(float), low.astype(float), exponent.astype(int))


def _twin(loss: Any) -> Any:
    return getattr(_MODULE, type(loss).__name__)(**multiprecision.exact_parameters(loss))


def _magnitudes(loss: Any, arguments: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """Of the terms of the values, and of the gradients: (n,) and (n, d) each."""
    x = [np.asarray(a, float) for a in arguments]
    zeros = [np.zeros_like(a) for a in x]
    if isinstance(loss, fl.GaussianKL):
        return np.zeros(len(x[0])), zeros
    if isinstance(loss, fl.Entropy):
        twin = reference.twin(loss)
        p, sizes = twin._probabilities(x[0]), np.abs(twin._logarithms(x[0]))
        slopes = p * (sizes + twin._values(x[0])[:, None]) if loss.from_logits else sizes + 1
        return np.zeros(len(p)), [slopes]
    if isinstance(loss, fl.CenterLoss):
        by_centers = np.zeros_like(x[1])
        np.add.at(by_centers, arguments[2], np.abs(x[0] - x[1][arguments[2]]))
        return np.zeros(len(x[0])), [zeros[0], by_centers]
    first = np.linalg.norm(x[0] - x[1], axis=1)
    if isinstance(loss, fl.Triplet):
        second = np.linalg.norm(x[0] - x[2], axis=1)
        if loss.squared:
            return first**2 + second**2 + loss.margin, zeros
        unit = [np.abs(x[0] - x[1]) / first[:, None], np.abs(x[0] - x[2]) / second[:, None]]
        return first + second + loss.margin, [unit[0] + unit[1], zeros[0], zeros[0]]
    if isinstance(loss, fl.Contrastive):
        apart = (arguments[2] == 0) & (first <= loss.margin)
        short_of, both = np.maximum(loss.margin - first, 0), loss.margin + first
        slope = np.where(apart, 2 * both / first, 0)[:, None] * np.abs(x[0] - x[1])
        return np.where(apart, both * short_of, 0), [slope, slope]
    length = [np.linalg.norm(a, axis=1, keepdims=True) for a in x[:2]]
    both = np.abs(x[0]) / length[0] + np.abs(x[1]) / length[1]
    return np.full(len(x[0]), 1 + abs(loss.margin)), [both / length[0], both / length[1]]


def errors(loss: Any, arguments: tuple[np.ndarray, ...], results: list[np.ndarray]) -> list[np.ndarray]:
    """Errors in ULPs of the values (n,) and of the gradients (n, d) by each of the embeddings."""
    vectors = embeddings(loss, arguments)
    with multiprecision.precision(DIGITS):
        inputs = [exact(a.astype(object)) for a in vectors] + [*arguments[len(vectors) :]]
        values = _twin(loss)._values(*inputs)
        slopes = _twin(loss)._gradients(exact(np.ones(len(vectors[0]), object)), *inputs)
        magnitudes = _magnitudes(loss, arguments)
        return [
            ulps(result, _truth(true), _truth(magnitude))
            for result, true, magnitude in zip(
                results, [values, *slopes], [magnitudes[0], *magnitudes[1]], strict=True
            )
        ]


def batch_error(loss: Any, output: str, a: np.ndarray, b: np.ndarray) -> float:
    """The largest error of NTXent's values or gradients, in units of the last bit over the temperature.

    A gradient's unit is that of its terms: of the slopes by inner products, over the vector's length.
    """
    values, gradients = loss.value_and_gradient(a, b, reduction="none")
    unit = float(np.finfo(a.dtype).eps) / loss.temperature
    with multiprecision.precision(DIGITS):
        inputs = [exact(x.astype(object)) for x in (a, b)]
        twin = _twin(loss)
        if output == "value":
            return float(np.max(np.abs(exact(values.astype(object)) - twin._values(*inputs)))) / unit
        ones = exact(np.ones(len(a), object))
        _, logits, partner = twin._logits(*inputs)
        slopes = (
            (twin._probabilities(logits) - np.where(partner, ones[0], ones[0] * 0)) / twin.temperature / 2
        )
        lengths = _MODULE._length(np.concatenate(inputs))[:, 0]
        scale = np.sum(np.abs(slopes + slopes.T), axis=1) / lengths
        true = np.concatenate(twin._gradients(ones, *inputs))
        errors = np.max(np.abs(exact(np.concatenate(gradients).astype(object)) - true), axis=1)
        return max(float(e / s) if s else float(e != 0) for e, s in zip(errors, scale, strict=True)) / unit
