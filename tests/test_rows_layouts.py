"""Orders, strides, byte orders and dtypes of the row losses' arrays: the same numbers give the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import row_samples
from verbs import REDUCTIONS, ask, assert_same

import fastloss as fl

#: Rows by classes: vectors across rows, at its limit and beyond, and along rows.
SHAPES = [(37, 3), (50, 10), (19, 128), (18, 129), (5, 300)]


def _misaligned(x: np.ndarray) -> np.ndarray:
    buffer = np.zeros(x.nbytes + 1, np.uint8)
    found = buffer[1:].view(x.dtype).reshape(x.shape)
    found[...] = x
    return found


def _swapped(x: np.ndarray) -> np.ndarray:
    return x.astype(x.dtype.newbyteorder())


def _read_only(x: np.ndarray) -> np.ndarray:
    found = x.copy()
    found.flags.writeable = False
    return found


def _spaced(x: np.ndarray) -> np.ndarray:
    """Every second of the rows and third of the columns of a larger array."""
    buffer = np.full([s * k for s, k in zip(x.shape, (2, 3), strict=False)], 77, x.dtype)
    found = buffer[tuple([slice(None, None, 2), slice(None, None, 3)][: x.ndim])]
    found[...] = x
    return found


def _reversed(x: np.ndarray) -> np.ndarray:
    turned = tuple([slice(None, None, -1)] * x.ndim)
    return np.ascontiguousarray(x[turned])[turned]


def _in_records(x: np.ndarray) -> np.ndarray:
    records = np.zeros(x.shape, [("flag", "i1"), ("x", x.dtype)])
    records["x"] = x
    return records["x"]


def _inside(x: np.ndarray, order: str) -> np.ndarray:
    buffer = np.full([s + 5 for s in x.shape], 77, x.dtype, order=order)
    found = buffer[tuple(slice(2, 2 + s) for s in x.shape)]
    found[...] = x
    return found


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "inside": lambda x: _inside(x, "C"),
    "inside Fortran": lambda x: _inside(x, "F"),
    "spaced": _spaced,
    "spaced Fortran": lambda x: _spaced(x.T).T,
    "reversed": _reversed,
    "reversed Fortran": lambda x: _reversed(np.asfortranarray(x)),
    "record": _in_records,
    "swapped": _swapped,
    "swapped Fortran": lambda x: np.asfortranarray(_swapped(x)),
    "misaligned": _misaligned,
    "read-only": _read_only,
}

CASES = [
    pytest.param(case, form, id=f"{row_samples.case_name(case)}-{form}")
    for case in row_samples.CASES
    for form in row_samples.forms(row_samples.make(case, 2))
    if not case[1] or case[0] is fl.CrossEntropy or case[1].get("from_logits")
]


def _all(loss: Any, y: Any, z: Any, w: Any, reduction: str) -> dict[str, Any]:
    verb = "value_gradient_and_hessian" if loss.has_hessian else "value_and_gradient"
    return ask(loss, verb, y, z, sample_weight=w, reduction=reduction)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("case", "form"), CASES)
def test_layouts(case: Any, form: str, layout: str, dtype: Any, rng: Any) -> None:
    place = LAYOUTS[layout]
    for n, n_classes in SHAPES:
        loss = row_samples.make(case, n_classes)
        y, z = row_samples.ordinary(loss, form, n, n_classes, dtype, rng)
        w = rng.uniform(0.5, 2, n).astype(dtype)
        for reduction in ("mean", "none"):
            expected = _all(loss, y, z, w, reduction)
            for args in [(y, place(z), w), (place(y), z, place(w)), (place(y), place(z), place(w))]:
                assert_same(_all(loss, *args, reduction), expected)


@pytest.mark.parametrize(("case", "form"), CASES)
def test_results_have_the_order_of_the_predictions(case: Any, form: str, dtype: Any, rng: Any) -> None:
    loss = row_samples.make(case, 5)
    y, z = row_samples.ordinary(loss, form, 40, 5, dtype, rng)
    assert loss.gradient(y, z).flags.c_contiguous
    assert loss.gradient(y, np.asfortranarray(z)).flags.f_contiguous
    assert loss(y, np.asfortranarray(z), reduction="none").flags.c_contiguous


@pytest.mark.parametrize(("case", "form"), CASES)
def test_targets_of_the_other_precision(case: Any, form: str, rng: Any) -> None:
    if form == "labels":
        pytest.skip("class indices have a test of their own")
    for n, n_classes in SHAPES:
        loss = row_samples.make(case, n_classes)
        y, z = row_samples.ordinary(loss, form, n, n_classes, np.float32, rng)
        w = rng.uniform(0.5, 2, n).astype(np.float32)
        wide = _all(loss, y.astype(np.float64), z, w.astype(np.float64), "none")
        assert_same(wide, _all(loss, y, z, w, "none"))
        hot = np.eye(n_classes)[rng.integers(0, n_classes, n)]
        for kind in ("bool", "i1", "u2", "i8", ">i4", "f2"):
            assert_same(_all(loss, hot.astype(kind), z, None, "none"), _all(loss, hot, z, None, "none"))


def _tolerant(loss: Any) -> bool:
    """Predictions of 16 bits that are probabilities do not sum to 1, and warn."""
    return not (isinstance(loss, (fl.CrossEntropy, fl.Focal)) and not loss.from_logits)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize(("case", "form"), CASES)
def test_16_bits(case: Any, form: str, kind: str, rng: Any) -> None:
    """Computed in float32, and the arrays are rounded once to the dtype of the predictions."""
    if kind == "bfloat16":
        kind = pytest.importorskip("ml_dtypes").bfloat16
    for n, n_classes in SHAPES:
        loss = row_samples.make(case, n_classes)
        if not _tolerant(loss):
            pytest.skip("their rows do not sum to 1")
        y, z = row_samples.ordinary(loss, form, n, n_classes, np.float32, rng)
        z = np.maximum(z, 1e-3).astype(kind) if row_samples.of_probabilities(loss) else z.astype(kind)
        for reduction in REDUCTIONS:
            expected = _all(loss, y, z.astype(np.float32), None, reduction)
            for place in (lambda x: x, np.asfortranarray, _spaced):
                found = _all(loss, y, place(z), None, reduction)
                for name, x in found.items():
                    if np.ndim(x):
                        assert x.dtype == z.dtype
                        with np.errstate(over="ignore"):
                            np.testing.assert_array_equal(x, expected[name].astype(z.dtype))
                    else:
                        assert x == expected[name]


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u4", "i8", "u8", "bool"])
def test_whole_numbers_as_logits(kind: str, rng: Any) -> None:
    for n, n_classes in SHAPES:
        z = rng.integers(0, 2 if kind == "bool" else 100, (n, n_classes)).astype(kind)
        y = rng.integers(0, n_classes, n)
        for loss in (fl.CrossEntropy(), fl.Focal(), fl.MulticlassHinge()):
            assert_same(_all(loss, y, z, None, "none"), _all(loss, y, z.astype(np.float64), None, "none"))


LABEL_KINDS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i2", ">u8", "f2", "f4", "f8", ">f8", "g"]


@pytest.mark.parametrize("kind", LABEL_KINDS)
def test_class_indices_of_every_dtype(kind: str, dtype: Any, rng: Any) -> None:
    for n, n_classes in [(1, 2), (40, 3), (300, 10), (33, 100), (20, 300), (9, 1500)]:
        low = np.dtype(kind).itemsize == 1
        z, y = (
            rng.normal(0, 3, (n, n_classes)).astype(dtype),
            rng.integers(0, min(n_classes, 128 if low else n_classes), n),
        )
        for loss in (
            fl.CrossEntropy(),
            fl.Focal(),
            fl.MulticlassHinge(),
            fl.CrossEntropy(label_smoothing=0.1),
        ):
            expected = _all(loss, y, z, None, "none")
            for place in (lambda x: x, _spaced, _reversed, _misaligned):
                assert_same(_all(loss, place(y.astype(kind)), z, None, "none"), expected)


def test_true_and_false_as_class_indices(dtype: Any, rng: Any) -> None:
    z, y = rng.normal(size=(100, 2)).astype(dtype), rng.random(100) < 0.5
    assert_same(
        _all(fl.CrossEntropy(), y, z, None, "none"), _all(fl.CrossEntropy(), y.astype(int), z, None, "none")
    )


def test_bfloat16_and_lists_as_class_indices(dtype: Any, rng: Any) -> None:
    z, y = rng.normal(size=(100, 9)).astype(dtype), rng.integers(0, 9, 100)
    expected = _all(fl.CrossEntropy(), y, z, None, "none")
    assert_same(_all(fl.CrossEntropy(), y.tolist(), z, None, "none"), expected)
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert_same(_all(fl.CrossEntropy(), y.astype(ml_dtypes.bfloat16), z, None, "none"), expected)


def test_lists_are_float64() -> None:
    gradient = fl.CrossEntropy().gradient([0, 1], [[1, 2], [3, 4]])
    assert gradient.dtype == np.float64
    assert fl.CrossEntropy()([0, 1], [[1, 2], [3, 4]], reduction="none").shape == (2,)


def test_repeated_rows_and_columns(dtype: Any, rng: Any) -> None:
    """Views of stride 0, as broadcasting makes them."""
    for n, n_classes in SHAPES:
        row, column = rng.normal(size=(1, n_classes)).astype(dtype), rng.normal(size=(n, 1)).astype(dtype)
        y = rng.integers(0, n_classes, n)
        for x in (row, column, column[:1]):
            z = np.broadcast_to(x, (n, n_classes))
            for loss in (fl.CrossEntropy(), fl.MulticlassHinge()):
                found = _all(loss, np.broadcast_to(y[:1], n), z, None, "sum")
                expected = _all(loss, np.full(n, y[0]), z.copy(), None, "sum")
                assert found["value"] == expected["value"]
                np.testing.assert_array_equal(found["gradient"], expected["gradient"])


@pytest.mark.parametrize(
    "case",
    [case for case in row_samples.CASES if row_samples.takes_labels(row_samples.make(case, 2))],
    ids=row_samples.case_name,
)
def test_true_classes_anywhere_in_long_rows(case: Any, dtype: Any, rng: Any) -> None:
    """Whatever is written over predictions needed later: in place, or scratch in Fortran order."""
    loss = row_samples.make(case, 2100)
    y = np.arange(0, 2100, 60)
    _, z = row_samples.ordinary(loss, "labels", y.size, 2100, dtype, rng)
    if not row_samples.of_probabilities(loss):
        z[np.arange(y.size), y] += rng.uniform(0, 12, y.size).astype(dtype)
    expected = loss.gradient(y, z, reduction="sum")
    for order in "CF":
        np.testing.assert_array_equal(loss.gradient(y, np.array(z, order=order), reduction="sum"), expected)
        over = np.array(z, order=order)
        np.testing.assert_array_equal(loss.gradient(y, over, reduction="sum", out=over), expected)


@pytest.mark.parametrize("name", ["CrossEntropy", "Focal"])
def test_true_classes_of_rows_that_threads_share(name: str, dtype: Any, rng: Any) -> None:
    loss = getattr(fl, name)()
    z = rng.normal(size=(1, 300_000)).astype(dtype)
    for label in (0, 1500, 150_000, 299_999):
        predictions = z.copy()
        predictions[0, label] += 12
        expected = loss.gradient([label], predictions, n_threads=1)
        for n_threads in (1, 2, 3, 8):
            over = predictions.copy()
            found = loss.gradient([label], over, out=over, n_threads=n_threads)
            np.testing.assert_array_equal(found, expected)
