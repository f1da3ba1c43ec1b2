"""What a loss says of itself, for those who train with it, draw it, or look for one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

_T = TypeVar("_T")


def of_parameters(rule: Callable[[Any], _T]) -> _T:
    """Make a trait that the parameters of a loss decide."""
    return cast(_T, property(rule))


class Traits:
    """The traits of a loss; a class says those that differ from here, parameters may decide.

    They are of the loss as a function of the prediction `z`, with the target `y` and the residual ``z - y``.
    """

    @property
    def link(self) -> str:
        """From what is predicted to what the loss takes.

        "identity", "log", "logit", "half_logit", "softmax", or "none" for scores that are no function of it.
        """
        return "identity"

    @property
    def predicts(self) -> str:
        """What of the targets' distribution the loss is smallest at.

        "mean", "median", "weighted median", "geometric mean", "geometric median", "quantile", "expectile" or
        "center", which lies between mean, median and mode; "class", "probability", "score", "distribution"
        or "embedding".
        """
        return "center"

    @property
    def inputs(self) -> str:
        """What predictions are.

        "numbers", "logarithms", "classes", "scores" (of which logits are some), "probabilities", "vectors" or
        "points".
        """
        return "numbers"

    @property
    def targets(self) -> str:
        """What targets are.

        "numbers", "labels" (0 or -1, and 1), "probabilities", "classes", "distributions", "points" or "none".
        """
        return "numbers"

    @property
    def of_residual(self) -> bool:
        """Whether it is a function of the residual alone."""
        return False

    @property
    def symmetric(self) -> bool:
        """Whether a prediction that is too large costs as much as one that is as much too small."""
        return False

    @property
    def homogeneous(self) -> float | None:
        """The power of t by which the loss grows when target and prediction are t > 0 times as large."""
        return None

    @property
    def convex(self) -> bool:
        """Whether it is convex in the prediction, for every target."""
        return False

    @property
    def positive_hessian(self) -> bool:
        """Whether the Hessian's diagonal is positive, though it may underflow."""
        return False

    @property
    def constant_hessian(self) -> bool:
        """Whether the Hessian is one positive number for all targets and predictions."""
        return False

    @property
    def least_hessian(self) -> float:
        """A number that no second derivative is below."""
        return 0.0 if self.convex else -math.inf

    @property
    def slope_bound(self) -> float:
        """A number that no entry of the gradient is beyond, of either sign."""
        return math.inf

    @property
    def lipschitz(self) -> bool:
        """Whether the gradient has a bound."""
        return math.isfinite(self.slope_bound)

    @property
    def constant_beyond(self) -> float:
        """The residual beyond which the loss is one number, to the last digit of float64."""
        return math.inf

    @property
    def kinked(self) -> bool:
        """Whether the gradient jumps."""
        return False

    @property
    def kink(self) -> str | None:
        """Where a loss that is piecewise linear has its kink, or kinks.

        The "target", "zero" or the "margin"; or the two ends of a "tolerance" about the target.
        """
        return None

    @property
    def canonical(self) -> bool:
        """Whether the gradient is what is predicted, less the target, each with its weight."""
        return False

    @property
    def scale_parameter(self) -> str | None:
        """The parameter at which residuals change their nature, in the units of the target."""
        return None

    @property
    def curvature_units(self) -> str | None:
        """What the curvature that trains falls with: the "residual" or the "target"; None: neither."""
        return None

    @property
    def prefers_float32(self) -> bool:
        """Whether float32 serves to train: there are powers to take, and no residual that could cancel."""
        return False

    @property
    def couples_rows(self) -> bool:
        """Whether one vector has a part in the values of several rows."""
        return False


#: The names of all traits.
TRAITS = tuple(name for name, value in vars(Traits).items() if isinstance(value, property))


def traits_of(loss: Traits) -> dict[str, Any]:
    """Return all that a loss says of itself."""
    return {name: getattr(loss, name) for name in TRAITS}
