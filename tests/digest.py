"""A fingerprint of every loss's results: equal fingerprints are equal bits."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import samples
from verbs import REDUCTIONS, ask, verbs_of


def everything(losses: list[Any], n: int, hard: bool) -> dict[str, np.ndarray]:
    """Results of every loss, verb, reduction and precision, on the same data in every process."""
    results = {}
    for loss in losses:
        for dtype in (np.float32, np.float64):
            rng = np.random.default_rng(20240607)
            y, z = samples.hard(loss, dtype, rng) if hard else samples.ordinary(loss, n, dtype, rng)
            w = rng.uniform(0, 2, y.size).astype(dtype)
            for verb in verbs_of(loss):
                for reduction in REDUCTIONS:
                    for weights in (None, w):
                        found = ask(loss, verb, y, z, sample_weight=weights, reduction=reduction)
                        for name, x in found.items():
                            key = (
                                f"{loss!r} {np.dtype(dtype)} {verb} {reduction} {weights is not None} {name}"
                            )
                            results[key] = np.asarray(x)
    return results


def digests(results: dict[str, np.ndarray]) -> dict[str, str]:
    # NaN has many bit patterns, and which of them an operation gives is the processor's choice.
    return {
        key: hashlib.sha256(np.where(np.isnan(x), np.nan, x).tobytes()).hexdigest()
        for key, x in results.items()
    }
