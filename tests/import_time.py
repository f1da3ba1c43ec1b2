"""How long `import fastloss` takes beyond NumPy: of each module the least of several times, added up.

    python tests/import_time.py

For a wheel's test, which prints it: no test fails on a time.
"""

from __future__ import annotations

import re
import subprocess
import sys

RUNS = 10


def times(code: str) -> dict[str, float]:
    """Give the milliseconds of each module that is imported, without those that it imports itself."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    # Not from here, where Python would find the sources before what is installed.
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=sys.prefix)
    found = re.finditer(r"import time: +(\d+) \| +\d+ \| +(\S+)", done.stderr)
    return {match[2]: int(match[1]) / 1000 for match in found}


def main() -> None:
    """Print the sum."""
    of_numpy = times("import numpy")
    runs = [times("import numpy; import fastloss") for _ in range(RUNS)]
    names = {name for run in runs for name in run} - set(of_numpy)
    total = sum(min(run.get(name, 0.0) for run in runs) for name in names)
    print(f"import fastloss: {total:.1f} ms beyond NumPy, in {len(names)} modules")


if __name__ == "__main__":
    main()
