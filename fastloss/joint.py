"""Sums of losses that have different predictions: of a row of classes and of an embedding, say."""

from __future__ import annotations

import math
import numbers
from typing import Any, Literal

from fastloss._loss import EmbeddingLoss, Immutable, Loss, RowLoss, number_in

__all__ = ["JointLoss"]

Reduction = Literal["mean", "sum", "none"]
Parts = tuple[tuple[float, Loss], ...]


class JointLoss(Immutable):
    r"""A weighted sum of losses of rows and one of embeddings: ``CrossEntropy() + 0.01*CenterLoss()``.

    It comes of sums and multiples of losses. Call it as ``loss(y_true, y_pred, *embeddings)``: the targets,
    the predictions of the losses of rows, where there are such, then the arrays that the loss of embeddings
    takes, whose labels the targets are. The verbs take the keywords `sample_weight`, `reduction` and
    `n_threads`. The gradient is a tuple of arrays: by the predictions, then by each of the embeddings.

    Parameters
    ----------
    parts : tuple of (float, Loss)
        Factors and losses: any number of losses of rows, at most one of embeddings.

    Raises
    ------
    TypeError
        If there are two losses of embeddings, one with labels of pairs, or a loss of another kind.
    ValueError
        If a factor is not finite.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.CrossEntropy() + 0.01 * fl.CenterLoss()
    >>> logits, x, centers = [[2.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [3.0, 0.0]], [[0.0, 0.0], [3.0, 4.0]]
    >>> value, (by_logits, by_x, by_centers) = loss.value_and_gradient([0, 1], logits, x, centers)
    >>> round(value, 6), by_x
    (0.272595, array([[ 0.005,  0.01 ],
           [ 0.   , -0.02 ]]))
    """

    parts: Parts

    def __init__(self, parts: Parts) -> None:
        kept = tuple((number_in("the factor of a loss", f, -math.inf, math.inf), loss) for f, loss in parts)
        others = [loss for _, loss in kept if not isinstance(loss, RowLoss)]
        for loss in others:
            if not isinstance(loss, EmbeddingLoss):
                raise TypeError(f"{loss!r} cannot be added to losses of rows or embeddings")
            if loss.targets not in ("classes", "none"):
                raise TypeError(f"{loss!r} has labels of pairs, which targets of rows are not")
        if len(others) > 1:
            raise TypeError(f"the arguments of {others[0]!r} and {others[1]!r} cannot be told apart")
        self._keep({"parts": kept})

    def __add__(self, other: object) -> JointLoss:
        return JointLoss((*self.parts, *parts_of(other))) if isinstance(other, _SUMMED) else NotImplemented

    def __radd__(self, other: object) -> JointLoss:
        return JointLoss((*parts_of(other), *self.parts)) if isinstance(other, _SUMMED) else NotImplemented

    def __mul__(self, factor: object) -> JointLoss:
        if not isinstance(factor, numbers.Real):
            return NotImplemented
        return JointLoss(tuple((float(factor) * f, loss) for f, loss in self.parts))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        alone = len(self.parts) == 1
        terms = [f"{loss!r}" if f == 1 and not alone else f"{f!r}*{loss!r}" for f, loss in self.parts]
        return " + ".join(terms)

    def __call__(
        self,
        y_true: Any,
        *predictions: Any,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        n_threads: int | None = None,
    ) -> Any:
        """Compute the loss: a float, an array with ``reduction="none"``."""
        options = {"sample_weight": sample_weight, "reduction": reduction, "n_threads": n_threads}
        return sum(
            factor * loss(*self._arguments(loss, y_true, predictions), **options)
            for factor, loss in self.parts
        )

    def gradient(
        self,
        y_true: Any,
        *predictions: Any,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        n_threads: int | None = None,
    ) -> tuple[Any, ...]:
        """Compute the gradients of the reduced loss by predictions and embeddings: a tuple of arrays."""
        options = {"sample_weight": sample_weight, "reduction": reduction, "n_threads": n_threads}
        return self._gradients(
            [loss.gradient(*self._arguments(loss, y_true, predictions), **options) for _, loss in self.parts]
        )

    def value_and_gradient(
        self,
        y_true: Any,
        *predictions: Any,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        n_threads: int | None = None,
    ) -> tuple[Any, tuple[Any, ...]]:
        """Compute ``(value, gradients)``, each part in one pass."""
        options = {"sample_weight": sample_weight, "reduction": reduction, "n_threads": n_threads}
        found = [
            loss.value_and_gradient(*self._arguments(loss, y_true, predictions), **options)
            for _, loss in self.parts
        ]
        value = sum(factor * v for (factor, _), (v, _) in zip(self.parts, found, strict=True))
        return value, self._gradients([g for _, g in found])

    def _arguments(self, loss: Any, y_true: Any, predictions: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments of a part in its order: embeddings come before their labels."""
        n_rows, n_embeddings = self._counts()
        if len(predictions) != n_rows + n_embeddings:
            raise TypeError(
                f"{self!r} takes y_true and {n_rows + n_embeddings} arrays, got {len(predictions)}"
            )
        if isinstance(loss, RowLoss):
            return y_true, predictions[0]
        embeddings = predictions[n_rows:]
        return (*embeddings, y_true) if loss.targets == "classes" else embeddings

    def _counts(self) -> tuple[int, int]:
        """Return how many arrays of predictions there are, 0 or 1, and how many of embeddings."""
        losses: list[Any] = [loss for _, loss in self.parts]
        of_embeddings = (loss for loss in losses if not isinstance(loss, RowLoss))
        n_embeddings = sum(len(loss._names) - (loss.targets == "classes") for loss in of_embeddings)
        return any(isinstance(loss, RowLoss) for loss in losses), n_embeddings

    def _gradients(self, found: list[Any]) -> tuple[Any, ...]:
        """Return the gradients by all arrays from those of the parts, which are written over."""
        by_rows: list[Any] = []
        by_embeddings: tuple[Any, ...] = ()
        for (factor, loss), gradient in zip(self.parts, found, strict=True):
            arrays = gradient if isinstance(gradient, tuple) else (gradient,)
            for array in arrays:
                array *= factor
            if not isinstance(loss, RowLoss):
                by_embeddings = arrays
            elif by_rows:
                by_rows[0] += gradient
            else:
                by_rows.append(gradient)
        return (*by_rows, *by_embeddings)


_SUMMED = (RowLoss, EmbeddingLoss, JointLoss)


def parts_of(loss: Any) -> Parts:
    """Return factors and losses of a loss or a sum of them."""
    return loss.parts if isinstance(loss, JointLoss) else ((1.0, loss),)
