"""Rare digits with the focal loss in XGBoost: one digit against the nine others.

In a checkout: pip install ".[xgboost]" scikit-learn
"""

from __future__ import annotations

import numpy as np
import xgboost
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

import fastloss as fl
from fastloss.adapters import xgboost as for_xgboost


def main() -> float:
    """Train, print what came of it, and return the average precision on unseen digits."""
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.data, digits.target == 8, test_size=0.4, random_state=0, stratify=digits.target
    )
    loss = fl.BinaryFocal(gamma=2.0)

    # Scores are raw, so the score to start from is, too.
    start = for_xgboost.base_score(loss, y)
    train, test = xgboost.DMatrix(x, y, nthread=1), xgboost.DMatrix(x_test, y_test, nthread=1)
    model = xgboost.train(
        {"base_score": start, "max_depth": 4, "nthread": 1, "disable_default_eval_metric": True},
        train,
        num_boost_round=40,
        obj=for_xgboost.objective(loss),
        custom_metric=for_xgboost.metric(fl.BinaryCrossEntropy()),
        evals=[(test, "test")],
        early_stopping_rounds=10,
        verbose_eval=False,
    )
    probabilities = for_xgboost.predictions(loss, model.predict(test))
    precision = float(average_precision_score(y_test, probabilities))
    print(f"{model.best_iteration + 1} rounds, best {model.attributes()['best_score']} cross-entropy")
    print(f"average precision {precision:.3f}, of a guess {np.mean(y_test):.3f}")
    return precision


if __name__ == "__main__":
    main()
