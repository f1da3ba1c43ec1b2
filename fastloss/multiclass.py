"""Losses of C scores or probabilities, a row, predicted for one of C classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from fastloss._loss import Loss, RowLoss, flag, number_in, numbers_of_classes, whole_number
from fastloss._traits import of_parameters
from fastloss._validation import one_of

__all__ = ["CrossEntropy", "Focal", "GeneralizedCrossEntropy", "Poly1CrossEntropy", "MulticlassHinge"]


class _ProbabilityLoss(RowLoss):
    """A loss of class probabilities, given as such or as logits."""

    family = "multiclass"
    targets = "classes"
    link = of_parameters(lambda loss: "softmax" if loss.from_logits else "identity")
    inputs = of_parameters(lambda loss: "scores" if loss.from_logits else "probabilities")
    from_logits: bool

    def probabilities(self, y_pred: Any, *, out: Any = None, n_threads: int | None = None) -> Any:
        """Turn logits into probabilities, by softmax along each row.

        Parameters
        ----------
        y_pred : array_like of shape (n, C)
            Logits.
        out : ndarray of shape (n, C), optional
            Where to write; may be `y_pred` itself.
        n_threads : int, optional
            As for the call of the loss.

        Returns
        -------
        ndarray of shape (n, C)
            In the precision of `y_pred`.

        Raises
        ------
        TypeError
            If the loss takes probabilities: then there is nothing to turn.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.CrossEntropy().probabilities([[0.0, 0.0]])
        array([[0.5, 0.5]])
        """
        return self._apply("softmax", y_pred, out, n_threads)

    def log_probabilities(self, y_pred: Any, *, out: Any = None, n_threads: int | None = None) -> Any:
        """Turn logits into logarithms of probabilities, by log-softmax along each row.

        Parameters, result and errors are those of :meth:`probabilities`.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.CrossEntropy().log_probabilities([[0.0, 0.0]])
        array([[-0.69314718, -0.69314718]])
        """
        return self._apply("log_softmax", y_pred, out, n_threads)

    def _apply(self, link: str, y_pred: Any, out: Any, n_threads: int | None) -> Any:
        if self.inputs != "scores":
            raise TypeError(f"{self!r} takes probabilities: there is no link to apply")
        return self._link(link, y_pred, out, n_threads)


def _largest(weights: Any) -> float:
    """Return the largest weight of a class; those that are not named weigh 1."""
    if isinstance(weights, Mapping):
        return max(1.0, *map(float, weights.values()))
    if isinstance(weights, tuple):
        return max(weights, default=1.0)
    return 1.0 if weights is None else float(weights)


class CrossEntropy(_ProbabilityLoss):
    r"""Cross-entropy over C classes (softmax loss).

    From logits :math:`z` and a class index :math:`y`: :math:`w_y(\log\sum_k e^{z_k} - z_y)`; from logits
    and a row of target probabilities: :math:`\sum_k w_k y_k(\log\sum_j e^{z_j} - z_k)`. The gradient is
    :math:`(\sum_k y_k)\operatorname{softmax}(z) - y`, the Hessian's diagonal :math:`(\sum_k y_k)p(1 - p)`,
    each with the class weights inside. From probabilities :math:`p`: :math:`-\sum_k w_k y_k\log p_k` with
    :math:`p` clipped to :math:`[\epsilon, 1]`, :math:`\epsilon` the machine epsilon of the precision;
    gradient :math:`-y/p` and Hessian :math:`y/p^2` are by :math:`p`, and rows that do not sum to 1 are used
    as given, with a warning.

    Targets are (n,) class indices of any integer dtype, or (n, C) probabilities; predictions are (n, C).
    Logits of minus infinity are masked classes. ``reduction="mean"`` divides by the sum of the weights that
    counted: sample weight times class weight, 0 for ignored rows; if all rows are ignored it is 0.0.

    Parameters
    ----------
    from_logits : bool, default True
        Whether predictions are logits or probabilities.
    class_weight : sequence of C floats, or dict, optional
        The weight of each class. A dict has the weights of some classes by their indices, as in scikit-learn;
        the others weigh 1.
    label_smoothing : float, default 0.0
        :math:`s` in [0, 1]: targets become :math:`(1 - s)y + s/C`, class weights inside, as in PyTorch.
    ignore_index : int, optional
        Rows with this class index give 0 and a zero gradient.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range, or not a number.

    References
    ----------
    C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016 (label
    smoothing).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.CrossEntropy()([0, 1], [[2.0, 0.0], [0.0, 3.0]], reduction="none")
    array([0.12692801, 0.04858735])
    """

    aliases = ("softmax", "cce", "sparse_cce")
    predicts = "probability"
    convex = True
    canonical = of_parameters(lambda loss: loss.from_logits)
    positive_hessian = of_parameters(lambda loss: loss.from_logits)
    slope_bound = of_parameters(lambda loss: _largest(loss.class_weight) if loss.from_logits else math.inf)
    class_weight: tuple[float, ...] | dict[int, float] | None
    label_smoothing: float
    ignore_index: int | None

    def __init__(
        self,
        from_logits: bool = True,
        class_weight: Sequence[float] | Mapping[int, float] | None = None,
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
    ) -> None:
        from_logits = flag("from_logits", from_logits)
        weights = numbers_of_classes("class_weight", class_weight, 0, math.inf)
        smoothing = number_in("label_smoothing", label_smoothing, 0, 1, ends="[]")
        ignored = None if ignore_index is None else whole_number("ignore_index", ignore_index)
        self._bind(
            "cross_entropy" if from_logits else "cross_entropy_probabilities",
            class_weight=weights,
            label_smoothing=smoothing,
            ignore_index=ignored,
        )
        self._keep(
            {
                "from_logits": from_logits,
                "class_weight": weights,
                "label_smoothing": smoothing,
                "ignore_index": ignored,
            }
        )

    def _counterpart(self) -> Loss | None:
        if self.class_weight is not None or self.ignore_index is not None:
            return None
        from fastloss.binary import BinaryCrossEntropy

        return BinaryCrossEntropy(label_smoothing=self.label_smoothing)


class Focal(_ProbabilityLoss):
    r"""Focal loss over C classes, :math:`-\alpha_y(1 - p_y)^\gamma\log p_y`.

    :math:`p_y` is the probability of the true class. Gradient and Hessian diagonal are by the logits, or by
    the probabilities with ``from_logits=False``, which are clipped to :math:`[\epsilon, 1 - \epsilon]`,
    :math:`\epsilon` the machine epsilon of the precision. Targets are (n,) class indices of any integer
    dtype, predictions (n, C).

    Parameters
    ----------
    gamma : float, default 2.0
        How little the easy cases count; 0 is cross-entropy.
    alpha : float, sequence of C floats, or dict, optional
        The weight of all classes, or of each. A dict has the weights of some classes by their indices; the
        others weigh 1.
    from_logits : bool, default True
        Whether predictions are logits or probabilities.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range, or not a number.

    References
    ----------
    T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.Focal(gamma=2.0)([0], [[0.0, 0.0]]), 6)
    0.173287
    """

    name = "multiclass_focal"  # "focal" is the binary one
    predicts = "class"
    prefers_float32 = True
    convex = of_parameters(lambda loss: loss.gamma == 0 or not loss.from_logits)
    slope_bound = of_parameters(
        lambda loss: _largest(loss.alpha) * (1 + loss.gamma / math.e) if loss.from_logits else math.inf
    )
    gamma: float
    alpha: float | tuple[float, ...] | dict[int, float] | None

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | Mapping[int, float] | None = None,
        from_logits: bool = True,
    ) -> None:
        gamma = number_in("gamma", gamma, 0, math.inf, ends="[)")
        alphas: float | tuple[float, ...] | dict[int, float] | None
        if isinstance(alpha, Real):
            alphas = number_in("alpha", alpha, 0, math.inf, ends="[)")
        else:
            alphas = numbers_of_classes("alpha", alpha, 0, math.inf)
        from_logits = flag("from_logits", from_logits)
        self._bind("focal" if from_logits else "focal_probabilities", gamma=gamma, alpha=alphas)
        self._keep({"gamma": gamma, "alpha": alphas, "from_logits": from_logits})

    def _counterpart(self) -> Loss | None:
        from fastloss.binary import BinaryFocal

        return BinaryFocal(gamma=self.gamma) if self.alpha is None else None


class GeneralizedCrossEntropy(_ProbabilityLoss):
    r"""Generalised cross-entropy over C classes, :math:`(1 - p_y^q)/q`: robust to wrong labels.

    :math:`p_y` is the probability of the true class. Between cross-entropy, its limit for :math:`q = 0`, and
    the absolute error of the probabilities, half of which it is at :math:`q = 1`. By the logits the gradient
    is :math:`p_y^q(p - e_y)`; the Hessian is negative for badly misclassified samples. Targets are (n,) class
    indices of any integer dtype, predictions (n, C) logits.

    Parameters
    ----------
    q : float, default 0.7
        How little badly misclassified samples count, in (0, 1].

    Raises
    ------
    ValueError
        If `q` is not in (0, 1].

    References
    ----------
    Z. Zhang and M. R. Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy
    Labels", NeurIPS 2018.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.GeneralizedCrossEntropy(q=1.0)([0, 1], [[0.0, 0.0], [0.0, 0.0]], reduction="none")
    array([0.5, 0.5])
    """

    aliases = ("gce",)
    link = "softmax"
    predicts = "class"
    inputs = "scores"
    slope_bound = of_parameters(lambda loss: (loss.q / (1 + loss.q)) ** loss.q / (1 + loss.q))
    prefers_float32 = True
    q: float

    def __init__(self, q: float = 0.7) -> None:
        q = number_in("q", q, 0, 1, ends="(]")
        self._bind("generalized_cross_entropy", gamma=q)
        self._keep({"q": q})


class Poly1CrossEntropy(_ProbabilityLoss):
    r"""Cross-entropy over C classes with a heavier first term, :math:`-\log p_y + \epsilon(1 - p_y)`.

    :math:`-\log p_y` is the series :math:`\sum_j (1 - p_y)^j/j`; its first term counts :math:`1 + \epsilon`
    times here. The gradient by the logits is :math:`(p_k - [k = y])(1 + \epsilon p_y)`; the Hessian's
    diagonal can be negative for :math:`\epsilon > 1`. Targets are (n,) class indices of any integer dtype,
    predictions (n, C) logits.

    Parameters
    ----------
    epsilon : float, default 1.0
        How much more the first term counts, at least -1; 0 is :class:`CrossEntropy`.

    Raises
    ------
    ValueError
        If `epsilon` is less than -1 or not finite.

    References
    ----------
    Z. Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions", ICLR
    2022.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.Poly1CrossEntropy(epsilon=2.0)([0], [[0.0, 0.0]]), 6)
    1.693147
    """

    aliases = ("poly1",)
    name = "poly1_cross_entropy"
    from_logits = True
    predicts = "class"
    # Σ p_k·v_k² about its mean is at least d²·r/(1 − r), d that of the true class: 1 + ε(2r − 1) decides.
    convex = positive_hessian = of_parameters(lambda loss: loss.epsilon <= 1)
    # (1 − r)(1 + ε·r) is largest at r = 0, or for ε > 1 at (ε − 1)/(2ε).
    slope_bound = of_parameters(
        lambda loss: 1.0 if loss.epsilon <= 1 else (1 + loss.epsilon) ** 2 / (4 * loss.epsilon)
    )
    epsilon: float

    def __init__(self, epsilon: float = 1.0) -> None:
        epsilon = number_in("epsilon", epsilon, -1, math.inf, ends="[)")
        self._bind("poly1_cross_entropy", gamma=epsilon)
        self._keep({"epsilon": epsilon})


class MulticlassHinge(RowLoss):
    r"""Hinge loss over C classes.

    Crammer and Singer's :math:`[1 + \max_{j\ne y} z_j - z_y]_+`, in which the first maximum takes the
    subgradient, or Weston and Watkins's :math:`\sum_{j\ne y}[1 + z_j - z_y]_+`. The Hessian is 0. Targets are
    (n,) class indices of any integer dtype, predictions (n, C) real scores.

    Parameters
    ----------
    kind : {"crammer-singer", "weston-watkins"}, default "crammer-singer"
        Which of the two.

    Raises
    ------
    ValueError
        If `kind` is neither.

    References
    ----------
    K. Crammer and Y. Singer, "On the algorithmic implementation of multiclass kernel-based vector machines",
    JMLR 2 (2001); J. Weston and C. Watkins, "Support vector machines for multi-class pattern recognition",
    ESANN 1999.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.MulticlassHinge()([0], [[1.0, 0.5, 0.75]])
    0.75
    >>> fl.MulticlassHinge(kind="weston-watkins")([0], [[1.0, 0.5, 0.75]])
    1.25
    """

    family = "multiclass"
    link = "none"
    predicts = "class"
    inputs = "scores"
    targets = "classes"
    convex = kinked = True
    # Weston and Watkins's is one less than there are classes.
    slope_bound = of_parameters(lambda loss: 1.0 if loss.kind == "crammer-singer" else math.inf)
    kind: str

    def __init__(self, kind: str = "crammer-singer") -> None:
        kernels = {"crammer-singer": "crammer_singer", "weston-watkins": "weston_watkins"}
        one_of("kind", kind, kernels)
        self._bind(kernels[kind])
        self._keep({"kind": kind})

    def _best_scores(self, share: Any) -> Any:
        """Return the best constant scores where classes have these shares; None where there are too many.

        Of Crammer and Singer's the other classes are alike: a lead d of the most frequent one, of share c,
        costs c·[1 − d]₊ + (1 − c)(1 + d). Weston and Watkins's is a linear program in the differences.
        """
        if self.kind == "crammer-singer":
            return (share > 0.5).astype(float)
        return _least_hinges(share) if len(share) <= _MOST_CLASSES else None


#: Of so many classes at most the differences make a matrix.
_MOST_CLASSES = 100


def _least_hinges(share: Any) -> Any:
    """Return the scores for which the hinges of all differences, weighted by the first's share, are least."""
    from fastloss._linear_interior import interior_point
    from fastloss.linear import LinearObjective
    from fastloss.margin import Hinge

    if len(share) == 1:
        return np.zeros(1)
    one, other = np.nonzero(~np.eye(len(share), dtype=bool))
    differences = np.eye(len(share))[one] - np.eye(len(share))[other]
    ones = np.ones(len(one))
    objective = LinearObjective(Hinge(), differences, ones, fit_intercept=False, sample_weight=share[one])
    start = objective.initial()
    return interior_point(objective, start, np.zeros_like(start), 1e-9, 100).w
