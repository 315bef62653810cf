"""Programs for the lowering: writes that overlap what they read, views, dtypes, errors."""

from __future__ import annotations

import math

import numpy as np


def shift_up(u):
    u = u.copy()
    u[1:] = u[:-1]
    return u


def shift_down(u):
    u = u.copy()
    u[:-1] = u[1:]
    return u


def shift_by_two_both_ways(u):
    u = u.copy()
    u[2:] += u[:-2]
    u[:-2] -= 0.5 * u[2:]
    return u


def shift_corner(a):
    a = a.copy()
    a[1:, :-1] = a[:-1, 1:]
    return a


def shift_mixed(a):
    a = a.copy()
    a[1:, 1:] = a[:-1, 1:] + a[1:, :-1]
    return a


def shift_opposite(a):
    a = a.copy()
    a[1:-1] = a[2:] + a[:-2]
    return a


def stencil(u, r):
    u = u.copy()
    u[1:-1] = u[1:-1] + r * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u


def stencil_2d(a, r):
    a = a.copy()
    a[1:-1, 1:-1] += r * (a[2:, 1:-1] + a[:-2, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2])
    return a


def transpose_into_itself(a):
    a = a.copy()
    a[:] = a.T
    return a


def add_transpose(a):
    a = a.copy()
    a += a.T
    return a


def reverse_into_itself(u):
    u = u.copy()
    u[:] = u[::-1]
    return u


def add_reverse(u):
    u = u.copy()
    u += u[::-1]
    return u


def write_reversed(u):
    u = u.copy()
    u[::-1] = u
    return u


def permute_into_itself(u):
    u = u.copy()
    order = np.argsort(u)
    u[order] = u
    return u


def gather_into_itself(u):
    u = u.copy()
    order = np.argsort(u)
    u[:] = u[order]
    return u


def masked_twice(u):
    u = u.copy()
    u[u > 0.5] = u[u > 0.5] * 2
    u[u > 0.7] = 0.0
    return u


def masked_rows(a):
    a = a.copy()
    a[a[:, 0] > 0.5] = 0.0
    return a


def column_to_row(a):
    a = a.copy()
    a[0] = a[:, 0]
    return a


def row_to_all(a):
    a = a.copy()
    a += a[0]
    a[:] = a[-1]
    return a


def views_of_views(u):
    v = u.copy()
    w = v[1:]
    w *= 2.0
    w[::2] += 1.0
    return v, w.sum(), v[::-1][1:][::2] * 2.0


def swapped_buffers(u0, steps):
    u = u0.copy()
    v = np.zeros_like(u)
    for _ in range(steps):
        v[1:-1] = u[1:-1] * u[1:-1] + 0.3 * (u[2:] - u[:-2])
        v[0] = u[0]
        u, v = v, u
    return u, v


def rolling_buffers(u, steps):
    v = 2.0 * u
    for _ in range(steps):
        w = np.zeros_like(v)
        w[1:] = v[:-1] + u[1:]
        u, v = v, w
    return u, v


def single_precision(u):
    w = u.astype(np.float32)
    return w * 2.0 + 1, np.sum(w), np.mean(w), np.exp(w) / 3.0, w**2, np.maximum(w, 0.1)


def integers(u):
    k = np.arange(u.shape[0])
    return k // 2, k % 3, -k // 2, k**2, k / 2, np.sum(k), np.sum(k > 1), k * True, np.cumsum(k > 1)


def products(a, u):
    return a @ a, a @ u, u @ a, u @ u, a.T @ a, a @ a.T, np.outer(u, u), a[:, ::2] @ a[::2], a[::-1] @ u


def empties(u):
    e = u[:0]
    return np.sum(e), e * 2, np.concatenate((e, u)), np.prod(e), np.mean(e)


def choices(u):
    return np.where(u > 0.5, u, 0.0), np.maximum(u, 0.5), np.clip(u, 0.2, 0.6), np.sign(u - 0.5)


def reductions(a):
    return a.sum(0), a.sum(1, keepdims=True), a.mean(axis=0), a.var(0), a.std(), np.cumsum(a, axis=1)


def extremes(a):
    return a.max(axis=0), a.min(1), a.argmax(0), np.argmin(a)


def reshapes(a):
    return a.reshape(-1), a.T.reshape(-1), a[None], a.ravel()[1:], (a + 1.0).reshape(-1), a[:, ::-1].ravel()


def not_a_number(u):
    u = u.copy()
    u[1] = np.nan
    return np.max(u), np.argmax(u), np.maximum(u, 0.3), np.sort(u), np.minimum(0.3, u)


def rank_zero(s):
    a = np.array(s)
    a += 1.0
    return a * 2, a, np.sum(a)


def index_arrays(a):
    i = np.array([0, -1, 1])
    return a[i], a[:, i], a[i, i], a[i][:, 0], a[i, 1:], a[i[:, None], i]


def returned_views(a):
    return a[0], a.T


def broadcasts(a, u):
    return a * u, a * u[:, None], u[:, None] * u, a - a.mean(axis=1, keepdims=True)


def search(u):
    k = 0
    while k < u.shape[0] and u[k] < 0.9:
        k += 1
    return k


def first_above(u, limit):
    for i in range(u.shape[0]):
        if u[i] > limit:
            return i, u[i]
    return -1, 0.0


def scattered(u):
    index = np.array([0, 1, 1, 0])
    out = np.zeros(2)
    np.add.at(out, index, u[:4])
    last = np.zeros(2)
    last[index] = u[:4]
    plus = np.ones(2)
    plus[index] += u[:4]
    return out, last, plus


def smooth(u, n):
    for k in range(n):
        for i in range(1, u.shape[0] - 1):
            u[i] = 0.5 * (u[i - 1] + u[i + 1])
        u[-1] = u[0] + k
    return np.sum(u)


# --- what raises ------------------------------------------------------------------------------------------


def element(x, i):
    return x[i]


def set_element(x, i):
    x = x.copy()
    x[i] = 1.0
    return x


def add(x, y):
    return x + y


def assign(x, y):
    x = x.copy()
    x[1:] = y
    return x


def matrix_vector(x, y):
    return x @ y


def largest(x):
    return np.max(x)


def position(x):
    return np.argmax(x)


def rows_of_two(x, n):
    return x.reshape(n, 2)


def joined(x, y):
    return np.concatenate((x, y))


def stacked(x, y):
    return np.stack((x, y))


def root(s):
    return math.sqrt(s)


def logarithm(s):
    return math.log(s)


def exponential(s):
    return math.exp(s)


def nothing(n):
    return np.zeros(n)


def masked(x, m):
    return x[m]


def refused(s):
    if s < 0:
        raise KeyError("negative")
    return s


def asserted(s):
    assert s > 0, "must be positive"
    return s


def quotient(n, m):
    return n // m


def integer_power(k, n):
    return k**n


def fourth_from_end(x):
    return x[-4]


def contracted(x, y):
    return np.einsum("ij,jk->ik", x, y)


def total(x, n):
    s = 0.0
    for i in range(n):
        s += x[i]
    return s


def truncated(s):
    return int(s)


def repeated(x, n):
    return np.repeat(x, n)


def by_array(x):
    return x[np.array([0, -4])]
