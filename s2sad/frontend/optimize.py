"""Calls of scipy.optimize: SciPy's solver runs as it is, the derivative is that of what it solves.

Functions are read into Functions of the point and of all that they read around it: these are operands, and
what SciPy is given as `args`. The guess has no derivative. `stationary.py` has the derivatives.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.errors import S2sadError, TypeMismatch, UnsupportedSyntax
from s2sad.frontend.builtins import Handler
from s2sad.frontend.callees import tree_of
from s2sad.frontend.external import CONSTANTS
from s2sad.frontend.fit import Out, arranged
from s2sad.frontend.outcome import Outcome
from s2sad.frontend.scipy_solvers import SOLVERS, Solver, vector
from s2sad.frontend.stationary import FLOAT, NUMBER, Problem, Stationary
from s2sad.frontend.values import (
    Abstract,
    Callee,
    Closure,
    Literal,
    Method,
    Num,
    Partial,
    Ref,
    Series,
    Static,
    Struct,
)
from s2sad.frontend.wrapped import function_name
from s2sad.ir.core import Function, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.tree import Leaf, Node, Tree, renumber, statics
from s2sad.ir.types import Array, Type
from s2sad.ir.walk import substitute
from s2sad.ops.optimize import MODULE
from s2sad.record import dataclass, replace

LAMBDA = "lambda_"
NO_SUCCESS = "scipy.optimize: no success"


class Solution:
    """Stands for what a solver of SciPy returns: a record whose items are what can be read of it."""


@dataclass(frozen=True, slots=True, eq=False)
class After(Callee):
    """A function followed by a program of one argument."""

    called = "call_after"
    function: Abstract
    program: Callable[..., Any]


class Optimizers(Stationary):
    """Solvers and minimisers of SciPy."""

    strict = False  # functions that write their arguments are refused, not given copies
    raising = False  # while the message of an exception is read

    def builtin_handler(self, value: Any) -> Handler | None:
        """Return what reads a call of a builtin or of a solver; or None."""
        name = getattr(value, "__name__", "")
        if name in SOLVERS and getattr(sys.modules.get(MODULE), name, None) is value:
            return lambda args, kwargs, node, _: self.call_solver(value, args, kwargs, node)
        return super().builtin_handler(value)

    def call_solver(
        self, function: Any, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """Return what a solver of SciPy returns."""
        solver = SOLVERS[function.__name__]
        try:
            bound = inspect.signature(function).bind(*args, **kwargs)
        except TypeError as error:
            raise self.mismatch("S319", f"TypeError: {error}", "", node) from error
        problem = self.problem(solver, function, bound.arguments, node)
        results = self.solved_by(problem, node)
        if not problem.fields:
            return self.wrap(results[0])
        found = dict(zip(problem.fields, results, strict=True))
        items = tuple(self.wrap(self.attached(problem, k, found, node)) for k in problem.fields)
        return Struct("record", problem.fields, items, Solution)

    # --- what is called ------------------------------------------------------------------------------

    def problem(self, solver: Solver, function: Any, given: dict[str, Abstract], node: Any) -> Problem:
        """Return a call, read."""
        method = self.check_supported(solver, function, given, node)
        guess, x = self.guess(solver, method, given, node)
        args = self.shared_arguments(given.get("args"), node)
        wanted = {name: given[name] for name in solver.functions if self.is_function(given.get(name))}
        with_slope = "jac" not in wanted and self.is_flagged(given.get("jac"), node)
        read: list[tuple[Function, list[Operand]]] = []
        for name, value in wanted.items():
            after = vector if solver.is_residual(name) and not with_slope else None
            read.append(self.function_at(value, x, args, after, node))
        around = tuple(dict.fromkeys(a for _, operands in read for a in operands[1:]))
        plain = solver.functions[0]
        callees = tuple(
            self.over(fn, operands, x, around, _called(wanted[name], name, wanted, solver))
            for name, (fn, operands) in zip(wanted, read, strict=True)
        )
        objective, residual = self.condition(solver, callees[0], with_slope, x, node)
        others: list[Operand] = []
        first = int(guess is not None) + len(around)
        keywords = []
        for name, value in given.items():
            if name in solver.constants or (name in solver.functions and name not in wanted):
                keywords.append((name, self.constant_of(value, others, first, node)))
        names = tuple("" if name == plain else name for name in wanted)
        fields = solver.fields(method)
        return Problem(
            solver, x, guess, around, tuple(others), callees, names, tuple(keywords), fields,
            objective, residual,
        )  # fmt: skip

    def check_supported(self, solver: Solver, function: Any, given: dict[str, Abstract], node: Any) -> Any:
        """Return the method; raise UnsupportedSyntax for what has no derivative here."""
        known = (*solver.functions, *solver.constants, "x0", "args")
        for name, value in given.items():
            default = inspect.signature(function).parameters[name].default
            if name not in known and not self.is_default(value, default):
                why, instead = solver.refused(name)
                raise self.refuse("S118", f"`{name}` of scipy.optimize.{solver.name} {why}", instead, node)
        if not self.is_function(given[solver.functions[0]]):
            why = f"scipy.optimize.{solver.name} needs a function here"
            raise self.refuse("S126", why, "pass one that can be read", node)
        method = given.get("method", Static(None))
        if self.is_function(method):
            why = f"a method of your own of scipy.optimize.{solver.name} is not supported"
            raise self.refuse("S118", why, "name one of SciPy's", node)
        found = self.static_value(method, "`method`", node)
        found = found.lower() if isinstance(found, str) else found
        if found in solver.bounded:
            why = f"`method={found!r}` of scipy.optimize.{solver.name} {solver.refused('bounds')[0]}"
            raise self.refuse("S118", why, solver.refused("bounds")[1], node)
        return found

    def is_default(self, value: Abstract, default: Any) -> bool:
        """True if an argument is given as what it is without."""
        if self.is_function(value):
            return False
        try:
            found = self.static_value(value, "an option", None)
        except S2sadError:
            return False
        if isinstance(found, tuple | list | dict) and not found:
            return isinstance(default, tuple) and not default
        plain = isinstance(found, bool | int | float | str | tuple | None)
        return plain and bool(found == default)

    def is_function(self, value: Abstract | None) -> bool:
        """True if an argument is a function."""
        if isinstance(value, Static):
            return callable(value.value)
        return isinstance(value, Closure | Callee | Partial | Method)

    def is_flagged(self, value: Abstract | None, node: Any) -> bool:
        """True if a flag is given and true."""
        return value is not None and self.static_value(value, "`jac`", node) is True

    def guess(
        self, solver: Solver, method: Any, given: dict[str, Abstract], node: Any
    ) -> tuple[Operand | None, Type]:
        """Return the guess, and the type of x."""
        if "x0" not in given:
            return None, NUMBER
        box = self.contents(given["x0"])
        if isinstance(box, Struct | Series):
            box = self.contents(self.array_of(given["x0"], node))
        if isinstance(box, Static) and isinstance(box.value, np.ndarray):
            box = self.contents(self.captured(box, node))
        if not isinstance(box, Ref | Num):
            raise self.mismatch("S306", "`x0` must be an array or a number", "", node)
        t = self.operand(box, node).type
        rank = t.ndim
        if rank > 1 and not solver.ravels(method):
            why = f"ValueError: `x0` of scipy.optimize.{solver.name} has rank {rank} here"
            raise self.mismatch("S319", why, "pass x0.ravel(), and reshape x in the function", node)
        if rank == 0 and not solver.ravels(method) and solver.name == "root":
            why = f"`method={method!r}` of scipy.optimize.root returns an array of rank 0 for a number"
            raise self.mismatch("S319", why, "pass np.array([x0])", node)
        if rank > 1 or (isinstance(t, Array) and not rank):
            box = self.contents(self.call_value(Static(np.ravel), (box,), {}, node))
        operand = self.operand(box, node)
        if operand.type.dtype.kind in "biu" and not isinstance(operand, Literal):
            operand = self.emit("cast", operand, dtype=FLOAT)
        elif operand.type.dtype != FLOAT and not isinstance(operand, Literal):
            why = f"SciPy would solve in the type of `x0`, which is {operand.type.dtype}"
            raise self.refuse("S118", why, "write x0.astype(np.float64); complex numbers as pairs", node)
        shape = operand.type.shape or (Size.of(1),)
        return operand, Array(FLOAT, tuple(map(self.sizes.canonical, shape)))

    def shared_arguments(self, value: Abstract | None, node: Any) -> tuple[Abstract, ...]:
        """Return the items of `args`: a tuple, or one value instead of it."""
        if value is None:
            return ()
        box = self.contents(value)
        return box.items if isinstance(box, Struct) and box.kind == "tuple" else (value,)

    def function_at(
        self, function: Abstract, x: Type, args: tuple[Abstract, ...], after: Any, node: Any
    ) -> tuple[Function, list[Operand]]:
        """Return a function read for x and these arguments, and the operands of its parameters. What it
        returns is made a vector by `after`, if it is none."""
        point = self.wrap(Value("x", x))
        outer, self.strict = self.strict, True
        try:
            try:
                fn, operands = self.function_of(function, (point, *args), {}, node)
            except TypeMismatch as error:
                if after is None or error.code != "S323":  # a list that is built in a loop
                    raise
                return self.function_of(After(function, after), (point, *args), {}, node)
            if after is not None and not _is_vector(fn):
                fn, operands = self.function_of(After(function, after), (point, *args), {}, node)
        except UnsupportedSyntax as error:
            if error.code != "S127":
                raise
            why = f"SciPy calls `{function_name(function)}` many times: it must not write its arguments"
            raise self.refuse("S127", why, "copy first", node) from None
        finally:
            self.strict = outer
        return fn, operands

    def on_copies(self, function: Abstract, count: int, keywords: list[str]) -> Closure | None:
        """Return the function as one that is called with copies; None where it may not be."""
        return None if self.strict else super().on_copies(function, count, keywords)

    def over(
        self, fn: Function, operands: Sequence[Operand], x: Type, around: tuple[Operand, ...], name: str
    ) -> Function:
        """Return a function as one of x and of all that is read around it."""
        place: dict[Operand, int] = {}
        again: dict[Value, Operand] = {}
        for k, a in enumerate(operands[1:], 1):
            if a in place:
                again[fn.params[k]] = fn.params[place[a]]
            else:
                place[a] = k
        fn = replace(fn, block=substitute(fn.block, again))
        like = [Value(fn.params[0].name or "x", x)]
        for a in around:
            known = fn.params[place[a]] if a in place else None
            like.append(known or Value(a.name, self.parameter_type(a.type)))
        outs = [Out(k) for k in range(len(fn.result_types))]
        made = arranged(fn, [0, *(place.get(a) for a in around)], like, outs)
        return replace(made, result=fn.result, name=name)

    def condition(
        self, solver: Solver, fn: Function, with_slope: bool, x: Type, node: Any
    ) -> tuple[Function | None, Function | None]:
        """Return what is to be minimal, and what is to be 0, as functions like the first one."""
        tree: Tree = fn.result
        if with_slope:
            if not (isinstance(tree, Node) and len(tree.items) == 2):
                why = f"with jac=True, `{fn.name}` must return a pair: its value and its derivative"
                raise self.mismatch("S350", why, "return value, derivative", node)
            tree = tree.items[0]
        rank = fn.result_types[tree.index].ndim if isinstance(tree, Leaf) else -1
        if solver.name == "least_squares":
            return fn, None
        if solver.is_residual(solver.functions[0]):
            if rank < 1:
                why = f"`{fn.name}` must return a vector for scipy.optimize.{solver.name}"
                raise self.mismatch("S351", why, "return an array", node)
            assert isinstance(tree, Leaf)
            self.check_square(fn.name, fn.result_types[tree.index], x, node)
            return None, self.of_one(fn, tree.index, x)
        if rank:
            why = f"`{fn.name}` must return one number for scipy.optimize.{solver.name}"
            raise self.mismatch("S351", why, "return a number, such as an item or a sum", node)
        assert isinstance(tree, Leaf)
        return self.of_one(fn, tree.index, NUMBER), None

    def check_square(self, name: str, t: Type, x: Type, node: Any) -> None:
        """Raise TypeMismatch if there are known not to be as many equations as unknowns. What is known at run
        time only is checked there."""
        found, wanted = (self.sizes.canonical(a.shape[0]) for a in (t, x))
        if t.ndim == 1 and found.is_const and wanted.is_const and found != wanted:
            why = f"`{name}` returns {found} numbers for {wanted} unknowns: it has no root in general"
            raise self.mismatch("S351", why, "use least_squares", node)

    def of_one(self, fn: Function, place: int, t: Type) -> Function:
        """Return a function with one of its results only, in a type and (if a vector) in the shape of x."""
        fits = self.one_shape(fn.result_types[place], t)
        like = None if fits or not t.ndim else 0
        return arranged(fn, range(len(fn.params)), fn.params, [Out(place, t, like_param=like)])

    def constant_of(self, value: Abstract, others: list[Operand], first: int, node: Any) -> Tree:
        """Return an option over the places of operands; those behind `first` are appended to `others`."""
        if self.is_function(value):
            raise self.refuse("S118", "an option that is a function is not supported", "leave it out", node)
        tree = tree_of(self.argument_tree(value, others, [], False, node))
        for constant in statics(tree):
            if not isinstance(constant, CONSTANTS):
                why = f"an option of SciPy that is a {type(constant).__name__} has no text"
                raise self.refuse("S118", why, "pass a number, a string or an array", node)
        return renumber(tree, {k: first + k for k in range(len(others))})

    # --- function values and solutions ---------------------------------------------------------------

    def call_after(
        self, function: After, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """Return the result of a function, made something else by a program."""
        found = self.call_value(function.function, args, kwargs, node)
        return self.call_program(function.program, (found,), {}, node)

    def record_attribute(self, owner: Abstract, contents: Struct, attr: str, node: Any) -> Abstract:
        """Return a field, property or method of a record."""
        if contents.cls is Solution and attr == "message" and self.raising:
            return Static(NO_SUCCESS)
        if contents.cls is Solution and contents.get(attr) is None:
            parts = ", ".join(f"`.{k}`" for k in contents.keys)
            why = f"`.{attr}` of what scipy.optimize returns here is not read"
            raise self.refuse("S111", why, f"what can be: {parts}", node)
        return super().record_attribute(owner, contents, attr, node)

    def message(self, node: Any) -> tuple[type[BaseException], tuple[Any, ...], tuple[Operand, ...]]:
        """Return exception class, message template and values of `raise X(...)`: there, SciPy's own message
        is read as one that is known."""
        outer, self.raising = self.raising, True
        try:
            return super().message(node)
        finally:
            self.raising = outer

    def do_Assert(self, node: Any) -> Outcome:
        """Read an `Assert` statement."""
        outer, self.raising = self.raising, True
        try:
            return super().do_Assert(node)
        finally:
            self.raising = outer

    def subscript(self, owner: Abstract, index: tuple[Abstract, ...], node: Any, name: str = "") -> Abstract:
        """Return `owner[index]`; a solution is a dict of its attributes, too."""
        contents = self.contents(owner)
        if isinstance(contents, Struct) and contents.cls is Solution and len(index) == 1:
            attr = str(self.static_value(index[0], "a key", node))
            return self.record_attribute(owner, contents, attr, node)
        return super().subscript(owner, index, node, name)

    def to_tree(self, value: Abstract, leaves: list[Any], node: Any = None) -> Tree:
        """Return the structure of a value."""
        self.check_passed(self.contents(value), node)
        return super().to_tree(value, leaves, node)

    def argument_tree(
        self, value: Abstract, operands: list[Operand], key: list[Any], keep_literals: bool, node: Any
    ) -> Any:
        """Return an argument's structure over operand indices."""
        self.check_passed(self.contents(value), node)
        return super().argument_tree(value, operands, key, keep_literals, node)

    def check_passed(self, box: Abstract, node: Any) -> None:
        """Raise TypeMismatch for a solution: text has no name for it."""
        if isinstance(box, Struct) and box.cls is Solution:
            why = "what scipy.optimize returns cannot be returned or passed on here"
            raise self.mismatch("S323", why, "return or pass its parts, such as .x", node)


def _called(value: Abstract, name: str, given: dict[str, Abstract], solver: Solver) -> str:
    """Return what a function is called in text: derivatives by what they are derivatives of."""
    found, title = function_name(value), solver.titles.get(name, name)
    if found == LAMBDA:
        return title
    first = given[solver.functions[0]]
    return f"{found}_{title}" if value is not first and found == function_name(first) else found


def _is_vector(fn: Function) -> bool:
    return isinstance(fn.result, Leaf) and fn.result_types[fn.result.index].ndim >= 1
