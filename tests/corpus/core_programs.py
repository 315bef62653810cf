"""Small sharp programs for the core: each one a trap that a first implementation fell into."""

import numpy as np


def loss(w, x):
    total = 0.0
    for i in range(x.shape[0]):
        t = x[i] * w[i]
        if t > 0.0:
            total += t * t
    return total


def layer(w, b, x):
    h = np.tanh(x @ w + b)
    return h


def layersum(w, b, x):
    h = np.tanh(x @ w + b)
    return np.sum(h * h)


def burgers(u0, steps, dt, dx):
    u = u0.copy()
    for t in range(steps):
        u[1:-1] = u[1:-1] - dt / dx * u[1:-1] * (u[1:-1] - u[:-2])
    return np.sum(u * u)


def recur(x):
    y = np.zeros(x.shape[0])
    y[0] = x[0]
    for i in range(1, x.shape[0]):
        y[i] = np.sin(y[i - 1]) * x[i]
    return np.sum(y * y)


def map1(x):
    y = np.zeros_like(x)
    for i in range(x.shape[0]):
        y[i] = np.tanh(x[i]) * x[i]
    return np.sum(y)


def lu(A0):
    A = A0.copy()
    n = A.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            A[i, k] = A[i, k] / A[k, k]
            for j in range(k + 1, n):
                A[i, j] = A[i, j] - A[i, k] * A[k, j]
    s = 0.0
    for k in range(n):
        s += np.log(abs(A[k, k]))
    return s


def gs(A, b, sweeps):
    n = b.shape[0]
    x = np.zeros(n)
    for it in range(sweeps):
        for i in range(n):
            s = b[i]
            for j in range(n):
                if j != i:
                    s -= A[i, j] * x[j]
            x[i] = s / A[i, i]
    return np.sum(x * x)


def newton(a):
    x = 1.0
    while abs(x * x - a) > 1e-13 * a:
        x = 0.5 * (x + a / x)
    return x * a


def brk(x, lim):
    s = 0.0
    for i in range(x.shape[0]):
        t = np.exp(x[i]) * x[i]
        if s > lim:
            break
        s += t * t
    return s


def early(x, lim):
    s = 1.0
    for i in range(x.shape[0]):
        s = s * x[i]
        if s > lim:
            return s * s
        s += 0.5
    return s + np.sin(x[0])


def lse(x):
    m = x[0]
    for i in range(x.shape[0]):
        if x[i] > m:
            m = x[i]
    s = 0.0
    for i in range(x.shape[0]):
        s += np.exp(x[i] - m)
    return m + np.log(s)


def lse2(X):
    m = np.max(X, axis=1, keepdims=True)
    s = np.sum(np.exp(X - m), axis=1)
    return np.mean(m[:, 0] + np.log(s))


def scale_row(row, c):
    for j in range(row.shape[0]):
        row[j] = row[j] * c + row[j - 1] * row[j]


def helper(A0, c):
    A = A0.copy()
    for i in range(A.shape[0]):
        row = A[i]
        scale_row(row, c[i])
        row[0] += c[i] * c[i]
    return np.sum(A * A)


def alias(x):
    n = x.shape[0]
    a = b = np.zeros(n)
    a[:] = x
    b[1:] *= x[:-1]
    a[0] = a[1] * 3.0
    return np.sum(a * b)


def swap(u0, steps):
    u = u0.copy()
    v = np.zeros_like(u)
    for t in range(steps):
        v[1:-1] = u[1:-1] * u[1:-1] + 0.3 * (u[2:] - u[:-2])
        v[0] = u[0]
        u, v = v, u
    return np.sum(u * u)


def fib(x, n):
    a = x
    b = x * x
    for i in range(n):
        a, b = b, a * b + 0.1
    return b


def promo(x, n):
    s = 0
    for i in range(n):
        s += x[i] * s + x[i]
    return s


def cont(x):
    s = 0.0
    for i in range(x.shape[0]):
        if x[i] < 0.0:
            continue
        s += x[i] ** 3
    return s


def rebind(x, n):
    u = x
    for i in range(n):
        u = u + 0.1 * np.sin(u) * x
    return np.sum(u)


def wh(x, y):
    z = np.where(x > 0.0, x * y, np.exp(x))
    c = np.cumsum(np.concatenate((z, y)))
    return np.mean(c * c) + np.max(z)


def wbrk(x, tol):
    s = x
    k = 0
    while k < 50:
        d = (s * s - 2.0 * x) / (2.0 * s)
        if abs(d) < tol:
            break
        s -= d
        k += 1
    return s * x


def nestwhile(x):
    tot = 0.0
    for i in range(x.shape[0]):
        v = x[i] * x[i] + 0.5
        while v < 5.0:
            v = v * v + x[i] * 0.1 + 0.3
        tot += v * x[i]
    return tot


def zerotrip(x, n):
    s = 0
    y = x * x
    for i in range(n):
        y = y * x
        s += np.sum(y)
    return s + np.sum(y)


def rowafter(A0):
    A = A0.copy()
    row = A[0]
    for i in range(A.shape[0]):
        row = A[i]
        row[0] = row[1] * row[2]
    row[1] *= row[0]
    return np.sum(A * A)


def iterrows(A0):
    A = A0.copy()
    for row in A:
        row *= row[0]
        row[1:] += row[:-1]
    return np.sum(A)


def nestret(x, lim):
    s = 1.0
    for i in range(x.shape[0]):
        for j in range(i):
            s = s + x[i] * x[j] * s
            if s > lim:
                return s * x[j]
        s = s * 0.9
    return s


def helperret(x):
    def clip(v):
        if v > 0.5:
            return v * v
        return np.sin(v)

    s = 0.0
    for i in range(x.shape[0]):
        s += clip(x[i]) * s + clip(x[i] * x[i])
    return s + 0.3


def ifview(x, flag):
    a = x.copy()
    if flag > 0.5:
        v = a[1:]
    else:
        v = a[1:]
    v *= v
    return np.sum(a * x)


def ifbuf(x):
    a = x.copy()
    if a[0] > 0.0:
        b = a * 2.0
    else:
        b = np.zeros_like(a)
    b[0] = a[1] * a[2]
    return np.sum(b * b)


def mayalias(x):
    a = x.copy()
    b = x * 2.0
    if a[0] > 0.0:
        c = a
    else:
        c = b
    c[0] = 3.0 * a[1]
    return np.sum(a * b)


def shrink(x):
    while x.shape[0] > 1:
        x = x[1:] * x[:-1]
    return x[0]


def dyn1(x, k):
    y = x[:k] * x
    return np.sum(y * y)


def contw(x):
    i = 0
    s = 0.0
    while i < x.shape[0]:
        i += 1
        if x[i - 1] < 0.0:
            continue
        s = s * x[i - 1] + x[i - 1]
    return s


def carrytup(x, n):
    st = (x, x * 2.0)
    for i in range(n):
        u, v = st
        st = (v * 0.5, u + 0.1 * u * v)
    return np.sum(st[0] * st[1])


def rk(y0, n, dt):
    def f(y):
        d = np.zeros(3)
        d[0] = 10.0 * (y[1] - y[0])
        d[1] = y[0] * (2.0 - y[2]) - y[1]
        d[2] = y[0] * y[1] - 2.6 * y[2]
        return d

    y = y0.copy()
    for i in range(n):
        k1 = f(y)
        k2 = f(y + 0.5 * dt * k1)
        y = y + dt * k2
    return np.sum(y * y)


def argmut(x, y):
    x[0] = y[0] * y[1]
    y[1:] *= x[:-1]
    return np.sum(x * y)


def mlp(x, w1, w2):
    h = x
    for w in (w1, w2):
        h = np.tanh(h @ w)
    z = np.exp(h - np.max(h, axis=1, keepdims=True))
    p = z / np.sum(z, axis=1, keepdims=True)
    return -np.mean(np.log(p[:, 0]))


def mat(A, x, n):
    for i in range(n):
        x = A @ x
        x = x / np.sqrt(np.sum(x * x))
    return x @ (A @ x)


def swapif(x):
    n = x.shape[0]
    a = x.copy()
    for i in range(n - 1):
        if a[i] > a[i + 1]:
            a[i], a[i + 1] = a[i + 1], a[i]
    return np.sum(a * np.cumsum(a))


def rng(seed=0):
    return np.random.default_rng(seed)


V4 = np.array([0.7, -0.4, 1.3, 0.9])
P4 = np.array([0.8, 1.7, 0.6, 1.2])
M44 = rng(1).normal(size=(4, 4)) * 0.4 + 3.0 * np.eye(4)

# name: (function, arguments, positions to differentiate)
PROGRAMS = {
    "loss": (loss, (V4, P4), (0, 1)),
    "layer": (layer, (rng(2).normal(size=(3, 2)), rng(3).normal(size=2), rng(4).normal(size=(5, 3))), (0, 1, 2)),
    "layersum": (layersum, (rng(2).normal(size=(3, 2)), rng(3).normal(size=2), rng(4).normal(size=(5, 3))), (0, 1, 2)),
    "burgers": (burgers, (1.0 + 0.3 * np.sin(np.arange(8.0)), 5, 0.01, 0.1), (0, 2, 3)),
    "recur": (recur, (V4,), (0,)),
    "map1": (map1, (V4,), (0,)),
    "lu": (lu, (M44,), (0,)),
    "gs": (gs, (M44, V4, 3), (0, 1)),
    "newton": (newton, (2.3,), (0,)),
    "brk": (brk, (V4, 1.1), (0,)),
    "brk_never": (brk, (V4, 1.0e9), (0,)),
    "early": (early, (P4, 2.0), (0,)),
    "early_never": (early, (P4, 1.0e9), (0,)),
    "lse": (lse, (V4,), (0,)),
    "lse2": (lse2, (rng(5).normal(size=(3, 4)),), (0,)),
    "helper": (helper, (rng(6).normal(size=(3, 4)), np.array([0.9, 1.1, -0.7])), (0, 1)),
    "alias": (alias, (V4,), (0,)),
    "swap": (swap, (1.0 + 0.3 * np.cos(np.arange(6.0)), 3), (0,)),
    "fib": (fib, (0.8, 4), (0,)),
    "promo": (promo, (V4, 3), (0,)),
    "cont": (cont, (V4,), (0,)),
    "rebind": (rebind, (V4, 3), (0,)),
    "wh": (wh, (V4, P4), (0, 1)),
    "wbrk": (wbrk, (1.7, 1.0e-9), (0,)),
    "nestwhile": (nestwhile, (P4,), (0,)),
    "zerotrip": (zerotrip, (V4, 0), (0,)),
    "sometrips": (zerotrip, (V4, 3), (0,)),
    "rowafter": (rowafter, (rng(7).normal(size=(3, 3)),), (0,)),
    "iterrows": (iterrows, (rng(8).normal(size=(3, 4)),), (0,)),
    "nestret": (nestret, (P4, 4.0), (0,)),
    "nestret_never": (nestret, (P4, 1.0e9), (0,)),
    "helperret": (helperret, (P4,), (0,)),
    "ifview": (ifview, (V4, 1.0), (0,)),
    "ifbuf": (ifbuf, (V4,), (0,)),
    "ifbuf_zeros": (ifbuf, (-V4,), (0,)),
    "mayalias": (mayalias, (V4,), (0,)),
    "shrink": (shrink, (V4,), (0,)),
    "dyn1": (dyn1, (V4, 4), (0,)),
    "dyn1_one": (dyn1, (V4, 1), (0,)),
    "contw": (contw, (V4,), (0,)),
    "carrytup": (carrytup, (V4, 3), (0,)),
    "rk": (rk, (np.array([1.0, 1.1, 0.9]), 4, 0.05), (0, 2)),
    "argmut": (argmut, (V4, P4), (0, 1)),
    "mlp": (mlp, (rng(9).normal(size=(5, 3)), rng(10).normal(size=(3, 4)), rng(11).normal(size=(4, 2))), (0, 1, 2)),
    "mat": (mat, (M44, V4, 3), (0, 1)),
    "swapif": (swapif, (V4,), (0,)),
}
MAY_BE_REFUSED = ("mayalias", "shrink")
