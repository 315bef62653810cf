"""Programs that use the Python subset, with arguments; plain NumPy. Read by test_build.py."""

# ruff: noqa: B007, B905, F841 - programs as people write them

import math
from collections import namedtuple
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy import exp as e_to_the

RATE = 0.3
TABLE = np.array([1.0, 2.0, 4.0])
OPTIONS = {"power": 2, "scale": 1.5}
LAYERS = [np.eye(2), np.ones((2, 2))]

Pair = namedtuple("Pair", "a b")


@dataclass
class Model:
    w: np.ndarray
    bias: float
    kind: str = "tanh"

    def __call__(self, x):
        return self.act(self.w @ x + self.bias)

    def act(self, z):
        if self.kind == "tanh":
            return np.tanh(z)
        return np.maximum(z, 0.0)

    @property
    def size(self):
        return self.w.shape[0]


def chained(x):
    a = b = x * 2.0
    c, (d, *rest) = a, (b, 1.0, 2.0, x)
    a += 1.0
    return a + b + c * d + rest[0] * rest[1] + rest[-1]


def walrus(x):
    if (y := x * x) > 0.5:
        return y
    return y + 1.0


def ternary_chain(x):
    y = x if x > 1.0 else -x if x < -1.0 else x * x
    return y if 0.0 < y < 2.0 else 0.5


def boolean_values(x, y):
    z = x > 0.0 and y > 0.0
    w = x > 0.0 or y > 0.0
    return (1.0 if z else 2.0) + (3.0 if w and not z else 4.0)


def short_circuit(x):
    i = 0
    s = 0.0
    while i < x.shape[0] and x[i] < 1.5:
        s += x[i]
        i += 1
    return s


def loop_else(x, lim):
    for i in range(x.shape[0]):
        if x[i] > lim:
            y = x[i] * 2.0
            break
    else:
        y = -1.0
    return y


def while_else(x):
    while x > 1.0:
        x = x / 2.0
        if x == 3.0:
            break
    else:
        x = x + 10.0
    return x


def loop_variable_after(x):
    for i in range(x.shape[0]):
        t = x[i] * i
    return t + i


def bound_on_one_branch(x):
    if x > 0.0:
        t = x * 3.0
    s = 1.0
    if x > 0.0:
        s = t * t
    return s


def default_and_keyword(x, scale=2.0, *, shift=1.0):
    return x * scale + shift


def variadic(x, *more, **named):
    s = x
    for m in more:
        s = s * m
    return s + named["k"]


def calls_variadic(x):
    return variadic(x, 2.0, x, k=3.0) + default_and_keyword(x, shift=x)


def nested_function(x):
    scale = 2.0

    def inner(v, p=3.0):
        return v * scale + p

    scale = 4.0
    return inner(x) + inner(x, p=1.0)


def nonlocal_counter(x):
    total = 0.0

    def add(v):
        nonlocal total
        total = total + v

    for i in range(3):
        add(x * i)
    return total


def inner_writes(x):
    buf = np.zeros(3)

    def put(i, v):
        buf[i] = v

    for i in range(3):
        put(i, x * i)
    return np.sum(buf * buf)


def lambdas(x):
    f, g = lambda v: v * 2.0, lambda v: v + 1.0
    return f(g(x)) * (lambda a, b=2.0: a**b)(x)


def apply_twice(f, x):
    return f(f(x))


def higher_order(x):
    return (
        apply_twice(lambda v: v * v + RATE, x)
        + apply_twice(math.sin, x)
        + apply_twice(partial(pow_of, p=2), x)
    )


def pow_of(v, p):
    return v**p


def captured(x):
    return x * RATE + np.sum(TABLE) * OPTIONS["scale"] ** OPTIONS["power"]


def captured_list(x):
    for w in LAYERS:
        x = w @ x
    return np.sum(x)


def alias_names(x):
    return e_to_the(x) + math.pi + np.pi


def list_append(x, n):
    hs = []
    h = x
    for _ in range(n):
        h = np.tanh(h) * 1.5
        hs.append(h)
    return np.sum(np.array(hs) ** 2)


def list_of_arrays(x, n):
    rows = [x]
    for i in range(n):
        rows.append(rows[-1] * 0.5 + i)
    return np.stack(rows)


def conditional_append(x):
    found = []
    for i in range(x.shape[0]):
        if x[i] > 0.0:
            found.append(x[i] * 2.0)
    return np.sum(np.array(found)) + len(found)


def static_list(x):
    parts = [x * k for k in range(3)]
    parts.append(x * x)
    parts[0] = x + 5.0
    return np.sum(np.stack(parts)) + len(parts)


def comprehension(x, n):
    return np.sum(np.array([math.sin(x * i) for i in range(n)]))


def comprehension_filter(x):
    return sum(v * v for v in x if v > 0.0)


def generators(x):
    return sum(a * b for a, b in zip(x, x[::-1])) + max(v for v in x) + float(any(v > 1.0 for v in x))


def dict_params(params, x):
    h = x
    for name in ("a", "b"):
        h = np.tanh(params[f"w_{name}"] @ h + params["bias"][name])
    return np.sum(h)


def returns_dict(x):
    return {"value": x * 2.0, "pair": (x, [x + 1.0]), "name": "result"}


def dict_methods(x):
    d = dict(a=x, b=2.0)
    d["c"] = d["a"] * d.get("b", 1.0)
    s = 0.0
    for key, value in d.items():
        if key != "b":
            s = s + value
    return s + len(d) + sum(d.values())


def named(p, x):
    q = Pair(p.a * x, b=p.b + 1.0)
    a, b = q
    return Pair(q.a * b, a)


def dataclass_model(model, x):
    return np.sum(model(x)) * model.size + model.bias


def makes_dataclass(w, x):
    return np.sum(Model(w, 0.5, "relu")(x))


def writes(x):
    a = np.zeros((3, 4))
    a[0] = x[0]
    a[1, 1:] = x[:3]
    a[:, 0] += 2.0
    a[2, ::2] = x[1]
    a[-1, -1] -= 3.0
    a[a > 2.5] *= 2.0
    a[[0, 1], [2, 3]] = 7.0
    a[..., 1] **= 2
    return a


def views(x):
    a = x.copy()
    v = a[1:]
    w = v[::-1]
    w[0] = 10.0
    v *= 2.0
    b = a.reshape(2, 2)
    t = np.asarray(a)
    t += 1.0
    return np.sum(a * x) + v[0], a


def view_kept_across_write(x):
    a = x.copy()
    row = a[1:3]
    a[1] = 5.0
    s = np.sum(row)
    a[2] = s
    return np.sum(row * row)


def transposed_write(x):
    a = np.zeros((2, 3))
    a.T[1] = x[:2]
    a.T[0:2, 1] += x[2:4]
    return a


def shifts(x):
    a = x.copy()
    a[1:] = a[:-1]
    b = x.copy()
    b[:-1] = b[1:]
    c = np.outer(x, x)
    c[:] = c.T * 2.0 + c
    return a, b, c


def ping_pong(x, n):
    u = x.copy()
    v = np.zeros_like(x)
    for _ in range(n):
        v[1:-1] = 0.5 * (u[2:] + u[:-2])
        u, v = v, u
    return u + v


def rebinding_views(x, n):
    a = np.zeros((n, x.shape[0]))
    row = a[0]
    for i in range(n):
        row = a[i]
        row[:] = x * i
    row[0] = 100.0
    return a


def add_at(x):
    a = np.zeros(3)
    idx = np.array([0, 1, 0, 2])
    np.add.at(a, idx, x)
    b = np.zeros(3)
    b[idx] += x
    return a, b


def out_argument(x):
    a = np.empty_like(x)
    np.multiply(x, 2.0, out=a)
    np.add(a, x, a)
    np.copyto(a[:2], 1.0)
    a[2:].fill(4.0)
    return a


def mutates(a, s):
    a[0] = s
    a *= s


def calls_mutator(x):
    y = x.copy()
    mutates(y, 3.0)
    mutates(y[1:], 0.5)
    return y


def static_branches(x, mode="relu"):
    if mode == "relu":
        return np.maximum(x, 0.0)
    elif isinstance(x, np.ndarray) and x.ndim == 2:
        return x.T
    return x


def early_returns(x):
    for i in range(x.shape[0]):
        if x[i] > 1.0:
            return x[i] * 2.0
        for j in range(i):
            if x[j] < -1.0:
                return x[j]
    return 0.0


def helper_with_returns(v):
    if v > 1.0:
        return v * 2.0
    for k in range(3):
        v = v + 0.5
        if v > 2.0:
            return v
    return -v


def calls_early(x):
    return sum(helper_with_returns(v) for v in x) + helper_with_returns(x[0])


def unpack_shape(x):
    n, m = x.shape
    total = 0.0
    for i in range(n):
        for j in range(m):
            total += x[i, j] * (i + j)
    return total / x.size + len(x)


def rows(a):
    s = 0.0
    for row in a:
        for k, v in enumerate(row, start=1):
            s += k * v
    for r, c in zip(a, a[::-1]):
        s += r @ c
    for i in reversed(range(a.shape[0])):
        s = s * 0.5 + a[i, 0]
    return s


def int_sum_of_floats(x):
    s = 0
    for v in x:
        s += v
    return s


def zero_trips(x, n):
    y = x
    for i in range(n):
        y = y * i
    return y


def asserts(x):
    assert x.shape[0] == 4, f"need 4, got {x.shape[0]}"
    if x[0] > 100.0:
        raise ValueError("too large")
    return x


def errstate(x):
    with np.errstate(divide="ignore"):
        y = 1.0 / x
    return y


def shadowing(x):
    sum = x * 2.0
    abs = sum + 1.0
    return sum * abs


def deletes(x):
    y = x * 2.0
    z = y * y
    del y
    y = z + x
    return y


def star_args(x):
    pair = (x, 2.0)
    return pow_of(*pair) + pow_of(**{"v": x, "p": 3})


def chain_of_dots(x):
    return x.reshape(2, 2).T.sum(axis=0).mean()


def complex_index(a):
    return a[1:, None, ::2][:, 0] * 2.0 + a[np.array([1, 2])][:, [0, 2]]


def max_min(x, y):
    return max(x, y, 0.5) * min(x, y) + abs(-x) + round(y) + pow(x, 2)


def matrix_branch(a):
    if np.any(a > 1.0) and not np.all(a > 1.0):
        a = a @ a
    return a


def swap_elements(x):
    a = x.copy()
    for i in range(a.shape[0] - 1):
        if a[i] > a[i + 1]:
            a[i], a[i + 1] = a[i + 1], a[i]
    return a


def carried_tuple(x, n):
    state = (x, x * 2.0)
    for i in range(n):
        u, v = state
        state = (v * 0.5, u + v)
    return state[0] * state[1]


def string_keys(x):
    d = {}
    for i in range(3):
        d[f"k{i}"] = x * i
    return d["k1"] + d["k2"]


def accumulate_matrix(x, n):
    a = np.eye(2)
    for k in range(1, n):
        a = a @ np.array([[x, 1.0], [0.0, x]]) / k
    return a


def unrolled_layers(ws, x):
    for k in range(len(ws) - 1):
        x = np.tanh(ws[k] @ x)
    return ws[-1] @ x


def while_true(x):
    k = 0
    while True:
        x = x * 0.5
        k += 1
        if x < 0.1:
            break
        if k > 20:
            return -1.0
    return x * k


def nested_breaks(x):
    s = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[0]):
            if j > i:
                break
            if x[j] < 0.0:
                continue
            s += x[i] * x[j]
        if s > 5.0:
            break
    return s


VEC = np.array([0.5, -1.5, 2.0, 1.2])
MAT = np.arange(12.0).reshape(3, 4) / 6.0

CASES = {
    chained: [(1.5,), (VEC.copy(),)],
    walrus: [(0.2,), (2.0,)],
    ternary_chain: [(2.0,), (-3.0,), (0.5,)],
    boolean_values: [(1.0, 2.0), (-1.0, 2.0), (-1.0, -2.0)],
    short_circuit: [(VEC,), (VEC[:2],), (VEC[:0],)],
    loop_else: [(VEC, 1.0), (VEC, 9.0)],
    while_else: [(7.0,), (0.5,)],
    loop_variable_after: [(VEC,)],
    bound_on_one_branch: [(2.0,), (-2.0,)],
    default_and_keyword: [(1.0,), (VEC, 3.0)],
    calls_variadic: [(1.5,)],
    nested_function: [(1.5,), (VEC,)],
    nonlocal_counter: [(1.5,)],
    inner_writes: [(1.5,)],
    lambdas: [(1.5,)],
    higher_order: [(0.5,)],
    captured: [(0.5,), (VEC,)],
    captured_list: [(VEC[:2],)],
    alias_names: [(0.5,)],
    list_append: [(0.5, 4), (0.5, 0), (VEC, 12)],
    list_of_arrays: [(VEC, 3), (VEC, 0), (VEC, 20)],
    conditional_append: [(VEC,)],
    static_list: [(VEC,)],
    comprehension: [(0.5, 5), (0.5, 11)],
    comprehension_filter: [(VEC,)],
    generators: [(VEC,)],
    dict_params: [({"w_a": MAT[:, :3], "w_b": MAT[:, 1:], "bias": {"a": 0.5, "b": VEC[:3]}}, VEC[:3])],
    returns_dict: [(1.5,), (VEC,)],
    dict_methods: [(1.5,)],
    named: [(Pair(1.5, VEC), 2.0)],
    dataclass_model: [(Model(MAT, 0.5), VEC), (Model(MAT, 0.5, "relu"), VEC)],
    makes_dataclass: [(MAT, VEC)],
    writes: [(VEC,)],
    views: [(VEC,)],
    view_kept_across_write: [(VEC,)],
    transposed_write: [(VEC,)],
    shifts: [(VEC,)],
    ping_pong: [(VEC, 3), (VEC, 0)],
    rebinding_views: [(VEC, 3)],
    add_at: [(VEC,)],
    out_argument: [(VEC,)],
    calls_mutator: [(VEC,)],
    static_branches: [(VEC,), (MAT, "none"), (VEC, "none")],
    early_returns: [(VEC,), (VEC[:1],), (VEC[:0],), (np.array([0.1, -2.0, 0.3]),)],
    calls_early: [(VEC,)],
    unpack_shape: [(MAT,)],
    rows: [(MAT,)],
    int_sum_of_floats: [(VEC,)],
    zero_trips: [(VEC, 0), (VEC, 3)],
    asserts: [(VEC,)],
    errstate: [(VEC,)],
    shadowing: [(VEC,)],
    deletes: [(VEC,)],
    star_args: [(1.5,)],
    chain_of_dots: [(VEC,)],
    complex_index: [(MAT,)],
    max_min: [(1.5, 2.0), (2.0, 1.5)],
    matrix_branch: [(MAT[:, :3],), (MAT[:, :3] * 0.1,)],
    swap_elements: [(VEC,)],
    carried_tuple: [(1.5, 3), (VEC, 2)],
    string_keys: [(1.5,)],
    accumulate_matrix: [(0.5, 4)],
    unrolled_layers: [([MAT[:, :3], MAT[:, 1:], MAT[:2, :3]], VEC[:3])],
    while_true: [(3.0,), (1e9,)],
    nested_breaks: [(VEC,)],
}


def list_under_if(x, k):
    if k > 2:
        u = [1.0 for q in range(x.shape[0])]
    for i in range(k):
        pass
    s = 0.0
    if k > 2:
        s = len(u) + u[0]
    return np.sum(x) + s


def nested_comprehension(x):
    return np.array([[u * v for v in x] for u in x])


def read_after_loop(x, y):
    for i in range(x.shape[0]):
        s = x[i]
    return s * y[i]


CASES |= {
    list_under_if: [(VEC, 3), (VEC, 1)],
    nested_comprehension: [(VEC,)],
    read_after_loop: [(VEC, VEC)],
}


def swap_rows(a):
    b = a.copy()
    b[0], b[1] = b[1], b[0]
    c = a.copy()
    c[[0, 1]] = c[[1, 0]]
    return b, c


def view_of_view(x):
    a = np.outer(x, x)
    v = a[1:, ::-1]
    w = v.T[1]
    w += 1.0
    v[0, 0] = 5.0
    return a, w * 1.0


def returns_view(a):
    return a[1:]


def writes_returned_view(x):
    a = x.copy()
    b = returns_view(a)
    b[0] = 7.0
    return a


def arrays_in_containers(x):
    d = {"a": x.copy(), "l": [x.copy(), x * 2.0]}
    e = d["a"]
    e[0] = 9.0
    d["l"][1][1:] += d["a"][:-1]
    p = (d["a"], d["l"][0])
    p[1][...] = 2.0
    return d["a"] + d["l"][0] * d["l"][1]


def same_name_in_place(x):
    y = x
    y = y + 1.0
    z = y
    z += 1.0
    return y, x


def mutated_while_iterating(x):
    a = x.copy()
    for k, v in enumerate(a):
        if k + 1 < a.shape[0]:
            a[k + 1] += v
    return a


def mask_writes(x):
    a = x.copy()
    m = a > 0.0
    a[m] = a[m] ** 2
    a[~m] -= 1.0
    b = np.zeros((2, 4))
    b[:, m] = 3.0
    b[b > 2.0] += a[0]
    return a, b


def zero_dim(x):
    a = np.array(x[0])
    a += 1.0
    b = np.zeros(())
    b[...] = a * 2.0
    b[()] += 1.0
    return a * b, a + 0.0


def negative_steps(x):
    a = x.copy()
    a[::-1] = x * 2.0
    a[3:0:-2] += 1.0
    a[-2:] *= 3.0
    return a[::-1][1:], a[:-5:-1]


def conditional_buffer(x, flag):
    a = x.copy()
    b = x * 2.0
    c = a if flag > 0 else b
    s = np.sum(c)
    a = a * 1.0
    b = b * 1.0
    a[0] = s
    return a + b + c


def swap_under_if(x, flag):
    a = x.copy()
    b = x * 2.0
    if flag > 0:
        a, b = b, a
    a[0] = 100.0
    b[1] = -100.0
    return a, b


def three_buffers(x, n):
    a, b, c = x.copy(), x * 2.0, x * 3.0
    for i in range(n):
        a[i] = b[i] + c[i]
        a, b, c = b, c, a
    return a, b, c


def history_of_views(x, n):
    a = np.zeros((n, x.shape[0]))
    prev = a[0]
    prev[:] = x
    for i in range(1, n):
        cur = a[i]
        cur[:] = prev * 0.5 + 1.0
        prev = cur
    return a


def object_state(x):
    m = Model(np.eye(4), 0.5)
    m.bias = m.bias * x[0]
    m.w[0] += x
    return m(x) * m.bias


def aug_on_dict(x):
    d = {"s": 0.0, "v": np.zeros(4)}
    for i in range(3):
        d["s"] += x[i]
        d["v"][i] += x[i] * 2.0
    return d["s"] * d["v"]


def list_of_lists(x):
    grid = [[x * i + j for j in range(2)] for i in range(3)]
    grid[1][0] = x * 100.0
    return np.array(grid)


def returned_argument(x):
    x = x
    return x


def slices_with_ints(a):
    n = a.shape[0]
    s = 0.0
    for i in range(n - 1):
        block = a[i : i + 2, : i + 1]
        s += np.sum(block * block)
    return s


def bool_ints(x):
    count = 0
    for v in x:
        count += v > 0.0
    flags = (x > 0.0).astype(int)
    return count + np.sum(flags), flags * 2


def integer_arithmetic(n):
    a = n // 3 + n % 3 - 2**n
    b = (n & 6) | 1
    return a, b, n / 2, -n // 2, divmod(n, 4)[1]


def while_with_views(x):
    a = x.copy()
    lo, hi = 0, a.shape[0]
    while hi - lo > 1:
        mid = (lo + hi) // 2
        left = a[lo:mid]
        left += 1.0
        if a[mid] > 1.0:
            lo = mid
        else:
            hi = mid
    return a, lo


def float32_stays(x):
    y = x * 2.0 + 1
    y[0] = 0.5
    s = 0.0
    for v in y:
        s = s + v * 0.1
    return y / 3, s, np.sum(y), y.mean()


CASES |= {
    swap_rows: [(MAT,)],
    view_of_view: [(VEC,)],
    writes_returned_view: [(VEC,)],
    arrays_in_containers: [(VEC,)],
    same_name_in_place: [(VEC,)],
    mutated_while_iterating: [(VEC,)],
    mask_writes: [(VEC,)],
    zero_dim: [(VEC,)],
    negative_steps: [(VEC,)],
    conditional_buffer: [(VEC, 1), (VEC, -1)],
    swap_under_if: [(VEC, 1), (VEC, -1)],
    three_buffers: [(VEC, 0), (VEC, 1), (VEC, 2), (VEC, 4)],
    history_of_views: [(VEC, 4)],
    object_state: [(VEC,)],
    aug_on_dict: [(VEC,)],
    list_of_lists: [(VEC,)],
    returned_argument: [(VEC,)],
    slices_with_ints: [(MAT,)],
    bool_ints: [(VEC,)],
    integer_arithmetic: [(7,)],
    while_with_views: [(VEC,)],
    float32_stays: [(VEC.astype(np.float32),)],
}
