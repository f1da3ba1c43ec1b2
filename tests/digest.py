"""Results of every pointwise loss on the same data in every process, to be compared bit by bit.

`python tests/digest.py` prints a fingerprint of each result of every family: what differs between two builds
is what `diff` shows of their outputs. c_library/digest.c does the same for the C library, on any machine.
"""

from __future__ import annotations

import hashlib
import warnings
from typing import Any

import numpy as np
from pointwise import samples
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


def every_family() -> dict[str, np.ndarray]:
    import conftest
    from embeddings import samples as embedding_samples
    from rows import digest as row_digest
    from transport import digest as transport_digest

    found = embedding_samples.digest() | transport_digest.everything()
    for hard in (False, True):
        for results in (everything(conftest.LOSSES, 3001, hard), row_digest.everything(hard)):
            found |= {f"{key}{' hard' if hard else ''}": x for key, x in results.items()}
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    for key, x in every_family().items():
        # NaN has many bit patterns, and which of them an operation gives is the processor's choice.
        print(hashlib.sha256(np.where(np.isnan(x), np.nan, x).tobytes()).hexdigest()[:16], key)


if __name__ == "__main__":
    main()
