"""What the tests of the boosting adapters share: small real data and the constant to start from."""

from __future__ import annotations

import numpy as np
from sklearn import datasets


def regression() -> tuple[np.ndarray, np.ndarray]:
    data = datasets.load_diabetes()
    return data.data, (data.target - 150) / 77


def binary() -> tuple[np.ndarray, np.ndarray]:
    data = datasets.load_breast_cancer()
    return data.data[::2], data.target[::2]


def classes() -> tuple[np.ndarray, np.ndarray]:
    data = datasets.load_iris()
    return data.data, data.target


def weights(n: int) -> np.ndarray:
    """Weights that float32 holds exactly."""
    return np.random.default_rng(0).integers(1, 9, n) / 4
