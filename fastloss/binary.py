"""Losses of a score or probability predicted for one of two classes.

The margin losses, of :mod:`fastloss.margin`, take 0 or -1 for the negative class and +1 for the positive one;
the cross-entropies take numbers in [0, 1].
"""

from __future__ import annotations

import math
from typing import Any

from fastloss._loss import Loss, PointwiseLoss, flag, number, number_in, positive
from fastloss._traits import of_parameters
from fastloss.margin import (
    Exponential,
    Hinge,
    ModifiedHuber,
    Perceptron,
    SmoothedHinge,
    SquaredHinge,
    WassersteinCritic,
)

__all__ = [
    "ZeroOne",
    "Perceptron",
    "Hinge",
    "SquaredHinge",
    "ModifiedHuber",
    "SmoothedHinge",
    "Exponential",
    "BrierScore",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "WassersteinCritic",
]


class ZeroOne(PointwiseLoss):
    r"""Zero-one loss: 1 where the prediction misses the target, else 0; its mean is the error rate.

    Targets and predictions are any real numbers, classes of any number among them; or labels -1 or 0 and +1,
    and raw scores. It is not differentiable: asking for a gradient is a ``TypeError``.

    Parameters
    ----------
    threshold : float, optional
        Without it the loss is 1 where :math:`y \ne z`; with it where :math:`|y - z|` is at least `threshold`.
    from_logits : bool, default False
        Whether the predictions are raw scores of the positive class. The loss is 1 where the probability
        :math:`\sigma(z)` misses the label's, 0 or 1, by at least `threshold`, which is 0.5 without another:
        where :math:`m \le -\log\frac{T}{1 - T}`, a score on the wrong side of 0 or at it. No sigmoid is
        computed.

    Raises
    ------
    ValueError
        If `threshold` is not positive and finite; with `from_logits`, if it is not between 0 and 1.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.ZeroOne()([0, 1, 2, 3], [0, 1, 2, 2])
    0.25
    >>> fl.ZeroOne(from_logits=True)([0, 1, 1, 0], [-3.5, 0.25, -0.25, 8.0])
    0.5
    """

    aliases = ("zero_one", "zero_one_loss")
    family = "binary"
    has_gradient = False
    has_hessian = False
    predicts = "class"
    scale_parameter = of_parameters(lambda loss: None if loss.from_logits else "threshold")
    link = of_parameters(lambda loss: "logit" if loss.from_logits else "identity")
    inputs = of_parameters(
        lambda loss: "scores" if loss.from_logits else "classes" if loss.threshold is None else "numbers"
    )
    targets = of_parameters(lambda loss: "labels" if loss.from_logits else loss.inputs)
    of_residual = of_parameters(lambda loss: not loss.from_logits)
    symmetric = of_parameters(lambda loss: not loss.from_logits)
    threshold: float | None
    from_logits: bool

    def __init__(self, threshold: float | None = None, from_logits: bool = False) -> None:
        from_logits = flag("from_logits", from_logits)
        kernel, constants = "zero_one", tuple[float, ...]()
        if threshold is not None:
            threshold = positive("threshold", threshold)
            if from_logits:
                threshold = number_in("threshold", threshold, 0, 1)
            kernel, constants = "zero_one_threshold", (threshold,)
        if from_logits:
            share = 0.5 if threshold is None else threshold
            kernel, constants = "zero_one_logits", (math.log(share) - math.log1p(-share),)
        super().__init__(kernel, constants, threshold=threshold, from_logits=from_logits)

    def _of_probabilities(self) -> ZeroOne:
        return ZeroOne(threshold=0.5 if self.threshold is None else self.threshold)


class _SigmoidLink(PointwiseLoss):
    """The link of the losses of two classes."""

    def __init__(self, kernel: str) -> None:
        super().__init__(kernel)


_SIGMOID = _SigmoidLink("sigmoid")
_LOG_SIGMOID = _SigmoidLink("log_sigmoid")


class _ProbabilityLoss(PointwiseLoss):
    """A loss of the probability of the positive class, given as such or as a logit."""

    family = "binary"
    link = of_parameters(lambda loss: "logit" if loss.from_logits else "identity")
    inputs = of_parameters(lambda loss: "scores" if loss.from_logits else "probabilities")
    from_logits: bool

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

    def _apply(self, link: PointwiseLoss, y_pred: Any, out: Any, n_threads: int | None) -> Any:
        if not self.from_logits:
            raise TypeError(f"{self!r} takes probabilities: there is no link to apply")
        return link._map(y_pred, out, n_threads)


class BrierScore(_ProbabilityLoss):
    r"""Brier score, :math:`(p - y)^2` of the probability :math:`p` of the positive class.

    From logits :math:`z`, :math:`p = \sigma(z)`; with :math:`s = p(1 - p)` the gradient is :math:`2(p - y)s`,
    the Hessian :math:`2s(s + (p - y)(1 - 2p))`, negative for badly misclassified samples. From probabilities
    they are :math:`2(p - y)` and 2. Targets are numbers in [0, 1], soft labels among them.

    Parameters
    ----------
    from_logits : bool, default True
        Whether predictions are logits, any real numbers, or probabilities.

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", Mon. Weather Rev. 78 (1950).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.BrierScore(from_logits=False)([1, 0], [0.75, 0.5], reduction="none")
    array([0.0625, 0.25  ])
    >>> fl.BrierScore().gradient([0], [0.0])
    array([0.25])
    """

    aliases = ("brier",)
    predicts = "probability"
    targets = "probabilities"
    convex = positive_hessian = constant_hessian = of_parameters(lambda loss: not loss.from_logits)
    slope_bound = of_parameters(lambda loss: 8 / 27 if loss.from_logits else 2.0)

    def __init__(self, from_logits: bool = True) -> None:
        from_logits = flag("from_logits", from_logits)
        super().__init__("brier_logits" if from_logits else "brier_probabilities", from_logits=from_logits)


class BinaryCrossEntropy(_ProbabilityLoss):
    r"""Binary cross-entropy (log loss, logistic loss).

    From logits :math:`z`: :math:`a y \operatorname{softplus}(-z) + (1 - y)\operatorname{softplus}(z)`, whose
    gradient is :math:`(1 - y)\sigma(z) - a y \sigma(-z)` and whose Hessian is
    :math:`\sigma(z)\sigma(-z)(a y + 1 - y)`, with :math:`a` the `pos_weight`. From probabilities :math:`p`:
    :math:`-a y \log p - (1 - y)\log(1 - p)`, with :math:`p` clipped to :math:`[\epsilon, 1 - \epsilon]`,
    :math:`\epsilon` the machine epsilon of the precision; its gradient and Hessian are by :math:`p`.
    Targets are numbers in [0, 1], soft labels among them.

    Parameters
    ----------
    from_logits : bool, default True
        Whether predictions are logits, any real numbers, or probabilities.
    pos_weight : float, default 1.0
        The weight of the positive class.
    label_smoothing : float, default 0.0
        :math:`s` in [0, 1]: targets become :math:`y(1 - s) + s/2`.

    Raises
    ------
    ValueError
        If `pos_weight` is not positive and finite, or `label_smoothing` not in [0, 1].

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.BinaryCrossEntropy()([1, 0], [2.0, -1.0], reduction="none")
    array([0.12692801, 0.31326169])
    >>> fl.BinaryCrossEntropy()([1], [800.0]), fl.BinaryCrossEntropy()([0], [800.0])
    (0.0, 800.0)
    """

    aliases = ("bce", "log_loss", "logistic")
    predicts = "probability"
    targets = "probabilities"
    convex = positive_hessian = True
    canonical = of_parameters(lambda loss: loss.from_logits)
    slope_bound = of_parameters(
        lambda loss: (
            max(loss.pos_weight, 1.0) * (1 - loss.label_smoothing / 2) if loss.from_logits else math.inf
        )
    )
    from_logits: bool
    pos_weight: float
    label_smoothing: float

    def __init__(
        self, from_logits: bool = True, pos_weight: float = 1.0, label_smoothing: float = 0.0
    ) -> None:
        from_logits = flag("from_logits", from_logits)
        a = positive("pos_weight", pos_weight)
        s = number_in("label_smoothing", label_smoothing, 0, 1, ends="[]")
        kernel = "bce_logits" if from_logits else "bce_probabilities"
        # The classes' weights are linear in the target: a*y + 0 and 1*(1 - y) + 0 without smoothing.
        weights: tuple[float, ...] = (a * (1 - s), a * s / 2, 1 - s, s / 2)
        if from_logits and a == 1 and s == 0:
            kernel, weights = "bce_logits_plain", ()
        super().__init__(
            kernel,
            weights,
            from_logits=from_logits,
            pos_weight=a,
            label_smoothing=s,
        )

    def _best_logit(self, share: float) -> float:
        """Return the best constant logit where the targets' mean is `share`."""
        share = share * (1 - self.label_smoothing) + self.label_smoothing / 2
        if not 0 < share < 1:
            return math.copysign(math.inf, share - 0.5)
        return math.log(self.pos_weight * share / (1 - share))

    def _counterpart(self) -> Loss | None:
        from fastloss.multiclass import CrossEntropy

        return CrossEntropy(label_smoothing=self.label_smoothing) if self.pos_weight == 1 else None


class BinaryFocal(_ProbabilityLoss):
    r"""Focal loss, :math:`-\alpha_t (1 - p_t)^\gamma \log p_t`: cross-entropy that attends to the hard cases.

    :math:`p_t` is the probability of the true class, :math:`\alpha_t` is :math:`\alpha` for the positive
    class and :math:`1 - \alpha` for the negative one, or 1 for both. The gradient and the Hessian are by the
    logit (by the probability with ``from_logits=False``); the Hessian is negative for badly misclassified
    samples. Labels are 0 or 1.

    Parameters
    ----------
    gamma : float, default 2.0
        How little the easy cases count; 0 is cross-entropy.
    alpha : float, optional
        The weight of the positive class, between 0 and 1; None weighs both by 1.
    from_logits : bool, default True
        Whether predictions are logits, any real numbers, or probabilities, which are clipped to
        :math:`[\epsilon, 1 - \epsilon]`, :math:`\epsilon` the machine epsilon of the precision.

    Raises
    ------
    ValueError
        If `gamma` is negative or not finite, or `alpha` is not in [0, 1].

    References
    ----------
    T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.BinaryFocal(gamma=2.0, alpha=0.25)([1, 0], [0.0, 0.0], reduction="none")
    array([0.0433217, 0.1299651])
    """

    aliases = ("focal",)
    predicts = "class"
    targets = "labels"
    prefers_float32 = True
    convex = of_parameters(lambda loss: loss.gamma == 0 or not loss.from_logits)
    # Of α·qᵞ·(q − γ·p·log p), where −p·log p ≤ 1/e.
    slope_bound = of_parameters(
        lambda loss: (
            (1.0 if loss.alpha is None else max(loss.alpha, 1 - loss.alpha)) * (1 + loss.gamma / math.e)
            if loss.from_logits
            else math.inf
        )
    )
    gamma: float
    alpha: float | None
    from_logits: bool

    def __init__(self, gamma: float = 2.0, alpha: float | None = None, from_logits: bool = True) -> None:
        gamma = number_in("gamma", gamma, 0, math.inf, ends="[)")
        if alpha is not None:
            alpha = number_in("alpha", number("alpha", alpha), 0, 1, ends="[]")
        from_logits = flag("from_logits", from_logits)
        positive_class, negative_class = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
        kernel = "focal_logits" if from_logits else "focal_probabilities"
        parameters: tuple[float, ...] = (gamma, positive_class, negative_class)
        if from_logits and gamma == 2:
            kernel, parameters = "focal2_logits", (positive_class, negative_class)
        super().__init__(kernel, parameters, gamma=gamma, alpha=alpha, from_logits=from_logits)

    def _counterpart(self) -> Loss | None:
        from fastloss.multiclass import Focal

        return Focal(gamma=self.gamma) if self.alpha is None else None
