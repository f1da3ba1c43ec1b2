"""The table of losses by the number that is reported in the end: what makes that number good.

Most are not losses to train with: counts have no gradient, ranks none that is easy to follow. Then it is the
loss whose optimum is also theirs, or nearly.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastloss.choosing.rules import CLASS_WEIGHT, FROM_LOGITS, POS_WEIGHT, Option, Rule

__all__ = ["REPORTED"]

_REGRESSION = {"task": ("regression",)}
_TWO = {"task": ("classification",), "classes": ("two", "multilabel")}
_MANY = {"task": ("classification",), "classes": ("many",)}

_MEAN = "It is the mean that makes it least, as of the squared error, of which it is {}."
_SQUARED = (Option("Huber", "outliers in the training data are mistakes that will not be reported on"),)
_RELATIVE = (Option("Gamma", "the mean is wanted all the same: totals"),)
_COUNTED = "Counts of right answers have no gradient; {}"
_RANKED = (
    "Only the order of scores counts, and the probability is the best score to order by: the loss that finds "
    "it."
)
_HARD = Option("BinaryFocal", "the positive class is rare, and labels are 0 or 1", {"gamma": 2.0})

#: The rules of each number, one for each task that reports it.
REPORTED: Mapping[str, tuple[Rule, ...]] = {
    "mse": (Rule(_REGRESSION, "SquaredError", _MEAN.format("the mean"), options=_SQUARED),),
    "rmse": (Rule(_REGRESSION, "SquaredError", _MEAN.format("the root of the mean"), options=_SQUARED),),
    "r2": (Rule(_REGRESSION, "SquaredError", _MEAN.format("1 less a multiple"), options=_SQUARED),),
    "mae": (
        Rule(
            _REGRESSION,
            "AbsoluteError",
            "The median makes it least, not the mean: the squared error would aim at another number.",
            options=(Option("LogCosh", "a smooth gradient, with the target standardised"),),
        ),
    ),
    "rmsle": (
        Rule(
            _REGRESSION,
            "SquaredLogError",
            "It is the root of this mean; the same as the squared error of log1p of target and prediction.",
            options=_RELATIVE,
        ),
    ),
    "mape": (
        Rule(
            _REGRESSION,
            "AbsolutePercentageError",
            "It is this mean: a median weighted with 1/|y|, below the median.",
            options=_RELATIVE,
        ),
    ),
    "smape": (
        Rule(
            _REGRESSION,
            "SymmetricAbsolutePercentageError",
            "It is this mean.",
            options=(Option("AbsoluteError", "targets have both signs: it is flat on the other side of 0"),),
        ),
    ),
    "pinball": (
        Rule(
            _REGRESSION,
            "Quantile",
            "It is this mean; set q to the quantile that is reported.",
            {"q": 0.9},
            (Option("Expectile", "a smooth relative of the quantile"),),
        ),
    ),
    "poisson_deviance": (
        Rule(_REGRESSION, "Poisson", "Half of it is the mean of this loss, less a constant."),
    ),
    "gamma_deviance": (Rule(_REGRESSION, "Gamma", "Half of it is the mean of this loss, less a constant."),),
    "log_loss": (
        Rule(_TWO, "BinaryCrossEntropy", "It is this mean.", FROM_LOGITS),
        Rule(_MANY, "CrossEntropy", "It is this mean.", FROM_LOGITS),
    ),
    "brier": (
        Rule(
            _TWO,
            "BinaryCrossEntropy",
            "Both are least at the true probability, and through a sigmoid the squared error of a "
            "probability has a gradient that fades where it is most wrong.",
            FROM_LOGITS,
        ),
        Rule(
            _MANY,
            "CrossEntropy",
            "Both are least at the true probabilities, and through a softmax their squared error has a "
            "gradient that fades where it is most wrong.",
            FROM_LOGITS,
        ),
    ),
    "auc": (
        Rule(_TWO, "BinaryCrossEntropy", _RANKED, FROM_LOGITS, (_HARD,)),
        Rule(_MANY, "CrossEntropy", _RANKED, FROM_LOGITS),
    ),
    "average_precision": (Rule(_TWO, "BinaryCrossEntropy", _RANKED, FROM_LOGITS, (_HARD,)),),
    "accuracy": (
        Rule(
            _TWO,
            "BinaryCrossEntropy",
            _COUNTED.format("the class of the larger probability is right most often."),
            FROM_LOGITS,
            (Option("Hinge", "no probabilities are needed: it bounds the count of errors from above"),),
        ),
        Rule(
            _MANY,
            "CrossEntropy",
            _COUNTED.format("the class of the largest probability is right most often."),
            FROM_LOGITS,
            (Option("MulticlassHinge", "no probabilities are needed: it bounds the count of errors"),),
        ),
    ),
    "balanced_accuracy": (
        Rule(
            _TWO,
            "BinaryCrossEntropy",
            _COUNTED.format(
                "with both classes weighted to count alike, for which shares are wanted, the threshold 0 of "
                "the score fits."
            ),
            POS_WEIGHT,
        ),
        Rule(
            _MANY,
            "CrossEntropy",
            _COUNTED.format(
                "with classes weighted to count alike, for which shares are wanted, the largest score fits."
            ),
            CLASS_WEIGHT,
        ),
    ),
    "f1": (
        Rule(
            _TWO,
            "BinaryCrossEntropy",
            _COUNTED.format("find the probabilities, then the threshold of the largest F1 on held-out data."),
            FROM_LOGITS,
            (_HARD,),
        ),
    ),
}
