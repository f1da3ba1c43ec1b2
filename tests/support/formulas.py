"""Losses from formulas."""

from __future__ import annotations

from verbs import VERBS

import fastloss as fl

from .pointwise import Pointwise
from .trial import Subject

FORMULAS = [
    ("softplus(z) - y*z", {"targets": "[0, 1]"}),
    ("where(abs(z - y) < d, (z - y)**2/2, d*(abs(z - y) - d/2))", {"d": 1.5}),
    ("sigmoid(-z)**g*y + lgamma(1 + z*z)", {"targets": "[0, inf)", "g": 1.3}),
]


class Formula(Pointwise):
    """All verbs of a few formulas."""

    def __init__(self) -> None:
        self.name = "formula"
        self.losses = [
            *(fl.formula(text, **options) for text, options in FORMULAS),
            fl.Huber().clip(max=2.0) + 0.5 * fl.Quantile(0.9),
        ]
        self.verbs = [*VERBS, "weight_sum"]
        self.covers = {self.name}


def subjects() -> list[Subject]:
    return [Formula()]
