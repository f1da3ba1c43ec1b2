"""The losses in plain NumPy: slow, short, and written to be read.

Every loss of the package has a twin here with the same name, the same parameters and the same verbs. A twin
is the formula as one would check it by hand; the tests hold the compiled kernels against it, and evaluate the
very same text in multi-precision arithmetic to know the true result to fifty digits.

Examples
--------
>>> from fastloss import reference
>>> reference.Huber(delta=1.5)([0.0, 0.0], [1.0, 3.0])
1.9375
"""

from __future__ import annotations

from typing import Protocol

from fastloss.reference import binary, distribution, embedding, multiclass, regression, rows, transport
from fastloss.reference._base import Array, Domain, Loss
from fastloss.reference.binary import (
    BinaryCrossEntropy,
    BinaryFocal,
    Exponential,
    Hinge,
    Perceptron,
    SmoothedHinge,
    SquaredHinge,
    WassersteinCritic,
    ZeroOne,
)
from fastloss.reference.distribution import JSDivergence, KLDivergence
from fastloss.reference.embedding import (
    CenterLoss,
    Contrastive,
    CosineEmbedding,
    EmbeddingLoss,
    NTXent,
    Triplet,
)
from fastloss.reference.multiclass import CrossEntropy, Focal, MulticlassHinge
from fastloss.reference.penalty import L1, L2, ElasticNet, Penalty
from fastloss.reference.regression import (
    AbsoluteError,
    AbsolutePercentageError,
    Cauchy,
    Expectile,
    Gamma,
    HalfSquaredError,
    Huber,
    LogCosh,
    Poisson,
    PseudoHuber,
    Quantile,
    SmoothL1,
    SquaredEpsilonInsensitive,
    SquaredError,
    SquaredLogError,
    Tukey,
    Tweedie,
    Welsch,
)
from fastloss.reference.rows import EuclideanError, RowLoss
from fastloss.reference.transport import EarthMover, Sinkhorn, TransportLoss, Wasserstein

__all__ = [
    "AbsoluteError",
    "AbsolutePercentageError",
    "Array",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Cauchy",
    "CenterLoss",
    "Contrastive",
    "CosineEmbedding",
    "CrossEntropy",
    "Domain",
    "EarthMover",
    "ElasticNet",
    "EmbeddingLoss",
    "EuclideanError",
    "Expectile",
    "Exponential",
    "Focal",
    "Gamma",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "JSDivergence",
    "KLDivergence",
    "L1",
    "L2",
    "LogCosh",
    "Loss",
    "MulticlassHinge",
    "NTXent",
    "Penalty",
    "Perceptron",
    "Poisson",
    "PseudoHuber",
    "Quantile",
    "RowLoss",
    "Sinkhorn",
    "SmoothL1",
    "SmoothedHinge",
    "SquaredEpsilonInsensitive",
    "SquaredError",
    "SquaredHinge",
    "SquaredLogError",
    "TransportLoss",
    "Triplet",
    "Tukey",
    "Tweedie",
    "Wasserstein",
    "WassersteinCritic",
    "Welsch",
    "ZeroOne",
    "twin",
]


class _Parametrised(Protocol):
    @property
    def parameters(self) -> dict[str, object]: ...


def twin(loss: _Parametrised) -> Loss:
    """Give the NumPy twin of a loss object.

    Parameters
    ----------
    loss : fastloss loss
        Any object whose class name is that of a twin and whose ``parameters`` are its arguments.

    Returns
    -------
    Loss
        The twin, with the same parameters.

    Raises
    ------
    TypeError
        If no twin has the name of the class of `loss`.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.reference.twin(fl.Huber(delta=1.5))
    Huber(delta=1.5)
    """
    name = type(loss).__name__
    for module in (regression, binary, multiclass, distribution, rows, embedding, transport):
        if isinstance(found := getattr(module, name, None), type) and issubclass(found, Loss):
            return found(**loss.parameters)
    raise TypeError(f"{name} has no NumPy reference")
