"""Losses of a score or probability predicted for one of two classes.

The margin losses, of :mod:`fastloss.margin`, take 0 or -1 for the negative class and +1 for the positive one;
the cross-entropies take numbers in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

from fastloss._loss import Loss, PointwiseLoss, flag, number, number_in, positive, sequence_of_numbers
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
    "AsymmetricLoss",
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


def _each(numbers: float | tuple[float, ...]) -> tuple[float, ...]:
    return numbers if isinstance(numbers, tuple) else (numbers,)


def _numbers_of_labels(name: str, value: Any) -> list[tuple[str, float]]:
    """Return one number, or one for each label, with what errors call it."""
    if isinstance(value, Real) or not (hasattr(value, "__len__") and hasattr(value, "__getitem__")):
        return [(name, number(name, value))]
    every = sequence_of_numbers(
        name, value, -math.inf, math.inf, "a number, or a sequence of one for each label"
    )
    if not every:
        raise ValueError(f"{name} must have at least one number")
    return [(f"{name}[{k}]", x) for k, x in enumerate(every)]


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
    pos_weight : float or sequence of C floats, default 1.0
        The weight of the positive class; of several labels, the columns of (n, C) targets and predictions,
        one for each.
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
            max(*_each(loss.pos_weight), 1.0) * (1 - loss.label_smoothing / 2)
            if loss.from_logits
            else math.inf
        )
    )
    from_logits: bool
    pos_weight: float | tuple[float, ...]
    label_smoothing: float

    def __init__(
        self,
        from_logits: bool = True,
        pos_weight: float | Sequence[float] = 1.0,
        label_smoothing: float = 0.0,
    ) -> None:
        from_logits = flag("from_logits", from_logits)
        every = _numbers_of_labels("pos_weight", pos_weight)
        for name, weight in every:
            positive(name, weight)
        a = every[0][1]
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
            pos_weight=a if isinstance(pos_weight, Real) else tuple(weight for _, weight in every),
            label_smoothing=s,
        )
        if not isinstance(pos_weight, Real):
            self._bind_columns(tuple(BinaryCrossEntropy(from_logits, weight, s) for _, weight in every))

    def _best_logit(self, share: float) -> float:
        """Return the best constant logit where the targets' mean is `share`."""
        if isinstance(self.pos_weight, tuple):
            raise ValueError(f"{self!r} is of {len(self.pos_weight)} labels: it has no single constant")
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
    alpha : float or sequence of C floats, optional
        The weight of the positive class, between 0 and 1; of several labels, the columns of (n, C) targets
        and predictions, one for each. None weighs both by 1.
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
            (1.0 if loss.alpha is None else max(max(a, 1 - a) for a in _each(loss.alpha)))
            * (1 + loss.gamma / math.e)
            if loss.from_logits
            else math.inf
        )
    )
    gamma: float
    alpha: float | tuple[float, ...] | None
    from_logits: bool

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | None = None,
        from_logits: bool = True,
    ) -> None:
        gamma = number_in("gamma", gamma, 0, math.inf, ends="[)")
        every = [] if alpha is None else _numbers_of_labels("alpha", alpha)
        alphas = tuple(number_in(name, number(name, a), 0, 1, ends="[]") for name, a in every)
        from_logits = flag("from_logits", from_logits)
        positive_class, negative_class = (alphas[0], 1 - alphas[0]) if alphas else (1.0, 1.0)
        kernel = "focal_logits" if from_logits else "focal_probabilities"
        parameters: tuple[float, ...] = (gamma, positive_class, negative_class)
        if from_logits and gamma == 2:
            kernel, parameters = "focal2_logits", (positive_class, negative_class)
        single = alphas[0] if isinstance(alpha, Real) else alphas or None
        super().__init__(kernel, parameters, gamma=gamma, alpha=single, from_logits=from_logits)
        if isinstance(single, tuple):
            self._bind_columns(tuple(BinaryFocal(gamma, a, from_logits) for a in single))

    def _counterpart(self) -> Loss | None:
        from fastloss.multiclass import Focal

        return Focal(gamma=self.gamma) if self.alpha is None else None


def _of_gamma(gamma: float) -> float:
    return gamma / math.e if gamma >= 1 else gamma


class AsymmetricLoss(_ProbabilityLoss):
    r"""Asymmetric loss: a focal loss for many labels at once, of which most are absent.

    With :math:`p = \sigma(z)` it is :math:`-(1 - p)^{\gamma_+}\log p` for a label that is there, and
    :math:`-q^{\gamma_-}\log(1 - q)` with :math:`q = [p - c]_+` for one that is not: absent labels that get
    a probability up to the `clip` :math:`c` count nothing, easy ones little. The gradient and the Hessian are
    by the logit, through the focusing weights too; the Hessian is negative for badly misclassified samples.
    Labels are 0 or 1, mostly (n, C) of them; predictions are logits.

    Parameters
    ----------
    gamma_pos : float, default 1.0
        How little labels that are there count where they are easy.
    gamma_neg : float, default 4.0
        How little labels that are absent count where they are easy.
    clip : float, default 0.05
        The probability that is taken off that of absent labels, in [0, 1). With 0, and both gammas the same,
        it is :class:`BinaryFocal`.

    Raises
    ------
    ValueError
        If a gamma is negative or not finite, or `clip` is not in [0, 1).

    References
    ----------
    T. Ridnik et al., "Asymmetric Loss For Multi-Label Classification", ICCV 2021; the defaults are those of
    their code.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.AsymmetricLoss()([[1, 0, 0]], [[0.0, 0.0, -4.0]], reduction="none")
    array([[0.34657359, 0.02451505, 0.        ]])
    """

    aliases = ("asl",)
    from_logits = True
    predicts = "class"
    targets = "labels"
    prefers_float32 = True
    convex = of_parameters(
        lambda loss: loss.gamma_pos == loss.gamma_neg == loss.clip == 0  # cross-entropy
    )
    kinked = of_parameters(lambda loss: loss.gamma_neg == 0 and loss.clip > 0)
    # Of mᵞ·(γ·q/m·r·M + q·r/(r + c)), where M ≤ −log r, and −r·log r ≤ 1/e; or else M ≤ m/(r + c).
    slope_bound = of_parameters(lambda loss: 1 + max(map(_of_gamma, (loss.gamma_pos, loss.gamma_neg))))
    gamma_pos: float
    gamma_neg: float
    clip: float  # type: ignore[assignment]  # the parameter, not the method of losses

    def __init__(self, gamma_pos: float = 1.0, gamma_neg: float = 4.0, clip: float = 0.05) -> None:
        gamma_pos = number_in("gamma_pos", gamma_pos, 0, math.inf, ends="[)")
        gamma_neg = number_in("gamma_neg", gamma_neg, 0, math.inf, ends="[)")
        clip = number_in("clip", clip, 0, 1, ends="[)")
        parameters = (gamma_pos, gamma_neg, clip)
        super().__init__("asymmetric_loss", parameters, gamma_pos=gamma_pos, gamma_neg=gamma_neg, clip=clip)
