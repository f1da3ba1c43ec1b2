"""What every loss object is: immutable, comparable, hashable, picklable, and named."""

from __future__ import annotations

import inspect
import math
import numbers
import operator
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from fastloss import _core, _validation
from fastloss._traits import Traits
from fastloss._validation import shown, written

if TYPE_CHECKING:
    from typing_extensions import Self

    from fastloss.joint import JointLoss

Array = npt.NDArray[Any]


class Domain(NamedTuple):
    """The values that targets or predictions may take: the closed interval from `low` to `high`.

    With `integral` only the whole numbers in it are admitted; with `open_low` `low` itself is not.
    """

    low: float
    high: float
    integral: bool
    open_low: bool = False


def number(name: str, value: Any) -> float:
    """Return a constructor's argument as a float, or raise an error that names it."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is beyond float64's largest number, got {shown(value)}") from None


def number_in(name: str, value: Any, low: float, high: float, *, ends: str = "()") -> float:
    """Return a constructor's argument that must lie in an interval; `ends` are its brackets."""
    x = number(name, value)
    above = x >= low if ends[0] == "[" else x > low
    below = x <= high if ends[1] == "]" else x < high
    if not (above and below):
        raise ValueError(f"{name} must be in {ends[0]}{low:g}, {high:g}{ends[1]}, got {value!r}")
    return x


def whole_number(name: str, value: Any) -> int:
    """Return a constructor's argument as an int of 64 bits."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {shown(value)}") from None
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{name} must fit into 64 bits, got {shown(value)}")
    return number


def positive(name: str, value: Any) -> float:
    """Return a constructor's argument that must be positive and finite."""
    return number_in(name, value, 0, math.inf)


class ClassNumbers(dict[int, float]):
    """A number for each of some classes, the others having 1: a dict that never changes."""

    def _refuse(self, *arguments: Any, **options: Any) -> NoReturn:
        raise TypeError("the parameters of a loss cannot be changed: make a new one")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    if not TYPE_CHECKING:  # where a dict has no hash

        def __hash__(self) -> int:
            return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return ClassNumbers, (dict(self),)


def sequence_of_numbers(
    name: str, value: Any, low: float, high: float, kinds: str = "a sequence of numbers"
) -> tuple[float, ...]:
    """Return an argument of several numbers of an interval [low, high); what has no order is refused."""
    if hasattr(value, "__array__"):
        array = _validation.as_array(value, name)
        if array.ndim != 1:
            raise TypeError(f"{name} must be {kinds}, got an array of shape {array.shape}")
        value = array.tolist()
    is_sequence = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    if isinstance(value, str | bytes | Mapping) or not is_sequence:
        raise TypeError(f"{name} must be {kinds}, got {shown(value)}")
    if all(type(item) is float and low <= item < high for item in value):  # a thousand of them in no time
        return tuple(value)
    return tuple(number_in(f"{name}[{i}]", item, low, high, ends="[)") for i, item in enumerate(value))


def numbers_of_classes(
    name: str, value: Any, low: float, high: float
) -> tuple[float, ...] | ClassNumbers | None:
    """Return a constructor's argument of a number for each class: a sequence, a dict by class, or None.

    The numbers are of an interval [low, high).
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return ClassNumbers(
            {
                _class_index(name, k): number_in(f"{name}[{k!r}]", x, low, high, ends="[)")
                for k, x in value.items()
            }
        )
    kinds = "a sequence of numbers, one for each class, or a dict of numbers by class"
    return sequence_of_numbers(name, value, low, high, kinds)


def _class_index(name: str, key: Any) -> int:
    whole = isinstance(key, numbers.Real) and not isinstance(key, bool) and key == key // 1
    if not whole or not 0 <= key < 2**31:
        raise TypeError(f"{name} is a dict by class index, 0 and up, but has the key {shown(key)}")
    return int(key)


def flag(name: str, value: Any) -> bool:
    """Return a constructor's argument that must be True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return value


class CallSignature:
    """The signature of an object that a method of the binding calls, which itself has none to show.

    It is that of the object's method `gradient`, but for parameters that only arrays need.
    """

    def __init__(self, *without: str) -> None:
        self._without = without

    def __get__(self, instance: Any, owner: type[Any]) -> inspect.Signature:
        if instance is None:  # a class is called as its constructor
            raise AttributeError("__signature__")
        signature = inspect.signature(instance.gradient)
        kept = [p for name, p in signature.parameters.items() if name not in self._without]
        return signature.replace(parameters=kept)


class NameOfObject:
    """The `__name__` of an object that is called like a function: its name; of its class the class's."""

    def __get__(self, instance: Any, owner: type[Any]) -> str:
        name: str = owner.__name__ if instance is None else instance.name
        return name


class Unchanging:
    """What never changes, and so is its own copy.

    CatBoost copies the parameters of its estimators; scikit-learn's `clone` asks whether they are the same.
    """

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self


class Immutable(Unchanging):
    """What its constructor's arguments make of it: they are its attributes, and it never changes."""

    name: ClassVar[str]
    family: ClassVar[str] = ""
    __name__: ClassVar[NameOfObject] = NameOfObject()

    def _keep(self, arguments: dict[str, Any]) -> None:
        # Nothing else ever goes into the instance's dictionary: it is the constructor's arguments. Set one by
        # one, since Python looks methods up more slowly once `__dict__` has been asked for.
        for name, value in arguments.items():
            object.__setattr__(self, name, value)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in cls.__dict__:
            # An underscore before each capital that begins a word: smooth_l1, kl_divergence.
            cls.name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(self.__dict__)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} objects cannot be changed: make a new one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} objects cannot be changed: make a new one")

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={written(value)}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, Immutable):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (type(self), self.__dict__)


def _make(cls: type[Immutable], arguments: dict[str, Any]) -> Immutable:
    return cls(**arguments)


class Loss(Immutable, Traits, _core.Verbs):
    """A loss; its constructor's arguments are its attributes, and it never changes."""

    aliases: ClassVar[tuple[str, ...]] = ()
    has_gradient: ClassVar[bool] = True
    has_hessian: ClassVar[bool] = True

    def _counterpart(self) -> Loss | None:
        """Return the loss of several classes that this one is for two, or the other way round."""
        return None

    def _of_probabilities(self) -> Loss:
        """Return the same loss of probabilities, where it can be one of scores and of probabilities."""
        return type(self)(**{**self.parameters, "from_logits": False})


#: The names of the curvatures, in the order of their codes in the C library.
CURVATURES = ("exact", "absolute", "unit", "majorizer", "gauss-newton")


def curvature_code(loss: Any, curvature: str, of_classes: str | None = None) -> int:
    """Return the code of a curvature that a loss has.

    `of_classes` is what "auto" means for losses of C classes that have it, which is a library's own; for
    the others the C library's table says.
    """
    codes, preferred = loss._curvatures()
    names = [CURVATURES[code] for code in codes]
    if curvature == "auto":
        own = isinstance(loss, RowLoss) and of_classes in names
        return CURVATURES.index(str(of_classes)) if own else int(preferred)
    if curvature not in names:
        known = ", ".join(map(repr, ["auto", *names]))
        raise ValueError(f"curvature must be one of {known} for {loss!r}, got {curvature!r}")
    return CURVATURES.index(curvature)


class _Curved(Loss):
    """A loss of predictions, whose second derivative another curvature can stand for."""

    def gradient_and_curvature(
        self,
        y_true: Any,
        y_pred: Any,
        *,
        curvature: str = "auto",
        scale: float = 1.0,
        sample_weight: Any = None,
        out: Any = None,
        n_threads: int | None = None,
    ) -> tuple[Array, Array]:
        """Compute each sample's gradient, and a curvature to take Newton's steps with, in one pass.

        Parameters
        ----------
        y_true, y_pred, sample_weight, out, n_threads
            As for :meth:`gradient_and_hessian` with ``reduction="sum"``.
        curvature : {"auto", "exact", "majorizer", "gauss-newton", "absolute", "unit"}
            What stands for the second derivative: itself, the curvature of a parabola above the loss, Gauss
            and Newton's (or the expected one), its absolute value, or 1; "auto" is the one that trains well.
        scale : float, default 1.0
            What both are multiplied by, positive.

        Returns
        -------
        tuple of ndarray
            Gradient and curvature, of the shape and precision of `y_pred`.

        Raises
        ------
        TypeError, ValueError
            As the verb of the Hessian; if the loss has no such curvature, or `scale` is not positive and
            finite.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.Huber().gradient_and_curvature([0.0, 0.0], [0.5, 4.0], curvature="majorizer", scale=2.0)
        (array([1., 2.]), array([2. , 0.5]))
        """
        code = curvature_code(self, curvature)
        if (factor := positive("scale", scale)) != 1:
            # As a weight, so that nothing is gone over twice.
            weight = _validation.as_array(1.0 if sample_weight is None else sample_weight, "sample_weight")
            n = np.shape(y_pred)[:1] if sample_weight is None else weight.shape
            sample_weight = np.broadcast_to(weight * factor, n)
        return self._gradient_and_curvature(y_true, y_pred, sample_weight, code, out, n_threads)


class PointwiseLoss(_Curved, _core.Pointwise):
    """A loss of one prediction and one target at a time.

    A subclass's constructor checks its arguments and hands them to ``super().__init__`` by name, after
    the kernel that computes it and that kernel's parameters.
    """

    __signature__: ClassVar[CallSignature] = CallSignature()

    def __init__(self, kernel: str, kernel_parameters: tuple[float, ...] = (), **arguments: Any) -> None:
        self._bind(kernel, kernel_parameters, self.has_gradient)
        self._keep(arguments)

    @property
    def target_domain(self) -> Domain:
        """The values that `y_true` may take."""
        low, high, open_low, integral = self._domains()[0]
        return Domain(low, high, integral, open_low)

    @property
    def prediction_domain(self) -> Domain:
        """The values that `y_pred` may take."""
        low, high, open_low, integral = self._domains()[1]
        return Domain(low, high, integral, open_low)

    def __add__(self, other: object) -> PointwiseLoss:
        from fastloss.formulas import composition

        return composition.add(self, other) if isinstance(other, PointwiseLoss) else NotImplemented

    def __mul__(self, factor: object) -> PointwiseLoss:
        from fastloss.formulas import composition

        return composition.times(self, factor) if isinstance(factor, numbers.Real) else NotImplemented

    __rmul__ = __mul__

    def clip(self, *, max: float) -> PointwiseLoss:
        """Return the loss that is this one, but at most `max`: samples beyond have no gradient.

        Parameters
        ----------
        max : float
            The largest value.

        Returns
        -------
        PointwiseLoss
            A formula.

        Raises
        ------
        TypeError
            If the loss has no formula.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.SquaredError().clip(max=4.0)([0.0, 0.0], [1.0, 9.0], reduction="none")
        array([1., 4.])
        """
        from fastloss.formulas import composition

        return composition.clipped(self, max)


class _Summed(Loss):
    """A loss whose sums with others are joint ones, of several predictions."""

    def __add__(self, other: object) -> JointLoss:
        from fastloss.joint import JointLoss, parts_of

        return JointLoss(parts_of(self)) + other

    def __mul__(self, factor: object) -> JointLoss:
        from fastloss.joint import JointLoss, parts_of

        return JointLoss(parts_of(self)) * factor

    __rmul__ = __mul__


class RowLoss(_Summed, _Curved, _core.Rows):
    """A loss of a row of predictions, and a class index or a row of targets.

    A subclass's constructor checks its arguments, binds the kernel that computes it, and keeps the
    arguments.
    """

    __signature__: ClassVar[CallSignature] = CallSignature()

    def _warn_off_row(self, row: int, total: float) -> None:
        """Warn that a row of probabilities does not sum to one; the binding calls it at most once a call."""
        _validation.warn_off_row(type(self).__name__, row, total)


class ParameterLoss(RowLoss):
    """A loss of numbers, one a row, by what is predicted of their distribution in the columns of a row."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What each column of predictions is."""
        raise NotImplementedError

    def _row_off(self, spread: float) -> list[float]:
        """Return predictions that are typical of targets 0 with such a spread."""
        raise NotImplementedError

    def _constant_row(self, y: Any, weight: Any) -> Any:
        """Return the constant row of predictions whose mean loss over finite targets is smallest."""
        if y.ndim != 1:
            raise ValueError(f"y_true has shape {y.shape}, expected (n,) numbers")
        self(y, np.zeros((len(y), len(self.columns))), sample_weight=weight)  # checks the weights
        y = np.asarray(y, np.float64)
        w = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
        order = np.argsort(y, kind="stable")
        return self._best_constant(y[order], w[order] / w.max())

    def _best_constant(self, y: Any, w: Any) -> Any:
        raise NotImplementedError


class _WithoutHessian(Loss):
    """A loss whose Hessian is not diagonal."""

    has_hessian = False

    def gradient_and_hessian(self, *arguments: Any, **options: Any) -> NoReturn:
        """Raise a TypeError: the Hessian is not diagonal."""
        raise TypeError(f"the Hessian of {type(self).__name__} is not diagonal: only gradients can be had")

    value_gradient_and_hessian = gradient_and_hessian


class EmbeddingLoss(_Summed, _WithoutHessian, _core.Embeddings):
    """A loss of embeddings: rows that are vectors, in pairs, in triplets, or against centres.

    Its verbs take the embeddings first and labels, where there are any, last. Gradients come as a tuple with
    one array for each embedding argument. There is no Hessian, which is not diagonal.
    """

    family = "embedding"
    link = "none"
    predicts = "embedding"
    inputs = "vectors"


class TransportLoss(_WithoutHessian):
    """A distance between two distributions that are given by points or masses.

    Its verbs take the two, then their weights, and give one number for a pair. The gradient is by the second.
    There is no Hessian, which is not diagonal.
    """

    family = "transport"
    predicts = "distribution"
    inputs = targets = "points"
