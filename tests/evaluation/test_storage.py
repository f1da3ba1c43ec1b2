"""Evaluations as bytes: what is damaged, foreign, cut or made up is a clear error, and never a crash."""

from __future__ import annotations

import json
import random
import zlib

import numpy as np
import pytest

import fastloss as fl
from fastloss.evaluation import order, storage, tables

HEAD = len(storage._MAGIC) + 2 + 8


def a_state(**options):
    rng = np.random.default_rng(0)
    y, z = rng.integers(0, 2, 300), rng.normal(size=300)
    names = ["bce", "roc_auc", "confusion", "calibration:n_bins=3", "r2", "max_error", "huber:delta=0.5"]
    return fl.Evaluation(names).update(y, z, by={"k": y > 2, "j": y > 3}, **options)


def sealed(body):
    """Bytes with a checksum that is right."""
    return (
        storage._MAGIC + storage.VERSION.to_bytes(2, "little") + zlib.crc32(body).to_bytes(8, "little") + body
    )


@pytest.fixture(params=["rows", "counts", "weights"])
def state(request, monkeypatch):
    if request.param != "rows":
        monkeypatch.setattr(order, "KEPT_ROWS", 20)
    weights = np.random.default_rng(1).uniform(0, 2, 300) if request.param == "weights" else None
    return a_state(sample_weight=weights)


def test_round_trip(state):
    raw = state.to_bytes()
    copy = fl.Evaluation.from_bytes(raw)
    assert str(copy.result()) == str(state.result())
    assert copy.to_bytes() == raw
    assert str(copy.merge(state).result()["roc_auc"].value) == str(state.result()["roc_auc"].value)


def test_damage_is_seen(state):
    raw = state.to_bytes()
    rng = random.Random(0)
    for _ in range(20):
        i = rng.randrange(len(raw))
        broken = raw[:i] + bytes([raw[i] ^ (1 << rng.randrange(8))]) + raw[i + 1 :]
        with pytest.raises(ValueError, match="evaluation"):
            fl.Evaluation.from_bytes(broken)
    for length in (0, 1, 20, HEAD, HEAD + 5, len(raw) // 2, len(raw) - 1):
        with pytest.raises(ValueError, match="evaluation"):
            fl.Evaluation.from_bytes(raw[:length])
    with pytest.raises(ValueError, match="damaged"):
        fl.Evaluation.from_bytes(raw + b"\0")


def test_another_version_is_told():
    raw = bytearray(a_state().to_bytes())
    raw[len(storage._MAGIC)] = 99
    with pytest.raises(ValueError, match="version 99, but fastloss here knows version 2"):
        fl.Evaluation.from_bytes(bytes(raw))
    with pytest.raises(TypeError, match="bytes"):
        fl.Evaluation.from_bytes("text")


def mutated(x, rng):
    """Another value of JSON in one place."""
    if isinstance(x, dict) and x and rng.random() < 0.9:
        key = rng.choice(sorted(x))
        if rng.random() < 0.1:
            return {k: v for k, v in x.items() if k != key}
        return {**x, key: mutated(x[key], rng)}
    if isinstance(x, list) and x and rng.random() < 0.9:
        i = rng.randrange(len(x))
        return [*x[:i], mutated(x[i], rng), *x[i + 1 :]]
    return rng.choice(
        [None, -1, 0, 1, 2**31, 2**63, 2**80, 1.5, "", "x", "<f8", "|O", [], {}, [1], {"a": 1}, True]
    )


def test_made_up_headers_are_errors_or_evaluations(state):
    """The checksum is right, and one thing in the header is not."""
    raw = state.to_bytes()
    body = raw[HEAD:]
    length = int.from_bytes(body[:8], "little")
    header, rest = json.loads(body[8 : 8 + length]), body[8 + length :]
    rng = random.Random(1)
    refused = 0
    rounds = 12 if any(store.tables for store in state._state.stores if hasattr(store, "tables")) else 150
    for _ in range(rounds):
        text = json.dumps(mutated(header, rng)).encode()
        try:
            made = fl.Evaluation.from_bytes(sealed(len(text).to_bytes(8, "little") + text + rest))
        except ValueError as error:
            refused += "evaluation" in str(error)
            continue
        if made._state is not None:
            str(made.result())
    assert refused > rounds / 3


def test_squares_of_runs_without_keys_are_not_handed_on():
    """Memory of tables is zero where no key is, whatever the bytes say."""
    table, writer = tables.Table(weighted=True), storage._Writer()
    table.add(np.ones(3, np.float32), np.ones(3, np.uint8), np.ones(3))
    told = storage._table_written(table, writer)
    writer.parts[-1] = b"\1" * len(writer.parts[-1])
    read = storage._read_table(told, storage._Reader(memoryview(b"".join(writer.parts))))
    assert np.count_nonzero(read.memory.arrays[1].any(axis=(1, 2))) == 1
    del read, table
    assert not any(array.any() for array in tables.Memory(weighted=True).arrays)


def test_labels_and_losses_that_cannot_be_written():
    ev = fl.Evaluation(["mae"]).update([0.0], [1.0], by=np.array([b"x"], dtype=object))
    with pytest.raises(TypeError, match="label"):
        ev.to_bytes()

    class Own(fl.Huber):
        pass

    with pytest.raises(TypeError, match="Own"):
        fl.Evaluation([Own()]).to_bytes()


def test_parameters_are_kept():
    measured = [
        fl.CrossEntropy(class_weight={1: 2.0}, ignore_index=-1), fl.Focal(alpha=[1.0, 2.0]),
        fl.measures.Accuracy(top_k=2), fl.measures.ROCAUC(exact=True),
    ]  # fmt: skip
    copy = fl.Evaluation.from_bytes(fl.Evaluation(measured, on_error="skip").to_bytes())
    assert copy._measured == measured
    assert copy._on_error == "skip"
