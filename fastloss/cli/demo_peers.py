"""What users of the demo's losses would otherwise call: scikit-learn's metrics, PyTorch's functions."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._extras import require

__all__ = ["LIBRARIES", "other_calls"]

#: In the order of the table's columns.
LIBRARIES = ("scikit-learn", "torch")


def other_calls(loss: fl.Loss, y: Any, z: Any) -> dict[str, Callable[[], float]]:
    """Return the call of each library that computes a loss's mean of these targets and predictions.

    Parameters
    ----------
    loss : Loss
        The loss.
    y, z : ndarray
        Targets and predictions.

    Returns
    -------
    dict
        Functions of no argument by the libraries' names.
    """
    calls: dict[str, Callable[[], float]] = {}
    metric = _metric(loss)
    if metric is not None:
        calls["scikit-learn"] = lambda: float(metric(y, z))
    if importlib.util.find_spec("torch"):
        torch = require("torch", "torch", "its column")
        torch.set_num_threads(1)
        function = _functional(loss, torch.nn.functional)
        if function is not None:
            target = torch.from_numpy(y if y.ndim == z.ndim else y.astype(np.int64))
            if y.ndim == z.ndim:
                target = target.to(torch.float64)
            prediction = torch.from_numpy(z)
            calls["torch"] = lambda: float(function(prediction, target))
    return calls


def _metric(loss: fl.Loss) -> Callable[[Any, Any], Any] | None:
    """Find scikit-learn's metric of a loss, given targets and predictions."""
    sk = require("sklearn.metrics", "demo", "the demo")
    parameters = loss.parameters
    if parameters.get("from_logits") is False and loss.name in ("binary_cross_entropy", "cross_entropy"):
        metric: Callable[[Any, Any], Any] = sk.log_loss
        return metric
    if loss.name == "zero_one" and parameters["threshold"] == 0.5:
        return lambda y, z: sk.zero_one_loss(y, z >= 0.5)
    if loss.name == "quantile":
        return lambda y, z: sk.mean_pinball_loss(y, z, alpha=parameters["q"])
    named: dict[str, Callable[[Any, Any], Any]] = {
        "squared_error": sk.mean_squared_error,
        "absolute_error": sk.mean_absolute_error,
        "squared_log_error": sk.mean_squared_log_error,
        "absolute_percentage_error": sk.mean_absolute_percentage_error,
        "hinge": sk.hinge_loss,
    }
    return named.get(loss.name)


def _functional(loss: fl.Loss, functional: Any) -> Callable[[Any, Any], Any] | None:
    """Find PyTorch's function of a loss, given predictions and targets."""
    parameters = loss.parameters
    if loss.name == "binary_cross_entropy":
        name = "binary_cross_entropy_with_logits" if parameters["from_logits"] else "binary_cross_entropy"
        function: Callable[[Any, Any], Any] = getattr(functional, name)
        return function
    if loss.name == "cross_entropy" and parameters["from_logits"]:
        return lambda z, y: functional.cross_entropy(z, y)
    if loss.name == "huber":
        return lambda z, y: functional.huber_loss(z, y, delta=parameters["delta"])
    if loss.name == "smooth_l1":
        return lambda z, y: functional.smooth_l1_loss(z, y, beta=parameters["beta"])
    named: dict[str, Callable[[Any, Any], Any]] = {
        "squared_error": functional.mse_loss,
        "absolute_error": functional.l1_loss,
        "poisson": functional.poisson_nll_loss,
    }
    return named.get(loss.name)
