"""The losses in plain NumPy: slow, short, and written to be read.

Every loss of the package has a twin here with the same name, the same parameters and the same verbs. A twin
is the formula as one would check it by hand; the tests hold the compiled kernels against it, and evaluate the
very same text in multi-precision arithmetic to know the true result to fifty digits.

Examples
--------
>>> from fastloss import reference
>>> reference.Huber(delta=1.5)([0.0, 0.0], [1.0, 3.0])
1.9375
"""

from __future__ import annotations

from typing import Protocol

from fastloss.reference import (
    binary,
    distribution,
    embedding,
    likelihood,
    multiclass,
    penalty,
    regression,
    rows,
    transport,
)
from fastloss.reference._base import Array, Domain, Loss
from fastloss.reference.binary import *
from fastloss.reference.distribution import *
from fastloss.reference.embedding import *
from fastloss.reference.likelihood import *
from fastloss.reference.multiclass import *
from fastloss.reference.penalty import *
from fastloss.reference.regression import *
from fastloss.reference.rows import *
from fastloss.reference.transport import *

__all__ = [
    "Array",
    "Domain",
    "Loss",
    "twin",
]
__all__ += binary.__all__
__all__ += distribution.__all__
__all__ += embedding.__all__
__all__ += likelihood.__all__
__all__ += multiclass.__all__
__all__ += penalty.__all__
__all__ += regression.__all__
__all__ += rows.__all__
__all__ += transport.__all__


class _Parametrised(Protocol):
    @property
    def parameters(self) -> dict[str, object]: ...


def twin(loss: _Parametrised) -> Loss:
    """Give the NumPy twin of a loss object.

    Parameters
    ----------
    loss : fastloss loss
        Any object whose class name is that of a twin and whose ``parameters`` are its arguments.

    Returns
    -------
    Loss
        The twin, with the same parameters.

    Raises
    ------
    TypeError
        If no twin has the name of the class of `loss`.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.reference.twin(fl.Huber(delta=1.5))
    Huber(delta=1.5)
    """
    name = type(loss).__name__
    for module in (regression, likelihood, binary, multiclass, distribution, rows, embedding, transport):
        if isinstance(found := getattr(module, name, None), type) and issubclass(found, Loss):
            return found(**loss.parameters)
    raise TypeError(f"{name} has no NumPy reference")
