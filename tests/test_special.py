"""scipy.special through the whole compiler: emitted, compiled, both modes, second order, recipes."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
import scipy.special as sc
from oracle import assert_close, differences, inner

import s2sad
from s2sad.emit.numba_special import hurwitz_zeta
from s2sad.ops.special import MODULE, PREFIX

X = np.array([[0.4, 1.2, 2.2], [0.9, 0.6, 1.7]])
W = np.array([0.5, 0.0, 2.0])

PROGRAMS = [
    lambda x: sc.logsumexp(x),
    lambda x: sc.logsumexp(x, axis=1),
    lambda x: sc.logsumexp(x, axis=0, b=np.array([[0.5], [2.0]])),
    lambda x: sc.logsumexp(x, axis=1, b=np.array([0.5, 0.0, 2.0]), keepdims=True),
    lambda x: sc.logsumexp(800.0 * x, axis=(0, 1), keepdims=True),
    lambda x: sc.logsumexp(x[0, 0] * 3.0),
    lambda x: sc.softmax(800.0 * x, axis=-1),
    lambda x: sc.softmax(x),
    lambda x: sc.log_softmax(x, axis=0),
    lambda x: sc.log_softmax(1000.0 * x),
    lambda x: sc.polygamma(0, x) + sc.polygamma(2, x),
    lambda x: sc.multigammaln(x[0] + 2.0, 3),
    lambda x: sc.jn(2, x) + sc.yn(3, x) + sc.digamma(x),
    lambda x: sc.zeta(2.5, x) + sc.zeta(3.0),
    lambda x: math.gamma(x[0, 1]) * math.lgamma(x[0, 2]),
    lambda x: sc.erf(x) * sc.erfc(x) + sc.erfcx(x) + sc.erfinv(x / 3.0) + sc.erfcinv(x / 2.0),
    lambda x: sc.ndtr(x) + sc.log_ndtr(-x) + sc.ndtri(x / 3.0) + sc.owens_t(x, x * x),
    lambda x: sc.gamma(x) + sc.gammaln(x) * sc.loggamma(x + 1.0) + sc.rgamma(x) + sc.psi(x),
    lambda x: sc.beta(x, x[0]) + sc.betaln(x, 2.0) + sc.gammasgn(-x) * x,
    lambda x: sc.betainc(0.5, 1.5, x / 3.0) + sc.gammainc(0.5, x) * sc.gammaincc(1.5, x),
    lambda x: sc.expit(x) + sc.log_expit(x) + sc.logit(x / 3.0) + sc.xlogy(x, x[0]) + sc.xlog1py(x, x),
    lambda x: sc.entr(x) + sc.rel_entr(x, x[0]) + sc.kl_div(x[1], x) + sc.boxcox(x, x - 1.0),
    lambda x: sc.exp1(x) + sc.expi(x),
    lambda x: sc.jv(1.5, x) + sc.yv(0.5, x) + sc.iv(1.5, x) + sc.kv(2.5, x) + sc.ive(0.5, x),
    lambda x: sc.k0(x) * sc.k1(x) + sc.log1p(x) * sc.expm1(x) + sc.cbrt(x) * sc.exp2(x),
    lambda x: sc.boxcox(x[0], x[1] * 1e-9) + sc.boxcox(x[0], x[1] * 0.1) + sc.boxcox(x[0], x[1] - x[1]),
    lambda x: sc.logsumexp(x, axis=1, b=(x - 0.9)),
    lambda x: sc.logsumexp(np.stack((sc.logsumexp(np.full((2, 3), -np.inf) + x, axis=1), x[:, 0]))),
    lambda x: sc.j0(x) * sc.j1(x) + sc.y0(x) * sc.y1(x) + sc.i0(x) * sc.i1(x) + sc.i0e(x) * sc.i1e(x),
    lambda x: sc.erf(x.astype(np.float32)),
    lambda x: sc.binom(x + 2.0, x) * sc.comb(5, x) + sc.perm(5.5, x) * sc.comb(5, 2) + sc.factorial(x),
    lambda x: sc.expn(2, x) * sc.expn(1, x) + sc.expn(0, x) + sc.exprel(x - 0.45) * sc.cosm1(x),
    lambda x: sc.dawsn(x) + sc.erfi(x) + sc.huber(1.0, x) * sc.huber(x, 1.5) + sc.pseudo_huber(x, x[0]),
    lambda x: sc.eval_legendre(3, x) * sc.eval_legendre(0, x) + sc.eval_chebyt(4, x) * sc.eval_chebyu(1, x),
    lambda x: sc.eval_hermite(3, x) * sc.eval_hermite(0, x) + sc.eval_hermitenorm(4, x) + sc.softplus(x),
    lambda x: sc.eval_laguerre(3, x) + sc.eval_genlaguerre(2, 0.5, x) * sc.eval_gegenbauer(3, 0.5, x),
    lambda x: sc.poch(x, x[0]) + sc.stdtr(2.5, x) * sc.stdtrit(2.5, x / 3.0) + sc.betaincc(0.5, 1.5, x / 3.0),
    lambda x: sc.gammaincinv(1.5, x / 3.0) * sc.gammainccinv(2.5, x / 3.0),
    lambda x: sc.betaincinv(1.5, 2.5, x / 3.0) * sc.betainccinv(1.5, 2.5, x / 3.0),
]


def text(f: Any) -> str:
    return inspect.getsource(f).strip().removeprefix("lambda x: ").rstrip(",")


@pytest.mark.parametrize("jit", [False, True], ids=["emitted", "compiled"])
@pytest.mark.parametrize("f", PROGRAMS, ids=text)
@pytest.mark.usefixtures("without_numba")
def test_value_modes_and_second_order(f: Any, jit: bool):
    given, rng = X.copy(), np.random.default_rng(0)
    dot = rng.normal(size=X.shape)
    value = f(X)
    y, y_dot = s2sad.jvp(f, (X,), (dot,), jit=jit)
    assert_close([y], [value], 1e-14, "value")
    assert type(y) is type(value)
    assert np.asarray(y).dtype == np.asarray(value).dtype
    single = np.asarray(value).dtype == np.float32
    tol = 1e-2 if single else 1e-8
    step = 1e-2 if single else 1e-4
    assert_close([y_dot], differences(f, (X,), (dot,), step), tol, "tangent")
    y, pullback = s2sad.vjp(f, X, jit=jit)
    y_bar = rng.normal(size=np.shape(value)).astype(np.asarray(value).dtype)
    (x_bar,) = pullback(y_bar if np.ndim(value) else y_bar[()])
    left, right = inner((np.asarray(y_bar),), (np.asarray(y_dot),)), inner((x_bar,), (dot,))
    assert abs(left - right) <= (1e-5 if single else 1e-12) * max(1.0, abs(left))
    if single:
        return

    def total(x: Any) -> Any:
        return np.sum(f(x) * 0.5)

    second = s2sad.hvp(total, (X,), (dot,), jit=jit)
    assert_close([second], differences(s2sad.grad(total), (X,), (dot,), 1e-4), 1e-6, "second order")
    np.testing.assert_array_equal(X, given)


def test_every_function_is_tried():
    tried = "".join(map(text, PROGRAMS))
    missing = [
        op for op in s2sad.ops.OPS if op.startswith(PREFIX) and f"sc.{op.removeprefix(PREFIX)}(" not in tried
    ]
    assert not missing
    assert sc.__name__ == MODULE


def test_logsumexp_of_nothing_but_minus_infinity():
    x = np.full(3, -np.inf)
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(s2sad.grad(sc_sum)(x), np.zeros(3))
        assert s2sad.jit(sc_sum)(x) == -np.inf == sc_sum(x)


def sc_sum(x: Any) -> Any:
    return sc.logsumexp(x)


ORDERS = np.array([1.0, 1.5, 2.0, 3.0, 4.0, 7.3, 0.5])
ENDS = np.array([1e-3, 0.1, 0.5, 1.0, 3.3, 20.0, 500.0, -0.5, -3.2, -2.0, 3e8, np.inf, np.nan])


@pytest.mark.usefixtures("without_numba")
def test_zeta_of_machine_code_is_that_of_scipy():
    zeta = s2sad.jit(lambda s, q: sc.zeta(s, q))
    np.testing.assert_allclose(zeta(ORDERS[:, None], ENDS), sc.zeta(ORDERS[:, None], ENDS), rtol=4e-15)
    np.testing.assert_allclose(zeta(np.nan, ENDS), sc.zeta(np.nan, ENDS))


@pytest.mark.parametrize("s", ORDERS)
@pytest.mark.parametrize("q", ENDS)
def test_zeta_for_numba_is_that_of_scipy(s: float, q: float):
    np.testing.assert_allclose(hurwitz_zeta(s, q), sc.zeta(s, q), rtol=4e-15)


@pytest.mark.usefixtures("by_numba")
@pytest.mark.parametrize(
    "f",
    [
        lambda x: sc.gammaln(x) + sc.psi(x) * sc.zeta(2.5, x) + sc.entr(x),
        lambda x: sc.eval_legendre(3, x) * sc.jv(0.5, x) + sc.betainc(0.5, 1.5, x / 3.0),
    ],
    ids=text,
)
def test_by_numba(f: Any):
    value, bar = s2sad.value_and_grad(lambda x: np.sum(f(x)), jit=True)(X)
    assert_close([value], [np.sum(f(X))], 1e-13, "value")
    assert_close([bar], [s2sad.grad(lambda x: np.sum(f(x)))(X)], 1e-12, "gradient")


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_other_numbers_in_machine_code(dtype: Any):
    def f(x: Any) -> Any:
        return sc.gamma(x + dtype(1)) * sc.zeta(x + dtype(2), dtype(3)) + sc.eval_hermite(3, x) + sc.psi(x)

    x = np.array([1, 2, 5], dtype)
    value = s2sad.jit(f)(x)
    assert value.dtype == f(x).dtype
    np.testing.assert_allclose(value, f(x), rtol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("f", [lambda x: sc.erf(x), lambda x: sc.gamma(x)])
def test_complex_numbers_are_refused(f: Any):
    with pytest.raises(s2sad.S2sadError, match="S202"):
        s2sad.jit(f)(np.array([1.0 + 2.0j]))
