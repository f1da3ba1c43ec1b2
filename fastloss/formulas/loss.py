"""A loss that is made from a formula."""

from __future__ import annotations

import keyword
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastloss._loss import Domain, PointwiseLoss, number, whole_number
from fastloss.formulas import samples
from fastloss.formulas.derivatives import derivative
from fastloss.formulas.errors import FormulaError
from fastloss.formulas.graph import MOST_NODES, Graph, RawGraph, TooLargeError
from fastloss.formulas.parse import FUNCTIONS, parse
from fastloss.formulas.programs import compiled
from fastloss.formulas.text import write
from fastloss.formulas.trace import trace

if TYPE_CHECKING:
    from fastloss.formulas.audit import Audit

Expression = str | Callable[..., Any]

_INF = float("inf")
#: The domains of targets and predictions, as they are written.
DOMAINS = {
    "(-inf, inf)": Domain(-_INF, _INF, False),
    "[0, inf)": Domain(0.0, _INF, False),
    "(0, inf)": Domain(0.0, _INF, False, True),
    "(-1, inf)": Domain(-1.0, _INF, False, True),
    "[0, 1]": Domain(0.0, 1.0, False),
    "{0, 1}": Domain(0.0, 1.0, True),
    "{-1, 0, 1}": Domain(-1.0, 1.0, True),
}
_CASES = ("abs", "sign", "minimum", "maximum", "nearest_zero", "where")
_RESERVED = ("y", "z", "name", "targets", "predictions", "where", "gradient", "hessian", "backend")
#: What may run a formula.
BACKENDS = ("machine", "compiled")


def _domain(what: str, text: str | None) -> tuple[float, float, bool, bool, bool]:
    if text is None:
        text = "(-inf, inf)"
    if not isinstance(text, str) or text not in DOMAINS:
        raise ValueError(f"{what} must be one of {', '.join(map(repr, DOMAINS))}, got {text!r}")
    low, high, integral, open_low = DOMAINS[text]
    return low, high, open_low, integral, high == _INF


def _check_name(name: Any, kind: str) -> None:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{name!r} is no name for {kind}")
    if name in _RESERVED or name in FUNCTIONS:
        raise ValueError(f"{name!r} has a meaning already: take another name for {kind}")


class Formula(PointwiseLoss):
    """A loss that is made from a formula of the target `y`, the prediction `z` and parameters.

    Made by :func:`fastloss.formula`, which says what its arguments are.
    """

    def __init__(
        self,
        expression: Expression,
        *,
        targets: str | None = None,
        predictions: str | None = None,
        where: Mapping[str, str] | None = None,
        gradient: Expression | None = None,
        hessian: Expression | None = None,
        name: str = "formula",
        backend: str | None = None,
        **parameters: float,
    ) -> None:
        if backend not in (None, *BACKENDS):
            raise ValueError(f"backend must be one of {', '.join(map(repr, BACKENDS))}, got {backend!r}")
        if not isinstance(name, str):
            raise TypeError(f"name must be a string, got {name!r}")
        definitions = {} if where is None else dict(where)
        values = {key: number(key, value) for key, value in parameters.items()}
        symbolic = Graph()
        texts = _texts((expression, gradient, hessian), definitions, values)
        for given in values:
            _check_name(given, "a parameter")
        if not all(isinstance(text, str) for text in definitions.values()):
            raise TypeError("where= is a dict of strings")
        try:
            roots = _read(symbolic, texts, definitions, values)
            self._compile(
                symbolic, roots, values, _domain("targets", targets), _domain("predictions", predictions)
            )
        except (RecursionError, TooLargeError) as error:
            raise FormulaError(f"the formula is too large: {error}") from None
        except (ArithmeticError, ValueError) as error:
            if isinstance(error, FormulaError):
                raise
            raise FormulaError(f"the formula, or its derivative, is not defined: {error}") from None
        labels = targets in ("[0, 1]", "{0, 1}", "{-1, 0, 1}")
        self._keep(
            {
                "_texts": texts,
                "_definitions": tuple(definitions.items()),
                "_values": tuple(values.items()),
                "_targets": targets,
                "_predictions": predictions,
                "_backend": backend,
                "name": name,
                "family": "binary" if labels else "regression",
            }
        )
        if (backend or os.environ.get("FASTLOSS_FORMULA_BACKEND")) == "compiled":
            self._compile_natively()

    def _compile(
        self,
        symbolic: Graph,
        roots: list[int | None],
        values: dict[str, float],
        targets: tuple[float, float, bool, bool, bool],
        predictions: tuple[float, float, bool, bool, bool],
    ) -> None:
        value, _gradient, _hessian = roots
        assert value is not None
        if "z" not in symbolic.leaves(value, "input"):
            raise FormulaError("the formula does not depend on z, the prediction")
        if len(symbolic.needed([value])) > MOST_NODES:
            raise TooLargeError(f"it has more than {MOST_NODES} terms")
        g = Graph()
        given = [root for root in roots if root is not None]
        bound = iter(symbolic.copy_into(g, given, values))
        v, d, h = (next(bound) if root is not None else None for root in roots)
        assert v is not None
        d = derivative(g, v) if d is None else d
        h = derivative(g, d) if h is None else h
        programs = compiled(g, v, d, h)
        self._bind_formula(targets, predictions, programs.cost, programs.constants, programs.programs)
        object.__setattr__(self, "_programs", programs)
        object.__setattr__(self, "_graph", (symbolic, tuple(roots)))
        has_cases = any(g.nodes[i][0] in _CASES for i in g.needed([d]))
        object.__setattr__(self, "_has_cases", has_cases)

    def _compile_natively(self) -> None:
        """Let compiled functions run the programs, unless there are none or they make other bits."""
        from fastloss.formulas.compiling import addresses

        expected = self._results_of_trial()
        self._bind_compiled(*addresses(self._programs, _domain("targets", self._targets)))
        if self._is_compiled() and self._results_of_trial() != expected:
            self._bind_compiled(0, 0)

    def _results_of_trial(self) -> list[bytes]:
        """Return the bits of all outputs at hard samples, of numbers of lanes that are whole and not."""
        found = []
        with np.errstate(all="ignore"):
            for dtype in (np.float32, np.float64):
                y, z = samples.hard(
                    self.target_domain, self.prediction_domain, dtype, np.random.default_rng(0), 1000
                )
                for reduction in ("none", "sum"):
                    value, *slopes = self.value_gradient_and_hessian(y, z, reduction=reduction, n_threads=1)
                    parts = [np.asarray(value, dtype), *slopes, self.gradient(y, z, n_threads=1)]
                    # Of NaN there is more than one pattern.
                    found += [np.where(np.isnan(part), np.nan, part).tobytes() for part in parts]
        return found

    @property
    def backend(self) -> str:
        """What runs the formula: "machine", which is the library's, or "compiled", a kernel of its own."""
        return BACKENDS[self._is_compiled()]

    @property
    def targets(self) -> str:
        """Labels where the values of the targets are so limited, otherwise numbers."""
        found = {None: "numbers", "[0, 1]": "probabilities", "{0, 1}": "labels", "{-1, 0, 1}": "labels"}
        return found.get(self._targets, "numbers")

    @property
    def inputs(self) -> str:
        """Scores where targets are labels, otherwise numbers."""
        return "numbers" if self.family == "regression" else "scores"

    @property
    def link(self) -> str:
        """None that is known: a formula may be of any function of what is predicted."""
        return "none"

    @property
    def predicts(self) -> str:
        """A score where targets are labels; otherwise what is not known."""
        return "center" if self.family == "regression" else "score"

    @property
    def kinked(self) -> bool:
        """Whether the gradient may jump: it is told by cases."""
        return bool(self._has_cases)

    @property
    def parameters(self) -> dict[str, float]:
        """The values of the formula's parameters."""
        return dict(self._values)

    @property
    def expression(self) -> str:
        """The formula as it was given, or written down from a function."""
        text: str = self._texts[0]
        return text

    def _derived(self, order: int) -> str:
        symbolic, roots = self._graph
        node = roots[0]
        for k in range(1, order + 1):
            node = derivative(symbolic, node) if roots[k] is None else roots[k]
        definitions, text = write(symbolic, node, (*_RESERVED, *self.parameters))
        lines = [f"{name} = {term}" for name, term in definitions.items()]
        return text if not lines else f"{text} where {', '.join(lines)}"

    @property
    def value_expression(self) -> str:
        """The formula as it is computed, after it was rewritten."""
        return self._derived(0)

    @property
    def gradient_expression(self) -> str:
        """The derivative by z."""
        return self._derived(1)

    @property
    def hessian_expression(self) -> str:
        """The second derivative by z."""
        return self._derived(2)

    def with_parameters(self, **parameters: float) -> Formula:
        """Return the formula with other values of some parameters.

        Parameters
        ----------
        **parameters
            Their new values.

        Returns
        -------
        Formula
            A new loss.

        Raises
        ------
        TypeError
            If the formula has no such parameter.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.formula("a*(z - y)**2", a=0.5).with_parameters(a=2.0)
        formula('a*(z - y)**2', a=2.0)
        """
        for name in parameters:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise TypeError(f"the formula has no parameter {name!r}; its parameters: {known}")
        return _made(self._texts, {**self._options(), **parameters})

    def audit(self, *, seconds: float = 2.0, seed: int = 0, show: bool = True) -> Audit:
        """Find out how exact the loss is, and what kind of loss: against the formula in many digits.

        Values, gradients and Hessians of both precisions are compared with mpmath's at hard samples of the
        domains, and a search goes on from the worst. True derivatives are difference quotients of the
        formula as it was written, in 110 digits and more.

        Parameters
        ----------
        seconds : float, default 2.0
            How long the search may take, of both precisions together.
        seed : int, default 0
            Of the samples.
        show : bool, default True
            Whether to print the table.

        Returns
        -------
        Audit
            What was found: the worst errors and their places, kinks, the range of the Hessian, convexity, a
            bound of the curvature, which curvature to boost with, and what to mend.

        Raises
        ------
        ImportError
            If mpmath is not installed.

        Examples
        --------
        >>> import fastloss as fl
        >>> found = fl.formula("log(exp(2*z) + exp(z) + 1) - y*z").audit(seconds=0.2, show=False)
        >>> found.problems[0][:58]
        'value in float32 is infinite or NaN where the truth is a n'
        """
        from fastloss.formulas.audit import audited

        found = audited(self, number("seconds", seconds), whole_number("seed", seed))
        if show:
            print(found)
        return found

    def _curvatures(self) -> tuple[list[int], int]:
        """Return the codes of exact, absolute and unit curvature, and which of them to train with."""
        from fastloss.formulas.audit import advised, curvatures

        return [0, 1, 2], ("exact", "absolute", "unit").index(advised(curvatures(self)[0]))

    def _raw(self) -> tuple[RawGraph, list[int | None]]:
        """Return the formula as it was written, and derivatives that were."""
        g = RawGraph()
        roots = _read(g, self._texts, dict(self._definitions), self.parameters)
        return g, roots

    def _options(self) -> dict[str, Any]:
        """Return the constructor's arguments after the first, those that differ from their defaults."""
        options = {
            "targets": self._targets,
            "predictions": self._predictions,
            "where": dict(self._definitions) or None,
            "name": None if self.name == "formula" else self.name,
            "gradient": self._texts[1],
            "hessian": self._texts[2],
            "backend": self._backend,
        }
        return {**{k: v for k, v in options.items() if v is not None}, **self.parameters}

    def _key(self) -> tuple[Any, ...]:
        return self._texts, self._definitions, self._values, self._targets, self._predictions, self.name

    def __repr__(self) -> str:
        arguments = [repr(self.expression), *(f"{k}={v!r}" for k, v in self._options().items())]
        return f"formula({', '.join(arguments)})"

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Formula) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self._texts, self._options())

    if TYPE_CHECKING:  # with one at run time, every look at a method would take longer

        def __getattr__(self, name: str) -> Any:
            """Attributes that begin with _ are set one by one in the constructor."""


def _made(texts: tuple[str | None, ...], options: dict[str, Any]) -> Formula:
    return Formula(texts[0], **options)  # type: ignore[arg-type]


def _read(
    g: Graph, texts: tuple[str | None, ...], definitions: Mapping[str, str], names: Iterable[str]
) -> list[int | None]:
    """Read the formula and what derivatives are given, with these names of parameters."""
    known = {"y": g.leaf("input", "y"), "z": g.leaf("input", "z")}
    known |= {name: g.leaf("parameter", name) for name in names}
    for name, text in definitions.items():
        _check_name(name, "a definition")
        if name in known:
            raise ValueError(f"{name!r} is defined twice")
        known[name] = parse(g, text, known)
    return [None if text is None else parse(g, text, known) for text in texts]


def _texts(
    given: tuple[Expression | None, ...], definitions: dict[str, str], values: dict[str, float]
) -> tuple[str | None, ...]:
    """Return what is given as texts.

    A function adds the defaults of its parameters to the values, and its shared terms to the definitions.
    """
    if all(text is None or isinstance(text, str) for text in given) and isinstance(given[0], str):
        return given  # type: ignore[return-value]
    if definitions:
        raise TypeError("where= is for formulas that are strings: a function has its own names")
    texts: list[str | None] = []
    for function in given:
        if function is not None and not callable(function):
            raise TypeError(f"a formula is a string, or a function of y and z, got {function!r}")
        text = None
        if function is not None:
            g = RawGraph()
            node, found = trace(function, g, values)
            values.update({key: number(key, value) for key, value in found.items()})
            shared, text = write(g, node, (*_RESERVED, *FUNCTIONS, *values, *definitions))
            definitions.update(shared)
        texts.append(text)
    return tuple(texts)


def formula(
    expression: Expression,
    *,
    targets: str | None = None,
    predictions: str | None = None,
    where: Mapping[str, str] | None = None,
    gradient: Expression | None = None,
    hessian: Expression | None = None,
    name: str = "formula",
    backend: str | None = None,
    **parameters: float,
) -> Formula:
    r"""Make a loss from a formula of the target `y`, the prediction `z` and parameters.

    Its derivatives are taken from the formula, which is rewritten where it would cancel or overflow as it
    stands, and compiled to a program that the C library runs block by block. The loss has all verbs of the
    others. A string is parsed and never evaluated as Python: one from anybody can do no harm.

    Parameters
    ----------
    expression : str or callable
        The loss of one sample: numbers, names, ``+ - * / **``, and the functions ``abs``, ``sign``,
        ``minimum``, ``maximum``, ``clip``, ``where(a < b, c, d)``, ``sqrt``, ``exp``, ``expm1``, ``log``,
        ``log1p``, ``sinh``, ``cosh``, ``tanh``, ``sigmoid``, ``log_sigmoid``, ``softplus``, ``log_cosh``,
        ``logaddexp``, ``xlogy``, ``erf``, ``normal_cdf``, ``normal_log_cdf``, ``lgamma`` and ``digamma``. Or
        a function of `y`, `z` and parameters by name, which is called once with terms in place of numbers;
        it takes such functions from ``fastloss.functions`` or NumPy.
    targets, predictions : str, optional
        The values that targets and predictions may take, checked on each call: ``"[0, 1]"``, ``"{0, 1}"``,
        ``"{-1, 0, 1}"``, ``"[0, inf)"``, ``"(0, inf)"``, ``"(-1, inf)"``, or ``"(-inf, inf)"``, any number,
        which is the default.
    where : dict of str, optional
        Names for terms of the formula, each of which may use those before it.
    gradient, hessian : str or callable, optional
        The derivatives, where those of the formula are not what is wanted.
    name : str, default "formula"
        The name of the loss.
    backend : {"machine", "compiled"}, optional
        What is to run the formula. The machine, which is the default, is there at once and on any computer.
        With ``"compiled"`` a C compiler makes a kernel of the formula, in a second or two, which gives the
        same bits and is kept in a folder of the user's for later. Where there is no compiler or anything else
        fails, the machine runs the formula: the attribute `backend` tells. The environment variable
        ``FASTLOSS_FORMULA_BACKEND`` sets the default.
    **parameters : float
        The parameters of the formula and their values.

    Returns
    -------
    Formula
        The loss, immutable like all of them; its attributes `expression`, `value_expression`,
        `gradient_expression`, `hessian_expression` and `parameters` tell what it computes.

    Raises
    ------
    FormulaError
        A `ValueError` that shows the column of the mistake: a name or function that there is not, a constant
        beyond the range of numbers, more than 200 levels of nesting; a formula that does not depend on `z`.
    TypeError
        If a parameter is no number, or missing.

    Notes
    -----
    At a kink, as of ``abs`` at 0, the gradient is the number nearest to 0 between the slopes on both sides,
    and the Hessian that of the branch that holds there.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.formula("softplus(z) - y*z", targets="[0, 1]")
    >>> round(loss([0.0, 1.0], [0.0, 100.0], reduction="sum"), 6)
    0.693147
    >>> loss.gradient_expression
    '(1 - y)*sigmoid(z) - y*sigmoid(-z)'
    >>> focal = fl.formula("softplus(-m)*sigmoid(-m)**g", where={"m": "(2*y - 1)*z"}, targets="{0, 1}", g=2.0)
    >>> focal.with_parameters(g=1.5).parameters
    {'g': 1.5}
    """
    return Formula(
        expression,
        targets=targets,
        predictions=predictions,
        where=where,
        gradient=gradient,
        hessian=hessian,
        name=name,
        backend=backend,
        **parameters,
    )
