"""Rare tumours with scikit-learn: train with focal loss, choose by it, and compare by the usual metrics.

Runs on the breast-cancer data that come with scikit-learn, of whose malignant tumours one in ten is kept.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate

import fastloss as fl
from fastloss.adapters.sklearn import scorer
from fastloss.adapters.sklearn_loss import as_sklearn_loss
from fastloss.metrics import brier_score_loss, log_loss

X, target = load_breast_cancer(return_X_y=True)
diagnosis = np.array(["malignant", "benign"])[target]
kept = (diagnosis == "benign") | (np.arange(len(target)) % 10 == 0)
X, diagnosis = X[kept], diagnosis[kept]
print(f"{len(diagnosis)} tumours, {np.mean(diagnosis == 'malignant'):.1%} malignant")

folds = StratifiedKFold(5, shuffle=True, random_state=0)
losses = {
    "log loss (built in)": "log_loss",
    "focal loss, gamma 1": as_sklearn_loss(fl.BinaryFocal(gamma=1.0)),
    "focal loss, gamma 2": as_sklearn_loss(fl.BinaryFocal(gamma=2.0)),
}
scores = {
    "focal": scorer(fl.BinaryFocal(gamma=2.0, from_logits=False)),
    "cross-entropy": scorer(fl.BinaryCrossEntropy()),
    "wrong": scorer(fl.ZeroOne()),
}
print(f"\n{'held out, mean of 5 folds':26}" + "".join(f"{name:>15}" for name in scores))
for name, loss in losses.items():
    model = HistGradientBoostingClassifier(loss=loss, max_iter=40, random_state=0)
    result = cross_validate(model, X, diagnosis, cv=folds, scoring=scores)
    print(f"{name:26}" + "".join(f"{-result[f'test_{score}'].mean():15.4f}" for score in scores))

search = GridSearchCV(
    HistGradientBoostingClassifier(loss=losses["focal loss, gamma 1"], max_iter=40, random_state=0),
    {"max_leaf_nodes": [3, 31]},
    scoring=scores["focal"],
    cv=folds,
).fit(X, diagnosis)
print(f"\nchosen by focal loss: {search.best_params_}")

p = search.predict_proba(X)[:, list(search.classes_).index("malignant")]
is_malignant = diagnosis == "malignant"
print(f"on the data it was fitted to: log loss {log_loss(is_malignant, p):.4f},", end=" ")
print(f"Brier score {brier_score_loss(diagnosis, p, pos_label='malignant'):.4f}")
