"""Three quantiles of how diabetes progresses, in LightGBM's scikit-learn estimator.

In a checkout: pip install ".[lightgbm]" scikit-learn
"""

from __future__ import annotations

import lightgbm
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import fastloss as fl
from fastloss.adapters import lightgbm as for_lightgbm


def main() -> float:
    """Train, print the share of unseen patients below each quantile, and return that of the median."""
    data = load_diabetes()
    x, x_test, y, y_test = train_test_split(data.data, data.target, test_size=0.3, random_state=0)
    shares = {}
    for q in (0.1, 0.5, 0.9):
        loss = fl.Quantile(q=q)
        start = for_lightgbm.init_score(loss, y)
        model = lightgbm.LGBMRegressor(
            objective=for_lightgbm.objective(loss),
            n_estimators=60,
            num_leaves=7,
            n_jobs=1,
            verbosity=-1,
        )
        model.fit(
            x,
            y,
            init_score=np.full(len(y), start),
            eval_X=x_test,
            eval_y=y_test,
            eval_init_score=[np.full(len(y_test), start)],
            eval_metric=for_lightgbm.metric(loss),
            callbacks=[lightgbm.early_stopping(10, verbose=False)],
        )
        # LightGBM leaves the score it started from out of its predictions.
        predicted = for_lightgbm.predictions(loss, start + model.predict(x_test))
        shares[q] = float(np.mean(y_test <= predicted))
        losses = loss(y_test, predicted), loss(y_test, np.full(len(y_test), start))
        print(f"q = {q}: {100 * shares[q]:.0f} % below, loss {losses[0]:.2f}, of a constant {losses[1]:.2f}")
    return shares[0.5]


if __name__ == "__main__":
    main()
