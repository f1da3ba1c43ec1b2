"""Losses of a score or probability predicted for one of two classes.

The margin losses, of :mod:`fastloss.margin`, take 0 or -1 for the negative class and +1 for the positive one;
the cross-entropies take numbers in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

from fastloss._loss import Loss, PointwiseLoss, flag, number, number_in, positive
from fastloss._probability import ProbabilityLoss, each, numbers_of_labels, weights_of_labels
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


class BrierScore(ProbabilityLoss):
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


class BinaryCrossEntropy(ProbabilityLoss):
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
    class_weight : sequence of C floats, optional
        The weights of several labels, absent or not: they multiply the samples', in the mean's divisor too.

    Raises
    ------
    ValueError
        If `pos_weight` is not positive and finite, `label_smoothing` not in [0, 1], a weight of a label
        negative or not finite, or both are sequences of different lengths.

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
            loss._heaviest * max(*each(loss.pos_weight), 1.0) * (1 - loss.label_smoothing / 2)
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
        class_weight: Sequence[float] | None = None,
    ) -> None:
        from_logits = flag("from_logits", from_logits)
        every = numbers_of_labels("pos_weight", pos_weight)
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
            class_weight=weights_of_labels(class_weight),
        )
        self._bind_labels("pos_weight", self.pos_weight)

    def _best_logit(self, share: float) -> float:
        """Return the best constant logit where the targets' mean is `share`."""
        if isinstance(self.pos_weight, tuple) or self.class_weight is not None:
            n = len(self.class_weight or each(self.pos_weight))
            raise ValueError(f"{self!r} is of {n} labels: it has no single constant")
        share = share * (1 - self.label_smoothing) + self.label_smoothing / 2
        if not 0 < share < 1:
            return math.copysign(math.inf, share - 0.5)
        return math.log(self.pos_weight * share / (1 - share))

    def _counterpart(self) -> Loss | None:
        from fastloss.multiclass import CrossEntropy

        is_plain = self.pos_weight == 1 and self.class_weight is None
        return CrossEntropy(label_smoothing=self.label_smoothing) if is_plain else None


class BinaryFocal(ProbabilityLoss):
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
    class_weight : sequence of C floats, optional
        The weights of several labels, as for `BinaryCrossEntropy`.

    Raises
    ------
    ValueError
        If `gamma` is negative or not finite, `alpha` is not in [0, 1], or `class_weight` as for
        `BinaryCrossEntropy`.

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
            loss._heaviest
            * (1.0 if loss.alpha is None else max(max(a, 1 - a) for a in each(loss.alpha)))
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
        class_weight: Sequence[float] | None = None,
    ) -> None:
        gamma = number_in("gamma", gamma, 0, math.inf, ends="[)")
        every = [] if alpha is None else numbers_of_labels("alpha", alpha)
        alphas = tuple(number_in(name, number(name, a), 0, 1, ends="[]") for name, a in every)
        from_logits = flag("from_logits", from_logits)
        positive_class, negative_class = (alphas[0], 1 - alphas[0]) if alphas else (1.0, 1.0)
        kernel = "focal_logits" if from_logits else "focal_probabilities"
        parameters: tuple[float, ...] = (gamma, positive_class, negative_class)
        if from_logits and gamma == 2:
            kernel, parameters = "focal2_logits", (positive_class, negative_class)
        single = alphas[0] if isinstance(alpha, Real) else alphas or None
        super().__init__(
            kernel,
            parameters,
            gamma=gamma,
            alpha=single,
            from_logits=from_logits,
            class_weight=weights_of_labels(class_weight),
        )
        self._bind_labels("alpha", single)

    def _counterpart(self) -> Loss | None:
        from fastloss.multiclass import Focal

        return Focal(gamma=self.gamma) if self.alpha is None and self.class_weight is None else None


def _of_gamma(gamma: float) -> float:
    return gamma / math.e if gamma >= 1 else gamma


class AsymmetricLoss(ProbabilityLoss):
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
        it is :class:`BinaryFocal`. As in the article's code it is an attribute, in place of the method of
        that name: ``fl.PointwiseLoss.clip(loss, max=4.0)`` is this loss, but at most so large.

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
