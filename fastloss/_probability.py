"""What the losses of a probability of one of two classes share: links, and several labels with weights."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from fastloss._loss import PointwiseLoss, number, sequence_of_numbers
from fastloss._traits import of_parameters


class _SigmoidLink(PointwiseLoss):
    """The link of the losses of two classes."""

    def __init__(self, kernel: str) -> None:
        super().__init__(kernel)


_SIGMOID = _SigmoidLink("sigmoid")
_LOG_SIGMOID = _SigmoidLink("log_sigmoid")


def each(numbers: float | tuple[float, ...]) -> tuple[float, ...]:
    """Return a number for each label: one is that of all."""
    return numbers if isinstance(numbers, tuple) else (numbers,)


def numbers_of_labels(name: str, value: Any) -> list[tuple[str, float]]:
    """Return one number, or one for each label, with what errors call it."""
    if isinstance(value, Real) or not (hasattr(value, "__len__") and hasattr(value, "__getitem__")):
        return [(name, number(name, value))]
    every = _of_labels(name, value, -math.inf, "a number, or a sequence of one for each label")
    return [(f"{name}[{k}]", x) for k, x in enumerate(every)]


def _of_labels(name: str, value: Any, low: float, kinds: str) -> tuple[float, ...]:
    every = sequence_of_numbers(name, value, low, math.inf, kinds)
    if not every:
        raise ValueError(f"{name} must have at least one number")
    return every


def weights_of_labels(class_weight: Any) -> tuple[float, ...] | None:
    """Return a weight for each label, or None."""
    if class_weight is None:
        return None
    return _of_labels("class_weight", class_weight, 0, "a sequence of one number for each label")


class ProbabilityLoss(PointwiseLoss):
    """A loss of the probability of the positive class, given as such or as a logit."""

    family = "binary"
    link = of_parameters(lambda loss: "logit" if loss.from_logits else "identity")
    inputs = of_parameters(lambda loss: "scores" if loss.from_logits else "probabilities")
    from_logits: bool
    class_weight: tuple[float, ...] | None = None

    def probabilities(self, y_pred: Any, *, out: Any = None, n_threads: int | None = None) -> Any:
        """Turn logits into probabilities of the positive class, by the logistic sigmoid.

        Parameters
        ----------
        y_pred : array_like
            Logits.
        out : ndarray, optional
            Where to write, of the shape of `y_pred`.
        n_threads : int, optional
            As for the call of the loss.

        Returns
        -------
        ndarray
            In the shape and precision of `y_pred`.

        Raises
        ------
        TypeError
            If the loss takes probabilities: then there is nothing to turn.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.BinaryCrossEntropy().probabilities([0.0, 800.0])
        array([0.5, 1. ])
        """
        return self._apply(_SIGMOID, y_pred, out, n_threads)

    def log_probabilities(self, y_pred: Any, *, out: Any = None, n_threads: int | None = None) -> Any:
        """Turn logits into logarithms of probabilities, by the logarithm of the logistic sigmoid.

        Parameters, result and errors are those of :meth:`probabilities`.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.BinaryCrossEntropy().log_probabilities([-800.0])
        array([-800.])
        """
        return self._apply(_LOG_SIGMOID, y_pred, out, n_threads)

    def _bind_labels(self, name: str, numbers: Any) -> None:
        """Let a loss of its own compute each of several labels, where there are sequences of numbers."""
        weights = self.class_weight
        if weights is None and not isinstance(numbers, tuple):
            return
        own = numbers if isinstance(numbers, tuple) else (numbers,) * len(weights or ())
        if weights is not None and len(own) != len(weights):
            raise ValueError(
                f"{name} has {len(own)} numbers, but class_weight has {len(weights)}: one for each label"
            )
        alone = [type(self)(**{**self.parameters, name: x, "class_weight": None}) for x in own]
        self._bind_columns(tuple(alone), weights or ())

    @property
    def _heaviest(self) -> float:
        return max(self.class_weight or (1.0,))

    def _apply(self, link: PointwiseLoss, y_pred: Any, out: Any, n_threads: int | None) -> Any:
        if not self.from_logits:
            raise TypeError(f"{self!r} takes probabilities: there is no link to apply")
        return link._map(y_pred, out, n_threads)
