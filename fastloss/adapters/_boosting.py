"""What the adapters of the gradient boosting libraries share: curvature, weights, links.

A boosting library asks for the gradient and a curvature of every row's loss by its raw score, not divided by
the number of rows, and adds them up in each leaf: the leaf's step is minus the one sum over the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from fastloss._loss import (
    CURVATURES,
    Loss,
    NameOfObject,
    ParameterLoss,
    PointwiseLoss,
    RowLoss,
    Unchanging,
    curvature_code,
)
from fastloss._validation import as_array
from fastloss.adapters._units import Typical, typical_row, unit_factor

Array = npt.NDArray[Any]


def raw_score_loss(loss: Any) -> Loss:
    """Return a loss that raw scores can be trained with, or raise an error that says why it cannot be."""
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must be a fastloss loss, got {loss!r}")
    if not isinstance(loss, (PointwiseLoss, RowLoss)):
        raise TypeError(f"{loss!r} does not compare a prediction with a target for each sample")
    if not loss.has_gradient:
        raise TypeError(f"{loss!r} has no gradient: it can be a metric, not an objective")
    if not loss.has_hessian:
        raise TypeError(f"the Hessian of {loss!r} is not diagonal: it can be a metric, not an objective")
    if loss.inputs == "probabilities":
        raise ValueError(f"{loss!r} takes probabilities, but trees add up raw scores: use from_logits=True")
    return loss


def weights_or_none(weights: Any) -> Any:
    """Return weights, or None where a library hands over an empty array for no weights."""
    return None if weights is None or np.size(weights) == 0 else weights


_Made = TypeVar("_Made", bound="Objective")


@dataclass(frozen=True, repr=False)
class FromLoss(Unchanging):
    """What a function of an adapter makes of a loss: immutable, picklable, comparable."""

    loss: Any

    #: The library, and its parameter for the number of classes.
    library: ClassVar[str] = ""
    classes_parameter: ClassVar[str] = ""
    #: The function that makes it.
    maker: ClassVar[str] = ""

    __name__: ClassVar[NameOfObject] = NameOfObject()

    @property
    def name(self) -> str:
        """The loss's name."""
        return str(self.loss.name)

    def _repr(self, **options: tuple[Any, Any]) -> str:
        """Write the call that makes it, with those options that differ from their defaults."""
        given = [f"{name}={value!r}" for name, (value, default) in options.items() if value != default]
        return f"{self.maker}({', '.join([repr(self.loss), *given])})"

    def explained(self, error: Exception, y_true: Any, y_pred: Any) -> Exception:
        """Return an error that says what to set, where the loss met what it could not know of."""
        shape = np.shape(y_pred)
        if self.loss.family == "multiclass" and len(shape) == 1:
            return ValueError(
                f"{self.loss!r} takes a score for each class, but {self.library} has one a row: set"
                f" {self.classes_parameter}, or for two classes take a loss such as BinaryCrossEntropy()"
            )
        if isinstance(self.loss, ParameterLoss) and len(shape) == 1:
            return ValueError(
                f"{self.loss!r} takes {len(self.loss.columns)} scores a row, but {self.library} has one: set"
                f" {self.classes_parameter}={len(self.loss.columns)}"
            )
        if isinstance(self.loss, PointwiseLoss) and (np.ndim(y_true), len(shape)) == (1, 2):
            return ValueError(
                f"{self.loss!r} takes one score a row, but {self.library} has {shape[1]}: for so many classes"
                " take a loss such as CrossEntropy()"
            )
        if str(error).startswith("y_true["):
            classifier = f"fastloss.adapters.{self.library.lower()}.Classifier, which does so itself"
            if self.loss.family == "multiclass":
                return ValueError(
                    f"{error}: set {self.classes_parameter} to one more than the largest label, and give"
                    f" classes as numbers from 0, or take {classifier}"
                )
            if self.loss.family == "binary":
                return ValueError(f"{error}: give the two classes as 0 and 1, or take {classifier}")
        return error


def arguments(first: Any, second: Any, weight: Any) -> tuple[Any, Any, Any]:
    """Return targets, scores and weights, whichever interface calls.

    The native one hands over scores and their data, scikit-learn's targets, scores and weights.
    """
    if hasattr(second, "get_label"):
        return second.get_label(), first, second.get_weight()
    return first, second, weight


@dataclass(frozen=True, repr=False)
class Objective(FromLoss):
    """A loss as an objective."""

    curvature: int
    n_threads: int | None
    #: Of which row the curvature is scaled to 1; None: it is not scaled.
    typical: Typical | None

    #: What "auto" means for losses of C classes.
    of_classes: ClassVar[str | None] = None
    #: Whether a call has the targets of all rows, so that "auto" may scale by them.
    sees_all_rows: ClassVar[bool] = True

    @classmethod
    def of(cls: type[_Made], loss: Any, curvature: str, n_threads: int | None) -> _Made:
        """Return the objective of a loss that can be one, or raise an error."""
        code = curvature_code(raw_score_loss(loss), curvature, cls.of_classes)
        scaled = cls.sees_all_rows and curvature == "auto"
        return cls(loss, code, n_threads, typical_row(loss) if scaled else None)

    def __repr__(self) -> str:
        default = type(self).of(self.loss, "auto", self.n_threads) == self
        curvature = "auto" if default else CURVATURES[self.curvature]
        return self._repr(curvature=(curvature, "auto"), n_threads=(self.n_threads, 1))

    def derivatives(
        self, y_true: Any, y_pred: Any, weight: Any, out: Any = None, single: bool = False
    ) -> tuple[Array, Array]:
        """Return each row's gradient and curvature times its weight, computed in float32 if `single`."""
        weight = weights_or_none(weight)
        result: tuple[Array, Array]
        try:
            result = self.loss._gradient_and_curvature(
                y_true, y_pred, weight, self.curvature, out, self.n_threads, single
            )
        except (TypeError, ValueError) as error:
            raise self.explained(error, y_true, y_pred) from None
        if self.typical is not None:
            y = as_array(y_true, "y_true")
            factor = unit_factor(self.loss, self.curvature, self.typical, y, weight)
            for derivative in result:
                np.multiply(derivative, factor, out=derivative)
        return result


def predictions(loss: Loss, raw: Any) -> Array:
    """Turn raw scores into predictions of the target.

    Parameters
    ----------
    loss : Loss
        The loss that the scores were trained with.
    raw : array_like of shape (n,), or (n, C) for losses of C classes
        What the library's ``predict`` returns for a custom objective.

    Returns
    -------
    ndarray
        Probabilities for cross-entropies and focal losses on logits, :math:`e^z` for `Poisson`, `Gamma` and
        `Tweedie`, otherwise the scores themselves.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters.xgboost import predictions
    >>> predictions(fl.BinaryCrossEntropy(), [0.0])
    array([0.5])
    >>> predictions(fl.Poisson(), [0.0])
    array([1.])
    """
    if loss.link == "log":
        return np.asarray(np.exp(as_array(raw, "raw")))
    if loss.link in ("logit", "softmax") and hasattr(loss, "probabilities"):
        return np.asarray(loss.probabilities(raw))
    return as_array(raw, "raw")
