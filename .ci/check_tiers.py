"""Check by objdump that kernels use the registers of their instruction-set tier alone, and as vectors.

An AVX instruction in the base objects would crash an older machine; no zmm register in v4's would mean that
the compiler ignored the tier's flags. A pointwise loss whose loops a compiler leaves as they are has the same
numbers, many times slower.
"""

import platform
import re
import subprocess
import sys
from pathlib import Path

#: Registers that a tier must use, and registers that it must not.
RULES = {"base": (r"%xmm", r"%[yz]mm"), "v3": (r"%ymm", r"%zmm"), "v4": (r"%zmm", r"$^")}
#: A block function of a pointwise loss, and its arithmetic on numbers (s) and on vectors (p).
BLOCK_FUNCTION = re.compile(
    r"^[0-9a-f]+ <fl_(\w+_(?:V|G|VG|GH|VGH|S|SG|SGH))>:\n(.*?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL
)
ARITHMETIC = re.compile(r"\tv?(?:add|sub|mul|div|sqrt|fn?m(?:add|sub)\d+)([sp])[sd]\b")


def of_numbers(code: str) -> list[str]:
    """Return the block functions that compute with numbers more than with vectors."""
    found = []
    for name, body in BLOCK_FUNCTION.findall(code):
        kinds = ARITHMETIC.findall(body)
        if kinds.count("s") > max(20, kinds.count("p")):
            found.append(name)
    return found


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
            code = subprocess.run(
                ["objdump", "-d", "--no-show-raw-insn", path], check=True, capture_output=True, text=True
            ).stdout
            found = re.search(forbidden, code)
            if found:
                sys.exit(f"tier {tier}: {path} uses {found[0]}")
            print(f"tier {tier}: {path.name} uses {wanted[1:]} {len(re.findall(wanted, code))} times")
            if not re.search(wanted, code):
                sys.exit(f"tier {tier}: {path} never uses {wanted[1:]}")
            # In base, which is to be small, vectors of two numbers are left out where they gain little.
            if path.name.startswith("ops") and (tier != "base" or "f32" in path.name):
                slow = of_numbers(code)
                if slow:
                    sys.exit(f"tier {tier}: no vectors in {', '.join(slow)} of {path}")


main(sys.argv[1])
