"""Rules for choosing a loss: questions, a table of rules, and what goes with each loss.

The rules are rules of thumb: first the task, then the data (outliers, imbalance, the form of the labels),
then what the model gives. They are data (`questions.QUESTIONS`, `rules.RULES`, `advice.ADVICE`);
`choice.choose` only looks them up.
"""

from fastloss.choosing.choice import Alternative, Choice, choose

__all__ = ["Alternative", "Choice", "choose"]
