"""How a call finds its variant: binding, facts, captured values, overlap; on functions built by hand."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

from s2sad.driver.arguments import active_leaves, float_argnums
from s2sad.driver.assemble import assembler
from s2sad.driver.binding import Binding, call_key
from s2sad.errors import NotDifferentiable, TypeMismatch
from s2sad.ir.core import Block, End, Fact, Function, Parameter
from s2sad.ir.size import Size, slice_length
from s2sad.ir.structure import describe, flatten
from s2sad.ir.tree import Leaf

Pair = namedtuple("Pair", "left right")


def made(*args, kinds=None, facts=(), writes=(), extra=None, defaults=None):
    """Return a Function that returns its first leaf, for named example arguments (name, value)."""
    params, signature, taken = [], [], set()
    for name, value in args:
        tree, values, _ = describe(value, name, len(params), taken)
        params += values
        kind = (kinds or {}).get(name, "positional")
        default = (defaults or {}).get(name)
        signature.append(Parameter(name, tree, kind, default, name in (defaults or {})))
    block = Block((), (), End("return", (params[0], *(params[k] for k in writes))))
    return Function(
        "f", tuple(params), block, tuple(signature), Leaf(0), writes, tuple(facts), extra=extra or {}
    )


def test_values_follow_the_signature():
    fn = made(
        ("a", 1.0),
        ("b", 2.0),
        ("xs", (1.0, 2.0)),
        ("c", 3.0),
        ("rest", {"d": 1.0}),
        kinds={"xs": "variadic", "c": "keyword", "rest": "variadic_keyword"},
        defaults={"c": 30.0},
        extra={"defaults": {"c": lambda: 30.0}},
    )
    binding = Binding(fn, check_overlap=False)
    assert binding.values((1, 2, 3, 4), {"d": 5}) == [1, 2, (3, 4), 30.0, {"d": 5}]
    assert binding.values((1,), {"b": 2, "c": 3}) == [1, 2, (), 3, {}]
    assert binding.leaves([1.0, 2.0, (3.0, 4.0), 5.0, {"d": 6.0}]) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_facts():
    x, y, n = Size.symbol("x.0"), Size.symbol("y.0"), Size.symbol("n")
    facts = (Fact(x, y), Fact(n, Size.of(2)), Fact(x - 1, n * 2), Fact(Size.symbol("?1"), x))
    fn = made(("x", np.ones(5)), ("y", np.ones(5)), ("n", 2), facts=facts)
    binding = Binding(fn, check_overlap=False)
    assert binding.accepted((np.ones(5), np.ones(5), 2), {}) is not None
    assert binding.accepted((np.ones(5), np.ones(4), 2), {}) is None
    assert binding.accepted((np.ones(5), np.ones(5), 3), {}) is None
    assert binding.accepted((np.ones(4), np.ones(4), 2), {}) is None


def test_facts_about_derived_sizes():
    x, n = Size.symbol("x.0"), Size.symbol("n")
    sizes = [(x - n).clamped(), x * n, x // n, x.minimum(n), slice_length(x, n, None, Size.of(2)), n * -3 + 1]
    for left in sizes:
        fn = made(("x", np.ones(5)), ("n", 2), facts=(Fact(left, Size.symbol("y.0")),))
        assert Binding(fn, False).holds is None
        for length, k in [(5, 2), (1, 4), (0, 3), (7, -2)]:
            right = left.evaluate({"x.0": length, "n": k})
            fn = made(("x", np.ones(5)), ("n", 2), facts=(Fact(left, Size.of(right)),))
            assert Binding(fn, False).holds([np.ones(length), k])
            fn = made(("x", np.ones(5)), ("n", 2), facts=(Fact(left, Size.of(right + 1)),))
            assert not Binding(fn, False).holds([np.ones(length), k])


def test_quick_test_of_plain_calls():
    x, y = Size.symbol("x.0"), Size.symbol("y.0")
    fn = made(("x", np.ones(5)), ("y", np.ones(5)), ("s", 1.0), facts=(Fact(x, y),))
    binding = Binding(fn, False)
    binding.remember((np.ones(5), np.ones(5), 1.0), {})
    call = (np.ones(3), np.ones(3), 2.0)
    assert binding.quick(call) is call
    for other in [
        (np.ones(3), np.ones(4), 2.0),
        (np.ones(3), np.ones(3), 2),
        (np.ones(3), np.ones(3), np.float64(2)),
        (np.ones(3), np.ones(3, np.float32), 2.0),
        (np.ones(3), np.ones((3, 1)), 2.0),
        (np.ones(3), np.ones(3)),
        (np.ones(3), [1.0, 2.0, 3.0], 2.0),
    ]:
        assert binding.quick(other) is None


def test_quick_test_of_captured_values():
    now = {"w": np.ones(2), "k": 2.0, "mode": "relu"}
    extra = {
        "captured": {"w": lambda: now["w"], "k": lambda: now["k"]},
        "static_captures": [(lambda: now["mode"], "relu")],
    }
    kinds = {"w": "captured", "k": "captured"}
    facts = (Fact(Size.symbol("x.0"), Size.symbol("w.0")),)
    fn = made(("x", np.ones(2)), ("w", now["w"]), ("k", 2.0), kinds=kinds, extra=extra, facts=facts)
    binding = Binding(fn, False)
    x = np.ones(2)
    assert binding.quick((x,)) is None
    binding.remember((x,), {})
    assert binding.quick((x,))[1] is now["w"]
    assert binding.quick((np.ones(3),)) is None
    for name, other in [("w", np.ones(3)), ("w", np.ones(2, int)), ("k", 2), ("mode", "tanh")]:
        before = now[name]
        now[name] = other
        assert binding.quick((x,)) is None, name
        now[name] = before
    now["k"] = 7.0
    assert binding.quick((x,))[2] == 7.0


def test_captured_values_and_statics():
    now = {"w": np.ones(2), "deep": {"a": 1.0}, "mode": "relu", "f": np.sin}
    extra = {
        "captured": {"w": lambda: now["w"], "deep": lambda: now["deep"]},
        "static_captures": [(lambda: now["mode"], "relu"), (lambda: now["f"], np.sin)],
    }
    kinds = {"w": "captured", "deep": "captured"}
    fn = made(("x", 1.0), ("w", now["w"]), ("deep", now["deep"]), kinds=kinds, extra=extra)
    binding = Binding(fn, check_overlap=False)
    values = binding.values((1.0,), {})
    assert values[1] is now["w"] and binding.accepted((1.0,), {}) is not None
    for name, other in [("w", np.ones((2, 2))), ("deep", {"b": 1.0}), ("mode", "tanh"), ("f", np.cos)]:
        before = now[name]
        now[name] = other
        assert binding.accepted((1.0,), {}) is None, name
        now[name] = before
    assert binding.accepted((1.0,), {}) is not None


def test_overlap_of_written_arguments():
    x = np.ones(4)
    fn = made(("x", x), ("y", x), ("s", 1.0), writes=(0,))
    binding = Binding(fn, check_overlap=True)
    binding.check_overlap([x, x.copy(), 1.0])
    with pytest.raises(NotDifferentiable, match="argument x, which shares memory with y"):
        binding.check_overlap([x, x[2:], 1.0])
    Binding(fn, check_overlap=False).check_overlap([x, x, 1.0])


def test_active_leaves():
    fn = made(
        ("p", {"w": 1.0, "n": 2, "s": "a"}), ("k", 3), ("z", 1j), ("mode", "relu"), ("m", np.ones(2, int))
    )
    assert active_leaves(fn, 0) == (True, False, False, False, False)
    assert float_argnums(fn) == (0, 2)
    for argnums, says in [
        (1, r"int.*\n.*3\.0"),
        (2, "complex"),
        (3, "str"),
        (4, r"astype\(float\)"),
        (5, "5 positional"),
        ((0, 1), "int"),
    ]:
        with pytest.raises(TypeMismatch, match=says):
            active_leaves(fn, argnums, real=True)


def test_call_keys():
    assert call_key((np.ones(2), 1.0), {}) == call_key((np.ones(7), 2.0), {})
    different = [
        ((1.0,), {}),
        ((1,), {}),
        ((np.float64(1.0),), {}),
        ((np.ones(1),), {}),
        ((), {"x": 1.0}),
        ((float,), {}),
        ((True,), {}),
        (([1.0],), {}),
    ]
    keys = [call_key(*call) for call in different]
    assert len(set(keys)) == len(keys)
    for k, left in enumerate(keys):
        assert all(left != right for right in keys[k + 1 :])


def test_assembler_rebuilds_and_converts():
    tree = flatten({"a": [1.0, (2.0,)], "b": None, "c": OrderedDict(x=3.0), "d": Pair(4.0, "s"), "e": ()})[0]
    made = assembler(tree, {1: np.float32})([10, 20, 30, 40])
    assert made == {"a": [10, (20,)], "b": None, "c": OrderedDict(x=30), "d": Pair(40, "s"), "e": ()}
    assert type(made["a"][1][0]) is np.float32 and type(made["c"]) is OrderedDict and type(made["d"]) is Pair
