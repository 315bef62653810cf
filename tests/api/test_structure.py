"""Taking arguments apart and putting them together."""

from __future__ import annotations

import functools
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from s2sad.driver.seeds import basis, spread
from s2sad.errors import TypeMismatch
from s2sad.ir.size import Size
from s2sad.ir.structure import describe, flatten, key_of, map_tree, match, pick, rebuild
from s2sad.ir.tree import Leaf, Node, Static
from s2sad.ir.types import WEAK_FLOAT, Array, Scalar

Point = namedtuple("Point", "x y")


@dataclass(frozen=True)
class Model:
    w: object
    rate: float
    name: str = "m"

    def __post_init__(self):
        assert self.name is not None, "a gradient must not run this"


class Layer:
    def __init__(self, w, parent=None):
        self.w, self.mode, self.parent = w, "relu", parent


@pytest.mark.parametrize(
    "value",
    [
        np.ones(3),
        2.0,
        np.float32(1.5),
        (1.0, [2.0, (3,)]),
        {"b": np.zeros(2), "a": {"deep": 1.0}},
        OrderedDict(z=1.0, y=2.0),
        Point(1.0, np.ones(2)),
        Model(np.ones(2), 0.1),
        (),
        {},
        None,
        "relu",
    ],
)
def test_round_trip(value):
    tree, found = flatten(value)
    again = rebuild(tree, found)
    assert type(again) is type(value)
    if not isinstance(value, np.ndarray | Model | Point | dict):
        assert again == value
    assert key_of(again)[0] == key_of(value)[0]
    assert pick(tree, value) == dict(enumerate(found)) or any(isinstance(x, np.ndarray) for x in found)


def test_leaves_keep_identity_and_order():
    x, y = np.ones(2), np.zeros(3)
    tree, found = flatten({"x": x, "flag": True, "y": [y, None, 2]})
    assert found[0] is x and found[1] is y and found[2] == 2
    assert isinstance(tree, Node) and tree.items[1] == tree.items[1]
    assert isinstance(tree.items[1], Static) and tree.items[1].value is True


def test_objects_are_records_of_their_attributes():
    layer = Layer(np.ones(2))
    layer.parent = layer  # a cycle is static
    tree, found = flatten(layer)
    assert len(found) == 1
    other = rebuild(map_tree(tree, Leaf), [np.zeros(2)])
    assert isinstance(other, Layer) and other.mode is None and other.w[0] == 0.0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.ones(2), np.ones(2, np.float32)),
        (np.ones(2), np.ones((2, 1))),
        (1.0, np.float64(1.0)),
        (1, 1.0),
        (True, 1),
        ("a", "b"),
        ([1.0], (1.0,)),
        ({"a": 1.0, "b": 1.0}, {"b": 1.0, "a": 1.0}),
        (np.sin, np.cos),
        (Layer(1.0), Model(1.0, 1.0)),
        (None, False),
        (np.array(1.0), np.float64(1.0)),
    ],
)
def test_keys_differ(left, right):
    assert key_of(left)[0] != key_of(right)[0]


def test_keys_do_not_depend_on_sizes_and_values():
    assert key_of((np.ones(2), 3, 1.0))[0] == key_of((np.ones(5), 4, 2.0))[0]


def test_changed_flag_of_an_object_changes_the_key():
    layer = Layer(1.0)
    before = key_of(layer)[0]
    layer.mode = "tanh"
    assert key_of(layer)[0] != before


def test_functions_and_partials_are_static():
    for f in (np.sin, np.random.default_rng(0).normal, functools.partial(pow, 2), flatten, np, Layer):
        tree, found = flatten(f)
        assert isinstance(tree, Static) and found == []


def test_match():
    tree, _ = flatten({"w": 1.0, "mode": "a"})
    assert match(tree, {"w": 2.0, "mode": "a"}) == [2.0]
    assert match(tree, {"w": 2.0, "mode": "b"}) is None
    assert match(tree, [2.0]) is None
    assert match(tree, {"w": {1}, "mode": "a"}) is None


def test_describe_names_leaves_and_sizes():
    tree, values, found = describe({"w": np.ones((2, 3)), "n": 4, "b": 1.0}, "p", taken={"p_b"})
    assert [v.name for v in values] == ["p_w", "p_n", "p_b_2"]
    assert values[0].type == Array(np.dtype(float), (Size.symbol("p_w.0"), Size.symbol("p_w.1")))
    assert values[1].type == Scalar(np.dtype(np.int64), True, Size.symbol("p_n"))
    assert values[2].type == WEAK_FLOAT
    assert len(found) == 3 and len(list(tree.items)) == 3


class Foreign:
    def to_numpy(self):
        return np.ones(2)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.array([None, 1.0]), r"dtype=float"),
        (np.array(["a"]), "dtype"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "dtype"),
        (np.ma.zeros(3), "filled"),
        (np.ones((1, 1)).view(np.matrix), "np.asarray"),
        (Foreign(), r"x\.to_numpy\(\)"),
        ({1.0, 2.0}, "set"),
        (np.ones(2).astype(">f8"), "byte order"),
        (np.rec.array([(1.0,)], dtype=[("a", float)]), "recarray"),
    ],
)
def test_refused_arguments(value, says):
    with pytest.raises(TypeMismatch, match=says) as caught:
        flatten(value, "x")
    assert isinstance(caught.value, TypeError)
    assert caught.value.code.startswith("S30")


def test_refusal_names_the_place():
    with pytest.raises(TypeMismatch, match=r"params\['w'\]\[1\]"):
        flatten({"w": [1.0, np.ma.zeros(2)]}, "params")


def test_spread_converts_and_checks():
    tree, found = flatten((np.ones(2, np.float32), 1.0, 3))
    given = spread(tree, found, (np.array([1.0, 2.0]), 1, None), "t")
    assert given[0].dtype == np.float32 and isinstance(given[1], float) and set(given) == {0, 1}
    assert spread(tree, found, None, "t") == {}
    for bad, says in [
        ((np.ones(3), 1.0, None), "shape"),
        ((np.ones(2), 1.0, 1), "int64"),
        ((np.ones(2) * 1j, 1.0, None), "complex"),
        ((np.ones(2), 1.0), "structure"),
    ]:
        with pytest.raises(TypeMismatch, match=says):
            spread(tree, found, bad, "t")


def test_basis():
    seeds = basis([np.zeros((2, 2)), 1.0], 0, 2)
    assert seeds[0].tolist() == [[0.0, 0.0], [1.0, 0.0]] and seeds[1] == 0.0
    assert basis([np.zeros(2), np.float32(1)], 1, 0)[1].dtype == np.float32
