"""Loss functions, their gradients and Hessian diagonals, computed in one pass by C kernels."""

import importlib
from typing import TYPE_CHECKING, Any

from fastloss import (
    _interpreter,  # noqa: F401 - it refuses sub-interpreters
    binary,
    distribution,
    earth_mover,
    embedding,
    likelihood,
    multiclass,
    penalty,
    regression,
    transport,
)
from fastloss._loss import Domain, EmbeddingLoss, Loss, PointwiseLoss, RowLoss, TransportLoss
from fastloss._version import __version__
from fastloss.binary import *
from fastloss.config import config, initialise, show_config
from fastloss.distribution import *
from fastloss.earth_mover import *
from fastloss.embedding import *
from fastloss.errors import DomainError
from fastloss.formulas import FormulaError, formula
from fastloss.joint import JointLoss
from fastloss.likelihood import *
from fastloss.linear import LinearObjective
from fastloss.multiclass import *
from fastloss.penalty import *
from fastloss.penalty import Penalty
from fastloss.registry import LossInfo, get_loss, list_losses
from fastloss.regression import *
from fastloss.threads import get_num_threads, num_threads, set_num_threads
from fastloss.transport import *
from fastloss.transport import ConvergenceWarning

if TYPE_CHECKING:
    from fastloss import adapters as adapters
    from fastloss import cli as cli
    from fastloss import evaluation as evaluation
    from fastloss import functions as functions
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
    "Choice",
    "ConvergenceWarning",
    "Domain",
    "DomainError",
    "EmbeddingLoss",
    "Estimate",
    "Evaluation",
    "FormulaError",
    "JointLoss",
    "LinearObjective",
    "Loss",
    "LossInfo",
    "Penalty",
    "PointwiseLoss",
    "RowLoss",
    "TransportLoss",
    "__version__",
    "choose",
    "config",
    "evaluate",
    "formula",
    "get_loss",
    "get_num_threads",
    "list_losses",
    "num_threads",
    "reference",
    "set_num_threads",
    "show_config",
]
__all__ += regression.__all__
__all__ += binary.__all__
__all__ += likelihood.__all__
__all__ += multiclass.__all__
__all__ += distribution.__all__
__all__ += embedding.__all__
__all__ += transport.__all__
__all__ += earth_mover.__all__
__all__ += penalty.__all__

#: Imported when they are first asked for: modules, and names of modules.
_LAZY = (
    "adapters",
    "cli",
    "evaluation",
    "functions",
    "linear_model",
    "measures",
    "metrics",
    "plotting",
    "reference",
)
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
        found = getattr(importlib.import_module(f"fastloss.{_LAZY_NAMES[name]}"), name)
        globals()[name] = found  # not asked for here again
        return found
    raise AttributeError(f"module 'fastloss' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_LAZY_NAMES})
