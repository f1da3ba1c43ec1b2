"""Results of the transport losses on the same data in every process, to be compared bit by bit."""

from __future__ import annotations

import numpy as np

import fastloss as fl


def everything() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20240607)
    results: dict[str, np.ndarray] = {}
    for p in (1, 2, 2.5):
        u, v, w = rng.normal(size=(5, 33)), rng.normal(size=(5, 20)), rng.random((5, 20))
        value, gradient = fl.Wasserstein(p=p).value_and_gradient(u, v, None, w)
        results |= {f"wasserstein {p} value": np.array(value), f"wasserstein {p} gradient": gradient}
    for cost in ("sqeuclidean", "euclidean"):
        for n, m, d in ((1, 3, 1), (40, 33, 2), (30, 300, 5), (50, 31, 18)):
            x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
            loss = fl.Sinkhorn(reg=0.3 * d, cost=cost, tol=1e-9)
            value, gradient = loss.value_and_gradient(x, y)
            name = f"sinkhorn {cost} {n} {m} {d}"
            results |= {f"{name} value": np.array(value), f"{name} gradient": gradient}
    return results
