"""What Python does around the arithmetic: which writes are seen, which values are read when, what classes
have a say in. Found by programs written to break the frontend; each was a wrong number or a crash."""

from __future__ import annotations

import collections
import enum
import functools
import operator
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from property.verdicts import lowering_interpreted
from right import assert_right
from written import written

import s2sad

X = 1.3


def check(f: Callable[..., Any], *args: Any, x: float = X) -> None:
    """Check value and first derivatives of f at x, with and without jit."""
    want = f(x, *args)
    slope = (f(x + 1e-6, *args) - f(x - 1e-6, *args)) / 2e-6
    for jit in (False, True):
        y, y_bar = s2sad.value_and_grad(f, jit=jit)(x, *args)
        assert y == pytest.approx(want, rel=1e-14)
        assert y_bar == pytest.approx(slope, rel=1e-6, abs=1e-6)
    _, y_dot = s2sad.jvp(lambda z: f(z, *args), (x,), (1.0,))
    assert y_dot == pytest.approx(slope, rel=1e-6, abs=1e-6)


def refused(f: Callable[..., Any], code: str, *args: Any) -> None:
    with pytest.raises(s2sad.S2sadError) as caught:
        s2sad.grad(f)(X, *args)
    assert caught.value.code == code, caught.value


# --- writes of helpers that return early ---------------------------------------------------------------


def early(u, kept):
    if u > 0.0:
        kept[0] = 5.0 * u
        return u
    return np.sin(u) * np.cos(u) + np.exp(-u) * u + np.tanh(u)


def in_a_loop(u, kept):
    for k in range(3):
        if u > 0.5 * k:
            kept[0] = kept[0] + (5.0 + k) * u
            return u * k
    return np.sin(u) * np.cos(u) + np.exp(-u) * u + np.tanh(u)


def endless(u, kept):
    while True:
        if u > 3.0:
            return u
        kept[0] = kept[0] + u * u
        u = u * 1.5


def endless_twice(x):
    kept = [0.0]
    a = endless(x, kept)
    b = endless(0.7 * x, kept)
    return a * b + kept[0]


def array_twice(x):
    kept = np.zeros(1)
    a = early(x, kept)
    b = early(2.0 * x, kept)
    return a * b + kept[0]


def list_twice(x):
    kept = [0.0]
    a = early(x, kept)
    b = early(2.0 * x, kept)
    return a * b + kept[0]


def dict_twice(x):
    kept = {0: 0.0}
    a = early(x, kept)
    b = early(-2.0 * x, kept)
    return a * b + kept[0]


def loop_twice(x):
    kept = np.zeros(1)
    a = in_a_loop(x, kept)
    b = in_a_loop(0.1 * x, kept)
    return a * b + kept[0]


def nonlocal_twice(x):
    total = 0.0

    def early_and_late(u):
        nonlocal total
        if u > 0.0:
            total = total + 5.0 * u
            return u
        return np.sin(u) * np.cos(u) + np.exp(-u) * u + np.tanh(u)

    a = early_and_late(x)
    b = early_and_late(2.0 * x)
    return a * b + total


@pytest.mark.parametrize(
    "f", [array_twice, list_twice, dict_twice, loop_twice, nonlocal_twice, endless_twice]
)
def test_writes_before_an_early_return(f: Any):
    check(f)
    check(f, x=-0.4 if f is not endless_twice else 0.4)


@s2sad.checkpoint
def writing(u, kept):
    kept[0] = 5.0 * u
    return np.sin(u)


def test_a_checkpointed_function_must_not_write():
    def f(x):
        kept = np.zeros(1)
        a = writing(x, kept)
        return a + kept[0]

    refused(f, "S127")


# --- the else of loops that return -----------------------------------------------------------------------


def found(a, t):
    for i in range(a.shape[0]):
        if a[i] > t:
            return a[i]
    else:
        return -t


def found_or_raises(a, t):
    for i in range(a.shape[0]):
        if a[i] > t:
            return a[i]
    else:
        raise ValueError("none")


def broken_or_returned(a, t):
    kept = [t]
    i = 0
    while i < a.shape[0]:
        if a[i] > 2.0 * t:
            return a[i] * 3.0
        if a[i] > t:
            break
        i += 1
    else:
        kept.append(7.0)
        return -t
    return a[i] * kept[0]


def later(a, t):
    total = t * t
    for i in range(a.shape[0]):
        if a[i] > t:
            return a[i] * total
    else:
        if total > 0.3:
            return 2.0 * total
        total = total * 3.0
    return total + a[0]


@pytest.mark.parametrize("t", [0.2, 0.45, 1.0, 1.4, 2.0, 5.0])
@pytest.mark.parametrize("helper", [found, broken_or_returned, later])
def test_the_else_of_a_loop_is_not_run_after_a_return(helper: Any, t: float):
    def f(x, t):
        return helper(np.array([0.5, x, 3.0]), t) * x

    check(f, t)


def test_the_else_that_raises():
    def f(x, t):
        return found_or_raises(np.array([0.5, x, 3.0]), t)

    check(f, 1.0)
    with pytest.raises(ValueError, match="none"):
        s2sad.grad(f)(X, 4.0)


# --- names ----------------------------------------------------------------------------------------------

k = 2.0


def of_global(x):
    k = 5.0

    def g(y):
        global k
        return k * y

    return g(x) + 0.0 * k


def generator_at_once(x):
    xs = [1.0, 2.0]
    g = (v * x for v in xs)
    return sum(g)


def stops_early(x):
    c = [0.0]

    def p(v):
        c[0] += v * x
        return v > 1

    any(p(v) for v in (2.0, 5.0))
    all(p(v) for v in (0.5, 7.0))
    return c[0]


def test_names():
    check(of_global)
    check(generator_at_once)
    check(stops_early)


def test_what_cannot_be_told_is_refused():
    def rebound(x):
        xs = [1.0, 2.0]
        g = (v * x for v in xs)
        xs = [5.0, 6.0]
        return sum(g) + xs[0]

    def unknown_end(x):
        c = [0.0]

        def p(v):
            c[0] += v * x
            return v * x > 1

        any(p(v) for v in (0.1, 2.0, 5.0))
        return c[0]

    def mapped(x):
        c = [0.0]

        def p(v):
            c[0] += v * x
            return v > 1

        any(map(p, (2.0, 5.0)))
        return c[0]

    refused(mapped, "S109")
    refused(rebound, "S109")
    refused(unknown_end, "S109")


# --- classes --------------------------------------------------------------------------------------------


class Square:
    def __init__(self, w):
        self.w = w

    @property
    def area(self):
        return 2.0 * self.w

    @area.setter
    def area(self, value):
        self.w = value / 2.0


class Doubling:
    def __setattr__(self, name, value):
        object.__setattr__(self, name, 2.0 * value)

    def __init__(self, w):
        self.w = w


class Fixed:
    def __init__(self, w):
        self._w = w

    @property
    def w(self):
        return self._w


class Slots:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


@dataclass
class OwnInit:
    a: float

    def __init__(self, a):
        self.a = 2.0 * a


class OwnNew(typing.NamedTuple("Pair", [("a", float)])):
    def __new__(cls, a):
        return super().__new__(cls, 2.0 * a)


class V:
    def __init__(self, a):
        self.a = a

    def __add__(self, other):
        return self.a + other.a


class W(V):
    def __radd__(self, other):
        return 100.0 * self.a


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Loud(float):
    def __mul__(self, other):
        return 100.0


class Sliced:
    def __init__(self, a):
        self.a = a

    def __getitem__(self, key):
        return self.a * 2.0 if isinstance(key, slice) else self.a


def sets_area(x):
    a = Square(1.0)
    a.area = x * x
    return a.w + a.area


def test_classes_have_their_say():
    check(sets_area)
    check(lambda x: OwnInit(x).a)
    check(lambda x: V(x) + W(x))
    check(lambda x: Sliced(x)[1:2] + Sliced(x)[1])


def sets_fixed(x):
    a = Fixed(x)
    a.w = 3.0 * x
    return a.w


def sets_no_slot(x):
    a = Slots(x)
    a.b = 3.0 * x
    return a.b


loud = Loud(2.0)


def test_what_a_class_hides_is_refused():
    refused(lambda x: Doubling(x).w, "S122")
    refused(lambda x: OwnNew(x).a, "S118")
    refused(sets_fixed, "S319")
    refused(sets_no_slot, "S319")
    refused(lambda x: loud * x, "S304")


def by_level(x, level):
    return x * x if level == Level.LOW else x


def test_enums():
    check(by_level, Level.LOW)
    check(by_level, Level.HIGH)
    check(by_level, 1)
    check(by_level, 2)
    wanted = Level.HIGH
    check(lambda x: x * x if wanted is Level.HIGH else x)
    check(lambda x: x * Level.HIGH + x**Level.HIGH + np.arange(4.0)[Level.LOW] * x)


name = "above"


def test_slices_of_captured_text():
    check(lambda x: x * x if name[:2] == "ab" else x)


class Counted:
    def __init__(self, v):
        self.v = v
        self.n = 0.0
        self.history = [1.0]

    @property
    def values(self):
        return self.v

    @values.setter
    def values(self, v):
        self.v = v * 1.0
        self.n = self.n + 1.0


def updates_by_setter(x):
    a = Counted(x * np.ones(2))
    b = a.v
    a.values += x * x
    a.values *= 2.0
    return np.sum(a.v) * a.n + np.sum(b)


def extends_in_place(x):
    a, d = Counted(x), {"k": [1.0], "m": [2.0]}
    h, i, j = a.history, d["k"], d["m"]
    a.history += [x]
    d["k"] += [x, x * x]
    d["m"] *= 2
    return sum(h) * sum(i) * sum(j) * x


def tripled(y, x):
    y[0] = y[0] * 3.0 + x
    return y[0] * x


def of_list_and_dict(x):
    y, d = [x, 2.0], {0: x}
    y[0] += tripled(y, x)
    d[0] += tripled(d, x)
    return y[0] * y[1] + d[0]


def of_a_slice(x):
    y = np.array([x, 2.0])
    y[:1] += tripled(y, x)
    return np.sum(y * y)


def test_updates_read_the_target_first():
    check(updates_by_setter)
    check(extends_in_place)
    check(of_list_and_dict)
    check(of_a_slice)


def of_an_element(x):
    y = np.array([x, 2.0])
    y[0] += tripled(y, x)
    return np.sum(y)


def of_a_mask(x):
    y = np.array([x, 2.0])
    y[y > 0.0] *= tripled(y, x)
    return np.sum(y)


def through_another_shape(x):
    a = np.zeros((2, 2))

    def h(u):
        b = a.reshape(4)
        b[0] = b[0] + u * u
        d = np.sin(u) * np.cos(u) + np.exp(-u) * u
        return d * u

    return h(x) * h(0.5 * x) + np.sum(a * a)


def test_writes_that_cannot_be_followed_are_refused():
    refused(of_an_element, "S109")
    refused(of_a_mask, "S109")
    refused(through_another_shape, "S402")


class Bare:
    k = 3.0

    def f(self, x):
        return self.k * x


@functools.lru_cache
def doubled(n):
    return n * 2.0


@functools.cache
def squared(x):
    return x * x


def test_functions_of_pythons_modules():
    check(lambda x: operator.add(x, 2.0) * operator.mul(x, x) - operator.neg(x) + operator.pow(x, 3))
    check(lambda x: operator.getitem([x, 2.0 * x], 1) if operator.gt(x, 1.0) else x)
    check(lambda x: functools.reduce(operator.mul, [x, x, 2.0]))
    check(lambda x: functools.reduce(lambda a, b: a * x + b, np.arange(4.0)))
    check(lambda x: functools.reduce(lambda a, b: a + b * x, np.arange(4.0), 1.0))
    check(lambda x: doubled(3) * x + squared(x))
    check(lambda x: Bare().f(x))


def test_one_argument_chosen_twice():
    for jit in (False, True):
        a, b = s2sad.grad(lambda x: np.sum(x * x), (0, 0), jit=jit)(np.ones(3))
        assert not np.shares_memory(a, b)
        assert a.tolist() == b.tolist() == [2.0] * 3


# --- values around, at the next call --------------------------------------------------------------------


class Model:
    scale = 2.0

    def __init__(self, w):
        self.w = w

    def f(self, x):
        return self.w * x

    def g(self, x):
        return self.w * x * x

    def scaled(self, x):
        return x * self.scale


Point = collections.namedtuple("Point", "a")


@dataclass
class Config:
    a: float


@dataclass
class Other:
    a: float


def state() -> types.SimpleNamespace:
    m = Model(2.0)
    m.act = m.f
    return types.SimpleNamespace(
        d={"w": 2.0, "v": np.array([1.0, 2.0])}, l=[1.0, 2.0], t=(1.0, 2.0), s={"one"}, m=m,
        jf=s2sad.jit(m.f), pf=functools.partial(m.f), c=Config(2.0), flag=np.bool_(True), axis=(0, 1),
        od=collections.OrderedDict(a=2.0), dd=collections.defaultdict(float, a=2.0),
        n=collections.Counter(a=2), qa=collections.deque([np.ones(2), np.ones(2)]),
        da=collections.defaultdict(lambda: 0.0, a=np.ones(2)),
        q=collections.deque([1.0, 2.0]), words=np.array(["a", "b"]), ns=types.SimpleNamespace(),
    )  # fmt: skip


def put(**changes: Any) -> Callable[[Any], None]:
    return lambda s: vars(s).update(changes)


CHANGES: dict[str, tuple[Callable[[Any], Callable[..., Any]], Callable[[Any], None]]] = {
    "items": (lambda s: lambda x: sum([x * np.sum(v) for k, v in s.d.items()]), lambda s: s.d.update(w=5.0)),
    "values": (lambda s: lambda x: sum([x * np.sum(v) for v in s.d.values()]), lambda s: s.d.update(u=1.0)),
    "in place": (
        lambda s: lambda x: sum([x * np.sum(v) for v in s.d.values()]),
        lambda s: s.d["v"].fill(3.0),
    ),
    "get": (lambda s: lambda x: x * s.d.get("w"), lambda s: s.d.update(w=3.0)),
    "get later": (lambda s: lambda x: x * s.d.get("u", 7.0), lambda s: s.d.update(u=3.0)),
    "keys": (lambda s: lambda x: x * 2.0 if "u" in s.d.keys() else x, lambda s: s.d.update(u=3.0)),  # noqa: SIM118
    "copy": (lambda s: lambda x: x * s.d.copy()["w"], lambda s: s.d.update(w=3.0)),
    "shrinks": (lambda s: lambda x: sum([x * v for v in s.l]), lambda s: s.l.pop()),
    "other keys": (
        lambda s: lambda x: sum([x * s.od[key] for key in s.od]),
        lambda s: (s.od.clear(), s.od.update(c=9.0)),
    ),
    "ordered": (lambda s: lambda x: x * dict(s.od)["a"] * len(s.od), lambda s: s.od.update(a=3.0, b=1.0)),
    "default": (lambda s: lambda x: sum([x * v for v in s.dd.values()]), lambda s: s.dd.update(a=3.0)),
    "counter": (lambda s: lambda x: sum([x * v for v in s.n.values()]), lambda s: s.n.update(a=3)),
    "array in a deque": (lambda s: lambda x: sum([x * np.sum(v) for v in s.qa]), lambda s: s.qa[0].fill(3.0)),
    "item of a default": (lambda s: lambda x: x * np.sum(s.da["a"]), lambda s: s.da["a"].fill(3.0)),
    "set": (lambda s: lambda x: x * 2.0 if "two" in s.s else x, lambda s: s.s.add("two")),
    "deque": (lambda s: lambda x: x * len(s.q), lambda s: s.q.append(1.0)),
    "tuple to list": (lambda s: lambda x: x if isinstance(s.t, tuple) else 2.0 * x, put(t=[1.0, 2.0])),
    "none": (lambda s: lambda x: x if s.c is None else x * x, put(c=None)),
    "other class": (lambda s: lambda x: x if isinstance(s.c, Other) else x * x, put(c=Other(2.0))),
    "other kind": (lambda s: lambda x: np.sum(np.sum(x * np.ones((2, 3)), axis=s.axis) ** 2), put(axis=0)),
    "method": (lambda s: s.m.f, lambda s: setattr(s.m, "w", 5.0)),
    "handed method": (lambda s: lambda x: applied(x, s.m.f), lambda s: setattr(s.m, "w", 5.0)),
    "attribute method": (lambda s: lambda x: s.m.act(x), lambda s: setattr(s.m, "act", s.m.g)),
    "jit of method": (lambda s: lambda x: s.jf(x) * x, lambda s: setattr(s.m, "w", 5.0)),
    "partial of method": (lambda s: lambda x: s.pf(x) * x, lambda s: setattr(s.m, "w", 5.0)),
    "hasattr": (
        lambda s: lambda x: x * s.ns.k if hasattr(s.ns, "k") else x,
        lambda s: setattr(s.ns, "k", 5.0),
    ),
    "getattr": (lambda s: lambda x: x * getattr(s.ns, "k", 2.0), lambda s: setattr(s.ns, "k", 5.0)),
    "words": (lambda s: lambda x: x if s.words[0] == "a" else 2.0 * x, lambda s: s.words.put(0, "c")),
    "flag": (lambda s: lambda x: x * 2.0 if s.flag else x, put(flag=np.bool_(False))),
}


def applied(x, g):
    return g(x) * x


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("case", CHANGES)
def test_what_has_changed_is_read_again(case: str, jit: bool):
    make, change = CHANGES[case]
    s = state()
    f = make(s)
    gradient = s2sad.value_and_grad(f, jit=jit)
    before = f(X)
    for first in (True, False):
        y, slope = gradient(X)
        assert y == pytest.approx(f(X), rel=1e-14)
        assert slope == pytest.approx((f(X + 1e-6) - f(X - 1e-6)) / 2e-6, rel=1e-6)
        if first:
            change(s)
    assert f(X) != pytest.approx(before)
    variants = sum(map(len, gradient.program.variants.values()))
    gradient(X)
    gradient(X)
    assert sum(map(len, gradient.program.variants.values())) <= variants + 1


def test_containers_that_are_not_opened():
    lists = collections.defaultdict(list, a=[1.0])
    refused(lambda x: sum([x * v[0] for v in lists.values()]), "S201")
    check(lambda x: x if isinstance(lists, collections.defaultdict) else 2.0 * x)


def test_attributes_of_the_class_of_an_argument():
    gradient = s2sad.grad(lambda x, m: m.scaled(x) * m.w)
    m = Model(1.0)
    assert gradient(X, m) == 2.0
    try:
        Model.scale = 5.0
        assert gradient(X, m) == 5.0
        Model.scaled, before = (lambda self, x: x * 7.0), Model.scaled
        assert gradient(X, m) == 7.0
    finally:
        Model.scale, Model.scaled = 2.0, before


def test_methods_are_read_again_by_vmap():
    m = Model(2.0)
    rows = s2sad.vmap(m.f)
    assert rows(np.ones(1)).tolist() == [2.0]
    m.w = 5.0
    assert rows(np.ones(1)).tolist() == [5.0]


def test_two_names_of_one_object():
    first = second = [2.0]

    def f(x):
        return summed(x, first) + summed(x, second)

    gradient = s2sad.grad(f)
    assert gradient(X) == 4.0
    second = [5.0]
    assert gradient(X) == 7.0


def summed(x, items):
    total = 0.0
    for v in items:
        total = total + v * x
    total = total * 1.0
    return total + 0.0 * x


def test_defaults_are_read_again():
    def f(x, c=2.0, *, items=[1.0], mode="a"):  # noqa: B006
        total = c * x if mode == "a" else x
        for v in items:
            total = total + v * x
        return total

    for jit in (False, True):
        f.__defaults__, f.__kwdefaults__ = (2.0,), {"items": [1.0], "mode": "a"}
        gradient = s2sad.grad(f, jit=jit)
        assert gradient(X) == 3.0
        f.__kwdefaults__["items"].append(4.0)
        assert gradient(X) == 7.0
        f.__defaults__ = (3.0,)
        assert gradient(X) == 8.0
        f.__kwdefaults__["mode"] = "b"
        assert gradient(X) == 6.0


def test_positions_count_what_is_given():
    def f(x, y, c=2.0):
        return x * y * c

    assert s2sad.grad(f, -1)(3.0, 5.0) == 6.0
    assert s2sad.grad(f, -1)(3.0, 5.0, 2.0) == 15.0
    assert s2sad.linearize(f, 3.0, 5.0)[1](1.0, 0.0) == 10.0
    with pytest.raises(s2sad.S2sadError):
        s2sad.grad(f, 2)(3.0, 5.0)


# --- transforms inside a program count arguments that are known when it is read ---------------------------


def power(n, x, y):
    return x**n * y


def either(mode, x, y):
    return x * x * y if mode == "square" else x * y


@s2sad.custom_jvp
def ruled(n, x, y):
    return x**n * y


@ruled.defjvp
def ruled_jvp(primals, tangents):
    (n, x, y), (_, x_dot, y_dot) = primals, tangents
    return x**n * y, n * x ** (n - 1) * y * x_dot + x**n * y_dot


INSIDE: dict[str, tuple[Callable[..., Any], float]] = {
    "grad": (lambda x, y: s2sad.grad(power, 1)(2, x, y), 30.0),
    "last but one": (lambda x, y: s2sad.grad(power, -2)(2, x, y), 30.0),
    "two": (lambda x, y: s2sad.grad(power, (1, 2))(2, x, y)[1], 9.0),
    "value_and_grad": (lambda x, y: s2sad.value_and_grad(power, 1)(2, x, y)[1], 30.0),
    "jvp": (lambda x, y: s2sad.jvp(power, (2, x, y), (None, 1.0, None))[1], 30.0),
    "hvp": (lambda x, y: s2sad.hvp(power, (2, x, y), (None, 1.0, None)), 10.0),
    "vjp": (lambda x, y: s2sad.vjp(power, 2, x, y)[1](1.0)[2], 9.0),
    "jacfwd": (lambda x, y: s2sad.jacfwd(power, 1)(2, x, y), 30.0),
    "jacrev": (lambda x, y: s2sad.jacrev(power, 2)(2, x, y), 9.0),
    "hessian": (lambda x, y: s2sad.hessian(power, (1, 2))(2, x, y)[0][1], 6.0),
    "linearize": (lambda x, y: s2sad.linearize(power, 2, x, y)[1](None, 1.0, None), 30.0),
    "jet": (lambda x, y: s2sad.jet(power, (2, x, y), (None, [1.0, 0.0], None))[1][1], 10.0),
    "grad of grad": (lambda x, y: s2sad.grad(s2sad.grad(power, 1), 2)(2, x, y), 6.0),
    "checkpoint": (lambda x, y: s2sad.grad(s2sad.checkpoint(power), 1)(2, x, y), 30.0),
    "text": (lambda x, y: s2sad.grad(either, 1)("square", x, y), 30.0),
    "none": (lambda x, y: s2sad.grad(either, 1)(None, x, y), 5.0),
    "function": (lambda x, y: s2sad.grad(lambda f, a, b: f(a) * b, 1)(np.square, x, y), 30.0),
    "rule": (lambda x, y: s2sad.grad(ruled, 1)(2, x, y), 30.0),
    "default": (lambda x, y: s2sad.grad(lambda a, b, c=2.0: a * b * c, -1)(x, y), 6.0),
}


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("case", INSIDE)
def test_positions_inside_a_program(case: str, jit: bool):
    f, want = INSIDE[case]
    y, _ = s2sad.value_and_grad(f, jit=jit)(3.0, 5.0)
    assert y == pytest.approx(want)
    got = s2sad.vmap(f)(np.array([3.0]), np.array([5.0]))
    assert got[0] == pytest.approx(want)


def test_a_batched_gradient_of_known_arguments():
    rows = s2sad.vmap(s2sad.grad(either, 1), in_axes=(None, 0, None))
    np.testing.assert_allclose(rows("square", np.array([1.0, 2.0]), 3.0), [6.0, 12.0])


def joined(x, d):
    both = d | {"a": x * x, "c": 2.0}
    same = both
    both |= {"b": x * both["b"]}
    rows = [x, 3.0 * x, x**3]
    alias = rows
    del rows[1], both["c"]
    return same["a"] * same["b"] * len(same) + alias[1] * d["a"]


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
def test_joined_dicts_and_deleted_items(jit: bool):
    d = {"a": 5.0, "b": 0.5}
    # x^2 * 0.5 x * 2 + 5 x^3
    assert s2sad.value_and_grad(joined, jit=jit)(2.0, d) == (48.0, 72.0)
    assert d == {"a": 5.0, "b": 0.5}


def functions_of_each_trip(x):
    late, early = [], []
    for k in range(3):
        late.append(lambda v: v * x[k])  # noqa: B023 - all read the last k
        early.append(lambda v, k=k: v + x[k] ** 2)
    return late[0](x[1]) * early[0](x[2]) + late[1](early[1](x[0]))


def layers_of_each_trip(x):
    layers = []
    for k in range(3):
        layers.append({"w": x * k, "b": x[k]} if k < 2 else {"w": x[:1], "b": x[0]})
    y = 0.0
    for layer in layers:
        y = np.sum(layer["w"]) * layer["b"] + y**2
    return y


def pairs_of_each_trip(x):
    pairs = []
    for k in range(2):
        for j in range(2):
            pairs.append((str(k), x[k] * x[j]))
    return sum(v**2 for name, v in pairs if name == "1")


def heads_of_each_trip(x):
    q = np.outer(x, np.tile(x, 2))
    heads = []
    for h in range(2):
        part = q[:, 3 * h : 3 * h + 3]
        heads.append(np.tanh(part @ part.T) @ part)
    return np.sum(np.concatenate(heads, axis=-1) * q)


def levels_of_each_trip(x):
    levels = [x]
    for _ in range(2):
        p = levels[-1]
        levels.append(0.5 * (p[:-1] + p[1:]) ** 2)
    return sum(np.sum(v) for v in levels) * levels[1][0]


@pytest.mark.parametrize(
    "f",
    [
        functions_of_each_trip,
        layers_of_each_trip,
        pairs_of_each_trip,
        heads_of_each_trip,
        levels_of_each_trip,
    ],
)
def test_lists_of_what_rows_cannot_hold_unroll_their_loop(f):
    for lowered in (False, True):
        assert_right(f, np.array([0.3, 0.7, 1.1]), lowered)


def test_loops_that_are_too_long_for_it():
    def f(x):
        found = []
        for _ in range(2000):
            found.append(lambda v: v * x)
        return found[1](x)

    with pytest.raises(s2sad.S2sadError, match=r"S306 .* not a function"):
        s2sad.grad(f)(1.0)


@pytest.mark.parametrize(
    "text", ["x[0][()] * y", "np.sum(x)[()] * y", "x[1][..., None] * y", "x[t] * x[0][t]"]
)
def test_items_of_numbers(text):
    f = written(f"def f(x, y):\n    t = ()\n    return {text}\n", f"<items {text}>", {"np": np})["f"]
    x = np.array([0.5, 1.5])
    value, slope = s2sad.jvp(f, (x, 2.0), (None, 1.0))
    assert type(value) is type(f(x, 2.0))
    np.testing.assert_allclose(value, f(x, 2.0))
    np.testing.assert_allclose(slope, f(x, 3.0) - value)


@pytest.mark.parametrize("text", ["y[()]", "z[()]", "tuple(z)[()]"])
def test_items_of_what_has_none(text):
    f = written(f"def f(y):\n    z = [y, 2.0]\n    return {text}\n", f"<items {text}>")["f"]
    with pytest.raises(s2sad.S2sadError, match="S3"):
        s2sad.grad(f)(2.0)


GROWS_TWICE = """
def f(x):
    a = x[:1]
    for i in range({0}):
        a = np.concatenate([a, x[:1] * 2.0])
    b = a * x[0]
    {1}
    return np.sum(np.sin(a * b)) + a[-1]
"""
SECOND = (
    "for i in range(2):\n        a = np.concatenate([a, a * x[1]])",
    "while len(a) < 4:\n        a = np.concatenate([a, x[1:2]])",
    "for i in range(1):\n        for j in range(2):\n            a = np.concatenate([a, a * x[1]])",
)


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize(("first", "second"), [(k, t) for t in SECOND for k in (0, 3)])
def test_lengths_that_change_in_one_loop_and_in_the_next(first, second, lowered):
    f = written(GROWS_TWICE.format(first, second), f"<grows {first} {SECOND.index(second)}>", {"np": np})["f"]
    x = np.array([0.9, 1.02])
    try:
        f(x)
    except ValueError:
        with lowering_interpreted(), pytest.raises(ValueError, match="broadcast"):
            s2sad.grad(f, jit=lowered)(x)
    else:
        assert_right(f, x, lowered)


@pytest.mark.parametrize("lowered", [False, True])
def test_a_list_that_two_loops_append_to(lowered):
    def f(x):
        items = []
        for i in range(3):
            if x[0] > 9.0:
                items.append(x[i])
        for i in range(3):
            for j in range(5):
                if x[i] > 0.8:
                    continue
                items.append(x[i] * x[j % 3])
        s = 0.0
        for j in range(len(items)):
            s += np.sin(items[j])
        return s

    assert_right(f, np.array([0.5, 0.9, 0.7]), lowered)
