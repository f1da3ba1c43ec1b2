"""From a graph to programs for the machine: lists of steps over blocks of samples."""

from __future__ import annotations

import struct
from collections import Counter
from typing import NamedTuple

from fastloss import _core
from fastloss.formulas.graph import LEAVES, Graph, TooLargeError
from fastloss.formulas.lowering import lowered

#: The numbers of the machine's operations.
OPERATIONS = {name: i for i, name in enumerate(_core.formula_operations())}
#: What a program makes, of value, gradient and Hessian, in the order of the C library's numbers.
OUTPUT_SETS = ((0,), (1,), (0, 1), (1, 2), (0, 1, 2))
_MOST_REGISTERS = 128
#: What operations take, in hundredths of nanoseconds a sample of float32 with AVX-512; the others 3.
_COSTS = {
    **dict.fromkeys(
        ("div", "sqrt", "sigmoid_of", "sigmoid_minus_of", "tanh_of", "sigmoid_slope", "expm1_of_gauss"), 5
    ),
    **dict.fromkeys(("exp", "exp_minus_abs", "decay", "log1p_of_unit", "cross_entropy_slope_of"), 9),
    **dict.fromkeys(("expm1", "softplus_of", "softplus_minus_of", "log_cosh_of", "cross_entropy_of"), 12),
    **dict.fromkeys(("log", "log1p", "gauss", "sinh", "cosh", "xlogy", "logaddexp", "erf"), 20),
    **dict.fromkeys(("pow", "power", "power_of_sigmoid", "lgamma", "digamma", "trigamma", "tetragamma"), 60),
    **dict.fromkeys(("normal_cdf", "normal_log_cdf", "normal_pdf", "normal_hazard", "normal_excess"), 60),
}
#: Memory bounds what takes less than the first of these; both do what takes less than the second.
_LIMITS = (25, 45)
#: Operations whose constants come first, as their order does not matter; of registers alone; which write over
#: none of their operands.
_IN_ANY_ORDER = {"add", "mul", "equal", "not_equal", "logaddexp", "nearest_zero"}
_OF_REGISTERS = {
    "minimum",
    "maximum",
    "xlogy",
    "pow",
    "softplus_of",
    "softplus_minus_of",
    "sigmoid_of",
    "sigmoid_minus_of",
    "log_cosh_of",
}
_OF_REGISTERS |= {"tanh_of", "cross_entropy_of", "cross_entropy_slope_of", "parabola", "expm1_of_gauss"}
OF_CONSTANT = {"at_most", "at_least", "power", "power_of_sigmoid"}
APART = {"exp", "expm1", "exp_minus_abs"}
REGISTER, PRODUCT, DIFFERENCE, PARABOLA, MULTIPLE = range(5)

#: A kind, and registers or a constant, which is the last one of a product.
Output = tuple[int, int, int, int]


class Step(NamedTuple):
    """A step: its operation with and without what its operands are, of these kinds (v, c) and places."""

    name: str
    base: str
    to: int
    kinds: tuple[str, ...]
    places: tuple[int, ...]


#: The steps of a program, and its outputs by their numbers.
Listing = tuple[list[Step], dict[int, Output]]


class Programs(NamedTuple):
    """What the machine is given: constants, and steps, number of registers and outputs of each program."""

    constants: bytes
    programs: list[tuple[bytes, int, list[Output]]]
    cost: int
    listings: list[Listing]


def compiled(g: Graph, value: int, gradient: int, hessian: int) -> Programs:
    """Compile the programs of a value and its derivatives, in which there are no parameters any more."""
    low = Graph()
    roots = lowered(g, low, (value, gradient, hessian))
    constants = {1.0: 0}
    programs, listings = [], []
    cost = 0
    for outputs in OUTPUT_SETS:
        compiler = _Compiler(low, constants, [roots[k] for k in outputs])
        made = dict(zip(outputs, compiler.run(), strict=True))
        steps = b"".join(_packed(step) for step in compiler.steps)
        places = [made.get(k, (0, 0, 0, 0)) for k in range(3)]
        programs.append((steps, compiler.n_registers, places))
        listings.append((compiler.steps, made))
        if outputs == (0, 1):
            total = sum(cost_of(step.name) for step in compiler.steps)
            cost = sum(total > limit for limit in _LIMITS)
    return Programs(struct.pack(f"={len(constants)}d", *constants), programs, cost, listings)


def cost_of(name: str) -> float:
    """Return what an operation takes, about."""
    return _COSTS.get(name, _COSTS.get(name.rpartition("_")[0], 3))


def _packed(step: Step) -> bytes:
    """Return a step as the machine takes it: what an operation does not use may be anything."""
    places = (*step.places, *[step.places[0]] * (5 - len(step.places)))
    return struct.pack("=7H", OPERATIONS[step.name], step.to, *places)


def _by_need(g: Graph, roots: list[int]) -> list[int]:
    """Return the nodes that these need, each as late as may be: few have to be kept."""
    order: list[int] = []
    done: set[int] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        i, ready = stack.pop()
        if i in done:
            continue
        if ready:
            done.add(i)
            order.append(i)
        else:
            stack.append((i, True))
            stack.extend((a, False) for a in reversed(g.operands(i)) if a not in done)
    return order


def _named(op: str, kinds: list[str]) -> str:
    """Return the name of an operation whose operands are of these kinds."""
    if len(kinds) in (1, 5) or op in {*_OF_REGISTERS, *OF_CONSTANT, "clip_difference", "leaky_difference"}:
        return op
    if len(kinds) == 4:
        return f"{op}_{kinds[0]}{kinds[1]}_{kinds[2]}{kinds[3]}"
    return f"{op}_{''.join(kinds[-2:])}"


class _Compiler:
    """Steps for some nodes of a graph, with registers that are used again."""

    def __init__(self, g: Graph, constants: dict[float, int], roots: list[int]) -> None:
        self.g, self.constants, self.roots = g, constants, roots
        self.needed = _by_need(g, roots)
        self.uses = dict.fromkeys(self.needed, 0)
        for i in self.needed:
            for a in g.operands(i):
                self.uses[a] += 1
        for root in roots:
            self.uses[root] += 1
        self.fused: set[int] = set()
        self.steps: list[Step] = []
        self.n_registers = 0
        self.free: list[int] = []
        self.places: dict[int, int] = {}
        self.left: Counter[int] = Counter()

    def run(self) -> list[Output]:
        """Emit all steps; return what the outputs are."""
        outputs = [self.last_product(root, first=not i) for i, root in enumerate(self.roots)]
        forms = {i: self.form(i) for i in self.needed if self.g.nodes[i][0] not in LEAVES}
        for i, (_, operands) in forms.items():
            if i not in self.fused:
                for a in operands:
                    self.left[a] += 1
        for _, factors in outputs:
            self.left.update(factors)
        for i, (name, operands) in forms.items():
            if i not in self.fused:
                self.emit(i, name, operands)
        return [self.output(*output) for output in outputs]

    def last_product(self, root: int, *, first: bool) -> tuple[int, tuple[int, ...]]:
        """Return an output's kind and factors: a product of its own is left to what takes it away.

        The first output may take inputs into it: over them nothing is written yet.
        """
        op, *args = self.g.nodes[root]
        if self.uses[root] > 1 or op not in ("mul", "square", "neg", "parabola"):
            return REGISTER, (root,)
        if op == "parabola":
            if first:
                self.fused.add(root)
            return (PARABOLA, tuple(args)) if first else (REGISTER, (root,))
        a, b = args if op == "mul" else (args[0], args[0])
        if first and op == "mul" and (found := self.times_difference(a, b)) is not None:
            self.fused.add(root)
            return DIFFERENCE, found
        if op == "neg" or self.g.value(a) is not None:
            constant, a = (self.g.const(-1), a) if op == "neg" else (a, b)
            if self.is_own_product(a) and (factors := self.product(a, first=first)) is not None:
                self.fused |= {root, a}
                return PRODUCT, (*factors, constant)
            if self.g.nodes[a][0] == "input":
                return REGISTER, (root,)
            self.fused.add(root)
            return MULTIPLE, (a, constant)
        if (factors := self.product(root, first=first)) is None:
            return REGISTER, (root,)
        self.fused.add(root)
        return PRODUCT, (*factors, self.g.const(1))

    def product(self, i: int, *, first: bool) -> tuple[int, int] | None:
        """Return the factors of a product, an input last, which the first output alone may take."""
        a, b = self.factors(i)
        a, b = (b, a) if self.g.nodes[a][0] == "input" else (a, b)
        is_input = [self.g.nodes[x][0] == "input" for x in (a, b)]
        return None if is_input[0] or (is_input[1] and not first) or self.g.value(b) is not None else (a, b)

    def times_difference(self, a: int, b: int) -> tuple[int, ...] | None:
        """Return the factors of a·(p − q), where p − q is of inputs and for this product alone."""
        for factor, difference in ((a, b), (b, a)):
            op, *args = self.g.nodes[difference]
            if op != "sub" or self.uses[difference] > 1 or self.g.nodes[factor][0] in LEAVES:
                continue
            if all(self.g.nodes[i][0] == "input" for i in args):
                self.fused.add(difference)
                return factor, *args
        return None

    def output(self, kind: int, factors: tuple[int, ...]) -> Output:
        """Return an output's kind and operands; the first is no input, over which others may be written."""
        a, b, c = (*factors, factors[0], factors[0])[:3]
        if kind == MULTIPLE:
            return kind, self.register(a), self.constant(b), 0
        if self.g.nodes[a][0] == "input":
            self.add_step(a, "mul", ["c", "v"], [self.constant(self.g.const(1)), self.register(a)])
            return REGISTER, self.places[a], 0, 0
        if kind == PRODUCT:
            return kind, self.register(a), self.register(b), self.constant(c)
        return kind, self.register(a), self.register(b), self.register(c)

    def form(self, i: int) -> tuple[str, tuple[int, ...]]:
        """Return the operation of a node and its operands: sums take in a product that only they use."""
        op, *args = self.g.nodes[i]
        if op == "sub" and self.is_own_product(args[0]) and (c := self.g.value(args[1])) is not None:
            op, args = "add", [args[0], self.g.const(-c)]
        if op in ("add", "sub"):
            for product, other, name in (
                (args[1], args[0], "fma" if op == "add" else "fnma"),
                (*args, "fma"),
            ):
                if self.is_own_product(product) and (op == "add" or name == "fnma"):
                    self.fused.add(product)
                    a, b = self.factors(product)
                    return name, (a, b, other)
        return op, tuple(args)

    def is_own_product(self, i: int) -> bool:
        return self.uses.get(i) == 1 and self.g.nodes[i][0] in ("mul", "square") and i not in self.fused

    def factors(self, i: int) -> tuple[int, int]:
        op, *args = self.g.nodes[i]
        a, b = (args[0], args[0]) if op == "square" else args
        return (b, a) if self.g.value(a) is not None else (a, b)

    def emit(self, i: int, op: str, operands: tuple[int, ...]) -> None:
        kinds = ["v" if self.g.value(a) is None else "c" for a in operands]
        if op in _IN_ANY_ORDER and kinds == ["v", "c"]:
            operands, kinds = operands[::-1], kinds[::-1]
        if len(operands) == 1 or op in _OF_REGISTERS or (kinds == ["c", "c"] and op not in OF_CONSTANT):
            kinds = ["v"] * len(operands)
        elif len(operands) == 3 or op in OF_CONSTANT:
            kinds[0] = "v"
        places = [
            self.register(a) if k == "v" else self.constant(a) for a, k in zip(operands, kinds, strict=True)
        ]
        if op in _OF_REGISTERS:  # two or three
            places, kinds = (places + places[:1])[:3], ["v"] * 3
        if op in APART:
            self.add_step(i, op, kinds, places)
        for a in operands:
            self.release(a)
        if op not in APART:
            self.add_step(i, op, kinds, places)

    def add_step(self, i: int, op: str, kinds: list[str], places: list[int]) -> None:
        if self.free:
            to = self.free.pop()
        else:
            to = 2 + self.n_registers
            self.n_registers += 1
            if self.n_registers > _MOST_REGISTERS:
                raise TooLargeError(f"the formula keeps more than {_MOST_REGISTERS} numbers at a time")
        self.places[i] = to
        self.steps.append(Step(_named(op, kinds), op, to, tuple(kinds), tuple(places)))

    def register(self, i: int) -> int:
        """Return the register that holds a node; a constant is put into one."""
        node = self.g.nodes[i]
        if node[0] == "input":
            return 0 if node[1] == "y" else 1
        if i not in self.places:
            self.add_step(i, "set", ["c"], [self.constant(i)])
        return self.places[i]

    def constant(self, i: int) -> int:
        value = self.g.value(i)
        assert value is not None
        return self.constants.setdefault(value, len(self.constants))

    def release(self, i: int) -> None:
        """Count a use; the register of a node of no more uses is free."""
        self.left[i] -= 1
        if self.left[i] == 0 and i in self.places:
            self.free.append(self.places.pop(i))
