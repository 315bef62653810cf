"""What users rely on: kinds, structures, argument order, decorators, pickling, text."""

from __future__ import annotations

import inspect
import pickle
import threading
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import optimize

import s2sad
from s2sad import grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, linearize, value_and_grad, vjp
from s2sad.errors import TypeMismatch

Point = namedtuple("Point", "x y")


@dataclass
class Model:
    w: object
    rate: float
    name: str


def square(x):
    """Return x squared."""
    return x * x


def energy(w, x):
    total = 0.0
    for i in range(x.shape[0]):
        total += (x[i] * w[i]) ** 2
    return total


def layer(w, x):
    return np.tanh(w @ x)


@grad
def decorated(x):
    return x * x * x


@value_and_grad(argnums=1)
def decorated_with_arguments(a, b):
    return a * b * b


# -- kinds and structures --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x", [3.0, np.float64(3.0), np.float32(3.0), np.array(3.0), np.array(3.0, np.float32)]
)
def test_gradient_has_the_kind_of_the_argument(x):
    value, slope = value_and_grad(square)(x)
    assert type(slope) is type(x)
    assert np.result_type(slope) == np.result_type(x) and np.shape(slope) == np.shape(x)
    assert slope == 6.0 and value == 9.0
    assert type(value) is type(square(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_of_arrays(dtype):
    w, x = np.array([1.0, 2.0], dtype), np.array([3.0, 4.0], dtype)
    got = grad(energy, argnums=(1, 0))(w, x)
    assert isinstance(got, tuple) and all(g.dtype == dtype for g in got)
    np.testing.assert_allclose(got[0], 2 * x * w**2)
    np.testing.assert_allclose(got[1], 2 * w * x**2)
    assert grad(energy, -1)(w, x).tolist() == got[0].tolist()
    assert isinstance(grad(energy, (0,))(w, x), tuple)


def test_containers_keep_their_structure():
    def f(p):
        return p["w"][0] * p["n"] + p["deep"].x * p["deep"].y + (p["m"].w ** 2).sum() * p["m"].rate

    p = {
        "w": [2.0, None],
        "n": 3,
        "deep": Point(1.0, np.float32(2.0)),
        "m": Model(np.ones(2), 0.5, "m"),
        "flag": True,
    }
    got = grad(f)(p)
    assert list(got) == list(p)
    assert got["w"] == [3.0, None] and got["n"] is None and got["flag"] is None
    assert got["deep"] == Point(2.0, np.float32(1.0)) and type(got["deep"].y) is np.float32
    assert isinstance(got["m"], Model) and got["m"].name is None and got["m"].rate == 2.0
    assert got["m"].w.tolist() == [1.0, 1.0]


def test_gradients_in_the_structure_of_objects():
    @dataclass(frozen=True)
    class Checked:
        w: object
        name: str = "c"

        def __post_init__(self):
            assert self.name is not None

    class Slotted:
        __slots__ = ("k", "w")

        def __init__(self):
            self.w, self.k = np.array([1.0, 2.0]), 3.0

    for jit in (False, True):
        got = grad(lambda c: np.sum(c.w**2), jit=jit)(Checked(np.array([1.0, 2.0])))
        assert type(got) is Checked and got.w.tolist() == [2.0, 4.0] and got.name is None
        got = grad(lambda o: np.sum(o.w) * o.k, jit=jit)(Slotted())
        assert type(got) is Slotted and got.w.tolist() == [3.0, 3.0] and got.k == 3.0


def test_keyword_arguments_are_passed_through():
    def f(x, *, scale=2.0, power=2):
        return scale * x**power

    assert grad(f)(3.0) == 12.0
    assert grad(f)(3.0, scale=1.0) == 6.0
    assert grad(f)(2.0, power=3) == 24.0
    assert vjp(f, 3.0)[1](1.0) == (12.0,)


def test_positional_arguments_of_variadic_functions():
    def f(*xs):
        return xs[0] * xs[1] + xs[2]

    assert grad(f, argnums=(0, 2))(2.0, 3.0, 4.0) == (3.0, 1.0)


def test_has_aux():
    def f(x):
        y = x * x
        return y, {"double": 2.0 * x, "name": "n"}

    assert grad(f, has_aux=True)(3.0) == (6.0, {"double": 6.0, "name": "n"})
    assert value_and_grad(f, has_aux=True)(3.0) == ((9.0, {"double": 6.0, "name": "n"}), 6.0)
    y, y_dot, aux = jvp(f, (3.0,), (1.0,), has_aux=True)
    assert (y, y_dot, aux["double"]) == (9.0, 6.0, 6.0)
    y, pullback, aux = vjp(f, 3.0, has_aux=True)
    assert (y, pullback(1.0), aux["double"]) == (9.0, (6.0,), 6.0)


# -- forward and reverse ---------------------------------------------------------------------------


def test_jvp():
    assert jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, None)) == (6.0, 3.0)
    w, x = np.arange(6.0).reshape(2, 3), np.ones(3)
    y, y_dot = jvp(layer, (w, x), (np.ones((2, 3)), None))
    np.testing.assert_allclose(y_dot, 3.0 * (1.0 - y**2))
    y, y_dot = jvp(lambda p, n: p["a"] * n, ({"a": 2.0, "b": 1.0}, 3), ({"a": 1.0, "b": None}, None))
    assert (y, y_dot) == (6.0, 3.0)


def test_vjp_returns_a_tuple_with_none_for_what_cannot_vary():
    y, pullback = vjp(lambda x, n, mode: x**n, 3.0, 2, "mode")
    assert y == 9.0 and pullback(2.0) == (12.0, None, None)


@pytest.mark.parametrize("f", [lambda x: x > 0.0, np.argmax, lambda x: (x.shape[0], None)])
@pytest.mark.parametrize("jit", [False, True])
def test_pullback_of_what_does_not_vary_is_zero(f, jit):
    x = np.array([1.0, -2.0])
    y, pullback = vjp(lambda x: f(x), x, jit=jit)
    np.testing.assert_equal(y, f(x))
    np.testing.assert_array_equal(pullback(None)[0], np.zeros(2))
    with pytest.raises(TypeMismatch, match="S331"):
        pullback((1.0, None) if isinstance(y, tuple) else 1.0)


def test_pullback_serves_many_calls_and_keeps_its_point():
    w, x = np.arange(6.0).reshape(2, 3) / 5.0, np.array([0.1, -0.2, 0.3])
    y, pullback = vjp(layer, w, x)
    y_bar = np.array([1.0, 2.0])
    first = [g.copy() for g in pullback(y_bar)]
    expected = (np.outer((1 - np.tanh(w @ x) ** 2) * y_bar, x), w.T @ ((1 - np.tanh(w @ x) ** 2) * y_bar))
    for got, right in zip(first, expected, strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-14)
    vjp(layer, w + 1.0, x)
    w[:] = np.nan
    x[:] = np.nan
    y[:] = np.nan
    for g in pullback(y_bar):
        g[:] = np.nan
    assert y_bar.tolist() == [1.0, 2.0]
    second = pullback(y_bar)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_pullback_from_threads():
    w, x = np.linspace(-1, 1, 12).reshape(3, 4), np.linspace(0, 1, 4)
    _, pullback = vjp(layer, w, x)
    seeds = [np.eye(3)[k % 3] * (k + 1) for k in range(12)]
    expected = [pullback(s) for s in seeds]
    found = [None] * len(seeds)

    def work(k):
        for _ in range(20):
            found[k] = pullback(seeds[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(seeds))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for got, right in zip(found, expected, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(got, right, strict=True))


def test_derivatives_do_not_modify_arguments():
    def f(x, y):
        x[0] = y[0] * 2.0
        x *= y
        return np.sum(x * x)

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    got = grad(f, argnums=(0, 1))(x, y)
    assert x.tolist() == [1.0, 2.0] and y.tolist() == [3.0, 4.0]
    np.testing.assert_allclose(got[0], [0.0, 2 * 2.0 * 16.0])
    np.testing.assert_allclose(got[1], [2 * 2 * 18.0 * 6.0, 2 * 4.0 * 4.0])
    with pytest.raises(s2sad.S2sadError, match="shares memory"):
        grad(f, argnums=(0, 1))(x, x)


def refusal(run):
    try:
        run()
    except s2sad.S2sadError as error:
        return str(error)
    return "not refused"


def test_every_transform_looks_for_shared_memory():
    def f(x, y):
        x[0] = 2.0 * y[1]
        return x * y

    a = np.array([1.0, 2.0, 3.0])
    transforms = {
        "jacrev": lambda: s2sad.jacrev(f)(a, a),
        "jacfwd": lambda: s2sad.jacfwd(f)(a, a),
        "jacobian": lambda: s2sad.jacobian(f)(a, a[::-1]),
        "sparse_jacobian": lambda: s2sad.sparse_jacobian(f)(a, a),
        "jvp": lambda: s2sad.jvp(f, (a, a), (a, a)),
        "vjp": lambda: s2sad.vjp(f, a, a),
        "linearize": lambda: s2sad.linearize(f, a, a),
    }
    for name, run in transforms.items():
        assert "shares memory" in refusal(run), name
    assert a.tolist() == [1.0, 2.0, 3.0]


def test_results_are_independent_and_writeable():
    x = np.array([1.0, 2.0])
    run = value_and_grad(lambda a, b: np.sum(a + b), argnums=(0, 1))
    first = run(x, x.copy())[1]
    for g in first:
        g += 5.0
    assert [g.tolist() for g in run(x, x.copy())[1]] == [[1.0, 1.0], [1.0, 1.0]]
    assert x.tolist() == [1.0, 2.0]


def test_linearize():
    x = np.array([0.5, 1.0])
    y, push = linearize(lambda v: np.sin(v) * v[0], x)
    x[:] = 7.0
    t = np.array([1.0, 0.0])
    expected = [np.cos(0.5) * 0.5 + np.sin(0.5), np.sin(1.0)]
    np.testing.assert_allclose(push(t), expected)
    np.testing.assert_allclose(push(2.0 * t), 2.0 * np.array(expected))
    np.testing.assert_allclose(y, [np.sin(0.5) * 0.5, np.sin(1.0) * 0.5])


# -- whole Jacobians -------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", [jacfwd, jacrev, jacobian])
def test_jacobian(transform):
    w, x = np.arange(6.0).reshape(2, 3) / 7.0, np.array([0.3, -0.1, 0.2])
    s = 1.0 - np.tanh(w @ x) ** 2
    np.testing.assert_allclose(transform(layer, argnums=1)(w, x), s[:, None] * w, rtol=1e-13)
    both = transform(layer, argnums=(1, 0))(w, x)
    assert both[1].shape == (2, 2, 3)
    np.testing.assert_allclose(both[1], np.einsum("i,ij,k->ijk", s, np.eye(2), x), rtol=1e-13)
    assert transform(square)(3.0) == 6.0
    out = transform(lambda p: {"a": p["x"] * p["y"], "b": p["x"], "n": 3})({"x": 2.0, "y": np.ones(2)})
    assert out["b"]["x"] == 1.0 and out["b"]["y"].tolist() == [0.0, 0.0] and out["n"] is None
    assert out["a"]["x"].tolist() == [1.0, 1.0] and out["a"]["y"].tolist() == [[2.0, 0.0], [0.0, 2.0]]
    empty = transform(lambda x: x * 2.0)(np.zeros(0))
    assert empty.shape == (0, 0)


def test_jacobian_has_aux():
    for transform in (jacfwd, jacrev, jacobian):
        got, aux = transform(lambda x: (x * x, x[0]), has_aux=True)(np.array([1.0, 2.0]))
        assert got.tolist() == [[2.0, 0.0], [0.0, 4.0]] and aux == 1.0


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_hessian(x):
    n = len(x)
    h = np.zeros((n, n))
    for i in range(n - 1):
        h[i, i] += 1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0
        h[i, i + 1] += -400.0 * x[i]
        h[i + 1, i] += -400.0 * x[i]
        h[i + 1, i + 1] += 200.0
    return h


def test_hessian_and_hvp():
    x, v = np.array([0.3, -0.5, 1.2]), np.array([1.0, 2.0, -1.0])
    expected = rosenbrock_hessian(x)
    np.testing.assert_allclose(hessian(rosenbrock)(x), expected, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(hvp(rosenbrock, (x,), (v,)), expected @ v, rtol=1e-12)
    assert hvp(lambda a, b: a * a * b, (2.0, 3.0), (1.0, None)) == 6.0
    assert hvp(lambda a, b: a * a * b, (2.0, 3.0), (1.0, 1.0)) == (10.0, 4.0)
    blocks = hessian(lambda a, b: a * a * b, argnums=(0, 1))(2.0, 3.0)
    assert blocks == ((6.0, 4.0), (4.0, 0.0))


def test_hessian_of_vectors_and_aux():
    x = np.array([0.5, 2.0])
    got = hessian(lambda x: x**3 * x[0])(x)
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 0] = 12 * x[0] ** 2
    expected[1, 1, 1] = 6 * x[1] * x[0]
    expected[1, 0, 1] = expected[1, 1, 0] = 3 * x[1] ** 2
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    got, aux = hessian(lambda x: (np.sum(x**3), x), has_aux=True)(x)
    np.testing.assert_allclose(got, np.diag(6.0 * x))
    assert aux.tolist() == x.tolist()


@pytest.mark.parametrize("transform", [jacfwd, jacrev, jacobian])
def test_jacobian_inside_a_function(transform):
    def f(x):
        return x**3 * np.sum(x)

    def loss(p):
        jac = transform(f)(p["x"])
        return np.sum(jac * jac) * p["s"]

    x = np.array([1.0, 0.5])
    s = np.sum(x)
    jac = 3.0 * s * np.diag(x**2) + x[:, None] ** 3
    got = value_and_grad(loss)({"x": x, "s": 2.0})
    assert got[0] == pytest.approx(2.0 * np.sum(jac**2), rel=1e-14)
    expected = []
    for k in range(2):
        d = 3.0 * np.diag(x**2)
        d[k, k] += 6.0 * s * x[k]
        d[k, :] += 3.0 * x[k] ** 2
        expected.append(4.0 * np.sum(jac * d))
    np.testing.assert_allclose(got[1]["x"], expected, rtol=1e-13)
    assert transform(lambda y: transform(lambda x: x**3)(y))(2.0) == 12.0


def test_higher_orders_compose():
    def f(x):
        return np.sin(x) * x**3

    x = 0.7
    s, c = np.sin(x), np.cos(x)
    second = grad(grad(f))(x)
    np.testing.assert_allclose(second, -s * x**3 + 6 * c * x**2 + 6 * s * x, rtol=1e-13)
    assert isinstance(second, float)
    third = grad(grad(grad(f)))(x)
    np.testing.assert_allclose(third, -c * x**3 - 9 * s * x**2 + 18 * c * x + 6 * s, rtol=1e-12)
    np.testing.assert_allclose(jvp(grad(f), (x,), (1.0,))[1], second, rtol=1e-13)
    np.testing.assert_allclose(vjp(grad(f), x)[1](1.0)[0], second, rtol=1e-13)


def test_transform_inside_a_function():
    def outer(x):
        return x * grad(square)(x) + jvp(square, (x,), (1.0,))[1]

    assert outer(3.0) == 24.0
    assert grad(outer)(3.0) == 4 * 3.0 + 2.0


def test_stop_gradient():
    assert grad(lambda x: x * s2sad.stop_gradient(x))(3.0) == 3.0
    assert s2sad.stop_gradient(3.0) == 3.0


def test_checkpoint_keeps_values_and_gradients():
    @s2sad.checkpoint
    def inner(x):
        return np.sin(x) * x

    assert inner(2.0) == np.sin(2.0) * 2.0
    assert grad(lambda x: inner(x) * 2.0)(2.0) == pytest.approx(2.0 * (np.cos(2.0) * 2.0 + np.sin(2.0)))
    assert grad(inner)(2.0) == pytest.approx(np.cos(2.0) * 2.0 + np.sin(2.0))


# -- variants --------------------------------------------------------------------------------------


def test_sizes_stay_dynamic_and_types_do_not():
    run = grad(energy)
    for n in (3, 5, 2, 1):
        assert run(np.ones(n), np.ones(n)).shape == (n,)
    assert sum(map(len, run.program.variants.values())) == 1
    run(np.ones(2, np.float32), np.ones(2, np.float32))
    assert len(run.program.variants) == 2


def test_broadcasting_facts_make_variants():
    run = grad(lambda x, y: np.sum(x * y))
    assert run(np.ones(3), np.full(3, 2.0)).tolist() == [2.0, 2.0, 2.0]
    assert run(np.ones(1), np.full(3, 2.0)).tolist() == [6.0]
    assert run(np.ones(4), np.full(4, 2.0)).tolist() == [2.0] * 4
    assert run(np.ones(3), np.full(1, 2.0)).tolist() == [2.0, 2.0, 2.0]


SCALE = 2.0
WEIGHTS = np.array([1.0, 2.0])
MODE = "double"


def captured(x):
    scaled = x * SCALE if MODE == "double" else x
    return np.sum(scaled * WEIGHTS)


def test_captured_values_are_read_again(monkeypatch):
    run = grad(captured)
    x = np.ones(2)
    assert run(x).tolist() == [2.0, 4.0]
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert run(x).tolist() == [3.0, 6.0]
    WEIGHTS[0] = 5.0
    assert run(x).tolist() == [15.0, 6.0]
    WEIGHTS[0] = 1.0
    monkeypatch.setitem(globals(), "WEIGHTS", np.array([2.0, 2.0], np.float32))
    assert run(x).tolist() == [6.0, 6.0]
    monkeypatch.setitem(globals(), "MODE", "single")
    assert run(x).tolist() == [2.0, 2.0]


def test_building_from_threads_gives_one_variant():
    run = grad(energy)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(run(np.ones(3), np.ones(3)).tolist())) for _ in range(8)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [[2.0, 2.0, 2.0]] * 8
    assert sum(map(len, run.program.variants.values())) == 1


# -- objects ---------------------------------------------------------------------------------------


def test_decorators():
    assert decorated(2.0) == 12.0
    assert decorated_with_arguments(2.0, 3.0) == (18.0, 12.0)
    assert grad(argnums=1)(lambda a, b: a * b)(2.0, 3.0) == 2.0


def test_methods():
    class Quadratic:
        def __init__(self, a):
            self.a = a

        def loss(self, x):
            return self.a * x * x

        @grad(argnums=1)
        def slope(self, x):
            return self.a * x * x

    q = Quadratic(3.0)
    assert grad(q.loss)(2.0) == 12.0
    q.a = 4.0
    assert grad(q.loss)(2.0) == 16.0
    assert q.slope(2.0) == 16.0


def test_looks_like_the_function():
    run = grad(square)
    assert run.__name__ == "square" and run.__doc__ == "Return x squared." and run.__module__ == __name__
    assert inspect.signature(run) == inspect.signature(square)
    assert "grad of square" in repr(run)


def test_text():
    run = value_and_grad(energy)
    with pytest.raises(s2sad.S2sadError, match="source_for"):
        _ = run.source
    text = run.source_for(np.ones(2), np.ones(2))
    assert text == run.source
    assert "for i in range" in text and "w_bar" in text
    compile(text, "emitted", "exec")
    assert "def energy" in inspect.getsource(run) and inspect.getsource(run).strip() in text
    assert "<pre>" in run._repr_html_() and "w_bar" in run._repr_html_()
    assert "for" in run.lowered_source
    assert run.ir.params and run.stages


def test_pickling():
    for run in (grad(square), decorated):
        again = pickle.loads(pickle.dumps(run))
        assert again(2.0) == run(2.0)
    assert pickle.loads(pickle.dumps(decorated)) is decorated


def test_minimize():
    found = optimize.minimize(value_and_grad(rosenbrock), np.zeros(4), jac=True, method="BFGS")
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-4)
