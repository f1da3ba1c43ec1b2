"""Linear models of any loss, as scikit-learn's estimators."""

from __future__ import annotations

import numbers
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise ImportError('fastloss.linear_model needs scikit-learn: pip install "fastloss[sklearn]"') from error

from fastloss import _linear_solvers as solvers
from fastloss._linear_interior import interior_point
from fastloss._loss import Loss, number_in
from fastloss.adapters import _estimators as shared
from fastloss.adapters._boosting import predictions
from fastloss.linear import LinearObjective
from fastloss.penalty import L1, L2, ElasticNet, Penalty

__all__ = ["LinearClassifier", "LinearRegressor", "path"]

Array = npt.NDArray[Any]

_SOLVERS = ("auto", "newton", "lbfgs", "interior-point")


def _validated(estimator: Any, X: Any, **options: Any) -> Any:
    """Check X, and y where it is given, by scikit-learn's means."""
    options = {"accept_sparse": ["csr", "csc"], "dtype": [np.float64, np.float32], **options}
    try:
        from sklearn.utils.validation import validate_data
    except ImportError:  # before 1.6
        return estimator._validate_data(X, **options)
    return validate_data(estimator, X, **options)


def _parts(penalty: Any, alpha: Any, l1_ratio: Any) -> tuple[float, Penalty | None]:
    """Return the strength of a penalty's absolute values, and what of it is smooth."""
    if penalty is None:
        return 0.0, None
    if isinstance(penalty, str):
        ratios = {"l1": 1.0, "l2": 0.0, "elasticnet": l1_ratio}
        if penalty not in ratios:
            raise ValueError(f"penalty must be 'l1', 'l2', 'elasticnet', a penalty or None, got {penalty!r}")
        penalty = ElasticNet(alpha, l1_ratio=ratios[penalty])
    if isinstance(penalty, L1):
        return penalty.alpha, None
    if isinstance(penalty, L2):
        return 0.0, penalty
    if isinstance(penalty, ElasticNet):
        return penalty.alpha * penalty.l1_ratio, L2(penalty.alpha * (1 - penalty.l1_ratio))
    raise TypeError(f"penalty must be 'l1', 'l2', 'elasticnet', a penalty or None, got {penalty!r}")


class _Linear(BaseEstimator):
    """What both kinds of models do."""

    loss: Any
    penalty: Any
    alpha: float
    l1_ratio: float
    fit_intercept: bool
    solver: str
    max_iter: int
    tol: float
    warm_start: bool
    coef_: Array
    intercept_: Any
    loss_: Any
    n_iter_: int

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fit_loss(self, loss: Loss, X: Any, y: Array, weight: Any, n_classes: int | None) -> None:
        if self.solver not in _SOLVERS:
            raise ValueError(f"solver must be one of {', '.join(map(repr, _SOLVERS))}, got {self.solver!r}")
        number_in("tol", self.tol, 0, np.inf)
        if not isinstance(self.max_iter, numbers.Integral) or self.max_iter < 1:
            raise ValueError(f"max_iter must be a positive integer, got {self.max_iter!r}")
        if weight is not None:
            weight = np.asarray(weight)
            if weight.shape == y.shape and not np.any(weight):
                raise ValueError("the sample weights are all zero: nothing is left to fit")
        strength, smooth = _parts(self.penalty, self.alpha, self.l1_ratio)
        several = n_classes if n_classes is not None and n_classes > 2 else None
        objective = LinearObjective(loss, X, y, smooth, self.fit_intercept, weight, n_classes=several)
        l1 = np.zeros(objective.size)
        objective._matrix_of(l1)[..., : X.shape[1]] = strength
        begin = self._begin(objective, loss, y, weight, several)
        method = self._solver(objective, loss)
        solution = method(objective, begin, l1, self.tol, int(self.max_iter))
        if not solution.converged and self.solver == "auto" and method is solvers.newton:
            solution = solvers.lbfgs(objective, solution.w, l1, self.tol, int(self.max_iter))
        if not solution.converged:
            warnings.warn(
                f"{method.__name__} stopped after {solution.n_iter} iterations before it reached the"
                f" tolerance: increase max_iter={self.max_iter}, scale X, or add a penalty",
                ConvergenceWarning,
                stacklevel=3,
            )
        self.coef_, self.intercept_ = objective.unpack(solution.w)
        self.loss_, self.n_iter_ = loss, max(1, solution.n_iter)

    def _begin(self, objective: LinearObjective, loss: Loss, y: Array, weight: Any, n: Any) -> Array:
        """Return the last fit's parameters, or no coefficients and the best intercept."""
        w = objective.initial()
        place = objective._matrix_of(w)
        coefficients = place[..., : objective._n_features]
        if self.warm_start and hasattr(self, "coef_") and self.coef_.size == coefficients.size:
            coefficients[...] = self.coef_.reshape(coefficients.shape)
            if self.fit_intercept:
                place[..., -1] = np.reshape(self.intercept_, np.shape(place[..., -1]))
        elif self.fit_intercept:
            place[..., -1] = shared.start_of(loss, y, weight, n)
        return w

    def _solver(self, objective: LinearObjective, loss: Loss) -> Any:
        if self.solver != "auto":
            wanted = {
                "newton": solvers.newton,
                "lbfgs": solvers.lbfgs,
                "interior-point": interior_point,
            }[self.solver]
            if (wanted is interior_point) != solvers.has_kinks(loss) and wanted is not solvers.lbfgs:
                raise ValueError(f"solver={self.solver!r} is not for {loss!r}")
            return wanted
        if not solvers.has_matrix(objective):
            return solvers.lbfgs
        return interior_point if solvers.has_kinks(loss) else solvers.newton

    def _scores(self, X: Any) -> Array:
        check_is_fitted(self)
        X = _validated(self, X, reset=False)
        scores: Array = np.asarray(X @ self.coef_.T) + self.intercept_
        return scores


class LinearRegressor(RegressorMixin, _Linear):
    r"""A linear model that minimises the mean of any loss of regression, and a penalty.

    .. math:: \frac{\sum_i s_i\,l(y_i, x_i^\top\beta + b)}{\sum_i s_i} + P(\beta),

    with the intercept free. The optimum is exact: by Newton's method, with proximal steps under an L1
    penalty; by an interior-point method for losses of lines (`AbsoluteError`, `Quantile`,
    `EpsilonInsensitive`, `AbsolutePercentageError`). Of more than 500 parameters, and for formulas of cases,
    whose slopes may jump, it is that of L-BFGS. Redescending losses (`Cauchy`, `Welsch`, `Tukey`) have minima
    besides the lowest.

    Parameters
    ----------
    loss : Loss or str, default "half_mse"
        A loss of regression, or its name.
    penalty : {"l1", "l2", "elasticnet"}, Penalty or None, default None
        Of the coefficients; a penalty such as ``fl.ElasticNet(0.1, l1_ratio=0.9)`` has its own strength.
    alpha : float, default 1.0
        The strength, beside the mean of the loss.
    l1_ratio : float, default 0.5
        The share of the absolute values in "elasticnet".
    fit_intercept : bool, default True
        Whether there is an intercept.
    solver : {"auto", "newton", "lbfgs", "interior-point"}, default "auto"
        How to minimise.
    max_iter : int, default 1000
        Iterations at most.
    tol : float, default 1e-6
        The largest entry of the gradient at the optimum.
    warm_start : bool, default False
        Whether to begin with the parameters of the last fit.

    Attributes
    ----------
    coef_ : ndarray of shape (features,)
    intercept_ : float
    loss_ : Loss
    n_iter_ : int

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.linear_model import LinearRegressor
    >>> X = np.arange(9.0)[:, None]
    >>> y = 2 * X[:, 0] + 1
    >>> y[3] = 1e6  # an outlier
    >>> model = LinearRegressor(loss="mae").fit(X, y)
    >>> model.coef_.round(9), round(model.intercept_, 9)
    (array([2.]), 1.0)
    """

    def __init__(
        self,
        loss: Any = "half_mse",
        *,
        penalty: Any = None,
        alpha: float = 1.0,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        solver: str = "auto",
        max_iter: int = 1000,
        tol: float = 1e-6,
        warm_start: bool = False,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegressor:
        """Fit the model.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, features)
            float32 is computed in float32.
        y : array_like of shape (n,)
            The targets.
        sample_weight : array_like of shape (n,), optional
            A weight for each sample.

        Returns
        -------
        LinearRegressor
            Itself.
        """
        X, y = _validated(self, X, y=y, y_numeric=True)
        self._fit_loss(shared.loss_of_numbers(self.loss), X, y, sample_weight, None)
        return self

    def predict(self, X: Any) -> Array:
        """Predict the targets: of losses of a logarithm the exponential of the scores."""
        scores = self._scores(X)
        return predictions(self.loss_, scores)


class LinearClassifier(ClassifierMixin, _Linear):
    r"""A linear model that minimises the mean of any loss of classes, and a penalty.

    .. math:: \frac{\sum_i s_i\,l(y_i, x_i^\top\beta + b)}{\sum_i s_i} + P(\beta),

    with the intercept free: logistic regression, support vector machines (`Hinge`, `SquaredHinge`), the
    exponential loss of AdaBoost, focal losses. Solvers are those of `LinearRegressor`; `MulticlassHinge` has
    L-BFGS, which reaches its kinks only approximately.

    Parameters
    ----------
    loss : Loss or str, default "bce"
        A loss of two or of several classes, or its name. `BinaryCrossEntropy` and `BinaryFocal` without
        weights of classes stand for `CrossEntropy` and `Focal` where there are several, and these for
        those; with another loss of two classes each class is fitted against the others.
    penalty, alpha, l1_ratio, fit_intercept, solver, max_iter, tol, warm_start
        As for `LinearRegressor`.
    class_weight : dict, "balanced" or None
        Weights of the classes, as scikit-learn's.

    Attributes
    ----------
    coef_ : ndarray of shape (1, features), or (C, features) of several classes
    intercept_ : ndarray of shape (1,) or (C,)
    classes_ : ndarray
        The labels.
    loss_ : Loss
    n_iter_ : int

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.linear_model import LinearClassifier
    >>> X = np.array([[-2.0], [-1.0], [0.5], [1.0], [3.0]])
    >>> model = LinearClassifier(fl.Hinge(), penalty="l2", alpha=0.1).fit(X, ["a", "a", "b", "b", "b"])
    >>> model.predict([[-1.5], [2.0]])
    array(['a', 'b'], dtype='<U1')
    """

    classes_: Array

    def __init__(
        self,
        loss: Any = "bce",
        *,
        penalty: Any = None,
        alpha: float = 1.0,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        class_weight: Any = None,
        solver: str = "auto",
        max_iter: int = 1000,
        tol: float = 1e-6,
        warm_start: bool = False,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearClassifier:
        """Fit the model.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, features)
            float32 is computed in float32.
        y : array_like of shape (n,)
            The labels.
        sample_weight : array_like of shape (n,), optional
            A weight for each sample.

        Returns
        -------
        LinearClassifier
            Itself.
        """
        X, y = _validated(self, X, y=y)
        classes, codes = shared.encoded(y)
        if len(classes) < 2:
            raise ValueError(f"y has one class alone, {classes[0]!r}: a classifier needs two")
        weight = shared.with_class_weight(self.class_weight, y, sample_weight)
        loss = shared.loss_of(self.loss)
        if len(classes) > 2 and loss.family == "binary" and loss._counterpart() is None:
            self._fit_each(loss, X, codes, weight, len(classes))
        else:
            loss = shared.loss_of_classes(loss, len(classes))
            self._fit_loss(loss, X, codes, weight, len(classes))
            if len(classes) == 2:
                self.coef_, self.intercept_ = self.coef_[None], np.array([self.intercept_])
        self.classes_ = classes
        return self

    def _fit_each(self, loss: Loss, X: Any, codes: Array, weight: Any, n_classes: int) -> None:
        """Fit each class against the others."""
        before = (
            [(self.coef_[k], self.intercept_[k]) for k in range(n_classes)]
            if self._goes_on(n_classes)
            else []
        )
        found, iterations = [], 1
        for k in range(n_classes):
            if before:
                self.coef_, self.intercept_ = before[k]
            self._fit_loss(loss, X, (codes == k).astype(np.intp), weight, None)
            found.append((self.coef_, self.intercept_))
            iterations = max(iterations, self.n_iter_)
        self.coef_, self.n_iter_ = np.array([coef for coef, _ in found]), iterations
        self.intercept_ = np.array([intercept for _, intercept in found])

    def _goes_on(self, n_classes: int) -> bool:
        return self.warm_start and hasattr(self, "coef_") and len(self.coef_) == n_classes

    def decision_function(self, X: Any) -> Array:
        """Return the scores: one a row of two classes, otherwise one for each class."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Array:
        """Predict labels: the class that the score is for."""
        scores = self.decision_function(X)
        return np.asarray(self.classes_[shared.decisions(scores)])

    @available_if(shared.tells_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Predict the classes' probabilities, a row for each sample, in the order of `classes_`."""
        scores = self.decision_function(X)
        if scores.ndim == 1 or self.loss_.family == "multiclass":
            return shared.probabilities(self.loss_, scores)
        # Each class against the others, as if their probabilities were those of one of the classes.
        rows = np.column_stack([shared.probabilities(self.loss_, column)[:, 1] for column in scores.T])
        total = rows.sum(axis=1, keepdims=True)
        even = np.full_like(rows, 1 / rows.shape[1])
        return np.asarray(np.divide(rows, total, out=even, where=total > 0))


def path(estimator: Any, X: Any, y: Any, alphas: Any, sample_weight: Any = None) -> list[Any]:
    """Fit a model for each strength of the penalty, each begun where the last one ended.

    Parameters
    ----------
    estimator : LinearRegressor or LinearClassifier
        With a penalty that is a string.
    X, y : array_like
        As for `fit`.
    alphas : array_like of shape (k,)
        The strengths; they are tried from the largest down.
    sample_weight : array_like of shape (n,), optional
        A weight for each sample.

    Returns
    -------
    list
        The fitted models, in the order of `alphas`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastloss.linear_model import LinearRegressor, path
    >>> X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> models = path(LinearRegressor(penalty="l1"), X, X @ [2.0, -1.0], [0.25, 1.5])
    >>> [model.coef_.round(9).tolist() for model in models]
    [[1.75, -0.75], [0.5, 0.0]]
    """
    if not isinstance(estimator.penalty, str):
        raise ValueError(f"the penalty must be named for alpha to be its strength, got {estimator.penalty!r}")
    strengths = np.asarray(alphas, np.float64)
    model, found = clone(estimator).set_params(warm_start=True), {}
    for k in np.argsort(-strengths, kind="stable"):
        model.set_params(alpha=float(strengths[k])).fit(X, y, sample_weight)
        fitted = clone(model)
        fitted.__dict__.update(model.__dict__)
        found[int(k)] = fitted
    return [found[k] for k in range(len(strengths))]
