"""Losses from formulas: the graph of a formula, its derivatives and rewrites, programs, the audit."""

from fastloss.formulas.errors import FormulaError
from fastloss.formulas.loss import Formula, formula

__all__ = ["Formula", "FormulaError", "formula"]
