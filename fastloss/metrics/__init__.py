"""Scikit-learn's metrics: their names, signatures, results and errors, computed by kernels.

``from fastloss.metrics import log_loss`` takes the place of ``from sklearn.metrics import log_loss``.
Scikit-learn need not be installed. Arguments may be lists, arrays, pandas and Polars columns and frames.
"""

from fastloss.metrics._errors import InvalidParameterError, UndefinedMetricWarning
from fastloss.metrics.areas import average_precision_score, roc_auc_score
from fastloss.metrics.calibration import calibration_curve
from fastloss.metrics.confusion import (
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    matthews_corrcoef,
)
from fastloss.metrics.curves import precision_recall_curve, roc_curve
from fastloss.metrics.deviance import (
    d2_absolute_error_score,
    d2_pinball_score,
    d2_tweedie_score,
    mean_gamma_deviance,
    mean_poisson_deviance,
    mean_tweedie_deviance,
)
from fastloss.metrics.labels import accuracy_score, hinge_loss, zero_one_loss
from fastloss.metrics.precision import f1_score, fbeta_score, precision_score, recall_score
from fastloss.metrics.probability import brier_score_loss, d2_log_loss_score, log_loss
from fastloss.metrics.regression import (
    max_error,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_pinball_loss,
    mean_squared_error,
    mean_squared_log_error,
    median_absolute_error,
    root_mean_squared_error,
    root_mean_squared_log_error,
)
from fastloss.metrics.variance import explained_variance_score, r2_score
from fastloss.metrics.within import ndcg_score, top_k_accuracy_score

__all__ = [
    "InvalidParameterError",
    "UndefinedMetricWarning",
    "accuracy_score",
    "average_precision_score",
    "balanced_accuracy_score",
    "brier_score_loss",
    "calibration_curve",
    "cohen_kappa_score",
    "confusion_matrix",
    "d2_absolute_error_score",
    "d2_log_loss_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "explained_variance_score",
    "f1_score",
    "fbeta_score",
    "hinge_loss",
    "log_loss",
    "matthews_corrcoef",
    "max_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_gamma_deviance",
    "mean_pinball_loss",
    "mean_poisson_deviance",
    "mean_squared_error",
    "mean_squared_log_error",
    "mean_tweedie_deviance",
    "median_absolute_error",
    "ndcg_score",
    "precision_recall_curve",
    "precision_score",
    "r2_score",
    "recall_score",
    "roc_auc_score",
    "roc_curve",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
    "top_k_accuracy_score",
    "zero_one_loss",
]
