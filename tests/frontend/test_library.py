"""Functions of NumPy, SciPy and math as what is differentiated."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import scipy.special
from oracle import assert_close

import s2sad

A = np.array([[1.0, 2.0], [0.5, 3.0]])
SCALARS = [np.sum, np.mean, np.prod, np.var, np.std, np.linalg.norm, np.linalg.det, scipy.special.logsumexp]
NUMBERS = [np.sin, np.exp, math.sin, math.erf, scipy.special.gammaln, np.sqrt, np.float_power]


@pytest.mark.parametrize("f", SCALARS, ids=lambda f: f.__name__)
def test_of_an_array(f):
    expected = s2sad.grad(lambda x: f(x))(A)
    assert_close(s2sad.grad(f)(A), expected, 1e-15, "grad")
    assert_close(s2sad.grad(f, jit=True)(A), expected, 1e-12, "compiled")
    assert_close(s2sad.hessian(f)(A), s2sad.hessian(lambda x: f(x))(A), 1e-14, "hessian")


@pytest.mark.parametrize("f", NUMBERS, ids=lambda f: f.__name__)
def test_of_numbers(f):
    args = (1.3, 0.7)[: 2 if f is np.float_power else 1]
    assert_close(s2sad.grad(f)(*args), s2sad.grad(lambda *x: f(*x))(*args), 1e-15, "grad")
    assert s2sad.jvp(f, args, (1.0,) * len(args))[0] == f(*args)


def test_keywords_partials_and_transforms():
    x = np.array([1.0, -2.0, 3.0])
    assert_close(s2sad.grad(np.linalg.norm)(x, ord=1), np.sign(x), 1e-15, "keyword")
    assert_close(s2sad.grad(functools.partial(np.linalg.norm, ord=1))(x), np.sign(x), 1e-15, "partial")
    assert_close(s2sad.grad(functools.partial(np.power, 2.0))(3.0), 8.0 * math.log(2.0), 1e-15, "bound")
    assert_close(s2sad.vmap(np.dot)(A, A), np.sum(A * A, axis=1), 1e-15, "vmap")
    assert_close(s2sad.jacfwd(np.cumsum)(x), np.tril(np.ones((3, 3))), 1e-15, "jacfwd")
    assert_close(s2sad.grad(s2sad.grad(np.sin))(0.5), -np.sin(0.5), 1e-15, "twice")


def test_text_and_errors():
    text = s2sad.grad(np.linalg.norm).source_for(A)
    assert "def norm_grad(x):" in text
    assert "t1 = np.linalg.norm(x)" in text
    with pytest.raises(
        s2sad.UnsupportedOp, match=r"S201 `np.fromstring` has no rule\n.*return np.fromstring"
    ):
        s2sad.grad(np.fromstring)(A)
    with pytest.raises(TypeError, match="unexpected keyword argument 'foo'"):
        s2sad.grad(np.linalg.norm)(A, foo=2)
