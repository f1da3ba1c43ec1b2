"""Times evaluations beside scikit-learn with pandas, Polars and DuckDB: ``python -m benchmarks.evaluation``.

One thread each, all in one run, in turns; of some rounds that which took the processor the least time, since
other work may keep the machine busy. The peers compute the mean loss and the AUC, without the standard errors
that fastloss gives as well.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np

import fastloss as fl

Call = Callable[[], float]
_SQL_LOSS = "avg(ln(1 + exp(-abs(z))) + greatest(z, 0) - y * z)"
_SQL_AUC = """
    select (sum(r) filter (y = 1) - (sum(y) * (sum(y) + 1)) / 2) / (sum(y) * (count(*) - sum(y)))
    from (
        select y, rank() over w + (count(*) over (partition by z) - 1) / 2 as r
        from t window w as (order by z)
    )
"""


def calls(n: int) -> dict[str, dict[str, Call]]:
    """Return what is timed: by task, by library. All of one task give one number."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n).astype(np.uint8)
    z = (1.5 * rng.normal(size=n) + y - 0.5).astype(np.float32)
    g = rng.integers(0, 20, n).astype(np.uint8)
    w = rng.uniform(size=n)
    group = 3
    exact = fl.measures.ROCAUC(exact=True)
    tasks: dict[str, dict[str, Call]] = {
        "loss": {"fastloss": lambda: fl.evaluate(y, z, ["bce"])["bce"].value},
        "weighted loss": {"fastloss": lambda: fl.evaluate(y, z, ["bce"], sample_weight=w)["bce"].value},
        "loss of 20 groups": {
            "fastloss": lambda: fl.evaluate(y, z, ["bce"], by=g).groups[group]["bce"].value
        },
        "AUC": {"fastloss": lambda: fl.evaluate(y, z, ["roc_auc"])["roc_auc"].value},
        "AUC, exact": {"fastloss": lambda: fl.evaluate(y, z, [exact])["roc_auc"].value},
        "loss and AUC": {"fastloss": lambda: fl.evaluate(y, z, ["bce", "roc_auc"])["roc_auc"].value},
    }
    _add_sklearn(tasks, y, z, g, w, group)
    _add_polars(tasks, y, z, g, group)
    _add_duckdb(tasks, y, z, g, group)
    return tasks


def _add_sklearn(tasks: dict[str, dict[str, Call]], y, z, g, w, group: int) -> None:  # type: ignore[no-untyped-def]
    try:
        import pandas as pd
        from sklearn.metrics import log_loss, roc_auc_score
    except ImportError:
        return
    frame = pd.DataFrame({"y": y, "z": z, "g": g})

    def loss(y, z, w=None) -> float:  # type: ignore[no-untyped-def]
        return float(log_loss(y, 1 / (1 + np.exp(-z.astype(np.float64))), sample_weight=w))

    tasks["loss"]["scikit-learn"] = lambda: loss(y, z)
    tasks["weighted loss"]["scikit-learn"] = lambda: loss(y, z, w)
    tasks["loss of 20 groups"]["scikit-learn"] = lambda: float(
        frame.groupby("g").apply(lambda part: loss(part["y"], part["z"]))[group]
    )
    auc: Call = lambda: float(roc_auc_score(y, z))  # noqa: E731
    tasks["AUC"]["scikit-learn"] = tasks["AUC, exact"]["scikit-learn"] = auc

    def both() -> float:
        loss(y, z)
        return auc()

    tasks["loss and AUC"]["scikit-learn"] = both


def _add_polars(tasks: dict[str, dict[str, Call]], y, z, g, group: int) -> None:  # type: ignore[no-untyped-def]
    try:
        import polars as pl
    except ImportError:
        return
    frame = pl.DataFrame({"y": y, "z": z, "g": g})
    zz = pl.col("z").cast(pl.Float64)
    loss = (zz.abs().neg().exp().log1p() + zz.clip(lower_bound=0) - pl.col("y") * zz).mean()
    tasks["loss"]["Polars"] = lambda: frame.select(loss).item()
    tasks["loss of 20 groups"]["Polars"] = lambda: (
        frame.group_by("g").agg(loss.alias("l")).filter(pl.col("g") == group)["l"].item()
    )
    rank, positives = pl.col("z").rank("average"), pl.col("y").sum().cast(pl.Float64)
    auc = ((rank * pl.col("y")).sum() - positives * (positives + 1) / 2) / (
        positives * (pl.len() - positives)
    )
    tasks["AUC"]["Polars"] = tasks["AUC, exact"]["Polars"] = lambda: frame.select(auc).item()
    tasks["loss and AUC"]["Polars"] = lambda: frame.select(loss.alias("l"), auc.alias("a"))["a"].item()


def _add_duckdb(tasks: dict[str, dict[str, Call]], y, z, g, group: int) -> None:  # type: ignore[no-untyped-def]
    try:
        import duckdb
        import pyarrow as pa
    except ImportError:
        return
    connection = duckdb.connect(config={"threads": 1})
    connection.register("given", pa.table({"y": y, "z": z, "g": g}))
    connection.execute("create table t as select y::int as y, z::double as z, g from given")

    def one(query: str) -> float:
        return float(connection.execute(query).fetchone()[0])

    by_group = f"select l from (select g, {_SQL_LOSS} as l from t group by g) where g = {group}"
    tasks["loss"]["DuckDB"] = lambda: one(f"select {_SQL_LOSS} from t")
    tasks["loss of 20 groups"]["DuckDB"] = lambda: one(by_group)
    tasks["AUC"]["DuckDB"] = tasks["AUC, exact"]["DuckDB"] = lambda: one(_SQL_AUC)

    def both() -> float:
        one(f"select {_SQL_LOSS} from t")
        return one(_SQL_AUC)

    tasks["loss and AUC"]["DuckDB"] = both


def main() -> None:
    """Print a table: nanoseconds a row, and how many times as long each peer takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    fl.set_num_threads(1)
    peers = ["scikit-learn", "Polars", "DuckDB"]
    print(f"| {args.rows:,} rows | fastloss, ns a row | " + " | ".join(peers) + " |")
    print("|---|---|" + "---|" * len(peers))
    for task, libraries in calls(args.rows).items():
        best = dict.fromkeys(libraries, float("inf"))
        values = {}
        for _ in range(args.rounds):
            for name, call in libraries.items():
                began = time.process_time()
                values[name] = call()
                best[name] = min(best[name], time.process_time() - began)
        for name, value in values.items():
            if abs(value - values["fastloss"]) > 1e-5 * abs(value):
                raise AssertionError(f"{task}: {name} gives {value}, fastloss {values['fastloss']}")
        ratios = [f"{best[p] / best['fastloss']:.1f}" if p in best else "" for p in peers]
        print(
            f"| {task} | {1e9 * best['fastloss'] / args.rows:.2f} | " + " | ".join(ratios) + " |", flush=True
        )


if __name__ == "__main__":
    main()
