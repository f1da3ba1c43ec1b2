from typing import Any, Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt

_Reduction: TypeAlias = Literal["mean", "sum", "none"]
_Out: TypeAlias = npt.NDArray[Any] | tuple[npt.NDArray[Any] | None, ...] | None
_Array: TypeAlias = npt.NDArray[Any]
_DomainTuple: TypeAlias = tuple[float, float, bool, bool]

class Verbs:
    # What they take is a matter of the family: predictions, embeddings, distributions.
    def __call__(self, *arguments: Any, **options: Any) -> Any: ...
    def gradient(self, *arguments: Any, **options: Any) -> Any: ...
    def value_and_gradient(self, *arguments: Any, **options: Any) -> Any: ...
    def gradient_and_hessian(self, *arguments: Any, **options: Any) -> Any: ...
    def value_gradient_and_hessian(self, *arguments: Any, **options: Any) -> Any: ...
    def weight_sum(
        self, y_true: Any, y_pred: Any, *, sample_weight: Any = None, n_threads: int | None = None
    ) -> float: ...
    def _curvatures(self) -> tuple[list[int], int]: ...
    def _gradient_and_curvature(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: Any,
        curvature: int,
        out: _Out,
        n_threads: int | None,
        single: bool = False,
    ) -> tuple[_Array, _Array]: ...

class _OfPredictions(Verbs):
    # The verbs of targets and predictions. A value is a float, for "none" an array.
    @overload
    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Literal["mean", "sum"] = "mean",
        out: _Out = None,
        n_threads: int | None = None,
    ) -> float: ...
    @overload
    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Literal["none"],
        out: _Out = None,
        n_threads: int | None = None,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: str,
        out: _Out = None,
        n_threads: int | None = None,
    ) -> float | _Array: ...
    def gradient(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: str = "mean",
        out: _Out = None,
        n_threads: int | None = None,
    ) -> _Array: ...
    @overload
    def value_and_gradient(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Literal["mean", "sum"] = "mean",
        out: _Out = None,
        n_threads: int | None = None,
    ) -> tuple[float, _Array]: ...
    @overload
    def value_and_gradient(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Literal["none"],
        out: _Out = None,
        n_threads: int | None = None,
    ) -> tuple[_Array, _Array]: ...
    @overload
    def value_and_gradient(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: str,
        out: _Out = None,
        n_threads: int | None = None,
    ) -> tuple[float | _Array, _Array]: ...
    def gradient_and_hessian(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: str = "mean",
        out: _Out = None,
        n_threads: int | None = None,
    ) -> tuple[_Array, _Array]: ...
    @overload
    def value_gradient_and_hessian(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Literal["mean", "sum"] = "mean",
        out: _Out = None,
        n_threads: int | None = None,
    ) -> tuple[float, _Array, _Array]: ...
    @overload
    def value_gradient_and_hessian(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: Literal["none"],
        out: _Out = None,
        n_threads: int | None = None,
    ) -> tuple[_Array, _Array, _Array]: ...
    @overload
    def value_gradient_and_hessian(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        sample_weight: Any = None,
        reduction: str,
        out: _Out = None,
        n_threads: int | None = None,
    ) -> tuple[float | _Array, _Array, _Array]: ...

class Pointwise(_OfPredictions):
    def _bind(self, kernel: str, parameters: tuple[float, ...] = (), differentiable: bool = True) -> None: ...
    def _bind_formula(
        self,
        targets: tuple[float, float, bool, bool, bool],
        predictions: tuple[float, float, bool, bool, bool],
        cost: int,
        constants: bytes,
        programs: list[tuple[bytes, int, list[tuple[int, int, int, int]]]],
    ) -> None: ...
    def _bind_compiled(self, of_float32: int, of_float64: int) -> None: ...
    def _is_compiled(self) -> bool: ...
    def _n_columns(self) -> int: ...
    def _bind_columns(self, columns: tuple[Pointwise, ...], weights: tuple[float, ...] = ...) -> None: ...
    def _map(self, y_pred: Any, out: _Out, n_threads: int | None) -> npt.NDArray[Any]: ...
    def _domains(self) -> tuple[_DomainTuple, _DomainTuple]: ...

class Rows(_OfPredictions):
    def _bind(
        self,
        kernel: str,
        *,
        class_weight: tuple[float, ...] | dict[int, float] | None = None,
        label_smoothing: float = 0,
        ignore_index: int | None = None,
        gamma: float = 0,
        alpha: float | tuple[float, ...] | dict[int, float] | None = None,
        log_base: float = 0,
        constant: float = 0,
        columns: tuple[str, ...] = (),
    ) -> None: ...
    def _link(self, kernel: str, y_pred: Any, out: _Out, n_threads: int | None) -> npt.NDArray[Any]: ...

class Penalised:
    def _bind(self, kernel: str, parameters: tuple[float, ...]) -> None: ...
    def __call__(self, w: Any, *, n_threads: int | None = None) -> float: ...
    def gradient(self, w: Any, *, out: _Out = None, n_threads: int | None = None) -> npt.NDArray[Any]: ...
    def hessian(self, w: Any, *, out: _Out = None, n_threads: int | None = None) -> npt.NDArray[Any]: ...
    def value_and_gradient(
        self, w: Any, *, out: _Out = None, n_threads: int | None = None
    ) -> tuple[float, npt.NDArray[Any]]: ...
    def gradient_and_hessian(
        self, w: Any, *, out: _Out = None, n_threads: int | None = None
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]: ...
    def value_gradient_and_hessian(
        self, w: Any, *, out: _Out = None, n_threads: int | None = None
    ) -> tuple[float, npt.NDArray[Any], npt.NDArray[Any]]: ...

class Embeddings(Verbs):
    def _bind(self, kernel: str, margin: float = 0) -> None: ...
    # A value (a float, or an array for "none"), a tuple of gradients, or both.
    def _evaluate(
        self,
        inputs: tuple[Any, ...],
        labels: Any,
        names: tuple[str, ...],
        sample_weight: Any,
        reduction: _Reduction,
        out: _Out,
        n_threads: int | None,
        want_value: bool,
        want_gradient: bool,
    ) -> Any: ...

def embedding_arguments(inputs: tuple[Any, ...], names: tuple[str, ...]) -> list[npt.NDArray[Any]]: ...
def precision_of(arrays: list[npt.NDArray[Any]]) -> type[np.float32] | type[np.float64]: ...
def row_numbers(x: Any, name: str, first: npt.NDArray[Any], first_name: str) -> npt.NDArray[Any]: ...
def embedding_outputs(
    arrays: list[npt.NDArray[Any]],
    names: tuple[str, ...],
    weight: npt.NDArray[Any] | None,
    reduction: _Reduction,
    out: _Out,
    want_value: bool,
    want_gradient: bool,
) -> tuple[list[npt.NDArray[Any]], bool]: ...
def checked_threads(n_threads: int | None) -> int: ...
def similarity_gather(
    similarity: npt.NDArray[Any],
    first_row: int,
    first_column: int,
    n_vectors: int,
    temperature: float,
    largest: npt.NDArray[np.float64],
    total: npt.NDArray[np.float64],
    positive: npt.NDArray[np.float64],
    n_threads: int,
) -> None: ...
def similarity_slopes(
    similarity: npt.NDArray[Any],
    first_row: int,
    first_column: int,
    temperature: float,
    level: npt.NDArray[Any],
    missed: npt.NDArray[Any],
    share: npt.NDArray[Any],
    n_threads: int,
) -> None: ...
def wasserstein(
    u: Any,
    v: Any,
    u_weights: Any,
    v_weights: Any,
    p: float,
    positions: npt.NDArray[Any] | None,
    *,
    sample_weight: Any,
    reduction: str,
    out: Any,
    n_threads: int | None,
    want_value: bool,
    want_gradient: bool,
) -> Any: ...
def sinkhorn(
    x: Any,
    y: Any,
    x_weights: Any,
    y_weights: Any,
    reg: float,
    euclidean: bool,
    debiased: bool,
    tol: float,
    max_iter: int,
    *,
    out: Any,
    n_threads: int | None,
    want_gradient: bool,
) -> tuple[float, Any, int, float]: ...
def deliver(result: npt.NDArray[Any], like: npt.NDArray[Any], out: Any) -> npt.NDArray[Any]: ...
def isa() -> str: ...
def isa_available() -> list[str]: ...
def select_isa(name: str) -> bool: ...
def has_openmp() -> bool: ...
def threads() -> int: ...
def set_default_threads(n: int) -> None: ...
def local_threads() -> int: ...
def set_local_threads(n: int) -> None: ...
def stream_triad(
    a: npt.NDArray[np.float32], b: npt.NDArray[np.float32], out: npt.NDArray[np.float32], n_threads: int = 1
) -> None: ...

SCORE_KEYS: int
RUN_KEYS: int
RUNS: int
EXACT_UNIT: int

class ExactSums:
    n_groups: int
    n_values: int
    width: int
    def __init__(self, n_values: int) -> None: ...
    def grow(self, n_groups: int) -> None: ...
    def add_values(
        self,
        values: list[npt.NDArray[Any]],
        weights: npt.NDArray[Any] | None,
        counted: npt.NDArray[Any] | None,
        starts: npt.NDArray[Any],
        groups: npt.NDArray[Any],
    ) -> None: ...
    def add_weights(
        self, weights: npt.NDArray[Any], starts: npt.NDArray[Any], groups: npt.NDArray[Any]
    ) -> None: ...
    def add_counts(self, counts: npt.NDArray[Any], groups: npt.NDArray[Any]) -> None: ...
    def merge(self, other: ExactSums, groups: npt.NDArray[Any]) -> None: ...
    def clear(self) -> None: ...
    def cell(self, group: int, i: int) -> tuple[int, int, int, int]: ...
    def set_cell(self, group: int, i: int, total: int, above: int, below: int, nans: int) -> None: ...

def bring_together(
    codes: npt.NDArray[Any],
    n_codes: int,
    arrays: list[npt.NDArray[Any]],
    out: list[npt.NDArray[Any]] | None = None,
) -> tuple[list[npt.NDArray[Any]], npt.NDArray[Any]]: ...
def find_probability_bins(
    p: npt.NDArray[Any], labels: npt.NDArray[Any], n_bins: int, codes: npt.NDArray[Any]
) -> bool: ...
def count_scores(
    low: npt.NDArray[Any],
    high: npt.NDArray[Any],
    is_high: npt.NDArray[Any],
    extent: npt.NDArray[Any],
    scores: npt.NDArray[Any],
    labels: npt.NDArray[Any],
) -> bool: ...
def merge_counts(
    low: npt.NDArray[Any],
    high: npt.NDArray[Any],
    is_high: npt.NDArray[Any],
    more_low: npt.NDArray[Any],
    more_high: npt.NDArray[Any],
    more_is_high: npt.NDArray[Any],
    extent: npt.NDArray[Any],
) -> None: ...
def read_counts(
    low: npt.NDArray[Any], high: npt.NDArray[Any], is_high: npt.NDArray[Any], extent: npt.NDArray[Any]
) -> npt.NDArray[Any]: ...
def weigh_scores(
    wide: npt.NDArray[Any],
    squares: npt.NDArray[Any],
    extent: npt.NDArray[Any],
    scores: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    weights: npt.NDArray[Any],
) -> bool: ...
def merge_weights(
    wide: npt.NDArray[Any],
    squares: npt.NDArray[Any],
    more: npt.NDArray[Any],
    more_squares: npt.NDArray[Any],
    extent: npt.NDArray[Any],
) -> None: ...
def places_of_keys(keys: npt.NDArray[Any]) -> npt.NDArray[Any]: ...
def summarise_counts(
    low: npt.NDArray[Any],
    high: npt.NDArray[Any],
    is_high: npt.NDArray[Any],
    extent: npt.NDArray[Any],
    with_order: bool = True,
) -> dict[str, Any]: ...
def summarise_weights(
    wide: npt.NDArray[Any], squares: npt.NDArray[Any], extent: npt.NDArray[Any], with_order: bool = True
) -> dict[str, Any]: ...
def list_counts(
    low: npt.NDArray[Any], high: npt.NDArray[Any], is_high: npt.NDArray[Any], extent: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]: ...
def list_weights(
    wide: npt.NDArray[Any], squares: npt.NDArray[Any], extent: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], ...]: ...
def summarise_ranking(
    negative: npt.NDArray[Any],
    positive: npt.NDArray[Any],
    negative_squares: npt.NDArray[Any],
    positive_squares: npt.NDArray[Any],
) -> dict[str, Any]: ...
def count_pairs(
    a: npt.NDArray[Any], n_a: int, b: npt.NDArray[Any], n_b: int, weight: npt.NDArray[Any] | None = None
) -> npt.NDArray[Any]: ...
def find_bins(x: npt.NDArray[Any], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]: ...
def encode_items(
    items: npt.NDArray[Any], out: npt.NDArray[np.uint32] | None = None
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uintp]]: ...
def encode_objects(y: npt.NDArray[Any]) -> tuple[list[Any], npt.NDArray[np.uint32]]: ...

class Ranking:
    def __init__(
        self,
        score: npt.NDArray[Any],
        positive: npt.NDArray[np.uint8],
        weight: npt.NDArray[Any] | None = None,
    ) -> None: ...
    @property
    def has_negative_weights(self) -> bool: ...
    def auc(self) -> float: ...
    def summary(self) -> dict[str, Any]: ...
    def average_precision(self) -> float: ...
    def curve(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[Any]]: ...

def is_among_top(
    scores: npt.NDArray[Any], column: npt.NDArray[np.int64], k: int
) -> npt.NDArray[np.bool_]: ...
def discounted_gains(
    gains: npt.NDArray[np.float64],
    scores: npt.NDArray[Any],
    discount: npt.NDArray[np.float64],
    ignore_ties: bool,
) -> npt.NDArray[np.float64]: ...
def formula_operations() -> list[str]: ...
def formula_library() -> str: ...
