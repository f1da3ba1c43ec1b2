"""Loss functions, their gradients and Hessian diagonals, computed in one pass by C kernels."""

import importlib
from typing import TYPE_CHECKING, Any

from fastloss import _interpreter  # noqa: F401 - it refuses sub-interpreters
from fastloss._loss import Domain, EmbeddingLoss, Loss, PointwiseLoss, RowLoss, TransportLoss
from fastloss._version import __version__
from fastloss.binary import (
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
from fastloss.config import config, initialise, show_config
from fastloss.distribution import JSDivergence, KLDivergence
from fastloss.earth_mover import EarthMover
from fastloss.embedding import CenterLoss, Contrastive, CosineEmbedding, NTXent, Triplet
from fastloss.linear import LinearObjective
from fastloss.multiclass import CrossEntropy, Focal, MulticlassHinge
from fastloss.penalty import L1, L2, ElasticNet, Penalty
from fastloss.registry import LossInfo, get_loss, list_losses
from fastloss.regression import (
    AbsoluteError,
    AbsolutePercentageError,
    Cauchy,
    EuclideanError,
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
from fastloss.threads import get_num_threads, num_threads, set_num_threads
from fastloss.transport import ConvergenceWarning, Sinkhorn, Wasserstein

if TYPE_CHECKING:
    from fastloss import adapters as adapters
    from fastloss import cli as cli
    from fastloss import evaluation as evaluation
    from fastloss import linear_model as linear_model
    from fastloss import measures as measures
    from fastloss import metrics as metrics
    from fastloss import plotting as plotting
    from fastloss import reference as reference
    from fastloss.choosing import Choice, choose
    from fastloss.evaluation import Estimate, Evaluation, evaluate

initialise()
del initialise

__all__ = [
    "AbsoluteError",
    "AbsolutePercentageError",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Cauchy",
    "CenterLoss",
    "Choice",
    "Contrastive",
    "ConvergenceWarning",
    "CosineEmbedding",
    "CrossEntropy",
    "Domain",
    "EarthMover",
    "ElasticNet",
    "EmbeddingLoss",
    "Estimate",
    "EuclideanError",
    "Evaluation",
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
    "LinearObjective",
    "LogCosh",
    "Loss",
    "LossInfo",
    "MulticlassHinge",
    "NTXent",
    "Penalty",
    "Perceptron",
    "PointwiseLoss",
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
    "__version__",
    "choose",
    "config",
    "evaluate",
    "get_loss",
    "get_num_threads",
    "list_losses",
    "num_threads",
    "reference",
    "set_num_threads",
    "show_config",
]

#: Imported when they are first asked for: modules, and names of modules.
_LAZY = ("adapters", "cli", "evaluation", "linear_model", "measures", "metrics", "plotting", "reference")
_LAZY_NAMES = {
    "Choice": "choosing",
    "choose": "choosing",
    "Estimate": "evaluation",
    "Evaluation": "evaluation",
    "evaluate": "evaluation",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"fastloss.{name}")
    if name in _LAZY_NAMES:
        return getattr(importlib.import_module(f"fastloss.{_LAZY_NAMES[name]}"), name)
    raise AttributeError(f"module 'fastloss' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_LAZY_NAMES})
