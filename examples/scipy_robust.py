"""Regression by scipy's solvers: least_squares that bad records do not spoil, and quantiles by minimize.

In a checkout: pip install ".[demo]"
"""

import numpy as np
from scipy.optimize import least_squares, minimize
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import fastloss as fl
from fastloss.adapters.scipy import rho

x, y = load_diabetes(return_X_y=True)
x = np.column_stack([x / x.std(axis=0), np.ones(len(x))])
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)
start = np.zeros(x.shape[1])

spoilt = y_train.copy()
spoilt[::12] *= 10
print("One record in twelve with a decimal point misplaced: mean absolute error on the patients held out")
for loss in (fl.SquaredError(), fl.Huber(delta=50.0), fl.Cauchy(c=50.0), fl.Tukey(c=250.0)):
    fit = least_squares(lambda w: x_train @ w - spoilt, start, loss=rho(loss))
    print(f"  {loss!r:20} {fl.AbsoluteError()(y_test, x_test @ fit.x):6.1f}")

print("Quantiles of the disease's progression: the share of the patients held out who lie below")
for loss in (fl.Quantile(q=0.1), fl.Quantile(q=0.5), fl.Quantile(q=0.9)):

    def objective(w, loss=loss):
        value, gradient = loss.value_and_gradient(y_train, x_train @ w)
        return value, x_train.T @ gradient

    fit = minimize(objective, start, jac=True, method="L-BFGS-B")
    print(f"  {loss!r:20} {np.mean(y_test < x_test @ fit.x):6.0%}")
