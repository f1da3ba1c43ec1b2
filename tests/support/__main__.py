"""Try awkward arguments: ``python -m tests.support [--rounds N] [kind ...]``."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

KINDS = [
    "pointwise", "formulas", "rows", "embeddings", "transport", "linear", "metrics", "evaluation",
    "boosting", "frameworks",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=KINDS, help=f"of {', '.join(KINDS)}; all by default")
    parser.add_argument("--rounds", type=int, default=0, help="all combinations, so many times over")
    parser.add_argument("--only", default="", help="subjects whose name has this in it")
    parser.add_argument("--note", type=Path, help="a file to write each call to before it is made")
    options = parser.parse_args()
    file = options.note.open("wb", buffering=0) if options.note else None

    def note(text: str) -> None:
        if file is not None:
            file.seek(0)
            file.truncate()
            file.write(text.encode())

    from support.trial import sweep

    wrong = 0
    for kind in options.kinds:
        subjects = importlib.import_module(f"support.{kind}").subjects()
        start = time.perf_counter()
        tried, failures = sweep([s for s in subjects if options.only in s.name], options.rounds, note)
        seconds = time.perf_counter() - start
        print(f"{kind}: {tried} calls of {len(subjects)} subjects in {seconds:.1f} s, {len(failures)} wrong")
        print("".join(f"  {failure}\n" for failure in failures), end="", flush=True)
        wrong += len(failures)
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
