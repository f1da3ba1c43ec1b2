"""Losses inside other libraries: one module per library, imported by its own name.

A module is imported when it is first asked for, so that using one library needs none of the others.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastloss.adapters import catboost as catboost
    from fastloss.adapters import dask as dask
    from fastloss.adapters import lightgbm as lightgbm
    from fastloss.adapters import ray as ray
    from fastloss.adapters import scipy as scipy
    from fastloss.adapters import sklearn as sklearn
    from fastloss.adapters import sklearn_loss as sklearn_loss
    from fastloss.adapters import spark as spark
    from fastloss.adapters import torch as torch
    from fastloss.adapters import xgboost as xgboost

_LAZY = (
    "catboost", "dask", "lightgbm", "ray", "scipy", "sklearn", "sklearn_loss", "spark", "torch", "xgboost",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"fastloss.adapters.{name}")
    raise AttributeError(f"module 'fastloss.adapters' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
