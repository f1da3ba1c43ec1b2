"""Weighted quantiles as scikit-learn's metrics define them."""

from __future__ import annotations

import numpy as np

from fastloss.metrics._arrays import Array


def weighted_quantile(values: Array, sample_weight: Array | None, q: float) -> Array:
    r"""Return the q-quantile of each column: the averaged inverse of the weighted distribution function.

    With the values in order and :math:`W_i` the running sum of the weights, it is the value at the first
    :math:`W_i \ge q\,W_n`, and where that is an equality the mean of it and the next value of weight not 0.
    """
    if sample_weight is None:
        return _quantile(values, q)
    order = np.argsort(values, axis=0)
    columns = []
    for k in range(values.shape[1]):
        w = sample_weight[order[:, k]].astype(np.float64)
        running = np.cumsum(w)
        wanted = q * running[-1]
        if wanted == 0:
            wanted = np.nextafter(wanted, 1.0)
        last = len(running) - 1
        at = min(int(np.searchsorted(running, wanted)), last)
        value = values[order[at, k], k]
        if running[at] - wanted <= np.finfo(np.float64).eps:
            following = int(np.searchsorted(running, running[at], side="right"))
            value = value / 2 + values[order[following if following <= last else at, k], k] / 2
        columns.append(value)
    return np.array(columns)


def _quantile(values: Array, q: float) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        quantiles = np.quantile(values, q, axis=0, method="averaged_inverted_cdf")
    if not np.isfinite(quantiles).all():  # the difference of two values overflowed on its way
        quantiles = 2 * np.quantile(values.astype(np.float64) / 2, q, axis=0, method="averaged_inverted_cdf")
    return np.asarray(quantiles)
