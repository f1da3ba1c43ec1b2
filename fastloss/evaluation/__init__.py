"""Evaluation: losses and measures of any number of rows, exact whatever way they come, with their uncertainty."""

from fastloss.evaluation.estimates import Estimate, Scores
from fastloss.evaluation.evaluation import Evaluation, evaluate
from fastloss.evaluation.result import Curve, Result

__all__ = ["Curve", "Estimate", "Evaluation", "Result", "Scores", "evaluate"]
