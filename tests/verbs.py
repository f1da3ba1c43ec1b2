"""All that a loss can be asked for, for tests that hold for every verb and reduction."""

from __future__ import annotations

from typing import Any

import numpy as np

REDUCTIONS = ("mean", "sum", "none")

#: verb -> the results it returns.
VERBS = {
    "__call__": ("value",),
    "gradient": ("gradient",),
    "value_and_gradient": ("value", "gradient"),
    "gradient_and_hessian": ("gradient", "hessian"),
    "value_gradient_and_hessian": ("value", "gradient", "hessian"),
}


def verbs_of(loss: Any) -> list[str]:
    return [v for v, results in VERBS.items() if results == ("value",) or loss.has_gradient]


def ask(loss: Any, verb: str, y: Any, z: Any, **options: Any) -> dict[str, Any]:
    """The results of a verb by name."""
    results = getattr(loss, verb)(y, z, **options)
    names = VERBS[verb]
    return dict(zip(names, results if len(names) > 1 else (results,), strict=True))


def array_results(verb: str, reduction: str) -> tuple[str, ...]:
    """Which results of a verb are arrays, in the order of the slots of `out`."""
    return tuple(n for n in VERBS[verb] if n != "value" or reduction == "none")


def assert_same(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    """Equal to the last bit, arrays in dtype and shape too; NaN equals NaN."""
    assert actual.keys() == expected.keys()
    for name, x in actual.items():
        wanted = expected[name]
        if isinstance(wanted, np.ndarray):
            assert (x.dtype, x.shape) == (wanted.dtype, wanted.shape)
            bits = f"u{x.dtype.itemsize}"
            if np.array_equal(x.view(bits), wanted.view(bits)):  # much faster, and mostly so
                continue
        np.testing.assert_array_equal(x, wanted, err_msg=name, strict=True)
