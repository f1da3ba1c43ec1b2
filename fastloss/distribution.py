"""Divergences between distributions over C outcomes, a row each; entropy; normal distributions of codes."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastloss import _core, _validation
from fastloss._composed import Call, Composed, row_by_row
from fastloss._loss import PointwiseLoss, RowLoss, flag, number_in
from fastloss._traits import of_parameters
from fastloss.errors import DomainError
from fastloss.multiclass import CrossEntropy
from fastloss.regression import HalfSquaredError, Linex

__all__ = ["KLDivergence", "JSDivergence", "Entropy", "GaussianKL"]

Array = npt.NDArray[Any]
Reduction = Literal["mean", "sum", "none"]


class KLDivergence(RowLoss):
    r"""Kullback-Leibler divergence, :math:`\sum_k p_k\log(p_k/q_k)`, of the target from the prediction.

    Targets :math:`p` and predictions are (n, C) and used as given, not normalised. The gradient by
    :math:`q` is :math:`-p/q`, the Hessian :math:`p/q^2`; from logits :math:`(\sum_k
    p_k)\operatorname{softmax}(z) - p`. :math:`0\log 0` is 0, and a predicted 0 where the target is positive
    gives infinity. Predicted rows that do not sum to 1 are used as given, with a warning.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits, whose softmax is :math:`q`, or :math:`q` itself.

    Raises
    ------
    ValueError
        By the call: if a target or a predicted probability is negative or not finite.

    References
    ----------
    S. Kullback and R. A. Leibler, "On Information and Sufficiency", Ann. Math. Statist. 22 (1951).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])
    0.14384103622589045
    """

    aliases = ("kl", "relative_entropy")
    family = "distribution"
    predicts = "distribution"
    targets = "distributions"
    convex = True
    link = of_parameters(lambda loss: "softmax" if loss.from_logits else "identity")
    inputs = of_parameters(lambda loss: "scores" if loss.from_logits else "probabilities")
    canonical = of_parameters(lambda loss: loss.from_logits)
    from_logits: bool

    def __init__(self, from_logits: bool = False) -> None:
        from_logits = flag("from_logits", from_logits)
        self._bind("kl_divergence_logits" if from_logits else "kl_divergence")
        self._keep({"from_logits": from_logits})


class JSDivergence(RowLoss):
    r"""Jensen-Shannon divergence, :math:`\frac12 KL(p\|m) + \frac12 KL(q\|m)`, :math:`m = \frac12(p + q)`.

    Between 0 and :math:`\log 2`, never NaN or negative. The gradient by the prediction :math:`q` is
    :math:`\frac12\log(q/m)`. Targets :math:`p` and predictions are (n, C) and used as given; predicted rows
    that do not sum to 1 give a warning.

    Parameters
    ----------
    base : float, default e
        The base of the logarithm, greater than 1.
    distance : bool, default False
        Whether to take the square root, which is a metric.

    Raises
    ------
    ValueError
        If `base` is not greater than 1; by the call, if an entry is negative or not finite.

    References
    ----------
    J. Lin, "Divergence Measures Based on the Shannon Entropy", IEEE Trans. Inf. Theory 37 (1991).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.JSDivergence(base=2)([[1.0, 0.0]], [[0.0, 1.0]])
    1.0
    """

    aliases = ("js",)
    family = "distribution"
    predicts = "distribution"
    targets = "distributions"
    inputs = "probabilities"
    convex = of_parameters(lambda loss: not loss.distance)
    base: float
    distance: bool

    def __init__(self, base: float = math.e, distance: bool = False) -> None:
        base = number_in("base", base, 1, math.inf)
        distance = flag("distance", distance)
        # The kernel takes 0 for the natural logarithm: log(math.e) is 1 but for its rounding.
        log_base = 0.0 if base == math.e else math.log(base)
        self._bind("js_distance" if distance else "js_divergence", log_base=log_base)
        self._keep({"base": base, "distance": distance})


class _Silent(KLDivergence):
    """The divergence from rows that are no distribution."""

    def _warn_off_row(self, row: int, total: float) -> None:
        pass


_FROM_ONES = _Silent()
_SOFTMAX = CrossEntropy()


@functools.cache
def _slope_of_entropy() -> PointwiseLoss:
    from fastloss.formulas.loss import Formula

    return Formula("-1 - log(z)")


class Entropy(Composed):
    r"""Entropy, :math:`-\sum_k p_k\log p_k`, of predicted distributions alone.

    The cross-entropy of two distributions is the entropy of the first and their Kullback-Leibler divergence.
    Times a negative factor it is the penalty of predictions that are too sure. The gradient by :math:`p` is
    :math:`-\log p - 1`, infinite at 0; from logits :math:`-p(\log p + H)`. :math:`0\log 0` is 0. Rows that do
    not sum to 1 are used as given, with a warning.

    Call it as ``loss(y_pred)``, (n, C). The verbs take the keywords `sample_weight`, `reduction`, `out` and
    `n_threads` as those of other losses do.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits, whose softmax is :math:`p`, or :math:`p` itself.

    Raises
    ------
    ValueError
        By the call: if a probability is negative or not finite, or a weight is.
    TypeError
        If the Hessian is asked for, which is not diagonal from logits.

    References
    ----------
    C. E. Shannon, "A Mathematical Theory of Communication", Bell Syst. Tech. J. 27 (1948); G. Pereyra et al.,
    "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR 2017 workshop.

    Examples
    --------
    >>> import fastloss as fl
    >>> p, q = [[0.5, 0.25, 0.25]], [[0.25, 0.5, 0.25]]
    >>> round(fl.Entropy()(p), 6)  # 3/2·log 2
    1.039721
    >>> round(fl.Entropy()(p) + fl.KLDivergence()(p, q), 6)
    1.213008
    >>> round(fl.CrossEntropy(from_logits=False)(p, q), 6)
    1.213008
    >>> fl.Entropy(from_logits=True).gradient([[0.0, 0.0]])
    array([[0., 0.]])
    """

    family = "distribution"
    predicts = "distribution"
    targets = "none"
    link = of_parameters(lambda loss: "softmax" if loss.from_logits else "identity")
    inputs = of_parameters(lambda loss: "scores" if loss.from_logits else "probabilities")
    from_logits: bool
    _names = ("y_pred",)

    def __init__(self, from_logits: bool = False) -> None:
        self._keep({"from_logits": flag("from_logits", from_logits)})

    def __call__(
        self,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the entropy of rows: a float, an array with ``reduction="none"``."""
        return self._compose((y_pred,), sample_weight, reduction, out, n_threads, True, False)

    def gradient(
        self,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the gradient of the reduced entropy by the predictions, an array (n, C)."""
        return self._compose((y_pred,), sample_weight, reduction, out, n_threads, False, True)

    def value_and_gradient(
        self,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute ``(value, gradient)`` in one pass over the rows."""
        return self._compose((y_pred,), sample_weight, reduction, out, n_threads, True, True)

    def _compute(self, call: Call) -> float:
        if self.from_logits:
            return row_by_row(call, _entropies_of_logits)
        (p,) = call.arrays
        shares = call.shares()
        options: dict[str, Any] = {"n_threads": call.n_threads}
        ones = np.broadcast_to(_core.precision_of([p])(1), p.shape)
        try:
            if call.values is not None:
                _FROM_ONES(p, ones, sample_weight=shares, reduction="none", out=call.values, **options)
                np.subtract(0, call.values, out=call.values)
                value = 0.0
            elif call.want_value:
                value = 0 - _FROM_ONES(p, ones, sample_weight=shares, reduction="sum", **options)
            else:
                value = _FROM_ONES.weight_sum(p, ones, **options)  # checks the probabilities
        except DomainError as error:
            index: Any = error.index
            raise _validation.bad_entry("Entropy", "y_pred", p, index, False) from None
        off, total = _validation.first_off_row(p, call.weights, 0, 1.0)
        if off is not None:
            _validation.warn_off_row("Entropy", off, total, stacklevel=5)
        for slope in call.slopes:
            zero = np.broadcast_to(0.0, p.shape)
            _slope_of_entropy()(zero, p, sample_weight=shares, reduction="none", out=slope, **options)
        return value


def _entropies_of_logits(z: Array) -> tuple[Array, Sequence[Array]]:
    log = _SOFTMAX.log_probabilities(z, n_threads=1)
    p = _SOFTMAX.probabilities(z, n_threads=1)
    values = 0 - np.where(p == 0, 0, p * log).sum(axis=1)
    return values, (0 - np.where(p == 0, 0, p * (log + values[:, None])),)


_HALF_SQUARE = HalfSquaredError()
_LINEX = Linex()


class GaussianKL(Composed):
    r"""Kullback-Leibler divergence of normal distributions from the standard one, for the codes of a VAE.

    A row is a code of d independent numbers with means :math:`\mu` and variances :math:`e^v`; the value is
    :math:`\frac12\sum_j (\mu_j^2 + e^{v_j} - 1 - v_j)`, the gradients are :math:`\mu` and
    :math:`\frac12(e^v - 1)`. Nothing cancels where the two distributions are nearly the same.

    Call it as ``loss(mean, log_variance)``, both of shape (n, d), the two outputs of an encoder; columns of
    one matrix are given as ``h[:, :d]`` and ``h[:, d:]``. The verbs take the keywords `sample_weight`,
    `reduction`, `out` and `n_threads` as those of other losses do; gradients are a tuple of two arrays, and
    so is `out`, with ``reduction="none"`` of ``value_and_gradient`` of three, the first for the values.
    (`GaussianNLL` takes the logarithm of the standard deviation: half of that of the variance.)

    Raises
    ------
    ValueError
        By the call: if a weight is negative or not finite, or the shapes differ.
    TypeError
        If the Hessian is asked for.

    References
    ----------
    D. P. Kingma and M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.

    Examples
    --------
    >>> import fastloss as fl
    >>> mean, log_variance = [[1.0, -1.0]], [[0.0, 0.0]]
    >>> value, (by_mean, by_log_variance) = fl.GaussianKL().value_and_gradient(mean, log_variance)
    >>> value, by_mean, by_log_variance
    (1.0, array([[ 1., -1.]]), array([[0., 0.]]))
    """

    family = "distribution"
    predicts = "distribution"
    targets = "none"
    inputs = "numbers"
    convex = True
    _names = ("mean", "log_variance")

    def __init__(self) -> None:
        self._keep({})

    def __call__(
        self,
        mean: Any,
        log_variance: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the divergence of rows of codes: a float, an array with ``reduction="none"``."""
        inputs = (mean, log_variance)
        return self._compose(inputs, sample_weight, reduction, out, n_threads, True, False)

    def gradient(
        self,
        mean: Any,
        log_variance: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the gradients of the reduced loss by `mean` and `log_variance`: a tuple of two arrays."""
        inputs = (mean, log_variance)
        return self._compose(inputs, sample_weight, reduction, out, n_threads, False, True)

    def value_and_gradient(
        self,
        mean: Any,
        log_variance: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute ``(value, (gradient by mean, gradient by log_variance))`` in one pass over the rows."""
        inputs = (mean, log_variance)
        return self._compose(inputs, sample_weight, reduction, out, n_threads, True, True)

    def _compute(self, call: Call) -> float:
        if call.values is not None:
            row_by_row(call._replace(slopes=()), _divergences)
        # In C order, as sums are taken in the order of memory.
        dtype = _core.precision_of(list(call.arrays))
        arrays = [np.ascontiguousarray(a, dtype) for a in call.arrays]
        value, shares = 0.0, call.shares()
        for i, (loss, weight) in enumerate(((_HALF_SQUARE, shares), (_LINEX, shares / 2))):
            zero = np.broadcast_to(0.0, arrays[i].shape)
            options: dict[str, Any] = {
                "sample_weight": weight,
                "reduction": "sum",
                "n_threads": call.n_threads,
            }
            if not call.slopes:
                value += loss(zero, arrays[i], **options) if call.values is None else 0
            elif call.want_value and call.values is None:
                value += loss.value_and_gradient(zero, arrays[i], **options, out=call.slopes[i])[0]
            else:
                loss.gradient(zero, arrays[i], **options, out=call.slopes[i])
        return value


def _divergences(mean: Array, log_variance: Array) -> tuple[Array, Sequence[Array]]:
    excess = _LINEX(np.broadcast_to(0.0, mean.shape), log_variance, reduction="none", n_threads=1)
    return (mean * mean + excess).sum(axis=1) / 2, ()
