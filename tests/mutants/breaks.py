"""What a break is: an exact replacement of text in one source file, and the tests that should see it."""

from __future__ import annotations

from dataclasses import dataclass

#: What a break is run against, by the folder of its source file: folders of tests, and words of their names.
TESTS = {
    "csrc/pointwise": "pointwise/literals compensation first_error weights pointwise/reductions pointwise/",
    "csrc/penalties": "penalties/",
    "csrc/rows": "rows/literals rows/options rows/sizes rows/layouts rows/",
    "csrc/embeddings": "embeddings/",
    "csrc/transport": "transport/",
    "csrc/evaluation": "evaluation/sums evaluation/orders evaluation/results evaluation/measures evaluation/",
    "csrc/ranking": "evaluation/orders metrics/ranking evaluation/",
    "csrc/counting": "metrics/counts metrics/strings evaluation/measures evaluation/",
    "csrc/blocks": "layouts dtypes sizes literals bad_input out rows/ embeddings/",
    "csrc/simd": "sizes reductions out rows/ embeddings/",
    "csrc/pass": "sizes out threads weights literals rows/ embeddings/",
    "csrc/sums": "reductions sizes literals magnitudes rows/ embeddings/",
    "csrc/vecmath": "accuracy",
}


@dataclass(frozen=True)
class Break:
    """In `path` the text `old`, which occurs there once, becomes `new`."""

    path: str
    old: str
    new: str
    words: tuple[str, ...]
    tier: str

    def __str__(self) -> str:
        def short(text: str) -> str:
            return " ".join(text.split())[:60] or "(nothing)"

        return f"{self.path}: {short(self.old)} -> {short(self.new)}"


def breaks(path: str, *texts: tuple[str, str], tests: str = "", tier: str = "base") -> list[Break]:
    """Breaks of one file. `tests` are words of test files' names, run besides those of the folder."""
    folder = "/".join(path.split("/")[:2])
    words = tuple(f"{tests} {TESTS[folder]} compensation first_error awkward".split())
    return [Break(path, old, new, words, tier) for old, new in texts]
