"""Whatever holds numbers is taken as it is, without a copy where its memory allows."""

from __future__ import annotations

import array
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastloss as fl

N = 1000
LOSS = fl.Huber(delta=0.5)


@pytest.fixture
def data(dtype: Any, rng: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(x.astype(dtype) for x in (rng.normal(size=N), rng.normal(size=N), rng.uniform(0.5, 2, N)))


def _agrees(make: Any, data: Any) -> None:
    """All arguments in the container, and each alone; the results are NumPy arrays of the same precision."""
    y, z, w = data
    expected = LOSS.value_gradient_and_hessian(y, z, sample_weight=w)
    for a, b, c in [(make(y), make(z), make(w)), (make(y), z, w), (y, make(z), w), (y, z, make(w))]:
        value, gradient, hessian = LOSS.value_gradient_and_hessian(a, b, sample_weight=c)
        assert value == expected[0]
        for actual, true in ((gradient, expected[1]), (hessian, expected[2])):
            assert type(actual) is np.ndarray
            np.testing.assert_array_equal(actual, true, strict=True)


def test_lists_and_tuples(rng: Any) -> None:
    data = [rng.normal(size=N), rng.normal(size=N), rng.uniform(0.5, 2, N)]
    _agrees(list, data)
    _agrees(tuple, data)
    assert LOSS([1, 2], [1, 3]) == LOSS([1.0, 2.0], [1.0, 3.0]) == 0.1875
    assert fl.SquaredError()([[1, 2], [3, 4]], [[1, 2], [3, 6]], reduction="sum") == 4
    assert fl.SquaredError()(range(3), range(3)) == 0


def test_buffers(data: Any) -> None:
    code = data[0].dtype.char
    _agrees(lambda x: array.array(code, x), data)
    _agrees(memoryview, data)


class WithArray:
    def __init__(self, x: np.ndarray) -> None:
        self.x = x

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.x


class WithDLPack:
    def __init__(self, x: np.ndarray) -> None:
        self.x = x

    def __dlpack__(self, **options: Any) -> Any:
        return self.x.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.x.__dlpack_device__()


def test_protocols(data: Any) -> None:
    _agrees(WithArray, data)
    _agrees(WithDLPack, data)


def test_memory_maps(data: Any, tmp_path: Path) -> None:
    def mapped(x: np.ndarray) -> np.ndarray:
        path = tmp_path / f"{abs(hash(x.tobytes()))}.npy"
        np.save(path, x)
        return np.load(path, mmap_mode="r")

    _agrees(mapped, data)


def test_subclasses_of_ndarray(data: Any) -> None:
    class Odd(np.ndarray):
        def __getitem__(self, key: Any) -> Any:
            raise AssertionError("the binding must not go through a subclass's methods")

    _agrees(lambda x: x.view(Odd), data)
    _agrees(lambda x: x.view(np.recarray), data)


def test_pandas(data: Any) -> None:
    pandas = pytest.importorskip("pandas")
    _agrees(pandas.Series, data)
    _agrees(lambda x: pandas.DataFrame({"a": x, "b": x})["a"], data)


def test_polars(data: Any) -> None:
    polars = pytest.importorskip("polars")
    _agrees(polars.Series, data)


def test_pyarrow(data: Any) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    _agrees(pyarrow.array, data)
    _agrees(lambda x: pyarrow.chunked_array([x[:300], x[300:]]), data)


def test_torch(data: Any) -> None:
    torch = pytest.importorskip("torch")
    _agrees(torch.from_numpy, data)


def test_jax(data: Any) -> None:
    jax = pytest.importorskip("jax")
    if data[0].dtype == np.float64:
        pytest.skip("jax holds float32 unless told otherwise")
    _agrees(jax.numpy.asarray, data)


def _big(kind: str, x: np.ndarray) -> Any:
    if kind == "array with strides":
        return np.repeat(x, 2)[::2]
    if kind == "swapped bytes":
        return x.astype(x.dtype.newbyteorder())
    if kind == "int8":
        return x.astype(np.int8)
    if kind == "misaligned":
        raw = np.empty(x.nbytes + 1, np.uint8)
        raw[1:] = x.view(np.uint8)
        return raw[1:].view(x.dtype)
    if kind == "pandas":
        return pytest.importorskip("pandas").Series(x)
    if kind == "polars":
        return pytest.importorskip("polars").Series(x)
    if kind == "pyarrow":
        return pytest.importorskip("pyarrow").array(x)
    if kind == "torch":
        return pytest.importorskip("torch").from_numpy(x)
    assert kind == "array"
    return x


@pytest.mark.parametrize(
    "kind",
    [
        "array",
        "array with strides",
        "swapped bytes",
        "int8",
        "misaligned",
        "pandas",
        "polars",
        "pyarrow",
        "torch",
    ],
)
def test_no_copy_is_made(kind: str) -> None:
    """NumPy reports its allocations to tracemalloc; a copy of any argument would be eight megabytes."""
    x = np.resize(np.array([0.0, 1.0]), 1_000_000)
    y, z, w = _big(kind, x), _big(kind, x), _big(kind, x)
    out = np.empty(1_000_000)
    LOSS.value_and_gradient(y, z, sample_weight=w, out=out)
    tracemalloc.start()
    LOSS(y, z, sample_weight=w)
    LOSS.value_and_gradient(y, z, sample_weight=w, out=out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000


def test_no_copy_of_a_grid_in_another_order() -> None:
    z = np.zeros((1000, 1000), order="F")
    y = np.zeros((1000, 2000))[:, ::2]
    out = np.empty((1000, 1000))
    tracemalloc.start()
    LOSS.value_and_gradient(y, z, sample_weight=np.ones(1000), out=out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000
