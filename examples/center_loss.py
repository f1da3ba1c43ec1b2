"""Digits by a small network whose embeddings lie near the centre of their class: two losses, added.

The network, two layers of NumPy, is trained with both by one call that gives all gradients.

In a checkout: pip install . scikit-learn
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import fastloss as fl


def train(weight: float, x: np.ndarray, y: np.ndarray, steps: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices of a network whose loss has the centre loss with this weight."""
    rng = np.random.default_rng(0)
    loss = fl.CrossEntropy() + weight * fl.CenterLoss()
    inner, outer = rng.normal(0, 0.1, (x.shape[1], 16)), rng.normal(0, 0.1, (16, 10))
    centers = np.zeros((10, 16))
    for _ in range(steps):
        rows = rng.integers(0, len(x), 200)
        embeddings = np.tanh(x[rows] @ inner)
        by_logits, by_embeddings, by_centers = loss.gradient(y[rows], embeddings @ outer, embeddings, centers)
        by_inner = (by_logits @ outer.T + by_embeddings) * (1 - embeddings**2)
        outer -= 1.0 * embeddings.T @ by_logits
        inner -= 1.0 * x[rows].T @ by_inner
        # The gradient by a centre has the weight of the loss, of which the centre itself needs nothing.
        centers -= 1.0 / weight * by_centers if weight else 0
    return inner, outer


def main() -> list[tuple[float, float]]:
    """Train with and without the centre loss; return the accuracy and the spread of each."""
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(digits.data / 16, digits.target, test_size=0.4, random_state=0)
    found = []
    for weight in (0.0, 0.1):
        inner, outer = train(weight, x, y)
        embeddings = np.tanh(x_test @ inner)
        accuracy = float(np.mean((embeddings @ outer).argmax(axis=1) == y_test))
        centers = np.stack([embeddings[y_test == k].mean(axis=0) for k in range(10)])
        within = np.mean(np.sum((embeddings - centers[y_test]) ** 2, axis=1))
        between = np.mean(np.sum((centers - centers.mean(axis=0)) ** 2, axis=1))
        found.append((accuracy, float(within / between)))
        print(
            f"centre loss times {weight}: accuracy {accuracy:.3f}, "
            f"spread within the classes {within / between:.2f} of that between them"
        )
    return found


if __name__ == "__main__":
    main()
