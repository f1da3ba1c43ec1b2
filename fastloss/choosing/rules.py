"""The table of rules: which answers lead to which loss, why, and what else might do.

The first rule whose conditions hold decides, so special ones come before general ones. An answer that the
deciding rule does not ask for has not been considered, and the result says so; a condition that admits every
answer (`ANY_OUTLIERS`) says that the rule holds whatever the answer is.

The rules are those of the usual introductions, among them https://zhuanlan.zhihu.com/p/261059231,
https://zhuanlan.zhihu.com/p/58883095 and https://zhuanlan.zhihu.com/p/97698386, with the sources that the
losses' own docstrings name. The classes' weights are "balanced" ones: G. King and L. Zeng, "Logistic
Regression in Rare Events Data", Political Analysis 9 (2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from fastloss.choosing.questions import Condition

__all__ = ["ANY_OUTLIERS", "RULES", "Computed", "Option", "Rule"]


class Computed(Enum):
    """A parameter that is computed from the answers."""

    FROM_LOGITS = "whether the model gives raw scores"
    POS_WEIGHT = "the negatives' share over the positives'"
    CLASS_WEIGHT = "1/C over each class's share"


class Option(NamedTuple):
    """Another loss, and when it is the better one; left out where a parameter cannot be computed."""

    loss: str
    when: str
    parameters: Mapping[str, Any] = {}


class Rule(NamedTuple):
    """A loss with its parameters, for those answers, for this reason."""

    when: Condition
    loss: str
    reason: str
    parameters: Mapping[str, Any] = {}
    options: tuple[Option, ...] = ()


FROM_LOGITS = {"from_logits": Computed.FROM_LOGITS}
POS_WEIGHT = {"pos_weight": Computed.POS_WEIGHT, **FROM_LOGITS}
CLASS_WEIGHT = {"class_weight": Computed.CLASS_WEIGHT, **FROM_LOGITS}
_FOCAL = {"gamma": 2.0, "alpha": 0.25, **FROM_LOGITS}
_SMOOTHED = {"label_smoothing": 0.1, **FROM_LOGITS}

ANY_OUTLIERS = ("no", "mild", "some", "many")
_OUTLIERS = ANY_OUTLIERS[1:]
_REAL = {"task": ("regression",), "values": ("real",)}
_TWO = {"task": ("classification",), "classes": ("two",)}
_YES_OR_NO = {"task": ("classification",), "classes": ("two", "multilabel")}
_MANY = {"task": ("classification",), "classes": ("many",)}
_MULTILABEL = {"task": ("classification",), "classes": ("multilabel",)}
_ANY_OUTPUT = ("any", "logits", "probabilities")
_HARD = ("index", "one-hot")
_RARE = ("moderate", "severe")
_ROWS = {"task": ("distribution",), "form": ("probabilities", "logits")}

_WEIGHTED = (
    Option("BinaryCrossEntropy", "probabilities must be right: weights are easier to undo", POS_WEIGHT),
    Option("BinaryCrossEntropy", "with pos_weight, once the classes' shares are known", FROM_LOGITS),
)

_REGRESSION = (
    Rule(
        {"task": ("regression",), "values": ("counts",)},
        "Poisson",
        "Counts vary the more the larger they are, and are never negative: the Poisson likelihood knows "
        "both.",
        options=(
            Option("Tweedie", "amounts that are often exactly 0, such as claims", {"power": 1.5}),
            Option("SquaredError", "large counts, whose errors are about normal"),
        ),
    ),
    Rule(
        {"task": ("regression",), "values": ("positive",)},
        "Gamma",
        "Errors in proportion to the amount: the Gamma likelihood weighs relative errors alike.",
        options=(
            Option("Tweedie", "amounts that may be exactly 0", {"power": 1.5}),
            Option("SquaredLogError", "relative errors, without a link"),
            Option("AbsolutePercentageError", "the percentage error is what is reported"),
        ),
    ),
    Rule(
        {"task": ("regression",), "values": ("boxes",)},
        "SmoothL1",
        "As in Fast R-CNN: the gradient is bounded, so that a box far off does not make it explode.",
        {"beta": 1.0},
        (
            Option("SquaredError", "coordinates without large errors"),
            Option("Huber", "the same curve, times beta", {"delta": 1.0}),
        ),
    ),
    Rule(
        {"task": ("regression",), "values": ("vectors",), "outliers": ("no", "mild", "some")},
        "EuclideanError",
        "The distance between the predicted and the true point; it grows linearly, so that far points count "
        "less than under its square.",
        options=(
            Option("SquaredError", "normal errors of each coordinate, and a smooth gradient at 0"),
            Option("Huber", "outliers in single coordinates", {"delta": 1.5}),
        ),
    ),
    Rule(
        {"task": ("regression",), "values": ("vectors",), "outliers": ("many",)},
        "AbsoluteError",
        "The L1 distance: an outlier in one coordinate neither dominates the others nor the sample.",
        options=(Option("EuclideanError", "the direction of the error should not matter"),),
    ),
    Rule(
        {**_REAL, "outliers": ("mild",), "errors": ("symmetric",)},
        "LogCosh",
        "As smooth as the squared error, with second derivatives everywhere, and linear for large errors.",
        options=(
            Option("Huber", "the place where large errors begin is known", {"delta": 1.5}),
            Option("SquaredError", "the outliers matter as much as the rest"),
        ),
    ),
    Rule(
        {**_REAL, "outliers": ("some",), "errors": ("symmetric",)},
        "Huber",
        "Squared and smooth for small errors, linear for large ones: converges like the squared error and "
        "resists outliers like the absolute one.",
        {"delta": 1.5},
        (
            Option("AbsoluteError", "many outliers, or the median is wanted"),
            Option("LogCosh", "a second derivative is wanted everywhere"),
            Option("SmoothL1", "the gradient should stay within 1", {"beta": 1.5}),
        ),
    ),
    Rule(
        {**_REAL, "outliers": ("many",), "errors": ("symmetric", "skewed")},
        "AbsoluteError",
        "Errors count in proportion, none is squared: the fit follows the median and most of the samples.",
        options=(
            Option("Huber", "a smooth gradient near 0 converges faster", {"delta": 1.5}),
            Option("Tukey", "gross errors should not count at all; start from a good fit", {"c": 4.685}),
            Option("Cauchy", "the same, with every error keeping some weight", {"c": 2.385}),
        ),
    ),
    Rule(
        {**_REAL, "outliers": ANY_OUTLIERS, "errors": ("skewed",)},
        "AbsoluteError",
        "Its optimum is the median, which a skewed distribution of the errors moves little.",
        options=(
            Option("Quantile", "another quantile than the median is wanted, such as q=0.9", {"q": 0.9}),
            Option("Gamma", "positive targets whose errors grow with them"),
            Option("SquaredError", "the mean is wanted all the same: totals, expected costs"),
        ),
    ),
    Rule(
        {**_REAL, "outliers": ("no",), "errors": ("symmetric",)},
        "SquaredError",
        "The likelihood of normal errors; smooth, with a gradient that shrinks with the error, so it "
        "converges fast.",
        options=(
            Option("HalfSquaredError", "the negative log-likelihood itself, with Hessian 1"),
            Option("Huber", "outliers turn up", {"delta": 1.5}),
            Option("AbsoluteError", "the median is wanted"),
        ),
    ),
)

_BINARY = (
    Rule(
        {
            **_YES_OR_NO,
            "model": ("svm",),
            "output": ("any", "scores"),
            "labels": ("index",),
            "outliers": ANY_OUTLIERS,
        },
        "Hinge",
        "With an L2 penalty this is the support-vector machine: zero beyond the margin, so that only the "
        "samples near the boundary or on its wrong side count.",
        options=(
            Option("SquaredHinge", "a smooth gradient, and violations that count more the larger they are"),
        ),
    ),
    Rule(
        {**_YES_OR_NO, "model": ("adaboost",), "output": ("any", "scores"), "labels": ("index",)},
        "Exponential",
        "The loss that AdaBoost minimises step by step.",
        options=(
            Option("BinaryCrossEntropy", "noise or outliers: it grows linearly (LogitBoost)"),
            Option("Hinge", "a largest margin without boosting"),
        ),
    ),
    Rule(
        {**_YES_OR_NO, "model": ("perceptron",), "output": ("any", "scores"), "labels": ("index",)},
        "Perceptron",
        "Content with any sample on the right side, however near the boundary: the perceptron's own loss.",
        options=(Option("Hinge", "a margin, which generalises better"),),
    ),
    Rule(
        {**_YES_OR_NO, "imbalance": ("severe",), "labels": ("index",), "output": _ANY_OUTPUT},
        "BinaryFocal",
        "Samples that are already right count little, so that the many easy ones of the frequent class do "
        "not drown the rare class.",
        _FOCAL,
        _WEIGHTED,
    ),
    Rule(
        {**_YES_OR_NO, "imbalance": _RARE, "labels": ("index", "soft"), "output": _ANY_OUTPUT},
        "BinaryCrossEntropy",
        "The positive class is weighted so that both classes count alike.",
        POS_WEIGHT,
        (Option("BinaryFocal", "the rare class is rarer still, and labels are 0 or 1", _FOCAL),),
    ),
    Rule(
        {**_YES_OR_NO, "output": ("scores",), "labels": ("index",), "outliers": ANY_OUTLIERS},
        "Hinge",
        "Raw scores without probabilities: the largest margin, with samples beyond it left alone; outliers "
        "count linearly.",
        options=(
            Option("SquaredHinge", "a smooth gradient"),
            Option("BinaryCrossEntropy", "probabilities are wanted after all"),
        ),
    ),
    Rule(
        {**_YES_OR_NO, "outliers": _OUTLIERS, "output": ("any",), "labels": ("index",)},
        "Hinge",
        "Less sensitive to noise and wrong labels than the cross-entropy; what is well on its side does not "
        "pull.",
        options=(
            Option("BinaryCrossEntropy", "probabilities are needed", {"label_smoothing": 0.1}),
            Option("BinaryFocal", "the outliers are hard but rightly labelled samples", _FOCAL),
        ),
    ),
    Rule(
        {
            **_YES_OR_NO,
            "outliers": _OUTLIERS,
            "output": ("logits", "probabilities"),
            "labels": ("index", "soft"),
        },
        "BinaryCrossEntropy",
        "Probabilities are wanted; smoothed labels allow that some are wrong, so that no score is driven to "
        "extremes.",
        _SMOOTHED,
        (
            Option("Hinge", "only the class is needed: less sensitive to noise"),
            Option("BinaryFocal", "the outliers are hard but rightly labelled samples", _FOCAL),
        ),
    ),
    Rule(
        {**_TWO, "labels": ("index", "soft"), "output": _ANY_OUTPUT},
        "BinaryCrossEntropy",
        "The likelihood of a yes or no with that probability; its gradient is the error of the probability, "
        "so it does not fade where a sigmoid is flat.",
        FROM_LOGITS,
        (
            Option("Hinge", "only the class is needed, with the largest margin"),
            Option("BinaryFocal", "the positive class is rare", _FOCAL),
        ),
    ),
    Rule(
        {**_MULTILABEL, "labels": ("index", "soft"), "output": _ANY_OUTPUT},
        "BinaryCrossEntropy",
        "Each label is a yes or no of its own, with a sigmoid of its own; softmax would make them exclude "
        "each other.",
        FROM_LOGITS,
        (Option("BinaryFocal", "most labels are absent from most samples", _FOCAL),),
    ),
)

_MULTICLASS = (
    Rule(
        {**_MANY, "model": ("any", "svm"), "output": ("scores",), "labels": _HARD, "outliers": ANY_OUTLIERS},
        "MulticlassHinge",
        "Raw scores without probabilities: the true class should lead the others by a margin.",
        {"kind": "crammer-singer"},
        (
            Option("MulticlassHinge", "every rival class should count", {"kind": "weston-watkins"}),
            Option("CrossEntropy", "probabilities are wanted after all"),
        ),
    ),
    Rule(
        {**_MANY, "model": ("svm",), "output": ("any",), "labels": _HARD, "outliers": ANY_OUTLIERS},
        "MulticlassHinge",
        "With an L2 penalty this is the multi-class support-vector machine.",
        {"kind": "crammer-singer"},
        (Option("MulticlassHinge", "every rival class should count", {"kind": "weston-watkins"}),),
    ),
    Rule(
        {**_MANY, "imbalance": ("severe",), "labels": _HARD, "output": _ANY_OUTPUT},
        "Focal",
        "Samples that are already right count little, so that the frequent classes do not drown the rare "
        "ones.",
        {"gamma": 2.0, **FROM_LOGITS},
        (
            Option("CrossEntropy", "probabilities must be right: weights are easier to undo", CLASS_WEIGHT),
            Option("CrossEntropy", "with class_weight, once the classes' shares are known", FROM_LOGITS),
        ),
    ),
    Rule(
        {**_MANY, "imbalance": _RARE, "labels": (*_HARD, "soft"), "output": _ANY_OUTPUT},
        "CrossEntropy",
        "Each class is weighted so that all count alike.",
        CLASS_WEIGHT,
        (Option("Focal", "the rare classes are rarer still, and labels are indices", FROM_LOGITS),),
    ),
    Rule(
        {**_MANY, "outliers": _OUTLIERS, "labels": (*_HARD, "soft"), "output": _ANY_OUTPUT},
        "CrossEntropy",
        "Smoothed labels allow that some are wrong, so that no score is driven to extremes.",
        _SMOOTHED,
        (
            Option("MulticlassHinge", "only the class is needed: less sensitive to noise"),
            Option("Focal", "the outliers are hard but rightly labelled samples", FROM_LOGITS),
        ),
    ),
    Rule(
        {**_MANY, "labels": ("index",), "output": _ANY_OUTPUT},
        "CrossEntropy",
        "The likelihood of the true class (sparse categorical cross-entropy): indices are taken as they "
        "are, no one-hot row is ever made.",
        FROM_LOGITS,
        (
            Option("MulticlassHinge", "only the class is needed, with the largest margin"),
            Option("Focal", "some classes are rare", FROM_LOGITS),
        ),
    ),
    Rule(
        {**_MANY, "labels": ("one-hot",), "output": _ANY_OUTPUT},
        "CrossEntropy",
        "The likelihood of the true class (categorical cross-entropy): rows are taken as they are; the "
        "indices, labels.argmax(axis=1), give the same with less memory.",
        FROM_LOGITS,
        (
            Option("MulticlassHinge", "only the class is needed, with the largest margin; from indices"),
            Option("Focal", "some classes are rare; from indices", FROM_LOGITS),
        ),
    ),
    Rule(
        {**_MANY, "labels": ("soft",), "output": _ANY_OUTPUT},
        "CrossEntropy",
        "The cross-entropy of a row of probabilities: the divergence from it, less a constant.",
        FROM_LOGITS,
        (Option("KLDivergence", "0 should mean equal: the constant is taken off", FROM_LOGITS),),
    ),
)

_DISTRIBUTION = (
    Rule(
        {"task": ("distribution",), "form": ("samples",)},
        "Wasserstein",
        "How far one sample must be moved to become the other; finite and smooth even where they do not "
        "overlap, and exact on a line.",
        {"p": 1.0},
        (Option("Wasserstein", "far moves should count more", {"p": 2.0}),),
    ),
    Rule(
        {"task": ("distribution",), "form": ("points",)},
        "Sinkhorn",
        "Transport between clouds of points with a small entropy: finite and smooth even where they do not "
        "overlap, and much faster than the exact one.",
        options=(Option("EarthMover", "the exact distance; it takes long for thousands of points"),),
    ),
    Rule(
        {**_ROWS, "overlap": ("no",), "symmetric": ("no", "yes")},
        "Wasserstein",
        "Where two distributions do not overlap, the Kullback-Leibler divergence is infinite and the "
        "Jensen-Shannon divergence constant; the distance to be moved still tells near from far.",
        {"p": 1.0},
        (
            Option("JSDivergence", "the outcomes have no order and no distances"),
            Option("Sinkhorn", "the places are points of several dimensions"),
        ),
    ),
    Rule(
        {**_ROWS, "overlap": ("yes",), "symmetric": ("yes",)},
        "JSDivergence",
        "Symmetric and bounded: neither distribution is the true one, and zeros do no harm.",
        options=(
            Option("KLDivergence", "one of them is the true one"),
            Option("Wasserstein", "they hardly overlap, and outcomes have distances", {"p": 1.0}),
        ),
    ),
    Rule(
        {**_ROWS, "form": ("logits",), "overlap": ("yes",), "symmetric": ("no",)},
        "KLDivergence",
        "The information lost where the model stands for the true distribution, from raw scores.",
        {"from_logits": True},
        (Option("CrossEntropy", "the same gradient, without the constant"),),
    ),
    Rule(
        {**_ROWS, "form": ("probabilities",), "overlap": ("yes",), "symmetric": ("no",)},
        "KLDivergence",
        "The information lost where the model stands for the true distribution.",
        {"from_logits": False},
        (
            Option("JSDivergence", "both should be treated alike"),
            Option("Wasserstein", "they hardly overlap, and outcomes have distances", {"p": 1.0}),
        ),
    ),
)

_SIMILARITY = (
    Rule(
        {"task": ("similarity",), "examples": ("pairs",)},
        "Contrastive",
        "Draws pairs that are alike together and pushes the others apart until they are a margin away.",
        {"margin": 1.0},
        (
            Option("Triplet", "an anchor can be compared with both kinds", {"margin": 1.0, "squared": True}),
            Option("CosineEmbedding", "the direction counts and not the length", {"margin": 0.0}),
        ),
    ),
    Rule(
        {"task": ("similarity",), "examples": ("triplets",)},
        "Triplet",
        "Only the order counts: the anchor should be nearer to its like than to the other, by a margin.",
        {"margin": 1.0, "squared": True},
        (Option("Contrastive", "only pairs are labelled", {"margin": 1.0}),),
    ),
    Rule(
        {"task": ("similarity",), "examples": ("classes",)},
        "CenterLoss",
        "Added to the softmax cross-entropy, which keeps classes apart but each one loose: this draws each "
        "to its centre.",
        options=(
            Option("CrossEntropy", "the classes are all known and only they are wanted"),
            Option("Triplet", "there are many classes with few examples", {"margin": 1.0, "squared": True}),
        ),
    ),
    Rule(
        {"task": ("similarity",), "examples": ("views",)},
        "NTXent",
        "Two views of one thing are alike, those of all others in the batch are not: no labels are needed.",
        options=(Option("Contrastive", "some pairs are labelled", {"margin": 1.0}),),
    ),
)

_GENERATION = (
    Rule(
        {"task": ("generation",), "model": ("gan",)},
        "WassersteinCritic",
        "The Wasserstein distance as a critic measures it: it tells near from far even while real and "
        "generated samples do not overlap, so that training is steady and modes are kept.",
        options=(
            Option("BinaryCrossEntropy", "the discriminator of the original GAN, which gives probabilities"),
            Option("Wasserstein", "the distance itself, between samples on a line", {"p": 1.0}),
            Option("Sinkhorn", "the distance itself, without a critic, between points"),
        ),
    ),
    Rule(
        {"task": ("generation",), "model": ("vae",)},
        "GaussianKL",
        "Draws each code, of the mean and the variance that the encoder gives, to the standard normal "
        "distribution. To it comes a loss of the reconstruction, summed over a sample's numbers as this is "
        "over a code's.",
        options=(
            Option("HalfSquaredError", "the reconstruction, of real numbers with noise of variance 1"),
            Option("BinaryCrossEntropy", "the reconstruction, of black and white", {"from_logits": True}),
            Option("KLDivergence", "codes are classes: to their prior, in place of this one"),
        ),
    ),
)

RULES = (*_REGRESSION, *_BINARY, *_MULTICLASS, *_DISTRIBUTION, *_SIMILARITY, *_GENERATION)
