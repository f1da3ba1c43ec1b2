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
    open_pairs = {
        (i, j): {(a, b) for a in range(counts[i]) for b in range(counts[j])}
        for i in range(n)
        for j in range(i + 1, n)
    }
    rows = []
    while True:
        (i, j), pairs = max(open_pairs.items(), key=lambda item: len(item[1]), default=((0, 0), None))
        if not pairs:
            return rows or [[0] * n]
        row: list[int | None] = [None] * n
        row[i], row[j] = min(pairs)
        others = [k for k in range(n) if k not in (i, j)]
        rng.shuffle(others)
        fixed = [i, j]
        for k in others:
            gain = [0] * counts[k]
            for f in fixed:
                low, high = min(f, k), max(f, k)
                for level in range(counts[k]):
                    pair = (row[f], level) if f == low else (level, row[f])
                    gain[level] += pair in open_pairs[low, high]
            best = max(gain)
            row[k] = rng.choice([level for level, g in enumerate(gain) if g == best])
            fixed.append(k)
        for (a, b), left in open_pairs.items():
            left.discard((row[a], row[b]))
        rows.append(row)


def choices(factors: Mapping[str, Sequence[Any]], seed: str) -> Iterator[dict[str, Any]]:
    """Rows of a covering array as dictionaries; the seed says which level stands in which place."""
    rng = random.Random(seed)
    shuffled = {name: rng.sample(list(levels), len(levels)) for name, levels in factors.items()}
    rows = list(_rows(tuple(len(levels) for levels in factors.values())))
    rng.shuffle(rows)
    for row in rows:
        yield {name: shuffled[name][level] for name, level in zip(factors, row, strict=True)}
