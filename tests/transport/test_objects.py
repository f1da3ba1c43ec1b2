"""Transport losses as objects; instruction sets."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiers

import fastloss as fl

LOSSES = [
    fl.Wasserstein(),
    fl.Wasserstein(p=2.5, positions=[0, 0.5, 3]),
    fl.Sinkhorn(),
    fl.Sinkhorn(reg=0.2, cost="euclidean", debiased=False, tol=1e-4, max_iter=50),
    fl.EarthMover(),
    fl.EarthMover(cost="sqeuclidean"),
]


def test_the_catalogue_is_complete() -> None:
    names = {i.cls.__name__ for i in fl.list_losses() if issubclass(i.cls, fl.TransportLoss)}
    assert names == {type(loss).__name__ for loss in LOSSES}


@pytest.mark.parametrize("distance", LOSSES, ids=repr)
def test_objects(distance: Any) -> None:
    same = [
        eval(repr(distance), vars(fl)),
        pickle.loads(pickle.dumps(distance)),
        type(distance)(**distance.parameters),
    ]
    same.append(fl.get_loss(distance.name, **distance.parameters))
    for other in same:
        assert type(other) is type(distance)
        assert other == distance
        assert hash(other) == hash(distance)
    assert (distance.family, distance.has_gradient, distance.has_hessian) == ("transport", True, False)
    assert distance != fl.Wasserstein(p=7)
    for name in [*distance.parameters, "name", "anything", "_grid"]:
        with pytest.raises(AttributeError):
            setattr(distance, name, 3)
    text = type(distance).__doc__
    assert ":math:" in text
    assert ">>>" in text
    assert all(f"{parameter} :" in text for parameter in distance.parameters)


def test_a_copy_keeps_its_positions() -> None:
    loss = pickle.loads(pickle.dumps(fl.Wasserstein(positions=[0, 1, 5])))
    assert loss([1, 0, 0], [0, 0, 1]) == 5.0


def test_names() -> None:
    assert fl.get_loss("emd") == fl.EarthMover()
    assert fl.get_loss("Sinkhorn", reg=1) == fl.Sinkhorn(reg=1.0)
    assert fl.get_loss("wasserstein", p=2) == fl.Wasserstein(p=2.0)


@tiers.needs_two
def test_tiers(tmp_path: Path) -> None:
    found = tiers.collect(tmp_path, "transport.digest", "transport.digest.everything()")
    best = found[tiers.AVAILABLE[-1]]
    for tier, results in found.items():
        for name, x in results.items():
            if tier == "base":
                np.testing.assert_allclose(x, best[name], rtol=1e-9, atol=1e-9, err_msg=name)
            else:
                np.testing.assert_array_equal(x, best[name], err_msg=f"{tier} {name}")
    assert any(not np.array_equal(found["base"][name], best[name]) for name in best)
