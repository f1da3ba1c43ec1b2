"""Views of more elements than any size of memory counts: an error, in every family, and no crash."""

from __future__ import annotations

import functools

import processes
import pytest

LONG = "np.broadcast_to(np.float64(1), (2**57,))"
BYTES = "np.broadcast_to(np.int8(1), (2**62,))"


def _matrix(rows: str, columns: str, dtype: str = "float64") -> str:
    return f"np.broadcast_to(np.{dtype}(1), ({rows}, {columns}))"


CALLS = {
    "pointwise": f"fl.SquaredError()({LONG}, {LONG})",
    "pointwise bytes": f"fl.SquaredError()({BYTES}, {BYTES})",
    "pointwise gradient": f"fl.SquaredError().gradient({LONG}, {LONG})",
    "pointwise weights": f"fl.Huber().value_and_gradient({LONG}, {LONG}, sample_weight={LONG})",
    "weight sum": f"fl.Huber().weight_sum({LONG}, {LONG}, sample_weight={LONG})",
    "penalty": f"fl.L1()({LONG})",
    "penalty gradient": f"fl.ElasticNet().value_and_gradient({BYTES})",
    "many rows": f"fl.CrossEntropy()(np.broadcast_to(np.int8(0), (2**56,)), {_matrix('2**56', 2)})",
    "many classes": f"fl.CrossEntropy()([0, 1], {_matrix('2', '2**57')})",
    "classes of bytes": f"fl.CrossEntropy()([0], {_matrix('1', '2**62', 'int8')})",
    "classes beyond memory": f"fl.CrossEntropy()([0], {_matrix('1', '2**50')})",
    "smoothed": f"fl.CrossEntropy(label_smoothing=0.1)([0], {_matrix('1', '2**52')})",
    "dense": f"fl.KLDivergence()({_matrix('2**30', '2**28')}, {_matrix('2**30', '2**28')})",
    "softmax": f"fl.CrossEntropy().probabilities({_matrix('1', '2**58')})",
    "pairs": f"fl.Contrastive()({_matrix('2**40', '2**18')}, {_matrix('2**40', '2**18')}, "
    "np.broadcast_to(np.int8(1), (2**40,)))",
    "triplets": f"fl.Triplet().value_and_gradient(*[{_matrix('1', '2**58')}] * 3)",
    "long pairs": f"fl.Contrastive()({_matrix('1', '2**59', 'int8')}, {_matrix('1', '2**59', 'int8')}, [1])",
    "pairs beyond memory": f"fl.Contrastive()({_matrix('1', '2**50')}, {_matrix('1', '2**50')}, [1])",
    "centres": f"fl.CenterLoss()({_matrix('1', 2)}, {_matrix('2**58', 2)}, [0])",
    "Wasserstein": f"fl.Wasserstein()({LONG}, {LONG})",
    "Wasserstein rows": f"fl.Wasserstein()({_matrix('2**40', '2**18')}, {_matrix('2**40', '2**18')})",
    "Sinkhorn": f"fl.Sinkhorn()({_matrix('2**57', 1)}, {_matrix('2', 1)})",
    "Sinkhorn dimensions": f"fl.Sinkhorn()({_matrix('2', '2**57')}, {_matrix('2', '2**57')})",
}


TRY = """
try:
    {call}
except (ValueError, MemoryError) as error:
    print({name!r}, type(error).__name__, error, sep="|", flush=True)
else:
    print({name!r}, "no error", sep="|", flush=True)
"""


@functools.cache
def _said() -> tuple[dict[str, str], str]:
    """What each call comes to, all in one process, and how that ended: a crash ends it at the next call."""
    tries = "".join(TRY.format(name=name, call=call) for name, call in CALLS.items())
    done = processes.run("import numpy as np, fastloss as fl\n" + tries)
    said = dict(line.split("|", 1) for line in done.stdout.splitlines())
    return said, f"ended with {done.returncode}: {done.stderr[-2000:]}"


@pytest.mark.parametrize("name", CALLS)
def test_more_than_can_be_counted(name: str) -> None:
    by_name, end = _said()
    assert name in by_name, end
    said = by_name[name]
    assert said.startswith(("ValueError", "MemoryError")), said
    assert "shape" in said or "Unable to allocate" in said or "too big" in said
