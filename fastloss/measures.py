"""What :class:`fastloss.Evaluation` computes besides losses: the measures."""

from __future__ import annotations

import inspect
import math
from typing import Any, ClassVar, NamedTuple

from fastloss._loss import Immutable, flag, number_in, whole_number

__all__ = [
    "ROCAUC",
    "AveragePrecision",
    "KS",
    "Accuracy",
    "Confusion",
    "Calibration",
    "R2",
    "Bias",
    "MaxError",
    "Measure",
    "MeasureInfo",
    "list_measures",
]


class Measure(Immutable):
    """What an evaluation computes besides losses; its constructor's arguments are its attributes."""

    aliases: ClassVar[tuple[str, ...]] = ()
    #: Whether more of it is better; None where it is not one number that says which model is better.
    greater_is_better: ClassVar[bool | None] = None


class _OfOrder(Measure):
    """A measure that depends on the order of the scores alone.

    Up to 65 536 rows of a group are kept and the measure is exact. Of more, rows are counted by their
    score, in 2²⁰ bins that are finer than float32's last bit times 2⁹, and the estimate's `half_width` says
    what the order within bins could change at most.
    """

    family = "order"
    greater_is_better = True
    exact: bool

    def __init__(self, exact: bool = False) -> None:
        self._keep({"exact": flag("exact", exact)})


class ROCAUC(_OfOrder):
    r"""Area under the ROC curve: the share of pairs of rows, one of each class, in the right order.

    Ties count half, weights as shares. The standard error is DeLong's. Labels are 0 (or -1) and 1.

    Parameters
    ----------
    exact : bool, default False
        Keep all scores, five bytes a row (and weights), so that nothing is uncertain.

    References
    ----------
    E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the Areas under Two or More Correlated
    Receiver Operating Characteristic Curves", Biometrics 44 (1988).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.evaluate([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [fl.measures.ROCAUC()])["roc_auc"].value
    0.75
    """

    name = "roc_auc"
    aliases = ("auc",)


class AveragePrecision(_OfOrder):
    r"""Average precision: the mean over the positive rows of the precision at their score.

    As scikit-learn's ``average_precision_score``. Labels are 0 (or -1) and 1. There is no standard error.

    Parameters
    ----------
    exact : bool, default False
        Keep all scores, so that nothing is uncertain.

    Examples
    --------
    >>> import fastloss as fl
    >>> result = fl.evaluate([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], ["average_precision"])
    >>> round(result["average_precision"].value, 4)
    0.8333
    """

    name = "average_precision"
    aliases = ("ap",)


class KS(_OfOrder):
    r"""Kolmogorov and Smirnov's distance: the largest difference of the classes' shares above a score.

    Labels are 0 (or -1) and 1. There is no standard error.

    Parameters
    ----------
    exact : bool, default False
        Keep all scores, so that nothing is uncertain.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.evaluate([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], ["ks"])["ks"].value
    0.5
    """

    name = "ks"


class _AtThreshold(Measure):
    """A measure of decisions: with one score a row whether it is above a threshold, otherwise the largest."""

    family = "decision"
    threshold: float
    from_logits: bool

    @property
    def cutoff(self) -> float:
        """What a prediction is compared with: of probabilities 0.5 where the threshold is the score 0."""
        return self.threshold if self.from_logits or self.threshold else 0.5


def _threshold(threshold: Any, from_logits: bool) -> float:
    if from_logits:
        return number_in("threshold", threshold, -math.inf, math.inf)
    return number_in("threshold", threshold, 0, 1, ends="[)")


class Accuracy(_AtThreshold):
    r"""The share of rows whose class is found: by a threshold, or among the largest scores.

    Parameters
    ----------
    threshold : float, default 0.0
        Of one prediction a row: it is of the class 1 above the threshold. Without `from_logits` the threshold
        is a probability, and 0.0, an even chance as a score, stands for 0.5. Labels are 0 (or -1) and 1.
    top_k : int, default 1
        Of a row of scores: how many of the largest may have the label among them. Of equal scores the one
        of the lower class counts as the larger.
    from_logits : bool, default True
        Whether scores are raw; otherwise they are probabilities.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.evaluate([0, 1, 1, 1], [-1.0, 2.0, -0.5, 3.0], ["accuracy"])["accuracy"].value
    0.75
    """

    greater_is_better = True
    top_k: int

    def __init__(self, threshold: float = 0.0, top_k: int = 1, from_logits: bool = True) -> None:
        from_logits = flag("from_logits", from_logits)
        top_k = whole_number("top_k", top_k)
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1, got {top_k}")
        threshold = _threshold(threshold, from_logits)
        self._keep({"threshold": threshold, "top_k": top_k, "from_logits": from_logits})


class Confusion(_AtThreshold):
    r"""How rows of each class are classified, and what comes of it.

    Estimates are ``precision``, ``recall``, ``specificity``, ``f1``, ``balanced_accuracy`` and ``mcc``
    (Matthews' correlation); of several classes precision, recall and F1 are means over the classes (macro
    averages), and there is one of each for each class, as in ``"precision[2]"``. ``tables["matrix"]`` has
    the weights of rows, by their class and the class found. Where nothing is found, precision is 0, as
    scikit-learn's with ``zero_division=0``.

    Parameters
    ----------
    threshold : float, default 0.0
        Of one prediction a row, as for `Accuracy`.
    from_logits : bool, default True
        Whether scores are raw; otherwise they are probabilities.

    Examples
    --------
    >>> import fastloss as fl
    >>> confusion = fl.evaluate([0, 1, 1, 1], [-1.0, 2.0, -0.5, 3.0], ["confusion"])["confusion"]
    >>> confusion["recall"].value, confusion.tables["matrix"].tolist()
    (0.6666666666666666, [[1.0, 0.0], [1.0, 2.0]])
    """

    def __init__(self, threshold: float = 0.0, from_logits: bool = True) -> None:
        from_logits = flag("from_logits", from_logits)
        self._keep({"threshold": _threshold(threshold, from_logits), "from_logits": from_logits})


class Calibration(Measure):
    r"""Whether rows of the probability p are positive in the share p.

    Estimates are ``ece`` and ``mce``, the mean and the largest distance of share and mean probability over
    bins of equal width, and Murphy's ``reliability``, ``resolution`` and ``uncertainty``, whose sum, the
    second taken away, is the Brier score of the bins' means. With a row of scores for each label the
    probability is that of the most likely class, and a row is positive where that is its label.

    Parameters
    ----------
    n_bins : int, default 15
        The number of bins.
    from_logits : bool, default True
        Whether scores are raw and go through a sigmoid or a softmax; otherwise they are probabilities.

    References
    ----------
    A. H. Murphy, "A New Vector Partition of the Probability Score", Journal of Applied Meteorology 12 (1973);
    C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.

    Examples
    --------
    >>> import fastloss as fl
    >>> measure = fl.measures.Calibration(n_bins=2, from_logits=False)
    >>> fl.evaluate([0, 1, 1, 1], [0.25, 0.25, 0.75, 0.75], [measure])["calibration"]["ece"].value
    0.25
    """

    family = "calibration"
    n_bins: int
    from_logits: bool

    def __init__(self, n_bins: int = 15, from_logits: bool = True) -> None:
        n_bins = whole_number("n_bins", n_bins)
        if not 1 <= n_bins <= 1000:
            raise ValueError(f"n_bins must be from 1 to 1000, got {n_bins}")
        self._keep({"n_bins": n_bins, "from_logits": flag("from_logits", from_logits)})


class R2(Measure):
    r"""The share of the targets' variance explained, :math:`1 - \sum w r^2 / \sum w (y - \bar y)^2`.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.evaluate([1.0, 2.0, 3.0], [1.0, 2.0, 2.0], ["r2"])["r2"].value
    0.5
    """

    greater_is_better = True
    name = "r2"
    family = "regression"

    def __init__(self) -> None:
        self._keep({})


class Bias(Measure):
    r"""The mean of prediction less target.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.evaluate([1.0, 2.0], [1.5, 2.0], ["bias"])["bias"].value
    0.25
    """

    family = "regression"

    def __init__(self) -> None:
        self._keep({})


class MaxError(Measure):
    r"""The largest distance of a prediction from its target, of rows whose weight is not 0.

    There is no standard error.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.evaluate([1.0, 2.0], [1.5, 2.25], ["max_error"])["max_error"].value
    0.5
    """

    greater_is_better = False
    family = "regression"

    def __init__(self) -> None:
        self._keep({})


class MeasureInfo(NamedTuple):
    """A measure as :func:`list_measures` tells of it."""

    name: str
    cls: type[Measure]
    family: str
    aliases: tuple[str, ...]
    parameters: dict[str, Any]


def _info(cls: type[Measure]) -> MeasureInfo:
    parameters = {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}
    return MeasureInfo(cls.name, cls, cls.family, cls.aliases, parameters)


_MEASURES = [
    _info(cls) for cls in (ROCAUC, AveragePrecision, KS, Accuracy, Confusion, Calibration, R2, Bias, MaxError)
]


def list_measures() -> list[MeasureInfo]:
    """Return what there is: name, class, family, aliases and parameters of every measure.

    Examples
    --------
    >>> import fastloss as fl
    >>> [info.name for info in fl.measures.list_measures()][:3]
    ['roc_auc', 'average_precision', 'ks']
    """
    return list(_MEASURES)
