"""Programs as IR and the text they must print, run against the interpreter."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.emit.load import load
from s2sad.emit.source import function, module
from s2sad.ir.interp import run
from s2sad.ir.parse import parse
from s2sad.ops import OPS
from s2sad.passes.bufferize import bufferize

X = np.array([0.5, -1.25, 2.0, 0.75, 3.0])
A = np.arange(12.0).reshape(3, 4) - 4.0

CASES: dict[str, tuple[tuple[Any, ...], str, str]] = {
    "names, nesting, augmented assignment": (
        (X, X[::-1].copy()),
        """
func f(w: f8[w.0], x: f8[w.0]) {
  n = size x {axis=0}
  total~1 = for 0, n, 1, 0.0 (i, total) {
    %1 = getitem x, i {path=[i]}
    %2 = getitem w, i {path=[i]}
    t = multiply %1, %2
    %3 = greater t, 0.0
    total~2 = if %3 {
      %4 = multiply t, t
      %5 = add total, %4
      total~3 = to_float %5
      yield total~3
    } else {
      yield total
    }
    yield total~2
  }
  return total~1, n
}""",
        """
def f(w, x):
    n = x.shape[0]
    total = 0.0
    for i in range(n):
        t = x[i] * w[i]
        if t > 0.0:
            total = float(total + t * t)
    return total, n
""",
    ),
    "an index keeps its name while its loop runs": (
        (X, 4),
        """
func f(x: f8[x.0], n: int) {
  total~1 = for 0, n, 1, 0.0 (i, total) {
    total~2 = for 0, i, 1, total (i~1, total~3) {
      %1 = getitem x, i~1 {path=[i]}
      %2 = add total~3, %1
      total~4 = to_float %2
      yield total~4
    }
    yield total~2
  }
  return total~1, n
}""",
        """
def f(x, n):
    total = 0.0
    for i in range(n):
        for i1 in range(i):
            total = float(total + x[i1])
    return total, n
""",
    ),
    "sizes are written where they are used": (
        (X, 2),
        """
func f(x: f8[x.0], n: int) {
  %1 = size x {axis=0}
  y = zeros %1 {dtype=<f8>}
  %2 = subtract %1, 1
  y~1 = for %2, -1, -1, y (i, y~2) {
    %3 = getitem x, i {path=[i]}
    y~3 = setitem y~2, %3, i {path=[i]}
    yield y~3
  }
  tape = empty n, %1 {dtype=<f8>}
  tape~1 = setitem tape, 1.0 {path=[:, :]}
  return y~1, tape~1
}""",
        """
def f(x, n):
    y = np.zeros(x.shape[0])
    for i in range(x.shape[0] - 1, -1, -1):
        y[i] = x[i]
    tape = np.empty((n,) + x.shape)
    tape[:] = 1.0
    return y, tape
""",
    ),
    "swap": (
        (X, 3),
        """
func f(x: f8[x.0], n: int) {
  u = copy x
  v = zeros_like u
  ru, rv = for 0, n, 1, u, v (k, u~1, v~1) {
    %1 = getitem u~1, 1 {path=[lo:]}
    v~2 = setitem v~1, %1, -1 {path=[:hi]}
    yield v~2, u~1
  }
  return ru, rv
}""",
        """
def f(x, n):
    u = x.copy()
    v = np.zeros_like(u)
    for k in range(n):
        v[:-1] = u[1:]
        u, v = v, u
    return u, v
""",
    ),
    "a step of a recurrence": (
        (0.5, 4),
        """
func f(x: float, n: int) {
  b = multiply x, x
  a~1, b~1 = for 0, n, 1, x, b (i, a, b~2) {
    %1 = multiply a, b~2
    b~3 = add %1, 0.1
    yield b~2, b~3
  }
  return a~1, b~1
}""",
        """
def f(x, n):
    b = x * x
    a = x
    for i in range(n):
        a, b = b, a * b + 0.1
    return a, b
""",
    ),
    "exits": (
        (X, 1.0),
        """
func f(x: f8[x.0], lim: float) {
  n = size x {axis=0}
  s~1 = for 0, n, 1, 0.0 (i, s) {
    %1 = getitem x, i {path=[i]}
    t = to_float %1
    %2 = less t, 0.0
    if %2 {
      continue s
    } else {
      yield
    }
    s~2 = add s, t
    %3 = greater s~2, 100.0
    if %3 {
      return t, s~2
    } else {
      yield
    }
    %4 = greater s~2, lim
    if %4 {
      break s~2
    } else {
      yield
    }
    yield s~2
  }
  %5 = equal s~1, 0.0
  %6 = not_ %5
  if %6 {
    return s~1, 1.0
  } else {
    return 0.0, s~1
  }
  unreachable
}""",
        """
def f(x, lim):
    n = x.shape[0]
    s = 0.0
    for i in range(n):
        t = float(x[i])
        if t < 0.0:
            continue
        s += t
        if s > 100.0:
            return t, s
        if s > lim:
            break
    if s != 0.0:
        return s, 1.0
    return 0.0, s
""",
    ),
    "elif, conditional expressions, and, or": (
        (1.5, 2),
        """
func f(x: float, k: int) {
  %1 = equal k, 0
  y = if %1 {
    y~1 = multiply x, 2.0
    yield y~1
  } else {
    %2 = equal k, 2
    y~2 = if %2 {
      y~3 = multiply x, 3.0
      yield y~3
    } else {
      yield x
    }
    yield y~2
  }
  %3 = greater x, 1.0
  %4 = if %3 {
    %5 = less y, 10.0
    yield %5
  } else {
    yield False
  }
  %6 = if %4 {
    yield True
  } else {
    %7 = greater k, 7
    yield %7
  }
  z = if %6 {
    z~1 = add y, 1.0
    yield z~1
  } else {
    yield y
  }
  %8 = less x, 0.0
  %9 = not_ %8
  %10 = if %9 {
    %11 = negative x
    yield %11
  } else {
    yield x
  }
  w = multiply %10, z
  return w, z
}""",
        """
def f(x, k):
    if k == 0:
        y = x * 2.0
    elif k == 2:
        y = x * 3.0
    else:
        y = x
    if x > 1.0 and y < 10.0 or k > 7:
        z = y + 1.0
    else:
        z = y
    w = (-x if not x < 0.0 else x) * z
    return w, z
""",
    ),
    "while, with a condition that is an expression and one that is not": (
        (X, 2.0),
        """
func f(x: f8[x.0], lim: float) {
  s~1, i~1 = while 0.0, 0 (s~2, i~2) {
    %1 = less s~2, lim
    yield %1
  } do (s, i) {
    %2 = getitem x, i {path=[i]}
    %3 = absolute %2
    %4 = to_float %3
    s~3 = add s, %4
    i~3 = add i, 1
    yield s~3, i~3
  }
  r = while s~1 (r~1) {
    d = multiply r~1, r~1
    %5 = subtract d, lim
    %6 = greater %5, d
    %7 = less %5, 0.1
    %8 = if %7 {
      yield %6
    } else {
      yield True
    }
    yield %8
  } do (r~2) {
    r~3 = multiply r~2, 0.5
    yield r~3
  }
  return r, i~1
}""",
        """
def f(x, lim):
    i = 0
    s = 0.0
    while s < lim:
        s += float(np.abs(x[i]))
        i += 1
    r = s
    while True:
        d = r * r
        t1 = d - lim
        t2 = t1 > d
        if not (t2 if t1 < 0.1 else True):
            break
        r *= 0.5
    return r, i
""",
    ),
    "parts of arrays": (
        (A, np.array([0, 2, 0]), 1.5),
        """
func f(a: f8[a.0, a.1], idx: i8[idx.0], c: float) {
  b = copy a
  b1 = setitem b, 0.0, 1, -1, 2 {path=[lo:hi, :].T(1, 0)[i]}
  b2 = setitem b1, c, 1 {path=[:, i]}
  b3 = accum b2, 1.0, idx {path=[fancy, :] at=True}
  %1 = getitem b3, 1 {path=[i, :]}
  %2 = multiply %1, 2.0
  b4 = setitem b3, %2, 1 {path=[i, :]}
  %3 = getitem b4, 0 {path=[:, i]}
  %4 = negative %3
  b5 = accum b4, %4, 1 {path=[:, i]}
  b6 = accum b5, c {path=[:, :].T(1, 0)}
  b7 = accum b6, c {path=[:, :]}
  r = getitem b7, 0 {path=[i, new, :]}
  q = getitem b7, 1, 2, -1 {path=[i, :][lo::st]}
  m = greater b7, 0.0
  p = getitem b7, m {path=[mask2]}
  b8 = setitem b7, 5.0, m {path=[mask2]}
  rows = getitem b8, idx {path=[fancy, :]}
  return b8, r, q, p, rows
}""".replace("[fancy, :] at=True", "[fancy, :], at=True"),
        """
def f(a, idx, c):
    b = a.copy()
    b[1:-1].T[2] = 0.0
    b[:, 1] = c
    np.add.at(b, idx, 1.0)
    b[1] *= 2.0
    b[:, 1] -= b[:, 0]
    b.T[...] += c
    b += c
    r = b[0, None, :].copy()
    q = b[1, 2::-1].copy()
    m = b > 0.0
    p = b[m]
    b[m] = 5.0
    rows = b[idx]
    return b, r, q, p, rows
""",
    ),
    "long lines are split": (
        (X, X + 1.0, X + 2.0),
        """
func f(alpha: f8[alpha.0], beta: f8[alpha.0], gamma: f8[alpha.0]) {
  %1 = multiply alpha, beta
  %2 = sin %1
  %3 = multiply beta, gamma
  %4 = cos %3
  %5 = multiply %2, %4
  %6 = multiply gamma, alpha
  %7 = tanh %6
  %8 = add %5, %7
  %9 = multiply %8, %8
  %10 = add alpha, beta
  %11 = add %10, gamma
  %12 = exp %11
  %13 = multiply %9, %12
  %14 = subtract alpha, gamma
  %15 = sin %14
  %16 = multiply %15, %12
  y = divide %13, %16
  return y, y
}""",
        """
def f(alpha, beta, gamma):
    t1 = np.sin(alpha * beta) * np.cos(beta * gamma) + np.tanh(gamma * alpha)
    t2 = np.exp(alpha + beta + gamma)
    y = t1 * t1 * t2 / (np.sin(alpha - gamma) * t2)
    return y, y
""",
    ),
    "names that the text needs itself": (
        (0.5, 2.0),
        """
func f(np: float, max: float) {
  t1 = math_sin np
  math = multiply t1, max
  %1 = add math, 1.0
  range = multiply %1, %1
  return range, t1
}""",
        """
def f(np_, max_):
    t1 = math.sin(np_)
    math_ = t1 * max_
    tmp1 = math_ + 1.0
    range_ = tmp1 * tmp1
    return range_, t1
""",
    ),
    "numbers": (
        (1.0, 0),
        """
func f(x: float, n: int) {
  a = multiply x, inf
  b = add x, -2
  c = power b, 2
  d = negative c
  e = subtract x, nan
  g = multiply x, 1e-13
  return a, c, d, e, g
}""",
        """
def f(x, n):
    a = x * np.inf
    b = x + -2
    c = b ** 2
    d = -c
    e = x - np.nan
    g = x * 1e-13
    return a, c, d, e, g
""",
    ),
    "a read is not moved past a write of what it reads": (
        (X, 1),
        """
func f(x: f8[x.0], k: int) {
  a = copy x
  %1 = getitem a, k {path=[i]}
  %2 = getitem a, 0 {path=[i]}
  a1 = setitem a, %1, 0 {path=[i]}
  a2 = setitem a1, %2, k {path=[i]}
  return a2, k
}""",
        """
def f(x, k):
    a = x.copy()
    t1 = a[0]
    a[0] = a[k]
    a[k] = t1
    return a, k
""",
    ),
    "a name on one branch only": (
        (X, 1),
        """
func f(x: f8[x.0], k: int) {
  %1 = greater k, 0
  y = if %1 {
    y~1 = multiply x, 2.0
    yield y~1
  } else {
    %2 = undef {type=<f8[x.0]>}
    yield %2
  }
  %3 = greater k, 0
  if %3 {
    return y, k
  } else {
    return x, k
  }
  unreachable
}""",
        """
def f(x, k):
    if k > 0:
        y = x * 2.0
    if k > 0:
        return y, k
    return x, k
""",
    ),
    "what people repeat rather than name": (
        (X, 3),
        """
func f(x: f8[x.0], n: int) {
  %1 = size x {axis=0}
  %2 = subtract %1, n
  %3 = greater %2, 0
  %4 = where %3, %2, 0
  y = zeros %4, %4 {dtype=<f8>}
  r = for 0, %4, 1, y (i, p) {
    k = add i, 1
    %5 = add i, 1
    %6 = getitem x, i {path=[i]}
    %7 = multiply %6, %6
    %8 = greater %6, 0.0
    q = if %8 {
      %9 = add %7, %6
      w = setitem p, %9, i, i {path=[i, i]}
      yield w
    } else {
      yield p
    }
    r~1 = for 0, %5, 1, q (j, s) {
      %10 = getitem x, %5 {path=[i]}
      s~1 = accum s, %10, i, j {path=[i, i]}
      yield s~1
    }
    yield r~1
  }
  return r, %4
}""",
        """
def f(x, n):
    t1 = max(x.shape[0] - n, 0)
    y = np.zeros((t1, t1))
    for i in range(t1):
        k = i + 1
        t2 = x[i] * x[i]
        if x[i] > 0.0:
            y[i, i] = t2 + x[i]
        for j in range(i + 1):
            y[i, j] += x[i + 1]
    return y, t1
""",
    ),
    "a numbered name is no better than none, in derivative code": (
        (X, X),
        """
func f(x: f8[x.0], g: f8[x.0]) {
  u_bar = sin x                    !reverse @ m.py:2
  u_bar~1 = multiply x, g          !reverse @ m.py:3
  u_bar~2 = add u_bar~1, 1.0       !reverse @ m.py:3
  x_bar = multiply u_bar, u_bar~2  !reverse @ m.py:3
  return x_bar, u_bar
}""",
        """
def f(x, g):
    u_bar = np.sin(x)  # m.py:2
    x_bar = u_bar * (x * g + 1.0)  # m.py:3
    return x_bar, u_bar
""",
    ),
    "numbers that are chosen from two": (
        (3, 2.0),
        """
func f(n: int, c: float) {
  %1 = less n, 5
  k = where %1, n, 5
  %2 = greater c, 1.0
  d = where %2, c, 1.0
  return k, d
}""",
        """
def f(n, c):
    k = min(n, 5)
    d = c if c > 1.0 else 1.0
    return k, d
""",
    ),
    "comments name the primal line in derivative code only": (
        (X, X),
        """
func f(x: f8[x.0], g: f8[x.0]) {
  y = sin x                        @ m.py:2
  comment {text='reverse sweep'}
  %1 = cos x                       !reverse @ m.py:2
  x_bar = multiply %1, g           !reverse @ m.py:2
  h = exp x                        !recompute @ m.py:3
  x_dot = multiply h, g            !tangent @ m.py:3
  return y, x_bar, x_dot
}""",
        """
def f(x, g):
    # forward sweep
    y = np.sin(x)
    # reverse sweep
    x_bar = np.cos(x) * g  # m.py:2
    h = np.exp(x)  # recomputed: m.py:3
    x_dot = h * g  # m.py:3
    return y, x_bar, x_dot
""",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_as_expected_and_runs(name: str) -> None:
    args, ir, expected = CASES[name]
    fn = bufferize(parse(ir, OPS))
    assert function(fn).strip() == expected.strip()
    found = load(module(fn), "<test>")["f"](*(a.copy() if isinstance(a, np.ndarray) else a for a in args))
    for a, b in zip(run(fn, *args), found, strict=True):
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)
    assert module(fn) == module(bufferize(parse(ir, OPS)))


def rate(y, k):
    a, b, c = y
    return np.array([-k[0] * a + k[1] * b * c, k[0] * a - k[1] * b * c - k[2] * b * b, k[2] * b * b])


def robertson(y, k):
    for _ in range(5):
        middle = y + 0.05 * rate(y, k)
        y = y + 0.1 * rate(middle, k)
    return np.sum(y * y)


def test_elements_are_read_once_where_the_name_of_their_array_is_taken_over() -> None:
    text = s2sad.grad(robertson).source_for(np.ones(3), np.ones(3))
    assert "    y_bar = np.zeros_like(y)\n" in text
    reads = re.findall(r"^    t\d+ = (y_bar\[\d\])  #", text, re.MULTILINE)
    assert len(reads) == len(set(reads)) > 0
