"""Random programs: statements over the names in scope, as Python source text.

The signature is always `f(x, y, w, a, c, k, idx)`: vectors x and y of length n, w of length m, a matrix a
of shape (n, m), a float c, an int k, and n indices in range(n), repeated ones among them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace

from property.choices import Choices, Seeded, pick, weighted
from property.expressions import CUTS, SIZE, THRESHOLDS, Expressions, Scope

PARAMETERS = ("x", "y", "w", "a", "c", "k", "idx")
ACTIVE = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Program:
    """The text of a module with a function `f`."""

    text: str


@dataclass(frozen=True)
class Place:
    """What a statement may do where it stands."""

    depth: int = 0
    in_loop: bool = False
    in_trial: bool = False
    returns: bool = True


Made = tuple[list[str], Scope]


class Statements(Expressions):
    """Random statements; each method returns lines and the scope after them."""

    def __init__(self, choices: Choices):
        super().__init__(choices)
        self.count = 0
        self.scalar_result = True
        self.risky = False

    def name(self, prefix: str) -> str:
        """Return a new name."""
        self.count += 1
        return f"{prefix}{self.count}"

    def block(self, scope: Scope, place: Place, size: int) -> Made:
        """Return `size` statements."""
        lines: list[str] = []
        for _ in range(size):
            more, scope = self.statement(scope, place)
            lines += more
        return lines or ["pass"], scope

    def statement(self, scope: Scope, place: Place) -> Made:
        """Return one statement."""
        forms: list[tuple[int, Callable[[Scope, Place], Made]]] = [
            (6, self.assign_scalar),
            (6, self.augment_scalar),
            (6, self.assign_vector),
            (4, self.augment_vector),
            (3, self.view),
            (1, self.alias),
            (7, self.write_element),
            (6, self.write_slice),
            (2, self.write_mask),
            (2, self.write_fancy),
            (2, self.write_whole),
            (2, self.assign_matrix),
            (3, self.write_matrix),
            (2, self.swap),
            (2, self.mutate),
            (1, self.listed),
            (1, self.pointer),
            (1, self.int_buffer),
        ]
        if self.risky:
            forms += [(3, self.risk)]
        if place.depth < 3:
            forms += [(6, self.branch), (7, self.loop), (2, self.while_loop)]
        if place.depth < 1:
            forms += [(2, self.closure)]
        if place.in_loop:
            forms += [(4, self.leave)]
        if place.returns and self.scalar_result and place.depth > 0:
            forms += [(1, self.early_return)]
        return weighted(self.choices, forms)(scope, place)

    # ---- scalars --------------------------------------------------------------------
    def target(self, scope: Scope) -> str:
        """Return a scalar to assign: an old one or a new one."""
        old = [s for s in scope.scalars if s != "c"]
        return pick(self.choices, old) if old and self.chance(60) else self.name("s")

    def assign_scalar(self, scope: Scope, place: Place) -> Made:
        """`s = ...`"""
        name = self.target(scope)
        value = self.scalar(scope)
        if place.in_loop:
            value = f"np.tanh({value})" if self.chance(60) else f"0.5 * {value}"
        return [f"{name} = {value}"], scope.with_scalar(name)

    def augment_scalar(self, scope: Scope, place: Place) -> Made:
        """`s += ...`"""
        old = [s for s in scope.scalars if s != "c"]
        if not old:
            return self.assign_scalar(scope, place)
        name = pick(self.choices, old)
        op = pick(self.choices, ("+=", "+=", "-=", "*="))
        value = self.scalar(scope)
        return [f"{name} {op} {'np.cos(' + value + ')' if op == '*=' else value}"], scope

    # ---- vectors --------------------------------------------------------------------
    def rebindable(self, scope: Scope, place: Place) -> list[tuple[str, str]]:
        """Return the vectors that may be given another array here."""
        return [
            (v, length)
            for v, length in scope.vectors
            if v not in scope.pinned and v not in PARAMETERS and v not in scope.frozen
        ]

    def assign_vector(self, scope: Scope, place: Place) -> Made:
        """`u = <fresh>`, or one array under two names."""
        old = self.rebindable(scope, place)
        if old and self.chance(50):
            name, length = pick(self.choices, old)
            value = self.fresh(scope, length)
            return [f"{name} = np.tanh({value})" if place.in_loop else f"{name} = {value}"], scope
        length = pick(self.choices, ("n", "n", "m"))
        name = self.name("u")
        if self.chance(8):
            other = self.name("u")
            after = scope.with_vector(name, length).with_vector(other, length)
            value = self.fresh(scope, length)
            return [f"{name} = {other} = {value}"], replace(after, pinned=after.pinned | {name, other})
        return [f"{name} = {self.fresh(scope, length)}"], scope.with_vector(name, length)

    def writeable(self, scope: Scope, length: str | None = None) -> list[tuple[str, str]]:
        """Return the vectors that may be written."""
        return [
            (v, size)
            for v, size in scope.vectors
            if v not in scope.frozen and (length is None or size == length)
        ]

    def augment_vector(self, scope: Scope, place: Place) -> Made:
        """`u += ...`, in place."""
        targets = self.writeable(scope)
        if not targets:
            return self.assign_vector(scope, place)
        name, length = pick(self.choices, targets)
        op = pick(self.choices, ("+=", "*=", "-="))
        value = self.scalar(scope, 1) if self.chance(30) else self.vector(scope, length)
        return [f"{name} {op} {'np.cos(' + value + ')' if op == '*=' else value}"], scope

    def view(self, scope: Scope, place: Place) -> Made:
        """A new name for a part of an array."""
        name = self.name("v")
        bases = [(v, size) for v, size in self.writeable(scope) if size in SIZE]
        matrices = [(a, r, c) for a, r, c in scope.matrices if a not in scope.frozen]
        made: list[tuple[str, str, str]] = []
        if bases:
            base, size = pick(self.choices, bases)
            made += [(f"{base}[1:]", f"{size}-1", base), (f"{base}[:-1]", f"{size}-1", base)]
            made += [(f"{base}[::-1]", size, base), (f"{base}[::2]", f"{size}/2", base)]
        for a, rows, columns in matrices:
            for index, size, _, _ in scope.indices:
                if size == rows:
                    made.append((f"{a}[{index}]", columns, a))
                if size == columns:
                    made.append((f"{a}[:, {index}]", rows, a))
        if not made:
            return self.assign_vector(scope, place)
        text, length, base = pick(self.choices, made)
        after = scope.with_vector(name, length)
        return [f"{name} = {text}"], replace(after, pinned=after.pinned | {name, base})

    def alias(self, scope: Scope, place: Place) -> Made:
        """`v = u`: a second name for the same array."""
        targets = self.writeable(scope)
        if not targets:
            return self.assign_vector(scope, place)
        base, length = pick(self.choices, targets)
        name = self.name("v")
        after = scope.with_vector(name, length)
        return [f"{name} = {base}"], replace(after, pinned=after.pinned | {name, base})

    def write_element(self, scope: Scope, place: Place) -> Made:
        """`u[i] = ...` or `u[i] += ...`"""
        places = [
            (v, i, below, above)
            for i, size, below, above in scope.indices
            for v, length in self.writeable(scope)
            if length == size
        ]
        if not places:
            return self.write_slice(scope, place)
        name, index, below, above = pick(self.choices, places)
        shift = pick(self.choices, range(-below, above + 1))
        at = index if shift == 0 else f"{index} {'+' if shift > 0 else '-'} {abs(shift)}"
        op = pick(self.choices, ("=", "=", "+=", "*="))
        value = self.scalar(scope)
        return [f"{name}[{at}] {op} {'np.tanh(' + value + ')' if place.in_loop else value}"], scope

    def write_slice(self, scope: Scope, place: Place) -> Made:
        """`u[1:] = ...`, `u[:] += ...`, `u[::2] *= ...`"""
        targets = [(v, size) for v, size in self.writeable(scope) if size in SIZE]
        if not targets:
            return self.assign_vector(scope, place)
        name, size = pick(self.choices, targets)
        part, length = pick(
            self.choices,
            ((":", size), ("1:", size + "-1"), (":-1", size + "-1"), ("::2", size + "/2"), ("::-1", size)),
        )
        op = pick(self.choices, ("=", "=", "+=", "*="))
        value = self.scalar(scope, 1) if self.chance(20) else self.vector(scope, length)
        return [f"{name}[{part}] {op} {'np.tanh(' + value + ')' if place.in_loop else value}"], scope

    def write_mask(self, scope: Scope, place: Place) -> Made:
        """`u[u > edge] = ...`"""
        targets = self.writeable(scope)
        if not targets:
            return self.assign_vector(scope, place)
        name, length = pick(self.choices, targets)
        mask = f"{self.part(scope, length)} {pick(self.choices, ('<', '>'))} {pick(self.choices, THRESHOLDS)}"
        form = self.choices.below(3)
        if form == 0:
            return [f"{name}[{mask}] = {self.scalar(scope, 1)}"], scope
        if form == 1:
            return [f"{name}[{mask}] *= {self.constant()}"], scope
        held = self.name("mask")
        return [f"{held} = {mask}", f"{name}[{held}] += np.sin({self.part(scope, length)}[{held}])"], scope

    def write_fancy(self, scope: Scope, place: Place) -> Made:
        """`u[idx] = ...`, `u[idx] += ...` and np.add.at."""
        targets = self.writeable(scope, "n")
        if not targets:
            return self.assign_vector(scope, place)
        name, _ = pick(self.choices, targets)
        value = self.vector(scope, "n")
        form = self.choices.below(4)
        if form == 0:
            return [f"np.add.at({name}, idx, {value})"], scope
        op = ("=", "+=", "*=")[form - 1]
        return [f"{name}[idx] {op} {'np.cos(' + value + ')' if op == '*=' else value}"], scope

    def write_whole(self, scope: Scope, place: Place) -> Made:
        """copyto, out=, fill."""
        targets = self.writeable(scope)
        if not targets:
            return self.assign_vector(scope, place)
        name, length = pick(self.choices, targets)
        form = self.choices.below(4)
        if form == 0:
            return [f"np.copyto({name}, {self.vector(scope, length)})"], scope
        if form == 1:
            return [f"np.multiply({self.part(scope, length)}, {self.part(scope, length)}, out={name})"], scope
        if form == 2:
            return [f"{name}.fill({self.scalar(scope, 1)})"], scope
        return [f"np.sin({self.part(scope, length)}, out={name})"], scope

    def swap(self, scope: Scope, place: Place) -> Made:
        """Exchange two names, two elements, or two scalars."""
        old = self.rebindable(scope, place)
        pairs = [(u, v) for u, m in old for v, n in old if u < v and m == n]
        places = [(v, i) for i, size, _, _ in scope.indices for v, n in self.writeable(scope) if n == size]
        scalars = [s for s in scope.scalars if s != "c"]
        if pairs and self.chance(50):
            u, v = pick(self.choices, pairs)
            return [f"{u}, {v} = {v}, {u}"], scope
        if places and self.chance(60):
            name, index = pick(self.choices, places)
            return [f"{name}[{index}], {name}[-1] = {name}[-1], {name}[{index}]"], scope
        if len(scalars) > 1:
            return [
                f"{scalars[0]}, {scalars[-1]} = {scalars[-1]}, {scalars[0]} * {self.scalar(scope, 0)}"
            ], scope
        return self.assign_scalar(scope, place)

    def mutate(self, scope: Scope, place: Place) -> Made:
        """Call a helper that writes its argument."""
        targets = self.writeable(scope)
        rows = [
            f"{a}[{i}]"
            for a, r, _ in scope.matrices
            for i, size, _, _ in scope.indices
            if size == r and a not in scope.frozen
        ]
        if "smear" not in scope.helpers or not (targets or rows):
            return self.write_slice(scope, place)
        what = (
            pick(self.choices, rows)
            if rows and self.chance(40)
            else pick(self.choices, targets or [("x", "n")])[0]
        )
        if any(what == v for v, size in targets if size in SIZE) and self.chance(25):
            what += pick(self.choices, ("[1:]", "[::-1]"))
        return [f"smear({what}, {self.scalar(scope, 0)})"], scope

    def listed(self, scope: Scope, place: Place) -> Made:
        """A list filled by a loop, then made an array."""
        items, name, i = self.name("items"), self.name("u"), self.name("i")
        inside = scope.with_index(i, "n")
        value = self.scalar(inside, 1)
        lines = [
            f"{items} = []",
            f"for {i} in range({SIZE['n']}):",
            f"    {items}.append({value} + 0.0 * y[{i}])",
        ]
        return [*lines, f"{name} = np.array({items})"], scope.with_vector(name, "n")

    def pointer(self, scope: Scope, place: Place) -> Made:
        """A view at an int that changes before the view is used."""
        targets = self.writeable(scope, "n") or self.writeable(scope, "m")
        if not targets:
            return self.assign_vector(scope, place)
        base, _ = pick(self.choices, targets)
        j, view, s = self.name("j"), self.name("v"), self.name("s")
        use = pick(
            self.choices, (f"{view} *= np.cos({self.scalar(scope, 0)})", f"{view}[:] = np.sin({view})")
        )
        lines = [f"{j} = k % {1 + self.choices.below(2)}", f"{view} = {base}[{j}:]", f"{j} += 1", use]
        lines.append(f"{s} = np.sum({view}) + np.sum({base}[{j}:])")
        return lines, scope.with_scalar(s)

    def int_buffer(self, scope: Scope, place: Place) -> Made:
        """Floats written into an array of ints: truncated, and without derivative."""
        name, s = self.name("z"), self.name("s")
        value, other = self.scalar(scope, 1), self.scalar(scope, 0)
        lines = [f"{name} = np.zeros(2, dtype=int)", f"{name}[{self.choices.below(2)}] = 9.7 * {value}"]
        return [*lines, f"{s} = {name}[0] * {other} + {name}[1]"], scope.with_scalar(s)

    # ---- matrices -------------------------------------------------------------------
    def assign_matrix(self, scope: Scope, place: Place) -> Made:
        """`b = <fresh matrix>`"""
        name = self.name("b")
        rows, columns = pick(self.choices, (("n", "m"), ("n", "m"), ("m", "n"), ("n", "n")))
        return [f"{name} = {self.fresh_matrix(scope, rows, columns)}"], scope.with_matrix(name, rows, columns)

    def write_matrix(self, scope: Scope, place: Place) -> Made:
        """Write a row, a column, an element or all of a matrix."""
        targets = [(b, r, c) for b, r, c in scope.matrices if b not in scope.frozen]
        if not targets:
            return self.assign_matrix(scope, place)
        name, rows, columns = pick(self.choices, targets)
        row = [i for i, size, _, _ in scope.indices if size == rows]
        column = [i for i, size, _, _ in scope.indices if size == columns]
        op = pick(self.choices, ("=", "+=", "*="))
        guard = "np.tanh({})" if place.in_loop or op == "*=" else "{}"
        if row and column and self.chance(50):
            at = f"{pick(self.choices, row)}, {pick(self.choices, column)}"
            return [f"{name}[{at}] {op} {guard.format(self.scalar(scope))}"], scope
        if row and self.chance(60):
            value = guard.format(self.vector(scope, columns))
            return [f"{name}[{pick(self.choices, row)}] {op} {value}"], scope
        if column:
            value = guard.format(self.vector(scope, rows))
            return [f"{name}[:, {pick(self.choices, column)}] {op} {value}"], scope
        if rows in SIZE and self.chance(50):
            value = guard.format(self.part(scope, columns))
            return [f"{name}[1:] {op} {value}"], scope
        return [f"{name}[:] {op} {guard.format(self.matrix(scope, rows, columns))}"], scope

    # ---- what may raise -------------------------------------------------------------
    def risk(self, scope: Scope, place: Place) -> Made:
        """Something that raises at some sizes."""
        s, i = self.name("s"), self.name("i")
        form = self.choices.below(4)
        if form == 0:
            # looked at at once: what a value raises is kept only if the value is used
            read = f"{s} = x[{self.choices.below(3)}] * y[-1]"
            return [read, f"if {s} > 1e9:", "    raise ValueError('too large')"], scope.with_scalar(s)
        if form == 1:
            return [f"{s} = np.max(w) * {self.scalar(scope, 0)}"], scope.with_scalar(s)
        if form == 2:
            lines = [f"for {i} in range({SIZE['n']}):", f"    {s} = np.sin(x[{i}] * {self.scalar(scope, 0)})"]
            return [*lines, f"{s} = {s} * y[{i}]"], scope.with_scalar(s)
        lines = [f"if {self.condition(scope)}:", f"    {s} = {self.scalar(scope)}"]
        return lines, scope.with_scalar(s)

    # ---- control flow ---------------------------------------------------------------
    def branch(self, scope: Scope, place: Place) -> Made:
        """if, with elif and else or without."""
        inner = replace(place, depth=place.depth + 1)
        pinned = replace(scope, pinned=scope.pinned)
        lines = [f"if {self.condition(scope)}:"]
        body, _ = self.block(pinned, inner, 1 + self.choices.below(2))
        lines += ["    " + line for line in body]
        if self.chance(20):
            body, _ = self.block(pinned, inner, 1)
            lines += [f"elif {self.condition(scope)}:"] + ["    " + line for line in body]
        if self.chance(50):
            body, _ = self.block(pinned, inner, 1 + self.choices.below(2))
            lines += ["else:"] + ["    " + line for line in body]
        return lines, scope

    def loop(self, scope: Scope, place: Place) -> Made:
        """A for loop over a range, an array, or a zip; sometimes with else."""
        inner = replace(place, depth=place.depth + 1, in_loop=True)
        i = self.name("i")
        head, inside = self.loop_head(scope, i)
        size = 1 + self.choices.below(3 if place.depth == 0 else 2)
        body, after = self.block(inside, inner, size)
        if self.chance(30):  # leave between statements that matter
            exit_lines, _ = self.leave(after, inner)
            more, _ = self.block(after, inner, 1)
            body += exit_lines + more
        if self.chance(35):
            body += self.stored_late(after, inner)
        if self.chance(10):
            body += self.from_the_trip_before(after, i)
        lines = [head, *("    " + line for line in body)]
        if self.chance(8):
            body, _ = self.block(scope, replace(place, depth=place.depth + 1), 1)
            lines += ["else:"] + ["    " + line for line in body]
        return lines, scope

    def stored_late(self, scope: Scope, place: Place) -> list[str]:
        """A value that is used, a way out, and only then the write that keeps it."""
        places = [
            (v, i) for i, size, _, _ in scope.indices[-1:] for v, n in self.writeable(scope) if n == size
        ]
        sums = [s for s in scope.scalars if s != "c"]
        if not places or not sums:
            return []
        (name, index), total, s = pick(self.choices, places), pick(self.choices, sums), self.name("s")
        way_out, _ = self.leave(scope, place)
        return [
            f"{s} = np.sin({self.scalar(scope)})",
            f"{total} += {s} * {s}",
            *way_out,
            f"{name}[{index}] = {s}",
        ]

    def from_the_trip_before(self, scope: Scope, index: str) -> list[str]:
        """A name that is read in all trips but the first, before it is bound."""
        sums = [s for s in scope.scalars if s != "c"]
        if not sums or not any(
            i == index and not below and not above for i, _, below, above in scope.indices
        ):
            return []
        last = self.name("s")
        first = [f"if {index} > 0:", f"    {pick(self.choices, sums)} += 0.3 * {last} * {last}"]
        return [*first, f"{last} = np.tanh({self.scalar(scope)})"]

    def loop_head(self, scope: Scope, i: str) -> tuple[str, Scope]:
        """Return the head of a for loop and the scope of its body."""
        length = pick(self.choices, ("n", "n", "n", "m"))
        size = SIZE[length]
        form = self.choices.below(12)
        if form < 4:
            return f"for {i} in range({size}):", scope.with_index(i, length)
        if form < 6:
            return f"for {i} in range(1, {size}):", scope.with_index(i, length, below=1)
        if form < 7:
            return f"for {i} in range({size} - 1):", scope.with_index(i, length, above=1)
        if form < 8:
            return f"for {i} in range({size} - 1, -1, -1):", scope.with_index(i, length)
        if form < 9:
            return f"for {i} in range(k):", scope
        value = self.name("e")
        names = scope.vectors_of(length)
        if not names:
            return f"for {i} in range({size}):", scope.with_index(i, length)
        name = pick(self.choices, names)
        if form < 10:
            return f"for {value} in {name}:", replace(scope.with_scalar(value), pinned=scope.pinned | {name})
        if form < 11:
            after = scope.with_scalar(value).with_index(i, length)
            return f"for {i}, {value} in enumerate({name}):", replace(after, pinned=scope.pinned | {name})
        other, second = pick(self.choices, names), self.name("e")
        after = scope.with_scalar(value).with_scalar(second)
        return f"for {value}, {second} in zip({name}, {other}):", replace(
            after, pinned=scope.pinned | {name, other}
        )

    def while_loop(self, scope: Scope, place: Place) -> Made:
        """A while loop with at most a few trips."""
        inner = replace(place, depth=place.depth + 1, in_loop=True)
        t = self.name("t")
        bound = pick(self.choices, ("k", "3", SIZE["n"]))
        inside = scope.with_index(t, "n") if bound == SIZE["n"] else scope
        scalars = [s for s in scope.scalars if s != "c"]
        extra = ""
        if scalars and self.chance(60):
            extra = f" and {pick(self.choices, scalars)} < {pick(self.choices, THRESHOLDS)}"
        early = self.chance(40)  # the counter first, so that `continue` ends
        body, _ = self.block(
            inside, replace(inner, in_loop=early) if not early else inner, 1 + self.choices.below(2)
        )
        step = f"{t} += 1"
        if early:
            lines = [f"{t} = -1", f"while {t} < {bound} - 1{extra}:", f"    {step}"]
            lines += ["    " + line for line in body]
        else:
            lines = [f"{t} = 0", f"while {t} < {bound}{extra}:"]
            lines += ["    " + line for line in body] + [f"    {step}"]
        return lines, scope

    def leave(self, scope: Scope, place: Place) -> Made:
        """break or continue under a condition."""
        return [
            f"if {self.condition(scope)}:",
            f"    {pick(self.choices, ('break', 'break', 'continue'))}",
        ], scope

    def early_return(self, scope: Scope, place: Place) -> Made:
        """Return a scalar under a condition."""
        return [f"if {self.condition(scope)}:", f"    return {self.scalar(scope)} + 0.0 * c"], scope

    def closure(self, scope: Scope, place: Place) -> Made:
        """A nested function that reads, or writes, the names around it."""
        name, p = self.name("g"), self.name("p")
        targets = [(v, size) for v, size in self.writeable(scope) if size in CUTS.values()]
        inside = replace(scope.with_scalar(p), indices=())
        result = self.name("s")
        value = self.scalar(inside)
        lines = [f"def {name}({p}):"]
        pinned = scope.pinned
        if targets and self.chance(50):
            target, _ = pick(self.choices, targets)
            lines.append(f"    {target}[1:] *= np.cos({p})")
            pinned = pinned | {target}
        lines.append(f"    return {value}")
        after = replace(scope, pinned=pinned)
        return [*lines, f"{result} = {name}({self.scalar(scope, 1)})"], after.with_scalar(result)


class Builder(Statements):
    """Whole programs."""

    def helpers(self) -> tuple[list[str], frozenset[str]]:
        """Return the text of the helper functions and their names."""
        lines: list[str] = []
        names: set[str] = set()
        if self.chance(40):
            scope = Scope(("p", "q"), has_k=False)
            lines += ["def scale(p, q):"]
            if self.chance(50):
                lines += [
                    f"    if p > {pick(self.choices, THRESHOLDS)}:",
                    f"        return {self.scalar(scope)}",
                ]
            lines += [f"    return np.sin({self.scalar(scope)}) + p", ""]
            names.add("scale")
        if self.chance(10):
            lines += ["def power(p, j):", "    if j == 0:", "        return 1.0 + 0.0 * p"]
            lines += ["    return np.sin(p) * power(p, j - 1)", ""]
            names.add("power")
        if self.chance(35):
            scope = Scope(("p", "s"), has_k=False)
            value = self.scalar(scope, 1)
            lines += ["def bend(v, p):", "    r = np.zeros_like(v)", "    s = p"]
            lines += ["    for j in range(v.shape[0]):", f"        s = np.tanh(s * v[j] + {value})"]
            lines += ["        r[j] = s * v[j]", "    return r", ""]
            names.add("bend")
        if self.chance(50):
            lines += ["def smear(v, p):"]
            form = self.choices.below(4)
            if form == 0:
                lines += ["    for j in range(1, v.shape[0]):", "        v[j] = np.sin(v[j] + p * v[j - 1])"]
            elif form == 1:
                lines += ["    v[1:] = np.tanh(v[:-1] * v[1:])", "    v *= np.cos(p)"]
            elif form == 2:
                lines += ["    v += p * 0.3", "    u = v[::-1]", "    u[:] = np.sin(v * u)"]
            else:
                lines += [
                    "    for j in range(v.shape[0]):",
                    "        if v[j] > 0.1937:",
                    "            v[j] *= p",
                ]
                lines += ["        else:", "            v[j] = 0.3 * v[j - 1]"]
            lines += [""]
            names.add("smear")
        return lines, frozenset(names)

    def program(self) -> Program:
        """Return a random program."""
        helpers, names = self.helpers()
        self.scalar_result = self.chance(85)
        self.risky = self.chance(6)
        written = self.chance(25)
        frozen = frozenset() if written else frozenset({"x", "y", "w", "a"})
        scope = Scope(
            ("c",), (("x", "n"), ("y", "n"), ("w", "m")), (("a", "n", "m"),), (), frozenset(), frozen, names
        )
        lines: list[str] = []
        for make in (self.assign_scalar, self.assign_vector):
            more, scope = make(scope, Place())
            lines += more
        more, scope = self.block(scope, Place(), 3 + self.choices.below(5))
        lines += [*more, f"return {self.result(scope)}"]
        body = textwrap.indent("\n".join(lines), "    ")
        head = ["import numpy as np", "", "RATE = 0.83", "", *helpers]
        return Program("\n".join(head) + f"\ndef f({', '.join(PARAMETERS)}):\n{body}\n")

    def result(self, scope: Scope) -> str:
        """Return what the program returns: everything it made takes part."""
        terms = [s for s in scope.scalars if s != "c"]
        for v, length in scope.vectors:
            if v not in PARAMETERS or v not in scope.frozen:
                weight = {"n": " * y", "m": " * w"}.get(length, "")
                terms.append(f"np.sum(np.sin({v}){weight})")
        terms += [f"np.sum({b} * {b})" for b, _, _ in scope.matrices if b != "a" or b not in scope.frozen]
        total = " + ".join(terms) or "c"
        if self.scalar_result:
            return total
        v = pick(self.choices, [v for v, _ in scope.vectors])
        return pick(self.choices, (f"({total}, {v})", v, f"{{'total': {total}, 'rest': [{v}, c]}}"))


def generated(seed: int) -> Program:
    """Return program number `seed`."""
    return Builder(Seeded(seed)).program()
