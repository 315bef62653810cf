"""Whole modules: signatures, structured and captured arguments, calls, facts, errors, loading."""

from __future__ import annotations

import inspect
import subprocess
import sys
import traceback
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from s2sad.emit.load import load
from s2sad.emit.source import function, module
from s2sad.errors import Origin
from s2sad.ir.core import Fact, Function, Parameter
from s2sad.ir.parse import parse
from s2sad.ir.size import Size
from s2sad.ir.tree import Leaf, Node, Static
from s2sad.ops import OPS
from s2sad.passes.bufferize import bufferize

X = np.array([0.5, -1.25, 2.0])


@dataclass
class Pair:
    first: Any
    second: Any
    scale: Any = None


def program(text: str, **fields: Any) -> Function:
    return bufferize(replace(parse(text, OPS), **fields))


def test_header_imports_and_documentation() -> None:
    fn = program(
        "func f(x: float) {\n  y = math_sin x\n  return y\n}",
        doc="Return the sine.",
        origin=Origin("model.py", 3),
    )
    assert module(fn) == (
        "# s2sad 0.1  f (model.py:3)\nimport math\n\n\n"
        'def f(x):\n    """Return the sine."""\n    y = math.sin(x)\n    return y\n'
    )


STRUCTURED = """
func f(p_w: f8[k], p_b: float, xs_0: f8[k], model_scale: float, n: int, RATE: float, TABLE: f8[k]) {
  s~2 = for 0, n, 1, 0.0 (i, s) {
    %1 = getitem p_w, i {path=[i]}
    %2 = multiply %1, model_scale
    %3 = add s, %2
    s~1 = to_float %3
    yield s~1
  }
  a = multiply p_w, xs_0
  b = add a, p_b
  c = multiply TABLE, RATE
  return b, c, s~2
}"""


def structured() -> Function:
    signature = (
        Parameter("p", Node("dict", ("w", "b"), (Leaf(0), Leaf(1)))),
        Parameter("model", Node("record", ("scale",), (Leaf(3),), Pair)),
        Parameter("xs", Node("tuple", (0,), (Leaf(2),)), "variadic"),
        Parameter("n", Leaf(4), "keyword", 3, True),
        Parameter("mode", Static("relu"), "keyword", "relu", True),
        Parameter("RATE", Leaf(5), "captured", 0.25, True),
        Parameter("TABLE", Leaf(6), "captured"),
    )
    result = Node(
        "dict",
        ("b", "rest"),
        (Leaf(0), Node("record", ("first", "second"), (Leaf(1), Node("list", (0,), (Leaf(2),))), Pair)),
    )
    return program(STRUCTURED, signature=signature, result=result)


def test_structured_arguments_and_results() -> None:
    text = module(structured())
    assert (
        text.splitlines()[1:]
        == """import numpy as np
from test_module import Pair

RATE = 0.25


def f(p, model, *xs, n=3, mode="relu", TABLE):
    p_w = p["w"]
    model_scale = model.scale
    s = 0.0
    for i in range(n):
        s = float(s + p_w[i] * model_scale)
    a = p_w * xs[0]
    b = a + p["b"]
    c = TABLE * RATE
    return {"b": b, "rest": Pair(first=c, second=[s])}""".replace("import numpy as np\n", "").splitlines()
    )
    out = load(text, "<test>")["f"]({"w": X, "b": 1.0}, Pair(0, 0, 2.0), X, TABLE=X)
    np.testing.assert_array_equal(out["b"], X * X + 1.0)
    np.testing.assert_array_equal(out["rest"].first, X * 0.25)
    assert out["rest"].second == [2.5]


def test_captured_scalars_as_parameters() -> None:
    text = module(structured(), captured_as_lines=False)
    assert 'def f(p, model, *xs, n=3, mode="relu", RATE=0.25, TABLE):' in text


CALLS = """
func square(v: f8[v.0]) {
  y = multiply v, v
  return y
}
func both(v: f8[v.0], c: float) writes(v) {
  %1 = call v {callee=@square}
  s = sum %1 {axis=None, keepdims=False}
  v~1 = accum v, c {path=[:]}
  return s, %1, v~1
}
func f(x: f8[x.0]) {
  u = copy x
  s, q, u~1 = call u, 2.0 {callee=@both}
  s2, q2, u~2 = call u~1, 3.0 {callee=@both}
  y = call u~2 {callee=@square}
  return s, q2, y
}"""


def test_called_functions_are_printed_once_before_their_caller() -> None:
    text = module(program(CALLS))
    assert (
        text
        == """# s2sad 0.1  f
import numpy as np


def square(v):
    y = v * v
    return y


def both(v, c):
    t1 = square(v)
    s = np.sum(t1)
    v += c
    return s, t1


def f(x):
    u = x.copy()
    s, q = both(u, 2.0)
    s2, q2 = both(u, 3.0)
    y = square(u)
    return s, q2, y
"""
    )
    s, q2, y = load(text, "<test>")["f"](X)
    assert s == np.sum(X * X)
    np.testing.assert_array_equal(q2, (X + 2.0) ** 2)
    np.testing.assert_array_equal(y, (X + 5.0) ** 2)


def test_functions_that_print_the_same_are_one_and_others_get_numbers() -> None:
    text = """
func g(v: f8[v.0]) {
  y = sin v
  return y
}
func h(v: f8[v.0]) {
  y = cos v
  return y
}
func f(x: f8[x.0]) {
  a = call x {callee=@g}
  b = call a {callee=@h}
  return a, b
}"""
    fn = parse(text, OPS)
    called = [i.param("callee") for i in fn.block.instrs]
    same = replace(called[1], name="g")

    def calling(second: Function) -> str:
        first, last = fn.block.instrs
        instrs = (first, replace(last, params=(("callee", second),)))
        return module(bufferize(replace(fn, block=replace(fn.block, instrs=instrs))))

    assert "def g_1(v):" in calling(same)
    assert calling(replace(called[0])).count("def g(v):") == 1


def test_facts_that_numpy_would_not_check() -> None:
    n, m = Size.symbol("x.0"), Size.symbol("n")
    facts = (
        Fact(Size.symbol("y.0"), n, Origin("m.py", 2)),
        Fact(n, n + 1, Origin("m.py", 3), raises=True),
        Fact((m * 2 - 1).clamped(), n, None),
        Fact(Size.symbol("?7"), n, None),
    )
    fn = program("func f(x: f8[x.0], y: f8[x.0], n: int) {\n  z = add x, y\n  return z, n\n}", facts=facts)
    assert (
        function(fn)
        == """def f(x, y, n):
    if y.shape[0] != x.shape[0]:
        raise ValueError("m.py:2: y.shape[0] must equal x.shape[0]")
    if max(2 * n - 1, 0) != x.shape[0]:
        raise ValueError("max(2 * n - 1, 0) must equal x.shape[0]")
    z = x + y
    return z, n
"""
    )
    with pytest.raises(ValueError, match=r"m\.py:2"):
        load(module(fn), "<test>")["f"](X, X[:1], 2)


ERRORS = """
func f(x: f8[x.0], n: int) {
  %1 = less n, 0
  if %1 {
    %2 = getitem x, 0 {path=[i]}
    raise n, %2 {exception=ValueError, message=('n is ', (0, 'd'), ', x ', (1, '.2f'))}
  } else {
    yield
  }
  %3 = less n, 9
  if %3 {
    yield
  } else {
    raise {exception=AssertionError, message=("it's too big",)}
  }
  print n {end='\\n', sep='|', template=('n', 0, ('is ', (0, '')))}
  return n, n
}"""


def test_errors_asserts_and_output(capsys: pytest.CaptureFixture[str]) -> None:
    fn = program(ERRORS)
    assert (
        function(fn)
        == """def f(x, n):
    if n < 0:
        raise ValueError(f"n is {n:d}, x {x[0]:.2f}")
    assert n < 9, "it's too big"
    print("n", n, f"is {n}", sep="|")
    return n, n
"""
    )
    f = load(module(fn), "<test>")["f"]
    f(X, 3)
    assert capsys.readouterr().out == "n|3|is 3\n"
    with pytest.raises(ValueError, match=r"n is -1, x 0\.50"):
        f(X, -1)
    with pytest.raises(AssertionError, match="it's too big"):
        f(X, 9)


def test_loaded_text_is_seen_by_tracebacks_and_inspect() -> None:
    fn = program("func f(x: f8[x.0], k: int) {\n  y = getitem x, k {path=[i]}\n  return y, k\n}")
    f = load(module(fn), "<s2sad f>")["f"]
    assert inspect.getsource(f) == function(fn)
    with pytest.raises(IndexError) as caught:
        f(X, 7)
    assert "y = x[k]" in "".join(traceback.format_exception(caught.value))


def test_a_wide_signature_is_wrapped() -> None:
    names = [f"coefficient_{k}" for k in range(9)]
    args = ", ".join(f"{n}: float" for n in names)
    text = function(program(f"func f({args}) {{\n  y = add {names[0]}, {names[8]}\n  return y, y\n}}"))
    assert max(map(len, text.splitlines())) <= 100
    assert load(text, "<test>")["f"](*range(9)) == (8, 8)


def test_text_does_not_depend_on_hashes() -> None:
    script = (
        "from s2sad.ops import OPS; from s2sad.ir.parse import parse; import sys;"
        "from s2sad.passes.bufferize import bufferize; from s2sad.emit.source import module;"
        "print(module(bufferize(parse(sys.stdin.read(), OPS))))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            input=CALLS,
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_classes_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    other = type("Pair", (), {"__init__": lambda self, left: setattr(self, "left", left)})
    other.__module__ = "another_module"
    monkeypatch.setitem(sys.modules, "another_module", type(sys)("another_module"))
    monkeypatch.setattr(sys.modules["another_module"], "Pair", other, raising=False)
    trees = (
        Node("record", ("left",), (Leaf(0),), other),
        Node("record", ("first", "second", "scale"), (Leaf(0), Leaf(1), Static(None)), Pair),
    )
    fn = program(
        "func f(x: float) {\n  y = add x, 1.0\n  return x, y\n}", result=Node("tuple", (0, 1), trees)
    )
    text = module(fn)
    assert "from another_module import Pair\nfrom test_module import Pair as Pair_1" in text
    left, right = load(text, "<classes of one name>")["f"](2.0)
    assert type(left) is other and left.left == 2.0
    assert type(right).__name__ == "Pair" and (right.first, right.second, right.scale) == (2.0, 3.0, None)
