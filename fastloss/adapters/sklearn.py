"""A loss as a scorer of scikit-learn's model selection."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastloss._loss import Loss, RowLoss
from fastloss._validation import as_array
from fastloss.metrics import zero_one_loss
from fastloss.metrics._arrays import Array, column, dense
from fastloss.metrics._targets import encode, recode

__all__ = ["Scorer", "scorer"]


def scorer(loss: Loss) -> Scorer:
    """Make a scorer of a loss, for `cross_validate`, `GridSearchCV` and all that takes `scoring`.

    Parameters
    ----------
    loss : Loss
        What to score by; its parameters say what predictions it takes:

        - regression losses: `predict`; its logarithm for :class:`~fastloss.Poisson`, :class:`~fastloss.Gamma`
          and :class:`~fastloss.Tweedie`, whose prediction is the logarithm of the mean;
        - losses of probabilities (``from_logits=False``): `predict_proba`, of the class ``classes_[1]`` for
          losses of two classes;
        - losses of logits or margins: `decision_function`; for a loss of several classes and a classifier of
          two its values are the logits of the second against 0;
        - :class:`~fastloss.ZeroOne`: `predict`.

    Returns
    -------
    Scorer
        Called as ``scorer(estimator, X, y)``, it returns minus the mean loss: greater is better. Labels of
        any kind are turned into class indices by the estimator's ``classes_``.

    Raises
    ------
    TypeError
        If `loss` is no loss, or compares distributions, which are no labels.

    Notes
    -----
    Weights reach it through scikit-learn's metadata routing, after
    ``scorer(loss).set_score_request(sample_weight=True)``.

    References
    ----------
    scikit-learn, User Guide, "Metrics and scoring" and "Metadata Routing".

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters.sklearn import scorer
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import HuberRegressor, Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> X, y = load_diabetes(return_X_y=True)
    >>> scores = cross_val_score(Ridge(alpha=0.1), X, y, scoring=scorer(fl.Huber(delta=50.0)))
    >>> bool((scores < 0).all())
    True
    """
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must be a loss of fastloss, got {loss!r}")
    if loss.family not in ("regression", "binary", "multiclass"):
        raise TypeError(f"{loss!r} compares distributions: an estimator's targets are labels or numbers")
    return Scorer(loss)


class Scorer:
    """Minus the mean loss of an estimator's predictions; made by :func:`scorer`."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self._weight_request: bool | str | None = None

    def __call__(self, estimator: Any, X: Any, y_true: Any, *, sample_weight: Any = None) -> float:
        """Score an estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        X : array_like
            What it predicts from.
        y_true : array_like
            Targets or labels; those of one output may be a single column, as of a data frame.
        sample_weight : array_like of shape (n,), optional
            Weights of the mean.

        Returns
        -------
        float
            Minus the mean loss.

        Raises
        ------
        TypeError
            If the estimator lacks the method whose predictions the loss takes.
        ValueError
            If there are labels that it was not fitted with, or more classes than the loss takes.
        """
        if self.loss.inputs == "classes" and hasattr(estimator, "classes_"):
            return -zero_one_loss(y_true, estimator.predict(X), sample_weight=sample_weight)
        if self.loss.inputs in ("numbers", "logarithms", "classes"):
            y, z = as_array(y_true, "y_true"), as_array(self._numbers(estimator, X), "y_pred")
            if isinstance(self.loss, RowLoss) or y.ndim != z.ndim:
                # Numbers are a single column: of targets, of predictions, or of both.
                y, z = (a[:, None] if a.ndim == 1 else a for a in (y, z))
        else:
            y, z = self._labels(estimator, y_true), self._classification(estimator, X)
        loss: float = self.loss(y, z, sample_weight=sample_weight)
        return -loss

    def _numbers(self, estimator: Any, X: Any) -> Any:
        z = estimator.predict(X)
        if self.loss.link != "log":
            return z
        if not np.min(z) > 0:
            raise ValueError(
                f"{type(estimator).__name__} predicts {np.min(z)}, but {self.loss!r} takes the logarithm of"
                " predictions greater than 0"
            )
        return np.log(z)

    def _labels(self, estimator: Any, y_true: Any) -> Array:
        """Return each label's index among the estimator's classes."""
        classes = np.asarray(estimator.classes_)
        if self.loss.family == "binary" and len(classes) != 2:
            raise ValueError(
                f"{self.loss!r} is of two classes, {type(estimator).__name__} has {len(classes)}"
            )
        order = np.argsort(classes)
        codes = recode(encode(column(dense(y_true))), classes[order])
        if codes is None:
            raise ValueError(f"y_true holds labels other than the estimator's classes, {classes.tolist()}")
        return codes if np.array_equal(order, np.arange(len(order))) else order[codes]

    def _classification(self, estimator: Any, X: Any) -> Any:
        method = "decision_function" if self.loss.inputs == "scores" else "predict_proba"
        if not hasattr(estimator, method):
            other = " or take a loss with from_logits=False" if hasattr(self.loss, "from_logits") else ""
            hint = f": calibrate it{other}" if method == "decision_function" else ""
            raise TypeError(f"{self.loss!r} is of {method}(), which {type(estimator).__name__} lacks{hint}")
        z = getattr(estimator, method)(X)
        if self.loss.family == "binary":
            return z[:, 1] if z.ndim == 2 else z
        if z.ndim == 1:
            return np.column_stack([np.zeros_like(z), z])
        n_classes = len(estimator.classes_)
        if z.shape[1] != n_classes:
            raise ValueError(
                f"{method}() gave {z.shape[1]} columns for {n_classes} classes, expected one for each"
            )
        return z

    def set_score_request(self, *, sample_weight: bool | str | None) -> Scorer:
        """Ask scikit-learn's metadata routing for weights.

        Parameters
        ----------
        sample_weight : bool, str or None
            True asks for the metadata `sample_weight`, a name for that of this name; False takes none, and
            with None, as at first, giving weights is an error.

        Returns
        -------
        Scorer
            Itself.
        """
        self._weight_request = sample_weight
        return self

    def get_metadata_routing(self) -> Any:
        """Return what metadata it asks for, as scikit-learn's `MetadataRequest`."""
        from sklearn.utils.metadata_routing import MetadataRequest

        request = MetadataRequest(owner=self)
        request.score.add_request(param="sample_weight", alias=self._weight_request)
        return request

    def _accept_sample_weight(self) -> bool:
        # Asked by scikit-learn where several scorers are called with weights and without routing.
        return True

    @property
    def __name__(self) -> str:
        return self.loss.name

    def __repr__(self) -> str:
        return f"scorer({self.loss!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scorer):
            return NotImplemented
        return (self.loss, self._weight_request) == (other.loss, other._weight_request)

    def __hash__(self) -> int:
        return hash((Scorer, self.loss))
