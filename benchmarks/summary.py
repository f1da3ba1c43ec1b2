"""``python -m benchmarks.summary FILE...``: the tables of docs/speed.md, of what ``--json`` wrote.

Losses have a line for each size, rows a line for each number of classes; peers' columns say how many times
longer they take. Below the tables stands every case in which a peer took less time.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.peers import PEERS

Record = dict[str, Any]


def main(paths: list[str]) -> int:
    """Print the machine, the tables, and where a peer is faster."""
    records: list[Record] = []
    for path in paths:
        with open(path) as file:
            content = json.load(file)
        print(", ".join(f"{key} {value}" for key, value in content["machine"].items()), end="\n\n")
        records += content["measurements"]
    print_losses([r for r in records if "loss" in r])
    print_rows([r for r in records if "classes" in r])
    for record in records:
        for peer in record["seconds"].keys() & PEERS:
            if ratio(record, peer) < 1:
                case = " ".join(str(x) for x in record.values() if isinstance(x, (int, str)))
                print(f"- {case}: {peer} {ratio(record, peer):.2f}×")
    return 0


def print_losses(records: list[Record]) -> None:
    """Print a line for each loss, dtype, verb and size."""
    if not records:
        return
    print_row(["loss", "dtype", "elements", "ns/element", "ns/call", "% of limit", *PEERS])
    print_row(["---"] * (6 + len(PEERS)))
    for r in records:
        nanoseconds = 1e9 * r["seconds"]["fastloss"]
        limit = f"{100 * r['limit'] / r['seconds']['fastloss']:.0f}" if r["limit"] else ""
        call = f"{nanoseconds:.0f}" if r["size"] <= 1000 else ""
        case = [r["loss"], r["dtype"], f"{r['size']:,}", f"{nanoseconds / r['size']:.2f}", call, limit]
        print_row(case + [rounded(r, peer) for peer in PEERS])
    print()


def print_rows(records: list[Record]) -> None:
    """Print a line for each number of classes, both precisions side by side."""
    if not records:
        return
    columns = ["ns/element", *PEERS]
    print_row(["classes", *(f"float32 {column}" for column in columns), *(f"float64 {c}" for c in columns)])
    print_row(["---"] * (1 + 2 * len(columns)))
    for classes in dict.fromkeys(r["classes"] for r in records):
        cells = [f"{classes:,}"]
        for r in sorted((r for r in records if r["classes"] == classes), key=lambda r: str(r["dtype"])):
            cells += [
                f"{1e9 * r['seconds']['fastloss'] / r['elements']:.2f}",
                *(rounded(r, p) for p in PEERS),
            ]
        print_row(cells)
    print()


def ratio(record: Record, peer: str) -> float:
    """How many times as long a peer took."""
    return float(record["seconds"][peer] / record["seconds"]["fastloss"])


def rounded(record: Record, peer: str) -> str:
    """That as a cell: two digits, empty where the peer was not timed."""
    if peer not in record["seconds"]:
        return ""
    times = ratio(record, peer)
    return f"{times:.1f}×" if times < 10 else f"{times:.0f}×"


def print_row(cells: list[str]) -> None:
    """Print one line of a markdown table."""
    print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
