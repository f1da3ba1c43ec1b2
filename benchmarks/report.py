"""What a benchmark tells: its table on the terminal, one line a measurement, and the same as a file."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

import fastloss as fl

#: The last column: how the library scales to twice the threads, and in brackets how the triad does.
_SCALING = "2× threads (triad)"

_PACKAGES = ("numpy", "torch", "jax", "scikit-learn")


def describe_machine(threads: int) -> dict[str, Any]:
    """The processor, the instruction set in use, and the versions of what is compared."""
    machine = {"processor": _processor(), "instruction set": fl.config()["isa"], "threads": threads}
    machine["python"] = platform.python_version()
    for package in _PACKAGES:
        try:
            machine[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return machine


def header(peers: tuple[str, ...]) -> str:
    """The table's head: what the columns of `line` hold."""
    cells = ["loss", "dtype", "size", "verb", "ns/element", "ns/call", "% limit", *(f"× {p}" for p in peers)]
    cells.append(_SCALING)
    return _row(cells, peers)


def line(record: dict[str, Any], peers: tuple[str, ...]) -> str:
    """One measurement. A peer's column holds its time over the library's: 3.0 is three times as long."""
    seconds = record["seconds"]
    mine = seconds["fastloss"]
    cells = [record["loss"], record["dtype"], f"{record['size']:_}", record["verb"]]
    cells.append(f"{1e9 * mine / record['size']:.3f}")
    cells.append(f"{1e9 * mine:.0f}" if mine < 1e-5 else "")
    cells.append(f"{100 * record['limit'] / mine:.0f}" if record["limit"] else "")
    cells += [f"{seconds[peer] / mine:.2f}" if peer in seconds else "" for peer in peers]
    cells.append(_scaling(seconds))
    return _row(cells, peers)


def _scaling(seconds: dict[str, float]) -> str:
    if "fastloss, twice the threads" not in seconds:
        return ""
    text = f"{seconds['fastloss'] / seconds['fastloss, twice the threads']:.2f}"
    if "triad" in seconds:
        text += f" ({seconds['triad'] / seconds['triad, twice the threads']:.2f})"
    return text


def write_json(path: str | None, machine: dict[str, Any], records: list[Any]) -> None:
    """Write every time measured to a file, where one is given."""
    if path:
        with open(path, "w") as file:
            json.dump({"machine": machine, "measurements": records}, file, indent=1)


def _row(cells: list[str], peers: tuple[str, ...]) -> str:
    widths = (40, 8, 11, 21, -10, -8, -8, *(-max(8, len(peer) + 2) for peer in peers), -len(_SCALING))
    pairs = zip(cells, widths, strict=True)
    return "".join(f"{cell:<{w}}" if w > 0 else f"{cell:>{2 - w}}" for cell, w in pairs).rstrip()


def _processor() -> str:
    """The processor's name as the operating system gives it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for text in information.read_text().splitlines():
            if text.startswith("model name"):
                return text.partition(":")[2].strip()
    return platform.processor() or platform.machine()
