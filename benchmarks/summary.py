"""``python -m benchmarks.summary FILE...``: README's tables, of what the benchmark wrote by ``--json``."""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.peers import PEERS

Record = dict[str, Any]

#: The sizes of the first table's columns and of the second's.
LARGE, SMALL = 10_000_000, 16


def main(paths: list[str]) -> int:
    """Print the machine, the two tables, and where a peer is faster."""
    records: list[Record] = []
    machine: dict[str, Any] = {}
    for path in paths:
        with open(path) as file:
            content = json.load(file)
        machine = content["machine"]
        records += content["measurements"]
    by_case = {(r["loss"], r["size"], r["dtype"], r["verb"]): r for r in records}
    labels = list(dict.fromkeys(r["loss"] for r in records))
    print(", ".join(f"{key} {value}" for key, value in machine.items()), end="\n\n")
    print_large(labels, by_case)
    print_small(labels, by_case)
    print_faster_peers(records)
    return 0


def print_large(labels: list[str], by_case: dict[Any, Record]) -> None:
    """Value and gradient of arrays larger than the cache."""
    print_row(["loss", "ns/element", "% of limit", *(f"× {peer}" for peer in PEERS), "float64: ns/element"])
    print_row(["---"] * (len(PEERS) + 4))
    for label in labels:
        verb = "value_and_gradient"
        single, double = (by_case.get((label, LARGE, dtype, verb)) for dtype in ("float32", "float64"))
        if single and double:
            limit = f"{100 * single['limit'] / time(single):.0f}" if single["limit"] else ""
            ratios = [f"{ratio(single, peer):.1f}" if peer in single["seconds"] else "" for peer in PEERS]
            cells = [f"{1e9 * time(record) / LARGE:.2f}" for record in (single, double)]
            print_row([label, cells[0], limit, *ratios, cells[1]])
    print()


def print_small(labels: list[str], by_case: dict[Any, Record]) -> None:
    """What a call of a few elements costs, and the nearest peer's cost over it."""
    print_row(["loss", "value: ns/call", "nearest peer", "value and gradient: ns/call", "nearest peer"])
    print_row(["---"] * 5)
    for label in labels:
        cells = [label]
        for verb in ("value", "value_and_gradient"):
            record = by_case.get((label, SMALL, "float32", verb))
            peers = [peer for peer in PEERS if record and peer in record["seconds"]]
            if record is None or not peers:
                cells += ["", ""]
                continue
            nearest = min(peers, key=lambda peer: record["seconds"][peer])
            cells += [f"{1e9 * time(record):.0f}", f"{nearest} × {ratio(record, nearest):.0f}"]
        if any(cells[1:]):
            print_row(cells)
    print()


def print_faster_peers(records: list[Record]) -> None:
    """Every case in which a peer took less time."""
    for record in records:
        for peer in PEERS:
            if peer in record["seconds"] and ratio(record, peer) < 1:
                case = f"{record['loss']} {record['verb']} {record['dtype']} {record['size']:_}"
                print(f"- {case}: {peer} × {ratio(record, peer):.2f}")


def time(record: Record) -> float:
    """Seconds that the library took."""
    return float(record["seconds"]["fastloss"])


def ratio(record: Record, peer: str) -> float:
    """How many times as long a peer took."""
    return float(record["seconds"][peer]) / time(record)


def print_row(cells: list[str]) -> None:
    """Print one line of a markdown table."""
    print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
