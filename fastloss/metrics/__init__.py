"""Scikit-learn's loss metrics: their names, signatures, results and errors, computed by kernels.

``from fastloss.metrics import log_loss`` takes the place of ``from sklearn.metrics import log_loss``.
Scikit-learn need not be installed. Arguments may be lists, arrays, pandas and Polars columns and frames.
"""

from fastloss.metrics._errors import InvalidParameterError, UndefinedMetricWarning
from fastloss.metrics.deviance import (
    d2_absolute_error_score,
    d2_pinball_score,
    d2_tweedie_score,
    mean_gamma_deviance,
    mean_poisson_deviance,
    mean_tweedie_deviance,
)
from fastloss.metrics.labels import hinge_loss, zero_one_loss
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

__all__ = [
    "InvalidParameterError",
    "UndefinedMetricWarning",
    "brier_score_loss",
    "d2_absolute_error_score",
    "d2_log_loss_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "hinge_loss",
    "log_loss",
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
    "root_mean_squared_error",
    "root_mean_squared_log_error",
    "zero_one_loss",
]
