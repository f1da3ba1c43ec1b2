"""What is measured: the losses, the verbs, and data from inside each loss's domain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._loss import PointwiseLoss

SIZES = (16, 1_000, 100_000, 10_000_000)
DTYPES = ("float32", "float64")

#: Arrays that each verb writes beside the scalar value it may return.
OUTPUTS = {"value": 0, "value_and_gradient": 1, "gradient_and_hessian": 2}

#: Parameters that select other mathematics than the defaults do, as (name, parameters).
VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("binary_cross_entropy", {"from_logits": False}),
    ("binary_focal", {"gamma": 1.5}),
)


def losses() -> dict[str, Any]:
    """Every pointwise loss with its defaults, then the variants, by label."""
    cases = {i.name: fl.get_loss(i.name) for i in fl.list_losses() if issubclass(i.cls, PointwiseLoss)}
    for name, parameters in VARIANTS:
        label = f"{name}({', '.join(f'{k}={v}' for k, v in parameters.items())})"
        cases[label] = fl.get_loss(name, **parameters)
    return cases


def verbs(loss: Any) -> tuple[str, ...]:
    """The measured verbs that a loss has."""
    if not loss.has_gradient:
        return ("value",)
    return tuple(OUTPUTS) if loss.has_hessian else ("value", "value_and_gradient")


def sample(loss: Any, size: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions from inside a loss's domain, with no ties and no saturated tails."""
    rng = np.random.default_rng(size)
    if loss.name == "zero_one":
        return tuple(rng.integers(0, 10, size).astype(dtype) for _ in range(2))  # type: ignore[return-value]
    y = _draw(rng, size, loss.target_domain)
    z = _draw(rng, size, loss.prediction_domain)
    if math.isinf(loss.target_domain.low) and math.isinf(loss.target_domain.high):
        z += y
    return y.astype(dtype), z.astype(dtype)


def _draw(rng: np.random.Generator, size: int, domain: Any) -> np.ndarray:
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        if domain.integral or domain.low < 0:
            return rng.choice([domain.low, domain.high], size)
        return rng.uniform(domain.low + 1e-3, domain.high - 1e-3, size)
    if math.isfinite(domain.low):
        return domain.low + rng.exponential(1.0, size) + 1e-3
    return rng.normal(0.0, 1.5, size)
