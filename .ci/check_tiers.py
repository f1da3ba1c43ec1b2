"""Check by objdump that the kernels of each instruction-set tier use the registers of that tier alone.

An AVX instruction in the base objects would crash an older machine; no zmm register in v4's would mean that
the compiler ignored the tier's flags.
"""

import platform
import re
import subprocess
import sys
from pathlib import Path

#: Registers that a tier must use, and registers that it must not.
RULES = {"base": (r"%xmm", r"%[yz]mm"), "v3": (r"%ymm", r"%zmm"), "v4": (r"%zmm", r"$^")}


def main(build_temp: str) -> None:
    """Check every kernel object below a build folder."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        print("not an x86-64 machine: nothing to check")
        return
    for tier, (wanted, forbidden) in RULES.items():
        objects = sorted(Path(build_temp, tier).rglob("*.o"))
        if not objects:
            sys.exit(f"tier {tier}: no objects in {build_temp}")
        for path in objects:
            code = subprocess.run(["objdump", "-d", path], check=True, capture_output=True, text=True).stdout
            found = re.search(forbidden, code)
            if found:
                sys.exit(f"tier {tier}: {path} uses {found[0]}")
            print(f"tier {tier}: {path.name} uses {wanted[1:]} {len(re.findall(wanted, code))} times")
            if not re.search(wanted, code):
                sys.exit(f"tier {tier}: {path} never uses {wanted[1:]}")


main(sys.argv[1])
