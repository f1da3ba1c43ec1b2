"""The penalties with several settings, their true results, and the errors of the kernels."""

from __future__ import annotations

from typing import Any

import multiprecision
import numpy as np
from multiprecision import truth, ulps

import fastloss as fl

PENALTIES = [
    fl.L1(),
    fl.L1(alpha=0.3),
    fl.L2(),
    fl.L2(alpha=0.3),
    fl.ElasticNet(),
    fl.ElasticNet(alpha=0.3, l1_ratio=0.7),
    fl.ElasticNet(alpha=3.0, l1_ratio=1.0),
    fl.ElasticNet(alpha=3.0, l1_ratio=0.0),
    fl.L1(alpha=0.0),
]


def shares(penalty: Any) -> tuple[Any, Any]:
    """The factors of |w| and of w²/2, exactly."""
    alpha = multiprecision.exact(penalty.alpha)
    rho = {"L1": 1.0, "L2": 0.0}.get(type(penalty).__name__, getattr(penalty, "l1_ratio", None))
    return alpha * multiprecision.exact(rho), alpha * (1 - multiprecision.exact(rho))


def hard(dtype: Any, rng: np.random.Generator) -> np.ndarray:
    """Parameters of all magnitudes."""
    info = np.finfo(dtype)
    # Up to the root of the largest number, beyond which w² overflows.
    size = np.exp(rng.uniform(np.log(float(info.tiny)), np.log(float(info.max)) / 2, 300))
    w = np.concatenate([size * rng.choice([-1, 1], 300), rng.normal(0, 1, 100), [0.0, -0.0, 1.0]]).astype(
        dtype
    )
    return w


def results(penalty: Any, w: np.ndarray) -> dict[str, np.ndarray]:
    """What the kernels say of each parameter."""
    gradient, hessian = penalty.gradient_and_hessian(w)
    value = np.array([penalty(w[i : i + 1]) for i in range(w.size)]).astype(w.dtype)
    return {"value": value, "gradient": gradient, "hessian": hessian}


def errors(penalty: Any, output: str, w: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Errors of `result` in ULPs."""
    with multiprecision.precision(multiprecision.DIGITS):
        a, b = shares(penalty)
    formulas = {
        "value": lambda _, w: a * abs(w) + b * w**2 / 2,
        "gradient": lambda _, w: a * np.sign(w) + b * w,
        "hessian": lambda _, w: b + 0 * w,
    }
    return ulps(result, truth(formulas[output], np.zeros_like(w), w))
