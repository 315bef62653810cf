"""Programs as people write them, each built around one thing that derivatives get wrong.

`CORE` holds the cases every release must get right; `MORE` broadens them. A value is
`(function, arguments, positions to differentiate or None for all floating ones)`.
"""

from __future__ import annotations

import math
from collections import namedtuple
from dataclasses import dataclass

import numpy as np

X = np.array([0.7, -0.4, 1.3, 0.9])
Y = np.array([0.8, 1.7, 0.6, -1.2])
M = np.array([[0.5, -0.2, 0.9], [1.1, 0.4, -0.7], [0.3, 0.8, 1.2]])


# ---- writes by element, slice, mask, index array --------------------------------------
def add_to_elements(x):
    y = np.ones_like(x)
    for i in range(x.shape[0]):
        y[i] += np.sin(x[i])
    return np.sum(y * y)


def set_elements(x):
    y = np.ones_like(x)
    for i in range(x.shape[0]):
        y[i] = np.sin(x[i])
    return np.sum(y * y)


def recurrence(x):
    y = np.empty(x.shape[0] + 1)
    y[0] = 0.3
    for i in range(x.shape[0]):
        y[i + 1] = np.tanh(y[i]) * x[i] + y[i]
    return y[-1] + np.sum(y)


def slice_writes(x, y):
    a = x.copy()
    a[1:] = y[1:] * a[:-1]
    a[:2] += a[2:]
    a[::2] *= x[::2]
    return np.sum(a * x)


def mask_writes(x, y):
    a = x * y
    a[x > 0.8] = 2.0
    a[y < 0.7] += x[y < 0.7] ** 2
    mask = a > 0.0
    a[mask] = np.sin(a[mask]) * y[mask]
    return np.sum(a * x)


def fancy_writes(x, y, idx):
    a = np.zeros(5)
    a[idx] = x * y
    b = np.ones(5)
    b[idx] += x * x
    np.add.at(a, idx, y)
    return np.sum(a * a * b) + np.sum(a[idx] * x)


def shifts_in_place(x):
    a = x * x
    a[1:] = a[:-1]
    b = np.sin(x)
    b[:-1] = b[1:]
    c = np.outer(a, b)
    c[1:, :-1] = c[:-1, 1:]
    c[:] = c.T * c
    return np.sum(c * x)


def stencil_in_place(u0, c):
    u = u0.copy()
    for _ in range(3):
        u[1:-1] = u[1:-1] + c * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
    return np.sum(u * u)


def transpose_in_place(m):
    a = m.copy()
    a[:] = a.T
    a[0] *= a[:, 1]
    return np.sum(a * m * m)


# ---- control flow ---------------------------------------------------------------------
def break_on_data(x, limit):
    s = 0.0
    for i in range(x.shape[0]):
        s += np.exp(x[i]) * x[i]
        if s > limit:
            break
        s = s * 1.5
    return s * s


def running_logsumexp(x):
    m = x[0]
    s = 1.0
    for i in range(1, x.shape[0]):
        if x[i] > m:
            s = s * np.exp(m - x[i]) + 1.0
            m = x[i]
        else:
            s += np.exp(x[i] - m)
    return m + np.log(s)


def int_accumulated_with_floats(x):
    s = 0
    for v in x:
        s += v * v
    return s * s


def loop_variable_after_its_loop(x):
    s = 0.0
    for i in range(x.shape[0] - 1):
        s += x[i] * x[i]
    return s * x[i] + x[i + 1]


def zero_trips(x, n):
    s = x[0] * x[0]
    y = x
    for i in range(n):
        s += x[i]
        y = y * x[i]
    while s > 1.0e6:
        s = s * 0.5
    for i in range(5, 2):
        s = s * x[100 * i]
    return s + np.sum(y)


def bound_on_one_branch(x, flag):
    if flag > 0.0:
        t = x[0] * x[1]
    s = np.sum(x * x)
    if flag > 0.0:
        s = s * t
    return s


def constant_result(x):
    y = np.floor(x * 0.0 + 2.5)
    return np.sum(y) + 1.0


# ---- broadcasting ---------------------------------------------------------------------
def broadcast_binary(m, row, column, one, c):
    a = m + row
    a = a * column
    a = a - c * row
    a = a / (2.0 + column * column)
    a = np.maximum(a, row * 0.1) + np.minimum(one, a) * one
    a = a + np.arctan2(row, 2.0 + column)
    a = a + (2.0 + np.tanh(column)) ** row
    a = a + np.hypot(row, one + 3.0) + np.logaddexp(column, row)
    a = a % 5.5
    return np.sum(a * a) + np.sum(row * column)


def broadcast_empty(m, row, c):
    a = m[:0] * row + c
    b = m[:, :0] - np.sum(m, axis=1, keepdims=True) * c
    return np.sum(a) + np.sum(b) + np.sum(row) * c


def in_place_broadcast(m, row, column):
    a = m * m
    a += row
    a *= column
    a[1:] -= row * 0.5
    a[:, 0] /= 2.0 + row[0]
    return np.sum(a * m)


def power(x, y):
    return np.sum(np.exp(x) ** y) + np.abs(x[0]) ** y[0] + 2.0 ** y[1] + 3.5 ** float(y[2])


# ---- aliases and views ----------------------------------------------------------------
def one_buffer_two_names(x):
    a = b = np.zeros(x.shape[0])
    a[:] = x * x
    b[0] = a[1] * 3.0
    a[1] *= b[0]
    return np.sum(a * b * x)


def view_kept_across_a_write(x):
    a = x.copy()
    v = a[1:]
    a[2] = a[0] * a[1]
    s = np.sum(v * v)
    v[0] = s * x[3]
    a *= x
    return np.sum(a * a) + np.sum(v)


def triple_row(row, c):
    for j in range(row.shape[0]):
        row[j] = row[j] * c + row[j - 1] * row[j]


def row_view_in_a_helper(m, c):
    a = m.copy()
    for i in range(a.shape[0]):
        triple_row(a[i], c * i)
    return np.sum(a * a)


def names_swapped_each_step(x, n):
    u = x.copy()
    v = np.zeros_like(x)
    for _ in range(n):
        v[1:] = u[:-1] * u[1:] + 0.3 * v[:-1]
        v[0] = np.sin(u[0])
        u, v = v, u
    return np.sum(u * x) + np.sum(v)


def mutate_first(a, b):
    a[0] = a[0] * b[1]
    a[1:] += b[:-1] * b[1:]


def same_array_twice(x):
    a = x.copy()
    mutate_first(a, a)
    return np.sum(a * x)


CORE = {
    "add to elements": (add_to_elements, (X,), None),
    "set elements": (set_elements, (X,), None),
    "recurrence": (recurrence, (X,), None),
    "slice writes": (slice_writes, (X, Y), None),
    "mask writes": (mask_writes, (X, Y), None),
    "fancy writes": (fancy_writes, (X, Y, np.array([1, 4, 1, 0])), None),
    "shifts in place": (shifts_in_place, (X,), None),
    "stencil in place": (stencil_in_place, (X, 0.1), None),
    "transpose in place": (transpose_in_place, (M,), None),
    "break taken": (break_on_data, (X, 2.5), (0,)),
    "break in the first trip": (break_on_data, (X, -9.0), (0,)),
    "break not taken": (break_on_data, (X, 1.0e9), (0,)),
    "logsumexp with a running maximum": (running_logsumexp, (X,), None),
    "broadcasting": (broadcast_binary, (M, M[0] * 0.9, M[:, :1] * 0.8, np.array([[0.7]]), 0.6), None),
    "broadcasting size 0": (broadcast_empty, (M, M[1].copy(), 0.6), None),
    "broadcasting in place": (in_place_broadcast, (M, M[0].copy(), M[:, :1].copy()), None),
    "power": (power, (X, Y), None),
    "int accumulated with floats": (int_accumulated_with_floats, (X,), None),
    "one buffer, two names": (one_buffer_two_names, (X,), None),
    "view kept across a write": (view_kept_across_a_write, (X,), None),
    "row view mutated in a helper": (row_view_in_a_helper, (M, 0.7), None),
    "two names swapped each step": (names_swapped_each_step, (X, 3), None),
    "names swapped an even number of times": (names_swapped_each_step, (X, 2), None),
    "loop variable after its loop": (loop_variable_after_its_loop, (X,), None),
    "zero trips": (zero_trips, (X, 0), None),
    "zero trips, negative count": (zero_trips, (X, -3), None),
    "bound on one branch, taken": (bound_on_one_branch, (X, 1.0), (0,)),
    "bound on one branch, not taken": (bound_on_one_branch, (X, -1.0), (0,)),
    "result without the input": (constant_result, (X,), None),
}


# ---- broader --------------------------------------------------------------------------
def while_newton(a):
    x = 1.0 + a
    trips = 0
    while abs(x * x - a) > 1e-12 and trips < 60:
        x = 0.5 * (x + a / x)
        trips += 1
    return x * a


def while_fills_an_array(x, limit):
    y = np.zeros(10)
    y[0] = x[0]
    k = 0
    while y[k] < limit and k < 9:
        y[k + 1] = y[k] * x[1] + x[2]
        k += 1
    return np.sum(y * y) + y[k]


def while_else(x):
    s = x[0]
    k = 0
    while k < 3:
        s = s * x[k] + 0.2
        k += 1
        if s > 1.0e5:
            break
    else:
        s = s * s
    return s + x[3]


def for_else(x, limit):
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * x[i]
        if s > limit:
            s = s * x[0]
            break
    else:
        s = np.sin(s)
    return s * x[1]


def continue_in_loops(x):
    s = 0.0
    for i in range(x.shape[0]):
        if x[i] < 0.0:
            continue
        for j in range(x.shape[0]):
            if j == i:
                continue
            s += x[i] * x[j] * x[j]
    return s


def early_returns(x, limit):
    s = 1.0
    for i in range(x.shape[0]):
        for j in range(i):
            s = s + x[i] * x[j] * s
            if s > limit:
                return s * x[j]
        if s < -10.0:
            return s
    return s * s


def closure_and_lambda(x, c):
    scale = c * c

    def term(v):
        return np.sin(v * scale)

    square = lambda v: v * v + c  # noqa: E731
    return sum(term(v) * square(v) for v in x)


def inner_function_writes(x):
    total = np.zeros(2)

    def add(v, k):
        total[k] += v * v

    for i in range(x.shape[0]):
        add(x[i], i % 2)
    return total[0] * total[1]


def dict_of_parameters(p, x):
    h = np.tanh(x @ p["w"] + p["b"])
    out = {"h": h, "norm": np.sum(p["w"] ** 2)}
    out["norm"] = out["norm"] * p["scale"]
    return np.sum(out["h"]) + out["norm"]


Spring = namedtuple("Spring", ["stiffness", "rest"])


def namedtuple_of_parameters(spring, x):
    stretch = x[1:] - x[:-1] - spring.rest
    return 0.5 * spring.stiffness * np.sum(stretch**2)


@dataclass(frozen=True)
class Layer:
    w: np.ndarray
    b: np.ndarray
    slope: float = 0.1


def dataclass_of_parameters(layer, x):
    z = layer.w @ x + layer.b
    return np.sum(np.where(z > 0.0, z, layer.slope * z) ** 2)


def tuples_and_lists(pairs, x):
    h = x
    for w, b in pairs:
        h = np.tanh(h * w) + b
    return np.sum(h)


def list_building(x):
    ys = []
    for i in range(x.shape[0]):
        ys.append(x[i] * x[i] + i)
    a = np.array(ys)
    rows = [a * v for v in (1.0, 2.0, 0.5)]
    return np.sum(np.stack(rows) ** 2) + np.sum(np.concatenate([a, x]))


def comprehensions(x):
    a = np.array([np.sin(v) * k for k, v in enumerate(x)])
    b = np.array([[u * v for v in x] for u in x])
    return np.sum(a @ b)


def recursive_power(x, n):
    if n == 0:
        return 1.0
    half = recursive_power(x, n // 2)
    if n % 2 == 1:
        return half * half * x
    return half * half


def recursion(x):
    return recursive_power(x[0], 5) + recursive_power(x[1] * x[2], 3)


def scale_in_place(a, c):
    a *= c
    a[0] = a[0] * a[1]


def smooth_in_place(a):
    for i in range(1, a.shape[0]):
        a[i] = 0.5 * (a[i] + a[i - 1] * a[i])
    scale_in_place(a[1:], a[0])


def helpers_that_mutate(x, c):
    a = x.copy()
    scale_in_place(a, c)
    smooth_in_place(a)
    scale_in_place(a[::-1], c)
    return np.sum(a * a)


def augmented_through_views(m):
    a = m * m
    a[1][0] += a[0, 0] * 2.0
    a[:, 1][1:] *= a[0, :2]
    d = a.T[2]
    d -= a[0]
    a[0, 1:][0] /= 3.0
    return np.sum(a * m)


def negative_strides(x):
    a = x.copy()
    r = a[::-1]
    r[1:] = r[:-1] * x[1:]
    a[3:0:-2] += x[:2]
    return np.sum(a * r)


def ellipsis_and_newaxis(m):
    a = m[..., 0] * 2.0
    b = m[None, ..., 1:]
    c = np.zeros((2, 3, 3))
    c[0, ...] = m * a[:, None]
    c[..., -1] += a
    c[1] = c[0] ** 2
    return np.sum(c * c) + np.sum(b**3)


def out_arguments(x, y):
    a = np.empty_like(x)
    np.multiply(x, y, out=a)
    np.add(a, x, out=a)
    np.copyto(a[1:3], y[:2] * a[:2])
    b = np.zeros(x.shape)
    b.fill(x[0] * 2.0)
    np.sin(a, out=b[:])
    return np.sum(a * b)


def element_swaps(x):
    a = x.copy()
    for i in range(a.shape[0] - 1):
        if a[i] > a[i + 1]:
            a[i], a[i + 1] = a[i + 1], a[i]
    a[0], a[-1] = a[-1] * 2.0, a[0]
    return np.sum(a * np.arange(4.0) * x)


def arguments_written(x, y):
    x[0] = y[0] * y[1]
    y[1:] *= x[:-1]
    return np.sum(x * y)


def triangular_sums(x):
    n = x.shape[0]
    s = np.zeros(n)
    for i in range(n):
        for j in range(i + 1):
            s[i] += x[j] * x[i]
        s[i] = np.tanh(s[i])
    return np.sum(s * s)


def step_and_reversed(x):
    s = 0.0
    for i in range(x.shape[0] - 1, -1, -2):
        s = s * x[i] + x[i]
    for i in reversed(range(x.shape[0])):
        s += x[i] * i
    for a, b in zip(x[1:], x[:-1]):
        s = s + a * b * s
    return s


def ternaries_and_walrus(x):
    s = 0.0
    for v in x:
        s += v * v if v > 0.0 else -2.0 * v
        if (t := s * v) > 0.9:
            s = s + t
    ok = (x[0] > 0.0 and x[1] < 0.0) or s > 100.0
    return s * 2.0 if ok and 0.0 < s < 50.0 else s


def python_numbers(a, b):
    c = a * b + 2
    d = max(c, b) - min(a, 0.3)
    e = math.exp(-a) * math.sin(b) + abs(d) ** 1.5
    return float(c) / e + math.hypot(a, b)


def keyword_arguments(x, *, scale=2.0, shift=0.5):
    return np.sum(np.tanh(x * scale + shift))


def calls_with_keywords(x, c):
    return keyword_arguments(x, scale=c) + keyword_arguments(shift=c, x=x * 2.0)


def reductions(m):
    a = np.sum(m, axis=0) * np.mean(m, axis=-1) + np.max(m, axis=1)
    b = m.prod(axis=(0, 1)) + m.std() + np.var(m, axis=0, ddof=1).sum()
    c = np.cumsum(m, axis=1)[:, -1] @ np.min(m, axis=0, keepdims=True)[0]
    return np.sum(a) * b + c


def products(m, x):
    a = m @ m.T
    b = np.dot(m, x[:3]) + x[:3] @ m
    c = np.outer(x, b)
    return np.sum(a @ b) + np.trace(m @ a) + np.inner(x[:3], b) + np.vdot(c, c)


def int_buffer_truncates(x):
    k = np.zeros(3, dtype=int)
    k[0] = x[0] * 10.3
    k[1:] = x[1:3] * 5.7
    return np.sum(x) * k[0] + k[2]


def rank_changes_by_branch(x, n):
    y = x
    for i in range(n):
        if i % 2 == 0:
            y = y * x[i]
        else:
            y = np.sin(y) + np.sum(y)
    return np.sum(y)


def conditional_write(x):
    a = np.zeros_like(x)
    for i in range(x.shape[0]):
        if x[i] > 0.0:
            a[i] = x[i] ** 2
            if a[i] > 1.0:
                a[i] = 1.0 + a[i] * x[0]
        elif i > 0:
            a[i] = a[i - 1]
    return np.sum(a * a)


def two_results(x, y):
    a = np.sin(x) * y
    return {"a": a, "parts": (np.sum(a), [x * 2.0, y[0]])}


def array_result(m, x):
    out = np.zeros((2, 3))
    out[0] = m @ x[:3]
    out[1, 1:] = np.cos(x[:2])
    return out


def mixed_views_in_a_loop(m):
    a = m.copy()
    for i in range(1, a.shape[0]):
        above = a[i - 1]
        here = a[i]
        here += above * 0.5
        above[0] = here[0] * here[1]
        here[1:] = here[:-1] * above[1:]
    return np.sum(a * a)


def matrix_lu(m):
    a = m + 4.0 * np.eye(3)
    n = a.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            a[i, k + 1 :] -= a[i, k] * a[k, k + 1 :]
    return np.sum(np.log(np.abs(np.diag(a)))) + a[1, 0] * a[0, 2]


def float32_program(x, c):
    y = np.zeros_like(x)
    for i in range(x.shape[0]):
        y[i] = x[i] * c + 0.5
    return np.sum(y * y)


@dataclass(frozen=True)
class Decay:
    rate: float

    def __call__(self, t):
        return np.exp(-self.rate * t)


def callable_object(decay, t):
    return np.sum(decay(t) * t)


MORE = {
    "while": (while_newton, (2.3,), None),
    "while fills an array": (while_fills_an_array, (np.array([0.5, 1.4, 0.3]), 3.0), (0,)),
    "while else": (while_else, (X,), None),
    "for else, broken": (for_else, (X, 1.0), (0,)),
    "for else, completed": (for_else, (X, 1.0e9), (0,)),
    "continue": (continue_in_loops, (X,), None),
    "early return, inner loop": (early_returns, (np.abs(X), 2.0), (0,)),
    "early return, not taken": (early_returns, (np.abs(X), 1.0e9), (0,)),
    "closure and lambda": (closure_and_lambda, (X, 0.9), None),
    "inner function writes": (inner_function_writes, (X,), None),
    "dict": (dict_of_parameters, ({"w": M, "b": X[:3], "scale": 0.3}, X[:3]), None),
    "namedtuple": (namedtuple_of_parameters, (Spring(2.5, 0.3), X), None),
    "dataclass": (dataclass_of_parameters, (Layer(M, X[:3]), X[:3]), None),
    "list of tuples": (tuples_and_lists, ([(X, 0.5), (Y, -0.2)], X), None),
    "list building": (list_building, (X,), None),
    "comprehensions": (comprehensions, (X,), None),
    "recursion": (recursion, (X,), None),
    "helpers that mutate": (helpers_that_mutate, (X, 0.8), None),
    "augmented writes through views": (augmented_through_views, (M,), None),
    "negative strides": (negative_strides, (X,), None),
    "ellipsis and newaxis": (ellipsis_and_newaxis, (M,), None),
    "out, copyto, fill": (out_arguments, (X, Y), None),
    "element swaps": (element_swaps, (X,), None),
    "arguments written": (arguments_written, (X, Y), None),
    "triangular loop": (triangular_sums, (X,), None),
    "steps, reversed, zip": (step_and_reversed, (X,), None),
    "ternaries and walrus": (ternaries_and_walrus, (X,), None),
    "python numbers": (python_numbers, (0.7, 0.4), None),
    "keywords": (calls_with_keywords, (X, 0.7), None),
    "reductions": (reductions, (M,), None),
    "products": (products, (M, X), None),
    "int buffer": (int_buffer_truncates, (X,), None),
    "alternating branches": (rank_changes_by_branch, (X, 4), None),
    "conditional writes": (conditional_write, (X,), None),
    "tree of results": (two_results, (X, Y), None),
    "array result": (array_result, (M, X), None),
    "views in a loop": (mixed_views_in_a_loop, (M,), None),
    "LU in place": (matrix_lu, (M,), None),
    "callable object": (callable_object, (Decay(0.4), np.abs(X)), None),
}

SINGLE = {"float32": (float32_program, (X.astype(np.float32), np.float32(0.7)), None)}
