"""Liveness and storage: what may share memory, what is still needed, over loops, branches and exits."""

from __future__ import annotations

import pytest

from s2sad.analysis.liveness import Numbering, liveness
from s2sad.analysis.storage import CALLER, READONLY, RESERVED, Lineage, Storage, summarize
from s2sad.ir.core import Function, Value
from s2sad.ir.parse import parse
from s2sad.ops import OPS


def values(fn: Function) -> dict[str, Value]:
    found = {p.name: p for p in fn.params}
    for instr in fn.block.walk():
        for v in (*(p for b in instr.blocks for p in b.params), *instr.results):
            found.setdefault(v.name, v)
    return found


def storage(text: str) -> tuple[Storage, dict[str, Value], Function]:
    fn = parse(text, OPS)
    return Storage(fn, Numbering(fn, RESERVED), {}), values(fn), fn


SWAP = """
func f(x: f8[x.0], n: int) {
  u = copy x
  v = zeros_like u
  ru, rv = for 0, n, 1, u, v (i, pu, pv) {
    w = setitem pv, 1.0, i {path=[i]}
    t = getitem w, 1 {path=[lo:]}
    yield w, pu
  }
  return ru, rv
}"""


def test_arrays_that_change_places_stay_apart() -> None:
    s, v, _ = storage(SWAP)
    assert not s.shares(v["pu"], v["pv"])
    assert not s.shares(v["ru"], v["rv"])
    assert s.shares(v["ru"], v["u"])
    assert s.shares(v["ru"], v["v"])  # after an odd number of trips
    assert s.shares(v["w"], v["pv"])
    assert s.shares(v["t"], v["pv"])
    assert not s.shares(v["t"], v["pu"])


def test_slots_that_meet_may_share() -> None:
    s, v, _ = storage(SWAP.replace("yield w, pu", "yield w, w"))
    assert s.shares(v["pu"], v["pv"])
    assert s.shares(v["ru"], v["rv"])


def test_the_same_array_in_two_slots() -> None:
    s, v, _ = storage(SWAP.replace("1, u, v (", "1, u, u ("))
    assert s.shares(v["pu"], v["pv"])


def test_conditional_swap() -> None:
    s, v, _ = storage("""
func f(x: f8[x.0], k: int) {
  a = copy x
  b = copy x
  c = greater k, 0
  p, q = if c {
    yield a, b
  } else {
    yield b, a
  }
  r = if c {
    yield a
  } else {
    yield x
  }
  return p, q, r
}""")
    assert not s.shares(v["p"], v["q"])
    assert s.shares(v["p"], v["a"])
    assert s.shares(v["p"], v["b"])
    assert s.shares(v["r"], v["p"])
    assert s.mask(v["r"]) & CALLER
    assert not s.mask(v["p"]) & CALLER


@pytest.mark.parametrize(
    ("op", "shared", "readonly"),
    [
        ("getitem x, 1 {path=[lo:]}", True, False),
        ("getitem x, i {path=[fancy]}", False, False),
        ("reshape x, -1", True, False),
        ("broadcast_like x, x", True, True),
        ("broadcast_like 1.0, x", False, True),
        ("multiply x, 1.0", False, False),
        ("einsum x {subscripts='i->i'}", True, False),
    ],
)
def test_views(op: str, shared: bool, readonly: bool) -> None:
    s, v, _ = storage(f"func f(x: f8[x.0], i: i8[i.0]) {{\n  y = {op}\n  return y, y\n}}")
    assert s.shares(v["y"], v["x"]) is shared
    assert bool(s.mask(v["y"]) & READONLY) is readonly


def test_summary_of_a_function() -> None:
    s, _, fn = storage("""
func f(x: f8[x.0], y: f8[x.0]) {
  a = getitem x, 1 {path=[lo:]}
  b = getitem a, 1 {path=[lo:]}
  c = add x, y
  d = broadcast_like 1.0, x
  return a, b, c, d
}""")
    assert summarize(fn, s).with_params == ((0,), (0,), (), ())
    assert summarize(fn, s).with_results == ((), (0,), (), ())
    assert summarize(fn, s).readonly == (False, False, False, True)


def test_lineage() -> None:
    fn = parse(SWAP, OPS)
    v, lineage = values(fn), Lineage(fn)
    assert lineage[v["w"]] is v["pv"]
    assert lineage[v["ru"]] is v["ru"]
    fn = parse(SWAP.replace("yield w, pu", "yield pu, w"), OPS)
    v, lineage = values(fn), Lineage(fn)
    assert lineage[v["w"]] is v["v"]
    assert lineage[v["rv"]] is v["v"]
    assert lineage[v["ru"]] is v["u"]


def test_liveness() -> None:
    fn = parse(
        """
func f(x: f8[x.0], lim: float, n: int) {
  a = multiply x, 2.0
  b = multiply lim, 2.0
  c = multiply lim, 3.0
  s = for 0, n, 1, 0.0 (i, p) {
    d = getitem a, i {path=[i]}
    e = greater d, b
    if e {
      break c
    } else {
      yield
    }
    q = to_float d
    yield q
  }
  return s, n
}""",
        OPS,
    )
    v = values(fn)
    numbering = Numbering(fn)
    live = liveness(fn, numbering)
    (loop,) = (i for i in fn.block.instrs if i.op.name == "for")
    names = {n.name for n in numbering.members(live.head[loop])}
    assert names == {"a", "b", "c", "n", "p"}  # p: what s is after no trip at all
    assert {n.name for n in numbering.members(live.after[loop])} == {"s", "n"}
    body = loop.blocks[0]
    at = {i.results[0].name: i for i in body.instrs if i.results}
    assert {n.name for n in numbering.members(live.after[at["e"]])} == {"a", "b", "c", "d", "e", "n"}
    assert not live.entry[body] & numbering[v["p"]]


def test_parameters_of_a_while_are_the_same_in_condition_and_body() -> None:
    fn = parse(
        """
func f(x: float, n: int) {
  r, k = while x, 0 (a, i) {
    c = less i, n
    yield c
  } do (b, j) {
    m = add j, 1
    yield b, m
  }
  return r, k
}""",
        OPS,
    )
    v = values(fn)
    numbering = Numbering(fn)
    assert numbering[v["a"]] == numbering[v["b"]]
    live = liveness(fn, numbering)
    (loop,) = fn.block.instrs
    assert live.head[loop] & numbering[v["a"]]
    assert live.after[loop.blocks[0].instrs[0]] & numbering[v["b"]]
