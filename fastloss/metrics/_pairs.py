"""True and predicted labels beside each other: of one kind, counted by pairs of classes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastloss import _core
from fastloss.metrics._arrays import Array, blocks, check_finite, check_lengths, n_samples, weights_of_labels
from fastloss.metrics._errors import is_sparse
from fastloss.metrics._targets import Labels, label_array, labels_of, pick, target_type

#: Cells of a table of pairs; more classes are counted one by one.
_MOST_CELLS = 1 << 16
#: What a sparse matrix of one column is, and one of several.
_SPARSE = ("binary", "multilabel-indicator")
_DIFFERENT_WIDTHS = "Multi-label binary indicator input with different numbers of labels"


class Sums(NamedTuple):
    """The weight of the samples of each class: hits, predicted ones, true ones."""

    hits: Array
    predicted: Array
    true: Array


class Pairs(NamedTuple):
    """Labels of two kinds of numbers, or of strings, and the classes that occur in either."""

    true: Labels
    predicted: Labels
    classes: Array
    true_ranks: Array
    predicted_ranks: Array
    weight: Array | None

    @property
    def kind(self) -> str:
        """What scikit-learn calls such targets."""
        return "multiclass" if len(self.classes) > 2 else "binary"

    def counts(self) -> Array:
        """Return the weight of each pair of a class among the true ones and one among the predicted ones."""
        table: Array = _core.count_pairs(
            self.true.codes,
            len(self.true.classes),
            self.predicted.codes,
            len(self.predicted.classes),
            self.weight,
        )
        if table.dtype.kind == "f" and not np.isfinite(table).all() and self.weight is not None:
            check_finite(self.weight, "sample_weight")
        return table

    def table(self, labels: Array | None = None) -> Array:
        """Return the confusion matrix of all classes, or of those that are given."""
        rows, columns = self.true_ranks, self.predicted_ranks
        n = len(self.classes)
        if labels is not None:
            n = len(labels)
            place = {label: i for i, label in enumerate(labels.tolist())}
            places = np.array([place.get(label, -1) for label in self.classes.tolist()])
            rows, columns = places[rows], places[columns]
        counts = self.counts()
        table = np.zeros((n, n), counts.dtype)
        found = rows >= 0, columns >= 0
        table[np.ix_(rows[found[0]], columns[found[1]])] = counts[np.ix_(*found)]
        return table

    def sums(self) -> Sums:
        """Return the weights of hits, predictions and labels of each class, integers' as floats."""
        n, w = len(self.classes), self.weight
        w = w.astype(np.float64) if w is not None and w.dtype.kind in "biu" else w
        if len(self.true.classes) * len(self.predicted.classes) <= _MOST_CELLS:
            table = self._replace(weight=w).table()
            return Sums(np.diagonal(table), table.sum(axis=0), table.sum(axis=1))
        true = pick(self.true_ranks, self.true.codes)
        predicted = pick(self.predicted_ranks, self.predicted.codes)
        hit = np.flatnonzero(true == predicted)
        return Sums(
            _count(true[hit], n, None if w is None else w[hit]), _count(predicted, n, w), _count(true, n, w)
        )


def _count(codes: Array, n: int, w: Array | None) -> Array:
    """Return the weight of each code."""
    counts: Array = _core.count_pairs(codes, n, np.broadcast_to(np.uint8(0), codes.shape), 1, w)
    return counts[:, 0]


class Indicators(NamedTuple):
    """Multilabel indicators, dense or sparse ones."""

    true: Any
    predicted: Any
    weight: Array | None
    kind: str = "multilabel-indicator"

    def of_columns(self, columns: Array) -> Indicators:
        """Return the indicators of some of the labels."""
        return self._replace(true=self.true[:, columns], predicted=self.predicted[:, columns])

    def sums(self, axis: int) -> Sums:
        """Return the weights of hits, predictions and labels of each label, or of each sample."""
        if is_sparse(self.true):
            parts = self.true.multiply(self.predicted), self.predicted, self.true
            return Sums(*(_count_sparse(part, axis, self.weight) for part in parts))
        n, k = self.true.shape
        dtype = np.int64 if self.weight is None else np.result_type(self.weight, np.float64)
        sums = np.zeros((3, (k, n)[axis]), dtype)
        for rows in blocks(n, k):
            true, predicted = self.true[rows] != 0, self.predicted[rows] != 0
            for sum_, mask in zip(sums, (true & predicted, predicted, true), strict=True):
                w = None if self.weight is None else self.weight[rows]
                if axis == 1:
                    sum_[rows] = mask.sum(axis=1) if w is None else mask.sum(axis=1) * w
                else:
                    sum_ += mask.sum(axis=0) if w is None else np.asarray(w, np.float64) @ mask
        if self.weight is not None and not np.isfinite(sums).all():
            check_finite(self.weight, "sample_weight")
        return Sums(*sums)


def _count_sparse(matrix: Any, axis: int, w: Array | None) -> Array:
    matrix = matrix.tocsr(copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    per_row = np.diff(matrix.indptr)
    if axis == 1:
        return np.asarray(per_row if w is None else per_row * w)
    weights = None if w is None else np.repeat(np.asarray(w, np.float64), per_row)
    return np.bincount(matrix.indices, weights=weights, minlength=matrix.shape[1])


def read_targets(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Pairs | Indicators:
    """Check what the metrics of predicted classes share, and find the classes."""
    check_lengths(y_true, y_pred, sample_weight)
    if is_sparse(y_true) or is_sparse(y_pred):
        true, predicted = sparse_indicators(y_true, y_pred)
        return Indicators(true, predicted, weights_of_labels(sample_weight, true.shape[0]))
    true, predicted = labels_of(y_true), labels_of(y_pred)
    if true is None or predicted is None or _family(true) != _family(predicted):
        check_target_types(y_true, y_pred)
    if true is not None and predicted is not None:
        w = weights_of_labels(sample_weight, len(true.codes))
        return Pairs(true, predicted, *_union(true.classes, predicted.classes), w)
    y, z = label_array(y_true), label_array(y_pred)
    if y.ndim != 2 or y.shape != z.shape:
        raise ValueError(_DIFFERENT_WIDTHS)
    return Indicators(y, z, weights_of_labels(sample_weight, len(y)))


def _family(labels: Labels) -> str:
    """Tell what labels can be compared with: numbers, strings or times."""
    kind = labels.classes.dtype.kind
    return "numbers" if kind in "biuf" else "strings" if kind in "OU" else kind


def _union(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Return all classes in order, and the ranks of either's among them."""
    if a.dtype == b.dtype and np.array_equal(a, b):
        ranks = np.arange(len(a))
        return a, ranks, ranks
    if a.dtype.kind == b.dtype.kind != "O":
        classes = np.union1d(a, b)
        return classes, np.searchsorted(classes, a), np.searchsorted(classes, b)
    # Python compares whole numbers of all dtypes as they are, NumPy would round some of them.
    labels = sorted({*a.tolist(), *b.tolist()})
    rank = {label: i for i, label in enumerate(labels)}
    classes = np.array(labels, dtype=object if isinstance(labels[0], str) else None)
    ranks_of_a, ranks_of_b = (np.array([rank[label] for label in x.tolist()]) for x in (a, b))
    return classes, ranks_of_a, ranks_of_b


def sparse_indicators(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return indicators of which one is sparse as matrices of its kind; what is none is an error."""
    kinds = [target_type(a) if not is_sparse(a) else _SPARSE[a.shape[1] > 1] for a in (y_true, y_pred)]
    if set(kinds) <= {"binary", "multiclass"}:
        raise TypeError("Sparse input is only supported when targets are of multilabel type")
    if kinds != ["multilabel-indicator"] * 2:
        mix = "a mix of {} and {}".format(*kinds)
        raise ValueError(f"Classification metrics can't handle {mix} targets")
    matrix = type((y_true if is_sparse(y_true) else y_pred).tocsr())
    a, b = (matrix(y) for y in (y_true, y_pred))
    if a.shape != b.shape:
        raise ValueError(_DIFFERENT_WIDTHS)
    return a, b


def check_target_types(y_true: Any, y_pred: Any) -> None:
    """Raise the error of targets that are no labels, or labels of two kinds."""
    are_times = [label_array(y).dtype.kind in "mM" for y in (y_true, y_pred)]
    if are_times in ([True, False], [False, True]):
        raise TypeError("times and labels that are none cannot be compared")
    types = [target_type(y_true, "y_true"), target_type(y_pred, "y_pred")]
    if not (n_samples(y_true) and n_samples(y_pred)):
        raise ValueError(
            "Found empty input array (e.g., `y_true` or `y_pred`) while a minimum of 1 sample is required."
        )
    kinds = {"multiclass"} if set(types) == {"binary", "multiclass"} else set(types)
    if len(kinds) > 1:
        mix = "a mix of {} and {}".format(*types)
        raise ValueError(f"Classification metrics can't handle {mix} targets")
    kind = kinds.pop()
    if kind not in ("binary", "multiclass", "multilabel-indicator"):
        raise ValueError(f"{kind} is not supported")
    if kind != "multilabel-indicator":
        classes = [np.unique(label_array(y)) for y in (y_true, y_pred)]
        if len({isinstance(label, str) for each in classes for label in each}) > 1:
            got = " and ".join(str(each) for each in classes)
            raise ValueError(f"Mix of label input types (string and number); Got {got}.")


def differing_widths() -> ValueError:
    """Return the error of indicators of different shapes."""
    return ValueError(_DIFFERENT_WIDTHS)
