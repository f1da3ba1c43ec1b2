"""Divergences between distributions over C outcomes, a row each."""

from __future__ import annotations

import math

from fastloss._loss import RowLoss, flag, number_in
from fastloss._traits import of_parameters

__all__ = ["KLDivergence", "JSDivergence"]


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
