"""Programs for the tests of the transforms: what is hard about reversing control flow, writes and masks.

PROGRAMS maps a name to (function, arguments, positions of differentiated arguments).
"""

from __future__ import annotations

import math

import numpy as np

RNG = np.random.default_rng(7)


def normal(*shape):
    return RNG.normal(size=shape)


def positive(*shape):
    return RNG.uniform(0.5, 1.5, size=shape)


def calls(x):
    def f(v, c):
        s = 0.0
        for i in range(v.shape[0]):
            s += v[i] * v[i] * c
            if s > 100.0:
                return s
        return s

    a = f(x, 2.0)
    b = f(x * a, 3.0)
    return a * b


def cplx(x):
    z = x * (1.0 + 2.0j)
    w = np.exp(z) * np.conj(z)
    return np.sum(np.real(w)) + np.sum(np.abs(z))


def masked(x):
    return np.sum(np.where(x > 0.0, np.log(x), 0.0)) + np.sum(np.where(x < 0.0, np.sqrt(-x), x))


def masked2(x):
    y = np.where(x > 0.0, np.log(x) * x, 0.0)
    return np.sum(y[1:] * y[:-1])


def f32(x, y):
    s = np.float32(0.0)
    for i in range(x.shape[0]):
        s += x[i] * y[i] * 2.0
    return s * s


def fancy(x, idx):
    y = x.copy()
    y[idx] = x[:3] * 2.0
    y[idx] += 1.0
    np.add.at(y, idx, x[1:4])
    return np.sum(y * y) + np.sum(x[idx])


def mask_write(x):
    y = x * 2.0
    y[x > 0.0] = 0.5
    y[y < 0.0] *= y[y < 0.0]
    return np.sum(y**3)


def brk_after(x, lim):
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * x[i] * (1.0 + s)
        if s > lim:
            break
    return s


def brk_mid(x, lim):
    s = 1.0
    p = 0.0
    for i in range(x.shape[0]):
        s = s * x[i]
        if s > lim:
            p = s * s
            break
        s += np.sin(s)
    return s + p


def brk_two(x, lim):
    s = 1.0
    for i in range(x.shape[0]):
        s = s * x[i]
        if s > lim:
            s = s * 2.0
            break
        if s < 0.1:
            s = s * s
            break
        s = s + x[i] * 0.5
    return s


def nest_brk(A, lim):
    t = 0.0
    for i in range(A.shape[0]):
        s = 1.0
        for j in range(A.shape[1]):
            s = s * A[i, j]
            if s > lim:
                s = s * s
                break
            s = s + 0.3 * A[i, j]
        t += s * A[i, 0]
    return t


def stepped(x):
    s = 1.0
    for i in range(x.shape[0] - 1, 0, -2):
        s = s * x[i] + x[i - 1]
    for j in range(1, x.shape[0], 3):
        s = s * x[j]
    return s


def triangular(A):
    s = 1.0
    for i in range(A.shape[0]):
        for j in range(i):
            s = s * 0.5 + np.sin(s) * A[i, j]
    return s


def ret_nested(x):
    if x[0] > 0.0:
        if x[1] > 0.0:
            return np.sum(x * x)
        y = x * 2.0
    else:
        y = x * x[0]
    return np.sum(y * y)


def while_nested(x):
    s = x
    n = 0
    while n < 3:
        m = 0
        while m < n + 1:
            s = np.sin(s) + 0.1 * s * s
            m += 1
        n += 1
    return s


def ifloop(x, k):
    if k > 0:
        s = x[0]
        for i in range(x.shape[0]):
            s = s * x[i] + 1.0
    else:
        s = np.sum(x)
        for i in range(x.shape[0]):
            s = s * s * x[i]
    return s


def scal(a, b):
    return math.sin(a) * b + math.exp(a * b) / (1.0 + a * a)


def multi(x, y):
    return x * y, np.sum(x), {"a": y @ x}


def bcast(x, y):
    return np.sum((x[:, None] * y[None, :] + x[:, None]) ** 2 / 3.0 + y)


def keep(x):
    m = np.mean(x, axis=0, keepdims=True)
    v = np.var(x, axis=1)
    return np.sum((x - m) ** 2 * v[:, None]) + np.prod(x[0])


def printing(x):
    s = np.sum(x * x)
    if s < 0.0:
        raise ValueError(f"bad {s}")
    assert s >= 0.0
    for i in range(x.shape[0]):
        if x[i] > 1e6:
            raise ValueError("x")
        s = s * x[i] + 1.0
    return s


def whilebig(x):
    s = 0.1
    n = 0
    while n < 40:
        s = s + 0.1 * np.sin(s * x[n % 3])
        n = n + 1
    return s


def early_top(x):
    s = np.sum(x)
    if s > 100.0:
        return s
    for i in range(x.shape[0]):
        s = s * x[i] + 0.1
        if s > 5.0:
            return s * s
    if s < 0.0:
        return -s
    return s * 2.0


def contcomplex(x):
    s = 1.0
    for i in range(x.shape[0]):
        if x[i] > 0.0:
            s = s * x[i]
            if s > 2.0:
                s = s * 0.5
                continue
            s += 1.0
        s = s + np.sin(s)
    return s


def compr(x):
    ys = [v * v for v in x]
    return np.sum(np.array(ys) * x)


def lists(x):
    ys = []
    s = 1.0
    for i in range(x.shape[0]):
        s = s * x[i] + 0.5
        ys.append(s)
    return np.sum(np.stack(ys) * x)


def shapes(x):
    y = x.reshape(2, 3).T.copy()
    z = np.concatenate((y, y * 2.0), axis=0)
    return np.sum(z @ z.T) + np.trace(z[:2, :2])


def inplace_ret(x):
    y = np.zeros((3, x.shape[0]))
    y[0] = x
    for k in range(1, 3):
        y[k] = y[k - 1] * x
        y[k, 0] = 1.0
    return y


def counters(x, n):
    s = 1.0
    p = 0
    for i in range(n):
        for _ in range(i):
            s = s + np.sin(s) * x[p]
            p += 1
        q = 0
        while q < i:
            s = s * x[q]
            q += 2
    return s


def sometimes(x, n):
    s = 1.0
    k = 0
    while k < n:
        j = 0
        while j < k:
            if (j + k) % 7 == 0:
                s = np.sin(s) + x[j % 3]
            j += 1
        k += 1
    return s


def rows(x, n):
    u = x.copy()
    k = 0
    while k < n:
        if k % 5 == 4:
            u = np.sin(u) * x
        k += 1
    return np.sum(u * u)


def narrow_state(u0, steps, dt):
    u = u0.copy()
    c = 1.0
    for _ in range(steps):
        c = c * dt + 0.5
        u[1:] = u[1:] - c * u[1:] * (u[1:] - u[:-1])
    return np.sum(u * u) * dt


def narrow_scalars(x, a):
    s = x[0] * a
    n = 0
    while n < 6:
        s = 0.3 * np.sin(s) * s + x[n] * 0.5 + np.sqrt(x[n])
        n += 1
    return s


def left_before_continue(x, lim):
    u = x.copy()
    for i in range(4):
        u[1:] = u[1:] * np.tanh(u[1:])
        if np.sum(u) < lim * i:
            break
        if i % 2 == 0:
            continue
        u[:] = np.sin(x) * 2.0
    return np.sum(u * u)


def left_after_branch(x, lim):
    u = x.copy()
    v = x * x
    for _ in range(4):
        u[1:] = u[1:] * np.tanh(u[1:])
        if v[0] < 1.5:
            v = v + u
            if v[1] > 9.0:
                break
        else:
            v = v * 0.9
        if np.sum(v) > lim:
            break
        u[:] = np.sin(v) * 2.0
    return np.sum(u * u) + np.sum(v)


def constant(x):
    y = np.floor(x)
    return np.sum(y)


PROGRAMS = {
    "calls": (calls, (positive(4),), (0,)),
    "complex inside": (cplx, (normal(4),), (0,)),
    "masked": (masked, (normal(6),), (0,)),
    "masked product": (masked2, (normal(6),), (0,)),
    "float32": (f32, (positive(5).astype(np.float32), positive(5).astype(np.float32)), (0, 1)),
    "float32 state": (narrow_state, (positive(6).astype(np.float32), 4, 0.1), (0, 2)),
    "float32 scalars": (narrow_scalars, (positive(7).astype(np.float32), 0.9), (0, 1)),
    "index arrays": (fancy, (normal(6), np.array([1, 3, 1])), (0,)),
    "mask writes": (mask_write, (normal(6),), (0,)),
    "break after": (brk_after, (positive(6), 2.0), (0,)),
    "break between": (brk_mid, (positive(6) + 0.5, 2.5), (0,)),
    "two breaks": (brk_two, (positive(6) + 0.5, 2.5), (0,)),
    "two breaks, the other": (brk_two, (positive(6) * 0.3, 2.5), (0,)),
    "no break": (brk_two, (positive(6), 1e9), (0,)),
    "nested break": (nest_brk, (positive(4, 4) + 0.4, 2.2), (0,)),
    "steps": (stepped, (positive(8),), (0,)),
    "triangle": (triangular, (normal(5, 5),), (0,)),
    "nested returns": (ret_nested, (positive(4),), (0,)),
    "nested returns, second": (ret_nested, (positive(4) * np.array([1, -1, 1, 1]),), (0,)),
    "nested returns, third": (ret_nested, (-positive(4),), (0,)),
    "nested while": (while_nested, (0.7,), (0,)),
    "loops in branches": (ifloop, (positive(4), 1), (0,)),
    "loops in branches, other": (ifloop, (positive(4), 0), (0,)),
    "Python floats": (scal, (0.4, 0.9), (0, 1)),
    "tree of results": (multi, (normal(4), normal(4)), (0, 1)),
    "broadcasting": (bcast, (normal(3), normal(4)), (0, 1)),
    "reductions": (keep, (normal(3, 4),), (0,)),
    "raising": (printing, (positive(4),), (0,)),
    "long while": (whilebig, (normal(3),), (0,)),
    "returns anywhere": (early_top, (positive(5) + 0.8,), (0,)),
    "returns anywhere, early": (early_top, (positive(5) + 50.0,), (0,)),
    "returns anywhere, late": (early_top, (positive(5) * 0.1,), (0,)),
    "continue, mixed": (contcomplex, (normal(6) + 0.8,), (0,)),
    "comprehension": (compr, (normal(4),), (0,)),
    "list": (lists, (positive(4),), (0,)),
    "shapes": (shapes, (normal(6),), (0,)),
    "array result": (inplace_ret, (normal(4),), (0,)),
    "int counters": (counters, (normal(10), 4), (0,)),
    "a tape that is written now and then": (sometimes, (normal(3), 25), (0,)),
    "rows written now and then": (rows, (normal(3), 60), (0,)),
    "left before a continue": (left_before_continue, (positive(4), 0.9), (0,)),
    "left later": (left_before_continue, (positive(4), -9.0), (0,)),
    "left at once": (left_before_continue, (positive(4) - 3.0, 0.0), (0,)),
    "left after a branch": (left_after_branch, (positive(4), 9.0), (0,)),
    "left after the other branch": (left_after_branch, (positive(4) + 1.0, 4.0), (0,)),
    "nothing varies": (constant, (normal(3),), (0,)),
}
