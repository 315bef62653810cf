"""LAPACK as NumPy has loaded it and SciPy's do the same."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from s2sad.machine import lapack

KINDS = list(dict.fromkeys((type(lapack.LAPACK), lapack._Scipys)))  # what is used here, and SciPy's


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def functions(request):
    return request.param()


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_systems_and_triangles(functions, n):
    rng = np.random.default_rng(n)
    a, b, c = rng.normal(size=(n, n)), rng.normal(size=n), rng.normal(size=(n, 3))
    given = a.copy()
    factors, exchanges, singular = functions.getrf(a)
    assert not singular
    for right in (b, c, c[:, ::-1]):
        kept = right.copy()
        for turned, matrix in ((False, a.T), (True, a)):
            found = functions.getrs(factors, exchanges, right, turned)
            assert found.shape == right.shape
            np.testing.assert_allclose(matrix @ found, right, atol=1e-8)
        np.testing.assert_array_equal(right, kept)
    triangle = np.tril(a) + 3.0 * np.eye(n)
    inverse, singular = functions.trtri(triangle)
    assert not singular
    np.testing.assert_allclose(np.tril(inverse) @ triangle, np.eye(n), atol=1e-8)
    np.testing.assert_array_equal(a, given)


def test_singular(functions):
    assert functions.getrf(np.zeros((3, 3)))[2] > 0
    assert functions.trtri(np.zeros((3, 3)))[1] > 0


GP = """
import sys
import numpy as np
import s2sad

def f(a, b):
    x = np.linalg.solve(a, b)
    return x @ np.linalg.solve(a, x) + np.sum(np.linalg.cholesky(a) ** 3)

a = np.array([[2.0, 0.5], [0.5, 1.0]])
print(s2sad.grad(f, jit=True)(a, np.array([1.0, 2.0])).shape, "scipy.linalg" in sys.modules)
"""


def test_scipy_is_imported_only_where_it_is_needed(tmp_path):
    script = tmp_path / "systems.py"
    script.write_text(GP)
    out = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    needed = isinstance(lapack.LAPACK, lapack._Scipys)
    assert out.stdout.split() == ["(2,", "2)", str(needed)]
