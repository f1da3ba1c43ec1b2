"""Evaluation: losses and measures of rows in any number of pieces, exact, with their uncertainty."""

from fastloss.evaluation.estimates import Estimate, Scores
from fastloss.evaluation.evaluation import Evaluation, evaluate
from fastloss.evaluation.result import Curve, Result

__all__ = ["Curve", "Estimate", "Evaluation", "Result", "Scores", "evaluate"]
