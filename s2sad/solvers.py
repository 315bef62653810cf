"""Linear solvers for operators that are functions: NumPy programs, read and compiled like any other.

`matvec` takes and returns an array of the shape of `b` (any rank, or a number). The iterations stop when the
norm of the residual is at most `tol` times that of `b`, at the latest after `maxiter` steps (default: ten
times the number of unknowns). If it is more than LOST times that of `b` then, all of x is nan.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.frontend.dense import Operator, dense
from s2sad.frontend.programs import unsupported

__all__ = ["bicgstab", "cg", "dense", "gmres"]
LOST = 1e-6


def cg(matvec: Operator, b: Any, tol: float = 1e-12, maxiter: int = 0) -> Any:
    """Return x with matvec(x) = b by conjugate gradients, for symmetric positive definite operators: one more
    product tells an operator that is not symmetric, for which all of x is nan.

    M. R. Hestenes, E. Stiefel, Methods of conjugate gradients for solving linear systems (1952).
    """
    if np.iscomplexobj(b):
        return unsupported("a complex system of cg is not supported", "take s2sad.solvers.dense")
    x, r, p = 0.0 * b, 1.0 * b, 1.0 * b
    rho = np.sum(r * r)
    goal = tol * tol * rho
    for _ in range(maxiter if maxiter > 0 else 10 * np.size(b)):
        if rho <= goal:
            break
        q = matvec(p)
        alpha = rho / np.sum(p * q)
        x = x + alpha * p
        r = r - alpha * q
        before = rho
        rho = np.sum(r * r)
        p = r + (rho / before) * p
    w = np.reshape(np.cos(np.arange(np.size(b)) + 1.0), np.shape(b))
    left, right = np.sum(w * b), np.sum(matvec(w) * x)
    skew = np.abs(left - right) > 1e-4 * (np.sqrt(np.sum(w * w) * np.sum(b * b)) + np.abs(right))
    return x + (np.nan if skew or rho > LOST * LOST * np.sum(b * b) else 0.0)


def bicgstab(matvec: Operator, b: Any, tol: float = 1e-12, maxiter: int = 0) -> Any:
    """Return x with matvec(x) = b by stabilised biconjugate gradients, for any regular operator.

    H. A. van der Vorst, Bi-CGSTAB: a fast and smoothly converging variant of Bi-CG (1992).
    """
    if np.iscomplexobj(b):
        return unsupported("a complex system of bicgstab is not supported", "take s2sad.solvers.dense")
    x, r, p, shadow = 0.0 * b, 1.0 * b, 1.0 * b, 1.0 * b
    rho = np.sum(shadow * r)
    goal = tol * tol * np.sum(b * b)
    for _ in range(maxiter if maxiter > 0 else 10 * np.size(b)):
        if np.sum(r * r) <= goal or rho == 0.0:
            break
        v = matvec(p)
        alpha = rho / np.sum(shadow * v)
        s = r - alpha * v
        t = matvec(s)
        tt = np.sum(t * t)
        omega = np.sum(t * s) / tt if tt > 0.0 else 0.0
        x = x + alpha * p + omega * s
        r = s - omega * t
        before = rho
        rho = np.sum(shadow * r)
        if omega == 0.0:
            break
        p = r + (rho / before) * (alpha / omega) * (p - omega * v)
    return x + (np.nan if np.sum(r * r) > LOST * LOST * np.sum(b * b) else 0.0)


def gmres(matvec: Operator, b: Any, tol: float = 1e-12, maxiter: int = 0, restart: int = 30) -> Any:
    """Return x with matvec(x) = b by restarted GMRES, for any regular operator: Arnoldi's vectors by modified
    Gram-Schmidt, the least squares problem by Givens rotations.

    Y. Saad, M. H. Schultz, GMRES: a generalized minimal residual algorithm (1986).
    """
    if np.iscomplexobj(b):
        return unsupported("a complex system of gmres is not supported", "take s2sad.solvers.dense")
    n = np.size(b)
    m = min(restart, n)
    flat = np.reshape(b, n)
    x, r = 0.0 * flat, 1.0 * flat
    goal = tol * np.sqrt(np.sum(flat * flat))
    for _ in range((maxiter if maxiter > 0 else 10 * n) // m + 1):
        beta = np.sqrt(np.sum(r * r))
        if beta <= goal:
            break
        V = np.zeros((m + 1, n), dtype=flat.dtype)
        R = np.zeros((m + 1, m), dtype=flat.dtype)
        c, s = np.zeros(m, dtype=flat.dtype), np.zeros(m, dtype=flat.dtype)
        g = np.zeros(m + 1, dtype=flat.dtype)
        g[0] = beta
        V[0] = r / beta
        used = 0
        for j in range(m):
            w = np.reshape(matvec(np.reshape(V[j], np.shape(b))), n)
            for i in range(j + 1):
                R[i, j] = np.sum(w * V[i])
                w = w - R[i, j] * V[i]
            size = np.sqrt(np.sum(w * w))
            if size > 0.0:
                V[j + 1] = w / size
            for i in range(j):
                turned = c[i] * R[i, j] + s[i] * R[i + 1, j]
                R[i + 1, j] = c[i] * R[i + 1, j] - s[i] * R[i, j]
                R[i, j] = turned
            length = np.sqrt(R[j, j] * R[j, j] + size * size)
            c[j], s[j] = R[j, j] / length, size / length
            R[j, j] = length
            g[j + 1] = -s[j] * g[j]
            g[j] = c[j] * g[j]
            used = j + 1
            if np.abs(g[j + 1]) <= goal:
                break
        y = np.zeros(m, dtype=flat.dtype)
        for k in range(used):
            i = used - 1 - k
            y[i] = (g[i] - np.sum(R[i, i + 1 : used] * y[i + 1 : used])) / R[i, i]
        x = x + y @ V[:m]
        r = flat - np.reshape(matvec(np.reshape(x, np.shape(b))), n)
    lost = np.sum(r * r) > LOST * LOST * np.sum(flat * flat)
    return np.reshape(x, np.shape(b)) + (np.nan if lost else 0.0)
