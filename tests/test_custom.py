"""custom_jvp and custom_vjp: rules of the user, in both modes, to second order, with and without jit."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from corpus import seeds_cases
from oracle import assert_close, assert_same, copied

import s2sad

JIT = pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
X = np.array([0.1, 0.2, 0.3])
Y = np.array([1.0, -1.0, 2.0])
SCALE = 1e-3
SHIFT = np.array([1.0, 2.0, 3.0])


# --- the reference rules ------------------------------------------------------------------------


def given(case: dict[str, Any]) -> Any:
    f = s2sad.custom_vjp(case["primal"])
    f.defvjp(case["fwd"], case["bwd"])
    return f


@JIT
@pytest.mark.parametrize("case", seeds_cases.CUSTOM_RULES, ids=[c["id"] for c in seeds_cases.CUSTOM_RULES])
def test_reference_rule(case: dict[str, Any], jit: bool) -> None:
    args, argnums = case["args"], case["argnums"]
    before = copied(args)
    y, pullback = s2sad.vjp(given(case), *args, jit=jit)
    assert_close(y, case["primal"](*copied(args)), 1e-12, "value")
    got = pullback(case["cotangent"])
    many = isinstance(argnums, tuple)
    assert_close(
        tuple(got[k] for k in argnums) if many else got[argnums],
        case["expected"] if many else case["expected"][0],
        1e-10,
        case["id"],
    )
    assert_same(args, before, "arguments")


@JIT
def test_a_rule_for_forward_mode_is_transposed_for_reverse_mode(jit: bool) -> None:
    (case,) = (c for c in seeds_cases.CUSTOM_RULES if c["jvp"] is not None)
    f = s2sad.custom_jvp(case["primal"])
    f.defjvp(case["jvp"])
    assert_close(s2sad.jvp(f, case["args"], case["tangents"], jit=jit)[1], case["jvp_expected"], 1e-10, "jvp")
    assert_close(s2sad.vjp(f, *case["args"], jit=jit)[1](case["cotangent"]), case["expected"], 1e-10, "vjp")


def test_the_transpose_solves_one_system() -> None:
    (case,) = (c for c in seeds_cases.CUSTOM_RULES if c["jvp"] is not None)
    f = s2sad.custom_jvp(case["primal"])
    f.defjvp(case["jvp"])
    gradient = s2sad.grad(lambda A, b: np.sum(f(A, b)), argnums=(0, 1))
    text = gradient.source_for(*case["args"]).split("# reverse sweep")
    assert [part.count("np.linalg.solve(") for part in text] == [1, 1]


# --- rules that say what the code says, against the code -------------------------------------------


class Pair(NamedTuple):
    sine: np.ndarray
    cosine: np.ndarray


@s2sad.custom_vjp
def both(x, y, n):
    return np.sum(np.sin(x) * y) * n, x * y


def both_fwd(x, y, n):
    kept = {"pair": Pair(np.sin(x), np.cos(x)), "rest": (x, [y, n], None, "unused"), "none": []}
    return both(x, y, n), kept


def both_bwd(kept, y_bar):
    total_bar, product_bar = y_bar
    x, (y, n), _, _ = kept["rest"]
    x_bar = total_bar * n * kept["pair"].cosine * y + product_bar * y
    return x_bar, total_bar * n * kept["pair"].sine + product_bar * x, None


both.defvjp(both_fwd, both_bwd)


@s2sad.custom_jvp
def square(x):
    return x * x


@square.defjvp
def square_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    return square(x), 2.0 * x * x_dot


@s2sad.custom_vjp
def step(u, dt):
    return u + dt * np.sin(u)


step.defvjp(
    lambda u, dt: (step(u, dt), (u, dt)),
    lambda kept, g: (g * (1.0 + kept[1] * np.cos(kept[0])), np.sum(g * np.sin(kept[0]))),
)


@partial(s2sad.custom_jvp, nondiff_argnums=(1,))
def power(x, n):
    return x**n


power.defjvp(lambda n, primals, tangents: (power(primals[0], n), n * power(primals[0], n - 1) * tangents[0]))


@s2sad.custom_jvp
def raised(x, n):
    return x**n


@raised.defjvp
def raised_jvp(primals, tangents):
    """Step by step, with a tape of its own."""
    (x, n), (x_dot, _) = primals, tangents
    y, y_dot = x * 0.0 + 1.0, x * 0.0
    for _ in range(n):
        y_dot = y_dot * x + y * x_dot
        y = y * x
    return y, y_dot


@partial(s2sad.custom_vjp, nondiff_argnums=(0,))
def applied(h, x):
    return h(x)


applied.defvjp(lambda h, x: (h(x), x), lambda h, x, g: (s2sad.vjp(h, x)[1](g)[0],))


def of_structures(x, y):
    a, b = both(x, y, 3)
    return a * a + np.sum(b * b * b)


def in_a_loop(x, y):
    total = 0.0
    for i in range(x.shape[0]):
        if x[i] > 0.15:
            total += square(x[i]) * square(x[i] + y[i])
    return total


def in_a_while_loop(x, y):
    k, w = 0, x.copy()
    while np.sum(w) < 5.0 and k < 10:
        w = step(w, 0.3 * y[0])
        w[0] *= 0.9
        k += 1
    return np.sum(w * w)


def in_a_branch(x, y):
    w = x * y
    if np.sum(w) > 0.0:
        w = step(w, y[1])
    return np.sum(w**3)


def of_static_arguments(x, y):
    return np.sum(power(x, 4) * power(y, 2)) + power(x[0], 3)


def of_functions(x, y):
    return np.sum(applied(np.sin, x) * applied(lambda z: z**3, y))


def of_more_and_more_steps(x, y):
    total = 0.0
    for i in range(3):
        total += np.sum(raised(x, i) * raised(y, 2))
    return total


def cube(z):
    return z * z * z


def called_twice(x, y):
    def helper(z, w):
        a = square(z) + w
        b = a * np.cos(z)
        c = np.sin(b) + square(w)
        return c * a - b

    return np.sum(helper(x, y) * helper(y, x))


def of_one_argument_twice(x, y):
    a, b = both(x, x, 2)
    return a * np.sum(b) + np.sum(y)


SCALES = np.array([2.0, -1.0, 0.5])


@s2sad.custom_jvp
def sloped(x, gain=1.5):
    return np.sin(x) * gain


@sloped.defjvp
def sloped_jvp(primals, tangents, *, scales=SCALES, half=0.5, on=True):
    (x, gain), (x_dot, gain_dot) = primals, tangents
    slope = np.cos(x) * gain * (scales / SCALES) if on else x
    return np.sin(x) * gain, (slope * x_dot + np.sin(x) * gain_dot) * (half + 0.5)


@s2sad.custom_vjp
def bent(x):
    return x * x


bent.defvjp(
    lambda x, twice=2.0: (x * x, (x, twice)),
    lambda kept, g, scales=SCALES, half=0.5: (g * kept[0] * kept[1] * scales / SCALES * (half + 0.5),),
)


def of_rules_with_defaults(x, y):
    gain = np.sum(y)
    return np.sum(sloped(x, gain) * bent(y)) + np.sum(bent(sloped(y)))


PLAIN: dict[str, Any] = {
    "sloped": lambda x, gain=1.5: np.sin(x) * gain,
    "bent": lambda x: x * x,
    "both": lambda x, y, n: (np.sum(np.sin(x) * y) * n, x * y),
    "square": lambda x: x * x,
    "step": lambda u, dt: u + dt * np.sin(u),
    "power": lambda x, n: x**n,
    "raised": lambda x, n: x**n,
    "applied": lambda h, x: h(x),
}
PROGRAMS = [
    of_structures,
    in_a_loop,
    in_a_while_loop,
    in_a_branch,
    of_static_arguments,
    of_functions,
    of_more_and_more_steps,
    called_twice,
    of_one_argument_twice,
    of_rules_with_defaults,
]


DIRECTIONS = (np.array([1.0, -2.0, 0.5]), np.array([0.3, 1.0, -1.0]))


def without_rules(f: types.FunctionType) -> Callable[..., Any]:
    """Return a program that calls the plain functions."""
    return types.FunctionType(f.__code__, f.__globals__ | PLAIN, f.__name__, f.__defaults__, f.__closure__)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_a_true_rule_gives_the_derivatives_of_the_code(f: Any) -> None:
    plain, each = without_rules(f), (0, 1)
    got = s2sad.value_and_grad(f, argnums=each)(X, Y)
    assert_close(got, s2sad.value_and_grad(plain, argnums=each)(X, Y), 1e-12, "gradient")
    assert_close(s2sad.jvp(f, (X, Y), DIRECTIONS), s2sad.jvp(plain, (X, Y), DIRECTIONS), 1e-12, "jvp")
    assert_close(s2sad.hvp(f, (X, Y), DIRECTIONS), s2sad.hvp(plain, (X, Y), DIRECTIONS), 1e-10, "hvp")


@pytest.mark.parametrize(
    "f", [of_structures, in_a_while_loop, called_twice, of_rules_with_defaults], ids=lambda f: f.__name__
)
def test_compiled(f: Any) -> None:
    expected = s2sad.grad(without_rules(f), argnums=(0, 1))(X, Y)
    assert_close(s2sad.grad(f, argnums=(0, 1), jit=True)(X, Y), expected, 1e-12, "gradient")
    expected = s2sad.hvp(without_rules(f), (X, Y), DIRECTIONS)
    assert_close(s2sad.hvp(f, (X, Y), DIRECTIONS, jit=True), expected, 1e-10, "hvp")


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_reverse_over_reverse(f: Any) -> None:
    def twice(g: Callable[..., Any]) -> Callable[..., Any]:
        def slope(x, y):
            return np.sum(s2sad.grad(g)(x, y) * y)

        return s2sad.grad(slope, argnums=(0, 1))

    assert_close(twice(f)(X, Y), twice(without_rules(f))(X, Y), 1e-10, "second order")


# --- rules that say something else ------------------------------------------------------------------


@s2sad.custom_vjp
def rounded(x):
    return np.round(x)


rounded.defvjp(lambda x: (np.round(x), None), lambda _, g: (g,))


@s2sad.custom_vjp
def scaled(x):
    return x


scaled.defvjp(lambda x: (x, None), lambda _, g: (SCALE * g + SHIFT,))


@s2sad.custom_jvp
def guarded(x):
    return np.sqrt(x)


@guarded.defjvp
def guarded_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    safe = np.where(x > 0.0, x, 1.0)
    return guarded(x), np.where(x > 0.0, 0.5 / np.sqrt(safe), 0.0) * x_dot


@JIT
def test_straight_through(jit: bool) -> None:
    def loss(x, w):
        return np.sum(w * rounded(x) ** 2)

    x = np.array([1.2, -2.7, 0.4])
    assert_same(s2sad.grad(loss, jit=jit)(x, Y), 2.0 * np.round(x) * Y, "gradient")
    assert_same(s2sad.jvp(loss, (x, Y), (Y, None), jit=jit)[1], np.sum(2.0 * np.round(x) * Y * Y), "jvp")


@JIT
def test_a_rule_reads_what_is_around_it_at_each_call(jit: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = s2sad.grad(lambda x: np.sum(scaled(x)), jit=jit)
    assert_close(gradient(X), SCALE + SHIFT, 1e-14, "before")
    monkeypatch.setattr(f"{__name__}.SCALE", 2.0)
    assert_close(gradient(X), 2.0 + SHIFT, 1e-14, "after")


@JIT
def test_no_nan_where_the_rule_guards(jit: bool) -> None:
    x = np.array([0.0, 4.0])
    assert_same(s2sad.grad(lambda x: np.sum(guarded(x)), jit=jit)(x), np.array([0.0, 0.25]), "gradient")


def test_what_does_not_vary_runs_the_function_itself() -> None:
    gradient = s2sad.grad(lambda w, x: np.sum(w * both(x, x, 1)[1]))
    assert "cos" not in gradient.source_for(Y, X)
    assert_close(gradient(Y, X), X * X, 1e-14, "gradient")


def test_a_plain_call_is_a_plain_call() -> None:
    assert rounded(2.6) == 3.0
    assert rounded.__name__ == "rounded"


def test_a_function_with_a_rule_is_differentiated_itself() -> None:
    assert s2sad.grad(power)(0.5, 4) == 4 * 0.5**3
    assert s2sad.grad(s2sad.grad(power))(0.5, 4) == 12 * 0.5**2
    assert "def power_grad(x, n)" in s2sad.grad(power).source_for(0.5, 4)
    assert s2sad.jit(power)(0.5, 4) == 0.5**4


def test_emitted_text_has_the_rule_in_place() -> None:
    gradient = s2sad.grad(lambda x, w: np.sum(w * rounded(x) ** 2))
    assert "return 2 * np.round(x) * w" in gradient.source_for(X, Y)


def test_results_that_are_arguments_are_not_written_through() -> None:
    def program(x):
        y = x * 1.0
        z = scaled(y)
        z[0] = 5.0
        return np.sum(y * y)

    with pytest.raises(s2sad.NotDifferentiable, match="S402"):
        s2sad.grad(program)(X)
    x = X.copy()
    got = s2sad.grad(lambda x: np.sum(scaled(x)))(x)
    got += 1.0
    assert_same(x, X, "argument")


# --- refusals -----------------------------------------------------------------------------------------


def refused(f: Any, transform: Any = s2sad.grad, x: Any = X) -> str:
    with pytest.raises(s2sad.S2sadError) as caught:
        transform(lambda x: np.sum(f(x)))(x)
    assert "test_custom.py:" in str(caught.value)
    return str(caught.value)


def with_rule(fwd: Any, bwd: Any) -> Any:
    @s2sad.custom_vjp
    def f(x):
        return x * x

    f.defvjp(fwd, bwd)
    return f


@pytest.mark.parametrize(
    ("fwd", "bwd", "why"),
    [
        (lambda x: (x * x, x), lambda x, g: 2 * x * g, "a tuple, with one cotangent per argument"),
        (lambda x: (x * x, x), lambda x, g: (g, g), "a tuple, with one cotangent per argument"),
        (lambda x: (x * x, x), lambda x, g: (np.sum(g),), "rank 0, not 1"),
        (lambda x: (x * x, x), lambda x, g: ((g, g),), "does not have its structure"),
        (lambda x: x * x, lambda x, g: (g,), "must return a pair"),
        (lambda x: (np.sum(x), x), lambda x, g: (g,), "where f returns"),
        (lambda x: (x[1:] * x[1:], x), lambda x, g: (g,), "where f returns"),
        (lambda x: ((x, x), x), lambda x, g: (g,), "in the same structure"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(fwd: Any, bwd: Any, why: str) -> None:
    message = refused(with_rule(fwd, bwd))
    assert "S354" in message
    assert why in message


def test_a_cotangent_of_another_size_raises_when_it_runs() -> None:
    f = with_rule(lambda x: (x * x, x), lambda x, g: (g[1:],))
    with pytest.raises(ValueError, match="reshape"):
        s2sad.grad(lambda x: np.sum(f(x)))(X)


def test_a_function_without_rule_is_refused() -> None:
    f = s2sad.custom_jvp(cube)
    assert "f.defjvp" in refused(f).replace("cube.", "f.")


def test_a_rule_must_be_linear_to_have_the_other_mode() -> None:
    clipped = with_rule(lambda x: (x * x, None), lambda _, g: (np.clip(g, -1.0, 1.0),))
    assert_same(s2sad.grad(lambda x: 5.0 * np.sum(clipped(x)))(X), np.ones(3), "clipped")
    with pytest.raises(s2sad.UnsupportedOp, match="S205"):
        s2sad.jvp(clipped, (X,), (X,))
    squared = s2sad.custom_jvp(cube)
    squared.defjvp(lambda primals, tangents: (cube(primals[0]), tangents[0] ** 2))
    assert_same(s2sad.jvp(squared, (X,), (X,))[1], X**2, "jvp")
    assert "S205" in refused(squared)


@partial(s2sad.custom_jvp, nondiff_argnums=(0,))
def mapped(h, x):
    return h(x)


mapped.defjvp(lambda h, primals, tangents: s2sad.jvp(h, primals, tangents))
cube_root = s2sad.custom_root(lambda x, c, h: h(x) - c)(lambda x, c, h: x * (c / h(x)) ** (1 / 3))
DECAY = {
    "custom_jvp": lambda x, a: mapped(lambda t: a * np.sin(t), x),
    "custom_vjp": lambda x, a: applied(lambda t, a=a: a * np.sin(t), x),
    "custom_root": lambda x, a: cube_root(1.0, x, lambda t: a * t**3),
    "odeint": lambda x, a: s2sad.odeint(
        lambda y, t: -a * y, np.array([x]), np.array([0.0, 1.0]), adjoint="continuous"
    )[1, 0],
}


@pytest.mark.parametrize("f", DECAY.values(), ids=DECAY)
def test_what_a_function_with_a_rule_cannot_see_must_not_vary(f: Any) -> None:
    slope = (f(0.7 + 1e-6, 2.0) - f(0.7 - 1e-6, 2.0)) / 2e-6
    assert_close(s2sad.grad(f)(0.7, 2.0), slope, 1e-6, "x")
    if f is not DECAY["custom_root"]:  # whose second derivatives are by its rule again
        mixed = s2sad.grad(lambda a: s2sad.grad(f)(0.7, a))(2.0)
        ahead, behind = (s2sad.grad(f)(0.7, 2.0 + h) for h in (1e-5, -1e-5))
        assert_close(mixed, (ahead - behind) / 2e-5, 1e-5, "mixed")
    for varied in (1, (0, 1)):
        with pytest.raises(s2sad.UnsupportedOp, match=r"S205.*`a`"):
            s2sad.grad(f, varied)(0.7, 2.0)
    with pytest.raises(s2sad.UnsupportedOp, match=r"S205.*`a`"):
        s2sad.jvp(f, (0.7, 2.0), (None, 1.0))


def test_writing_an_argument_is_refused() -> None:
    @s2sad.custom_vjp
    def f(x):
        x[0] = 1.0
        return x

    f.defvjp(lambda x: (x, None), lambda _, g: (g,))
    assert "S127" in refused(f)


def test_decorated_twice() -> None:
    with pytest.raises(TypeError, match="a rule belongs to a function"):
        s2sad.custom_vjp(3.0)
