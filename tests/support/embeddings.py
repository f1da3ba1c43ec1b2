"""The losses of embeddings: pairs, triplets, centres and batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from embeddings.samples import ALL, ENTROPIES, listed, n_gradients
from verbs import REDUCTIONS

import fastloss as fl

from .memory import WRITABLE
from .numbers import REAL, SIZES, WRITTEN, cast, computed_in, exactly, is_whole, native, returned_as
from .pointwise import weights
from .trial import Arrays, Choice, Subject, like, refused

#: Rows of few numbers, and of many: a tile's scratch is laid out in one of several ways.
SHAPES = [
    *[(n, d) for n, d in zip(SIZES, [3, 2, 1, 16, 5, 17, 4, 8, 31, 7] * 4, strict=False)],
    *[(n, d) for d, n in zip(SIZES[1:], [1, 2, 17, 5, 3, 33, 16, 9] * 5, strict=False)],
    *[(300, 3), (300, 7), (257, 2), (260, 5), (129, 3), (520, 1), (2, 2500), (3, 5000), (130, 130)],
]
#: What is asked for, and whether it has values and gradients.
VERBS = {"__call__": (True, False), "gradient": (False, True), "value_and_gradient": (True, True)}
#: Inherited, but without a meaning for these losses.
UNDEFINED = ("gradient_and_hessian", "value_gradient_and_hessian", "weight_sum")


class Embedding(Subject):
    shapes = SHAPES

    def __init__(self, cls: type[Any]) -> None:
        self.name = cls.__name__
        self.losses = [loss for loss in [*ALL, *ENTROPIES] if type(loss) is cls]
        self.n_vectors = n_gradients(self.losses[0])
        self.names = cls._names
        self.inputs = (*cls._names, "sample_weight")
        self.covers = {f"{self.name}.{verb}" for verb in (*VERBS, *UNDEFINED)}

    def factors(self) -> dict[str, Sequence[Any]]:
        return {
            "loss": self.losses,
            "verb": [*VERBS, *UNDEFINED],
            "reduction": REDUCTIONS,
            "weighted": (False, True),
            "alike": (False, True),
        }

    def out_places(self) -> Sequence[str]:
        return ["over", *WRITABLE]

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        n, d = choice["shape"]
        is_center = isinstance(choice["loss"], fl.CenterLoss)
        found = {}
        for name in self.names[: self.n_vectors]:
            dtype = self._dtype(choice, name)
            shape = (7, d) if name == "centers" else (n, d)
            whole = is_whole(dtype)
            if choice["loss"] == fl.Entropy():
                found[name] = cast(_probabilities(shape, whole, rng), dtype)
                continue
            found[name] = cast(
                rng.integers(0, 2, shape) if whole else rng.normal(0, 1, shape) / d**0.5, dtype
            )
        for name in self.names[self.n_vectors :]:
            found[name] = cast(rng.integers(0, 7 if is_center else 2, n), choice[f"dtype of {name}"])
        if choice["weighted"]:
            found["sample_weight"] = weights((n,), choice["dtype of sample_weight"], rng)
        return found

    def _dtype(self, choice: Choice, name: str) -> np.dtype:
        """That of the choice, or one for all vectors."""
        if choice["alike"]:
            return WRITTEN[REAL.index(choice[f"dtype of {self.names[0]}"]) % len(WRITTEN)]
        dtype: np.dtype = choice[f"dtype of {name}"]
        return dtype

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        precision = computed_in(*[views[name].dtype for name in self.names[: self.n_vectors]])
        return {
            name: np.ascontiguousarray(exactly(np.array(x, native(x.dtype)), precision))
            for name, x in views.items()
        }

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        value, gradient = VERBS.get(choice["verb"], (False, False))
        vectors = self.names[: self.n_vectors]
        slots = [(plain[vectors[0]].shape[:1], "")] if value and choice["reduction"] == "none" else []
        return slots + [(plain[name].shape, name) for name in vectors if gradient]

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        vectors = self.names[: self.n_vectors]
        if result.ndim == 2:
            return like(views, vectors[i - VERBS[choice["verb"]][0]])
        dtypes = {native(views[name].dtype) for name in vectors}
        return returned_as(dtypes.pop()) if len(dtypes) == 1 else computed_in(*dtypes)

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        vectors = [arrays[name] for name in self.names]
        if choice["verb"] in UNDEFINED:
            return refused(getattr(choice["loss"], choice["verb"]), *vectors[:2])
        options: dict[str, Any] = {"reduction": choice["reduction"], "out": out}
        if "sample_weight" in arrays:
            options["sample_weight"] = arrays["sample_weight"]
        found = getattr(choice["loss"], choice["verb"])(*vectors, **options)
        value, gradient = VERBS[choice["verb"]]
        if not gradient:
            return [found]
        return [found[0], *listed(found[1])] if value else listed(found)


def _probabilities(shape: tuple[int, int], whole: bool, rng: np.random.Generator) -> np.ndarray:
    if whole:
        return np.arange(shape[1]) == rng.integers(0, shape[1], (shape[0], 1))
    return fl.CrossEntropy().probabilities(rng.normal(0, 2, shape))


class Batch(Embedding):
    """NTXent, whose results NumPy writes: rounded once, and values no further than `out` needs."""

    # 512 pairs fill a block of similarities.
    shapes = tuple([(n, d) for n, d in SHAPES if n <= 300] + [(512, 3), (513, 5)])

    def out_dtypes(self, choice: Choice) -> Sequence[np.dtype]:
        return [computed_in(*[self._dtype(choice, name) for name in self.names[: self.n_vectors]])]

    def rounded(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return cast(x, dtype)


def subjects() -> list[Subject]:
    return [
        (Batch if i.cls is fl.NTXent else Embedding)(i.cls)
        for i in fl.list_losses()
        if issubclass(i.cls, fl.EmbeddingLoss)
    ]
