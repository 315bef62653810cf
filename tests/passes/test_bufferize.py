"""Bufferize: right in place (against the interpreter), and not one copy more than is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from emulate import emulate
from random_ir import arguments, program

from s2sad.analysis.storage import written_args
from s2sad.emit.load import load
from s2sad.emit.source import module
from s2sad.ir.core import Block, Function, Instr, Value
from s2sad.ir.interp import run
from s2sad.ir.parse import parse
from s2sad.ir.tree import Leaf, Node
from s2sad.ir.verify import verify
from s2sad.ops import OPS
from s2sad.passes.bufferize import bufferize

IN_PLACE = {
    "a loop that writes one array": """
func f(x: f8[x.0], n: int) {
  u = copy x
  r = for 0, n, 1, u (i, p) {
    a = getitem p, -1 {path=[:hi]}
    b = multiply a, 0.5
    q = setitem p, b, 1 {path=[lo:]}
    yield q
  }
  s = sum r {axis=None, keepdims=False}
  return s, r
}""",
    "two arrays that change places": """
func f(x: f8[x.0], n: int) {
  u = copy x
  v = zeros_like u
  ru, rv = for 0, n, 1, u, v (i, pu, pv) {
    a = getitem pu, 1 {path=[lo:]}
    w = setitem pv, a, -1 {path=[:hi]}
    w2 = setitem w, 2.5, -1 {path=[i]}
    yield w2, pu
  }
  return ru, rv
}""",
    "arrays that change places in a branch": """
func f(x: f8[x.0], n: int) {
  u = copy x
  v = zeros_like u
  ru, rv = for 0, n, 1, u, v (i, pu, pv) {
    w = setitem pv, 1.5, i {path=[i]}
    k = remainder i, 2
    c = equal k, 0
    a, b = if c {
      yield w, pu
    } else {
      yield pu, w
    }
    yield a, b
  }
  z = setitem ru, 7.0, 0 {path=[i]}
  return z, rv
}""",
    "writes of nested loops, with a break": """
func f(x: f8[x.0], n: int) {
  u = copy x
  r = for 0, n, 1, u (i, p) {
    r2 = for 0, n, 1, p (j, q) {
      a = getitem q, j {path=[i]}
      b = add a, 1.0
      w = setitem q, b, j {path=[i]}
      c = greater b, 2.0
      if c {
        break w
      } else {
        yield
      }
      yield w
    }
    w2 = accum r2, 0.5, i {path=[i]}
    yield w2
  }
  return r, n
}""",
    "a branch that writes and one that does not": """
func f(x: f8[x.0], n: int) {
  u = copy x
  c = greater n, 2
  r = if c {
    w = setitem u, 1.0 {path=[:]}
    yield w
  } else {
    yield u
  }
  z = accum r, 2.0, 0 {path=[i]}
  return z, n
}""",
    "overlapping parts of one array": """
func f(x: f8[x.0], n: int) {
  u = copy x
  a = getitem u, -1 {path=[:hi]}
  w = setitem u, a, 1 {path=[lo:]}
  b = getitem w, 1 {path=[lo:]}
  w2 = accum w, b, -1 {path=[:hi]}
  return w2, n
}""",
    "an old version is read for its shape alone": """
func f(x: f8[x.0], n: int) {
  u = copy x
  r = for 0, n, 1, u (i, p) {
    w = setitem p, 1.0, i {path=[i]}
    yield w
  }
  z = zeros_like u
  return r, z
}""",
    "a write moves behind the read of the view it changes": """
func f(x: f8[x.0], n: int) {
  g = copy x
  h = zeros_like g
  v = getitem g, 1 {path=[lo:]}
  g2 = setitem g, 0.0, 1 {path=[lo:]}
  h2 = accum h, v, -1 {path=[:hi]}
  return g2, h2
}""",
    "a view of a part that is not written": """
func f(x: f8[x.0], n: int) {
  a = multiply x, 2.0
  low = getitem a, 2 {path=[:hi]}
  b = setitem a, 0.0, 2 {path=[lo:]}
  c = setitem b, 1.0, 3 {path=[i]}
  part = getitem low, 1 {path=[lo:]}
  return c, part
}""",
    "a written parameter that the function may write": """
func f(x: f8[x.0], n: int) writes(x) {
  r = for 0, n, 1, x (i, p) {
    w = accum p, 1.0, i {path=[i]}
    yield w
  }
  return n, r
}""",
}

COPIES = {
    "a parameter, copied once before the loop": (1, """
func f(x: f8[x.0], n: int) {
  r = for 0, n, 1, x (i, p) {
    w = accum p, 1.0, i {path=[i]}
    yield w
  }
  return r, x
}"""),
    "a loop starts from an array that is read later": (1, """
func f(x: f8[x.0], n: int) {
  u = multiply x, 2.0
  r = for 0, n, 1, u (i, p) {
    r2 = for 0, n, 1, p (j, q) {
      w = setitem q, 1.0, j {path=[i]}
      yield w
    }
    yield r2
  }
  s = add r, u
  return s, r
}"""),
    "an inner loop starts from the outer array each trip": (1, """
func f(x: f8[x.0], n: int) {
  u = multiply x, 2.0
  s = for 0, n, 1, 0.0 (i, t) {
    r = for 0, n, 1, u (j, q) {
      w = accum q, 1.5, j {path=[i]}
      yield w
    }
    a = sum r {axis=None, keepdims=False}
    b = to_float a
    t2 = add t, b
    yield t2
  }
  return s, u
}"""),
    "a view is read after its base was written": (1, """
func f(x: f8[x.0], n: int) {
  g = copy x
  v = getitem g, 1 {path=[lo:]}
  w = setitem g, 0.0 {path=[:]}
  return w, v
}"""),
    "a view of a part that may be written, counted from the end": (1, """
func f(x: f8[x.0], n: int) {
  a = multiply x, 2.0
  low = getitem a, 3 {path=[:hi]}
  b = setitem a, 0.0, -3 {path=[i]}
  return b, low
}"""),
    "a view is read in the next trip": (1, """
func f(x: f8[x.0], n: int) {
  u = copy x
  z = zeros_like u
  r, old = for 0, n, 1, u, z (i, p, o) {
    v = getitem p {path=[:]}
    s = sum o {axis=None, keepdims=False}
    w = accum p, s, i {path=[i]}
    yield w, v
  }
  return r, old
}"""),
    "a broadcast that is also read is copied, for it is read-only": (1, """
func f(x: f8[x.0], n: int) {
  y = getitem x, 1, 2 {path=[lo:hi]}
  b = broadcast_like y, x
  w = setitem b, 2.0, 0 {path=[i]}
  return w, b
}"""),
    "an array that is overwritten or added to as a whole is made anew": (0, """
func f(x: f8[x.0], n: int) {
  a = multiply x, 2.0
  %1 = sin a
  b = setitem a, %1 {path=[:]}
  c = accum b, x {path=[:]}
  d = accum x, c {path=[:]}
  return a, b, d
}"""),
    "a broadcast number is written out": (0, """
func f(x: f8[x.0], n: int) {
  b = broadcast_like 1.5, x
  w = setitem b, 2.0, 0 {path=[i]}
  return w, n
}"""),
    "both branches hand on the same array": (1, """
func f(x: f8[x.0], n: int) {
  a = multiply x, 2.0
  b = multiply x, 3.0
  c = greater n, 1
  r = if c {
    yield a
  } else {
    yield b
  }
  w = setitem r, 1.0, 0 {path=[i]}
  return w, a, b
}"""),
    "two zeros that became one": (0, """
func f(x: f8[x.0], n: int) {
  z = zeros_like x
  ru, rv = for 0, n, 1, z, z (i, pu, pv) {
    a = accum pu, 1.0, i {path=[i]}
    b = accum pv, 2.0, i {path=[i]}
    yield a, b
  }
  return ru, rv
}"""),
    "the old contents of a written parameter": (1, """
func f(x: f8[x.0], n: int) writes(x) {
  r = for 0, n, 1, x (i, p) {
    w = setitem p, 1.0, i {path=[i]}
    yield w
  }
  s = add r, x
  return s, r
}"""),
}  # fmt: skip


def copies(fn: Function) -> int:
    return sum(i.op.name == "copy" for i in fn.block.walk())


def own(leaves: list[Any], fn: Function) -> list[Any]:
    """Return leaves of which only those that the function writes can be written."""
    out = []
    for k, leaf in enumerate(leaves):
        if isinstance(leaf, np.ndarray):
            leaf = leaf.copy()
            leaf.flags.writeable = k in fn.writes
        out.append(leaf)
    return out


def assert_same(wanted: tuple[Any, ...], found: tuple[Any, ...]) -> None:
    for a, b in zip(wanted, found, strict=True):
        assert type(a) is type(b)
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)


def check(fn: Function, leaves: list[Any]) -> Function:
    """Run the bufferized program with writes in place, and its text, against the interpreter."""
    wanted = run(fn, *own(leaves, fn))
    done = verify(bufferize(fn))
    with np.errstate(all="ignore"):
        given = own(leaves, fn)
        found = emulate(done, *given)
        assert_same(wanted, found)
        for k, final in zip(fn.writes, found[len(found) - len(fn.writes) :], strict=True):
            assert final is given[k]
        text = module(done)
        given = own(leaves, fn)
        shown = load(text, "<test>")[fn.name](*given)
        shown = (shown,) if isinstance(fn.result, Leaf) else shown
        assert_same(wanted, (*shown, *(given[k] for k in fn.writes)))
        # With every write on a copy: what goes wrong here is wrong in the emitter, not in bufferize.
        shown = load(module(functional(fn)), "<test>")[fn.name](*own(leaves, replace(fn, writes=())))
        assert_same(wanted, shown)
    assert module(done) == text
    return done


def functional(fn: Function) -> Function:
    """Return the program with a copy before every write, and the final versions among the results."""

    def visit(block: Block) -> Block:
        instrs = []
        for instr in block.instrs:
            for arg, _ in written_args(instr):
                x = instr.args[arg]
                new = Value("", x.type)
                instrs.append(Instr(OPS["copy"], (x,), (new,)))
                instr = replace(instr, args=(*instr.args[:arg], new, *instr.args[arg + 1 :]))
            instrs.append(replace(instr, blocks=tuple(map(visit, instr.blocks))))
        return Block(block.params, tuple(instrs), block.end)

    count = len(fn.block.end.args)
    tree = Node("tuple", tuple(range(count)), tuple(map(Leaf, range(count))))
    return replace(fn, block=visit(fn.block), writes=(), result=tree)


@pytest.mark.parametrize("name", IN_PLACE)
def test_no_copy_where_the_program_was_in_place(name: str) -> None:
    fn = parse(IN_PLACE[name], OPS)
    assert copies(check(fn, [np.array([1.0, -2.0, 3.0, 0.5, 2.0]), 3])) == copies(fn)


@pytest.mark.parametrize("name", COPIES)
def test_copies_that_are_needed(name: str) -> None:
    count, text = COPIES[name]
    fn = parse(text, OPS)
    assert copies(check(fn, [np.array([1.0, -2.0, 3.0, 0.5, 2.0]), 3])) - copies(fn) == count


def test_the_copy_of_a_parameter_is_made_before_the_loop() -> None:
    _, text = COPIES["a parameter, copied once before the loop"]
    assert [i.op.name for i in bufferize(parse(text, OPS)).block.instrs] == ["copy", "for"]


def test_results_of_derivatives_are_the_callers_own() -> None:
    fn = parse(
        """
func f(x: f8[x.0], g: f8[x.0]) fresh {
  b = broadcast_like 1.0, x
  v = getitem x, -1 {path=[::st]}
  u = copy x
  w = getitem u, 1 {path=[lo:]}
  return x, g, b, v, u, u, w
}""",
        OPS,
    )
    given = own([np.arange(3.0), np.ones(3)], fn)
    found = emulate(bufferize(fn), *given)
    assert_same(run(fn, *given), found)
    assert_fresh(found, given)


def assert_fresh(found: tuple[Any, ...], given: list[Any]) -> None:
    arrays = [a for a in found if isinstance(a, np.ndarray)]
    for k, a in enumerate(arrays):
        assert a.flags.writeable
        for b in (*arrays[k + 1 :], *(g for g in given if isinstance(g, np.ndarray))):
            assert not np.shares_memory(a, b)


def test_a_result_that_is_a_view_stays_one() -> None:
    fn = parse("func f(x: f8[x.0]) {\n  v = getitem x, 1 {path=[lo:]}\n  return v, x\n}", OPS)
    assert bufferize(fn) is fn


def test_called_functions_write_and_hand_on_their_arguments() -> None:
    fn = parse(
        """
func scale(row: f8[row.0], c: float) writes(row) {
  v = getitem row, 1 {path=[lo:]}
  row2 = accum row, c {path=[:]}
  w = getitem row2, 1 {path=[lo:]}
  return w, row2
}
func f(x: f8[x.0], n: int) {
  a, x2 = call x, 2.0 {callee=@scale}
  x3 = setitem x2, 0.0, 1 {path=[i]}
  return a, x3, x
}""",
        OPS,
    )
    done = check(fn, [np.array([1.0, -2.0, 3.0]), 3])
    assert copies(done) == 2  # x is the caller's; a is a view of what is written next


def test_a_called_function_may_return_what_cannot_be_written() -> None:
    fn = parse(
        """
func spread(v: f8[v.0], c: float) {
  b = broadcast_like c, v
  return b, v
}
func f(x: f8[x.0], n: int) {
  b, v = call x, 2.0 {callee=@spread}
  b1 = setitem b, 1.0, 0 {path=[i]}
  v1 = setitem v, 0.0, 1 {path=[i]}
  return b1, v1
}""",
        OPS,
    )
    assert copies(check(fn, [np.array([1.0, -2.0, 3.0]), 3])) == 2


@pytest.mark.parametrize("kind", ["plain", "fresh", "writes"])
def test_random_programs(kind: str) -> None:
    for seed in range(60):
        fn = program(seed)
        if kind == "fresh":
            fn = replace(fn, extra={"fresh_results": True})
        elif kind == "writes":  # the fifth result, any array, is the final version of x
            block = Block((), fn.block.instrs, replace(fn.block.end, args=fn.block.end.args[:5]))
            tree = Node("tuple", tuple(range(4)), tuple(map(Leaf, range(4))))
            fn = replace(fn, block=block, result=tree, writes=(0,))
        leaves = arguments(fn, seed)
        done = check(fn, leaves)
        if kind == "fresh":
            given = own(leaves, fn)
            with np.errstate(all="ignore"):
                assert_fresh(emulate(done, *given), given)
