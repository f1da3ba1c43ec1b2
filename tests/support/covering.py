"""Choices such that every two levels of every two factors meet, in far fewer rows than the full product."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


@functools.cache
def _rows(counts: tuple[int, ...]) -> list[list[int]]:
    """Rows of levels, a level for each factor of so many, found greedily."""
    rng = random.Random(1)
    n = len(counts)
    # Of two factors and a level of the first the levels of the second that it has not met: 1, and 0 else.
    unmet = [[[[int(i != j)] * counts[j] for _ in range(counts[i])] for j in range(n)] for i in range(n)]
    left = {(i, j): counts[i] * counts[j] for i in range(n) for j in range(i + 1, n)}
    rows = []
    while True:
        i, j = max(left, key=lambda pair: left[pair], default=(0, 0))
        if not left.get((i, j)):
            return rows or [[0] * n]
        row = [0] * n
        row[i] = next(level for level, of_level in enumerate(unmet[i][j]) if any(of_level))
        row[j] = unmet[i][j][row[i]].index(1)
        others = [k for k in range(n) if k not in (i, j)]
        rng.shuffle(others)
        fixed = [i, j]
        for k in others:
            gain = [sum(of_level) for of_level in zip(*(unmet[f][k][row[f]] for f in fixed), strict=True)]
            best = max(gain)
            row[k] = rng.choice([level for level, g in enumerate(gain) if g == best])
            fixed.append(k)
        for i, j in left:
            left[i, j] -= unmet[i][j][row[i]][row[j]]
            unmet[i][j][row[i]][row[j]] = unmet[j][i][row[j]][row[i]] = 0
        rows.append(row)


def choices(factors: Mapping[str, Sequence[Any]], seed: str) -> Iterator[dict[str, Any]]:
    """Rows of a covering array as dictionaries; the seed says which level stands in which place."""
    rng = random.Random(seed)
    shuffled = {name: rng.sample(list(levels), len(levels)) for name, levels in factors.items()}
    rows = list(_rows(tuple(len(levels) for levels in factors.values())))
    rng.shuffle(rows)
    for row in rows:
        yield {name: shuffled[name][level] for name, level in zip(factors, row, strict=True)}
