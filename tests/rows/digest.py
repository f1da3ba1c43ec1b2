"""Results of every row loss on the same data in every process, to be compared bit by bit."""

from __future__ import annotations

import numpy as np
from verbs import REDUCTIONS, ask

import fastloss as fl
from rows import samples as row_samples

SHAPES = [(1, 1), (70, 2), (70, 3), (50, 10), (33, 100), (21, 129), (10, 257), (3, 1500)]


def everything(hard: bool) -> dict[str, np.ndarray]:
    results = {}
    for case in row_samples.CASES:
        for n, n_classes in SHAPES:
            loss = row_samples.make(case, n_classes)
            verb = "value_gradient_and_hessian" if loss.has_hessian else "value_and_gradient"
            for form in row_samples.forms(loss):
                for dtype in (np.float32, np.float64):
                    rng = np.random.default_rng(20240607)
                    sample = row_samples.hard if hard else row_samples.ordinary
                    y, z = sample(loss, form, n, n_classes, dtype, rng)
                    w = rng.uniform(0.5, 2, len(z)).astype(dtype)
                    for reduction in REDUCTIONS:
                        found = ask(loss, verb, y, z, sample_weight=w, reduction=reduction)
                        for name, x in found.items():
                            case_name = f"{row_samples.case_name(case)} {form} {np.dtype(dtype)}"
                            results[f"{case_name} {n}x{n_classes} {reduction} {name}"] = np.asarray(x)
    for dtype in (np.float32, np.float64):
        for n, n_classes in SHAPES:
            z = row_samples._logits(n, n_classes, dtype, np.random.default_rng(1))
            results[f"probabilities {np.dtype(dtype)} {n}x{n_classes}"] = fl.Focal().probabilities(z)
            results[f"log_probabilities {np.dtype(dtype)} {n}x{n_classes}"] = fl.Focal().log_probabilities(z)
    return results
