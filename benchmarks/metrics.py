"""``python -m benchmarks.metrics``: the metrics beside scikit-learn's functions of the same names.

Each line is one metric and kind of input, float64 predictions: milliseconds, and how many times longer
scikit-learn takes. Both are timed in turn, in the same run, and their results compared.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import sklearn.calibration
import sklearn.metrics

import fastloss as fl
from benchmarks.report import describe_machine, write_json
from benchmarks.timing import Call, interleave
from fastloss import metrics

Case = tuple[str, str, tuple[Any, Any], dict[str, Any]]


def theirs_of(name: str) -> Any:
    """Return the module of scikit-learn's function."""
    return sklearn.metrics if hasattr(sklearn.metrics, name) else sklearn.calibration


def cases(n: int) -> Iterator[Case]:
    """Name of the metric, what its arguments are, the arguments and the keywords."""
    rng = np.random.default_rng(0)
    two, ten = rng.integers(0, 2, n), rng.integers(0, 10, n)
    p, z, w = rng.uniform(size=n), rng.normal(0.0, 2.0, n), rng.uniform(0.5, 2.0, n)
    columns, rows = np.column_stack([1 - p, p]), rng.dirichlet(np.ones(10), n)
    words, ten_words = np.array(["ham", "spam"])[two], np.array([f"class {i}" for i in range(10)])[ten]
    for name in ("log_loss", "brier_score_loss"):
        yield name, "labels 0, 1", (two, p), {}
        yield name, "labels 0, 1; column of (n, 2)", (two, columns[:, 1]), {}
        yield name, "labels 0, 1; (n, 2)", (two, columns), {}
        yield name, "labels 0, 1; weights", (two, p), {"sample_weight": w}
        yield name, "10 classes", (ten, rows), {}
        keyword = {"pos_label": "spam"} if name == "brier_score_loss" else {}
        yield name, "strings", (words, p), keyword
        yield name, "strings, 10 classes", (ten_words, rows), {}
    yield "brier_score_loss", "strings as objects", (words.astype(object), p), {"pos_label": "spam"}
    yield "hinge_loss", "labels 0, 1", (two, z), {}
    yield "hinge_loss", "labels -1, 1", (2 * two - 1, z), {}
    yield "hinge_loss", "labels 0, 1; weights", (two, z), {"sample_weight": w}
    yield "hinge_loss", "strings", (words, z), {}
    yield "hinge_loss", "10 classes", (ten, np.log(rows)), {}
    yield "hinge_loss", "strings, 10 classes", (ten_words, np.log(rows)), {}
    yield "zero_one_loss", "labels 0, 1", (two, two[::-1].copy()), {}
    yield "zero_one_loss", "labels 0, 1; weights", (two, two[::-1].copy()), {"sample_weight": w}
    yield "zero_one_loss", "10 classes", (ten, ten[::-1].copy()), {}
    yield "zero_one_loss", "strings", (words, words[::-1].copy()), {}
    yield "zero_one_loss", "strings, 10 classes", (ten_words, ten_words[::-1].copy()), {}
    yield "d2_log_loss_score", "labels 0, 1", (two, p), {}
    yield from _of_classes(two, ten, words, ten_words, w)
    yield from _of_scores(two, ten, words, p, w, rows)
    numbers = (np.exp(z), np.exp(rng.normal(size=n)))
    for name in metrics.__all__:
        of_numbers = ("d2_tweedie_score", "explained_variance_score", "r2_score")
        if "error" in name or "pinball" in name or "deviance" in name or name in of_numbers:
            yield name, "numbers", numbers, {}
    yield "mean_squared_error", "(n/10, 10), raw values", tuple(a.reshape(-1, 10) for a in numbers), {
        "multioutput": "raw_values"
    }  # fmt: skip


def _of_classes(two: Any, ten: Any, words: Any, ten_words: Any, w: Any) -> Iterator[Case]:
    """Scores of predicted classes."""
    kinds = {
        "labels 0, 1": two,
        "10 classes": ten,
        "strings": words,
        "strings, 10 classes": ten_words,
        "strings as objects": words.astype(object),
        "pandas' strings": pd.Series(words, dtype="str"),
    }
    of = {"accuracy_score", "balanced_accuracy_score", "cohen_kappa_score", "confusion_matrix", "f1_score"}
    for name in sorted(of | {"matthews_corrcoef", "precision_score"}):
        options = {"average": "macro"} if name in ("f1_score", "precision_score") else {}
        for kind, labels in kinds.items():
            if kind in ("labels 0, 1", "10 classes") or name in ("accuracy_score", "confusion_matrix"):
                yield name, kind, (labels, labels[::-1].copy()), options
        weighted = {**options, "sample_weight": w}
        yield name, "10 classes; weights", (ten, ten[::-1].copy()), weighted


def _of_scores(two: Any, ten: Any, words: Any, p: Any, w: Any, rows: Any) -> Iterator[Case]:
    """Scores of rankings, and calibration."""
    for name in ("roc_auc_score", "average_precision_score", "roc_curve", "precision_recall_curve"):
        yield name, "labels 0, 1", (two, p), {}
        yield name, "labels 0, 1; float32", (two, p.astype(np.float32)), {}
        yield name, "labels 0, 1; ties", (two, p.round(2)), {}
        yield name, "labels 0, 1; weights", (two, p), {"sample_weight": w}
    yield "roc_auc_score", "strings", (words, p), {}
    few = slice(len(ten) // 10)
    yield "roc_auc_score", "n/10, 10 classes, ovr", (ten[few], rows[few]), {"multi_class": "ovr"}
    yield "roc_auc_score", "n/10, 10 classes, ovo", (ten[few], rows[few]), {"multi_class": "ovo"}
    yield "top_k_accuracy_score", "10 classes", (ten, rows), {}
    yield "ndcg_score", "(n/100, 10)", (rows[: len(rows) // 100], rows[-(len(rows) // 100) :]), {}
    yield "calibration_curve", "labels 0, 1", (two, p), {"n_bins": 15}
    yield "calibration_curve", "labels 0, 1; quantiles", (two, p), {"n_bins": 15, "strategy": "quantile"}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="number of samples (default 1 million)")
    parser.add_argument("--metric", action="append", choices=metrics.__all__)
    parser.add_argument("--threads", type=int, default=1, help="threads of fastloss (default 1)")
    parser.add_argument("--seconds", type=float, default=0.3, help="least time spent on a line (default 0.3)")
    parser.add_argument("--json", metavar="FILE", help="write every time measured to FILE")
    options = parser.parse_args(arguments)
    fl.set_num_threads(options.threads)
    machine = describe_machine(options.threads)
    print(*(f"{key}: {value}" for key, value in machine.items()), sep="\n", end="\n\n")
    print(f"{'metric':32}{'arguments':32}{'ms':>10}{'scikit-learn, ms':>18}{'times':>8}")
    records = []
    for name, kind, data, keywords in cases(options.size):
        if options.metric and name not in options.metric:
            continue
        calls = {
            library: Call(
                "f(y, z, **k)", {"f": getattr(module, name), "y": data[0], "z": data[1], "k": keywords}
            )
            for library, module in (("fastloss", metrics), ("scikit-learn", theirs_of(name)))
        }
        own, theirs = (call.function()() for call in calls.values())
        pairs = zip(own, theirs, strict=True) if isinstance(own, tuple) else [(own, theirs)]
        if not all(np.allclose(a, b, rtol=1e-9) for a, b in pairs):
            raise AssertionError(f"{name}: {own} is not scikit-learn's {theirs}")
        seconds = interleave(calls, options.seconds, rounds=3)
        mine, peer = seconds["fastloss"], seconds["scikit-learn"]
        print(f"{name:32}{kind:32}{1e3 * mine:10.3f}{1e3 * peer:18.3f}{peer / mine:8.1f}", flush=True)
        records.append({"metric": name, "arguments": kind, "size": options.size, "seconds": seconds})
    if records:
        ratios = [r["seconds"]["scikit-learn"] / r["seconds"]["fastloss"] for r in records]
        print(f"\ngeometric mean: {math.prod(ratios) ** (1 / len(ratios)):.1f} times")
    write_json(options.json, machine, records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
