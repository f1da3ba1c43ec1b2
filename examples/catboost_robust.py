"""A robust regression in CatBoost: diabetes progression with some gross errors in the training targets.

In a checkout: pip install ".[catboost]" scikit-learn
"""

from __future__ import annotations

import catboost
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import fastloss as fl
from fastloss.adapters import catboost as for_catboost


def main() -> tuple[float, float]:
    """Train with and without robustness, print and return the mean absolute errors on clean targets."""
    data = load_diabetes()
    x, x_test, y, y_test = train_test_split(data.data, data.target, test_size=0.3, random_state=0)
    wrong = np.random.default_rng(0).random(len(y)) < 0.1
    y = np.where(wrong, 20 * y, y)
    errors = []
    for loss in (fl.HalfSquaredError(), fl.PseudoHuber(delta=50.0)):
        start = for_catboost.baseline(loss, y)
        model = catboost.CatBoostRegressor(
            loss_function=for_catboost.objective(loss),
            eval_metric=for_catboost.metric(loss),
            boost_from_average=False,
            iterations=60,
            depth=4,
            thread_count=1,
            verbose=False,
            allow_writing_files=False,
            random_seed=0,
        )
        model.fit(catboost.Pool(x, y, baseline=np.full(len(y), start)))
        predicted = for_catboost.predictions(loss, start + model.predict(x_test))
        errors.append(fl.AbsoluteError()(y_test, predicted))
        print(f"{loss!r}: mean absolute error {errors[-1]:.1f}")
    return errors[0], errors[1]


if __name__ == "__main__":
    main()
