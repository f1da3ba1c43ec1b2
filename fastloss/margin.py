"""Convex losses of a score and a label, by the margin ``m = y * z`` with y in {-1, +1}."""

from __future__ import annotations

from fastloss._loss import PointwiseLoss, positive

__all__ = [
    "Perceptron",
    "Hinge",
    "SquaredHinge",
    "ModifiedHuber",
    "SmoothedHinge",
    "Exponential",
    "WassersteinCritic",
]


class _MarginLoss(PointwiseLoss):
    """A convex loss of a score and a label, -1 or 0 and +1."""

    family = "binary"
    link = "none"
    predicts = "class"
    inputs = "scores"
    targets = "labels"
    convex = True


class Perceptron(_MarginLoss):
    r"""Perceptron loss, :math:`[-m]_+`.

    The gradient is :math:`-y` where :math:`m < 0`, else 0; the Hessian is 0. Labels are -1 or 0 and +1,
    predictions any real scores.

    References
    ----------
    F. Rosenblatt, "The perceptron", Psychological Review 65 (1958).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Perceptron()([1, -1], [-2.0, -3.0], reduction="none")
    array([2., 0.])
    """

    aliases = ("perceptron_loss",)
    slope_bound = 1.0
    kinked = True
    kink = "zero"

    def __init__(self) -> None:
        super().__init__("perceptron")


class Hinge(_MarginLoss):
    r"""Hinge loss, :math:`[1 - m]_+`.

    The gradient is :math:`-y` where :math:`m < 1`, else 0; the Hessian is 0. Labels are -1 or 0 and +1,
    predictions any real scores.

    References
    ----------
    C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning 20 (1995).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Hinge()([1, -1], [0.5, 2.0], reduction="none")
    array([0.5, 3. ])
    """

    slope_bound = 1.0
    kinked = True
    kink = "margin"

    def __init__(self) -> None:
        super().__init__("hinge")


class SquaredHinge(_MarginLoss):
    r"""Squared hinge loss, :math:`[1 - m]_+^2`.

    The gradient is :math:`-2y[1 - m]_+`, the Hessian 2 where :math:`m < 1`, else 0. Labels are -1 or 0 and
    +1, predictions any real scores.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SquaredHinge()([1, -1], [0.5, 2.0], reduction="none")
    array([0.25, 9.  ])
    """

    def __init__(self) -> None:
        super().__init__("squared_hinge")


class ModifiedHuber(_MarginLoss):
    r"""Modified Huber loss, :math:`[1 - m]_+^2` down to :math:`m = -1` and :math:`-4m` below.

    The squared hinge made linear where it is badly wrong. The gradient is :math:`-2y[1 - m]_+`, or
    :math:`-4y` below, the Hessian 2 where :math:`-1 \le m < 1`, else 0. Labels are -1 or 0 and +1,
    predictions any real scores.

    References
    ----------
    T. Zhang, "Solving large scale linear prediction problems using stochastic gradient descent algorithms",
    ICML 2004.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.ModifiedHuber()([1, -1], [0.5, 2.0], reduction="none")
    array([0.25, 8.  ])
    """

    slope_bound = 4.0

    def __init__(self) -> None:
        super().__init__("modified_huber")


class SmoothedHinge(_MarginLoss):
    r"""Hinge loss with its kink rounded off, over a width of :math:`\gamma`.

    With :math:`t = 1 - m` it is 0 for :math:`t \le 0`, :math:`t^2/(2\gamma)` up to :math:`\gamma`, and
    :math:`t - \gamma/2` above. The gradient is :math:`-y` times :math:`t/\gamma` clipped to [0, 1], the
    Hessian :math:`1/\gamma` in between and 0 elsewhere. Labels are -1 or 0 and +1, predictions any real
    scores.

    Parameters
    ----------
    gamma : float, default 1.0
        The width, positive; the smaller, the nearer it is to :class:`Hinge`.

    Raises
    ------
    ValueError
        If `gamma` is not positive and finite.

    References
    ----------
    S. Shalev-Shwartz and T. Zhang, "Stochastic Dual Coordinate Ascent Methods for Regularized Loss
    Minimization", JMLR 14 (2013).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SmoothedHinge(gamma=0.5)([1, -1, 1], [0.75, 2.0, 3.0], reduction="none")
    array([0.0625, 2.75  , 0.    ])
    """

    aliases = ("smooth_hinge",)
    slope_bound = 1.0
    gamma: float

    def __init__(self, gamma: float = 1.0) -> None:
        gamma = positive("gamma", gamma)
        super().__init__("smoothed_hinge", (gamma,), gamma=gamma)


class Exponential(_MarginLoss):
    r"""Exponential loss, :math:`e^{-m}`, which AdaBoost minimises.

    The gradient is :math:`-y e^{-m}`, the Hessian :math:`e^{-m}`. Labels are -1 or 0 and +1, predictions any
    real scores.

    References
    ----------
    J. Friedman, T. Hastie and R. Tibshirani, "Additive logistic regression", Ann. Statist. 28 (2000).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Exponential()([1], [0.0])
    1.0
    """

    aliases = ("adaboost",)
    link = "half_logit"
    predicts = "probability"
    positive_hessian = True

    def __init__(self) -> None:
        super().__init__("exponential")


class WassersteinCritic(_MarginLoss):
    r"""Critic of a Wasserstein GAN, :math:`-y z` with :math:`y = +1` for real and -1 for generated samples.

    The gradient is :math:`-y`, the Hessian 0. The mean over a batch of each is
    :math:`E[f(\mathrm{generated})] - E[f(\mathrm{real})]` up to the shares of the batches. Labels are -1 or 0
    (generated) and +1 (real), predictions any real scores.

    References
    ----------
    M. Arjovsky, S. Chintala and L. Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.WassersteinCritic()([1, -1], [3.0, 1.0], reduction="sum")
    -2.0
    """

    aliases = ("wgan",)
    predicts = "score"
    slope_bound = 1.0

    def __init__(self) -> None:
        super().__init__("wasserstein_critic")
