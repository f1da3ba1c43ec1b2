"""Every value, gradient and Hessian against the truth of multi-precision arithmetic, in ULPs."""

from __future__ import annotations

from typing import Any

import multiprecision
import numpy as np
import pytest

import fastloss as fl
from pointwise import samples
from pointwise import truth as pointwise_truth

#: The contract of the library.
BOUND = 4

OUTPUTS = ("value", "gradient", "hessian")


@pytest.mark.parametrize("output", OUTPUTS)
def test_within_4_ulp(loss: Any, dtype: Any, output: str, rng: Any, worst: Any) -> None:
    if output != "value" and not loss.has_gradient:
        pytest.skip("not differentiable")
    y, z = samples.hard(loss, dtype, rng)
    result = pointwise_truth.results(loss, y, z)[output]
    with multiprecision.by_mpfr():
        error, true = pointwise_truth.errors(loss, output, y, z, result)
    i = int(np.argmax(error))
    worst.setdefault((repr(loss), np.dtype(dtype).name), {})[output] = (error[i], float(y[i]), float(z[i]))
    with np.errstate(over="ignore"):
        expected = np.ldexp(true.high[i], true.exponent[i])
    assert error[i] <= BOUND, f"{error[i]:.3g} ULP at y={y[i]!r}, z={z[i]!r}: {result[i]!r}, not {expected!r}"


def test_mpfr_and_mpmath_find_the_same_errors(loss: Any, dtype: Any, rng: Any) -> None:
    y, z = (x[::25] for x in samples.hard(loss, dtype, rng))
    for output, result in pointwise_truth.results(loss, y, z).items():
        with multiprecision.by_mpfr():
            by_mpfr, _ = pointwise_truth.errors(loss, output, y, z, result)
        by_mpmath, _ = pointwise_truth.errors(loss, output, y, z, result)
        np.testing.assert_allclose(by_mpfr, by_mpmath, rtol=0, atol=1e-9, err_msg=output)


# Where the search (worst.py) found the kernels wrong by more than the bound.
FOUND = [
    (fl.Tukey(c=4.0), np.float32, 0.98306876, 4.802515),
    (fl.Tukey(c=4.0), np.float32, 2.0**-30, 4.0),
    (fl.Tukey(c=1.0), np.float32, -2.0402867e-13, -1.0),
    (fl.Tukey(c=1.0), np.float32, 1e-20, -1.0),
    (fl.Tukey(c=4.0), np.float64, -(2.0**-60), -4.0),
    (fl.Tukey(c=1.0), np.float64, 0.0008323086665587268, -0.0030693579125314094),
    (fl.PseudoHuber(delta=0.3), np.float32, 6.229652626643656e-06, -1234.273193359375),
    (fl.PseudoHuber(delta=1.0), np.float32, -8495.1416015625, -6981463572480.0),
    (fl.PseudoHuber(delta=8.0), np.float64, -4.768046274536692e102, -4.991847102751559e103),
    (fl.BinaryFocal(gamma=2.0), np.float64, 0.0, 1.110328641025983e29),
    (fl.BinaryFocal(gamma=5.0, alpha=0.25), np.float64, 0.0, 2.5826371958178484e177),
]


@pytest.mark.parametrize(("found", "precision", "y", "z"), FOUND, ids=str)
def test_found_by_the_search(found: Any, precision: Any, y: float, z: float) -> None:
    # Labels and logits of all lanes, not those of one alone.
    y, z = np.full(33, y, precision), np.full(33, z, precision)
    for output, result in pointwise_truth.results(found, y, z).items():
        error, _ = pointwise_truth.errors(found, output, y, z, result)
        assert error.max() <= BOUND, f"{output}: {error.max():.3g} ULP"
