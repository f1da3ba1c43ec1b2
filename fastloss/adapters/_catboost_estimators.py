"""CatBoost's estimators with a loss: what its own objectives know of themselves is set."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

try:
    import catboost
except ImportError as error:
    raise ImportError(
        'the estimators of fastloss.adapters.catboost need CatBoost: pip install "fastloss[catboost]"'
    ) from error
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if

from fastloss._loss import Loss
from fastloss._validation import as_array
from fastloss.adapters import _estimators as shared
from fastloss.adapters._boosting import Array
from fastloss.adapters._units import typical_row
from fastloss.adapters.catboost import make_metric, objective, predictions

#: The parameters that are not CatBoost's, and what they are where they are not given.
_OURS = {"loss": None, "curvature": "auto", "class_weight": None, "eval_metric": None}
#: Those of CatBoost for which there is the loss, and a weight for each class.
_REFUSED = ("loss_function", "objective", "class_weights", "auto_class_weights", "scale_pos_weight")
#: Where the classes and the loss are kept with the model.
_KEY = "fastloss"


class _Trained(catboost.CatBoost):
    """What a fit of both kinds of estimators does; parameters are kept where CatBoost keeps its own."""

    _default_loss: str
    _has_classes: bool = False
    _training: dict[str, Any] | None = None
    _init_params: dict[str, Any]

    def _keep(self, **given: Any) -> None:
        self._init_params.pop("loss_function", None)
        self._init_params.update({name: value for name, value in given.items() if value != _OURS[name]})

    def _parameter(self, name: str) -> Any:
        return self._init_params.get(name, self._default_loss if name == "loss" else _OURS[name])

    @property
    def loss(self) -> Any:
        """The parameter `loss`."""
        return self._parameter("loss")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters that were given."""
        ours = {name: self._parameter(name) for name in _OURS if name != "class_weight" or self._has_classes}
        return {**super().get_params(), **ours}

    def set_params(self, **params: Any) -> Any:
        """Set parameters; a fitted model is no longer one, as it is with scikit-learn's estimators."""
        for name in _REFUSED:
            shared.refuse(params, name)
        return super().set_params(**params)

    def _get_canonized_params(self) -> dict[str, Any]:
        params = dict(super()._get_canonized_params())
        for name in _OURS:
            params.pop(name, None)
        return {**params, **(self._training or {})}

    @property
    def loss_(self) -> Loss:
        """The loss that it was trained with."""
        return self._loss_for(self._kept().get("classes"))

    def _kept(self) -> dict[str, Any]:
        if not self.is_fitted():
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"this {type(self).__name__} is not fitted: call fit first")
        return dict(json.loads(self.get_metadata()[_KEY]))

    def _loss_for(self, classes: Any) -> Loss:
        raise NotImplementedError

    def _fit_loss(
        self, loss: Loss, X: Any, y: Any, options: dict[str, Any], classes: Array | None = None
    ) -> None:
        """Fit with the loss from the constant of least loss, which becomes the model's bias."""
        found = shared.metric_of(self._parameter("eval_metric"), loss)
        made: Any = objective(loss, self._parameter("curvature"))
        if self._parameter("curvature") == "auto":
            made = made.in_units_of(y, options.get("sample_weight"))
        training: dict[str, Any] = {"loss_function": made}
        if loss.family == "binary" or loss.link == "none" or typical_row(loss) is not None:
            # As many steps in a leaf as for CatBoost's own Logloss: one is far from the leaf's best value.
            training["leaf_estimation_iterations"] = self._init_params.get("leaf_estimation_iterations", 10)
        training["eval_metric"] = (
            self._parameter("eval_metric") if found is None else make_metric(found[0], 1, found[1])
        )
        n_classes = None if classes is None else len(classes)
        if n_classes is not None and n_classes > 2:
            training["classes_count"] = n_classes
        start = None
        if options.get("baseline") is None and options.get("init_model") is None:
            start = shared.start_of(loss, y, options.get("sample_weight"), n_classes)
            options = {**options, "baseline": shared.rows_of(start, len(y))}
            if options.get("eval_set") is not None:
                options["eval_set"] = self._with_baseline(options, start)
        self._training = training
        try:
            super().fit(X, y, **options)
        finally:
            self._training = None
        if start is not None:
            self.set_scale_and_bias(1.0, np.atleast_1d(start).tolist())
        kept = {"loss": repr(loss), "classes": None if classes is None else classes.tolist()}
        self.get_metadata()[_KEY] = json.dumps(kept)

    def _with_baseline(self, options: dict[str, Any], start: Any) -> list[Any]:
        """Return the evaluation sets as pools that start where training does."""
        sets = options["eval_set"] if isinstance(options["eval_set"], list) else [options["eval_set"]]
        features = {
            name: options[name] if options.get(name) is not None else self._init_params.get(name)
            for name in ("cat_features", "text_features", "embedding_features")
        }
        pools = []
        for one in sets:
            pool = one if isinstance(one, catboost.Pool) else catboost.Pool(*one, **features)
            pool.set_baseline(shared.rows_of(start, pool.num_row()))
            pools.append(pool)
        return pools

    def load_model(self, *arguments: Any, **options: Any) -> Any:
        """Load a model that `save_model` wrote; the estimator must have the loss that it was trained with.

        Raises
        ------
        ValueError
            If the model was trained with another loss.
        """
        given = self._init_params
        super().load_model(*arguments, **options)
        self._init_params, self._canonized_params = given, None
        loss = self._kept().get("loss")
        if loss != repr(self.loss_):
            raise ValueError(f"the model was trained with {loss}: give that as the loss")
        return self

    def _raw(self, X: Any, **options: Any) -> Array:
        self._kept()
        return as_array(catboost.CatBoost.predict(self, X, prediction_type="RawFormulaVal", **options), "raw")


class Regressor(_Trained, catboost.CatBoostRegressor):
    """CatBoost's regressor with any loss: start, link, metric and curvature are set.

    Training starts from the constant of least loss, which becomes the model's bias. `predict` gives numbers
    in the units of the targets: the exponential of scores for `Poisson`, `Gamma` and `Tweedie`. What is
    evaluated after each round, and early stopping goes by, is the loss.

    Parameters
    ----------
    loss : Loss or str, default "half_mse"
        A loss of regression with a gradient, or its name.
    curvature : str, default "auto"
        As for :func:`objective`.
    eval_metric : Loss, Measure, str or object, optional
        A loss or measure of fastloss, or its name, in place of the loss; an object as CatBoost takes it gets
        raw scores.
    **params
        CatBoost's own parameters.

    Attributes
    ----------
    loss_ : Loss
        The loss that it was trained with.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters.catboost import Regressor
    >>> X, y = np.arange(40.0)[:, None], np.repeat([10.0, 1000.0], 20)
    >>> model = Regressor(loss=fl.Poisson(), iterations=50, verbose=0, allow_writing_files=False)
    >>> model.fit(X, y).predict([[5.0], [35.0]]).round(-1)
    array([  10., 1000.])
    """

    _default_loss = "half_mse"

    def __init__(
        self, loss: Any = "half_mse", curvature: str = "auto", eval_metric: Any = None, **params: Any
    ) -> None:
        for name in _REFUSED:
            shared.refuse(params, name)
        super().__init__(**params)
        self._keep(loss=None if loss == "half_mse" else loss, curvature=curvature, eval_metric=eval_metric)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Regressor:
        """Fit the model.

        Parameters
        ----------
        X, y : array_like
            Features and targets.
        sample_weight : array_like, optional
            A weight for each sample.
        **options
            Those of CatBoost's own `fit`: `eval_set`, `cat_features`, and so on.

        Returns
        -------
        Regressor
            Itself.
        """
        y = shared.targets(X.get_label() if y is None and isinstance(X, catboost.Pool) else y)
        self._fit_loss(self._loss_for(None), X, y, {"sample_weight": sample_weight, **options})
        return self

    def predict(self, X: Any, **options: Any) -> Array:
        """Predict the targets."""
        return predictions(self.loss_, self._raw(X, **options))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of the targets' variance that is explained, R²."""
        return float(RegressorMixin.score(self, X, y, sample_weight))

    def _loss_for(self, classes: Any) -> Loss:
        return shared.loss_of_numbers(self.loss)


class Classifier(_Trained, catboost.CatBoostClassifier):
    """CatBoost's classifier with any loss: labels, start, probabilities, metric and curvature are set.

    Labels are of any kind. Training starts from the scores of least loss, which become the model's bias.
    `predict_proba` gives probabilities that belong to the loss: of a focal loss not the logistic function of
    its scores, which would be too near one half. Hinge losses have none. What is evaluated after each round,
    and early stopping goes by, is the loss. Several classes cost a call of Python a row.

    Parameters
    ----------
    loss : Loss or str, default "bce"
        A loss of two or of several classes, or its name. `BinaryCrossEntropy` and `BinaryFocal` without
        weights of classes stand for `CrossEntropy` and `Focal` where there are several, and these for those.
    curvature : str, default "auto"
        As for :func:`objective`.
    class_weight : dict, "balanced" or None
        Weights of the classes, as scikit-learn's.
    eval_metric : Loss, Measure, str or object, optional
        A loss or measure of fastloss, or its name, in place of the loss; an object as CatBoost takes it gets
        raw scores.
    **params
        CatBoost's own parameters.

    Attributes
    ----------
    loss_ : Loss
        The loss that it was trained with.
    classes_ : ndarray
        The labels.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters.catboost import Classifier
    >>> X, y = np.arange(40.0)[:, None], np.repeat(["left", "right"], 20)
    >>> options = {"iterations": 20, "verbose": 0, "allow_writing_files": False}
    >>> model = Classifier(loss=fl.BinaryFocal(gamma=2.0), **options).fit(X, y)
    >>> model.predict([[5.0], [35.0]])
    array(['left', 'right'], dtype='<U5')
    """

    _default_loss = "bce"
    _has_classes = True

    def __init__(
        self,
        loss: Any = "bce",
        curvature: str = "auto",
        class_weight: Any = None,
        eval_metric: Any = None,
        **params: Any,
    ) -> None:
        for name in _REFUSED:
            shared.refuse(params, name)
        super().__init__(**params)
        self._keep(
            loss=None if loss == "bce" else loss,
            curvature=curvature,
            class_weight=class_weight,
            eval_metric=eval_metric,
        )

    @property
    def classes_(self) -> Any:
        """The labels; None before the model is fitted, as CatBoost's own."""
        return np.array(self._kept()["classes"]) if self.is_fitted() else None

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Classifier:
        """Fit the model.

        Parameters
        ----------
        X, y : array_like
            Features and labels.
        sample_weight : array_like, optional
            A weight for each sample.
        **options
            Those of CatBoost's own `fit`: `eval_set`, `cat_features`, and so on. The labels of a Pool are
            indices of classes.

        Returns
        -------
        Classifier
            Itself.
        """
        classes, codes = shared.encoded(y)
        weight = shared.with_class_weight(self._parameter("class_weight"), y, sample_weight)
        options = {**options, "sample_weight": weight}
        sets = options.get("eval_set")
        if sets is not None:
            sets = sets if isinstance(sets, list) else [sets]
            options["eval_set"] = [
                one if isinstance(one, catboost.Pool) else (one[0], shared.codes_of(one[1], classes))
                for one in sets
            ]
        self._fit_loss(self._loss_for(classes), X, codes, options, classes)
        return self

    def predict(self, X: Any, **options: Any) -> Array:
        """Predict labels: the class that the score is for."""
        labels: Array = self.classes_[shared.decisions(self._raw(X, **options))]
        return labels

    @available_if(shared.tells_probabilities)
    def predict_proba(self, X: Any, **options: Any) -> Array:
        """Predict the classes' probabilities, a row for each sample, in the order of `classes_`."""
        return shared.probabilities(self.loss_, self._raw(X, **options))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of labels found."""
        return float(ClassifierMixin.score(self, X, y, sample_weight))

    def _loss_for(self, classes: Any) -> Loss:
        return shared.loss_of_classes(self.loss, len(classes))


for _estimator in (Classifier, Regressor):
    _estimator.__module__ = "fastloss.adapters.catboost"
