"""Which folder of the C library may include which: what is shared knows nothing of what shares it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2] / "csrc"

#: A folder may include itself, what lies beside the folders, and those of earlier lines.
LAYERS = [
    ["vecmath"],
    ["simd"],
    ["blocks"],
    ["sums"],
    ["pass"],
    ["penalties"],
    ["pointwise", "rows", "transport", "evaluation", "counting"],
    ["embeddings", "ranking"],
    ["dispatch"],
]
LAYER = {folder: k for k, folders in enumerate(LAYERS) for folder in folders}


def test_every_folder_has_a_layer():
    assert {path.parent.name for path in ROOT.glob("*/*.*")} == set(LAYER)


def test_folders_include_those_below_alone():
    """Beside the folders are names, lanes and the public header, which is made of the families' own."""
    upwards, found = [], 0
    for path in sorted(ROOT.glob("*/*.*")):
        folder = path.parent.name
        for included in re.findall(r'^ *# *include "(.*)"', path.read_text(encoding="utf-8"), re.MULTILINE):
            target = (path.parent / included).resolve().relative_to(ROOT.resolve())
            if len(target.parts) > 1 and target.parts[0] != folder:
                found += 1
                if LAYER[target.parts[0]] >= LAYER[folder]:
                    upwards.append(f"{folder}/{path.name}: {target}")
    assert found > 100
    assert not upwards
