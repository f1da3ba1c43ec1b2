"""From a graph to programs for the machine: lists of steps over blocks of samples."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from fastloss import _core
from fastloss.formulas.graph import LEAVES, Graph, TooLargeError

#: The numbers of the machine's operations.
OPERATIONS = {name: i for i, name in enumerate(_core.formula_operations())}
#: What a program makes, of value, gradient and Hessian, in the order of the C library's numbers.
OUTPUT_SETS = ((0,), (1,), (0, 1), (1, 2), (0, 1, 2))
_MOST_REGISTERS = 128
_CHEAP = {"add", "sub", "mul", "neg", "abs", "sign", "square", "fma", "fnma", "where", "minimum", "maximum"}
_CHEAP |= {"less", "less_equal", "equal", "not_equal", "nearest_zero", "div", "set"}
_MOST_CHEAP_STEPS = 12


class Programs(NamedTuple):
    """What the machine is given: constants, and steps, number of registers and outputs of each program."""

    constants: bytes
    programs: list[tuple[bytes, int, tuple[int, int, int]]]
    is_cheap: bool


def compiled(g: Graph, value: int, gradient: int, hessian: int) -> Programs:
    """Compile the programs of a value and its derivatives, in which there are no parameters any more."""
    low = Graph()
    roots = _lowered(g, low, (value, gradient, hessian))
    constants: dict[float, int] = {}
    programs = []
    names: set[str] = set()
    for outputs in OUTPUT_SETS:
        compiler = _Compiler(low, constants, [roots[k] for k in outputs])
        registers = iter(compiler.run())
        names |= compiler.used
        places = [next(registers) if k in outputs else 0 for k in range(3)]
        steps = b"".join(struct.pack("=5H", *step) for step in compiler.steps)
        programs.append((steps, compiler.n_registers, (places[0], places[1], places[2])))
    longest = len(programs[-1][0]) // 10
    return Programs(
        struct.pack(f"={len(constants)}d", *constants),
        programs,
        names <= _CHEAP and longest <= _MOST_CHEAP_STEPS,
    )


def _lowered(g: Graph, low: Graph, roots: Sequence[int]) -> list[int]:
    """Build nodes again out of what the machine has operations for."""
    new: dict[int, int] = {}
    for i in g.needed(roots):
        op, *rest = g.nodes[i]
        if op == "const":
            new[i] = low.const(rest[0])
        elif op in LEAVES:
            new[i] = low.leaf(op, rest[0])
        else:
            new[i] = _lower(low, op, [new[a] for a in rest])
    return [new[i] for i in roots]


def _lower(g: Graph, op: str, args: list[int]) -> int:
    if op in ("sigmoid", "softplus"):  # both of e^−|x|
        x = args[0]
        if g.nodes[x][0] == "neg":
            x = g.operands(x)[0]
            return g.plain(f"{op}_minus_of", x, g.make("exp_minus_abs", x))
        return g.plain(f"{op}_of", x, g.make("exp_minus_abs", x))
    if op == "mul" and args[0] == args[1]:
        return g.plain("square", args[0])
    if op in ("root", "root_minus_one"):
        square = g.plain("square", args[0])
        root = g.plain("sqrt", g.make("add", g.const(1), square))
        return root if op == "root" else g.make("div", square, g.make("add", g.const(1), root))
    if op == "bend":
        return g.make("div", args[0], _lower(g, "root", args))
    if op == "one_minus_square":
        return g.make("mul", g.make("sub", g.const(1), args[0]), g.make("add", g.const(1), args[0]))
    if op == "one_minus_cube":
        sums = g.make("add", g.make("add", g.const(1), args[0]), g.plain("square", args[0]))
        return g.make("mul", g.make("sub", g.const(1), args[0]), sums)
    if op in ("log_difference", "log1p_difference"):
        return _lowered_difference(g, op, *args)
    return g.make(op, *args)


def _lowered_difference(g: Graph, op: str, p: int, q: int) -> int:
    """Log p − log q = log1p((p − q)/q) where they are near each other, otherwise as it is."""
    log = op.removesuffix("_difference")
    base = q if log == "log" else g.make("add", g.const(1), q)
    ratio = g.make("div", g.make("sub", p, q), base)
    near = g.make("less", g.make("abs", ratio), g.const(0.5))
    apart = g.plain("sub", g.make(log, p), g.make(log, q))
    return g.make("where", near, g.make("log1p", ratio), apart)


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
        self.steps: list[tuple[int, int, int, int, int]] = []
        self.used: set[str] = set()
        self.n_registers = 0
        self.free: list[int] = []
        self.places: dict[int, int] = {}
        self.left: dict[int, int] = {}

    def run(self) -> list[int]:
        """Emit all steps; return the registers of the roots."""
        forms = {i: self.form(i) for i in self.needed if self.g.nodes[i][0] not in LEAVES}
        self.left = dict.fromkeys(self.needed, 0)
        for i, (_, operands) in forms.items():
            if i not in self.fused:
                for a in operands:
                    self.left[a] += 1
        for root in self.roots:
            self.left[root] += 1
        for i, (name, operands) in forms.items():
            if i not in self.fused:
                self.emit(i, name, operands)
        return [self.output(root) for root in self.roots]

    def output(self, i: int) -> int:
        """Return the register of an output: no input itself, over which another output may be written."""
        if self.g.nodes[i][0] == "input":
            one = self.g.const(1)
            self.add_step(i, "mul_vc", [self.register(i), self.constant(one)])
            return self.places[i]
        return self.register(i)

    def form(self, i: int) -> tuple[str, tuple[int, ...]]:
        """Return the operation of a node and its operands: sums take in a product that only they use."""
        op, *args = self.g.nodes[i]
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
        return self.uses[i] == 1 and self.g.nodes[i][0] in ("mul", "square") and i not in self.fused

    def factors(self, i: int) -> tuple[int, int]:
        op, *args = self.g.nodes[i]
        a, b = (args[0], args[0]) if op == "square" else args
        return (b, a) if self.g.value(a) is not None else (a, b)

    def emit(self, i: int, op: str, operands: tuple[int, ...]) -> None:
        kinds = "".join("v" if self.g.value(a) is None else "c" for a in operands)
        if len(operands) == 1 or (kinds[-2:] == "cc" and len(operands) == 2):
            kinds = "v" * len(operands)
        elif len(operands) == 3:
            kinds = "v" + kinds[1:]
        name = op if len(operands) == 1 else f"{op}_{kinds[-2:]}"
        if name == "pow_vc":
            name = "exact_pow"
        places = [
            self.register(a) if k == "v" else self.constant(a) for a, k in zip(operands, kinds, strict=True)
        ]
        for a, k in zip(operands, kinds, strict=True):
            self.release(a, k)
        self.add_step(i, name, places)
        self.used.add(op)

    def add_step(self, i: int, name: str, places: list[int]) -> None:
        if self.free:
            to = self.free.pop()
        else:
            to = 2 + self.n_registers
            self.n_registers += 1
            if self.n_registers > _MOST_REGISTERS:
                raise TooLargeError(f"the formula keeps more than {_MOST_REGISTERS} numbers at a time")
        self.places[i] = to
        a, b, c = (*places, 0, 0)[:3]
        self.steps.append((OPERATIONS[name], to, a, b, c))

    def register(self, i: int) -> int:
        """Return the register that holds a node; a constant is put into one."""
        node = self.g.nodes[i]
        if node[0] == "input":
            return 0 if node[1] == "y" else 1
        if i not in self.places:
            self.add_step(i, "set", [self.constant(i)])
        return self.places[i]

    def constant(self, i: int) -> int:
        value = self.g.value(i)
        assert value is not None
        return self.constants.setdefault(value, len(self.constants))

    def release(self, i: int, kind: str) -> None:
        """Count a use; the register of a node of no more uses is free."""
        self.left[i] -= 1
        if self.left[i] == 0 and i in self.places:
            self.free.append(self.places.pop(i))
