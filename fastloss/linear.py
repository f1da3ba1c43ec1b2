"""Structural risk of a linear model, for optimisers: the mean loss of its predictions, and a penalty."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastloss._contrast import sum_of
from fastloss._linear_input import (
    count_outputs,
    has_softmax_hessian,
    matrix_of,
    near_weights,
    prediction_bounds,
    without_rows,
)
from fastloss._loss import Loss, PointwiseLoss, RowLoss
from fastloss._validation import as_array, column_hint, is_real
from fastloss.errors import DomainError
from fastloss.multiclass import CrossEntropy
from fastloss.penalty import Penalty

__all__ = ["LinearObjective"]

Array = npt.NDArray[Any]

#: Bytes of X in a block. Both products of a block read it, the second time from the cache.
_BLOCK_BYTES = 1 << 20

#: Rows of a block at least: with fewer, calls take longer than what they compute.
_FEWEST_ROWS = 64

_SOFTMAX = CrossEntropy()


class _Block(NamedTuple):
    """Some rows of X, with their targets and weights."""

    rows: slice
    X: Any
    transposed: Any
    y: Array
    weight: Array | None


class _Curvature(NamedTuple):
    """What Hessian-vector products need of the predictions, and the parameters that it was computed at."""

    w: Array
    of_predictions: Array


def _in_all_rows(error: ValueError, block: _Block) -> ValueError:
    """Return the error of a block with the index that it has in all rows."""
    rows = range(block.rows.start, block.rows.stop, block.rows.step or 1)
    return error.shifted(lambda row: rows[row]) if isinstance(error, DomainError) else error


class LinearObjective:
    r"""Mean loss of a linear model plus a penalty, as a function of the model's parameters.

    .. math:: f(w) = \frac{\sum_i s_i\,l(y_i, x_i^\top\beta + b)}{\sum_i s_i} + P(\beta),

    with the coefficients :math:`\beta`, the intercept :math:`b` and the sample weights :math:`s_i`; the
    intercept is not penalised. The objective is called as ``objective(w) -> (value, gradient)``, which is
    what ``scipy.optimize.minimize(..., jac=True)`` takes, and ``objective.hessp`` multiplies the Hessian with
    a vector, for its methods Newton-CG, trust-ncg, trust-krylov and trust-constr.

    A pointwise loss has the parameters ``[*coefficients, intercept]``. A loss of rows has one row of
    coefficients a class, and `w` is the matrix (C, features + 1), intercepts last, raveled in C order.

    A dense `X` is read once an evaluation, in blocks of rows that stay in the cache for both products with
    it, which are NumPy's; predictions exist for one block at a time. A sparse `X` is multiplied as a whole by
    its own methods. `X`, `y` and weights are kept, not copied (except as said below, and for rows of weight 0
    that are not finite and weights far from 1): they must not change.

    Parameters
    ----------
    loss : PointwiseLoss or RowLoss
        A loss with a gradient, such as :class:`BinaryCrossEntropy` or :class:`CrossEntropy`.
    X : array_like or scipy.sparse matrix or array of shape (n, features)
        float32 makes the products and the losses be computed in float32, sums over blocks in float64. Other
        dtypes are converted to float64, and sparse formats other than CSR and CSC to CSR, once.
    y : array_like
        The targets as `loss` takes them: (n,) numbers, labels or class indices, or (n, C) rows.
    penalty : L1, L2 or ElasticNet, optional
        Of the coefficients.
    fit_intercept : bool, default True
        Whether the model has an intercept, and `w` the places for it.
    sample_weight : array_like of shape (n,), optional
        A weight for each sample, at least 0.
    n_classes : int, optional
        The number of classes where `y` is class indices; by default as many as the loss has class weights,
        or one more than the largest index.

    Attributes
    ----------
    size : int
        The length of `w`.

    Raises
    ------
    TypeError
        If `loss` has no gradient or is no loss of predictions, or another argument is not of its kind.
    ValueError
        If shapes do not match, `X` has no rows, or a target or weight is outside its domain.

    Notes
    -----
    A NaN or an infinity in `X` is not sought for; it shows as NaN in the value and the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> X, y = np.array([[1.0], [2.0], [3.0]]), np.array([0, 0, 1])
    >>> objective = fl.LinearObjective(fl.BinaryCrossEntropy(), X, y, fl.L2(alpha=0.1))
    >>> value, gradient = objective(objective.initial())
    >>> round(value, 6), gradient.round(6)
    (0.693147, array([0.      , 0.166667]))
    >>> from scipy.optimize import minimize
    >>> fit = minimize(objective, objective.initial(), jac=True, hessp=objective.hessp, method="Newton-CG")
    >>> coef, intercept = objective.unpack(fit.x)
    >>> coef.round(3), round(intercept, 3)
    (array([1.487]), -3.906)
    """

    def __init__(
        self,
        loss: Loss,
        X: Any,
        y: Any,
        penalty: Penalty | None = None,
        fit_intercept: bool = True,
        sample_weight: Any = None,
        *,
        n_classes: int | None = None,
    ) -> None:
        if not isinstance(loss, PointwiseLoss | RowLoss):
            raise TypeError(f"loss must be a loss of predictions, such as fastloss.Huber(), got {loss!r}")
        if not loss.has_gradient:
            raise TypeError(f"{loss!r} is not differentiable: it has no gradient to descend")
        if penalty is not None and not isinstance(penalty, Penalty):
            raise TypeError(f"penalty must be a penalty, such as fastloss.L2(), or None, got {penalty!r}")
        if not isinstance(fit_intercept, bool | np.bool_):
            raise TypeError(f"fit_intercept must be True or False, got {fit_intercept!r}")
        self.loss = loss
        self.penalty = penalty
        self.fit_intercept = bool(fit_intercept)
        self._X = matrix_of(X)
        self._n, self._n_features = self._X.shape
        if self._n == 0:
            raise ValueError(f"X has no rows: its shape is {self._X.shape}")
        self._y = as_array(y, "y")
        self._weight = None if sample_weight is None else as_array(sample_weight, "sample_weight")
        self._n_outputs = count_outputs(loss, self._y, self._n, n_classes)
        self._check_shapes()
        self._n_columns = self._n_features + self.fit_intercept
        self.size = self._n_columns * (self._n_outputs or 1)
        # Any number that every loss takes for a prediction serves to check the targets and the weights.
        somewhere = np.asarray(0.5 if self._n_outputs is None else 1 / self._n_outputs, self._X.dtype)
        self._somewhere = np.broadcast_to(somewhere, self._prediction_shape(self._n))
        self._weight, total = near_weights(loss, self._y, self._somewhere, self._weight)
        if total == 0:
            # An error, or a mean over rows that are all ignored.
            loss(self._y, self._somewhere, sample_weight=self._weight)
        if self._weight is not None and not self._weight.all():
            self._X = without_rows(self._X, self._weight == 0)
        self._scale = 1 / total if total else 0.0
        self._blocks = list(self._split())
        self._ones = np.ones(self._blocks[0].rows.stop, self._X.dtype)
        self._row_weight: Array | None = None
        self._curvature: _Curvature | None = None

    @property
    def __name__(self) -> str:
        return self.loss.name

    def __reduce__(self) -> tuple[Any, ...]:
        # The blocks are views: pickled as they are, they would take X with them a second time.
        make = functools.partial(LinearObjective, n_classes=self._n_outputs)
        return make, (self.loss, self._X, self._y, self.penalty, self.fit_intercept, self._weight)

    def __repr__(self) -> str:
        return (
            f"LinearObjective({self.loss!r}, X of shape {self._X.shape}, penalty={self.penalty!r},"
            f" fit_intercept={self.fit_intercept})"
        )

    def _check_shapes(self) -> None:
        expected = (self._n,) if self._n_outputs is None or self._y.ndim == 1 else (self._n, self._n_outputs)
        if self._y.shape != expected:
            raise ValueError(
                f"y has shape {self._y.shape}, expected {expected} for X of shape {self._X.shape}"
            )
        if self._weight is not None and self._weight.shape != (self._n,):
            hint = column_hint("sample_weight", self._weight.shape, (self._n,))
            raise ValueError(f"sample_weight has shape {self._weight.shape}, expected {(self._n,)}{hint}")

    def _prediction_shape(self, n: int) -> tuple[int, ...]:
        return (n,) if self._n_outputs is None else (n, self._n_outputs)

    def _split(self) -> Iterator[_Block]:
        height = self._n
        if isinstance(self._X, np.ndarray):
            row_bytes = self._X.itemsize * max(1, self._n_features, self._n_outputs or 1)
            height = _BLOCK_BYTES // row_bytes
            if height < _FEWEST_ROWS:
                # Runs down so many columns would be too short to be worth the way to each.
                height = _FEWEST_ROWS if self._X.strides[1] == self._X.itemsize else self._n
        for start in range(0, self._n, height):
            rows = slice(start, min(start + height, self._n))
            X = self._X[rows] if height < self._n else self._X
            weight = None if self._weight is None else self._weight[rows]
            yield _Block(rows, X, X.T, self._y[rows], weight)

    # The parameters.

    def initial(self) -> Array:
        """Return parameters to begin with: zeros.

        Returns
        -------
        ndarray of shape (size,)

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.LinearObjective(fl.Huber(), [[1.0, 2.0], [3.0, 5.0]], [0.0, 1.0]).initial()
        array([0., 0., 0.])
        """
        return np.zeros(self.size)

    def unpack(self, w: Any) -> tuple[Array, Any]:
        """Split parameters into coefficients and intercept.

        Parameters
        ----------
        w : array_like of shape (size,)

        Returns
        -------
        coef : ndarray of shape (features,) or (C, features)
            A copy.
        intercept : float, or ndarray of shape (C,)
            0 where the model has none.

        Raises
        ------
        TypeError, ValueError
            If `w` is no vector of so many numbers.

        Examples
        --------
        >>> import fastloss as fl
        >>> objective = fl.LinearObjective(fl.Huber(), [[1.0, 2.0], [3.0, 5.0]], [0.0, 1.0])
        >>> objective.unpack([0.25, 0.5, -1.0])
        (array([0.25, 0.5 ]), -1.0)
        """
        matrix = self._matrix_of(self._parameters(w, "w"))
        coef = matrix[..., : self._n_features].copy()
        if self._n_outputs is None:
            return coef, float(matrix[-1]) if self.fit_intercept else 0.0
        return coef, matrix[:, -1].copy() if self.fit_intercept else np.zeros(self._n_outputs)

    def _parameters(self, w: Any, name: str) -> Array:
        array = as_array(w, name)
        if array.shape != (self.size,):
            intercept = " and the intercept" if self.fit_intercept else ""
            classes = "" if self._n_outputs is None else f", for each of {self._n_outputs} classes"
            raise ValueError(
                f"{name} has shape {array.shape}, expected ({self.size},):"
                f" {self._n_features} coefficients{intercept}{classes}"
            )
        if not is_real(array.dtype):
            raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
        # BLAS adds up in another order along strides.
        return np.ascontiguousarray(array, np.float64)

    def _matrix_of(self, w: Array) -> Array:
        """View parameters as (columns,) or (C, columns), the intercept in the last column."""
        return w if self._n_outputs is None else w.reshape(self._n_outputs, self._n_columns)

    # The products with X.

    def _predictor(self, w: Array) -> tuple[Array, Any]:
        """Return the coefficients as X is multiplied with them, and the intercept, in the precision of X."""
        matrix = self._matrix_of(w).astype(self._X.dtype, copy=False)
        intercept = matrix[..., -1] if self.fit_intercept else None
        return matrix[..., : self._n_features].T, intercept

    def _predict(self, block: _Block, predictor: tuple[Array, Any], room: Array | None) -> Array:
        """Return a block's predictions, in `room` where there is one; sparse products make new arrays."""
        coef, intercept = predictor
        z = block.X @ coef if room is None else np.matmul(block.X, coef, out=room[: len(block.X)])
        if intercept is not None:
            z += intercept
        return z

    def _add_backward(self, block: _Block, of_predictions: Array, total: Array) -> None:
        """Add to the parameters' derivative what a block of derivatives by the predictions makes of it."""
        total[..., : self._n_features] += (block.transposed @ of_predictions).T
        if self.fit_intercept:
            # A product with ones is many times faster than a sum along the longer axis.
            total[..., -1] += self._ones[: len(of_predictions)] @ of_predictions

    def _room(self) -> Array:
        """Return an array for numbers like the predictions of any block."""
        rows = self._blocks[0].rows
        return np.empty(self._prediction_shape(rows.stop - rows.start), self._X.dtype)

    def _room_for_predictions(self) -> Array | None:
        return self._room() if isinstance(self._X, np.ndarray) else None

    # Value and gradient.

    def __call__(self, w: Any) -> tuple[float, Array]:
        """Compute the value and the gradient, a new array each time.

        Parameters
        ----------
        w : array_like of shape (size,)
            The parameters.

        Returns
        -------
        value : float
        gradient : ndarray of shape (size,)
            float64 whatever the precision of `X`.

        Raises
        ------
        TypeError, ValueError
            If `w` is no vector of so many numbers, or a prediction is NaN where the loss takes none.

        Notes
        -----
        Where a prediction is outside the domain of the loss, as a line search may try, the value is infinite
        and the gradient that of the mean distance by which predictions are outside: minus it leads back.
        L-BFGS-B computes with an infinite value, and stops at once as if it had converged: see
        docs/linear.md.
        """
        parameters = self._parameters(w, "w")
        predictor = self._predictor(parameters)
        gradient = np.zeros(self.size)
        total = self._matrix_of(gradient)
        room, derivative = self._room_for_predictions(), self._room()
        values = []
        for block in self._blocks:
            z = self._predict(block, predictor, room)
            try:
                value, g = self.loss.value_and_gradient(
                    block.y, z, sample_weight=block.weight, reduction="sum", out=derivative[: len(z)]
                )
            except ValueError as error:
                return math.inf, self._way_out(_in_all_rows(error, block), predictor)
            values.append(value)
            self._add_backward(block, g, total)
        gradient *= self._scale
        risk = sum_of(values) * self._scale
        if self.penalty is not None:
            penalised = total[..., : self._n_features]
            penalty, penalty_gradient = self.penalty.value_and_gradient(self._coefficients(parameters))
            penalised += penalty_gradient
            risk += penalty
        return risk, gradient

    def _way_out(self, error: ValueError, predictor: tuple[Array, Any]) -> Array:
        """Return the gradient of the mean distance by which predictions are outside their domain.

        The error of the loss is raised where something else than that is the matter.
        """
        low, high, is_open = prediction_bounds(self.loss)
        gradient = np.zeros(self.size)
        total, is_outside = self._matrix_of(gradient), False
        for block in self._blocks:
            z = self._predict(block, predictor, None)
            below = z <= low if is_open else z < low
            outward = np.subtract(z > high, below, dtype=z.dtype)
            is_outside |= bool(outward.any())
            if np.isnan(z).any():
                raise error from None
            if block.weight is not None:
                outward *= block.weight.reshape(-1, *(1,) * (z.ndim - 1))
            self._add_backward(block, outward, total)
        if not is_outside:
            raise error
        # The data, which must not change, are checked once more.
        self.loss.weight_sum(self._y, self._somewhere, sample_weight=self._weight)
        gradient *= self._scale
        return gradient

    def _coefficients(self, w: Array) -> Array:
        return self._matrix_of(w)[..., : self._n_features]

    # Products with the Hessian.

    def hessp(self, w: Any, v: Any) -> Array:
        r"""Multiply the Hessian at `w` with the vector `v`.

        With the diagonal :math:`h` of the loss's Hessian by the predictions that is
        :math:`X^\top(h\odot Xv)`, plus the penalty's; with softmax probabilities :math:`p` it is exact too:
        :math:`X^\top s\,(p\odot u - p\,(p\cdot u))` for :math:`u = Xv` row by row. What is needed of the
        predictions is kept until it is asked for at another `w`.

        Parameters
        ----------
        w, v : array_like of shape (size,)
            The parameters, and the vector.

        Returns
        -------
        ndarray of shape (size,)
            A new array each time.

        Raises
        ------
        TypeError
            If the Hessian of the loss is neither diagonal nor that of softmax.
        ValueError
            If `w` or `v` has another shape, or a prediction is outside the domain of the loss.

        Examples
        --------
        >>> import fastloss as fl
        >>> X, y = [[1.0, 2.0], [3.0, 5.0]], [0.0, 1.0]
        >>> objective = fl.LinearObjective(fl.HalfSquaredError(), X, y, fl.L2(alpha=1.0))
        >>> objective.hessp(objective.initial(), [1.0, 0.0, 0.0])
        array([6. , 8.5, 2. ])
        """
        softmax = has_softmax_hessian(self.loss)
        if not (softmax or isinstance(self.loss, PointwiseLoss)):
            raise TypeError(
                f"the Hessian of {self.loss!r} cannot be had: use a method that needs the gradient alone"
            )
        parameters, vector = self._parameters(w, "w"), self._parameters(v, "v")
        known = self._curvature
        if known is None or not np.array_equal(known.w, parameters):
            kept = np.empty(self._prediction_shape(self._n), self._X.dtype)
            known, predictor = _Curvature(parameters.copy(), kept), self._predictor(parameters)
        else:
            predictor = None
        row_weight = self._row_weights() if softmax else None
        direction = self._predictor(vector)
        result = np.zeros(self.size)
        total = self._matrix_of(result)
        room = self._room_for_predictions()
        for block in self._blocks:
            here = known.of_predictions[block.rows]
            if predictor is not None:
                self._compute_curvature(block, self._predict(block, predictor, room), predictor, here)
            u = self._predict(block, direction, room)
            u *= here
            if row_weight is not None:
                u -= here * np.add.reduce(u, axis=1, keepdims=True)
                u *= row_weight[block.rows, None]
            self._add_backward(block, u, total)
        self._curvature = known
        result *= self._scale
        if self.penalty is not None:
            penalised = total[..., : self._n_features]
            penalised += self.penalty.hessian(self._coefficients(parameters)) * self._coefficients(vector)
        return result

    def _compute_curvature(self, block: _Block, z: Array, predictor: tuple[Array, Any], out: Array) -> None:
        """Write the Hessian's diagonal by the predictions `z`, or their probabilities, to `out`."""
        if self._n_outputs is not None:
            _SOFTMAX.probabilities(z, out=out)
            return
        try:
            self.loss.gradient_and_hessian(
                block.y, z, sample_weight=block.weight, reduction="sum", out=(np.empty_like(z), out)
            )
        except ValueError as error:
            raise _in_all_rows(error, block) from None

    def _row_weights(self) -> Array:
        """Return s in the Hessian s·(diag(p) − p·pᵀ) of each row: what a row of targets sums to, weighted.

        The loss knows it: where all C probabilities are alike its diagonal is s·(1/C)(1 − 1/C).
        """
        if self._row_weight is None:
            n_classes = self._n_outputs or 1
            row_weight = np.zeros(self._n, self._X.dtype)
            room, diagonal = self._room(), self._room()
            for block in self._blocks if n_classes > 1 else ():
                alike = self._somewhere[block.rows]
                outputs = room[: len(alike)], diagonal[: len(alike)]
                self.loss.gradient_and_hessian(
                    block.y, alike, sample_weight=block.weight, reduction="sum", out=outputs
                )
                row_weight[block.rows] = outputs[1][:, 0] * (n_classes**2 / (n_classes - 1))
            self._row_weight = row_weight
        return self._row_weight
