"""LightGBM's scikit-learn estimators with a loss: what its own objectives know of themselves is set."""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    import lightgbm
except ImportError as error:
    raise ImportError(
        'the estimators of fastloss.adapters.lightgbm need LightGBM: pip install "fastloss[lightgbm]"'
    ) from error
from sklearn.utils.metaestimators import available_if

from fastloss._loss import Loss, ParameterLoss
from fastloss.adapters import _estimators as shared
from fastloss.adapters._boosting import Array
from fastloss.adapters.lightgbm import _Metric, objective, predictions

#: The parameters that are not LightGBM's.
_OURS = ("loss", "curvature", "eval_metric")


class _Trained(lightgbm.LGBMModel):
    """What a fit of both kinds of estimators does."""

    loss: Any
    curvature: str
    eval_metric: Any
    objective: Any
    _trained: Any = None
    #: Whether parameters are collected for LightGBM, to which "loss" is another name of "objective".
    _for_lightgbm: bool = False

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters: the loss's and LightGBM's, but for the objective that the loss is."""
        params: dict[str, Any] = super().get_params(deep)
        for name in ("objective", *(_OURS if self._for_lightgbm else ())):
            params.pop(name, None)
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters."""
        shared.refuse(params, "objective")
        for name in _OURS:
            if name in params:
                setattr(self, name, params.pop(name))
        return super().set_params(**params)

    def _process_params(self, stage: str) -> dict[str, Any]:
        self._for_lightgbm = True
        try:
            params: dict[str, Any] = super()._process_params(stage)
        finally:
            self._for_lightgbm = False
        if isinstance(self._trained, ParameterLoss):
            params["num_class"] = len(self._trained.columns)
        # LightGBM would evaluate the metric of its default objective, on raw scores.
        if "metric" not in self._other_params:
            params["metric"] = "None"
        # With a custom objective it refuses data none of whose features can be split: few rows are such.
        params.setdefault("feature_pre_filter", False)
        return params

    @property
    def loss_(self) -> Any:
        """The loss that it was trained with."""
        self.booster_  # noqa: B018 - raises an error where there is none
        return self._trained

    def _fit_loss(
        self, loss: Loss, X: Any, y: Any, options: dict[str, Any], of_start: tuple[Any, Any, int | None]
    ) -> None:
        """Fit with the loss, from the constant score of least loss, which becomes part of the first tree."""
        self._trained = loss
        metric = options.pop("eval_metric", None)
        found = shared.metric_of(self.eval_metric if metric is None else metric, loss)
        options["eval_metric"] = metric if found is None else _Metric(found[0], 1, found[1])
        given = [options.get("init_score"), options.get("init_model"), self._other_params.get("linear_tree")]
        start = None
        if all(value is None for value in given):
            start = shared.start_of(loss, *of_start)
            options |= self._initial_scores(start, len(of_start[0]), options)
        # The one is asked whether there is an objective, the other is it.
        self.objective = self._objective = objective(loss, self.curvature)
        try:
            super().fit(X, y, **options)
        finally:
            self.objective = None
        if start is not None:
            self._add_start(np.atleast_1d(start))

    @staticmethod
    def _initial_scores(start: Any, n: int, options: dict[str, Any]) -> dict[str, Any]:
        """Return the start for every row of the training and evaluation sets."""
        sets = options.get("eval_set")
        labels: Any
        if options.get("eval_y") is not None:
            labels = options["eval_y"] if isinstance(options["eval_y"], tuple) else (options["eval_y"],)
        else:
            labels = [v for _, v in ([sets] if isinstance(sets, tuple) else sets or [])]
        scores: dict[str, Any] = {"init_score": shared.rows_of(start, n)}
        if labels and options.get("eval_init_score") is None:
            scores["eval_init_score"] = [shared.rows_of(start, len(v)) for v in labels]
        return scores

    def _add_start(self, start: Array) -> None:
        """Add the start to the leaves of each class's first tree: `predict` leaves initial scores out."""
        booster = self._Booster
        for k, tree in enumerate(booster.dump_model(num_iteration=1)["tree_info"]):
            for leaf in range(tree["num_leaves"]):
                booster.set_leaf_output(k, leaf, booster.get_leaf_output(k, leaf) + float(start[k]))

    def _raw(self, X: Any, **options: Any) -> Array:
        raw: Array = lightgbm.LGBMModel.predict(self, X, raw_score=True, **options)
        return raw


class Regressor(_Trained, lightgbm.LGBMRegressor):
    """LightGBM's regressor with any loss: start, link, metric and curvature are set.

    Training starts from the constant of least loss, which becomes part of the first tree. `predict` gives
    numbers in the units of the targets: the exponential of scores for `Poisson`, `Gamma` and `Tweedie`; of
    `GaussianNLL` and its kin, and of `MultiQuantile`, the columns that the loss takes. What is evaluated
    after each round, and early stopping goes by, is the loss.

    Parameters
    ----------
    loss : Loss or str, default "half_mse"
        A loss of regression with a gradient, or its name.
    curvature : str, default "auto"
        As for :func:`objective`.
    eval_metric : Loss, Measure, str or callable, optional
        A loss or measure of fastloss, or its name, in place of the loss; a function as LightGBM takes it gets
        raw scores. `fit` takes it too.
    **kwargs
        LightGBM's own parameters.

    Attributes
    ----------
    loss_ : Loss
        The loss that it was trained with.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters.lightgbm import Regressor
    >>> X, y = np.arange(80.0)[:, None], np.repeat([10.0, 1000.0], 40)
    >>> model = Regressor(loss=fl.Poisson(), n_estimators=100, verbose=-1).fit(X, y)
    >>> model.predict([[5.0], [75.0]]).round(-1)
    array([  10., 1000.])
    """

    def __init__(
        self, *, loss: Any = "half_mse", curvature: str = "auto", eval_metric: Any = None, **kwargs: Any
    ) -> None:
        shared.refuse(kwargs, "objective")
        self.loss = loss
        self.curvature = curvature
        self.eval_metric = eval_metric
        super().__init__(**kwargs)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Regressor:
        """Fit the model.

        Parameters
        ----------
        X, y : array_like
            Features and targets.
        sample_weight : array_like, optional
            A weight for each sample.
        **options
            Those of LightGBM's own `fit`: `eval_set`, `callbacks`, and so on.

        Returns
        -------
        Regressor
            Itself.
        """
        loss = shared.loss_of_numbers(self.loss)
        of_start = shared.targets(y), sample_weight, None
        self._fit_loss(loss, X, y, {"sample_weight": sample_weight, **options}, of_start)
        return self

    def predict(self, X: Any, raw_score: bool = False, **options: Any) -> Array:
        """Predict the targets; with `raw_score` raw scores."""
        raw: Array = super().predict(X, raw_score=True, **options)
        if raw_score or options.get("pred_leaf") or options.get("pred_contrib"):
            return raw
        return predictions(self.loss_, raw)


class Classifier(_Trained, lightgbm.LGBMClassifier):
    """LightGBM's classifier with any loss: start, probabilities, metric and curvature are set.

    Training starts from the scores of least loss, which become part of the first trees. `predict_proba` gives
    probabilities that belong to the loss: of a focal loss not the logistic function of its scores, which
    would be too near one half. Hinge losses have none. What is evaluated after each round, and early
    stopping goes by, is the loss.

    Parameters
    ----------
    loss : Loss or str, default "bce"
        A loss of two or of several classes, or its name. `BinaryCrossEntropy` and `BinaryFocal` without
        weights of classes stand for `CrossEntropy` and `Focal` where there are several, and these for those.
    curvature : str, default "auto"
        As for :func:`objective`.
    eval_metric : Loss, Measure, str or callable, optional
        A loss or measure of fastloss, or its name, in place of the loss; a function as LightGBM takes it gets
        raw scores. `fit` takes it too.
    **kwargs
        LightGBM's own parameters, `class_weight` among them.

    Attributes
    ----------
    loss_ : Loss
        The loss that it was trained with. The labels are in ``classes_``, as LightGBM keeps them.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters.lightgbm import Classifier
    >>> X, y = np.arange(80.0)[:, None], np.repeat(["left", "right"], 40)
    >>> model = Classifier(loss=fl.BinaryFocal(gamma=2.0), n_estimators=20, verbose=-1).fit(X, y)
    >>> model.predict([[5.0], [75.0]])
    array(['left', 'right'], dtype='<U5')
    """

    def __init__(
        self, *, loss: Any = "bce", curvature: str = "auto", eval_metric: Any = None, **kwargs: Any
    ) -> None:
        shared.refuse(kwargs, "objective")
        self.loss = loss
        self.curvature = curvature
        self.eval_metric = eval_metric
        super().__init__(**kwargs)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Classifier:
        """Fit the model.

        Parameters
        ----------
        X, y : array_like
            Features and labels.
        sample_weight : array_like, optional
            A weight for each sample.
        **options
            Those of LightGBM's own `fit`: `eval_set`, `callbacks`, and so on.

        Returns
        -------
        Classifier
            Itself.
        """
        classes, codes = shared.encoded(y)
        loss = shared.loss_of_classes(self.loss, len(classes))
        weight = shared.with_class_weight(self.class_weight, y, sample_weight)
        of_start = codes, weight, len(classes)
        self._fit_loss(loss, X, y, {"sample_weight": sample_weight, **options}, of_start)
        return self

    def predict(self, X: Any, raw_score: bool = False, **options: Any) -> Array:
        """Predict labels: the class that the score is for; with `raw_score` raw scores."""
        raw = self._raw(X, **options)
        if raw_score or options.get("pred_leaf") or options.get("pred_contrib"):
            return raw
        labels: Array = self.classes_[shared.decisions(raw)]
        return labels

    @available_if(shared.tells_probabilities)
    def predict_proba(self, X: Any, raw_score: bool = False, **options: Any) -> Array:
        """Predict the classes' probabilities, a row for each sample, in the order of `classes_`."""
        raw = self._raw(X, **options)
        if raw_score or options.get("pred_leaf") or options.get("pred_contrib"):
            return raw
        return shared.probabilities(self.loss_, raw)


for _estimator in (Classifier, Regressor):
    _estimator.__module__ = "fastloss.adapters.lightgbm"
