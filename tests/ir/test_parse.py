"""IR text: what prints parses, verifies, and prints the same."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from s2sad.ir import interp
from s2sad.ir.core import Instr
from s2sad.ir.parse import parse
from s2sad.ir.parse_type import parse_size, parse_type
from s2sad.ir.size import Size
from s2sad.ir.text import print_function
from s2sad.ops import OPS

sys.path.insert(0, str(Path(__file__).parent.parent / "passes"))
from random_ir import program

EVERYTHING = """\
func row(x: f8[n], i: int) {
  %1: f8 = getitem x, i {path=[i]}
  return %1
}
func row~1(x: f8[n], i: int) {
  return 0.0
}
func main(x: f8[n, max(?3-1,0)], z: c16, n: int(n)) writes(x) fresh {
  u: f8[?5] = getitem x, 1, 2 {path=[i, lo:].T(0,)[new, mask1, fancy]}
  inf~1: float = add nan, -inf
  comment {text='a, b = {0}'}
  s: float, u~1: f8[?5] = for 0, n, 1, 0.0, u (i: int, a: float, u~2: f8[?5]) {  !reverse @ model.py:3
    c: f8 = call u~2, i {callee=@row}  !recompute
    d: float = call u~2, i {callee=@row~1}  @ model.py:4
    if True {
      break a, u~2
    } else {
      yield
    }
    print d, n {end='\\n', sep=' = ', template=('x', 0, ((1, '.2f'),))}
    yield d, u~2
  }
  w: complex = while (1+2j) (w~1: complex) {
    yield False
  } do (w~2: complex) {
    if True {
      raise n {exception=ValueError, message=('n is ', (0, ''))}
    } else {
      continue w~2
    }
    unreachable
  }
  t: f4[3] = undef {type=<f4[3]>}
  m: f8 = sum x {axis=(0, 1), keepdims=False}
  v: f4[n] = zeros n {dtype=float32}
  return s, x
}"""


def test_everything_prints_as_it_was_read() -> None:
    assert print_function(parse(EVERYTHING, OPS), types=True, origins=True) == EVERYTHING


def test_what_the_text_says_is_there() -> None:
    fn = parse(EVERYTHING, OPS)
    by_op: dict[str, list[Instr]] = {}
    for instr in fn.block.walk():
        by_op.setdefault(instr.op.name, []).append(instr)
    assert (fn.name, fn.writes, fn.extra) == ("main", (0,), {"fresh_results": True})
    assert [p.name for p in fn.params] == ["x", "z", "n"]
    assert [i.param("callee").name for i in by_op["call"]] == ["row", "row"]
    assert [i.role for i in by_op["call"]] == ["recompute", ""]
    assert by_op["for"][0].role == "reverse"
    assert str(by_op["for"][0].origin) == "model.py:3"
    assert by_op["add"][0].result.name == "inf"
    assert by_op["call"][0].result.name == "c"
    assert by_op["zeros"][0].param("dtype") == np.float32
    assert by_op["getitem"][0].result.type.shape == (Size.symbol("?5"),)


def test_random_programs() -> None:
    for seed in range(200):
        fn = program(seed)
        text = print_function(fn, types=True)
        again = parse(text, OPS)
        assert print_function(again, types=True) == text
        assert [v.name for i in fn.block.walk() for v in i.results] == [
            v.name for i in again.block.walk() for v in i.results
        ]


def test_types_are_inferred() -> None:
    fn = parse(
        """
        # comments are lines of their own
        func f(x: f8[x.0], n: int(n)) {
          s = for 0, n, 1, 0.0 (i, s~1) {
            t = getitem x, i {path=[i]}
            u = to_float t
            s~2 = add s~1, u
            yield s~2
          }
          return s
        }
        """,
        OPS,
    )
    assert interp.run(fn, np.array([1.0, 2.0, 4.0]), 2) == (3.0,)


@pytest.mark.parametrize(
    "text",
    [
        "f8[x.0, n]",
        "f4[]",
        "float",
        "int(2*n-1)",
        "i8(n)",
        "bool",
        "complex",
        "c16",
        "b1[?3]",
        "u1[3, max(n-1,0)]",
    ],
)
def test_types(text: str) -> None:
    assert str(parse_type(text)) == text


@pytest.mark.parametrize(
    "size",
    [
        Size.symbol("n") * Size.symbol("x.0") * 2 - 3,
        (Size.symbol("n") - 1).clamped() + Size.symbol("?3"),
        Size.symbol("n").minimum(Size.symbol("x_1.0") - 4),
        (Size.symbol("n") - 1) // 2 * (Size.symbol("m") + 1),
        -Size.symbol("$4") // (Size.symbol("n") * Size.symbol("m")),
        Size.of(-2),
    ],
    ids=str,
)
def test_sizes(size: Size) -> None:
    assert parse_size(str(size)) == size


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("y = add x, z", "z is not defined"),
        ("y = frobnicate x", "there is no op frobnicate"),
        ("y, z = add x, x", "1 results"),
        ("x = add x, x", "x is defined twice"),
    ],
)
def test_mistakes_are_told(line: str, why: str) -> None:
    with pytest.raises(SyntaxError, match=why):
        parse(f"func f(x: f8) {{\n{line}\nreturn x\n}}", OPS)
