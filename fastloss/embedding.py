"""Losses of embeddings: vectors, a row each, that should lie near each other or apart."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import numpy as np

from fastloss import _contrast, _core
from fastloss._composed import Call, Composed
from fastloss._loss import EmbeddingLoss, flag, number_in, positive

__all__ = ["Contrastive", "Triplet", "CenterLoss", "CosineEmbedding", "NTXent"]

Reduction = Literal["mean", "sum", "none"]


class _LabelledPairs(EmbeddingLoss):
    """The verbs of the losses of two rows and a label."""

    targets = "labels"
    _names: ClassVar[tuple[str, ...]] = ("a", "b", "y")
    _labels: ClassVar[str]

    def __call__(
        self,
        a: Any,
        b: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the loss of pairs `a` and `b`: a float, an array with ``reduction="none"``."""
        return self._evaluate((a, b), y, self._names, sample_weight, reduction, out, n_threads, True, False)

    def gradient(
        self,
        a: Any,
        b: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the gradients of the reduced loss by `a` and `b`: a tuple of two arrays."""
        return self._evaluate((a, b), y, self._names, sample_weight, reduction, out, n_threads, False, True)

    def value_and_gradient(
        self,
        a: Any,
        b: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute ``(value, (gradient by a, gradient by b))`` in one pass over the rows."""
        return self._evaluate((a, b), y, self._names, sample_weight, reduction, out, n_threads, True, True)


class Contrastive(_LabelledPairs):
    r"""Contrastive loss, :math:`y D^2 + (1 - y)\,[m - D]_+^2` with :math:`D = \|a - b\|_2`.

    A pair with :math:`y = 1` is similar and pulled together; with :math:`y = 0` it is dissimilar and pushed
    apart up to the margin :math:`m`. (Half of the literature has the labels the other way round.) The
    gradient by `a` is :math:`2(a - b)` or :math:`-2[m - D]_+ (a - b)/D`, that by `b` its negative; 0 where
    the points of a dissimilar pair coincide.

    Call it as ``loss(a, b, y)`` with `a` and `b` of shape (n, d) and `y` of shape (n,). All verbs take the
    keywords `sample_weight`, `reduction`, `out` and `n_threads` as those of other losses do; `out` of
    ``gradient`` and ``value_and_gradient`` is a tuple of two arrays, with ``reduction="none"`` of the latter
    of three, the first for the values. A gradient may be written over its own argument.

    Parameters
    ----------
    margin : float, default 1
        The distance :math:`m > 0` beyond which dissimilar pairs cost nothing.

    Raises
    ------
    ValueError
        If `margin` is not positive and finite; by the call, if a label is not 0 or 1, a weight is negative or
        not finite, or the shapes differ.
    TypeError
        If the Hessian is asked for, which is not diagonal.

    References
    ----------
    R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", CVPR 2006
    (there with the factor 1/2, and 0 for similar pairs).

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.Contrastive()
    >>> a, b = [[0.0, 0.0], [0.0, 0.0]], [[3.0, 4.0], [0.3, 0.4]]
    >>> loss(a, b, [1, 0], reduction="none")
    array([25.  ,  0.25])
    >>> loss.value_and_gradient(a, b, [1, 0])[1][0]
    array([[-3. , -4. ],
           [ 0.3,  0.4]])
    """

    margin: float
    _labels = "1 for a similar pair or 0 for a dissimilar one"

    def __init__(self, margin: float = 1.0) -> None:
        margin = positive("margin", margin)
        self._bind("contrastive", margin)
        self._keep({"margin": margin})


class CosineEmbedding(_LabelledPairs):
    r"""Cosine embedding loss: :math:`1 - \cos(a, b)` of similar pairs, :math:`[\cos(a, b) - m]_+` of others.

    The gradient of :math:`\cos` by `a` is :math:`(b - (a\cdot b/a\cdot a)\,a)/(\|a\|\|b\|)`. A zero vector
    has the cosine 0 with every other, and the gradient 0. The values are as exact as :math:`\cos`: between
    nearly parallel vectors, as :math:`1 - \cos` cancels, relative to 1.

    Call it as ``loss(a, b, y)`` with `a` and `b` of shape (n, d) and `y` of shape (n,): 1 for a similar pair,
    -1 or 0 for another. The verbs and their keywords are those of `Contrastive`.

    Parameters
    ----------
    margin : float, default 0
        The cosine :math:`m` in [-1, 1] below which dissimilar pairs cost nothing.

    Raises
    ------
    ValueError
        If `margin` is outside [-1, 1]; by the call, if a label is not -1, 0 or 1, a weight is negative or not
        finite, or the shapes differ.
    TypeError
        If the Hessian is asked for, which is not diagonal.

    References
    ----------
    The formula is that of ``torch.nn.CosineEmbeddingLoss``.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.CosineEmbedding(margin=0.5)
    >>> loss([[3.0, 4.0], [3.0, 4.0]], [[4.0, 3.0], [4.0, 3.0]], [1, -1], reduction="none").round(6)
    array([0.04, 0.46])
    """

    margin: float
    _labels = "1 for a similar pair, -1 or 0 for another"

    def __init__(self, margin: float = 0.0) -> None:
        margin = number_in("margin", margin, -1, 1, ends="[]")
        self._bind("cosine_embedding", margin)
        self._keep({"margin": margin})


class Triplet(EmbeddingLoss):
    r"""Triplet loss, :math:`[\|a - p\|^2 - \|a - n\|^2 + m]_+` of anchor, positive and negative.

    Where the loss is positive its gradients are :math:`2(n - p)` by the anchor, :math:`2(p - a)` by the
    positive and :math:`2(a - n)` by the negative. With ``squared=False`` the norms themselves are compared,
    :math:`[\|a - p\| - \|a - n\| + m]_+`, and the gradients are made of unit vectors, 0 between points that
    coincide.

    Call it as ``loss(anchor, positive, negative)``, all of shape (n, d). The verbs take the keywords
    `sample_weight`, `reduction`, `out` and `n_threads`; gradients are a tuple of three arrays, and so is
    `out`, with ``reduction="none"`` of ``value_and_gradient`` of four, the first for the values.

    Parameters
    ----------
    margin : float, default 1
        How much farther, :math:`m \ge 0`, the negative should be than the positive.
    squared : bool, default True
        Whether the distances are squared.

    Raises
    ------
    ValueError
        If `margin` is negative or not finite; by the call, if a weight is, or the shapes differ.
    TypeError
        If the Hessian is asked for, which is not diagonal.

    References
    ----------
    F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: A Unified Embedding for Face Recognition and
    Clustering", CVPR 2015. ``squared=False`` is ``torch.nn.TripletMarginLoss`` without its `eps`.

    Examples
    --------
    >>> import fastloss as fl
    >>> anchor, positive, negative = [[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 5.0]]
    >>> fl.Triplet()(anchor, positive, negative)
    1.0
    >>> fl.Triplet(squared=False).gradient(anchor, positive, negative)[0]
    array([[-0.6,  0.2]])
    """

    margin: float
    squared: bool
    targets = "none"
    _names = ("anchor", "positive", "negative")

    def __init__(self, margin: float = 1.0, squared: bool = True) -> None:
        margin = number_in("margin", margin, 0, math.inf, ends="[)")
        squared = flag("squared", squared)
        self._bind("triplet_squared" if squared else "triplet", margin)
        self._keep({"margin": margin, "squared": squared})

    def __call__(
        self,
        anchor: Any,
        positive: Any,
        negative: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the loss of anchor, positive and negative: a float, an array with ``reduction="none"``."""
        rows = (anchor, positive, negative)
        return self._evaluate(rows, None, self._names, sample_weight, reduction, out, n_threads, True, False)

    def gradient(
        self,
        anchor: Any,
        positive: Any,
        negative: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the gradients of the reduced loss by anchor, positive and negative: a tuple of three."""
        rows = (anchor, positive, negative)
        return self._evaluate(rows, None, self._names, sample_weight, reduction, out, n_threads, False, True)

    def value_and_gradient(
        self,
        anchor: Any,
        positive: Any,
        negative: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute ``(value, (by anchor, by positive, by negative))`` in one pass over the rows."""
        rows = (anchor, positive, negative)
        return self._evaluate(rows, None, self._names, sample_weight, reduction, out, n_threads, True, True)


class CenterLoss(EmbeddingLoss):
    r"""Centre loss, :math:`\tfrac12\|x_i - c_{y_i}\|^2`: how far rows lie from the centre of their class.

    The gradient by :math:`x_i` is :math:`x_i - c_{y_i}`, that by the centre :math:`c_k` the sum of
    :math:`c_k - x_i` over the rows of class :math:`k`, each with its weight and reduction: the same bits for
    any number of threads. (The article moves a centre by that sum divided by one more than the number of its
    rows.)

    Call it as ``loss(x, centers, labels)`` with `x` of shape (n, d), `centers` of shape (C, d) and `labels`
    of shape (n,), class indices from 0 to C - 1. The verbs take the keywords `sample_weight`, `reduction`,
    `out` and `n_threads`; gradients are a tuple of two arrays, by `x` and by `centers`, and so is `out`, with
    ``reduction="none"`` of ``value_and_gradient`` of three, the first for the values.

    Raises
    ------
    ValueError
        By the call: if a label is no class, a weight is negative or not finite, or the shapes do not fit.
    TypeError
        If the Hessian is asked for.

    References
    ----------
    Y. Wen, K. Zhang, Z. Li, Y. Qiao, "A Discriminative Feature Learning Approach for Deep Face Recognition",
    ECCV 2016.

    Examples
    --------
    >>> import fastloss as fl
    >>> x, centers = [[1.0, 2.0], [3.0, 0.0]], [[0.0, 0.0], [3.0, 4.0]]
    >>> value, (by_x, by_centers) = fl.CenterLoss().value_and_gradient(x, centers, [0, 1], reduction="sum")
    >>> value
    10.5
    >>> by_centers
    array([[-1., -2.],
           [ 0.,  4.]])
    """

    targets = "classes"
    couples_rows = True
    _names = ("x", "centers", "labels")

    def __init__(self) -> None:
        self._bind("center")

    def __call__(
        self,
        x: Any,
        centers: Any,
        labels: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the loss of rows `x` by their centres: a float, an array with ``reduction="none"``."""
        return self._evaluate(
            (x, centers), labels, self._names, sample_weight, reduction, out, n_threads, True, False
        )

    def gradient(
        self,
        x: Any,
        centers: Any,
        labels: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the gradients of the reduced loss by `x` and by `centers`: a tuple of two arrays."""
        return self._evaluate(
            (x, centers), labels, self._names, sample_weight, reduction, out, n_threads, False, True
        )

    def value_and_gradient(
        self,
        x: Any,
        centers: Any,
        labels: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute ``(value, (gradient by x, gradient by centers))`` in one pass over the rows."""
        return self._evaluate(
            (x, centers), labels, self._names, sample_weight, reduction, out, n_threads, True, True
        )


class NTXent(Composed):
    r"""Normalised temperature-scaled cross-entropy (NT-Xent, InfoNCE) of a batch of positive pairs.

    Of the 2n vectors :math:`u = (a_1, \dots, a_n, b_1, \dots, b_n)` each is an anchor once, whose partner is
    to be found among the 2n - 1 others by its cosine similarity over the temperature :math:`\tau`:

    .. math::
        \ell_i = -\log\frac{\exp(\cos(u_i, u_{p(i)})/\tau)}{\sum_{k \ne i} \exp(\cos(u_i, u_k)/\tau)},
        \qquad p(i) = (i + n) \bmod 2n.

    The loss of pair :math:`i` is the mean of its two anchors', :math:`\tfrac12(\ell_i + \ell_{i+n})`, so that
    the mean over the pairs is the mean over all 2n anchors, as in the article; with
    ``reduction="none"`` the values are those of the n pairs. As each pair's loss depends on all vectors,
    the gradient is that of the (weighted) sum of the pairs' losses, with ``"mean"`` of their mean. A zero
    vector has the similarity 0 with every other, and the gradient 0; NaN anywhere makes all results NaN.

    Call it as ``loss(a, b)``, both of shape (n, d). The matrix of similarities is made in blocks, never
    whole: BLAS multiplies with the threads that it is set to, `n_threads` is for the rest. The verbs take the
    keywords `sample_weight` (one for each pair), `reduction`, `out` and `n_threads`; gradients are a tuple of
    two arrays, and so is `out`, with ``reduction="none"`` of ``value_and_gradient`` of three, the first for
    the values. Results are as exact as the inner products of BLAS, over :math:`\tau`.

    Parameters
    ----------
    temperature : float, default 0.1
        :math:`\tau` in [1e-6, 1e6]. 0.1 did best in the article's experiments.

    Raises
    ------
    ValueError
        If `temperature` is out of range; by the call, if a weight is negative or not finite, or the shapes
        differ.
    TypeError
        If the Hessian is asked for, which is not diagonal.

    References
    ----------
    T. Chen, S. Kornblith, M. Norouzi, G. Hinton, "A Simple Framework for Contrastive Learning of Visual
    Representations", ICML 2020.

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.NTXent(temperature=1.0)([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]]), 6)
    0.551445
    """

    aliases = ("info_nce",)
    temperature: float
    targets = "none"
    couples_rows = True
    _names = ("a", "b")

    def __init__(self, temperature: float = 0.1) -> None:
        temperature = number_in("temperature", temperature, 1e-6, 1e6, ends="[]")
        self._keep({"temperature": temperature})

    def __call__(
        self,
        a: Any,
        b: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the loss of a batch of pairs: a float, an array with ``reduction="none"``."""
        return self._compose((a, b), sample_weight, reduction, out, n_threads, True, False)

    def gradient(
        self,
        a: Any,
        b: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the gradients of the reduced loss by `a` and `b`: a tuple of two arrays."""
        return self._compose((a, b), sample_weight, reduction, out, n_threads, False, True)

    def value_and_gradient(
        self,
        a: Any,
        b: Any,
        *,
        sample_weight: Any = None,
        reduction: Reduction = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute ``(value, (gradient by a, gradient by b))``."""
        return self._compose((a, b), sample_weight, reduction, out, n_threads, True, True)

    def _compute(self, call: Call) -> float:
        n = len(call.weights)
        dtype = _core.precision_of(list(call.arrays))
        a, b = call.arrays
        batch = _contrast.Batch(a, b, dtype, self.temperature, call.n_threads)
        total = call.deliver(batch.loss[:n] / 2 + batch.loss[n:] / 2)
        if call.slopes:
            found = batch.gradient(np.tile(call.weights / call.divisor / 2, 2))
            if call.scale != 1:
                found = found.astype(np.float64) / call.scale
            call.write(found[:n], call.slopes[0])
            call.write(found[n:], call.slopes[1])
        return total
