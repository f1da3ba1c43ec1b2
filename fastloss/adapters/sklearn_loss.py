"""Scikit-learn's private losses, computed by fastloss's kernels.

The classes have the names and the interface of ``sklearn._loss.loss``, from which they inherit links,
intervals and starting values; what reads all samples is computed here. :func:`as_sklearn_loss` makes one from
any loss that boosting can be trained with::

    HistGradientBoostingClassifier(loss=as_sklearn_loss(fl.BinaryFocal(gamma=2.0)))

The interface is private to scikit-learn: another version may change it, and importing this module then raises
an ImportError that says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl
from fastloss._loss import Domain, Loss, ParameterLoss, RowLoss, curvature_code
from fastloss.adapters._boosting import raw_score_loss
from fastloss.adapters._constant import check_finite, constant_score
from fastloss.adapters._estimators import start_of
from fastloss.adapters._sklearn_kernels import (
    ExponentialKernel,
    HuberKernel,
    Kernel,
    MultinomialKernel,
    SquaredErrorLogLink,
    TweedieLogLink,
    UnitHessian,
)
from fastloss.adapters._units import typical_row, unit_factor
from fastloss.metrics.deviance import HalfDeviance

try:
    import sklearn
except ImportError as error:
    raise ImportError(
        'fastloss.adapters.sklearn_loss needs scikit-learn: pip install "fastloss[sklearn]"'
    ) from error
try:
    from sklearn._loss import loss as _base
    from sklearn._loss.link import HalfLogitLink, IdentityLink, Interval, LogLink
    from sklearn._loss.loss import BaseLoss

    _INTERFACE = [
        _base.BaseLoss.loss,
        _base.BaseLoss.gradient_hessian,
        _base.HalfMultinomialLoss.gradient_proba,
    ]
    if not hasattr(_base.HalfSquaredError(), "closs") or "exponential_loss" not in _base._LOSSES:
        raise AttributeError("closs")
except (ImportError, AttributeError) as error:
    raise ImportError(
        f"scikit-learn {sklearn.__version__} has another interface of sklearn._loss, which is private to it,"
        f" than fastloss.adapters.sklearn_loss was made for (that of 1.9): {error}"
    ) from error

__all__ = [
    "AbsoluteError",
    "BaseLoss",
    "ExponentialLoss",
    "HalfBinomialLoss",
    "HalfGammaLoss",
    "HalfMultinomialLoss",
    "HalfPoissonLoss",
    "HalfSquaredError",
    "HalfTweedieLoss",
    "HalfTweedieLossIdentity",
    "HuberLoss",
    "PinballLoss",
    "_LOSSES",
    "as_sklearn_loss",
]

Array = npt.NDArray[Any]


class HalfSquaredError(_base.HalfSquaredError):
    """Half the squared error; identity link."""

    def __init__(self, sample_weight: Any = None, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, **options)
        self.closs = Kernel(fl.HalfSquaredError())


class AbsoluteError(_base.AbsoluteError):
    """Absolute error; identity link, Hessian 1. The gradient is 0 where the prediction is the target."""

    def __init__(self, sample_weight: Any = None, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, **options)
        self.closs = UnitHessian(fl.AbsoluteError())


class PinballLoss(_base.PinballLoss):
    """Pinball loss of a quantile; identity link, Hessian 1."""

    def __init__(self, sample_weight: Any = None, quantile: float = 0.5, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, quantile=quantile, **options)
        self.closs = UnitHessian(fl.Quantile(q=float(quantile)), quantile=float(quantile))


class HuberLoss(_base.HuberLoss):
    """Huber's loss; identity link."""

    def __init__(
        self, sample_weight: Any = None, quantile: float = 0.9, delta: float = 0.5, **options: Any
    ) -> None:
        super().__init__(sample_weight=sample_weight, quantile=quantile, delta=delta, **options)
        self.closs = HuberKernel(fl.Huber(delta=float(delta)))
        self.closs.delta = float(delta)


class HalfPoissonLoss(_base.HalfPoissonLoss):
    """Half the Poisson deviance less its constant; log link."""

    def __init__(self, sample_weight: Any = None, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, **options)
        self.closs = Kernel(fl.Poisson())


class HalfGammaLoss(_base.HalfGammaLoss):
    """Half the gamma deviance less its constant; log link."""

    def __init__(self, sample_weight: Any = None, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, **options)
        self.closs = Kernel(fl.Gamma())


class HalfTweedieLoss(_base.HalfTweedieLoss):
    """Half the Tweedie deviance less its constant, of any power; log link."""

    def __init__(self, sample_weight: Any = None, power: float = 1.5, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, power=power, **options)
        named = {1.0: fl.Poisson(), 2.0: fl.Gamma()}
        self.closs: Kernel
        if power == 0:
            self.closs = SquaredErrorLogLink(fl.HalfSquaredError(), power=0.0)
        else:
            self.closs = Kernel(named.get(power) or TweedieLogLink(float(power)), power=float(power))


class HalfTweedieLossIdentity(_base.HalfTweedieLossIdentity):
    """Half the Tweedie deviance of any power; identity link."""

    def __init__(self, sample_weight: Any = None, power: float = 1.5, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, power=power, **options)
        self.closs = Kernel(HalfDeviance(float(power)), power=float(power))


class HalfBinomialLoss(_base.HalfBinomialLoss):
    """Cross-entropy of two classes; logit link."""

    def __init__(self, sample_weight: Any = None, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, **options)
        self.closs = Kernel(fl.BinaryCrossEntropy())


class HalfMultinomialLoss(_base.HalfMultinomialLoss):
    """Cross-entropy of several classes; softmax."""

    def __init__(self, sample_weight: Any = None, n_classes: int = 3, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, n_classes=n_classes, **options)
        self.closs = MultinomialKernel(fl.CrossEntropy())


class ExponentialLoss(_base.ExponentialLoss):
    """Exponential loss of two classes; half of the logit as link."""

    def __init__(self, sample_weight: Any = None, **options: Any) -> None:
        super().__init__(sample_weight=sample_weight, **options)
        self.closs = ExponentialKernel(fl.Exponential())


_LOSSES = {
    "squared_error": HalfSquaredError,
    "absolute_error": AbsoluteError,
    "pinball_loss": PinballLoss,
    "huber_loss": HuberLoss,
    "poisson_loss": HalfPoissonLoss,
    "gamma_loss": HalfGammaLoss,
    "tweedie_loss": HalfTweedieLoss,
    "binomial_loss": HalfBinomialLoss,
    "multinomial_loss": HalfMultinomialLoss,
    "exponential_loss": ExponentialLoss,
}


class _Trainable(Kernel):
    """A kernel with the curvature that trains, where the Hessian is not positive.

    That of a ratio has the units of the targets: it is scaled, as scikit-learn has a least Hessian of a leaf.
    """

    def __init__(self, loss: Loss) -> None:
        super().__init__(loss)
        # Far from the target a robust loss is nearly straight, and its Hessian nearly 0.
        has_own = loss.positive_hessian and not (loss.of_residual and loss.lipschitz)
        self._curvature = curvature_code(loss, "exact" if has_own else "auto")
        self._typical = typical_row(loss) if loss.curvature_units == "target" else None

    def _derivatives(self, y: Any, z: Any, *, sample_weight: Any, reduction: Any, **options: Any) -> Any:
        loss: Any = self._loss  # its derivatives are those of the sum, each row's own
        found = loss._gradient_and_curvature(y, z, sample_weight, self._curvature, **options)
        if self._typical is not None:
            factor = unit_factor(loss, self._curvature, self._typical, np.asarray(y), sample_weight)
            for derivative in found:
                np.multiply(derivative, factor, out=derivative, casting="same_kind")
        return found


def _interval(domain: Domain) -> Any:
    """Return a domain as scikit-learn's interval, which excludes infinities."""
    low_inclusive = np.isfinite(domain.low) and not domain.open_low
    return Interval(domain.low, domain.high, bool(low_inclusive), bool(np.isfinite(domain.high)))


class _OfLoss:
    """What `as_sklearn_loss` makes; it is written as that call."""

    closs: Any

    def __repr__(self) -> str:
        return f"as_sklearn_loss({self.closs._loss!r})"


class _AbsoluteError(_OfLoss, AbsoluteError):
    """The absolute error; with a constant Hessian the weights of a fit would not reach the leaves' values."""

    def __init__(self) -> None:
        super().__init__(sample_weight=np.ones(1))

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return the median."""
        check_finite(y_true)
        return super().fit_intercept_only(y_true, sample_weight)


class _QuantileLoss(_OfLoss, PinballLoss):
    """The loss of a quantile, likewise."""

    def __init__(self, q: float) -> None:
        super().__init__(sample_weight=np.ones(1), quantile=q)

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return the quantile."""
        check_finite(y_true)
        return super().fit_intercept_only(y_true, sample_weight)


class _RegressionLoss(_OfLoss, BaseLoss):
    """A regression loss of fastloss; the log link for the losses of a logarithm, otherwise the identity."""

    def __init__(self, loss: Any) -> None:
        super().__init__(_Trainable(loss), LogLink() if loss.link == "log" else IdentityLink())
        self.interval_y_true = _interval(loss.target_domain)

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return the best constant: the logarithm of the mean, or by minimising the loss."""
        check_finite(y_true)
        if isinstance(self.link, LogLink):
            return super().fit_intercept_only(y_true, sample_weight)
        return y_true.dtype.type(constant_score(self.closs._loss, y_true, sample_weight))


class _BinaryLoss(_OfLoss, _base.HalfBinomialLoss):
    """A loss of logits of fastloss; of half of the logit for the exponential loss."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.closs = _Trainable(loss)
        if loss.link == "half_logit":
            self.link = HalfLogitLink()

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return the best constant logit, by minimising the loss."""
        _check_classes(self, y_true, 2, "n_classes={0} and a loss such as CrossEntropy()")
        return y_true.dtype.type(start_of(self.closs._loss, y_true, sample_weight))

    def constant_to_optimal_zero(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return what to add for a least loss of 0: zeros, which are exact for labels 0 and 1."""
        return np.zeros_like(y_true)


class _MulticlassLoss(_OfLoss, _base.HalfMultinomialLoss):
    """A loss of rows of logits of fastloss; training starts at the logarithms of the classes' shares."""

    def __init__(self, loss: Any, n_classes: int) -> None:
        super().__init__(n_classes=n_classes)
        self.closs = _MulticlassKernel(loss)

    def __repr__(self) -> str:
        return f"as_sklearn_loss({self.closs._loss!r}, n_classes={self.n_classes})"

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Return the logarithms of the classes' shares."""
        _check_classes(self, y_true, self.n_classes, "n_classes={0}")
        return super().fit_intercept_only(y_true, sample_weight)


class _MulticlassKernel(_Trainable, MultinomialKernel):
    """Rows of logits, with a positive Hessian."""


def _check_classes(loss: Any, y: Array, n_classes: int, remedy: str) -> None:
    """Raise an error that says what to take for so many classes, the labels of which are 0, 1, and so on."""
    check_finite(y)
    found = max(int(y.max()) + 1, 2) if y.size else n_classes
    if found == 2 < n_classes:
        remedy = "a loss of two classes, such as BinaryCrossEntropy(), without n_classes"
    if found != n_classes:
        raise ValueError(
            f"{loss!r} is for {n_classes} classes, but there are {found}: take {remedy.format(found)}"
        )


def as_sklearn_loss(loss: Loss, n_classes: int | None = None) -> Any:
    """Make a loss that ``HistGradientBoostingRegressor`` and ``...Classifier`` take as their `loss`.

    The Hessian that trees are grown with is positive: the loss's own where it is convex; otherwise what
    "auto" is in the adapters of the boosting libraries, for the robust and the focal losses a majorizer, for
    hinges 1. The absolute error and the quantile loss become scikit-learn's, with Hessian 1 and leaves that
    are medians and quantiles.

    Parameters
    ----------
    loss : Loss
        A regression loss of a prediction or of its logarithm; a loss of two classes' logits, or one of
        several classes' logits.
    n_classes : int, optional
        The number of classes, at least 3, of a loss of several.

    Returns
    -------
    sklearn._loss.loss.BaseLoss
        Regressors predict by its link: the exponential for the losses of a logarithm, otherwise the identity.
        Classifiers' probabilities are the logistic function or softmax of the raw predictions.

    Raises
    ------
    TypeError
        If the loss has no gradient or a Hessian that is not diagonal, takes probabilities, or is not of one
        of these kinds.
    ValueError
        If `n_classes` is missing, less than 3, or given to a loss that is not of several classes.

    References
    ----------
    D. R. Hunter and K. Lange, "A Tutorial on MM Algorithms", The American Statistician 58 (2004).

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters.sklearn_loss import as_sklearn_loss
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> X = np.arange(100.0)[:, None]
    >>> y = np.where(X[:, 0] < 50, 1.0, 3.0)
    >>> y[0] = 1e6  # an outlier
    >>> model = HistGradientBoostingRegressor(loss=as_sklearn_loss(fl.LogCosh()), max_iter=200).fit(X, y)
    >>> bool(np.allclose(model.predict([[10.0], [90.0]]), [1.0, 3.0], atol=0.1))
    True
    """
    is_multiclass = isinstance(loss, RowLoss) and loss.family == "multiclass"
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must be a loss of fastloss, got {loss!r}")
    if loss.has_gradient and loss.inputs == "probabilities":
        raise TypeError(f"{loss!r} takes probabilities: boosting needs a loss of raw predictions")
    if n_classes is not None and not is_multiclass:
        raise ValueError(f"n_classes is for losses of several classes, {loss!r} is none")
    if is_multiclass:
        if n_classes is None or n_classes < 3:
            raise ValueError(
                f"n_classes must be at least 3 for {loss!r}, got {n_classes}; two classes have one logit"
            )
        return _MulticlassLoss(loss, n_classes)
    if loss.predicts == "median":
        return _AbsoluteError()
    if isinstance(loss, ParameterLoss):
        raise TypeError(f"{loss!r} takes {len(loss.columns)} scores a row, but HistGradientBoosting has one")
    if loss.predicts == "quantile":
        return _QuantileLoss(loss.parameters["q"])
    if loss.family not in ("regression", "binary"):
        raise TypeError(f"{loss!r} is no loss of numbers or classes")
    raw_score_loss(loss)
    return _BinaryLoss(loss) if loss.family == "binary" else _RegressionLoss(loss)
