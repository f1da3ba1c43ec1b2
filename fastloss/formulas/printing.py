"""A formula's programs as C: for each a function of a few loops, which a compiler makes vectors of.

A loop takes as many steps as the processor can look ahead over, so that the chains of operations of
neighbouring samples overlap; what later loops need waits in the first-level cache.
"""

from __future__ import annotations

from fastloss.formulas.programs import (
    APART,
    DIFFERENCE,
    MULTIPLE,
    OF_CONSTANT,
    PARABOLA,
    PRODUCT,
    Listing,
    Output,
    Programs,
    Step,
    cost_of,
)

#: What one loop may cost, in the units of `cost_of`: all in all, and beside a long chain of operations; and
#: what a program of one exponential may, to take one loop.
_MOST_AT_ONCE, _LONG, _MOST_WITH_EXPONENTIAL = 36, 12, 26
_NAMES = ("value", "gradient", "hessian")
_ARGUMENTS = (
    "(size_t n_all, const real *y_all, const real *z_all, const double *constants, double scale_all,"
    " real *value_all, double *lanes, real *gradient_all, real *hessian_all)"
)
_PASSED = "n_all, y_all, z_all, constants, scale_all, value_all, lanes, gradient_all, hessian_all"

#: low, high, open_low, integral, nan_ok
Target = tuple[float, float, bool, bool, bool]


def printed(programs: Programs, target: Target, bits: int) -> str:
    """Return C of the programs in one precision, for after what the library's headers define."""
    domain = ", ".join("__builtin_inf()" if x == float("inf") else repr(float(x)) for x in target[:2])
    flags = ", ".join(str(int(flag)) for flag in target[2:])
    checks = target[3] or target[0] >= -1
    lines = [f"typedef int fl_made_fn{_ARGUMENTS};"]
    if checks:
        lines.append(f"static const fl_domain target_domain = {{{domain}, {flags}}};")
    for i, listing in enumerate(programs.listings):
        lines += _Function(listing, checks).text(f"fl_made_{i}")
    names = ", ".join(f"fl_made_{i}" for i in range(len(programs.listings)))
    lines += [
        f"extern fl_made_fn *const fl_made_f{bits}[];",
        f"fl_made_fn *const fl_made_f{bits}[] = {{{names}}};",
    ]
    return "\n".join([*lines, ""])


class _Function:
    """The function of one program."""

    def __init__(self, listing: Listing, checks: bool) -> None:
        self.steps, self.outputs = listing
        self.checks = checks
        apart = [i for i, step in enumerate(self.steps) if step.name in APART]
        total = sum(cost_of(step.name) for step in self.steps)
        #: An exponential in the midst of one loop, of which there are two then.
        self.inside = apart[0] if len(apart) == 1 and total <= _MOST_WITH_EXPONENTIAL else None
        self.apart = set(apart) - {self.inside}
        self.loops = self.split() if self.inside is None else [list(range(len(self.steps)))]
        self.loop_of = {i: number for number, loop in enumerate(self.loops) for i in loop}
        self.in_tiles = len(self.loops) == 1 and self.inside is None
        self.constants: set[int] = set()
        self.exact: set[tuple[str, int]] = set()
        #: By steps: those whose results are their operands, None for what is no result.
        self.sources: list[list[int | None]] = []
        holds: dict[int, int] = {}
        for i, step in enumerate(self.steps):
            pairs = zip(step.kinds, step.places, strict=True)
            self.sources.append([holds.get(place) if kind == "v" else None for kind, place in pairs])
            holds[step.to] = i
        self.holds = holds
        self.kept = self.waiting()

    def split(self) -> list[list[int]]:
        """Return which steps each loop takes: an exponential that looks at its numbers first has its own."""
        loops: list[list[int]] = [[]]
        cost = 0.0
        for i, step in enumerate(self.steps):
            if i in self.apart:
                loops += [[i], []]
                cost = 0
                continue
            own = cost_of(step.name)
            if loops[-1] and (cost + own > _MOST_AT_ONCE or min(cost, own) >= _LONG):
                loops.append([])
                cost = 0
            loops[-1].append(i)
            cost += own
        return [*(loop for loop in loops[:-1] if loop), loops[-1]]

    def waiting(self) -> set[int]:
        """Return the steps whose results other loops need."""
        kept = set(self.apart)
        for i in range(len(self.steps)):
            for j in self.sources[i]:
                if j is not None and (self.loop_of[j] != self.loop_of[i] or i in self.apart):
                    kept.add(j)
        last = len(self.loops) - 1
        finals = {self.holds[r] for output in self.outputs.values() for r in _registers(output) if r > 1}
        return kept | {j for j in finals if self.loop_of[j] != last}

    def text(self, name: str) -> list[str]:
        """Return the lines of the function."""
        inside: list[str] = []
        for number, loop in enumerate(self.loops):
            if loop and loop[0] in self.apart:
                inside.append(f"fl_loop_{self.steps[loop[0]].name}(n, kept{loop[0]}, {self.array(loop[0])});")
            elif self.inside is not None:
                inside += [*self.scan(), "if (beyond & FL_SIGN_BIT)", *self.loop(number, "op")]
                inside += ["else", *self.loop(number, "moderate")]
            else:
                inside += self.loop(number, "op")
        at_once = length = "FL_LANES"
        adding = "fl_add_tile(sums, value);"
        if not self.in_tiles:
            at_once = "FL_MADE_AT_ONCE"
            length = f"fl_whole(n_all - from < {at_once} ? n_all - from : {at_once})"
            adding = "for (size_t i = 0; i < n; i += FL_LANES) fl_add_stored(sums, value + i);"
        lines = [
            f"FL_INLINE int {name}_body{_ARGUMENTS[:-1]}, const int adds) {{",
            "const real scale = (real)scale_all;",
            *(f"const real c{j} = (real)constants[{j}];" for j in sorted(self.constants)),
            *(f"const __auto_type {op}{j} = fl_exact_{op}(constants[{j}]);" for op, j in sorted(self.exact)),
            *(f"_Alignas(64) real kept{j}[FL_MADE_AT_ONCE];" for j in sorted(self.kept)),
            "fl_double_vector sums[FL_N_DOUBLE_VECTORS];",
            "fl_bits_vector bits[FL_N_BITS_VECTORS] = {{0}};",
            "real_bits found = 0;",
            "if (adds) fl_load_sums(sums, lanes);",
            f"for (size_t from = 0; from < n_all; from += {at_once}) {{",
            f"const size_t n = {length};",
            "const real *y = y_all + from, *z = z_all + from;",
            f"_Alignas(64) real value[{at_once}];",
            "_Alignas(64) real_bits suspicions[FL_LANES];",
            *(f"real *{_NAMES[k]} = {_NAMES[k]}_all + from;" for k in self.outputs if k > 0),
            *inside,
        ]
        if self.checks and self.in_tiles:
            lines.append("fl_keep_bits(bits, suspicions);")
        if 0 in self.outputs:
            lines.append(f"if (adds) {{ {adding} }} else memcpy(value_all + from, value, n * sizeof *value);")
        lines += ["}", "if (adds) fl_store_sums(lanes, sums);", "found |= fl_any_bits(bits);"]
        lines.append(f"return {'FL_SUSPICIOUS(found, &target_domain) != 0' if self.checks else '0'};")
        return [
            *lines,
            "}",
            f"static int {name}{_ARGUMENTS} {{",
            f"return lanes ? {name}_body({_PASSED}, 1) : {name}_body({_PASSED}, 0);",
            "}",
        ]

    def scan(self) -> list[str]:
        """Return a loop that looks at the operand of the exponential."""
        assert self.inside is not None
        step = self.steps[self.inside]
        needed, stack = set(), [self.sources[self.inside][0]]
        while stack:
            j = stack.pop()
            if j is not None and j not in needed:
                needed.add(j)
                stack += self.sources[j]
        operand = self.register(0, step.places[0], self.sources[self.inside][0])
        return [
            "real_bits beyond = 0;",
            "FL_STEP_LOOP {",
            *(self.statement(0, i, "op") for i in sorted(needed)),
            f"beyond |= fl_to_bits(FL_MODERATE_{step.name}) - fl_to_bits(fl_abs({operand}));",
            "}",
        ]

    def statement(self, number: int, i: int, how: str) -> str:
        step = self.steps[i]
        operands = [
            self.operand(number, step, kind, place, j)
            for kind, place, j in zip(step.kinds, step.places, self.sources[i], strict=True)
        ]
        if step.name == "set":
            return f"const real t{i} = {operands[0]};"
        prefix = f"fl_{how if i == self.inside else 'op'}_{step.base}"
        return f"const real t{i} = {prefix}({', '.join(operands)});"

    def array(self, i: int) -> str:
        """Return the array that a step of one operand takes."""
        j = self.sources[i][0]
        return ("y", "z")[self.steps[i].places[0]] if j is None else f"kept{j}"

    def loop(self, number: int, how: str) -> list[str]:
        """Return a loop."""
        lines = ["FL_STEP_LOOP {"]
        for i in self.loops[number]:
            lines.append(self.statement(number, i, how))
            if i in self.kept:
                lines.append(f"kept{i}[k] = t{i};")
        if number == len(self.loops) - 1:
            if self.checks:
                to = "suspicions[k] =" if self.in_tiles else "found |="
                lines.append(f"{to} fl_suspicion(y[k], &target_domain);")
            # All inputs are read before an output is written over one.
            lines += [f"const real result{k} = {self.result(number, o)};" for k, o in self.outputs.items()]
            lines += [f"{_NAMES[k]}[k] = result{k}{'*scale' if k else ''};" for k in self.outputs]
        return [*lines, "}"]

    def operand(self, number: int, step: Step, kind: str, place: int, j: int | None) -> str:
        if kind == "c":
            op = step.name
            if op in OF_CONSTANT:
                self.exact.add((op, place))
                return f"{op}{place}"
            self.constants.add(place)
            return f"c{place}"
        return self.register(number, place, j)

    def register(self, number: int, place: int, j: int | None) -> str:
        if j is None:
            return ("y[k]", "z[k]")[place]
        return f"t{j}" if self.loop_of[j] == number and j not in self.apart else f"kept{j}[k]"

    def result(self, number: int, output: Output) -> str:
        """Return an output before it is scaled."""
        kind, *places = output
        a, *rest = (
            self.register(number, r, self.holds.get(r) if r > 1 else None) for r in _registers(output)
        )
        if kind == MULTIPLE:
            self.constants.add(places[1])
            return f"c{places[1]}*{a}"
        if kind == PRODUCT:
            self.constants |= {places[2]} - {0}
            return f"c{places[2]}*({a}*{rest[0]})" if places[2] else f"{a}*{rest[0]}"
        if kind == DIFFERENCE:
            return f"{a}*({rest[0]} - {rest[1]})"
        return f"fl_op_parabola({a}, {', '.join(rest)})" if kind == PARABOLA else a


def _registers(output: Output) -> tuple[int, ...]:
    kind, a, b, c = output
    return {PRODUCT: (a, b), DIFFERENCE: (a, b, c), PARABOLA: (a, b, c)}.get(kind, (a,))
