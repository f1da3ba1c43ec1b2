"""The losses of embeddings with several settings, arguments for them, and all that they can be asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastloss as fl

#: Those that go row by row; NTXent looks at a whole batch.
ROW_BY_ROW = [
    fl.Contrastive(),
    fl.Contrastive(margin=4.0),
    fl.CosineEmbedding(),
    fl.CosineEmbedding(margin=-0.25),
    fl.Triplet(),
    fl.Triplet(margin=0.3, squared=False),
    fl.CenterLoss(),
]
ALL = [*ROW_BY_ROW, fl.NTXent(), fl.NTXent(temperature=0.5), fl.GaussianKL()]
#: Those of one array, whose gradient is an array.
ENTROPIES = [fl.Entropy(), fl.Entropy(from_logits=True)]
CLASSES = 7


def ordinary(loss: Any, n: int, d: int, dtype: Any, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Vectors at distances about the margins, and labels of both kinds."""

    def rows(m: int) -> np.ndarray:
        return (rng.normal(0, 1, (m, d)) / np.sqrt(d)).astype(dtype)

    if isinstance(loss, fl.Triplet):
        return rows(n), rows(n), rows(n)
    if isinstance(loss, fl.CenterLoss):
        return rows(n), rows(CLASSES), rng.integers(0, CLASSES, n)
    if isinstance(loss, fl.NTXent | fl.GaussianKL):
        return rows(n), rows(n)
    if isinstance(loss, fl.Entropy):
        z = rows(n) * 4 * np.sqrt(d).astype(dtype)
        return (z if loss.from_logits else fl.CrossEntropy().probabilities(z),)
    return rows(n), rows(n), rng.integers(0, 2, n)


def n_gradients(loss: Any) -> int:
    return 3 if isinstance(loss, fl.Triplet) else 1 if isinstance(loss, fl.Entropy) else 2


def listed(gradients: Any) -> tuple[Any, ...]:
    """Gradients as a tuple, by one array too."""
    return gradients if isinstance(gradients, tuple) else (gradients,)


def embeddings(loss: Any, arguments: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return arguments[: n_gradients(loss)]


def ask(loss: Any, arguments: tuple[Any, ...], **options: Any) -> dict[str, np.ndarray]:
    """Value and gradients by name, of the verb that computes both; the other two agree with it exactly."""
    out = options.pop("out", None)
    value, gradients = loss.value_and_gradient(*arguments, **options, out=out)
    gradients = listed(gradients)
    found = {"value": np.asarray(value)} | {f"gradient {i}": np.asarray(g) for i, g in enumerate(gradients)}
    if out is None:
        alone, slopes = loss(*arguments, **options), listed(loss.gradient(*arguments, **options))
        np.testing.assert_array_equal(alone, value)
        for one, other in zip(slopes, gradients, strict=True):
            np.testing.assert_array_equal(one, other)
    return found


def assert_same(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """Equal to the last bit, dtype and shape too; NaN equals NaN."""
    assert actual.keys() == expected.keys()
    for name, x in actual.items():
        assert x.dtype == expected[name].dtype
        np.testing.assert_array_equal(x, expected[name], err_msg=name, strict=True)


def digest() -> dict[str, np.ndarray]:
    """Results that every process must get, bit by bit; BLAS is left out."""
    found = {}
    for loss in ROW_BY_ROW:
        for dtype in (np.float32, np.float64):
            for n, d in [(5, 1), (9, 3), (70, 16), (33, 31), (20, 128), (3, 2500)]:
                rng = np.random.default_rng(n)
                arguments = ordinary(loss, n, d, dtype, rng)
                weights = rng.uniform(0.5, 2, n)
                for reduction in ("mean", "none"):
                    results = ask(loss, arguments, sample_weight=weights, reduction=reduction)
                    for name, x in results.items():
                        found[f"{loss} {np.dtype(dtype)} {n}x{d} {reduction} {name}"] = x
    return found
