"""What is refused at the API, with which type and which words."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad
from s2sad import S2sadError, grad, hvp, jvp, value_and_grad, vjp
from s2sad.driver import reading
from s2sad.errors import InternalError
from s2sad.transforms import split


def cube(x):
    return x * x * x


def power(x, n):
    return x**n


def vector(x):
    return x * 2.0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: grad(cube)(3), r"int[\s\S]*3\.0"),
        (lambda: grad(power, argnums=1)(3.0, 2), r"argument n of power is an int"),
        (lambda: grad(power, argnums=(0, 1))(3.0, 2), r"argument n"),
        (lambda: grad(cube)(np.arange(3)), r"astype\(float\)"),
        (lambda: grad(vector)(np.ones(3)), r"vjp or jacobian"),
        (lambda: value_and_grad(lambda x: (x, x))(1.0), r"has_aux|vjp"),
        (lambda: grad(lambda x: None)(1.0), r"returns nothing"),
        (lambda: grad(cube)(1.0 + 2.0j), r"complex[\s\S]*vjp"),
        (lambda: grad(lambda x: x * 1j)(1.0), r"real float result"),
        (lambda: grad(lambda x: 3)(1.0), r"float"),
        (lambda: grad(cube, has_aux=True)(1.0), r"pair \(value, aux\)"),
        (lambda: grad(cube, argnums=2)(1.0), r"1 positional"),
        (lambda: grad(cube, argnums=1.5), r"argnums"),
        (lambda: grad(cube, argnums=()), r"argnums"),
        (lambda: grad(cube(1.0)), r"takes a function"),
        (lambda: vjp(3.0, 1.0), r"takes a function"),
        (lambda: grad(cube)(np.ma.zeros(3)), r"filled"),
        (lambda: grad(cube)(np.array([1.0], dtype=object)), r"to_numpy"),
        (lambda: jvp(cube, (1.0,), (1.0, 2.0)), r"2 tangents for 1"),
        (lambda: jvp(cube, 1.0, 1.0), r"tuples"),
        (lambda: jvp(vector, (np.ones(2),), (np.ones(3),)), r"shape"),
        (lambda: jvp(power, (1.0, 2), (1.0, 1)), r"None"),
        (lambda: vjp(vector, np.ones(2))[1](np.ones(3)), r"y_bar has shape"),
        (lambda: hvp(vector, (np.ones(2),), (np.ones(2),)), r"scalar"),
    ],
)
def test_type_errors(call, says):
    with pytest.raises(TypeError, match=says):
        call()


def test_wrong_call_is_the_type_error_of_a_plain_call():
    with pytest.raises(TypeError, match=r"cube\(\) missing a required argument"):
        grad(cube)()
    with pytest.raises(TypeError, match=r"too many positional"):
        grad(cube)(1.0, 2.0)
    with pytest.raises(TypeError, match=r"unexpected keyword"):
        grad(cube)(1.0, y=2.0)


def test_refusals_have_a_place():
    def f(x):
        try:
            return x * x
        except ValueError:
            return x

    with pytest.raises(s2sad.UnsupportedSyntax) as caught:
        grad(f)(1.0)
    error = caught.value
    assert error.origin.file == "test_errors.py" and error.origin.line == f.__code__.co_firstlineno + 1
    assert error.code.startswith("S1") and error.instead and "try:" in str(error)


def test_failures_of_the_compiler_are_internal_errors(monkeypatch):
    def broken(*args, **kwargs):
        raise KeyError("lost")

    monkeypatch.setattr(reading, "build", broken)
    with pytest.raises(InternalError, match=r"S902[\s\S]*KeyError") as caught:
        grad(lambda x: x * x)(1.0)
    assert isinstance(caught.value.__cause__, KeyError) and isinstance(caught.value, S2sadError)
    assert caught.value.origin.file == "test_errors.py"


def test_failures_of_the_split_are_internal_errors(monkeypatch):
    def broken(fn):
        raise KeyError("lost")

    monkeypatch.setattr(split, "split", broken)
    with pytest.raises(InternalError, match="S902"):
        vjp(lambda x: x * x, 1.0)


def test_errors_of_the_program_itself_pass_through():
    def f(x):
        if x > 1.0:
            raise ValueError("too large")
        return x * x

    run = grad(f)
    assert run(0.5) == 1.0
    with pytest.raises(ValueError, match="too large"):
        run(2.0)
